# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where documents lie for those who look after them: a bucket with its locks, or a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.layers.remote_state import RemoteState
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.digests import Digests, digest_of
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import NotThere, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock import Lock
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_places import LocalLock
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import FOLDERS, LOCK_SUFFIX, Paths, Place
from ansible_collections.dockyard.aws.plugins.module_utils.state.s3_store import S3Store
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import LocalStore, Store, Stored

UNFIT = "does not fit its digest in the lock table: it was written past all locks, or its writer was killed"


@dataclass(frozen=True)
class Home:
    """One place of documents. store: checks digests and writes them. bare: reads also what does not fit its digest."""

    name: str
    store: Store
    bare: Store
    lock: Callable[[str], Lock]
    digests: Digests | None = None
    local: bool = False

    def for_operation(self, operation: str) -> None:
        """What the history is to say of the versions written from now on."""
        if isinstance(self.store, S3Store):
            self.store.operation = operation

    def digests_of(self, keys: Sequence[str]) -> dict[str, str]:
        return {} if self.digests is None else self.digests.get(keys)


def of_bucket(backend: Backend, aws: Aws) -> Home:
    bare = replace(backend, table=None, use_lockfile=True).store(aws)
    digests = Digests(aws, backend.table, backend.bucket, backend.region) if backend.table else None
    return Home(f"s3://{backend.bucket}", backend.store(aws), bare, lambda key: backend.lock(aws, key), digests)


def of_folder(folder: Path) -> Home:
    store = LocalStore(folder)
    return Home(str(folder), store, store, lambda key: Lock([LocalLock(folder, key)], str(folder / key)), local=True)


@dataclass(frozen=True)
class Target:
    """A document by its key; layer and host where it is one of this environment's."""

    key: str
    lock_key: str
    layer: str = ""
    host: str = ""

    @property
    def label(self) -> str:
        return " · ".join(part for part in (self.layer, self.host) if part) or self.key


@dataclass(frozen=True)
class Found:
    """A document as it was found. problem: why it cannot be read. warning: what is odd about it."""

    target: Target
    home: Home
    stored: Stored
    document: Document | None = None
    problem: str = ""
    warning: str = ""

    @property
    def place(self) -> str:
        return self.home.store.place(self.target.key)


@dataclass(frozen=True)
class State:
    """The state of an environment: its bucket, and the folder for as long as there is none."""

    environment: str
    paths: Paths
    bucket: Home
    folder: Home
    lock_timeout: int = 0
    layers: tuple[str, ...] = field(default=tuple(FOLDERS))

    @classmethod
    def of(cls, setting: RemoteState, aws: Aws, environment: str) -> State:
        bucket, folder = of_bucket(setting.backend, aws), of_folder(setting.folder)
        return cls(environment, setting.paths, bucket, folder, setting.lock_timeout)

    def target(self, layer: str | None, host: str | None, key: str | None) -> Target:
        """The document that is asked for, by layer and host or by its key."""
        if key:
            if layer or host:
                raise StateError("state_key names a document by itself: leave out state_layer and state_host")
            return self.target_of(_bare_key(key, self.bucket))
        if not layer:
            allowed = ", ".join(self.layers)
            raise StateError(
                f"which document? state_layer names a layer's ({allowed}), together with state_host the outputs of a "
                "host in it, and state_key any document of the bucket"
            )
        return self.target_of(self.paths.of(Place(layer, host or "")))

    def target_of(self, key: str) -> Target:
        """Outputs are written under the lock of their layer's memory."""
        place = self.paths.place_of(key)
        if place is None:
            return Target(key, key)
        return Target(key, self.paths.memory(place.layer), place.layer, place.host)

    def home_of(self, key: str) -> Home:
        """What was not moved into the bucket yet lies in the folder, and counts."""
        if self.folder.bare.read(key).body is not None:
            return self.folder
        try:
            self.bucket.bare.read(key)
        except NotThere:
            return self.folder
        return self.bucket

    def find(self, target: Target) -> Found:
        """The document, whether it can be read or not."""
        home = self.home_of(target.key)
        return found_in(home, [target])[0]

    def keys(self) -> list[tuple[Home, list[str]]]:
        """All keys below the prefix, by home, also those of locks; a bucket that does not exist is left out."""
        prefix = f"{self.paths.prefix}/" if self.paths.prefix else ""
        found = []
        for home in (self.bucket, self.folder):
            try:
                found.append((home, home.store.keys(prefix)))
            except NotThere:
                continue
        return found


def found_in(home: Home, targets: Sequence[Target]) -> list[Found]:
    """Documents of one home, read at once."""
    keys = [target.key for target in targets]
    stored, digests = home.bare.read_many(keys), home.digests_of(keys) if keys else {}
    return [_found(home, target, stored[target.key], digests.get(target.key, "")) for target in targets]


def is_lock(key: str) -> bool:
    return key.endswith(LOCK_SUFFIX)


def _found(home: Home, target: Target, stored: Stored, digest: str) -> Found:
    if stored.body is None:
        return Found(target, home, stored, warning="has a digest in the lock table and is not there" if digest else "")
    warning = UNFIT if digest and digest_of(stored.body) != digest else ""
    try:
        parsed = document.parse(stored.body, home.store.place(target.key))
    except StateError as error:
        return Found(target, home, stored, None, str(error), warning)
    return Found(target, home, stored, parsed, "", warning)


def _bare_key(key: str, bucket: Home) -> str:
    """A key, also where it was given as the URL that messages show."""
    if not key.startswith("s3://"):
        return key
    start = f"{bucket.name}/"
    if not key.startswith(start):
        raise StateError(f"state_key {key!r} is not in {bucket.name}, the bucket of dockyard_remote_state")
    return key.removeprefix(start)
