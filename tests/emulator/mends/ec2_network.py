# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of EC2 networking: the default VPC's way out, NAT gateways, descriptions of security group rules by id."""

from __future__ import annotations

from typing import Any

from moto.core.responses import EmptyResult
from moto.ec2.exceptions import EC2ClientError, InvalidSecurityGroupRuleIdNotFoundError
from moto.ec2.models import EC2Backend
from moto.ec2.responses.security_groups import SecurityGroups

from emulator.patching import replace


@replace(EC2Backend, "create_default_vpc")
def create_default_vpc(original: Any, self: Any) -> Any:
    """The default VPC of AWS has an internet gateway and a route to it; that of moto had neither."""
    vpc = original(self)
    gateway = self.create_internet_gateway()
    self.attach_internet_gateway(gateway.id, vpc.id)
    main = next(table for table in self.route_tables.values() if table.vpc_id == vpc.id)
    self.create_route(main.id, "0.0.0.0/0", gateway_id=gateway.id)
    return vpc


@replace(EC2Backend, "delete_nat_gateway")
def delete_nat_gateway(original: Any, self: Any, nat_gateway_id: str) -> Any:
    """AWS gives up the gateway's network interface and address with it. moto kept both in use for ever."""
    gateway = original(self, nat_gateway_id)
    for address in self.addresses:
        if address.eni is gateway._eni:
            self.disassociate_address(address=address.public_ip)
    self.enis.pop(gateway._eni.id, None)
    return gateway


@replace(EC2Backend, "describe_nat_gateways")
def describe_nat_gateways(original: Any, self: Any, filters: Any, nat_gateway_ids: list[str] | None) -> list[Any]:
    """moto did not know filters by tag, and gave all gateways back."""
    found = original(self, filters, nat_gateway_ids)
    for name, values in (filters or {}).items():
        if name.startswith("tag:"):
            found = [one for one in found if one.get_filter_value(name) in values]
    return list(found)


@replace(EC2Backend, "release_address")
def release_address(original: Any, self: Any, address: str | None = None, allocation_id: str | None = None) -> None:
    """AWS: an address that is associated cannot be released. moto released it."""
    wanted = [one for one in self.addresses if allocation_id and one.allocation_id == allocation_id]
    if wanted and wanted[0].association_id:
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {wanted[0].public_ip} is in use.")
    original(self, address=address, allocation_id=allocation_id)


@replace(EC2Backend, "delete_subnet")
def delete_subnet(original: Any, self: Any, subnet_id: str) -> Any:
    """AWS forgets with a subnet which route table it had. moto kept the association."""
    subnet = original(self, subnet_id)
    for table in self.route_tables.values():
        kept = {name: target for name, target in table._associations.items() if target != subnet_id}
        table._associations = kept
    return subnet


def describe_by_id(response: Any) -> bool:
    """Set the descriptions that a request gives by rule id; False where it gives whole rules."""
    wanted = response._get_param("SecurityGroupRuleDescriptions", [])
    group = response.ec2_backend.get_security_group_by_name_or_id(response._get_param("GroupId"))
    for item in wanted:
        rule = group.get_rule(item["SecurityGroupRuleId"])
        if rule is None:
            raise InvalidSecurityGroupRuleIdNotFoundError(item["SecurityGroupRuleId"])
        place = rule.source_group or rule.ip_range
        place.pop("Description", None)
        if item.get("Description"):
            place["Description"] = item["Description"]
    return bool(wanted)


@replace(SecurityGroups, "update_security_group_rule_descriptions_ingress")
def describe_ingress(original: Any, self: Any) -> Any:
    """moto took only whole rules."""
    return EmptyResult() if describe_by_id(self) else original(self)


@replace(SecurityGroups, "update_security_group_rule_descriptions_egress")
def describe_egress(original: Any, self: Any) -> Any:
    """moto took only whole rules."""
    return EmptyResult() if describe_by_id(self) else original(self)
