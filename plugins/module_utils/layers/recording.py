# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that remember: documents are read with the plan, and written under their locks where something is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from posixpath import commonprefix, dirname
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.layers.remote_state import VARIABLE, RemoteState
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.executor import Outcome
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import DELETE, Address
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan
from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS
from ansible_collections.dockyard.aws.plugins.module_utils.state import document, remembering
from ansible_collections.dockyard.aws.plugins.module_utils.state.digests import digest_of
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import ImportRefused, NotThere, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock import Lock
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_places import LocalLock
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Memory
from ansible_collections.dockyard.aws.plugins.module_utils.state.migration import migrate, was_moved
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Place
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import LocalStore, Store, Stored

Apply = Callable[[Mapping[Address, Mapping[str, Any]]], Outcome]


@dataclass
class Documents:
    """What was read, by what it stands for: travels with the plan.

    local: all lay in the folder, as there was no bucket. left_behind: there is one, and some lay in the folder still.
    of_terraform: states of stacks that Terraform still manages, at keys where documents belong; with what is in them.
    """

    stored: dict[Place, Stored] = field(default_factory=dict)
    parsed: dict[Place, Document | None] = field(default_factory=dict)
    local: bool = False
    left_behind: bool = False
    of_terraform: dict[str, Document] = field(default_factory=dict)

    def memory(self, environment: str, layer: str) -> Memory:
        found = self.parsed.get(Place(layer))
        return (found.memory if found else None) or Memory(environment, layer)

    def memories(self) -> Iterator[tuple[str, Memory]]:
        """What was read of the layers' memories, with the layer of each."""
        for place, found in self.parsed.items():
            if found is not None and found.memory is not None and not place.host:
                yield place.layer, found.memory

    def layers(self) -> set[str]:
        """The layers whose memory was read."""
        return {layer for layer, _memory in self.memories()}

    def last_applied(self) -> dict[Address, dict[str, Any]]:
        return remembering.last_applied(found.memory for found in self.parsed.values() if found is not None)

    def warnings(self) -> list[str]:
        return [
            *(stored.warning for stored in self.stored.values() if stored.warning),
            *(_of_terraform(place, found) for place, found in self.of_terraform.items()),
        ]

    def same_as(self, other: Documents, layers: Collection[str]) -> bool:
        """Whether nobody has written in these layers since."""
        tags, others = self._tags(layers), other._tags(layers)
        return all(tags.get(place, "") == others.get(place, "") for place in tags.keys() | others.keys())

    def _tags(self, layers: Collection[str]) -> dict[Place, str]:
        return {place: stored.tag for place, stored in self.stored.items() if place.layer in layers}


@dataclass(frozen=True)
class _Home:
    """Where documents are kept at the moment."""

    store: Store
    lock: Callable[[str], Lock]
    local: bool


