# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VPCs with their gateways, subnets, route tables and security groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.resources import ec2_default
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.from_security_groups import security_group
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import given

IN_VPC = ("aws_internet_gateway", "aws_subnet", "aws_route_table", "aws_security_group")
DESTINATIONS = {
    "destination_cidr_block": "destination_cidr_block",
    "cidr_block": "destination_cidr_block",
    "destination_ipv6_cidr_block": "destination_ipv6_cidr_block",
    "ipv6_cidr_block": "destination_ipv6_cidr_block",
    "destination_prefix_list_id": "destination_prefix_list_id",
}
TARGETS = {
    "egress_only_gateway_id": "egress_only_internet_gateway_id",
    "network_interface_id": "network_interface_id",
    "transit_gateway_id": "transit_gateway_id",
    "vpc_endpoint_id": "vpc_endpoint_id",
    "vpc_peering_connection_id": "vpc_peering_connection_id",
}
NAT = "the layer makes NAT gateways and addresses with names of its own: leave it with Terraform, routes refer to it"
UNNAMED = (
    "it has no Name tag that only it has and that is no id, by which the layer could know it: give it one with "
    "Terraform, and import again; until then others refer to it by id"
)
# Those that the layer takes only by a name.
NAMED = ("aws_vpc", "aws_subnet", "aws_route_table", "aws_security_group")
LOST = "the VPC, subnet or route table that it belongs to is not in this state: import the state that has it too"


def convert(stack: Stack) -> None:
    _name_defaults(stack)
    vpcs = {vpc.id: vpc for vpc in stack.of("aws_vpc")}
    others = {str(item.attributes.get("vpc_id")) for item in stack.of(*IN_VPC)} - vpcs.keys() - {"None", ""}
    for number, vpc_id in enumerate([*vpcs, *sorted(others)]):
        name = stack.names.ref("aws_vpc", vpc_id, stack.things[0])
        _network(stack, vpc_id, vpcs.get(vpc_id), stack.hosts.further(name, vpc_id) if number else stack.hosts.platform)
    stack.refuse(UNNAMED, *(item for item in stack.of(*NAMED) if stack.names.is_id(item)))
    stack.refuse(NAT, *stack.of("aws_nat_gateway", "aws_eip"))
    stack.refuse(LOST, *stack.of(*IN_VPC, "aws_route", "aws_route_table_association"))


def _name_defaults(stack: Stack) -> None:
    """The default VPC and its subnets, where data sources have read them."""
    for item in stack.data:
        if item.type == "aws_vpc" and item.attributes.get("default"):
            stack.names.known["aws_vpc", item.id] = ec2_default.VPC
        if item.type == "aws_subnet" and item.attributes.get("default_for_az"):
            stack.names.known["aws_subnet", item.id] = f"default-{item.attributes['availability_zone']}"


def _network(stack: Stack, vpc_id: str, vpc: Thing | None, host: str) -> None:
    inside = {
        kind: [
            item
            for item in stack.of(kind)
            if item.attributes.get("vpc_id") == vpc_id and not (kind in NAMED and stack.names.is_id(item))
        ]
        for kind in IN_VPC
    }
    if vpc is not None and not stack.names.is_id(vpc):
        _vpc(stack, vpc, host)
    elif ("aws_vpc", vpc_id) in stack.names.known:
        stack.add("network", "vpc", {"default": True}, host=host)
    else:
        stack.add("network", "vpc", {"name": vpc_id, "existing": True}, host=host)
        for item in [item for items in inside.values() for item in items][:1]:
            stack.names.ref("aws_vpc", vpc_id, item)
    for gateway in inside["aws_internet_gateway"]:
        options = {"name": stack.names.of(gateway), "tags": stack.named_tags(gateway)}
        stack.add("network", "internet_gateway", options, gateway, host=host)
    tables = [_route_table(stack, table) for table in inside["aws_route_table"]]
    public = [name for options, _parts in tables if _is_public(options) for name in options["subnets"]]
    automatic = _automatic(stack, vpc_id, tables, bool(inside["aws_internet_gateway"]))
    for subnet in inside["aws_subnet"]:
        _subnet(stack, subnet, stack.names.of(subnet) in public, host)
    for options, parts in tables:
        if options is automatic:
            stack.done(host, "network.subnets", *parts)
        else:
            stack.add("network", "route_tables", options, *parts, host=host)
    for group in inside["aws_security_group"]:
        options, parts = security_group(stack, group)
        stack.add("network", "security_groups", options, group, *parts, host=host)


