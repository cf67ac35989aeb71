# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which resources depend on each other."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TypeVar

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Resource

Node = TypeVar("Node", bound=Hashable)


def dependencies(resources: Mapping[Address, Resource]) -> dict[Address, set[Address]]:
    """What each resource needs, among the given ones. A reference to itself orders nothing."""
    return {
        address: {ref.address for ref in resource.references() if ref.address in resources and ref.address != address}
        for address, resource in resources.items()
    }


def in_order(needs: Mapping[Address, set[Address]]) -> list[Address]:
    """Addresses, each after what it needs; otherwise in the order given."""
    position = {address: number for number, address in enumerate(needs)}
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = " -> ".join(str(address) for address in error.args[1])
        raise PlanError([Problem("", "", f"these resources need each other in a circle: {circle}")]) from error
    ordered: list[Address] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=position.__getitem__)
        ordered.extend(ready)
        sorter.done(*ready)
    return ordered


def without_circles(resources: Mapping[Address, Resource]) -> dict[Address, Resource]:
    """Things that were recorded at different times may need each other in a circle, and have to go all the same.

    Only what a thing lies in must go after it; of the rest, a circle loses as little as opens it.
    """
    found = dict(resources)
    while circle := _circle(dependencies(found)):
        for needed, user in pairwise(circle):
            fewer = tuple(ref for ref in found[user].depends_on if ref.address != needed)
            if fewer != found[user].depends_on:
                found[user] = replace(found[user], depends_on=fewer)
                break
        else:
            break
    return found


def _circle(needs: Mapping[Address, set[Address]]) -> list[Address]:
    """One circle, each before what needs it; empty where there is none."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        circle: list[Address] = error.args[1]
        return circle
    return []


def closure(start: Iterable[Node], needs: Mapping[Node, set[Node]]) -> set[Node]:
    """The given nodes and all that they need, directly or through others."""
    found: set[Node] = set()
    queue = list(start)
    while queue:
        node = queue.pop()
        if node not in found:
            found.add(node)
            queue.extend(needs.get(node, ()))
    return found
