# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of EC2: what may not be deleted while something depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends

from emulator import ecs_simulation
from emulator.patching import replace


def settle(backend: Any) -> None:
    """Deleted ECS services go on stopping their tasks, whose interfaces would hold everything for ever."""
    ecs_simulation.drain_all(ecs_backends[backend.account_id][backend.region_name])


def balancers(backend: Any) -> list[Any]:
    """The load balancers of the same account and region: they own network interfaces that moto does not make."""
    return list(elbv2_backends[backend.account_id][backend.region_name].load_balancers.values())


def instances(backend: Any) -> Iterator[Any]:
    """Instances that are not terminated."""
    for reservation in backend.reservations.values():
        yield from (one for one in reservation.instances if one.state != "terminated")


def nat_gateways(backend: Any) -> list[Any]:
    """NAT gateways that are not deleted."""
    return [one for one in backend.nat_gateways.values() if one.state not in ("deleted", "deleting")]


@replace(EC2Backend, "_delete_security_group")
def delete_security_group(original: Any, self: Any, vpc_id: str | None, group_id: str) -> None:
    """AWS: DependencyViolation while an interface, instance, load balancer or rule of another group uses the group.

    moto deleted it.
    """
    settle(self)
    groups = self.groups.get(vpc_id or self.default_vpc.id, {})
    if groups[group_id].is_default and vpc_id in self.vpcs and not getattr(self, "deleting_vpc", False):
        raise EC2ClientError(
            "CannotDelete", f'the specified group: "{group_id}" name: "default" cannot be deleted by a user'
        )
    users = [*instances(self), *self.enis.values()]
    used = any(group_id in group_ids(one) for one in users)
    used = used or any(group_id in (one.security_groups or []) for one in balancers(self))
    for group in groups.values():
        rules = [*group.ingress_rules, *group.egress_rules]
        used = used or (group.id != group_id and any(one.source_group.get("GroupId") == group_id for one in rules))
    if used:
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    original(self, vpc_id, group_id)


def group_ids(user: Any) -> list[str]:
    """The security groups of an instance or interface."""
    groups = getattr(user, "security_groups", None) or getattr(user, "group_set", None) or []
    return [one if isinstance(one, str) else one.id for one in groups]


@replace(EC2Backend, "delete_subnet")
def delete_subnet(original: Any, self: Any, subnet_id: str) -> Any:
    """AWS: DependencyViolation while interfaces, instances, NAT gateways or load balancers are in it; not so moto."""
    settle(self)
    interfaces = [one.subnet.id for one in self.enis.values() if one.subnet]
    used = [*interfaces, *(one.subnet_id for one in instances(self)), *(one.subnet_id for one in nat_gateways(self))]
    used += [subnet.id for one in balancers(self) for subnet in one.subnets]
    if subnet_id in used:
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    return original(self, subnet_id)


@replace(EC2Backend, "delete_vpc")
def delete_vpc(original: Any, self: Any, vpc_id: str) -> Any:
    """AWS: DependencyViolation while an internet gateway or a security group of one's own is there. moto deleted it."""
    attached = [one for one in self.internet_gateways.values() if one.vpc and one.vpc.id == vpc_id]
    groups = [one for one in self.groups.get(vpc_id, {}).values() if not one.is_default]
    gateways = [one for one in nat_gateways(self) if one.vpc_id == vpc_id]
    if attached or groups or gateways:
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    self.deleting_vpc = True
    try:
        return original(self, vpc_id)
    finally:
        self.deleting_vpc = False


@replace(EC2Backend, "detach_internet_gateway")
def detach_internet_gateway(original: Any, self: Any, internet_gateway_id: str, vpc_id: str) -> None:
    """AWS: DependencyViolation while the VPC has public addresses. moto detached it."""
    settle(self)
    facing = [one for one in balancers(self) if one.vpc_id == vpc_id and one.scheme != "internal"]
    gateways = [one for one in nat_gateways(self) if one.vpc_id == vpc_id]
    public = [one for one in instances(self) if one.vpc_id == vpc_id and one.public_ip]
    if facing or gateways or public:
        raise DependencyViolationError(
            f"Network {vpc_id} has some mapped public address(es). "
            f"Please unmap those public address(es) before detaching the gateway."
        )
    original(self, internet_gateway_id, vpc_id)


@replace(EC2Backend, "delete_internet_gateway")
def delete_internet_gateway(original: Any, self: Any, internet_gateway_id: str) -> None:
    """The same refusal as moto's, in AWS's words."""
    if self.get_internet_gateway(internet_gateway_id).vpc:
        raise DependencyViolationError(
            f"The internetGateway '{internet_gateway_id}' has dependencies and cannot be deleted."
        )
    original(self, internet_gateway_id)
