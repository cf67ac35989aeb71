# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer network: from declarations to resources, and every bad input refused."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import base
from ansible_collections.dockyard.aws.plugins.module_utils.layers.network import Network
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref

LAYER = Network()
ENVIRONMENT = base.Environment("test", "us-east-1", "123456789012", tags={"Project": "test"})
HTTP = {"from_port": 80, "cidr_blocks": ["0.0.0.0/0"]}


def subnet(name, number, zone, public=False, **more):
    block = f"10.0.{number}.0/24"
    return {"name": name, "cidr_block": block, "availability_zone": f"us-east-1{zone}", "public": public, **more}


PUBLIC = [subnet("public-a", 0, "a", True), subnet("public-b", 1, "b", True)]
PRIVATE = [subnet("private-a", 10, "a"), subnet("private-b", 11, "b")]
BASE = {
    "vpc": {"name": "net", "cidr_block": "10.0.0.0/16"},
    "internet_gateway": {"name": "net"},
    "subnets": PUBLIC,
    "security_groups": [{"name": "web", "description": "Web", "ingress": [HTTP]}],
}


def options(**changes):
    return copy.deepcopy({**BASE, **changes})


def parsed(value):
    declaration, problems = base.parse(LAYER, "platform", value)
    assert problems == []
    return declaration


def made(**changes):
    return {str(item.address): item for item in LAYER.resources(parsed(options(**changes)), ENVIRONMENT)}


def problems_of(value):
    return [str(problem) for problem in LAYER.validate([parsed(value)], ENVIRONMENT)]


def group(**changes):
    return options(security_groups=[{"name": "web", "description": "Web", **changes}])


def rule(**changes):
    return group(ingress=[{**HTTP, **changes}])


def table(routes=(), **more):
    return options(route_tables=[{"name": "own", "routes": list(routes), **more}])


def test_a_plain_declaration_has_no_problem():
    assert problems_of(options()) == []
    assert problems_of(options(subnets=[*PUBLIC, *PRIVATE], nat="one_per_zone")) == []


def test_what_a_plain_declaration_makes():
    assert sorted(made()) == [
        "internet_gateway/net",
        "route_table/net-public",
        "security_group/web",
        "security_group_rules/web",
        "subnet/public-a",
        "subnet/public-b",
        "vpc/net",
    ]


def test_names_are_tags_and_everything_lies_in_the_vpc():
    found = made()
    assert found["subnet/public-a"].tags == {"Project": "test", "Name": "public-a"}
    inside = [item for address, item in found.items() if not address.startswith(("vpc/", "security_group_rules/"))]
    assert {item.scope["VpcId"].address for item in inside} == {("vpc", "net")}


def test_public_subnets_share_one_table_with_a_route_to_the_gateway():
    properties = made(subnets=[*PUBLIC, *PRIVATE])["route_table/net-public"].properties
    assert properties["Routes"]["0.0.0.0/0"]["GatewayId"].address == ("internet_gateway", "net")
    assert list(properties["Associations"]) == ["public-a", "public-b"]


def test_what_lies_in_a_public_subnet_has_the_gateway_before_and_after_it():
    found = made(subnets=[*PUBLIC, *PRIVATE])
    assert [ref.address for ref in found["subnet/public-a"].depends_on] == [("internet_gateway", "net")]
    assert found["subnet/private-a"].depends_on == ()


def test_a_gateway_in_each_zone():
    found = made(subnets=[*PUBLIC, *PRIVATE], nat="one_per_zone")
    for zone in ("us-east-1a", "us-east-1b"):
        gateway, private = found[f"nat_gateway/net-nat-{zone}"], found[f"route_table/net-private-{zone}"]
        assert [ref.name for ref in gateway.properties["SubnetIds"]] == [f"public-{zone[-1]}"]
        assert gateway.properties["AllocationId"].address == ("elastic_ip", f"net-nat-{zone}")
        assert private.properties["Routes"]["0.0.0.0/0"]["NatGatewayId"].name == f"net-nat-{zone}"
        assert list(private.properties["Associations"]) == [f"private-{zone[-1]}"]


