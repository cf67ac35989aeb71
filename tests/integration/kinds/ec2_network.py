# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of all kinds do with VPCs, subnets, gateways, route tables and security groups."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Network = dict[str, Any]
Change = Callable[[Network], Any]

VPC, TABLE, PRIVATE = "vpc/net", "route_table/net-public", "route_table/net-own"
WEB, TASKS = "security_group/web", "security_group/tasks"
WEB_RULES, TASKS_RULES = "security_group_rules/web", "security_group_rules/tasks"


def subnet(name: str, number: int, zone: str, public: bool, **more: Any) -> dict[str, Any]:
    block = f"10.0.{number}.0/24"
    return {"name": name, "cidr_block": block, "availability_zone": f"us-east-1{zone}", "public": public, **more}


BASE: Network = {
    "vpc": {"name": "net", "cidr_block": "10.0.0.0/16", "tags": {"Team": "one"}},
    "internet_gateway": {"name": "net", "tags": {"Team": "one"}},
    "subnets": [
        subnet("public-a", 0, "a", True, tags={"Team": "one"}),
        subnet("public-b", 1, "b", True),
        subnet("own-a", 10, "a", False),
    ],
    "route_tables": [
        {
            "name": "net-own",
            "subnets": ["own-a"],
            "routes": [{"destination_cidr_block": "192.168.0.0/16", "internet_gateway": "net"}],
            "tags": {"Team": "one"},
        }
    ],
    "security_groups": [
        {
            "name": "web",
            "description": "The internet to the load balancer",
            "ingress": [
                {"from_port": 80, "cidr_blocks": ["0.0.0.0/0"], "ipv6_cidr_blocks": ["::/0"], "description": "HTTP"}
            ],
            "egress": [{"from_port": 8080, "security_groups": ["tasks"]}],
            "tags": {"Team": "one"},
        },
        {
            "name": "tasks",
            "description": "The load balancer to the tasks",
            "ingress": [
                {"from_port": 8080, "security_groups": ["web"], "description": "app"},
                {"protocol": "-1", "security_groups": ["tasks"]},
                {"protocol": "icmp", "from_port": 8, "to_port": -1, "cidr_blocks": ["10.0.0.0/16"]},
            ],
        },
    ],
}
NAT: Network = {
    "vpc": {"name": "net", "cidr_block": "10.0.0.0/16"},
    "internet_gateway": {"name": "net"},
    "subnets": [
        subnet("public-a", 0, "a", True),
        subnet("public-b", 1, "b", True),
        subnet("private-a", 10, "a", False),
        subnet("private-b", 11, "b", False),
    ],
    "nat": "one_per_zone",
    "route_tables": [
        {
            "name": "further",
            "routes": [{"destination_cidr_block": "192.168.0.0/16", "nat_gateway": "net-nat-us-east-1a"}],
        }
    ],
}


def changed(base: Network, change: Change) -> Network:
    result = copy.deepcopy(base)
    change(result)
    return result


def declared(network: Network) -> dict[str, dict[str, Any]]:
    return {"network": {"platform": network}}


def update(
    identifier: str, change: Change, address: str, *paths: str, base: Network | None = None, **more: Any
) -> dict[str, Any]:
    result = declared(changed(base or BASE, change))
    return {"id": identifier, "declared": result, "address": address, "paths": list(paths), **more}


def set_in(*path: Any, **values: Any) -> Change:
    """Change the options at a path of names and positions."""

    def change(network: Network) -> None:
        place: Any = network
        for step in path:
            place = place[step]
        place.update(values)

    return change


WEB_INGRESS = BASE["security_groups"][0]["ingress"]
TASKS_INGRESS = BASE["security_groups"][1]["ingress"]
IN_VPC = (
    *("internet_gateway/net", "subnet/public-a", "subnet/public-b", "subnet/own-a", TABLE, PRIVATE),
    *(WEB, TASKS, WEB_RULES, TASKS_RULES),
)


def moved(network: Network) -> None:
    network["vpc"].update(cidr_block="10.4.0.0/16", allow_replacement=True)
    for item in network["subnets"]:
        item["cidr_block"] = item["cidr_block"].replace("10.0.", "10.4.")


