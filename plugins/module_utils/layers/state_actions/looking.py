# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at the state without changing it: list, show, history, diff, locks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import comparing, versions
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.homes import (
    Found,
    Home,
    State,
    Target,
    found_in,
    is_lock,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.versions import Read
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import NotThere, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_info import LockInfo, age
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import LOCK_SUFFIX, Place

# How far back the last two versions that can be read are looked for.
NEAR = 10

Params = Mapping[str, Any]
Homes = Sequence[tuple[Home, list[str]]]


def list_documents(state: State, params: Params) -> dict[str, Any]:
    """The environment's documents, and the keys of what else lies there."""
    documents: list[dict[str, Any]] = []
    others: list[str] = []
    homes = state.keys()
    for home, keys in homes:
        targets = [state.target_of(key) for key in keys if not is_lock(key)]
        ours = [target for target in targets if target.layer and params["layer"] in (None, target.layer)]
        others += [home.store.place(target.key) for target in targets if not target.layer]
        documents += [_described(found) for found in found_in(home, ours)]
    order = {layer: number for number, layer in enumerate(state.layers)}
    documents.sort(key=lambda item: (order[item["layer"]], item["host"], item["place"]))
    return {"documents": documents, "others": others, "home": home_name(homes)}


def show(state: State, params: Params) -> dict[str, Any]:
    """One document: outputs without what is sensitive, and which resources it remembers."""
    target = state.target(params["layer"], params["host"], params["key"])
    if params["version"]:
        home = state.home_of(target.key)
        read = versions.named(home, target, params["version"])
        place, warning, document = home.store.place(target.key), "", read.document
        version: dict[str, Any] = {"version": read.as_result()}
    else:
        found = _existing(state.find(target))
        if found.problem:
            raise StateError(found.problem)
        place, warning, document, version = found.place, found.warning, found.document, {}
    return {**_contents(document, place, target.label, warning), **version}


def history(state: State, params: Params) -> dict[str, Any]:
    """The versions of one document, newest first."""
    target = state.target(params["layer"], params["host"], params["key"])
    home = state.home_of(target.key)
    found = versions.read_all(home, target, params["limit"])
    if not found:
        raise StateError(f"there never was a document at {home.store.place(target.key)}")
    return {
        "place": home.store.place(target.key),
        "label": target.label,
        "versions": [item.as_result() for item in found],
        "local": home.local,
    }


def diff(state: State, params: Params) -> dict[str, Any]:
    """What differs between two versions of one document; without their names, between the last two."""
    target = state.target(params["layer"], params["host"], params["key"])
    home = state.home_of(target.key)
    before, after = _two(home, params["versions"] or [], lambda name: versions.named(home, target, name), target)
    found = comparing.differences(before.document, after.document)
    place = home.store.place(target.key)
    headers = [f"{place} (serial {read.document.serial if read.document else 'none'})" for read in (before, after)]
    return {
        "place": place,
        "label": target.label,
        "before": before.as_result(),
        "after": after.as_result(),
        "differences": found,
        "diff": comparing.as_diff(found, *headers),
    }


def locks(state: State, params: Params) -> dict[str, Any]:
    """Who holds which lock, of the environment and of everything else below its prefix."""
    homes = state.keys()
    found = held(state, homes, params["key"])
    return {"locks": [_lock(key, where, info) for key, where, info in found], "home": home_name(homes)}


def held(state: State, homes: Homes, key: str | None) -> list[tuple[str, str, LockInfo]]:
    """All locks of documents, and that of one more key: (key, place, lock)."""
    wanted: list[tuple[Home, str]] = []
    for home, keys in homes:
        own = {state.paths.memory(layer) for layer in state.layers}
        own |= {name.removesuffix(LOCK_SUFFIX) for name in keys if is_lock(name)}
        own |= {name for name in keys if not is_lock(name) and not _is_outputs(state, name)}
        if key and not home.local:
            own.add(state.target(None, None, key).lock_key)
        wanted += [(home, name) for name in sorted(own)]
    found = each(lambda item: (item[1], holders(*item)), wanted)
    return [(name, where, info) for name, theirs in found for where, info in theirs.items()]


def lock_result(info: LockInfo) -> dict[str, Any]:
    return {
        "id": info.id,
        "who": info.who,
        "operation": info.operation,
        "info": info.info,
        "created": info.created,
        "age": age(info),
        "software": info.version,
    }


def holders(home: Home, key: str) -> dict[str, LockInfo]:
    """Who holds a document's lock; nobody where there is no bucket or table to lock it in."""
    try:
        return home.lock(key).holders()
    except NotThere:
        return {}


def _is_outputs(state: State, key: str) -> bool:
    place: Place | None = state.paths.place_of(key)
    return place is not None and bool(place.host)


def _lock(key: str, where: str, info: LockInfo) -> dict[str, Any]:
    return {"key": key, "place": where, **lock_result(info)}


def home_name(homes: Homes) -> str:
    """The bucket, or the folder where there is no bucket yet."""
    return homes[0][0].name


def _described(found: Found) -> dict[str, Any]:
    parsed = found.document
    return {
        "layer": found.target.layer,
        "host": found.target.host,
        "key": found.target.key,
        "place": found.place,
        "serial": parsed.serial if parsed else None,
        "lineage": parsed.lineage if parsed else "",
        "resources": versions.resources_in(parsed),
        "outputs": len(parsed.outputs) if parsed else 0,
        "size": len(found.stored.body or b""),
        "environment": parsed.memory.environment if parsed and parsed.memory else "",
        "local": found.home.local,
        "problem": found.problem,
        "warning": found.warning,
    }


def _existing(found: Found) -> Found:
    if found.stored.body is None:
        raise StateError(f"there is no document at {found.place}; state_action=list names those that there are")
    return found


def _contents(document: Document | None, place: str, label: str, warning: str) -> dict[str, Any]:
    found = document or Document("", 0)
    remembered = [
        {
            "address": str(address),
            "host": entry.host,
            "id": str(entry.attributes.get("id") or ""),
            "protect": entry.protect,
            "pending": entry.pending,
        }
        for address, entry in sorted((found.memory.resources if found.memory else {}).items())
    ]
    theirs = [
        {"address": address, "host": "", "id": str(values.get("id") or ""), "protect": False, "pending": ""}
        for address, values in sorted(comparing.terraform_resources(found).items())
    ]
    return {
        "place": place,
        "label": label,
        "warning": warning,
        "serial": found.serial,
        "lineage": found.lineage,
        "environment": found.memory.environment if found.memory else "",
        "terraform_version": found.terraform_version,
        "outputs": {
            name: {"value": comparing.shown_output(output), "sensitive": output.sensitive}
            for name, output in sorted(found.outputs.items())
        },
        "resources": remembered + theirs,
    }


def _two(home: Home, names: list[str], named: Callable[[str], Read], target: Target) -> tuple[Read, Read]:
    """The earlier and the later one, in the order in which they were named."""
    if len(names) > 2:
        raise StateError(f"state_versions takes two, got {len(names)}: {', '.join(names)}")
    if len(names) == 2:
        return named(names[0]), named(names[1])
    whole = [item for item in versions.read_all(home, target, NEAR) if item.document is not None]
    if not whole:
        raise StateError(f"there is no version of {home.store.place(target.key)} that can be read")
    if len(names) == 1:
        return named(names[0]), whole[0]
    if len(whole) < 2:
        reason = "a local folder keeps none" if home.local else "nothing to compare it with"
        raise StateError(f"{home.store.place(target.key)} has one version only: {reason}")
    return whole[1], whole[0]
