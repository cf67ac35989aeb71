# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `network`: a VPC with its gateways, subnets, route tables and security groups."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.tags import NAME_TAG
from ansible_collections.dockyard.aws.plugins.module_utils.layers import network_checks as checks
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Declaration,
    Environment,
    Layer,
    api_names,
    declared_only,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.network_options import NETWORK_OPTIONS
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem, Ref, Resource

ANYWHERE = "0.0.0.0/0"
TARGET_IDS = (
    "gateway_id",
    "transit_gateway_id",
    "vpc_peering_connection_id",
    "vpc_endpoint_id",
    "network_interface_id",
    "egress_only_internet_gateway_id",
)


class Network(Layer):
    NAME = "network"
    DESCRIPTION = "VPC, internet gateway, subnets, NAT, route tables, security groups"
    ARGUMENT_SPEC = NETWORK_OPTIONS

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        builder = _Builder(declaration.options, environment)
        yield from builder.vpc()
        yield from builder.internet_gateway()
        yield from builder.subnets()
        yield from builder.nat_gateways()
        yield from builder.route_tables()
        yield from builder.security_groups()

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        for declaration in declarations:
            for where, message in checks.problems(declaration.options, environment.region):
                yield Problem(declaration.host, where, message)

    def warn(self, declarations: Sequence[Declaration], declared: Mapping[Any, Resource]) -> Iterator[Problem]:
        for declaration in declarations:
            for where, message in checks.warnings(declaration.options):
                yield Problem(declaration.host, where, message)