class Recorder:
    """Reads and writes the documents of an environment."""

    def __init__(
        self, setting: RemoteState, aws: Aws, environment: str, progress: Callable[[str], None] = lambda line: None
    ) -> None:
        self._setting = setting
        self._paths = setting.paths
        self._environment = environment
        self._progress = progress
        folder = setting.folder
        self._s3 = setting.backend.store(aws)
        self._bucket = _Home(self._s3, lambda key: setting.backend.lock(aws, key), local=False)
        bare = replace(setting.backend, table=None, use_lockfile=True)
        self._bare = bare.store(aws)
        self._tableless = _Home(self._bare, lambda key: bare.lock(aws, key), local=False)
        self._folder = _Home(
            LocalStore(folder), lambda key: Lock([LocalLock(folder, key)], str(folder / key)), local=True
        )

    def read(self, hosts_of: Mapping[str, Iterable[str]], outputs: bool = True) -> Documents:
        """The documents of layers and of their hosts, without a lock. What is not moved yet is read where it lies.

        outputs: also those of hosts that only the memory knows.
        """
        try:
            documents = self._read_from_bucket(hosts_of, outputs)
        except NotThere:
            return self._read_from(self._folder, hosts_of, outputs)
        if self._left_behind():
            documents.left_behind = True
            left = self._read_from(self._folder, hosts_of, outputs)
            for place, found in left.parsed.items():
                if found is not None:
                    documents.parsed[place], documents.stored[place] = found, left.stored[place]
        return documents

    def place(self, layer: str, documents: Documents) -> str:
        """Where the memory of a layer is kept at the moment, as people read it."""
        home = self._folder if documents.local else self._bucket
        return home.store.place(self._paths.memory(layer))

    def to_write(self, plan: Plan, layer: str, documents: Documents) -> bool:
        """Whether a layer's documents are not as they should be."""
        behind = any(stored.digest_behind for place, stored in documents.stored.items() if place.layer == layer)
        return documents.left_behind or behind or bool(self._successors(plan, layer, documents))

    def record(
        self, plan: Plan, layers: Sequence[str], hosts_of: Mapping[str, Iterable[str]], documents: Documents
    ) -> str:
        """Bring the documents of layers with nothing to do up to date; what hindered it, where something did."""
        try:
            with self._open(layers, hosts_of, documents, "record what exists", self._bucket) as (home, now):
                if now.same_as(documents, layers):
                    self._write_next(home, plan, layers, now)
                self._take_over(documents, now, home)
            self._move(documents)
        except ReconcileError as error:
            return f"The state was not brought up to date, and nothing else is to be done: {error}"
        return ""

    def apply(
        self,
        plan: Plan,
        layers: Sequence[str],
        hosts_of: Mapping[str, Iterable[str]],
        documents: Documents,
        apply: Apply,
    ) -> tuple[Outcome, str]:
        """Carry out a part of a plan under the locks of its layers; and what went wrong with the state."""
        outcome, applied = Outcome(), False
        operation = f"{plan.removal.reason if plan.absent else 'apply'} {', '.join(layers)}"
        try:
            in_bucket = not documents.local and not documents.left_behind
            home = self._tableless if in_bucket and self._lacks_table(plan, layers) else self._bucket
            with self._open(layers, hosts_of, documents, operation, home) as (home, now):
                moved = not now.same_as(documents, layers)
                earlier = {change.address for change in plan.changes if change.done}
                self._write_intended(home, plan, layers, now)
                try:
                    outcome, applied = apply(now.last_applied()), True
                except BaseException:
                    self._write_what_was_done(home, plan, layers, now, earlier)
                    raise
                self._write_next(home, _only_done(plan, earlier) if moved else plan, layers, now)
                self._take_over(documents, now, home)
            self._move(documents)
        except NotThere as error:
            # The state's own bucket and table go last, and what they remembered goes with them.
            return outcome, "" if any(change.action == DELETE for change in outcome.done) else str(error)
        except ReconcileError as error:
            # What was done is told also where AWS then refused to let it be written down, or the lock be given back.
            if not applied and not isinstance(error, StateError):
                raise
            return outcome, str(error)
        return outcome, ""

    @contextmanager
    def _open(
        self,
        layers: Sequence[str],
        hosts_of: Mapping[str, Iterable[str]],
        planned: Documents,
        operation: str,
        home: _Home,
    ) -> Iterator[tuple[_Home, Documents]]:
        """Hold the locks of layers, in a fixed order, and read their documents again."""
        self._s3.operation = self._bare.operation = operation
        self._move(planned)
        wanted = {layer: hosts_of.get(layer, ()) for layer in layers}
        with ExitStack() as stack:
            try:
                self._hold(stack, home, layers, operation)
                now = self._read_from(home, wanted)
            except NotThere as error:
                known = any(stored.body is not None for stored in planned.stored.values())
                if known and not planned.local and not planned.left_behind:
                    raise
                self._refuse_two_places(error)
                stack.close()
                self._protect_folder()
                home = self._folder
                self._hold(stack, home, layers, operation)
                now = self._read_from(home, wanted)
            self._refuse_vanished(planned, now)
            yield home, now

    def _lacks_table(self, plan: Plan, layers: Collection[str]) -> bool:
        """Whether these layers are to make the lock table, or to destroy it, and it is not there to lock in."""
        table = Address("dynamodb_table", self._setting.backend.table or "")
        if table not in plan.resources or plan.resources[table].layer not in layers:
            return False
        return table not in plan.observed and not any(item.done for item in plan.changes if item.address == table)

    def _refuse_two_places(self, error: NotThere) -> None:
        """A bucket that has documents keeps all of them: a folder would be a second place that others do not see."""
        try:
            keys = self._bucket.store.keys(f"{self._paths.prefix}/" if self._paths.prefix else "")
        except NotThere:
            return
        if any(self._paths.place_of(key) for key in keys):
            raise NotThere(
                f"{error}. The bucket has documents of this environment already, so none are kept elsewhere: correct "
                "lock_table in dockyard_remote_state, or let the layer state_bucket make the table first"
            ) from error

    @staticmethod
    def _refuse_vanished(planned: Documents, now: Documents) -> None:
        """What was there when the plan was made and is gone was taken elsewhere, where others write it by now."""
        for place, stored in now.stored.items():
            before = planned.stored.get(place, Stored())
            if not place.host and stored.body is None and before.body is not None:
                raise StateError(
                    f"the document of the layer {place.layer!r} was there when this run planned and is gone: it was "
                    "deleted, or the state was migrated. Nothing was changed: see whether dockyard_remote_state still "
                    "names the right place, and run again"
                )

    def _hold(self, stack: ExitStack, home: _Home, layers: Iterable[str], operation: str) -> None:
        for key in sorted(self._paths.memory(layer) for layer in layers):
            lock = home.lock(key)
            stack.enter_context(lock.held(operation, self._setting.lock_timeout, self._progress))

    def _read_from_bucket(self, hosts_of: Mapping[str, Iterable[str]], outputs: bool) -> Documents:
        """The memories that one listing tells of; of the outputs only those that are not as the memory says."""
        documents = Documents()
        prefix = commonprefix([f"{dirname(self._paths.memory(layer))}/" for layer in hosts_of])
        tags = self._s3.tags(prefix)
        self._read_places(self._bucket, [Place(layer) for layer in hosts_of], documents, tags)
        places = {Place(layer, host) for layer, hosts in hosts_of.items() for host in hosts}
        places |= set(_remembered(documents) if outputs else ())
        unknown = [place for place in sorted(places) if not self._known(place, tags, documents)]
        self._read_places(self._bucket, unknown, documents)
        return documents

    def _known(self, place: Place, tags: Mapping[str, str] | None, documents: Documents) -> bool:
        """Whether an outputs document is known without reading it: it is not there, or as written last."""
        memory = documents.memory(self._environment, place.layer)
        tag = None if tags is None else tags.get(self._paths.of(place), "")
        if tag == "":
            documents.stored[place], documents.parsed[place] = Stored(), None
            return True
        if not tag or tag.strip('"') != memory.outputs.get(place.host):
            return False
        ours = Memory(self._environment, *place)
        documents.stored[place] = Stored(tag=tag)
        documents.parsed[place] = Document("", 0, outputs_of(memory, place.host), ours)
        return True

    def _read_from(self, home: _Home, hosts_of: Mapping[str, Iterable[str]], outputs: bool = True) -> Documents:
        places = [Place(layer, host) for layer, hosts in hosts_of.items() for host in ("", *sorted(set(hosts)))]
        documents = Documents(local=home.local)
        self._read_places(home, places, documents)
        remembered = _remembered(documents) if outputs else []
        self._read_places(home, [place for place in remembered if place not in documents.parsed], documents)
        return documents

    def _read_places(
        self, home: _Home, places: Sequence[Place], documents: Documents, there: Container[str] | None = None
    ) -> None:
        keys = {place: self._paths.of(place) for place in places}
        found = home.store.read_many(list(keys.values()), there) if keys else {}
        for place, key in keys.items():
            stored, named = found[key], home.store.place(key)
            parsed = None if stored.body is None else document.parse(stored.body, named)
            if parsed is not None:
                document.check_owner(parsed, self._environment, place.layer, named)
                if parsed.memory is None and parsed.resources:
                    documents.of_terraform[named] = parsed
            documents.stored[place], documents.parsed[place] = stored, parsed

    def _write_intended(self, home: _Home, plan: Plan, layers: Sequence[str], now: Documents) -> None:
        for layer in layers:
            memory = remembering.intended(now.memory(self._environment, layer), plan, layer, canonical)
            place = Place(layer)
            following = document.successor(now.parsed.get(place), memory=memory)
            if following is not None:
                self._write(home, place, following, now)

    def _write_what_was_done(
        self, home: _Home, plan: Plan, layers: Sequence[str], now: Documents, earlier: Collection[Address]
    ) -> None:
        """As far as it goes: what ended the run is the error to be seen."""
        try:
            self._write_next(home, _only_done(plan, earlier), layers, now)
        except Exception:
            return

    def _write_next(self, home: _Home, plan: Plan, layers: Sequence[str], now: Documents) -> None:
        for layer in layers:
            for place, following in self._successors(plan, layer, now).items():
                self._write(home, place, following, now)
        for place, stored in now.stored.items():
            if stored.digest_behind and place.layer in layers:
                self._s3.record_digest(self._paths.of(place), stored)
                now.stored[place] = replace(stored, digest_behind=False, warning="")

    def _write(self, home: _Home, place: Place, following: Document, now: Documents) -> None:
        key = self._paths.of(place)
        now.stored[place] = home.store.write(key, document.render(following), now.stored[place])
        now.parsed[place] = following

    def _successors(self, plan: Plan, layer: str, now: Documents) -> dict[Place, Document]:
        """The documents to write, the memory last: where it is as it should be, the outputs were written."""
        memory = remembering.next_memory(now.memory(self._environment, layer), plan, layer, canonical)
        places = {place for place in now.parsed if place.layer == layer and place.host}
        places |= {Place(layer, entry.host) for entry in memory.resources.values() if entry.host}
        found = {}
        for place in sorted(places):
            now.stored.setdefault(place, Stored())
            ours = Memory(self._environment, layer, place.host)
            following = document.successor(now.parsed.get(place), outputs_of(memory, place.host), ours)
            if following is not None:
                found[place] = following
        written = {place.host: digest_of(body) for place in places if (body := _body(place, found, now)) is not None}
        memory = replace(memory, outputs={**memory.outputs, **written})
        following = document.successor(now.parsed.get(Place(layer)), memory=memory)
        return found if following is None else {**found, Place(layer): following}

    @staticmethod
    def _take_over(documents: Documents, now: Documents, home: _Home) -> None:
        documents.stored.update(now.stored)
        documents.parsed.update(now.parsed)
        documents.local = home.local

    def _left_behind(self) -> dict[str, list[str]]:
        """The keys of what lies in the folder, by layer."""
        found: dict[str, list[str]] = {}
        for key in self._folder.store.keys() if self._setting.folder.is_dir() else ():
            if (place := self._paths.place_of(key)) is not None:
                found.setdefault(place.layer, []).append(key)
        return found

    def _move(self, documents: Documents) -> None:
        """Move what lies in the folder into the bucket, under the locks of both, once bucket and table exist."""
        left = self._left_behind()
        try:
            for layer, keys in left.items():
                with ExitStack() as stack:
                    for home in (self._folder, self._bucket):
                        self._hold(stack, home, [layer], "move the state into the bucket")
                    self._move_keys(keys, documents)
        except NotThere:
            return
        if left:
            documents.local = documents.left_behind = False
            self._progress(f"the state was moved from {self._setting.folder} to s3://{self._setting.backend.bucket}")

    def _move_keys(self, keys: Iterable[str], documents: Documents) -> None:
        source, target = self._folder.store, self._bucket.store
        for key in keys:
            self._check_left(key)
            try:
                migrate(source, key, target, key)
            except ImportRefused as error:
                if not was_moved(source, key, target, key):
                    hint = f"Where that in the bucket is right, remove {source.place(key)}."
                    raise ImportRefused(
                        f"{str(error).replace(document.FORCE, document.FORCE_MIGRATION)} {hint}"
                    ) from error
            source.delete(key, source.read(key))
            if (place := self._paths.place_of(key)) is not None:
                documents.stored[place] = target.read(key)

    def _check_left(self, key: str) -> None:
        """The inventories of several environments may lie in one folder."""
        place, stored, named = self._paths.place_of(key), self._folder.store.read(key), self._folder.store.place(key)
        if place is not None and stored.body is not None:
            document.check_owner(document.parse(stored.body, named), self._environment, place.layer, named)

    def _protect_folder(self) -> None:
        folder = self._setting.folder
        try:
            for path in (folder.parent, folder):
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise StateError(f"cannot keep the state in {folder} until there is a bucket: {error.strerror}") from error