def test_one_gateway_for_all():
    found = made(subnets=[*PUBLIC, *PRIVATE], nat="single")
    assert [ref.name for ref in found["nat_gateway/net-nat"].properties["SubnetIds"]] == ["public-a", "public-b"]
    assert list(found["route_table/net-private"].properties["Associations"]) == ["private-a", "private-b"]


def test_a_further_zone_changes_nothing_of_the_others():
    before = made(subnets=[*PUBLIC, *PRIVATE], nat="one_per_zone")
    more = [subnet("public-c", 2, "c", True), subnet("private-c", 12, "c")]
    after = made(subnets=[*more, *PUBLIC, *PRIVATE], nat="one_per_zone")
    same = [address for address in before if address != "route_table/net-public"]
    assert [vars(after[address]) for address in same] == [vars(before[address]) for address in same]


def test_a_subnet_of_a_declared_table_is_in_no_automatic_one():
    found = made(route_tables=[{"name": "own", "subnets": ["public-b"], "routes": []}])
    assert list(found["route_table/net-public"].properties["Associations"]) == ["public-a"]
    assert list(found["route_table/own"].properties["Associations"]) == ["public-b"]


def test_an_existing_vpc_is_only_referred_to():
    found = made(vpc={"name": "net", "existing": True}, internet_gateway={"name": "net", "existing": True})
    assert "vpc/net" not in found
    assert "internet_gateway/net" not in found
    assert found["subnet/public-a"].scope["VpcId"] == Ref("vpc", "net", where="network.vpc")


def test_each_source_of_a_rule_is_a_rule_and_groups_may_name_each_other():
    groups = [
        {"name": "web", "ingress": [{**HTTP, "ipv6_cidr_blocks": ["::/0"], "security_groups": ["tasks", "web"]}]},
        {"name": "tasks", "ingress": [{"from_port": 1, "to_port": 9, "security_groups": ["web"]}]},
    ]
    found = made(security_groups=groups)
    web = found["security_group_rules/web"]
    assert [{**item, "ReferencedGroupId": 0} for item in web.properties["ingress"]] == [
        {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "ReferencedGroupId": 0, **source}
        for source in (
            {"CidrIpv4": "0.0.0.0/0"},
            {"CidrIpv6": "::/0"},
            {"ReferencedGroupName": "tasks"},
            {"ReferencedGroupName": "web"},
        )
    ]
    assert found["security_group_rules/tasks"].properties["ingress"][0]["ToPort"] == 9
    assert web.scope["GroupId"].address == ("security_group", "web")


def test_only_declared_directions_are_managed():
    assert list(made()["security_group_rules/web"].properties) == ["ingress"]
    assert "security_group_rules/web" not in made(security_groups=[{"name": "web"}])
    assert made(security_groups=[{"name": "web", "ingress": []}])["security_group_rules/web"].properties == {
        "ingress": []
    }


VALID = {
    "icmp": rule(protocol="icmp", from_port=8, to_port=-1),
    "all protocols": rule(protocol="-1", from_port=None),
    "protocol number": rule(protocol="50", from_port=None),
    "prefix list": rule(cidr_blocks=[], prefix_list_ids=["pl-1"]),
    "more rules where the quota is higher": {
        **group(ingress=[{"from_port": port, "cidr_blocks": ["0.0.0.0/0"]} for port in range(1, 62)]),
        "rules_per_security_group": 100,
    },
    "secondary block": options(
        vpc={"name": "net", "cidr_block": "10.0.0.0/16", "secondary_cidr_blocks": ["10.1.0.0/16"]},
        subnets=[subnet("a", 0, "a", cidr_block="10.1.0.0/24")],
    ),
    "local zone": options(subnets=[subnet("a", 0, "a", availability_zone="us-east-1-bos-1a")]),
    "routes": table(
        [
            {"destination_cidr_block": "0.0.0.0/0", "internet_gateway": "net"},
            {"destination_ipv6_cidr_block": "::/0", "egress_only_internet_gateway_id": "eigw-1"},
            {"destination_prefix_list_id": "pl-1", "transit_gateway_id": "tgw-1"},
        ]
    ),
}


@pytest.mark.parametrize("value", VALID.values(), ids=VALID)
def test_allowed(value):
    assert problems_of(value) == []


