# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the layer `network`."""

from __future__ import annotations

from typing import Any

TAGS: dict[str, Any] = {"type": "dict", "description": "Tags of this resource, in addition to O(dockyard_tags)."}
PROTECT: dict[str, Any] = {"type": "bool", "default": False, "description": "Refuse to delete or replace it."}

VPC_OPTIONS: dict[str, Any] = {
    "name": {
        "type": "str",
        "description": "Name of the VPC (its tag V(Name)); with O(network.vpc.existing) also the id of a VPC. Required "
        "unless O(network.vpc.default).",
    },
    "default": {
        "type": "bool",
        "default": False,
        "description": "The region's default VPC, with its default subnets. They are only referred to, never created, "
        "tagged, changed or deleted, and nothing but security groups is made there. The VPC has the name V(default).",
    },
    "existing": {
        "type": "bool",
        "default": False,
        "description": "The VPC is only referred to, never created, changed or deleted.",
    },
    "cidr_block": {
        "type": "str",
        "description": "IPv4 CIDR block, /16 to /28; required unless O(network.vpc.existing). Cannot be changed.",
    },
    "secondary_cidr_blocks": {
        "type": "list",
        "elements": "str",
        "description": "Further IPv4 CIDR blocks of the VPC. Where this is given, others are taken away.",
    },
    "instance_tenancy": {
        "type": "str",
        "choices": ["default", "dedicated"],
        "description": "Tenancy of the instances. V(dedicated) can become V(default) later, not the other way.",
    },
    "enable_dns_support": {"type": "bool", "default": True, "description": "Name resolution by AWS's DNS server."},
    "enable_dns_hostnames": {
        "type": "bool",
        "default": True,
        "description": "DNS host names for instances with public addresses.",
    },
    "allow_replacement": {
        "type": "bool",
        "default": False,
        "description": "Let a changed CIDR block replace the VPC with everything in it. Otherwise it is refused.",
    },
    "protect": PROTECT,
    "tags": TAGS,
}

INTERNET_GATEWAY_OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the internet gateway (its tag V(Name))."},
    "existing": {
        "type": "bool",
        "default": False,
        "description": "The internet gateway is only referred to, by name or id, never created, changed or deleted.",
    },
    "tags": TAGS,
}

SUBNET_OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the subnet (its tag V(Name))."},
    "cidr_block": {
        "type": "str",
        "required": True,
        "description": "IPv4 CIDR block inside the VPC's, from /16 to /28. Another one is a new subnet.",
    },
    "availability_zone": {
        "type": "str",
        "required": True,
        "description": "Availability zone, for example V(us-east-1a). Another one is a new subnet.",
    },
    "public": {
        "type": "bool",
        "default": False,
        "description": "Route to the internet gateway, and public addresses for what is launched in it.",
    },
    "map_public_ip_on_launch": {
        "type": "bool",
        "description": "Public addresses for what is launched in it. By default as O(network.subnets[].public).",
    },
    "protect": PROTECT,
    "tags": TAGS,
}

ROUTE_OPTIONS: dict[str, Any] = {
    "destination_cidr_block": {"type": "str", "description": "IPv4 destination, for example V(0.0.0.0/0)."},
    "destination_ipv6_cidr_block": {"type": "str", "description": "IPv6 destination."},
    "destination_prefix_list_id": {"type": "str", "description": "Id of a managed prefix list as the destination."},
    "internet_gateway": {"type": "str", "description": "Target: name or id of an internet gateway."},
    "nat_gateway": {"type": "str", "description": "Target: name or id of a NAT gateway."},
    "gateway_id": {"type": "str", "description": "Target: id of a virtual private gateway."},
    "transit_gateway_id": {"type": "str", "description": "Target: id of a transit gateway."},
    "vpc_peering_connection_id": {"type": "str", "description": "Target: id of a VPC peering connection."},
    "vpc_endpoint_id": {"type": "str", "description": "Target: id of a Gateway Load Balancer endpoint."},
    "network_interface_id": {"type": "str", "description": "Target: id of a network interface."},
    "egress_only_internet_gateway_id": {
        "type": "str",
        "description": "Target: id of an egress-only internet gateway, for IPv6.",
    },
}

ROUTE_TABLE_OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the route table (its tag V(Name))."},
    "subnets": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "Names or ids of exactly those subnets that it holds for.",
    },
    "routes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": ROUTE_OPTIONS,
        "description": "Its routes, all but those that AWS puts there. Each has one destination and one target.",
    },
    "tags": TAGS,
}

RULE_OPTIONS: dict[str, Any] = {
    "protocol": {
        "type": "str",
        "default": "tcp",
        "description": "V(tcp), V(udp), V(icmp), V(icmpv6), V(-1) or V(all) for all protocols, or a protocol number.",
    },
    "from_port": {
        "type": "int",
        "description": "First port; with V(icmp) and V(icmpv6) the type, V(-1) for all.",
    },
    "to_port": {
        "type": "int",
        "description": "Last port, by default the first; with V(icmp) and V(icmpv6) the code, V(-1) for all.",
    },
    "cidr_blocks": {"type": "list", "elements": "str", "default": [], "description": "IPv4 sources or destinations."},
    "ipv6_cidr_blocks": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "IPv6 sources or destinations.",
    },
    "prefix_list_ids": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "Ids of managed prefix lists as sources or destinations.",
    },
    "security_groups": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "Names or ids of security groups as sources or destinations, the group itself too.",
    },
    "description": {"type": "str", "description": "What the rule is for."},
}

SECURITY_GROUP_OPTIONS: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": "Name of the security group (its tag V(Name)). Its group name in AWS gets a short suffix.",
    },
    "description": {
        "type": "str",
        "description": "Description. Another one is a new group, which takes over before the old one goes.",
    },
    "ingress": {
        "type": "list",
        "elements": "dict",
        "options": RULE_OPTIONS,
        "description": "What is let in. Where it is given, rules that are not declared are removed.",
    },
    "egress": {
        "type": "list",
        "elements": "dict",
        "options": RULE_OPTIONS,
        "description": "What is let out. Where it is not given, AWS's own rule stays, which lets everything out.",
    },
    "protect": PROTECT,
    "tags": TAGS,
}

NETWORK_OPTIONS: dict[str, Any] = {
    "vpc": {"type": "dict", "required": True, "options": VPC_OPTIONS, "description": "The VPC in which all this lies."},
    "default_subnets": {
        "type": "int",
        "description": "How many default subnets there must be, with O(network.vpc.default) V(2) where it is not "
        "given. Their names are V(default-1), V(default-2) …, in the order of their zones' names, without zones that "
        "have no Fargate. V(default-eu-central-1a) means the one in that zone.",
    },
    "internet_gateway": {
        "type": "dict",
        "options": INTERNET_GATEWAY_OPTIONS,
        "description": "The VPC's internet gateway. Public subnets need one.",
    },
    "subnets": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": SUBNET_OPTIONS,
        "description": "The subnets. Public ones share a route table named after the VPC, V(<vpc>-public).",
    },
    "nat": {
        "type": "str",
        "choices": ["none", "single", "one_per_zone"],
        "default": "none",
        "description": "NAT gateways for the private subnets: V(single) for all together, or one in each zone.",
    },
    "route_tables": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": ROUTE_TABLE_OPTIONS,
        "description": "Further route tables. A subnet that is named here belongs to no automatic one.",
    },
    "security_groups": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": SECURITY_GROUP_OPTIONS,
        "description": "The security groups.",
    },
    "rules_per_security_group": {
        "type": "int",
        "default": 60,
        "description": "The account's quota of rules per security group and direction; each source counts as one.",
    },
}
