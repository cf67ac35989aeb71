# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking an environment's state to another place: folder, bucket, prefix, file name, kind of locks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.layers import remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.remote_state import RemoteState
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import homes
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.homes import Home, is_lock
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.digests import digest_of
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.migration import migrate as copy
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import FILE_NAME, FOLDERS, Paths, Place
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import Stored

OPERATION = "migrate the state"
# Progress is told after so many documents.
SOME = 20
SIDE_SPEC: dict[str, Any] = {
    "type": "dict",
    "options": {
        **{
            name: {key: value for key, value in option.items() if key != "required"}
            for name, option in remote_state.ARGUMENT_SPEC["options"].items()
            if name != "lock_timeout"
        },
        "folder": {"type": "path"},
        "profile": {"type": "str"},
    },
}
OF_BUCKETS = ("bucket", "lock_table", "lock", "encrypt", "kms_key_id", "bucket_owner", "region")
Progress = Callable[[str], None]
Connect: TypeAlias = "Callable[[str | None], Aws]"


@dataclass(frozen=True)
class Side:
    """One of both places. backend: None for a folder. aws: the way to it."""

    name: str
    home: Home
    paths: Paths
    backend: Backend | None = None
    aws: Aws | None = None

    @property
    def location(self) -> tuple[str, str, str]:
        return self.home.name, self.paths.prefix, self.paths.file_name

    def described(self, other: Side) -> str:
        """Where only the kind of locks changes, that is what tells both apart."""
        if self.backend is None or self.location != other.location:
            return self.name
        places = ["S3 objects"] if self.backend.use_lockfile else []
        places += [f"the table {self.backend.table}"] if self.backend.table else []
        return f"{self.name} with locks in {' and '.join(places)}"

    def setting(self) -> dict[str, Any] | None:
        """As dockyard_remote_state names it; a folder cannot be named there."""
        if self.backend is None:
            return None
        lock = "both" if self.backend.table and self.backend.use_lockfile else None
        found = {
            "bucket": self.backend.bucket,
            "lock_table": self.backend.table,
            "lock": lock if self.backend.table else "s3",
            "prefix": self.paths.prefix,
            "file_name": "" if self.paths.file_name == FILE_NAME else self.paths.file_name,
            "encrypt": self.backend.encrypt,
            "kms_key_id": self.backend.kms_key_id,
            "bucket_owner": self.backend.owner,
            "region": self.backend.region,
        }
        return {name: value for name, value in found.items() if value}


@dataclass
class Work:
    """What is to be done with each document. copies: place -> key at the source."""

    copies: dict[Place, str] = field(default_factory=dict)
    same: list[str] = field(default_factory=list)
    left: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def migrate(
    setting: RemoteState,
    environment: str,
    connect: Connect,
    params: Mapping[str, Any],
    check_mode: bool,
    progress: Progress,
) -> dict[str, Any]:
    """Copy all documents of an environment under the locks of both sides, and read each back."""
    source, target = _sides(setting, connect, params)
    with ExitStack() as stack:
        if not check_mode:
            _hold(stack, source, target, setting.lock_timeout, progress)
        work = _work(source, target, environment, params["migrate_force"])
        if work.refused:
            raise StateError("nothing was migrated:\n" + "\n".join(f"  - {text}" for text in work.refused))
        result = _described(source, target, setting, work)
        if check_mode:
            return result
        _copy(source, target, work, params["migrate_force"], progress)
        result["digests"] = _digests(source, target, params["migrate_delete_source"])
        if params["migrate_delete_source"]:
            result["deleted"] = _delete(source, target, work)
    changed = bool(result["copied"] or result["deleted"] or result["digests"])
    return {**result, "changed": changed}


def _sides(setting: RemoteState, connect: Connect, params: Mapping[str, Any]) -> tuple[Side, Side]:
    """Both places; the one that is not given is that of dockyard_remote_state."""
    given = {name: params[name] for name in ("migrate_from", "migrate_to")}
    if not any(given.values()):
        raise StateError(
            "migrate needs the other place: -e migrate_to='{\"bucket\": …}' or -e migrate_from='{\"folder\": …}', with "
            "the options of dockyard_remote_state; the one that is not given is dockyard_remote_state itself"
        )
    source, target = (_side(name, given[name], setting, connect, params) for name in given)
    if source.location == target.location and _locks(source) == _locks(target):
        raise StateError(f"migrate_from and migrate_to are the same place: {source.name}")
    return source, target


def _locks(side: Side) -> Backend | None:
    """The place of documents and locks alone: how new versions are encrypted is no other place."""
    return side.backend and replace(side.backend, encrypt=False, kms_key_id=None, owner=None)


def _side(
    name: str, given: Mapping[str, Any] | None, setting: RemoteState, connect: Connect, params: Mapping[str, Any]
) -> Side:
    if given is None:
        return _bucket_side(setting.backend, setting.paths, connect(None))
    try:
        paths = Paths(given.get("prefix") or "", given.get("file_name") or FILE_NAME)
    except StateError as error:
        raise StateError(f"{name}: {error}") from error
    if folder := given.get("folder"):
        wrong = [option for option in OF_BUCKETS if given.get(option)]
        if wrong:
            raise StateError(f"{name} is a folder and takes no {', '.join(wrong)}")
        path = Path(params.get("base_dir") or setting.folder.parents[1]) / folder
        return Side(str(path), homes.of_folder(path), paths)
    if not given.get("bucket"):
        raise StateError(f"{name} needs a folder or a bucket")
    if problems := remote_state.problems(given):
        raise StateError("; ".join(f"{name}: {text}" for text in problems))
    return _bucket_side(remote_state.backend(given), paths, connect(given.get("profile")))


