# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether tasks on Fargate could reach Amazon ECR: without that, none of them starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs_services import FARGATE_PROVIDERS
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Resource

Declared = Mapping[Address, Resource]
Attributes = Mapping[Address, Mapping[str, Any]]

ANYWHERE = "0.0.0.0/0"
# Of kinds and ids: through an internet gateway go public addresses only, through a NAT device all others too.
INTERNET_GATEWAYS = ("internet_gateway", "igw-")
NAT_DEVICES = ("nat_gateway", "nat-", "i-", "eni-")
# What a task needs of ECR where nothing leads out: its API, its registry, and Amazon S3, where the layers lie.
NEEDED_ENDPOINTS = ("ecr.api", "ecr.dkr", "s3")


class Way(NamedTuple):
    """Where a subnet's default route leads to (a kind, or an id), and which VPC endpoints are there, if known."""

    target: str
    endpoints: tuple[str, ...] | None = None

    @property
    def public(self) -> bool:
        return self.target.startswith(INTERNET_GATEWAYS)

    @property
    def nat(self) -> bool:
        return self.target.startswith(NAT_DEVICES)

    def lacking(self) -> list[str]:
        """The endpoints that are not there."""
        there = self.endpoints or ()
        return [name for name in NEEDED_ENDPOINTS if not any(item.endswith(f".{name}") for item in there)]


def on_fargate(service: Resource, declared: Declared) -> bool:
    """Whether a service says, or its declared cluster says, that its tasks run on Fargate."""
    if service.properties.get("launchType"):
        return bool(service.properties["launchType"] == "FARGATE")
    cluster = declared.get(Address("ecs_cluster_capacity_providers", service.name.split("/", 1)[0]))
    default = cluster.properties.get("defaultCapacityProviderStrategy") if cluster is not None else None
    strategy = service.properties.get("capacityProviderStrategy") or default or ()
    return any(item["capacityProvider"] in FARGATE_PROVIDERS for item in strategy)


def look_at_subnets(service: Resource, declared: Declared) -> None:
    """Let the plan read the routes of subnets that it does not make itself."""
    if not on_fargate(service, declared):
        return
    for subnet in _subnets(service):
        if subnet.address not in declared:
            scope = (("SubnetId", subnet), ("VpcId", Ref("subnet", subnet.name, "vpc_id", where=subnet.where)))
            route = Ref("subnet_route", subnet.name, "default_route", scope, subnet.where)
            service.looked_at = (*service.looked_at, route)


def warnings(service: Resource, declared: Declared, attributes: Attributes) -> Iterator[str]:
    """One for each subnet from which a task could not pull its image."""
    if not on_fargate(service, declared):
        return
    network = (service.properties.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    public = network.get("assignPublicIp") == "ENABLED"
    for subnet in _subnets(service):
        way = _way(subnet, declared, attributes)
        message = None if way is None else _with_address(way) if public else _without_address(way)
        if message:
            yield f"network_configuration: in the subnet {subnet.name!r} {message}"


def _subnets(service: Resource) -> list[Ref]:
    network = (service.properties.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return [subnet for subnet in network.get("subnets") or () if isinstance(subnet, Ref)]


def _with_address(way: Way) -> str | None:
    if way.public or (way.target and not way.nat):
        return None
    if way.nat:
        return "the public addresses of tasks have no use: its default route leads to NAT, not to an internet gateway"
    if not way.lacking():
        return None
    return (
        "no task can reach ECR, so none would start: assign_public_ip is true, and the subnet's route table has no "
        f"default route to an internet gateway{_endpoints(way)}"
    )


def _without_address(way: Way) -> str | None:
    if (way.target and not way.public) or not way.lacking():
        return None
    reason = "the subnet's default route leads to an internet gateway"
    reason = reason if way.public else "the subnet has no default route"
    advice = "set assign_public_ip: true" if way.public else "add a NAT gateway"
    return (
        f"no task can reach ECR, so none would start: tasks have no public address and {reason}{_endpoints(way)}. "
        f"{advice[0].upper()}{advice[1:]}, or make VPC endpoints for ECR"
    )


def _endpoints(way: Way) -> str:
    if way.endpoints is None:
        return ", unless VPC endpoints that are not declared here lead to ECR"
    return f", and its VPC has no endpoints for {', '.join(way.lacking())}"


def _way(subnet: Ref, declared: Declared, attributes: Attributes) -> Way | None:
    """What is declared of a subnet goes before what was read; None where nothing is known."""
    if subnet.address not in declared:
        read = attributes.get(Address("subnet_route", subnet.name))
        return None if read is None else Way(str(read["default_route"]), tuple(read["endpoints"]))
    for table in declared.values():
        if table.kind == "route_table" and any(
            isinstance(ref, Ref) and ref.address == subnet.address
            for ref in table.properties.get("Associations", {}).values()
        ):
            target = next(iter(table.properties["Routes"].get(ANYWHERE, {}).values()), "")
            return Way(target.kind if isinstance(target, Ref) else str(target))
    return Way("")
