# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts API calls by service and action."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

READ_PREFIXES = (
    "Describe",
    "Get",
    "List",
    "Head",
    "BatchGet",
    "BatchCheck",
    "Lookup",
    "Search",
    "Simulate",
    "Query",
    "Scan",
    "Select",
    "AssumeRole",
    "Test",
    "Check",
    "Preview",
    "Validate",
)


def mutates(action: str) -> bool:
    """Whether the action changes something: botocore's models do not say it, so the name decides."""
    return not action.startswith(READ_PREFIXES)


class CallLog:
    """A thread-safe, ordered record of the calls since the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: list[tuple[str, str]] = []

    def add(self, service: str, action: str) -> None:
        """One call came in."""
        with self._lock:
            self._log.append((service, action))

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._log.clear()

    def summary(self) -> dict[str, Any]:
        """What `GET /_emulator/calls` answers."""
        with self._lock:
            log = list(self._log)
        counts = Counter(log)
        calls = [
            {"service": service, "action": action, "mutating": mutates(action), "count": count}
            for (service, action), count in sorted(counts.items())
        ]
        return {
            "total": len(log),
            "mutating": sum(1 for _service, action in log if mutates(action)),
            "calls": calls,
            "log": [f"{service}:{action}" for service, action in log],
        }
