# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

OK, NOTE, FAILED, SKIPPED = "ok", "note", "failed", "skipped"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. said: what was found. todo: what to do where it is not as it should be."""

    name: str
    status: str
    said: str
    todo: str = ""

    def as_result(self) -> dict[str, Any]:
        return asdict(self)


def ok(name: str, said: str) -> Check:
    return Check(name, OK, said)


def failed(name: str, said: str, todo: str) -> Check:
    return Check(name, FAILED, said, todo)


def note(name: str, said: str, todo: str = "") -> Check:
    return Check(name, NOTE, said, todo)


def skipped(name: str, said: str) -> Check:
    return Check(name, SKIPPED, said)
