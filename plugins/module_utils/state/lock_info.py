# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lock says about its holder, in Terraform's own form."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import socket
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

VERSION = "dockyard.aws"
_FIELDS = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")


@dataclass(frozen=True)
class LockInfo:
    """Terraform's LockInfo. id: what unlocking asks for. path: bucket/key. created: RFC 3339, UTC."""

    id: str
    operation: str = ""
    info: str = ""
    who: str = ""
    version: str = ""
    created: str = ""
    path: str = ""

    def as_text(self) -> str:
        """The JSON that Terraform writes, byte by byte: its order, no spaces, its escapes."""
        values = (self.id, self.operation, self.info, self.who, self.version, self.created, self.path)
        text = json.dumps(dict(zip(_FIELDS, values, strict=True)), separators=(",", ":"), ensure_ascii=False)
        for character in "<>&\u2028\u2029":
            text = text.replace(character, f"\\u{ord(character):04x}")
        return text


def new(path: str, operation: str, info: str = "", version: str = VERSION) -> LockInfo:
    """The lock of this process, now."""
    return LockInfo(str(uuid.uuid4()), operation, info, who(), version, _timestamp(time.time_ns()), path)


def parse(text: str) -> LockInfo:
    """A lock as found. One that cannot be read gets an id of its own, so that it can be broken all the same."""
    try:
        data = json.loads(text)
        values = [str(data.get(name) or "") for name in _FIELDS]
    except (ValueError, AttributeError):
        values = [""] * len(_FIELDS)
    if not values[0]:
        values[0] = f"unreadable-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    return LockInfo(*values)


def age(info: LockInfo, now: datetime | None = None) -> str:
    """How long ago it was taken, in words; empty where that cannot be told."""
    try:
        # Python's clock has microseconds, Terraform's nanoseconds.
        created = datetime.fromisoformat(f"{info.created.rstrip('Z')[:26].rstrip('.')}+00:00")
    except ValueError:
        return ""
    seconds = max(0, round(((now or datetime.now(UTC)) - created).total_seconds()))
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} seconds ago"


def _timestamp(nanoseconds: int) -> str:
    """RFC 3339 with as many digits as it takes, as Go writes it."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{whole}{fraction}Z"


def who() -> str:
    """This user on this machine."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run under an id without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
