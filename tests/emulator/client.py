# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and stops the emulator, and asks it what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

SERVER = Path(__file__).resolve().parent / "server.py"
START_TIMEOUT = 60.0


class Emulator:
    """One emulator process of one's own; use it as a context manager or with start() and stop()."""

    def __init__(self, account: str = "123456789012", log: Path | None = None, python: str = sys.executable) -> None:
        self.account = account
        self.log = log
        self.python = python
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._session: Any = None

    def start(self) -> Emulator:
        """Start it on a free port and wait until it answers."""
        with tempfile.TemporaryDirectory() as folder:
            ready = Path(folder) / "url"
            command = [self.python, str(SERVER), "--ready-file", str(ready), "--account", self.account]
            command += ["--parent", str(os.getpid())] + (["--log", str(self.log)] if self.log else [])
            self._process = subprocess.Popen(command)
            self.url = self._wait(ready)
        return self

    def _wait(self, ready: Path) -> str:
        """The URL from the ready file."""
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if ready.exists():
                return ready.read_text(encoding="utf-8").strip()
            if self._process.poll() is not None:
                raise RuntimeError(f"The emulator ended at once with code {self._process.returncode}.")
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"The emulator did not answer within {START_TIMEOUT:.0f} s.")

    def stop(self) -> None:
        """End the process; calling it twice does no harm."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def calls(self) -> dict[str, Any]:
        """total, mutating, calls (by service and action) and log since the last reset."""
        found: dict[str, Any] = self._request("GET", "calls")
        return found

    def reset_calls(self) -> None:
        """Start counting from zero."""
        self._request("POST", "calls/reset")

    def reset(self) -> None:
        """An empty account, no calls counted, no faults."""
        self._request("POST", "reset")

    def faults(self, *rules: dict[str, Any]) -> None:
        """Add fault rules; without any, remove all."""
        if rules:
            self._request("POST", "faults", list(rules))
        else:
            self._request("DELETE", "faults")

    def fault_rules(self) -> list[dict[str, Any]]:
        """The rules in force, with their hits."""
        found: list[dict[str, Any]] = self._request("GET", "faults")
        return found

    def environment(self, region: str = "us-east-1") -> dict[str, str]:
        """Environment variables with which any AWS SDK talks to this emulator."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = "us-east-1", **options: Any) -> Any:
        """A boto3 client."""
        import boto3

        if self._session is None:  # one for all clients: each session parses the service models anew
            self._session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")
        return self._session.client(service, region_name=region, endpoint_url=self.url, **options)

    def _request(self, method: str, name: str, body: Any = None) -> Any:
        """A control endpoint's answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_emulator/{name}", data=data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as reply:
            return json.loads(reply.read())
