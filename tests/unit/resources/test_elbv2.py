# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancing kinds: what is declared and what AWS answers come to one form; differences are exact."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Answers, Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Ref,
    Resource,
    Unknown,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import elbv2_handover as handover
from ansible_collections.dockyard.aws.plugins.module_utils.resources import elbv2_target_groups as target_groups
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_common import (
    changed_attributes,
    full_name,
    later_tags_of,
    tags_of,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_listeners import Listener
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_load_balancers import LoadBalancer
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_rules import ListenerRule
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_target_groups import TargetGroup

PREFIX = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
OLD, NEW = f"{PREFIX}targetgroup/web-aaaaaa/1", f"{PREFIX}targetgroup/web-bbbbbb/2"
UNKNOWN = Unknown.of(Ref("target_group", "web", "arn"))


def connected(elbv2, answers=None):
    return SimpleNamespace(client=lambda service: elbv2, answers=answers)


def forward(**weights):
    groups = [{"TargetGroupArn": {"old": OLD, "new": NEW}[name], "Weight": weight} for name, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def differences(kind, declared, observed):
    return [item.path for item in kind.differences(kind.canonical(declared), kind.canonical(observed), {})]


SAME = {
    "subnets and groups in another order": (
        LoadBalancer(),
        {"Subnets": ["subnet-2", "subnet-1"], "SecurityGroups": ["sg-2", "sg-1"]},
        {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroups": ["sg-1", "sg-2"]},
    ),
    "attributes are texts": (
        LoadBalancer(),
        {"Attributes": {"idle_timeout.timeout_seconds": 60, "routing.http2.enabled": True}},
        {"Attributes": {"idle_timeout.timeout_seconds": "60", "routing.http2.enabled": "true", "other": "x"}},
    ),
    "numbers and blanks of a target group": (
        TargetGroup(),
        {"Port": "80", "HealthCheckPort": 8080, "Matcher": {"HttpCode": "200, 302"}},
        {"Port": 80, "HealthCheckPort": "8080", "Matcher": {"HttpCode": "200,302"}},
    ),
    "a bare target group": (
        Listener(),
        {"DefaultActions": [forward(old=1)]},
        {"DefaultActions": [{"Type": "forward", "TargetGroupArn": OLD, "Order": 1}]},
    ),
    "the weight of an only group": (
        ListenerRule(),
        {"Actions": [forward(old=5)]},
        {
            "Actions": [
                {
                    "Type": "forward",
                    "TargetGroupArn": OLD,
                    "ForwardConfig": {
                        "TargetGroups": [{"TargetGroupArn": OLD, "Weight": 1}],
                        "TargetGroupStickinessConfig": {"Enabled": False},
                    },
                }
            ]
        },
    ),
    "a redirect with AWS's defaults": (
        ListenerRule(),
        {"Actions": [{"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}]},
        {
            "Actions": [
                {
                    "Type": "redirect",
                    "RedirectConfig": {
                        "Protocol": "HTTPS",
                        "Port": "#{port}",
                        "Host": "#{host}",
                        "Path": "/#{path}",
                        "Query": "#{query}",
                        "StatusCode": "HTTP_301",
                    },
                }
            ]
        },
    ),
    "the secret of an authentication": (
        Listener(),
        {
            "DefaultActions": [
                {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {"ClientId": "a", "ClientSecret": "s"}},
                forward(old=1),
            ]
        },
        {
            "DefaultActions": [
                {**forward(old=1), "Order": 2},
                {
                    "Type": "authenticate-oidc",
                    "Order": 1,
                    "AuthenticateOidcConfig": {
                        "ClientId": "a",
                        "SessionCookieName": "AWSELBAuthSessionCookie",
                        "Scope": "openid",
                        "SessionTimeout": 604800,
                        "OnUnauthenticatedRequest": "authenticate",
                    },
                },
            ]
        },
    ),
    "conditions in another order, in both places": (
        ListenerRule(),
        {
            "Priority": 10,
            "Conditions": [
                {"Field": "host-header", "HostHeaderConfig": {"Values": ["B.example.com", "a.example.com"]}},
                {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/web/*"]}},
            ],
        },
        {
            "Priority": "10",
            "Conditions": [
                {"Field": "path-pattern", "Values": ["/web/*"], "PathPatternConfig": {"Values": ["/web/*"]}},
                {"Field": "host-header", "Values": ["a.example.com", "b.example.com"]},
            ],
        },
    ),
    "client certificates that were never asked for": (
        Listener(),
        {"MutualAuthentication": {"Mode": "off"}},
        {"MutualAuthentication": {}},
    ),
    "extra certificates in another order": (
        Listener(),
        {"ExtraCertificateArns": ["b", "a"]},
        {"ExtraCertificateArns": ["a", "b"]},
    ),
}


@pytest.mark.parametrize(("kind", "declared", "observed"), SAME.values(), ids=SAME)
def test_the_same_in_another_form_is_no_difference(kind, declared, observed):
    assert differences(kind, declared, observed) == []


@pytest.mark.parametrize(
    ("kind", "declared", "observed", "paths"),
    [
        (
            LoadBalancer(),
            {"Attributes": {"waf.fail_open.enabled": True}},
            {"Attributes": {"waf.fail_open.enabled": "false"}},
            ["Attributes.waf.fail_open.enabled"],
        ),
        (TargetGroup(), {"Matcher": {"HttpCode": "200"}}, {"Matcher": {"HttpCode": "200-299"}}, ["Matcher.HttpCode"]),
        (ListenerRule(), {"Actions": [forward(old=1, new=1)]}, {"Actions": [forward(old=1, new=0)]}, ["Actions"]),
        (ListenerRule(), {"Priority": 1}, {"Priority": "2"}, ["Priority"]),
    ],
)
def test_a_difference_has_its_path(kind, declared, observed, paths):
    assert differences(kind, declared, observed) == paths


@pytest.mark.parametrize("name", ["Port", "Protocol", "ProtocolVersion", "VpcId", "TargetType", "IpAddressType"])
def test_what_a_target_group_cannot_change_replaces_it(name):
    found = TargetGroup().differences({name: "1"}, {name: "2"}, {})
    assert [item.replaces for item in found] == [True]


def test_a_value_not_known_yet_fits_every_canonical_form():
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": UNKNOWN, "Weight": 1}]}}]
    found = ListenerRule().differences(
        ListenerRule().canonical({"Actions": actions}), ListenerRule().canonical({"Actions": [forward(old=1)]}), {}
    )
    assert [item.path for item in ListenerRule().shown(found)] == ["Actions"]
    assert "known after apply" in ListenerRule().shown(found)[0].after[0]
    assert LoadBalancer().canonical({"Subnets": [UNKNOWN, "subnet-1"]})["Subnets"] == [UNKNOWN, "subnet-1"]


def test_actions_and_conditions_are_shown_as_short_texts():
    kind = ListenerRule()
    declared = kind.canonical(
        {
            "Actions": [forward(old=9, new=1)],
            "Conditions": [
                {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/b", "/a"]}},
                {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
            ],
        }
    )
    shown = {item.path: item.after for item in kind.shown(kind.differences(declared, {}, {}))}
    assert shown == {
        "Actions": ["forward to web-aaaaaa (weight 9), web-bbbbbb (weight 1)"],
        "Conditions": ["path-pattern: /a or /b", "query-string: v=2"],
    }


def test_attributes_that_aws_checks_together_are_sent_together():
    attributes = {
        "access_logs.s3.enabled": True,
        "access_logs.s3.bucket": "logs",
        "routing.http2.enabled": True,
        "routing.http.desync_mitigation_mode": "monitor",
    }
    found = LoadBalancer().differences(
        {"Attributes": attributes}, {"Attributes": {**attributes, "access_logs.s3.enabled": False}}, {}
    )
    assert changed_attributes(attributes, found) == {"access_logs.s3.enabled": True, "access_logs.s3.bucket": "logs"}


@pytest.mark.parametrize(
    ("arn", "expected"),
    [(f"{PREFIX}loadbalancer/app/web/1", "app/web/1"), (OLD, "targetgroup/web-aaaaaa/1")],
)
def test_full_names_are_those_of_metrics(arn, expected):
    assert full_name(arn) == expected


@pytest.mark.parametrize("name", ["web", "x" * 32, "a-name-that-ends-there-at--hyphens"[:32]])
def test_a_new_aws_name_is_valid_and_found_again(name):
    made = target_groups._new_name(name)
    assert len(made) <= 32
    assert "--" not in made.removeprefix(name[:25].rstrip("-"))
    assert target_groups._could_be(made, [Wanted(name)]) == name
    assert target_groups._could_be("somebody-elses", [Wanted(name)]) is None


def protected(declared, observed):
    resource = Resource("load_balancer", "web", {"Attributes": declared})
    return LoadBalancer().refuses_delete(resource, Observed("web", {"Attributes": observed}, {}))


def test_deletion_protection_is_told_before_anything_is_deleted():
    on = {"deletion_protection.enabled": "true"}
    assert "deletion_protection_enabled: false" in protected({"deletion_protection.enabled": True}, on)
    assert "deletion_protection_enabled: false" in protected({}, on)
    assert protected({"deletion_protection.enabled": False}, on) is None
    assert protected({"deletion_protection.enabled": True}, {"deletion_protection.enabled": "false"}) is None


def test_a_rule_that_somebody_deletes_meanwhile_is_no_hindrance():
    def describe_tags(ResourceArns):
        if "gone" in ResourceArns:
            raise ClientError({"Error": {"Code": "RuleNotFound", "Message": "gone"}}, "DescribeTags")
        return {"TagDescriptions": [{"ResourceArn": arn, "Tags": []} for arn in ResourceArns]}

    aws = connected(SimpleNamespace(describe_tags=describe_tags))
    assert tags_of(aws, ["ours", "gone", "theirs"]) == {"ours": {}, "theirs": {}}
    assert tags_of(aws, ["gone"]) == {}


def test_tags_that_can_wait_come_with_the_next_call():
    elbv2 = FakeElbv2({OLD}, set())
    aws = connected(elbv2, Answers())
    later = later_tags_of(aws, [OLD])
    assert later == {OLD: {}} and elbv2.asked == []
    assert tags_of(aws, [NEW])[NEW] == {}
    assert later == {OLD: {"dockyard:superseded": "true"}} and elbv2.asked == [[OLD, NEW]]
    LoadBalancer().read_rest(aws)
    assert elbv2.asked == [[OLD, NEW]]


def test_what_is_left_at_the_end_of_a_reading_is_asked_then():
    elbv2 = FakeElbv2({OLD}, set())
    aws = connected(elbv2, Answers())
    later = later_tags_of(aws, [OLD])
    LoadBalancer().read_rest(aws)
    assert later == {OLD: {"dockyard:superseded": "true"}}
    assert later_tags_of(connected(elbv2), [OLD]) == later, "outside of a reading nobody asks later"


def test_each_call_takes_one_certificate():
    elbv2 = MagicMock()
    elbv2.get_paginator.return_value.paginate.return_value = [
        {"Certificates": [{"CertificateArn": arn, "IsDefault": arn == "d"} for arn in "dxy"]}
    ]
    declared = {"ExtraCertificateArns": ["b", "a"]}
    aws = SimpleNamespace(client=lambda service: elbv2)
    found = [Difference("ExtraCertificateArns", ["x", "y"], ["a", "b"])]
    resource = Resource("listener", "front:443", declared)
    Listener().update(aws, resource, Observed("front:443", {}, {"arn": "listener"}), found)
    added, removed = (
        [[item["CertificateArn"] for item in call.kwargs["Certificates"]] for call in method.call_args_list]
        for method in (elbv2.add_listener_certificates, elbv2.remove_listener_certificates)
    )
    assert (added, removed) == ([["a"], ["b"]], [["x"], ["y"]])


class FakeElbv2:
    """Answers tags and health."""

    def __init__(self, superseded, healthy):
        self.superseded, self.healthy, self.asked = superseded, healthy, []

    def describe_tags(self, ResourceArns):
        self.asked.append(ResourceArns)
        tags = {
            arn: [{"Key": "dockyard:superseded", "Value": "true"}] if arn in self.superseded else []
            for arn in ResourceArns
        }
        return {"TagDescriptions": [{"ResourceArn": arn, "Tags": own} for arn, own in tags.items()]}

    def describe_target_health(self, TargetGroupArn):
        states = ["healthy"] if TargetGroupArn in self.healthy else []
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}} for state in states]}


@pytest.mark.parametrize(
    ("superseded", "healthy", "expected"),
    [
        ({OLD}, {OLD}, {OLD: 1, NEW: 0}),
        ({OLD}, {OLD, NEW}, {NEW: 1}),
        ({OLD}, set(), {NEW: 1}),
        (set(), {OLD}, {NEW: 1}),
    ],
    ids=["the old one goes on", "the new one can", "nobody serves", "a change of mind is no replacement"],
)
def test_first_step_of_a_handover(superseded, healthy, expected):
    actions = handover.first_step(connected(FakeElbv2(superseded, healthy)), [forward(old=1)], [forward(new=1)])
    groups = actions[0]["ForwardConfig"]["TargetGroups"]
    assert {item["TargetGroupArn"]: item["Weight"] for item in groups} == expected


class FakeRules(FakeElbv2):
    """One listener with two rules of ours and one of somebody else."""

    def __init__(self):
        super().__init__(set(), set())
        self.rules = [
            {"RuleArn": name, "Priority": priority, "Conditions": [], "Actions": [], "IsDefault": False}
            for name, priority in (("a", "1"), ("b", "2"), ("theirs", "3"))
        ]

    def get_paginator(self, _operation):
        return self

    def paginate(self, **_arguments):
        return [{"Rules": self.rules}]

    def describe_tags(self, ResourceArns):
        ours = [{"Key": "dockyard:environment", "Value": "test"}]
        tags = {"a": [*ours, {"Key": "Name", "Value": "a"}], "b": [*ours, {"Key": "Name", "Value": "b"}], "theirs": []}
        return {"TagDescriptions": [{"ResourceArn": arn, "Tags": tags[arn]} for arn in ResourceArns]}


class FakeSession:
    def __init__(self, client):
        self._client = client

    def client(self, *_arguments, **_options):
        return self._client


def test_rules_are_known_by_their_names_and_told_of_all_moves():
    aws = Aws(FakeSession(FakeRules()), "alb", "test")
    wanted = [
        Wanted("front:80/a", {"ListenerArn": "l"}, {"Priority": 2}),
        Wanted("front:80/b", {"ListenerArn": "l"}, {"Priority": 1}),
        Wanted("front:80/c", {"ListenerArn": "l"}, {"Priority": 9}),
    ]
    found = ListenerRule().read(aws, wanted)
    assert set(found) == {"front:80/a", "front:80/b"}
    assert found["front:80/a"].properties["PriorityMoves"] == {"a": 2, "b": 1}
