# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of VPCs, subnets, routes and security groups."""

from __future__ import annotations

import pytest

from .stack import Imported, group, resource, subnet, vpc

GATEWAY = resource("aws_internet_gateway", "main", {"id": "igw-1", "vpc_id": "vpc-1", "tags_all": {"Name": "main"}})


def table(name, routes=(), **more):
    attributes = {"id": f"rtb-{name}", "vpc_id": "vpc-1", "route": list(routes), "tags_all": {"Name": name}}
    return resource("aws_route_table", name, attributes | more)


def route(of, destination="0.0.0.0/0", **target):
    return resource("aws_route", of, {"route_table_id": f"rtb-{of}", "destination_cidr_block": destination, **target})


def association(of, letter):
    attributes = {"route_table_id": f"rtb-{of}", "subnet_id": f"subnet-{letter}"}
    return resource("aws_route_table_association", f"{of}-{letter}", attributes)


def public(name="main-public"):
    return [GATEWAY, table(name), route(name, gateway_id="igw-1"), association(name, "a")]


def test_a_table_that_the_layer_would_make_itself_is_not_written(tmp_path):
    imported = Imported(vpc(), subnet("a", map_public_ip_on_launch=True), *public())
    assert imported.declared("network") == {
        "vpc": {"name": "main", "cidr_block": "10.0.0.0/16"},
        "internet_gateway": {"name": "main"},
        "subnets": [{"name": "main-a", "cidr_block": "10.0.0.0/24", "availability_zone": "us-east-1a", "public": True}],
    }
    assert "route_table/main-public" in imported.validate(tmp_path)
    assert imported.unmapped() == {}


def test_any_other_table_is_written(tmp_path):
    imported = Imported(
        vpc(),
        subnet("a"),
        subnet("b"),
        *public("web"),
        table("inner", [{"cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-9"}]),
        association("inner", "b"),
    )
    declared = imported.declared("network")
    assert declared["route_tables"] == [
        {
            "name": "web",
            "subnets": ["main-a"],
            "routes": [{"destination_cidr_block": "0.0.0.0/0", "internet_gateway": "main"}],
        },
        {
            "name": "inner",
            "subnets": ["main-b"],
            "routes": [{"destination_cidr_block": "0.0.0.0/0", "nat_gateway": "nat-9"}],
        },
    ]
    assert declared["subnets"][0] == {
        "name": "main-a",
        "cidr_block": "10.0.0.0/24",
        "availability_zone": "us-east-1a",
        "public": True,
        "map_public_ip_on_launch": False,
    }
    assert imported.report.notes == ["nat-9 is not in this state, and named as it is by aws_route_table.inner"]
    assert {"route_table/web", "route_table/inner"} <= set(imported.validate(tmp_path))


def test_what_has_no_name_is_left_alone_and_referred_to_by_its_id(tmp_path):
    association = {"id": "x", "subnet_id": "subnet-a", "route_table_id": "rtb-1"}
    imported = Imported(
        vpc(tags_all={}),
        subnet("a", tags_all={}),
        group("web"),
        resource("aws_route_table", "t", {"id": "rtb-1", "vpc_id": "vpc-1", "tags_all": {"Name": "rtb-public"}}),
        resource("aws_route_table_association", "t", association),
    )
    declared = imported.declared("network")
    assert declared["vpc"] == {"name": "vpc-1", "existing": True}
    assert "subnets" not in declared
    assert [item["name"] for item in declared["security_groups"]] == ["web"]
    assert declared["route_tables"] == [{"name": "rtb-public", "subnets": ["subnet-a"]}]
    assert imported.unmapped().keys() == {"aws_vpc.main", "aws_subnet.a"}
    assert "give it one with Terraform" in imported.unmapped()["aws_vpc.main"]
    imported.validate(tmp_path)


@pytest.mark.parametrize("names", [("x", "x"), ("sg-x", "sg-y")])
def test_a_name_that_two_have_or_that_looks_like_an_id_names_none(names, tmp_path):
    tagged = [group(letter, tags_all={"Name": name}) for letter, name in zip("ab", names, strict=True)]
    imported = Imported(vpc(), subnet("a"), *tagged)
    assert "security_groups" not in imported.declared("network")
    assert imported.unmapped().keys() == {"aws_security_group.a", "aws_security_group.b"}
    imported.validate(tmp_path)


def test_a_group_name_that_is_a_name_tag_too_names_neither():
    groups = [group("web"), group("other", tags_all={"Name": "web"})]
    assert Imported(vpc(), *groups).unmapped().keys() == {"aws_security_group.web", "aws_security_group.other"}


def test_names_that_only_begin_like_an_id_are_names(tmp_path):
    imported = Imported(vpc(tags_all={"Name": "vpc-prod"}), subnet("a", tags_all={"Name": "subnet-public-1"}))
    assert imported.unmapped() == {}
    assert {"vpc/vpc-prod", "subnet/subnet-public-1"} <= set(imported.validate(tmp_path))


def test_further_vpcs_have_hosts_of_their_own_whatever_their_names_are():
    names = {"vpc-1": "main", "vpc-2": "../../x y", "vpc-3": "x/y"}
    items = [vpc(id=key, arn=None, tags_all={"Name": name}) for key, name in names.items()]
    imported = Imported(*[{**item, "name": f"v{number}"} for number, item in enumerate(items)])
    assert imported.hosts() == ["shop", "shop-vpc-3", "shop-x-y"]


