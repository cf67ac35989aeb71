# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong, or will not work as expected, with the layer `alb` in the light of everything declared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Address,
    Problem,
    Ref,
    Resource,
    references_in,
)

Declared = Mapping[Address, Resource]


def connect(declared: Declared) -> None:
    """Load balancers learn of their VPC: in another one they are made anew, while other subnets are an update."""
    for balancer in declared.values():
        if balancer.kind == "load_balancer":
            vpcs = [vpc for subnet in _subnets(balancer, declared) if (vpc := _vpc(subnet))]
            if vpcs:
                balancer.properties["VpcId"], balancer.derived = vpcs[0], ("VpcId",)


def problems(declared: Declared) -> Iterator[Problem]:
    """Subnets of one zone, groups of another VPC, ports that nothing listens on: as far as all of it is declared."""
    for resource in declared.values():
        if resource.kind == "load_balancer":
            yield from _zones(resource, declared)
        elif resource.kind == "listener_rule":
            yield from _listener_of_rule(resource, declared)
        if resource.kind in ("listener", "listener_rule"):
            yield from _vpcs(resource, declared)


def _subnets(balancer: Resource, declared: Declared) -> list[Resource]:
    refs = [item for item in balancer.properties["Subnets"] if isinstance(item, Ref)]
    return [declared[ref.address] for ref in refs if ref.address in declared]


def _zones(balancer: Resource, declared: Declared) -> Iterator[Problem]:
    by_zone: dict[str, list[str]] = defaultdict(list)
    for subnet in _subnets(balancer, declared):
        zone = subnet.properties.get("AvailabilityZone")
        if isinstance(zone, str):
            by_zone[zone].append(subnet.name)
    for zone, names in by_zone.items():
        if len(names) > 1:
            message = f"names {' and '.join(names)}, which are all in {zone}; AWS allows one subnet in each zone"
            yield Problem(balancer.host, f"{balancer.where}.subnets", message)


def _listener_of_rule(rule: Resource, declared: Declared) -> Iterator[Problem]:
    """A load balancer that is declared has the listeners that are declared with it, and later maybe no others."""
    listener = rule.scope["ListenerArn"]
    balancer = Address("load_balancer", listener.name.rsplit(":", 1)[0])
    if balancer in declared and listener.address not in declared:
        ports = sorted(
            int(name.rsplit(":", 1)[1])
            for kind, name in declared
            if kind == "listener" and name.startswith(f"{balancer.name}:")
        )
        has = f"it has {', '.join(str(port) for port in ports)}" if ports else "it has no listener"
        port = listener.name.rsplit(":", 1)[1]
        message = f"is {port}, but the load balancer {balancer.name!r} declares no listener on that port: {has}"
        yield Problem(rule.host, f"{rule.where}.port", message)


def _vpcs(user: Resource, declared: Declared) -> Iterator[Problem]:
    scope = list(user.scope.values())[0]
    balancer = Address("load_balancer", scope.name.rsplit(":", 1)[0] if user.kind == "listener_rule" else scope.name)
    if balancer not in declared:
        return
    own = {_name(vpc) for subnet in _subnets(declared[balancer], declared) if (vpc := _vpc(subnet))}
    for group in _groups(user, declared):
        theirs = _name(_vpc(group))
        if theirs and own and theirs not in own:
            message = (
                f"forwards to the target group {group.name!r} in the VPC {theirs!r}, "
                f"but the load balancer {balancer.name!r} is in {', '.join(sorted(own))!r}"
            )
            yield Problem(user.host, user.where, message)


def _groups(user: Resource, declared: Declared) -> list[Resource]:
    refs = [ref for ref in references_in(user.properties) if ref.kind == "target_group"]
    return [declared[ref.address] for ref in refs if ref.address in declared]


def _vpc(resource: Resource) -> Any:
    """The VPC that it lies in (a subnet) or names (a target group)."""
    return resource.scope.get("VpcId") or resource.properties.get("VpcId")


def _name(vpc: Any) -> str:
    return vpc.name if isinstance(vpc, Ref) else str(vpc or "")


def warnings(declared: Declared) -> Iterator[Problem]:
    """Target groups that get no requests."""
    used = {
        ref.name
        for resource in declared.values()
        if resource.kind in ("listener", "listener_rule")
        for ref in references_in(resource.properties)
        if ref.kind == "target_group"
    }
    for resource in declared.values():
        if resource.kind == "target_group" and resource.name not in used:
            message = "no declared listener or rule forwards to it, so it gets no requests and no health checks"
            yield Problem(resource.host, resource.where, message)
