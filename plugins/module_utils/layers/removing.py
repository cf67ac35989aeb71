# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run is to remove: by what the state remembers, or, where nothing remembers, by what is declared."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ansible_collections.dockyard.aws.plugins.module_utils.layers import names, remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.recording import Documents
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.removal import (
    DESTROY,
    NOTHING,
    PRUNE,
    Removal,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry
from ansible_collections.dockyard.aws.plugins.module_utils.state.remembering import resource_of

Found = TypeVar("Found")
# So many are named of hosts that nobody knows.
SOME_HOSTS = 5
Remembered = dict[Address, tuple[str, Entry]]


def check(params: Mapping[str, Any]) -> None:
    """Refuse to prune where it cannot be known what is declared no more."""
    if params.get("destroy_only") and params["state"] != "absent":
        raise PlanError(
            [Problem("", "destroy_only", "is for destroy.yml; to bring about what is declared, leave it out")]
        )
    if not params.get("prune"):
        return
    message = ""
    if params["state"] == "absent":
        message = "is for runs that bring about what is declared; destroy needs no prune"
    elif params.get("remote_state") is None:
        message = f"needs {remote_state.VARIABLE}: only the state knows what was declared before"
    elif not params.get("whole_inventory"):
        message = (
            "compares the state with the whole inventory, and this run has only a part of its hosts: leave --limit "
            "out; hosts that failed before the plan count as missing too"
        )
    if message:
        raise PlanError([Problem("", "prune", message)])


def check_place(params: Mapping[str, Any], environment: Environment, documents: Documents) -> None:
    """Refuse to remove where nothing of what is recorded can be: it would be taken for gone, and forgotten."""
    found = list(elsewhere(environment, documents))
    if found and (params["state"] == "absent" or params.get("prune")):
        raise PlanError([Problem("", remote_state.VARIABLE, text) for text in found])


def check_inventory(params: Mapping[str, Any], hosts: Collection[str], documents: Documents) -> None:
    """Refuse to prune what another inventory recorded: each would take the other's things for declared no more."""
    recorded = {entry.host for _layer, memory in documents.memories() for entry in memory.resources.values()} - {""}
    if not params.get("prune") or not recorded or not hosts or recorded & set(hosts):
        return
    some = ", ".join(sorted(recorded)[:SOME_HOSTS]) + (", …" if len(recorded) > SOME_HOSTS else "")
    message = (
        f"remembers only what the hosts {some} declared, and this inventory has none of them. If another inventory "
        f"uses the environment name {params['environment_name']!r} too, give each a name and state prefix of its own; "
        "if all hosts were renamed, run without prune first, which records what is declared under the new names"
    )
    raise PlanError([Problem("", remote_state.VARIABLE, message)])


def elsewhere(environment: Environment, documents: Documents) -> Iterator[str]:
    """What is wrong with account or region, going by the ARNs that are recorded."""
    arns = [
        str(entry.attributes["arn"]).split(":", 5)
        for _layer, memory in documents.memories()
        for entry in memory.resources.values()
        if str(entry.attributes.get("arn", "")).count(":") >= 5
    ]
    settings = (("region", 3, environment.region), ("account", 4, environment.account_id))
    for label, part, here in settings:
        there = sorted({arn[part] for arn in arns} - {""})
        if there and here not in there:
            yield (
                f"remembers things in the {label} {', '.join(there)}, and this run works in {here}: check aws_region, "
                "aws_account_id and the credentials, or give this one a state prefix of its own"
            )


def to_prune(
    params: Mapping[str, Any], layers: Collection[str], declared: Sequence[Resource], documents: Documents
) -> Removal:
    """What these layers recorded and declare no more. Held back unless the run is to prune."""
    if not params.get("whole_inventory"):
        return NOTHING
    present = {resource.address for resource in declared}
    remembered = dict(_remembered(documents, layers))
    others = dict(_remembered(documents, documents.layers() - set(layers)))
    going = {
        address: found
        for address, found in remembered.items()
        if address not in present and address not in others and found[0] in layers
    }
    if params.get("prune"):
        _refuse_unknown(going)
        _refuse_needed(going, others)
        staying = {
            *present,
            *(address for address, _found in _remembered(documents, documents.layers())),
        } - going.keys()
        _refuse_home(params, going, staying)
    return Removal(_resources(going), PRUNE, recorded=True, held_back=not params.get("prune"), known=_known(going))


def to_destroy(
    params: Mapping[str, Any], layers: Collection[str], hosts: Collection[str], documents: Documents
) -> Removal:
    """What these layers recorded: of all hosts, or of some; or just the addresses asked for."""
    everything = dict(_remembered(documents, documents.layers()))
    going = {
        address: found
        for address, found in everything.items()
        if found[0] in layers and (params.get("whole_inventory") or found[1].host in hosts)
    }
    going = _only(params, going)
    _refuse_unknown(going)
    _refuse_needed(going, {address: found for address, found in everything.items() if address not in going})
    _refuse_home(params, going, everything.keys() - going.keys())
    return Removal(_resources(going), DESTROY, recorded=True, known=_known(going))


def nothing_recorded(params: Mapping[str, Any], documents: Documents | None) -> list[Problem]:
    """A warning where destroy finds an empty state: that is not the same as an empty account."""
    if (
        params["state"] != "absent"
        or documents is None
        or any(memory.resources for _layer, memory in documents.memories())
    ):
        return []
    message = (
        "remembers nothing of this environment, so nothing is destroyed. If there is something: site.yml records what "
        "is declared (--tags state_bucket only the state's bucket, as where a destroy ended while deleting it), "
        "and drift.yml lists what carries the environment's tag"
    )
    return [Problem("", remote_state.VARIABLE, message)]


def to_destroy_declared(params: Mapping[str, Any], declared: Sequence[Resource]) -> Removal:
    """The same where nothing is recorded: what is declared and carries the ownership tag."""
    by_address = {resource.address: resource for resource in declared}
    return Removal(list(_only(params, by_address).values()), DESTROY)


def _only(params: Mapping[str, Any], going: dict[Address, Found]) -> dict[Address, Found]:
    asked = params.get("destroy_only")
    if asked is None:
        return going
    if not asked:
        message = "is empty: name what is to be destroyed (kind/name), or leave it out to destroy everything selected"
        raise PlanError([Problem("", "destroy_only", message)])
    known = {str(address): address for address in going}
    problems = []
    for text in asked:
        if text not in known:
            near = difflib.get_close_matches(text, known, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            message = f"{text!r} is not among what this run could destroy (kind/name){hint}"
            problems.append(Problem("", "destroy_only", message))
    if problems:
        raise PlanError(problems)
    return {known[text]: going[known[text]] for text in asked}


def _remembered(documents: Documents, layers: Iterable[str]) -> Iterator[tuple[Address, tuple[str, Entry]]]:
    zones = {
        entry.attributes["id"]: Ref(*address)
        for _layer, memory in documents.memories()
        for address, entry in memory.resources.items()
        if address.kind == names.ZONE and "id" in entry.attributes
    }
    for layer, memory in documents.memories():
        if layer in layers:
            yield from ((address, (layer, _in_its_zone(entry, zones))) for address, entry in memory.resources.items())


def _in_its_zone(entry: Entry, zones: Mapping[str, Ref]) -> Entry:
    """A record that was remembered by a run without its zone still has to go before it."""
    zone = zones.get(entry.attributes.get("zone_id", ""))
    if zone is None:
        return entry
    scope = {name: zone if ref.kind == names.ZONE_OF else ref for name, ref in entry.scope.items()}
    return replace(entry, scope=scope, needs=tuple(sorted({*entry.needs, zone.address})))


def _resources(going: Remembered) -> list[Resource]:
    return [resource_of(address, entry, layer) for address, (layer, entry) in going.items() if address.kind in KINDS]


def _refuse_unknown(going: Remembered) -> None:
    """What a later version of this collection recorded is not deleted by guesswork."""
    problems = [
        Problem(entry.host, entry.where, f"{address} is recorded, and this version of the collection has no such kind")
        for address, (_layer, entry) in going.items()
        if address.kind not in KINDS
    ]
    if problems:
        raise PlanError(problems)


def _refuse_needed(going: Remembered, staying: Remembered) -> None:
    """What stays must not lose what it needs: AWS would refuse half-way, or worse, would not."""
    problems = []
    for user, (layer, entry) in staying.items():
        for needed in entry.needs:
            if needed in going:
                owner = going[needed][1]
                whose = f"layer {layer}, host {entry.host}"
                message = f"{needed} cannot go, because {user} ({whose}) needs it and would stay: remove that as well"
                problems.append(Problem(owner.host, owner.where, message))
    if problems:
        raise PlanError(problems)


def _refuse_home(params: Mapping[str, Any], going: Remembered, staying: Collection[Address]) -> None:
    """The state does not go while it remembers something that stays: nobody would know of that any more."""
    setting = remote_state.of(params)
    if setting is None or not staying:
        return
    home = {Address("s3_bucket", setting.backend.bucket), Address("dynamodb_table", setting.backend.table or "")}
    first, *others = sorted(map(str, staying))
    rest = f"{first}{f' and {len(others)} more' if others else ''}"
    message = f"keeps the state ({remote_state.VARIABLE}) and goes only with everything else; {rest} would stay"
    entries = {address: going[address][1] for address in sorted(home & going.keys())}
    problems = [Problem(entry.host, entry.where, f"{address} {message}") for address, entry in entries.items()]
    if problems:
        raise PlanError(problems)


def _known(going: Remembered) -> dict[Address, Mapping[str, Any]]:
    """What tells things from namesakes; a pending one may never have been made."""
    return {address: entry.attributes for address, (_layer, entry) in going.items() if not entry.pending}
