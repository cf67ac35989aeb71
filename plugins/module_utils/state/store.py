# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where documents are kept: what every store can do, and the store in a local folder.

Stores know bytes, not documents. Every write is a compare-and-swap: it names what it follows, as read before, and
StateConflict says that somebody else was faster.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateConflict, StateError

CURRENT = "current"


@dataclass(frozen=True)
class Stored:
    """What lies at a key. body: None where nothing does. tag: identifies these contents in compare-and-swap.

    warning: what is odd about it, for people. digest_behind: its digest was not written, see S3Store.record_digest.
    """

    body: bytes | None = None
    tag: str = ""
    version_id: str = ""
    warning: str = ""
    digest_behind: bool = False


ABSENT = Stored()


@dataclass(frozen=True)
class Version:
    """One version of a document. modified: in UTC. deleted: a mark of its deletion, without contents."""

    version_id: str
    modified: datetime
    size: int = 0
    latest: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Written:
    """One version's contents; by whom and for which operation it was written, where that is known."""

    body: bytes
    who: str = ""
    operation: str = ""


class Store(Protocol):
    """What every store can do."""

    def place(self, key: str) -> str:
        """The key as people read it."""

    def read(self, key: str) -> Stored:
        """What lies at a key now."""

    def read_many(self, keys: Sequence[str], there: Container[str] | None = None) -> dict[str, Stored]:
        """The same for many keys at once. there: those that exist, where that is known."""

    def write(self, key: str, body: bytes, after: Stored) -> Stored:
        """Put `body` in the place of `after`, or raise StateConflict and leave everything as it is."""

    def delete(self, key: str, after: Stored) -> None:
        """Delete what was read, or raise StateConflict."""

    def keys(self, prefix: str = "") -> list[str]:
        """All keys that begin with `prefix`, sorted."""

    def versions(self, key: str, limit: int = 100) -> list[Version]:
        """The latest versions, newest first; empty where there never was a document."""

    def read_version(self, key: str, version_id: str) -> bytes:
        """One version's contents."""

    def written(self, key: str, version_id: str) -> Written:
        """The same, with who wrote it."""


class LocalStore:
    """Documents in a folder: before there is a bucket, and in tests. It keeps no earlier versions."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def place(self, key: str) -> str:
        return str(self._path(key))

    def read(self, key: str) -> Stored:
        try:
            body = self._path(key).read_bytes()
        except FileNotFoundError:
            return ABSENT
        except OSError as error:
            raise _explained(error, f"read {self.place(key)}") from error
        return Stored(body, hashlib.sha256(body).hexdigest(), CURRENT)

    def read_many(self, keys: Sequence[str], there: Container[str] | None = None) -> dict[str, Stored]:
        return {key: self.read(key) for key in keys}

    def write(self, key: str, body: bytes, after: Stored) -> Stored:
        try:
            with self._exclusively():
                self._compare(key, after)
                self._replace(self._path(key), body)
        except OSError as error:
            raise _explained(error, f"write {self.place(key)}") from error
        return Stored(body, hashlib.sha256(body).hexdigest(), CURRENT)

    def delete(self, key: str, after: Stored) -> None:
        try:
            with self._exclusively():
                self._compare(key, after)
                self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise _explained(error, f"delete {self.place(key)}") from error

    def keys(self, prefix: str = "") -> list[str]:
        paths = (path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file())
        return sorted(key for key in paths if key.startswith(prefix) and not key.rpartition("/")[2].startswith("."))

    def versions(self, key: str, limit: int = 100) -> list[Version]:
        try:
            status = self._path(key).stat()
        except FileNotFoundError:
            return []
        modified = datetime.fromtimestamp(status.st_mtime, UTC)
        return [Version(CURRENT, modified, status.st_size, latest=True)]

    def read_version(self, key: str, version_id: str) -> bytes:
        stored = self.read(key)
        if stored.body is None or version_id != CURRENT:
            raise StateError(f"{self.place(key)} has no version {version_id!r}: a local folder keeps none")
        return stored.body

    def written(self, key: str, version_id: str) -> Written:
        return Written(self.read_version(key, version_id))

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if any(part in ("", ".", "..") for part in parts):
            raise StateError(f"{key!r} is no key of a document")
        return self._folder.joinpath(*parts)

    def _compare(self, key: str, after: Stored) -> None:
        if self.read(key).tag != after.tag:
            raise conflict(self.place(key))

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """One writer at a time; the system lets go when the process ends, however it ends."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @staticmethod
    def _replace(path: Path, body: bytes) -> None:
        """Whole or not at all, also when the power goes."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(body)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def conflict(place: str) -> StateConflict:
    return StateConflict(
        f"{place} was written by somebody else since this run read it; nothing was overwritten. Run again."
    )


def _explained(error: OSError, doing: str) -> StateError:
    return StateError(f"cannot {doing}: {error.strerror or error}")