def _of_terraform(place: str, found: Document) -> str:
    """Terraform would find its resources again, and nobody its outputs."""
    lost = f" in place of {', '.join(sorted(found.outputs))}" if found.outputs else ""
    return (
        f"{place} is a state of Terraform with {len(found.resources)} resources. A run writes outputs of its own into "
        f"it{lost}: give documents a place of their own with {VARIABLE}.prefix until Terraform has let go"
    )


def _remembered(documents: Documents) -> list[Place]:
    """The outputs documents of all hosts that are in the memories that were read."""
    memories = [found.memory for found in documents.parsed.values() if found is not None and found.memory is not None]
    places = [Place(memory.layer, entry.host) for memory in memories for entry in memory.resources.values()]
    return [place for place in dict.fromkeys(places) if place.host]


def _body(place: Place, following: Mapping[Place, Document], now: Documents) -> bytes | None:
    """What lies at a place once what follows is written; None where it was not read, as it is known."""
    return document.render(following[place]) if place in following else now.stored[place].body


def outputs_of(memory: Memory, host: str) -> dict[str, Output]:
    """One output for each kind of thing that a host has: an object of its things' attributes by their names."""
    found: dict[str, dict[str, Any]] = {}
    for address, entry in memory.resources.items():
        if entry.host == host and entry.attributes and not entry.pending:
            found.setdefault(address.kind, {})[address.name] = dict(entry.attributes)
    return {kind: Output(things) for kind, things in found.items()}


def canonical(kind: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    return KINDS[kind].canonical(properties)


def not_recorded(outcome: Outcome, message: str, hosts: Collection[str]) -> None:
    """What went wrong with the state, as a failure of these hosts."""
    done = f"{len(outcome.done)} changes were made, but " if outcome.done else ""
    for host in hosts:
        outcome.fail(host, f"{done}{message}")


def _only_done(plan: Plan, earlier: Collection[Address]) -> Plan:
    """Only what was done just now: somebody else has written meanwhile, and knows better about all the rest."""
    return replace(plan, changes=[item for item in plan.changes if item.done and item.address not in earlier])
