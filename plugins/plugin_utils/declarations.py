# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting declarations and settings from the inventory."""

from __future__ import annotations

import difflib
from collections import ChainMap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.parsing.vault import VaultHelper

from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem

# Option of the modules -> variable of the inventory. They hold for a whole run, so they are equal for all of its hosts.
SETTINGS = {
    "environment_name": "dockyard_environment",
    "account_id": "aws_account_id",
    "profiles": "aws_profiles",
    "region": "aws_region",
    "profile": "aws_profile",
    "tags": "dockyard_tags",
    "adopt": "dockyard_adopt",
    "ownership_tags": "dockyard_ownership_tags",
    "parallelism": "dockyard_parallelism",
    "remote_state": "dockyard_remote_state",
    "strict": "strict",
    "plan_file": "plan_file",
    "prune": "prune",
    "destroy_only": "destroy_only",
}
SIMILAR = 0.8


def plain(value: Any) -> Any:
    """A templated value as plain Python data, without ansible-core's own subclasses."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    for basic in (str, int, float):
        if isinstance(value, basic) and not isinstance(value, bool):
            return basic(value)
    return value


def vaulted(value: Any) -> Iterator[str]:
    """The texts in a nested value that come out of a vault."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from vaulted(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from vaulted(inner)
    elif isinstance(value, str) and VaultHelper.get_ciphertext(value, with_tags=False):
        yield str(value)


def collect(
    layers: Iterable[str], hosts: Iterable[str], hostvars: Mapping[str, Any], secrets: set[str]
) -> dict[str, dict[str, Any]]:
    """Layer -> host -> declaration, of the hosts that have one. What is vaulted in them is added to `secrets`."""
    declared: dict[str, dict[str, Any]] = {layer: {} for layer in layers}
    problems = []
    for host in hosts:
        variables = hostvars[host]
        problems += misspelt(host, variables)
        for layer, by_host in declared.items():
            if layer in variables:
                try:
                    value = variables[layer]
                    by_host[host] = plain(value)
                    secrets.update(vaulted(value))
                except Exception as error:
                    problems.append(Problem(host, layer, f"cannot be evaluated: {error}"))
    if problems:
        raise PlanError(problems)
    return declared


def closer(
    variables: Mapping[str, Any], template: Callable[[Any], Any], layers: Iterable[str] = LAYERS
) -> dict[str, Any]:
    """What the play, the role or the task sets of our variables. hostvars knows the inventory alone."""
    inventory = variables["hostvars"].raw_get(variables["inventory_hostname"])
    names = [name for name in (*layers, *SETTINGS.values()) if name in variables]
    return {name: template(variables[name]) for name in names if variables[name] != inventory.get(name)}


def with_closer(
    found: Mapping[str, Any], hosts: Sequence[str], hostvars: Mapping[str, Any], layers: Collection[str] = LAYERS
) -> Mapping[str, Any]:
    """hostvars with what is set closer to the task. Of several hosts each would declare the same: that is refused."""
    if not found:
        return hostvars
    if len(hosts) > 1 and (declared := [name for name in found if name in layers]):
        message = (
            f"is set by the play, the role or the task, and would be the declaration of each of {', '.join(hosts)}: "
            "set it in the inventory (host_vars), or run the play on one host"
        )
        raise PlanError([Problem("", name, message) for name in declared])
    return {host: ChainMap(dict(found), hostvars[host]) for host in hosts}


def folders(hosts: Iterable[str], hostvars: Mapping[str, Any]) -> dict[str, str]:
    """Host -> folder of the inventory that it comes from, which its relative paths start from."""
    found = {host: hostvars[host].get("inventory_dir") for host in hosts}
    return {host: str(folder) for host, folder in found.items() if folder}


def variable_folders(variables: Mapping[str, Any]) -> list[str]:
    """The folders with host_vars and group_vars, those that win first: the playbook's, then the last inventory's."""
    sources = [Path(source) for source in reversed(variables.get("ansible_inventory_sources") or ())]
    inventories = [str(path if path.is_dir() else path.parent) for path in sources if path.exists()]
    playbooks = [variables["playbook_dir"]] if variables.get("playbook_dir") else []
    return [*map(str, playbooks), *inventories]


def misspelt(host: str, variables: Mapping[str, Any]) -> list[Problem]:
    """Variables that look like a layer's, but for a slip of the finger: they would silently declare nothing."""
    problems = []
    for name in variables:
        if name in LAYERS or name.startswith(("ansible_", "aws_", "dockyard_")):
            continue
        close = difflib.get_close_matches(name, LAYERS, n=1, cutoff=SIMILAR)
        if close and isinstance(variables[name], Mapping):
            message = f"no layer has this variable; did you mean {close[0]!r}? Layers: {', '.join(LAYERS)}"
            problems.append(Problem(host, name, message))
    return problems


def settings(hosts: Iterable[str], hostvars: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the run; refuses hosts that disagree."""
    found: dict[str, Any] = {}
    first: dict[str, str] = {}
    problems = []
    for host in hosts:
        variables = hostvars[host]
        for option, variable in SETTINGS.items():
            if variable not in variables:
                continue
            try:
                value = plain(variables[variable])
            except Exception as error:
                problems.append(Problem(host, variable, f"cannot be evaluated: {error}"))
                continue
            if option in found and found[option] != value:
                other = f"{found[option]!r} on {first[option]}"
                message = f"is {value!r} here and {other}: it must be equal for all hosts of a run"
                problems.append(Problem(host, variable, message))
            found.setdefault(option, value)
            first.setdefault(option, host)
    if problems:
        raise PlanError(problems)
    return found