S, R = "network.subnets[a]", "network.security_groups[web].ingress[0]"
BAD = {
    "no CIDR block": (options(vpc={"name": "net"}), "network.vpc.cidr_block: is required"),
    "no CIDR block at all": (
        options(vpc={"name": "net", "cidr_block": "ten"}, subnets=[]),
        "network.vpc.cidr_block: 'ten' is no CIDR block",
    ),
    "VPC too large": (
        options(vpc={"name": "net", "cidr_block": "10.0.0.0/8"}),
        "prefix length of /8; AWS allows /16 to /28",
    ),
    "VPC too small": (options(vpc={"name": "net", "cidr_block": "10.0.0.0/29"}, subnets=[]), "prefix length of /29"),
    "host bits": (options(vpc={"name": "net", "cidr_block": "10.0.1.0/16"}), "did you mean 10.0.0.0/16?"),
    "no prefix length": (options(vpc={"name": "net", "cidr_block": "10.0.0.0"}, subnets=[]), "has no prefix length"),
    "IPv6 for IPv4": (options(vpc={"name": "net", "cidr_block": "2001:db8::/32"}, subnets=[]), "is an IPv6 CIDR block"),
    "overlapping blocks of the VPC": (
        options(vpc={"name": "net", "cidr_block": "10.0.0.0/16", "secondary_cidr_blocks": ["10.0.128.0/17"]}),
        "10.0.128.0/17 overlaps with 10.0.0.0/16",
    ),
    "an id as the name": (options(vpc={"name": "vpc-1", "cidr_block": "10.0.0.0/16"}), "is an id; give a name"),
    "an existing VPC with a block": (
        options(vpc={"name": "net", "existing": True, "cidr_block": "10.0.0.0/16"}),
        "network.vpc.cidr_block: cannot be given with existing: true",
    ),
    "host names without DNS": (
        options(vpc={**BASE["vpc"], "enable_dns_support": False}),
        "network.vpc.enable_dns_hostnames: true needs enable_dns_support: true",
    ),
    "subnet outside the VPC": (
        options(subnets=[subnet("a", 0, "a", cidr_block="10.1.0.0/24")]),
        f"{S}.cidr_block: 10.1.0.0/24 is outside the VPC's 10.0.0.0/16",
    ),
    "overlapping subnets": (
        options(subnets=[subnet("b", 0, "b", cidr_block="10.0.0.0/23"), subnet("a", 1, "a")]),
        f"{S}.cidr_block: 10.0.1.0/24 overlaps with 10.0.0.0/23 of b",
    ),
    "subnet too small": (options(subnets=[subnet("a", 0, "a", cidr_block="10.0.0.0/30")]), "prefix length of /30"),
    "subnet twice": (options(subnets=[subnet("a", 0, "a"), subnet("a", 1, "a")]), "the name 'a' is given 2 times"),
    "subnet with an id as its name": (options(subnets=[subnet("subnet-12ab", 0, "a")]), "looks like an id of AWS"),
    "empty name": (options(subnets=[subnet(" ", 0, "a")]), "must have 1 to 256 characters"),
    "zone of another region": (
        options(subnets=[subnet("a", 0, "a", availability_zone="eu-west-1a")]),
        f"{S}.availability_zone: 'eu-west-1a' is no zone of the region us-east-1",
    ),
    "the region as zone": (
        options(subnets=[subnet("a", 0, "a", availability_zone="us-east-1")]),
        "is no zone of the region",
    ),
    "public without a gateway": (options(internet_gateway=None), "public: true needs network.internet_gateway"),
    "NAT without a public subnet": (options(subnets=PRIVATE, nat="single"), "single needs a public subnet"),
    "NAT without a public subnet in the zone": (
        options(subnets=[PUBLIC[0], *PRIVATE], nat="one_per_zone"),
        "network.nat: one_per_zone needs a public subnet in us-east-1b, where private-b is",
    ),
    "route without a target": (table([{"destination_cidr_block": "0.0.0.0/0"}]), "exactly one target"),
    "route with two targets": (
        table([{"destination_cidr_block": "0.0.0.0/0", "internet_gateway": "net", "nat_gateway": "x"}]),
        "got internet_gateway and nat_gateway",
    ),
    "route without a destination": (table([{"internet_gateway": "net"}]), "exactly one of destination_cidr_block"),
    "route to a wrong block": (
        table([{"destination_cidr_block": "10.0.0.1/8", "internet_gateway": "net"}]),
        "did you mean 10.0.0.0/8?",
    ),
    "route to a wrong id": (
        table([{"destination_cidr_block": "10.9.0.0/16", "transit_gateway_id": "igw-1"}]),
        "transit_gateway_id: 'igw-1' must be an id that begins with tgw-",
    ),
    "one destination twice": (
        table([{"destination_cidr_block": "0.0.0.0/0", "internet_gateway": "net"}] * 2),
        "the destination 0.0.0.0/0 is given 2 times",
    ),
    "a subnet in two tables": (
        options(route_tables=[{"name": "one", "subnets": ["public-a"]}, {"name": "two", "subnets": ["public-a"]}]),
        "subnet 'public-a' can have one route table, and is named in one, two",
    ),
    "the name of an automatic table": (
        options(route_tables=[{"name": "net-public", "subnets": ["public-a"]}]),
        "has the name of the automatic route table",
    ),
    "group named as an id": (options(security_groups=[{"name": "sg-web"}]), "must not begin with sg-"),
    "characters in a group's name": (options(security_groups=[{"name": "wéb"}]), "has characters that AWS refuses (é)"),
    "characters in a description": (
        group(description="a < b"),
        "description: 'a < b' has characters that AWS refuses (<)",
    ),
    "group name too long": (options(security_groups=[{"name": "w" * 249}]), "must have 1 to 248 characters, has 249"),
    "empty description": (group(description=""), "must have 1 to 255 characters, has 0"),
    "rule without a source": (rule(cidr_blocks=[]), f"{R}: names no source"),
    "no port": (rule(from_port=None), f"{R}.from_port: is required with protocol tcp"),
    "port too high": (rule(from_port=70000), "70000 is no port; ports are 0 to 65535"),
    "ports the wrong way": (rule(from_port=90, to_port=80), "from_port 90 is greater than to_port 80"),
    "no such protocol": (rule(protocol="http"), f"{R}.protocol: 'http' is none of tcp, udp, icmp, icmpv6, -1, all"),
    "no such protocol number": (rule(protocol="300"), "'300' is none of"),
    "ports for all protocols": (rule(protocol="-1"), "protocol -1 has no ports"),
    "icmp without a type": (rule(protocol="icmp", from_port=None), "is the icmp type: 0 to 255, or -1 for all"),
    "icmp with all types and one code": (rule(protocol="icmp", from_port=-1, to_port=3), "to_port: must be -1"),
    "no CIDR block in a rule": (rule(cidr_blocks=["anywhere"]), f"{R}.cidr_blocks: 'anywhere' is no CIDR block"),
    "address without a length": (rule(cidr_blocks=["10.0.0.1"]), "for one address write 10.0.0.1/32"),
    "IPv4 among IPv6": (rule(ipv6_cidr_blocks=["10.0.0.0/8"]), "is an IPv4 CIDR block, wanted is IPv6"),
    "no prefix list": (rule(prefix_list_ids=["s3"]), "'s3' must be an id that begins with pl-"),
    "one rule twice": (group(ingress=[HTTP, {**HTTP, "description": "x"}]), "tcp 80 for 0.0.0.0/0 is given 2 times"),
    "too many rules": (
        group(ingress=[{"from_port": 80, "cidr_blocks": [f"10.0.{number}.0/24" for number in range(61)]}]),
        "has 61 rules (each source counts), the quota is 60",
    ),
}


