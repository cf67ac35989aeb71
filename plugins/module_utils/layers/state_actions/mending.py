# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting the state right: an earlier version restored, a stale lock broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import recording
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import comparing, versions
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.homes import (
    Found,
    Home,
    State,
    Target,
    found_in,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.looking import (
    held,
    holders,
    lock_result,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.versions import Read
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import NoSuchLock, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock import described
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Memory
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Place

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Restoration:
    """What a restore comes to. following: the document to write; None where what is there says the same."""

    old: Read
    found: Found
    following: Document | None
    outputs: Sequence[tuple[Found, Document]] = ()

    def writes(self) -> list[tuple[Found, Document]]:
        """The memory last: where it is as it should be, the outputs were written."""
        return [*self.outputs, *([(self.found, self.following)] if self.following is not None else [])]


def restore(state: State, params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Write an earlier version as the next one, and what follows from it; AWS is left as it is."""
    target = state.target(params["layer"], params["host"], params["key"])
    if not params["version"]:
        raise StateError(
            "restore needs the version to restore: -e state_version=<id or serial>, as state_action=history lists them"
        )
    home = state.home_of(target.key)
    if check_mode:
        return _result(_planned(state, home, target, params["version"], params["force"]))
    operation = f"restore version {params['version']}"
    home.for_operation(operation)
    with home.lock(target.lock_key).held(operation, state.lock_timeout, progress):
        planned = _planned(state, home, target, params["version"], params["force"])
        for found, following in planned.writes():
            home.store.write(found.target.key, document.render(following), found.stored)
    return _result(planned)


def _planned(state: State, home: Home, target: Target, version: str, force: bool) -> Restoration:
    """The version, what is there now, and what is to be written."""
    old, found = versions.named(home, target, version), found_in(home, [target])[0]
    if old.document is None:
        raise StateError(f"version {version} of {found.place} cannot be read: {old.problem}")
    current, serial = found.document, 0
    if current is None:
        current, serial = _last_good(home, target)
    _check(state, target, old.document, current, found.place, force)
    following: Document | None = document.restored(old.document, current)
    if found.document is not None and not found.warning and document.same_content(old.document, found.document):
        following = None
    elif following is not None:
        following = replace(following, serial=max(following.serial, serial + 1))
    memory = old.document.memory if target.layer and not target.host else None
    outputs = outputs_of_hosts(state, home, target, memory) if memory is not None else []
    return Restoration(old, found, following, outputs)


def _last_good(home: Home, target: Target) -> tuple[Document | None, int]:
    """Where what is there cannot be read, or is gone: the newest version that can, and the highest serial."""
    good = [item.document for item in versions.read_all(home, target, versions.FAR) if item.document is not None]
    return (good[0], max(item.serial for item in good)) if good else (None, 0)


def _check(state: State, target: Target, old: Document, current: Document | None, place: str, force: bool) -> None:
    if target.layer:
        document.check_owner(old, state.environment, target.layer, f"that version of {place}")
        if current is not None:
            document.check_owner(current, state.environment, target.layer, place)
    if current is None or not _other_lineage(old, current):
        return
    differ = f"that version of {place} has the lineage {old.lineage!r}, and the document of today {current.lineage!r}"
    if not _same_owner(old, current):
        raise StateError(f"{differ}: they are states of different things. Nothing was written")
    if not force:
        raise StateError(
            f"{differ}: the document was made anew since, or they are states of different things. Nothing was written. "
            "Compare both with state_action=diff; -e state_force=true restores that version all the same, with the "
            "lineage of today and its next serial"
        )


def _other_lineage(old: Document, current: Document) -> bool:
    return bool(old.lineage and current.lineage) and old.lineage != current.lineage


def _same_owner(old: Document, current: Document) -> bool:
    """Nothing but an earlier memory takes the place of a memory; what Terraform wrote may be written over."""
    one, other = old.memory, current.memory
    if one is None or other is None:
        return other is None
    return (one.environment, one.layer, one.host) == (other.environment, other.layer, other.host)


def outputs_of_hosts(state: State, home: Home, target: Target, memory: Memory) -> list[tuple[Found, Document]]:
    """The outputs of all hosts of a layer as they follow from its memory, where they are not so already."""
    places = {Place(target.layer, entry.host) for entry in memory.resources.values() if entry.host}
    for key in home.store.keys(target.key.removesuffix(state.paths.file_name)):
        place = state.paths.place_of(key)
        if place is not None and place.host:
            places.add(place)
    targets = [state.target_of(state.paths.of(place)) for place in sorted(places)]
    following = [(found, _outputs_of(state, home, found, memory)) for found in found_in(home, targets)]
    return [(found, wanted) for found, wanted in following if wanted is not None]


def _outputs_of(state: State, home: Home, found: Found, memory: Memory) -> Document | None:
    ours = Memory(state.environment, memory.layer, found.target.host)
    outputs = recording.outputs_of(memory, found.target.host)
    if found.document is not None and not found.warning:
        return document.successor(found.document, outputs, ours)
    current, serial = _last_good(home, found.target)
    if current is None:
        return document.successor(None, outputs, ours)
    return replace(current, outputs=outputs, memory=ours, serial=serial + 1)


def _result(planned: Restoration) -> dict[str, Any]:
    found, following, before = planned.found, planned.following, planned.found.document
    changes = comparing.differences(before, following) if following is not None else []
    headers = (f"{found.place} (serial {before.serial if before else 'none'})", f"{found.place} (restored)")
    latest = following or before
    written = [document_found.place for document_found, _following in planned.writes()]
    return {
        "changed": bool(written),
        "place": found.place,
        "label": found.target.label,
        "restored": planned.old.as_result(),
        "serial": latest.serial if latest else None,
        "previous_serial": before.serial if before else None,
        "written": written,
        "differences": changes,
        "diff": comparing.as_diff(changes, *headers),
        "warning": found.warning or found.problem,
        "follows": bool(found.target.host),
    }


def unlock(state: State, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Break the lock with an id, wherever it lies, and say what it was."""
    lock_id = params["lock_id"]
    if not lock_id:
        raise StateError("unlock needs the id of the lock: -e lock_id=<id>; state_action=locks lists them")
    homes = state.keys()
    everything = held(state, homes, params["key"])
    found = [(key, where, info) for key, where, info in everything if info.id == lock_id]
    if not found:
        others = [f"{key} in {where}: {described(info)}" for key, where, info in everything]
        said = "held are:\n" + "\n".join(f"  - {text}" for text in others) if others else "nobody holds any lock"
        raise NoSuchLock(f"there is no lock with the id {lock_id!r}; {said}")
    if not check_mode:
        _break(homes, {key for key, _where, _info in found}, lock_id)
    broken = [{"key": key, "place": where, **lock_result(info)} for key, where, info in found]
    return {"changed": True, "broken": broken}


def _break(homes: Sequence[tuple[Home, list[str]]], keys: set[str], lock_id: str) -> None:
    for home, _all in homes:
        for key in sorted(keys):
            if any(info.id == lock_id for info in holders(home, key).values()):
                home.lock(key).force_unlock(lock_id)