VPC_UPDATES = [
    update("dns host names", set_in("vpc", enable_dns_hostnames=False), VPC, "EnableDnsHostnames"),
    update(
        "further CIDR block",
        set_in("vpc", secondary_cidr_blocks=["10.1.0.0/16"]),
        VPC,
        "SecondaryCidrBlocks",
        back=False,
    ),
    update("VPC tag", set_in("vpc", tags={"Team": "two"}), VPC, "tags.Team"),
    update("VPC replaced", moved, VPC, "CidrBlock", action="replace", consequences=IN_VPC, back=False),
    update("gateway tag", set_in("internet_gateway", tags={"Team": "two"}), "internet_gateway/net", "tags.Team"),
]
SUBNET_UPDATES = [
    update(
        "no public addresses",
        set_in("subnets", 0, map_public_ip_on_launch=False),
        "subnet/public-a",
        "MapPublicIpOnLaunch",
    ),
    update("subnet tag", set_in("subnets", 0, tags={"Team": "two"}), "subnet/public-a", "tags.Team"),
    update(
        "another CIDR block",
        set_in("subnets", 0, cidr_block="10.0.5.0/24"),
        "subnet/public-a",
        "CidrBlock",
        action="replace",
        consequences=[TABLE],
    ),
    update(
        "another zone in the same CIDR block",
        set_in("subnets", 0, availability_zone="us-east-1c"),
        "subnet/public-a",
        "AvailabilityZone",
        action="replace",
        consequences=[TABLE],
    ),
    update(
        "a subnet before the others",
        lambda network: network["subnets"].insert(0, subnet("public-c", 2, "c", True)),
        "subnet/public-c",
        *("CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch"),
        action="create",
        consequences=[TABLE],
    ),
]
ROUTE_UPDATES = [
    update(
        "one more route",
        lambda network: network["route_tables"][0]["routes"].append(
            {"destination_cidr_block": "172.16.0.0/12", "internet_gateway": "net"}
        ),
        PRIVATE,
        "Routes[172.16.0.0/12]",
    ),
    update("no route", set_in("route_tables", 0, routes=[]), PRIVATE, "Routes[192.168.0.0/16]"),
    update(
        "a subnet that comes from another table",
        set_in("route_tables", 0, subnets=["own-a", "public-b"]),
        PRIVATE,
        "Associations[public-b]",
        consequences=[TABLE],
    ),
    update("route table tag", set_in("route_tables", 0, tags={"Team": "two"}), PRIVATE, "tags.Team"),
]
GROUP_UPDATES = [
    update(
        "another description of the group",
        set_in("security_groups", 0, description="Another one"),
        WEB,
        "Description",
        action="replace",
        consequences=[WEB_RULES, TASKS_RULES],
    ),
    update("group tag", set_in("security_groups", 0, tags={"Team": "two"}), WEB, "tags.Team"),
    update(
        "one more rule",
        set_in("security_groups", 0, ingress=[*WEB_INGRESS, {"from_port": 443, "cidr_blocks": ["0.0.0.0/0"]}]),
        WEB_RULES,
        "ingress[tcp 443 from 0.0.0.0/0]",
    ),
    update(
        "no rule",
        set_in("security_groups", 0, ingress=[]),
        WEB_RULES,
        *("ingress[tcp 80 from 0.0.0.0/0]", "ingress[tcp 80 from ::/0]"),
    ),
    update(
        "another description of a rule",
        set_in("security_groups", 0, ingress=[{**WEB_INGRESS[0], "description": "Web"}]),
        WEB_RULES,
        *("ingress[tcp 80 from 0.0.0.0/0].Description", "ingress[tcp 80 from ::/0].Description"),
    ),
    update(
        "another description of a rule for a group",
        set_in("security_groups", 1, ingress=[{**TASKS_INGRESS[0], "description": "web"}, *TASKS_INGRESS[1:]]),
        TASKS_RULES,
        "ingress[tcp 8080 from web].Description",
    ),
    update(
        "another port",
        set_in("security_groups", 1, ingress=[{**TASKS_INGRESS[0], "from_port": 8081}, *TASKS_INGRESS[1:]]),
        TASKS_RULES,
        *("ingress[tcp 8080 from web]", "ingress[tcp 8081 from web]"),
    ),
    update(
        "another protocol",
        set_in("security_groups", 1, ingress=[{**TASKS_INGRESS[0], "protocol": "udp"}, *TASKS_INGRESS[1:]]),
        TASKS_RULES,
        *("ingress[tcp 8080 from web]", "ingress[udp 8080 from web]"),
    ),
    update(
        "everything out",
        set_in("security_groups", 0, egress=[{"protocol": "all", "cidr_blocks": ["0.0.0.0/0"]}]),
        WEB_RULES,
        *("egress[tcp 8080 to tasks]", "egress[all traffic to 0.0.0.0/0]"),
    ),
    update(
        "egress of a group that had AWS's own",
        set_in("security_groups", 1, egress=[{"from_port": 443, "cidr_blocks": ["0.0.0.0/0"]}]),
        TASKS_RULES,
        *("egress[tcp 443 to 0.0.0.0/0]", "egress[all traffic to 0.0.0.0/0]"),
        back=False,
    ),
]