class _Builder:
    """One declaration's resources. All that has no name of its own in AWS gets the tag Name."""

    def __init__(self, options: Mapping[str, Any], environment: Environment) -> None:
        self._options = options
        self._environment = environment
        self._vpc: str = checks.vpc_name(options)
        self._in_vpc = {"VpcId": Ref("vpc", self._vpc, where="network.vpc")}

    def _make(self, kind: str, name: str, properties: dict[str, Any], where: str, **more: Any) -> Resource:
        tags = {**self._environment.tags, **(more.pop("tags", None) or {}), NAME_TAG: name}
        scope = {} if kind in ("vpc", "elastic_ip") else self._in_vpc
        return Resource(kind, name, properties, where=where, tags=tags, scope=dict(scope), **more)

    def vpc(self) -> Iterator[Resource]:
        vpc = self._options["vpc"]
        if vpc["existing"] or vpc["default"]:
            return
        names = (
            "cidr_block",
            "secondary_cidr_blocks",
            "instance_tenancy",
            "enable_dns_support",
            "enable_dns_hostnames",
        )
        yield self._make(
            "vpc",
            self._vpc,
            api_names({name: vpc[name] for name in names}, capital=True),
            "network.vpc",
            tags=vpc["tags"],
            protect=vpc["protect"],
            options={"allow_replacement": vpc["allow_replacement"]},
        )

    def internet_gateway(self) -> Iterator[Resource]:
        gateway = self._options["internet_gateway"]
        if gateway is not None and not gateway["existing"]:
            where = "network.internet_gateway"
            yield self._make("internet_gateway", gateway["name"], {"Attached": True}, where, tags=gateway["tags"])

    def subnets(self) -> Iterator[Resource]:
        for subnet in self._options["subnets"]:
            public, mapped = subnet["public"], subnet["map_public_ip_on_launch"]
            properties = {
                "CidrBlock": subnet["cidr_block"],
                "AvailabilityZone": subnet["availability_zone"],
                "MapPublicIpOnLaunch": public if mapped is None else mapped,
            }
            yield self._make(
                "subnet",
                subnet["name"],
                properties,
                f"network.subnets[{subnet['name']}]",
                tags=subnet["tags"],
                protect=subnet["protect"],
                # What lies in a public subnet needs the gateway from its first to its last moment.
                depends_on=(self._gateway(),) if public else (),
            )

    def _gateway(self) -> Ref:
        return Ref("internet_gateway", self._options["internet_gateway"]["name"], where="network.internet_gateway")

    def nat_gateways(self) -> Iterator[Resource]:
        for name, zone, _subnets in self._nat_areas():
            public = [item for item in self._options["subnets"] if item["public"]]
            inside = [item for item in public if zone is None or item["availability_zone"] == zone]
            properties = {
                "SubnetIds": [Ref("subnet", item["name"], where="network.nat") for item in inside],
                "AllocationId": Ref("elastic_ip", name, where="network.nat"),
                "State": "available",
            }
            yield self._make("elastic_ip", name, {}, "network.nat")
            yield self._make("nat_gateway", name, properties, "network.nat")

    def _nat_areas(self) -> list[tuple[str, str | None, list[str]]]:
        """Each NAT gateway: its name, its zone where it serves just one, and the private subnets it serves."""
        nat = self._options["nat"]
        private = [item for item in self._automatic() if not item["public"]]
        if nat == "none" or not private:
            return []
        if nat == "single":
            return [(f"{self._vpc}-nat", None, [item["name"] for item in private])]
        zones = sorted({item["availability_zone"] for item in private})
        return [
            (f"{self._vpc}-nat-{zone}", zone, [item["name"] for item in private if item["availability_zone"] == zone])
            for zone in zones
        ]

    def _automatic(self) -> list[dict[str, Any]]:
        """The subnets that no declared route table names."""
        named = {name for table in self._options["route_tables"] for name in table["subnets"]}
        return [item for item in self._options["subnets"] if item["name"] not in named]

    def route_tables(self) -> Iterator[Resource]:
        public = [item["name"] for item in self._automatic() if item["public"]]
        if public:
            routes = {ANYWHERE: {"GatewayId": self._gateway()}}
            yield self._route_table(f"{self._vpc}-public", routes, public, "network.subnets")
        for nat, zone, subnets in self._nat_areas():
            name = f"{self._vpc}-private" + (f"-{zone}" if zone else "")
            routes = {ANYWHERE: {"NatGatewayId": Ref("nat_gateway", nat, where="network.nat")}}
            yield self._route_table(name, routes, subnets, "network.nat")
        for table in self._options["route_tables"]:
            where = f"network.route_tables[{table['name']}]"
            routes = {checks.destination(route): _target(route, where) for route in table["routes"]}
            yield self._route_table(table["name"], routes, table["subnets"], where, table["tags"])

    def _route_table(
        self,
        name: str,
        routes: dict[str, Any],
        subnets: Sequence[str],
        where: str,
        tags: Mapping[str, str] | None = None,
    ) -> Resource:
        associations = {subnet: Ref("subnet", subnet, where=where) for subnet in subnets}
        properties = {"Routes": routes, "Associations": associations}
        return self._make("route_table", name, properties, where, tags=tags)

    def security_groups(self) -> Iterator[Resource]:
        for group in self._options["security_groups"]:
            name, where = group["name"], f"network.security_groups[{group['name']}]"
            yield self._make(
                "security_group",
                name,
                declared_only({"Description": group["description"]}),
                where,
                tags=group["tags"],
                protect=group["protect"],
                # Whoever declares the default VPC counts on these subnets: the plan says where one is missing.
                depends_on=self._default_subnets(),
            )
            rules = {
                direction: [rule for option in group[direction] for rule in self._rules(option, f"{where}.{direction}")]
                for direction in ("ingress", "egress")
                if group[direction] is not None
            }
            if rules:
                scope = {"GroupId": Ref("security_group", name, where=where)}
                yield Resource("security_group_rules", name, rules, where=where, scope=scope)

    def _default_subnets(self) -> tuple[Ref, ...]:
        return tuple(
            Ref("subnet", f"default-{number}", where="network.default_subnets")
            for number in range(1, checks.default_subnets(self._options) + 1)
        )

    def _rules(self, option: Mapping[str, Any], where: str) -> Iterator[dict[str, Any]]:
        """One rule for each source of a declared one, as AWS keeps them."""
        first = option["from_port"]
        last = first if option["to_port"] is None else option["to_port"]
        common = declared_only(
            {
                "IpProtocol": option["protocol"],
                "FromPort": first,
                "ToPort": last,
                "Description": option["description"],
            }
        )
        names = {"cidr_blocks": "CidrIpv4", "ipv6_cidr_blocks": "CidrIpv6", "prefix_list_ids": "PrefixListId"}
        for name, key in names.items():
            for value in option[name]:
                yield {**common, key: value}
        for name in option["security_groups"]:
            yield {**common, "ReferencedGroupId": self._group(name, where), "ReferencedGroupName": name}

    def _group(self, name: str, where: str) -> Ref:
        """Names mean groups in this VPC; an id may also mean one in a peered VPC."""
        scope = () if re.fullmatch(r"sg-[0-9a-f]+", name) else tuple(self._in_vpc.items())
        return Ref("security_group", name, scope=scope, where=where)


def _target(route: Mapping[str, Any], where: str) -> dict[str, Any]:
    if route["internet_gateway"]:
        return {"GatewayId": Ref("internet_gateway", route["internet_gateway"], where=where)}
    if route["nat_gateway"]:
        return {"NatGatewayId": Ref("nat_gateway", route["nat_gateway"], where=where)}
    return api_names({name: route[name] for name in TARGET_IDS}, capital=True)