def _vpc(stack: Stack, vpc: Thing, host: str) -> None:
    further = stack.belonging("aws_vpc_ipv4_cidr_block_association", "vpc_id", vpc)
    tenancy = vpc.get("instance_tenancy", "default")
    options = {
        "name": stack.names.of(vpc),
        "cidr_block": vpc.get("cidr_block"),
        "secondary_cidr_blocks": sorted(str(item.get("cidr_block")) for item in further) or None,
        "instance_tenancy": tenancy if tenancy != "default" else None,
        "enable_dns_support": vpc.get("enable_dns_support", False),
        "enable_dns_hostnames": vpc.get("enable_dns_hostnames", False),
        "tags": stack.named_tags(vpc),
    }
    stack.add("network", "vpc", options, vpc, *further, host=host)


def _subnet(stack: Stack, subnet: Thing, public: bool, host: str) -> None:
    mapped = bool(subnet.get("map_public_ip_on_launch", False))
    options = {
        "name": stack.names.of(subnet),
        "cidr_block": subnet.get("cidr_block"),
        "availability_zone": subnet.get("availability_zone"),
        "public": public,
        "map_public_ip_on_launch": mapped if mapped != public else None,
        "tags": stack.named_tags(subnet),
    }
    stack.add("network", "subnets", options, subnet, host=host)


def _route_table(stack: Stack, table: Thing) -> tuple[dict[str, Any], list[Thing]]:
    """A table with the routes and associations that are resources of their own."""
    routes = stack.belonging("aws_route", "route_table_id", table)
    associations = [
        item
        for item in stack.belonging("aws_route_table_association", "route_table_id", table)
        if item.get("subnet_id")
    ]
    found = [_route(stack, item, table) for item in [*table.blocks("route"), *routes]]
    unique = {str(sorted(route.items())): route for route in found}
    subnets = stack.names.refs("aws_subnet", [item.get("subnet_id") for item in associations], table)
    options = {
        "name": stack.names.of(table),
        "subnets": subnets,
        "routes": list(unique.values()),
        "tags": stack.named_tags(table),
    }
    return options, [table, *routes, *associations]


def _route(stack: Stack, route: Block, table: Thing) -> dict[str, Any]:
    options = {option: route.get(name) for name, option in DESTINATIONS.items() if name in route}
    options |= {option: route.get(name) for name, option in TARGETS.items() if name in route}
    gateway, nat = route.get("gateway_id"), route.get("nat_gateway_id")
    if gateway and gateway.startswith("igw-"):
        options["internet_gateway"] = stack.names.ref("aws_internet_gateway", gateway, table)
    elif gateway:
        options["gateway_id"] = gateway
    if nat:
        options["nat_gateway"] = stack.names.ref("aws_nat_gateway", nat, table)
    return given(options)


def _is_public(options: Mapping[str, Any]) -> bool:
    return any("internet_gateway" in route for route in options["routes"])


def _automatic(
    stack: Stack, vpc_id: str, tables: Sequence[tuple[dict[str, Any], list[Thing]]], gateway: bool
) -> dict[str, Any] | None:
    """The table that the layer makes of its own accord for public subnets, if there is one like it."""
    vpc = stack.names.find("aws_vpc", vpc_id)
    if vpc is None or not gateway:
        return None
    name = f"{stack.names.of(vpc)}-public"
    return next((options for options, _parts in tables if options["name"] == name and _is_simple(options)), None)


def _is_simple(options: Mapping[str, Any]) -> bool:
    """One route, to the internet gateway; no tags of its own."""
    routes: Iterator[Mapping[str, Any]] = iter(options["routes"])
    first = next(routes, {})
    alone = next(routes, None) is None and first.keys() == {"destination_cidr_block", "internet_gateway"}
    return alone and first["destination_cidr_block"] == "0.0.0.0/0" and not options["tags"] and bool(options["subnets"])
