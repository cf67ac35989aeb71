# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking resources out of the memory without deleting them, as Terraform's `state rm` does."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.homes import Found, State, found_in
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.mending import outputs_of_hosts
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.digests import digest_of
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry, Memory

Progress = Callable[[str], None]
Entries = Mapping[Address, Entry]


@dataclass(frozen=True)
class Forgetting:
    """What is to be forgotten of one layer, and the documents to write, the memory last."""

    found: Found
    going: Entries
    staying: Entries
    writes: Sequence[tuple[Found, Document]]


def forget(state: State, params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Take addresses out of the memories of their layers, under the locks of these; AWS is left as it is."""
    asked = _asked(params)
    memories = _memories(state, params["layer"])
    by_layer = _by_layer(asked, memories)
    if check_mode:
        return _result([_planned(state, memories[layer], addresses) for layer, addresses in by_layer.items()], memories)
    operation = f"forget {', '.join(asked)}" if len(asked) < 3 else f"forget {len(asked)} resources"
    with ExitStack() as stack:
        for layer in sorted(by_layer, key=lambda name: memories[name].target.key):
            found = memories[layer]
            found.home.for_operation(operation)
            stack.enter_context(found.home.lock(found.target.lock_key).held(operation, state.lock_timeout, progress))
        memories, before = _memories(state, params["layer"]), {layer: memories[layer].place for layer in by_layer}
        by_layer = _by_layer(asked, memories)
        if {layer: memories[layer].place for layer in by_layer} != before:
            raise StateError(
                "what is to be forgotten was taken elsewhere in the meantime; nothing was written: run again"
            )
        planned = [_planned(state, memories[layer], addresses) for layer, addresses in by_layer.items()]
        for found, following in (write for item in planned for write in item.writes):
            found.home.store.write(found.target.key, document.render(following), found.stored)
    return _result(planned, memories)


def _asked(params: Mapping[str, Any]) -> list[str]:
    asked = list(dict.fromkeys(params["addresses"] or ()))
    if not asked:
        raise StateError(
            "forget needs the addresses (kind/name) of what is to go: -e state_addresses=<address>,<address>, "
            "as state_action=show lists them"
        )
    if params["host"] or params["key"]:
        raise StateError("forget finds things by their addresses: leave out state_host and state_key")
    return asked


def _memories(state: State, layer: str | None) -> dict[str, Found]:
    """The memories of one layer or of all, by layer. What was not moved into the bucket yet counts."""
    found: dict[str, Found] = {}
    homes = state.keys()
    for home, keys in homes:
        targets = [target for key in keys if (target := state.target_of(key)).layer and not target.host]
        wanted = [target for target in targets if layer in (None, target.layer)]
        found.update({item.target.layer: item for item in found_in(home, wanted)})
    return found


def _by_layer(asked: Sequence[str], memories: Mapping[str, Found]) -> dict[str, list[Address]]:
    """The layer of each address. Raises with all that no memory has."""
    known = {str(address): (layer, address) for layer, found in memories.items() for address in _entries(found)}
    unknown = [f"{text!r} is not remembered{_hint(text, known)}" for text in asked if text not in known]
    if unknown:
        unreadable = [found.problem for found in memories.values() if found.problem]
        where = f"the layer {next(iter(memories))!r}" if len(memories) == 1 else "any layer"
        listed = "\n".join(f"  - {text}" for text in (*unknown, *unreadable))
        raise StateError(f"nothing was forgotten; looked for in the memory of {where}:\n{listed}")
    result: dict[str, list[Address]] = {}
    for text in asked:
        layer, address = known[text]
        result.setdefault(layer, []).append(address)
    return result


def _hint(text: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _entries(found: Found) -> Entries:
    memory = found.document.memory if found.document else None
    return memory.resources if memory else {}


def _planned(state: State, found: Found, addresses: Sequence[Address]) -> Forgetting:
    memory = found.document.memory if found.document else None
    if memory is None or found.document is None:
        raise StateError(f"{found.place} remembers nothing")
    document.check_owner(found.document, state.environment, found.target.layer, found.place)
    if found.warning:
        raise StateError(f"{found.place} {found.warning}. Put it right with state_action=restore first")
    going = {address: memory.resources[address] for address in addresses}
    staying = {address: entry for address, entry in memory.resources.items() if address not in going}
    following = replace(memory, resources=staying)
    outputs = outputs_of_hosts(state, found.home, found.target, following)
    return Forgetting(found, going, staying, [*outputs, *_memory_after(found, following, outputs)])


def _memory_after(
    found: Found, memory: Memory, outputs: Sequence[tuple[Found, Document]]
) -> list[tuple[Found, Document]]:
    """It knows the digests of the outputs, so that the next run need not read them."""
    written = {item.target.host: digest_of(document.render(following)) for item, following in outputs}
    whole = replace(memory, outputs={**memory.outputs, **written})
    following = document.successor(found.document, memory=whole)
    return [(found, following)] if following is not None else []


def _result(planned: Sequence[Forgetting], memories: Mapping[str, Found]) -> dict[str, Any]:
    gone = {address for item in planned for address in item.going}
    users = {
        address: entry
        for found in memories.values()
        for address, entry in _entries(found).items()
        if address not in gone
    }
    return {
        "changed": True,
        "forgotten": [
            {
                "address": str(address),
                "layer": item.found.target.layer,
                "host": entry.host,
                "id": str(entry.attributes.get("id") or ""),
                "needed_by": sorted(str(user) for user, its in users.items() if address in its.needs),
            }
            for item in planned
            for address, entry in item.going.items()
        ],
        "written": [found.place for item in planned for found, _following in item.writes],
        "diff": [_diff(item) for item in planned],
    }


def _diff(item: Forgetting) -> dict[str, str]:
    """Addresses alone: what was applied may be secret."""
    before = sorted(map(str, (*item.going, *item.staying)))
    return {
        "before_header": item.found.place,
        "after_header": item.found.place,
        "before": "".join(f"{address}\n" for address in before),
        "after": "".join(f"{address}\n" for address in sorted(map(str, item.staying))),
    }
