# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium, driven by its DevTools protocol over a pair of pipes: no package is needed for that."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BINARY = next((found for found in map(shutil.which, NAMES) if found), None)
SECONDS = 30.0
# The browser reads commands from descriptor 3 and writes to descriptor 4.
WRAPPER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
OPTIONS = (
    *("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu"),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-proxy-server", "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable"),
)

Message = dict[str, Any]


class Visit:
    """What a browser saw when it opened an address: every answer and every complaint."""

    def __init__(self, events: Sequence[Message]) -> None:
        self.answers: list[Message] = []
        self.complaints: list[str] = []
        for event in events:
            given = event["params"]
            if event["method"] == "Network.requestWillBeSent" and "redirectResponse" in given:
                self.answers.append(given["redirectResponse"])
            elif event["method"] == "Network.responseReceived":
                self.answers.append(given["response"])
            elif event["method"] == "Log.entryAdded":
                self.complaints.append(given["entry"]["text"])
            elif event["method"] == "Runtime.exceptionThrown":
                self.complaints.append(given["exceptionDetails"]["text"])

    def answer(self, path: str) -> tuple[int, str]:
        """Status and content type of the answer for the address that ends so."""
        found = [item for item in self.answers if item["url"].endswith(path)]
        assert found, f"nothing was asked for at {path}: {[item['url'] for item in self.answers]}"
        headers = {name.lower(): value for name, value in found[0]["headers"].items()}
        return found[0]["status"], headers.get("content-type", "")

    def redirects(self) -> list[tuple[int, str]]:
        """Status and target of each redirect."""
        return [
            (item["status"], {name.lower(): value for name, value in item["headers"].items()}["location"])
            for item in self.answers
            if 300 <= item["status"] < 400 and item["status"] != 304
        ]


class Chromium:
    """One browser with one page; every host name leads to one address on this machine."""

    def __init__(self, address: str) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="dockyard-chromium-")
        self._sent = 0
        self._rest = b""
        self._events: list[Message] = []
        self._session = ""
        self._start(address)
        page = self._do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._do("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self._do(f"{domain}.enable")
        # Every visit is a first one.
        self._do("Network.setCacheDisabled", cacheDisabled=True)

    def _start(self, address: str) -> None:
        (to_browser, self._out), (self._in, from_browser) = os.pipe(), os.pipe()
        # Out of the way of 3 and 4.
        theirs = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (to_browser, from_browser)]
        options = [*OPTIONS, f"--host-resolver-rules=MAP * {address}", f"--user-data-dir={self._profile.name}"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        command = [sys.executable, "-c", WRAPPER, *map(str, theirs), str(BINARY), *options, "about:blank"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, pass_fds=theirs, **quiet)
        for descriptor in (to_browser, from_browser, *theirs):
            os.close(descriptor)

    def open(self, url: str) -> Visit:
        """Go to an address and wait until the page has loaded."""
        self._events.clear()
        self._do("Page.navigate", url=url)
        self._read_until(lambda message: message.get("method") == "Page.loadEventFired")
        return Visit(self._events)

    def ask(self, expression: str) -> Any:
        """The value of an expression in the page."""
        return self._do("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._do("Page.captureScreenshot")["data"]))

    def __enter__(self) -> Chromium:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(SECONDS)
        os.close(self._out)
        os.close(self._in)
        self._profile.cleanup()

    def _do(self, method: str, **params: Any) -> Message:
        self._sent += 1
        number = self._sent
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        answer = self._read_until(lambda found: found.get("id") == number)
        assert "result" in answer, f"{method}: {answer.get('error')}"
        result: Message = answer["result"]
        return result

    def _read_until(self, wanted: Callable[[Message], bool]) -> Message:
        deadline = time.monotonic() + SECONDS
        while True:
            while b"\0" in self._rest:
                line, _end, self._rest = self._rest.partition(b"\0")
                message: Message = json.loads(line)
                if "method" in message:
                    self._events.append(message)
                if wanted(message):
                    return message
            assert select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))[0], "the browser is silent"
            received = os.read(self._in, 1 << 16)
            assert received, "the browser has ended"
            self._rest += received