@pytest.mark.parametrize(("value", "message"), BAD.values(), ids=BAD)
def test_refused(value, message):
    found = problems_of(value)
    assert any(message in problem for problem in found), found
    assert all(problem.startswith("platform: network.") for problem in found)


def test_everything_wrong_is_said_at_once():
    value = options(
        vpc={"name": "net", "cidr_block": "10.0.0.0/8"},
        subnets=[subnet("a", 0, "a", cidr_block="172.16.0.0/24", availability_zone="x")],
        security_groups=[{"name": "sg-x", "ingress": [{"protocol": "http"}]}],
    )
    assert len(problems_of(value)) == 6


@pytest.mark.parametrize(
    "value",
    [
        {**BASE, "vpcs": []},
        {**BASE, "nat": "two"},
        {key: value for key, value in BASE.items() if key != "vpc"},
        {**BASE, "subnets": [{"name": "a", "cidr_block": "10.0.0.0/24"}]},
        {**BASE, "security_groups": [{"name": "web", "ingress": [{"from_port": "http", "cidr_blocks": ["::/0"]}]}]},
        {**BASE, "security_groups": [{"name": "web", "ingress": [{"port": 80}]}]},
        ["net"],
    ],
)
def test_refused_by_the_argument_spec(value):
    _declaration, problems = base.parse(LAYER, "platform", value)
    assert problems


