# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container: it writes a few lines, answers HTTP at an address of its own, and ends as its image or command says."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ministack.services import ecs

from docker.images import Image

RUN_SECONDS = 0.1
SLOW_SECONDS = 4
# Requests that a load balancer sent just before it heard of the stop are still answered.
DRAIN_SECONDS = 0.3
_NUMBERS = itertools.count(1)


class Container:
    """options: keyword arguments of containers.run()."""

    def __init__(self, identity: str, image: Image, options: dict[str, Any], forget: Callable[[str], None]) -> None:
        self.id, self.image, self.labels = identity, image, options.get("labels") or {}
        self.status, self.code = "created", 0
        self._command = [str(word) for word in options.get("command") or ()]
        self._environment = options.get("environment") or {}
        self._forget = forget
        number = next(_NUMBERS)
        self.address = f"127.77.{number // 250 % 250}.{number % 250 + 1}"
        self.attrs = {"NetworkSettings": {"Networks": {"bridge": {"IPAddress": self.address}}}}
        self._lines: list[str] = []
        self._ended = threading.Event()
        self._servers: list[ThreadingHTTPServer] = []

    def start(self) -> None:
        """Returns once it runs."""
        self._lines.append("starting")
        if self.image.behaviour == "slow":
            self._ended.wait(SLOW_SECONDS)
        self.status = "running"
        if self._command[:1] == ["exit"]:
            self._later(int(self._command[1]), "running", f"the work is done, exit code {self._command[1]}")
        elif self.image.behaviour == "crash":
            self._later(1, "fatal: cannot go on")
        elif self.image.behaviour == "exit0":
            self._later(0, "nothing to do")
        else:
            self._serve()
            self._lines.append("listening")

    def _later(self, code: int, *lines: str) -> None:
        self._lines += lines
        threading.Timer(RUN_SECONDS, self._end, [code]).start()

    def _end(self, code: int) -> None:
        if not self._ended.is_set():
            self.status, self.code = "exited", code
            self._ended.set()

    def _serve(self) -> None:
        """On the ports of its container definition."""
        answer = json.dumps({"tags": self.image.tags, "digest": self.image.id, "address": self.address}).encode()
        handler = _handler(503 if self.image.behaviour == "unhealthy" else 200, answer)
        for port in self._ports():
            server = ThreadingHTTPServer((self.address, port), handler)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            self._servers.append(server)

    def _ports(self) -> list[int]:
        family = self.labels.get("com.amazonaws.ecs.task-definition-family")
        revision = self.labels.get("com.amazonaws.ecs.task-definition-version")
        definition = ecs._task_defs.get(f"{family}:{revision}") or {}
        name = self.labels.get("com.amazonaws.ecs.container-name")
        return [
            int(mapping["containerPort"])
            for one in definition.get("containerDefinitions") or ()
            if one["name"] == name
            for mapping in one.get("portMappings") or ()
        ]

    def reload(self) -> None:
        """It is never out of date."""

    def wait(self) -> dict[str, int]:
        self._ended.wait()
        return {"StatusCode": self.code}

    def logs(self, stream: bool = False, tail: int | None = None, **_options: Any) -> Any:
        if stream:
            return self._followed()
        return "\n".join(self._lines[-(tail or 0) :]).encode()

    def _followed(self) -> Iterator[bytes]:
        told = 0
        while True:
            ended = self._ended.is_set()
            for line in self._lines[told:]:
                told += 1
                yield f"{line}\n".encode()
            if ended:
                return
            time.sleep(0.02)

    def stop(self, timeout: float = 0) -> None:
        if self._servers:
            time.sleep(DRAIN_SECONDS)
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers = []
        self._end(0)

    def remove(self, v: bool = False, force: bool = False) -> None:
        self.stop()
        self._forget(self.id)


def _handler(status: int, answer: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """The same for every path."""

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nobody reads it."""

    return Handler
