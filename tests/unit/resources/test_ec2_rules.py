# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of security groups: one form, their differences in words, the shape that the API takes."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference, Ref, Unknown
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ec2_rules as rules
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_security_groups import SecurityGroupRules

KIND = SecurityGroupRules()
HTTP = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIpv4": "0.0.0.0/0", "Description": "HTTP"}
# As DescribeSecurityGroupRules gives it.
OBSERVED_HTTP = {
    "SecurityGroupRuleId": "sgr-1",
    "GroupId": "sg-1",
    "GroupOwnerId": "123456789012",
    "IsEgress": False,
    "Tags": [],
    **HTTP,
}
UNKNOWN = Unknown.of(Ref("security_group", "web"))
EQUAL = {
    "ports as text": ({"FromPort": "80", "ToPort": "80"}, {}),
    "protocol number": ({"IpProtocol": "6"}, {}),
    "capital letters": ({"IpProtocol": "TCP"}, {}),
    "icmp by number": (
        {"IpProtocol": 1, "FromPort": 8, "ToPort": -1},
        {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1},
    ),
    "all": (
        {"IpProtocol": "all", "FromPort": None, "ToPort": None},
        {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1},
    ),
    "a protocol without ports": (
        {"IpProtocol": 50, "FromPort": None, "ToPort": None},
        {"IpProtocol": "50", "FromPort": -1, "ToPort": -1},
    ),
    "IPv6 forms": (
        {"CidrIpv4": None, "CidrIpv6": "2001:DB8:0::/32"},
        {"CidrIpv4": None, "CidrIpv6": "2001:db8::/32"},
    ),
    "no description declared": ({"Description": None}, {"Description": "made by hand"}),
}


@pytest.mark.parametrize(("declared", "observed"), EQUAL.values(), ids=EQUAL)
def test_forms_that_mean_the_same_are_no_difference(declared, observed):
    desired = KIND.canonical({"ingress": [{**HTTP, **declared}]})
    there = KIND.canonical({"ingress": [{**OBSERVED_HTTP, **observed}], "egress": []})
    assert KIND.differences(desired, there, {}) == []


def test_the_order_of_rules_means_nothing():
    other = {**HTTP, "FromPort": 443, "ToPort": 443}
    assert KIND.canonical({"ingress": [HTTP, other]}) == KIND.canonical({"ingress": [other, HTTP]})


@pytest.mark.parametrize(
    ("rule", "direction", "words"),
    [
        ({}, "ingress", "tcp 80 from 0.0.0.0/0"),
        ({}, "egress", "tcp 80 to 0.0.0.0/0"),
        ({"ToPort": 90}, "ingress", "tcp 80-90 from 0.0.0.0/0"),
        ({"FromPort": 0, "ToPort": 65535}, "ingress", "tcp all ports from 0.0.0.0/0"),
        ({"IpProtocol": "-1"}, "egress", "all traffic to 0.0.0.0/0"),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, "ingress", "icmp type 8 from 0.0.0.0/0"),
        ({"IpProtocol": "icmp", "FromPort": 3, "ToPort": 4}, "ingress", "icmp type 3 code 4 from 0.0.0.0/0"),
        ({"IpProtocol": "50"}, "ingress", "protocol 50 from 0.0.0.0/0"),
        ({"CidrIpv4": None, "PrefixListId": "pl-1"}, "ingress", "tcp 80 from pl-1"),
        ({"CidrIpv4": None, "ReferencedGroupId": "sg-9", "ReferencedGroupName": "web"}, "ingress", "tcp 80 from web"),
    ],
)
def test_words(rule, direction, words):
    assert rules.words(rules.canonical({**HTTP, **rule}), direction) == words


def test_undeclared_rules_of_a_declared_direction_are_removed_and_the_other_direction_is_left_alone():
    there = KIND.canonical({"ingress": [OBSERVED_HTTP], "egress": [{**OBSERVED_HTTP, "IsEgress": True}]})
    found = KIND.differences(KIND.canonical({"ingress": []}), there, {})
    assert found == [Difference("ingress[tcp 80 from 0.0.0.0/0]", "HTTP", None)]


def test_another_description_is_a_difference_of_its_own():
    desired = KIND.canonical({"ingress": [{**HTTP, "Description": "Web"}]})
    found = KIND.differences(desired, KIND.canonical({"ingress": [OBSERVED_HTTP]}), {})
    assert found == [Difference("ingress[tcp 80 from 0.0.0.0/0].Description", "HTTP", "Web")]


def test_a_rule_whose_group_is_replaced_is_one_difference():
    def rule(group):
        return {**HTTP, "CidrIpv4": None, "ReferencedGroupId": group, "ReferencedGroupName": "web"}

    desired, there = KIND.canonical({"ingress": [rule(UNKNOWN)]}), KIND.canonical({"ingress": [rule("sg-old")]})
    found = KIND.differences(desired, there, {})
    assert found == [Difference("ingress[tcp 80 from web]", "sg-old: HTTP", f"{UNKNOWN}: HTTP")]


def test_a_group_named_by_its_id_is_the_same_as_by_its_name():
    by_id = {**HTTP, "CidrIpv4": None, "ReferencedGroupId": "sg-9", "ReferencedGroupName": "sg-9"}
    by_name = {**by_id, "ReferencedGroupName": "web"}
    assert KIND.differences(KIND.canonical({"ingress": [by_id]}), KIND.canonical({"ingress": [by_name]}), {}) == []


@pytest.mark.parametrize(
    ("rule", "permission"),
    [
        (HTTP, {"FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "HTTP"}]}),
        (
            {"IpProtocol": "-1", "ReferencedGroupId": "sg-9", "ReferencedGroupName": "web"},
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-9"}]},
        ),
        (
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "CidrIpv6": "::/0"},
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
        ),
        (
            {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "PrefixListId": "pl-1"},
            {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "PrefixListIds": [{"PrefixListId": "pl-1"}]},
        ),
    ],
)
def test_the_shape_that_the_api_takes(rule, permission):
    assert rules.permission(rules.canonical(rule)) == {"IpProtocol": "tcp", **permission}
