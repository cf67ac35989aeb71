# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks of one document: taken in all their places or in none, waited for, released, broken.

    lock = backend.lock(aws, key)                       # or Lock([LocalLock(folder, key)], key)
    with lock.held("apply ecr", timeout=60, progress=display):
        …                                                # released at the end, also on exceptions

Places: DynamoDBLock (Terraform's dynamodb_table), S3Lock (its use_lockfile), LocalLock. Terraform and this collection
keep out of each other's way in the first two. A lock never expires by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from ansible_collections.dockyard.aws.plugins.module_utils.state import hints, lock_info
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import LockHeld, NoSuchLock
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_info import LockInfo

FIRST_DELAY = 1.0
LONGEST_DELAY = 16.0
# A wait says every so many seconds what it waits for.
HEARTBEAT_SECONDS = 4.0
# How often a lock that vanished while its holder was asked for is tried again at once.
VANISHED_ATTEMPTS = 5

Progress = Callable[[str], None]


class LockPlace(Protocol):
    """One place where a lock can lie. Texts are those of LockInfo; every change is conditional on them.

    removal: how to remove the lock without this collection.
    """

    where: str
    removal: str

    def take(self, text: str) -> str | None:
        """Put the lock there. None when it is ours now, otherwise the holder's text (empty where it is gone again)."""

    def holder(self) -> str | None:
        """The text of the lock that lies there, or None."""

    def release(self, text: str) -> bool:
        """Remove the lock if it is this one; False where it is another's, True where none is left."""


class Lock:
    """The lock of one document, in one place or in several. path: bucket/key, as Terraform names it."""

    def __init__(
        self,
        places: Sequence[LockPlace],
        path: str,
        version: str = lock_info.VERSION,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = tuple(places)
        self._path = path
        self._version = version
        self._wait = wait
        self._clock = clock
        self._mine: LockInfo | None = None

    @property
    def mine(self) -> LockInfo | None:
        """The lock that this process holds, if it does."""
        return self._mine

    @contextmanager
    def held(self, operation: str, timeout: float = 0.0, progress: Progress = lambda line: None) -> Iterator[LockInfo]:
        """Hold the lock for a while. What goes wrong at its release never hides what went wrong before."""
        try:
            yield self.acquire(operation, timeout, progress)
        except BaseException:
            try:
                self.release(progress)
            except Exception as error:
                progress(str(error))
            raise
        self.release(progress)

    def acquire(self, operation: str, timeout: float = 0.0, progress: Progress = lambda line: None) -> LockInfo:
        """Take the lock, waiting up to `timeout` seconds for others; raises LockHeld, which says who has it."""
        deadline, delay = self._clock() + timeout, FIRST_DELAY
        vanished = 0
        while True:
            info = lock_info.new(self._path, operation, version=self._version)
            refusal = self._take_all(info)
            if refusal is None:
                return info
            place, text = refusal
            left = deadline - self._clock()
            if not text and vanished < VANISHED_ATTEMPTS:
                vanished += 1
                continue
            if left <= 0:
                raise self._held_by_others(place, text)
            self._pause(min(delay, left), place, text, progress)
            delay = min(delay * 2, LONGEST_DELAY)

    def release(self, progress: Progress = lambda line: None) -> None:
        """Give the lock back, in reverse order; one that is not ours any more is left alone, and said."""
        info, self._mine = self._mine, None
        if info is None:
            return
        failure: Exception | None = None
        for place in reversed(self._places):
            try:
                if not place.release(info.as_text()):
                    progress(f"the lock of {self._path} in {place.where} was broken, and somebody else holds it now")
            except Exception as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def holders(self) -> dict[str, LockInfo]:
        """Who holds it, by place; empty where nobody does."""
        found = {place.where: place.holder() for place in self._places}
        return {where: lock_info.parse(text) for where, text in found.items() if text is not None}

    def force_unlock(self, lock_id: str) -> list[LockInfo]:
        """Break the lock with this id in every place where it lies, and return what was broken."""
        broken, others = [], []
        for place in reversed(self._places):
            text = place.holder()
            if text is None:
                continue
            info = lock_info.parse(text)
            if info.id == lock_id and place.release(text):
                broken.append(info)
            else:
                others.append(f"{place.where} has the lock {described(info)}")
        if broken:
            return broken
        found = "; ".join(others) or "nobody holds one"
        raise NoSuchLock(f"there is no lock with the id {lock_id!r} on {self._path}: {found}")

    def _take_all(self, info: LockInfo) -> tuple[LockPlace, str] | None:
        """All places or none. An interrupted call may have taken its place, so that is given back as well."""
        text, tried = info.as_text(), []
        try:
            for place in self._places:
                tried.append(place)
                holder = place.take(text)
                if holder is not None:
                    self._give_back(tried[:-1], text)
                    return place, holder
            self._mine = info
        except BaseException:
            self._give_back(tried, text)
            raise
        return None

    @staticmethod
    def _give_back(places: Sequence[LockPlace], text: str) -> None:
        """Best effort: what made this necessary is the error to be seen."""
        for place in reversed(places):
            try:
                place.release(text)
            except Exception:
                continue

    def _pause(self, seconds: float, place: LockPlace, text: str, progress: Progress) -> None:
        who = described(lock_info.parse(text)) if text else "unknown"
        while seconds > 0:
            progress(f"waiting for the lock of {self._path} in {place.where}, held by {who}")
            step = min(seconds, HEARTBEAT_SECONDS)
            self._wait(step)
            seconds -= step

    def _held_by_others(self, place: LockPlace, text: str) -> LockHeld:
        if not text:
            return LockHeld(f"{self._path} is locked again and again by others ({place.where}): set a lock_timeout")
        info = lock_info.parse(text)
        return LockHeld(
            f"{self._path} is locked in {place.where} by {described(info)}. Wait for it with lock_timeout. Only when "
            f"that run is certainly gone, remove lock {info.id}: {hints.unlock(info.id)}; or, where the playbook "
            f"cannot reach it, {place.removal}",
            (info,),
        )


def described(info: LockInfo) -> str:
    """Who, since when, what for, and the id."""
    age = lock_info.age(info)
    parts = [
        info.who or "unknown",
        f"since {info.created}" + (f" ({age})" if age else "") if info.created else "",
        f"for {info.operation}" if info.operation else "",
        f"with {info.version}" if info.version else "",
        f"({info.info})" if info.info else "",
        f"lock id {info.id}",
    ]
    return ", ".join(part for part in parts if part)