def test_warnings():
    def warnings(**changes):
        return [warning.variable for warning in LAYER.warn([parsed(options(**changes))], {})]

    assert warnings() == []
    assert warnings(nat="single") == ["network.nat"]
    assert warnings(vpc={**BASE["vpc"], "enable_dns_hostnames": False}) == ["network.vpc.enable_dns_hostnames"]


def test_a_vpc_may_be_called_like_the_beginning_of_an_id():
    assert problems_of(options(vpc={**BASE["vpc"], "name": "vpc-prod"})) == []


DEFAULT = {"vpc": {"default": True}, "security_groups": BASE["security_groups"]}


def test_in_the_default_vpc_only_security_groups_are_made():
    found = {str(item.address): item for item in LAYER.resources(parsed(copy.deepcopy(DEFAULT)), ENVIRONMENT)}
    assert sorted(found) == ["security_group/web", "security_group_rules/web"]
    group = found["security_group/web"]
    assert group.scope["VpcId"].address == ("vpc", "default")
    assert [ref.name for ref in group.depends_on] == ["default-1", "default-2"]
    assert problems_of(copy.deepcopy(DEFAULT)) == []


@pytest.mark.parametrize(("number", "names"), [(0, []), (3, ["default-1", "default-2", "default-3"])])
def test_as_many_default_subnets_as_are_asked_for(number, names):
    found = list(LAYER.resources(parsed({**copy.deepcopy(DEFAULT), "default_subnets": number}), ENVIRONMENT))
    assert [ref.name for ref in found[0].depends_on] == names


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vpc": {"default": True, "name": "main"}}, "network.vpc.name: the default VPC has the name 'default'"),
        (
            {"vpc": {"default": True, "cidr_block": "10.0.0.0/16"}},
            "network.vpc.cidr_block: cannot be given with default",
        ),
        ({"vpc": {"default": True, "tags": {"a": "b"}}}, "network.vpc.tags: cannot be given with default: true"),
        (
            {"subnets": PUBLIC[:1], "internet_gateway": {"name": "x"}},
            "network.subnets: cannot be given with vpc.default",
        ),
        ({"internet_gateway": {"name": "net"}}, "network.internet_gateway: cannot be given with vpc.default: true"),
        ({"route_tables": [{"name": "own"}]}, "network.route_tables: cannot be given with vpc.default: true"),
        ({"nat": "single"}, "network.nat: cannot be given with vpc.default: true"),
        ({"default_subnets": 27}, "network.default_subnets: must be between 0 and 26, got 27"),
        ({"vpc": {}}, "network.vpc.name: is required, unless default: true refers to the region's default VPC"),
        (
            {"vpc": {"name": "default", "cidr_block": "10.0.0.0/16"}},
            "network.vpc.name: 'default' means the region's default VPC; choose another name",
        ),
        (
            {"vpc": {"name": "net", "cidr_block": "10.0.0.0/16"}, "default_subnets": 2},
            "network.default_subnets: needs network.vpc.default: true",
        ),
    ],
)
def test_what_does_not_go_with_the_default_vpc_is_refused(changes, message):
    found = problems_of(copy.deepcopy({**DEFAULT, **changes}))
    assert [text for text in found if message in text], found


@pytest.mark.parametrize("name", ["default-1", "default-us-east-1a"])
def test_names_of_default_subnets_are_taken(name):
    found = problems_of(options(subnets=[subnet(name, 0, "a", True)]))
    assert found == [f"platform: network.subnets: the name {name!r} means a default subnet; choose another one"]