def _bucket_side(backend: Backend, paths: Paths, aws: Aws) -> Side:
    name = "/".join(part for part in (f"s3://{backend.bucket}", paths.prefix) if part)
    return Side(name, homes.of_bucket(backend, aws), paths, backend, aws)


def _hold(stack: ExitStack, source: Side, target: Side, timeout: float, progress: Progress) -> None:
    """The locks of all layers of both sides, so that nobody writes into either meanwhile."""
    for side in (source, target):
        side.home.for_operation(OPERATION)
    for layer in _layers():
        stack.enter_context(source.home.lock(source.paths.memory(layer)).held(OPERATION, timeout, progress))
    locking = _other_locks(source, target)
    if locking is None:
        return
    for layer in _layers():
        stack.enter_context(locking.lock(target.paths.memory(layer)).held(OPERATION, timeout, progress))


def _layers() -> list[str]:
    """In the order in which every run takes locks: by key."""
    return sorted(FOLDERS, key=Paths().memory)


def _other_locks(source: Side, target: Side) -> Home | None:
    """Where only the kind of locks changes, those that both sides have are held already."""
    old, new = source.backend, target.backend
    if source.location != target.location or old is None or new is None or target.aws is None:
        return target.home
    table = None if new.table == old.table else new.table
    lockfile = new.use_lockfile and not old.use_lockfile
    if not table and not lockfile:
        return None
    return homes.of_bucket(replace(new, table=table, use_lockfile=lockfile), target.aws)


def _work(source: Side, target: Side, environment: str, force: bool) -> Work:
    work = Work()
    keys = [key for key in source.home.store.keys(_start(source.paths)) if not is_lock(key)]
    places = {key: place for key in keys if (place := source.paths.place_of(key)) is not None}
    work.left = [{"key": key, "why": "is no document of an environment"} for key in keys if key not in places]
    if source.location == target.location:
        work.same = list(places)
        return work
    there = target.home.bare.read_many([target.paths.of(place) for place in places.values()])
    for key, stored in source.home.store.read_many(list(places)).items():
        place = places[key]
        _plan_one(work, source, target, (key, stored), (place, there[target.paths.of(place)]), environment, force)
    return work


def _plan_one(
    work: Work,
    source: Side,
    target: Side,
    here: tuple[str, Stored],
    there: tuple[Place, Stored],
    environment: str,
    force: bool,
) -> None:
    (key, stored), (place, existing) = here, there
    body = stored.body or b""
    if body == existing.body:
        work.same.append(key)
        return
    name = target.home.store.place(target.paths.of(place))
    try:
        new = document.parse(body, source.home.store.place(key))
        if new.memory is not None and new.memory.environment != environment:
            why = f"belongs to the environment {new.memory.environment!r}"
            work.left.append({"key": key, "why": why})
            return
        old = None if existing.body is None or force else document.parse(existing.body, name)
        if old is not None:
            document.check_owner(old, environment, place.layer, name)
        document.check_import(new, old, name, force)
    except StateError as error:
        work.refused.append(str(error).replace(document.FORCE, "-e migrate_force=true puts"))
        return
    work.copies[place] = key


def _start(paths: Paths) -> str:
    return f"{paths.prefix}/" if paths.prefix else ""


def _copy(source: Side, target: Side, work: Work, force: bool, progress: Progress) -> None:
    for number, (place, key) in enumerate(work.copies.items(), 1):
        new = target.paths.of(place)
        copy(source.home.store, key, target.home.store, new, force)
        if target.home.store.read(new).body != source.home.store.read(key).body:
            raise StateError(f"{target.home.store.place(new)} reads back other than it was written: run migrate again")
        if number % SOME == 0:
            progress(f"{number}/{len(work.copies)} documents copied")


def _digests(source: Side, target: Side, delete_source: bool) -> int:
    """Where the place stays and the table comes or goes, so do the digests."""
    if source.location != target.location:
        return 0
    old, new = source.home.digests, target.home.digests
    # Digests of another table may be left from earlier, when the locks were there before.
    same_table = bool(source.backend and target.backend and source.backend.table == target.backend.table)
    count = 0
    for key in source.home.store.keys(_start(source.paths)):
        if source.paths.place_of(key) is None:
            continue
        if new is not None and not same_table:
            body = source.home.store.read(key).body
            if body is not None and new.get([key]).get(key) != digest_of(body):
                new.put(key, body)
                count += 1
        if old is not None and new is None and delete_source and old.get([key]):
            old.delete(key)
            count += 1
    return count


def _delete(source: Side, target: Side, work: Work) -> list[str]:
    """Only what lies in the target just as it does here."""
    if source.location == target.location:
        return []
    deleted = []
    for key in [*work.copies.values(), *work.same]:
        place, stored = source.paths.place_of(key), source.home.store.read(key)
        if place is None or stored.body is None:
            continue
        if target.home.store.read(target.paths.of(place)).body == stored.body:
            source.home.store.delete(key, stored)
            deleted.append(source.home.store.place(key))
    return deleted


def _described(source: Side, target: Side, setting: RemoteState, work: Work) -> dict[str, Any]:
    now = Side("", target.home, setting.paths, setting.backend).setting()
    wanted = target.setting()
    if wanted is not None and setting.lock_timeout:
        wanted["lock_timeout"] = setting.lock_timeout
    return {
        "changed": bool(work.copies),
        "from": source.described(target),
        "to": target.described(source),
        "copied": [target.home.store.place(target.paths.of(place)) for place in work.copies],
        "same": [source.home.store.place(key) for key in work.same],
        "left": work.left,
        "deleted": [],
        "digests": 0,
        "setting": None if target.setting() == now else wanted,
    }