def test_a_vpc_of_somebody_else_is_only_referred_to(tmp_path):
    imported = Imported(group("web", tags_all={"Name": "shop-web"}))
    declared = imported.declared("network")
    assert declared["vpc"] == {"name": "vpc-1", "existing": True}
    assert declared["security_groups"] == [{"name": "shop-web", "description": "Managed by Terraform"}]
    assert imported.validate(tmp_path) == ["security_group/shop-web"]


def rule(direction, **attributes):
    kind = f"aws_vpc_security_group_{direction}_rule"
    return resource(kind, "x", {"security_group_id": "sg-web", "ip_protocol": "tcp", **attributes})


def old_rule(**attributes):
    return resource("aws_security_group_rule", "x", {"security_group_id": "sg-web", "protocol": "tcp", **attributes})


INLINE = {"protocol": "tcp", "from_port": 80, "to_port": 80, "self": False, "security_groups": []}
RULES = {
    "inline, several sources": (
        [group("web", ingress=[{**INLINE, "cidr_blocks": ["10.0.0.0/8", "1.2.3.4/32"]}])],
        {"ingress": [{"from_port": 80, "cidr_blocks": ["1.2.3.4/32", "10.0.0.0/8"]}]},
    ),
    "inline, from itself": (
        [group("web", ingress=[{**INLINE, "protocol": "-1", "from_port": 0, "to_port": 0, "self": True}])],
        {"ingress": [{"protocol": "-1", "security_groups": ["web"]}]},
    ),
    "beside, one source each": (
        [
            group("web"),
            group("lb"),
            rule("ingress", from_port=80, to_port=81, cidr_ipv4="10.0.0.0/8", description="HTTP"),
            rule("ingress", from_port=80, to_port=81, cidr_ipv6="::/0", description="HTTP"),
            rule("ingress", from_port=443, to_port=443, referenced_security_group_id="sg-lb"),
        ],
        {
            "ingress": [
                {
                    "from_port": 80,
                    "to_port": 81,
                    "description": "HTTP",
                    "cidr_blocks": ["10.0.0.0/8"],
                    "ipv6_cidr_blocks": ["::/0"],
                },
                {"from_port": 443, "security_groups": ["lb"]},
            ]
        },
    ),
    "of old": (
        [
            group("web"),
            old_rule(type="ingress", from_port=22, to_port=22, cidr_blocks=["10.0.0.0/8"]),
            old_rule(type="egress", from_port=53, to_port=53, protocol="udp", source_security_group_id="sg-other"),
        ],
        {
            "ingress": [{"from_port": 22, "cidr_blocks": ["10.0.0.0/8"]}],
            "egress": [{"protocol": "udp", "from_port": 53, "security_groups": ["sg-other"]}],
        },
    ),
    "both ways, said twice": (
        [
            group("web", ingress=[{**INLINE, "cidr_blocks": ["10.0.0.0/8"]}]),
            rule("ingress", from_port=80, to_port=80, cidr_ipv4="10.0.0.0/8"),
        ],
        {"ingress": [{"from_port": 80, "cidr_blocks": ["10.0.0.0/8"]}]},
    ),
    "everything out, which is so anyway": (
        [group("web"), rule("egress", ip_protocol="-1", cidr_ipv4="0.0.0.0/0")],
        {},
    ),
}


@pytest.mark.parametrize(("resources", "expected"), RULES.values(), ids=RULES)
def test_rules(resources, expected, tmp_path):
    imported = Imported(vpc(), *resources)
    declared = {item["name"]: item for item in imported.declared("network")["security_groups"]}["web"]
    assert {name: declared[name] for name in declared if name in ("ingress", "egress")} == expected
    assert imported.unmapped() == {}
    assert imported.left() == set()
    imported.validate(tmp_path)


def test_what_has_no_layer_or_no_parent_is_reported():
    nat = resource("aws_nat_gateway", "x", {"id": "nat-1", "subnet_id": "subnet-a", "tags_all": {"Name": "x"}})
    acl = resource("aws_network_acl", "x", {"id": "acl-1", "vpc_id": "vpc-1"})
    lost = route("elsewhere", gateway_id="igw-1")
    unmapped = Imported(vpc(), nat, acl, lost).unmapped()
    assert "routes refer to it" in unmapped["aws_nat_gateway.x"]
    assert "stays with Terraform" in unmapped["aws_network_acl.x"]
    assert "is not in this state" in unmapped["aws_route.elsewhere"]


def test_attributes_that_no_option_says_are_reported():
    imported = Imported(vpc(assign_generated_ipv6_cidr_block=True), subnet("a", ipv6_native=True))
    assert imported.left() == {("aws_vpc.main", "assign_generated_ipv6_cidr_block"), ("aws_subnet.a", "ipv6_native")}


def test_the_default_vpc_and_its_subnets_have_names_of_their_own():
    read = resource("aws_vpc", "default", {"id": "vpc-1", "default": True}, mode="data")
    inside = {"id": "subnet-d", "default_for_az": True, "availability_zone": "us-east-1a"}
    balancer = {"id": "x", "name": "front", "load_balancer_type": "application", "subnets": ["subnet-d", "subnet-e"]}
    imported = Imported(
        read,
        resource("aws_subnet", "default", inside, mode="data"),
        group("web"),
        resource("aws_lb", "front", {**balancer, "security_groups": ["sg-web"]}),
    )
    assert imported.declared("network")["vpc"] == {"default": True}
    assert imported.declared("alb")["load_balancers"][0]["subnets"] == ["default-us-east-1a", "subnet-e"]
    assert [note for note in imported.report.notes if "vpc-1" in note or "subnet-d" in note] == []
