# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WSGI application: our own control endpoints, the call counter and the faults in front of a mended moto."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer
from werkzeug.serving import make_server as werkzeug_make_server
from werkzeug.wrappers import Response

from emulator.actions import identify
from emulator.calls import CallLog
from emulator.faults import Faults, Rule, encode_error, error_answer
from emulator.patching import apply_all
from emulator.protocol import protocol_of

PREFIX = "/_emulator/"
Answer = tuple[int, dict[str, str], bytes]


class QuietHandler(MotoRequestHandler):
    """moto's request handler without the line per request on standard error."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class EmulatorApplication:
    """Counts, injects faults and passes on to moto, one call at a time."""

    def __init__(self, log: Path | None = None) -> None:
        apply_all()
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.calls = CallLog()
        self.faults = Faults()
        self.log = log
        # moto's backends are not thread safe, and its flags for what a response includes are class attributes.
        self.lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(PREFIX):
            return self.control(environ, path.removeprefix(PREFIX))(environ, start_response)
        if path.startswith("/moto-api"):
            return self.locked(environ)(environ, start_response)
        return self.call(environ)(environ, start_response)

    def call(self, environ: dict[str, Any]) -> Response:
        """One AWS API call."""
        buffer_body(environ)
        service, action = identify(environ)
        self.calls.add(service, action)
        started = time.monotonic()
        rule = self.faults.take(service, action)
        response = self.faulty(rule, service, environ) if rule else self.carry_out(service, environ)
        if self.log:
            line = f"{service}:{action} {response.status_code} {time.monotonic() - started:.3f}s"
            with self.log.open("a", encoding="utf-8") as file:
                file.write(f"{line} fault={rule.fault}\n" if rule else f"{line}\n")
        return response

    def faulty(self, rule: Rule, service: str, environ: dict[str, Any]) -> Response:
        """A call that a rule hits."""
        if rule.fault == "latency":
            time.sleep(rule.seconds)
            return self.carry_out(service, environ)
        if rule.fault == "kill":
            response = self.carry_out(service, environ)
            os.kill(rule.pid, signal.SIGKILL)
            return response
        if rule.fault == "after":
            self.carry_out(service, environ)
            if rule.status is None and rule.code is None:
                drop_connection(environ)
        return answer(error_answer(rule, service, environ))

    def carry_out(self, service: str, environ: dict[str, Any]) -> Response:
        """Let moto do it; a crash in there becomes an error that clients do not retry."""
        try:
            return self.locked(environ)
        except Exception as exc:  # whatever moto raises, the client must get a readable answer
            sys.stderr.write(f"emulator: {environ.get('REQUEST_METHOD')} {service}\n{traceback.format_exc()}")
            message = f"The emulator cannot do this: {type(exc).__name__}: {exc}"
            return answer(encode_error(protocol_of(service, environ), service, "InternalFailure", message, 501))

    def locked(self, environ: dict[str, Any]) -> Response:
        """moto's answer, whole, made while no other call is in work."""
        with self.lock:
            return Response.from_app(self.moto, environ, buffered=True)

    def control(self, environ: dict[str, Any], name: str) -> Response:
        """The endpoints under /_emulator/."""
        method = environ["REQUEST_METHOD"]
        if (method, name) == ("POST", "faults"):
            return self.add_faults(environ)
        if method == "GET" and name.startswith("layers/"):
            return layer(name.removeprefix("layers/"))
        handlers: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "health"): lambda: {"status": "ok"},
            ("GET", "calls"): self.calls.summary,
            ("POST", "calls/reset"): self.calls.reset,
            ("POST", "reset"): self.reset,
            ("GET", "faults"): self.faults.listing,
            ("DELETE", "faults"): self.faults.clear,
        }
        handler = handlers.get((method, name))
        if handler is None:
            known = ", ".join(f"{m} {PREFIX}{n}" for m, n in [*handlers, ("POST", "faults")])
            return as_json({"error": f"{method} {PREFIX}{name} is unknown; there are: {known}"}, 404)
        return as_json(handler() or {"status": "ok"} if method != "GET" else handler())

    def add_faults(self, environ: dict[str, Any]) -> Response:
        """POST /_emulator/faults."""
        buffer_body(environ)
        try:
            self.faults.add(json.loads(environ["wsgi.input"].read()))
        except (TypeError, ValueError) as exc:
            return as_json({"error": str(exc)}, 400)
        return as_json({"status": "ok"})

    def reset(self) -> None:
        """An empty account again, no calls, no faults."""
        from moto.moto_api._internal.models import moto_api_backend

        with self.lock:
            moto_api_backend.reset()
        self.calls.reset()
        self.faults.clear()


def layer(digest: str) -> Response:
    """A blob of an image in ECR."""
    from emulator.mends.ecr import LAYERS

    return Response(LAYERS[digest]) if digest in LAYERS else as_json({"error": f"{digest} is unknown"}, 404)


def buffer_body(environ: dict[str, Any]) -> None:
    """Read the body once, outside the lock, so that everybody after can read it again from the start."""
    if environ.get("CONTENT_LENGTH"):
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    elif environ.get("wsgi.input_terminated"):
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read())


def drop_connection(environ: dict[str, Any]) -> None:
    """Cut the line to the client, as when an answer is lost on the way."""
    connection = environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)


def answer(parts: Answer) -> Response:
    """Status, headers and body as a response."""
    status, headers, body = parts
    return Response(body, status=status, headers=headers)


def as_json(value: Any, status: int = 200) -> Response:
    """A JSON response of a control endpoint."""
    return Response(json.dumps(value), status=status, content_type="application/json")


def make_server(port: int, application: EmulatorApplication) -> BaseWSGIServer:
    """A threaded server on loopback only."""
    return werkzeug_make_server("127.0.0.1", port, application, threaded=True, request_handler=QuietHandler)