def zone_c(network: Network) -> None:
    network["subnets"] = [subnet("public-c", 2, "c", True), subnet("private-c", 12, "c", False), *network["subnets"]]


NAT_UPDATES = [
    update(
        "another target of a route",
        set_in("route_tables", 0, "routes", 0, nat_gateway="net-nat-us-east-1b"),
        "route_table/further",
        "Routes[192.168.0.0/16]",
        base=NAT,
    ),
    update(
        "another kind of target of a route",
        set_in("route_tables", 0, "routes", 0, nat_gateway=None, internet_gateway="net"),
        "route_table/further",
        "Routes[192.168.0.0/16]",
        base=NAT,
    ),
    update(
        "a further zone leaves the others alone",
        zone_c,
        "nat_gateway/net-nat-us-east-1c",
        *("SubnetId", "AllocationId"),
        base=NAT,
        action="create",
        consequences=[
            *("subnet/public-c", "subnet/private-c", "elastic_ip/net-nat-us-east-1c"),
            *("route_table/net-private-us-east-1c", TABLE),
        ],
    ),
    update(
        "a further public subnet of the zone does not move the gateway",
        lambda network: network["subnets"].insert(0, subnet("public-a2", 2, "a", True)),
        TABLE,
        "Associations[public-a2]",
        base=NAT,
        consequences=["subnet/public-a2"],
        back=False,
    ),
    update(
        "the gateway's subnet replaced, its address kept",
        set_in("subnets", 0, cidr_block="10.0.5.0/24"),
        "nat_gateway/net-nat-us-east-1a",
        "SubnetId",
        base=NAT,
        action="replace",
        consequences=["subnet/public-a", TABLE, "route_table/net-private-us-east-1a", "route_table/further"],
    ),
]
TENANCY = changed(BASE, set_in("vpc", instance_tenancy="dedicated", enable_dns_hostnames=False))
CASES = [
    {
        "id": "network",
        "kind": "vpc",
        "also": ["internet_gateway", "subnet", "route_table", "security_group", "security_group_rules"],
        "declared": declared(BASE),
        "updates": [*VPC_UPDATES, *SUBNET_UPDATES, *ROUTE_UPDATES, *GROUP_UPDATES],
    },
    {
        "id": "dedicated VPC",
        "kind": "vpc",
        "declared": declared(TENANCY),
        "updates": [
            update(
                "default tenancy",
                set_in("vpc", instance_tenancy="default"),
                VPC,
                "InstanceTenancy",
                base=TENANCY,
                back=False,
            ),
            update("no DNS support", set_in("vpc", enable_dns_support=False), VPC, "EnableDnsSupport", base=TENANCY),
        ],
    },
    {
        "id": "NAT in each zone",
        "kind": "nat_gateway",
        "also": ["elastic_ip"],
        "declared": declared(NAT),
        "updates": NAT_UPDATES,
    },
    {
        "id": "one NAT",
        "kind": "nat_gateway",
        "declared": declared(changed(NAT, lambda network: network.update(nat="single", route_tables=[]))),
    },
]
