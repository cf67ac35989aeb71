# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: throttling, errors, latency, and answers that get lost after the write was carried out."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from emulator.protocol import protocol_of

KINDS = ("throttle", "error", "latency", "after", "kill")


@dataclass
class Rule:
    """Which calls fail, how, and how often. pid: the process that `kill` ends, the caller's own."""

    fault: str
    service: str = "*"
    action: str = "*"
    times: int = 1
    skip: int = 0
    code: str | None = None
    message: str | None = None
    status: int | None = None
    seconds: float = 0.0
    pid: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"fault is {self.fault!r}; allowed: {', '.join(KINDS)}")
        if self.fault == "kill" and self.pid <= 0:
            raise ValueError("kill needs the pid of the process to kill")

    def matches(self, service: str, action: str) -> bool:
        """Whether the rule is about this call at all."""
        return self.service in ("*", service) and self.action in ("*", action)


class Faults:
    """The rules in force; the first that matches a call and is not used up decides."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, rules: list[dict[str, Any]]) -> None:
        """Add rules, or raise ValueError or TypeError and add none."""
        checked = [Rule(**rule) for rule in rules]
        with self._lock:
            self._rules.extend(checked)

    def clear(self) -> None:
        """No faults any more."""
        with self._lock:
            self._rules.clear()

    def listing(self) -> list[dict[str, Any]]:
        """The rules with what is left of them."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def take(self, service: str, action: str) -> Rule | None:
        """The rule that hits this call, one of its times used up."""
        with self._lock:
            for rule in self._rules:
                if rule.times <= 0 or not rule.matches(service, action):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                rule.times -= 1
                rule.hits += 1
                return rule
        return None


THROTTLE = {"ec2": ("RequestLimitExceeded", 503), "s3": ("SlowDown", 503), "query": ("Throttling", 400)}
DENIED = {"ec2": ("UnauthorizedOperation", 403), "s3": ("AccessDenied", 403), "query": ("AccessDenied", 403)}


def default_error(kind: str, service: str, protocol: str) -> tuple[str, int]:
    """Code and status that AWS would answer with in this protocol."""
    if kind == "after":
        return "InternalError" if protocol in ("ec2", "rest-xml") else "InternalFailure", 500
    table = THROTTLE if kind == "throttle" else DENIED
    fallback = ("ThrottlingException", 400) if kind == "throttle" else ("AccessDeniedException", 400)
    key = "s3" if service == "s3" else "query" if protocol == "rest-xml" else protocol
    return table.get(key, fallback)


def error_answer(rule: Rule, service: str, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """The error of a rule as status, headers and body in the request's protocol."""
    protocol = protocol_of(service, environ)
    code, status = default_error(rule.fault, service, protocol)
    code, status = rule.code or code, rule.status or status
    message = rule.message or f"{code}: fault injected by the emulator."
    return encode_error(protocol, service, code, message, status)


def encode_error(
    protocol: str, service: str, code: str, message: str, status: int
) -> tuple[int, dict[str, str], bytes]:
    """An error in the form of one protocol."""
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message}).encode()
        return status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}, body
    if protocol == "smithy-rpc-v2-cbor":
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return status, headers, cbor_map({"__type": code, "message": message})
    detail = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if protocol == "ec2":
        text = f"<Response><Errors><Error>{detail}</Error></Errors><RequestID>fault</RequestID></Response>"
    elif service == "s3":
        text = f"<Error>{detail}<RequestId>fault</RequestId></Error>"
    else:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{detail}</Error><RequestId>fault</RequestId></ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def cbor_map(fields: dict[str, str]) -> bytes:
    """A CBOR map of short texts: all that an error needs."""
    encoded = bytes([0xA0 + len(fields)])
    for text in (part for pair in fields.items() for part in pair):
        raw = text.encode()
        encoded += b"\x79" + len(raw).to_bytes(2, "big") + raw
    return encoded
