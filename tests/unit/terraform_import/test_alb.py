# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of load balancers, target groups, listeners and rules."""

from __future__ import annotations

import pytest

from .stack import Imported, arn, group, resource, subnet, vpc

BALANCER = arn("elasticloadbalancing", "loadbalancer/app/web/1")
LISTENER = arn("elasticloadbalancing", "listener/app/web/1/2")
GROUP = arn("elasticloadbalancing", "targetgroup/web/3")
OTHER = arn("elasticloadbalancing", "targetgroup/other/4")
AROUND = [vpc(), subnet("a"), subnet("b"), group("web")]


def balancer(kind="aws_lb", **more):
    attributes = {"id": BALANCER, "arn": BALANCER, "name": "web", "load_balancer_type": "application"}
    attributes |= {"subnets": ["subnet-b", "subnet-a"], "security_groups": ["sg-web"], "ip_address_type": "ipv4"}
    attributes |= {"idle_timeout": 60, "enable_deletion_protection": True, "drop_invalid_header_fields": True}
    return resource(kind, "web", {**attributes, "enable_http2": True, **more})


def listener(action, kind="aws_lb_listener", **more):
    attributes = {"id": LISTENER, "arn": LISTENER, "load_balancer_arn": BALANCER, "port": 80, "protocol": "HTTP"}
    return resource(kind, "web", {**attributes, "default_action": [{"order": 1, **action}], **more})


FIXED = {"type": "fixed-response", "fixed_response": [{"content_type": "text/html", "status_code": "404"}]}


def target_group(name="web", identity=GROUP, **more):
    attributes = {"id": identity, "arn": identity, "name": name, "port": 80, "protocol": "HTTP", "vpc_id": "vpc-1"}
    return resource("aws_lb_target_group", name, {**attributes, "target_type": "ip", **more})


def rule(condition=None, action=None, **more):
    attributes = {
        "id": "r",
        "arn": "r",
        "listener_arn": LISTENER,
        "priority": 5,
        "condition": [condition or {"path_pattern": [{"values": ["/*"]}]}],
        "action": [action or {"type": "forward", "target_group_arn": GROUP}],
    }
    return resource("aws_lb_listener_rule", "web", {**attributes, **more})


def test_a_load_balancer_as_the_layer_makes_it(tmp_path):
    imported = Imported(*AROUND, balancer(), listener(FIXED))
    assert imported.declared("alb") == {
        "load_balancers": [
            {
                "name": "web",
                "subnets": ["main-a", "main-b"],
                "security_groups": ["web"],
                "listeners": [
                    {
                        "port": 80,
                        "protocol": "HTTP",
                        "default_action": {
                            "type": "fixed-response",
                            "status_code": "404",
                            "content_type": "text/html",
                        },
                    }
                ],
            }
        ]
    }
    assert (imported.unmapped(), imported.left()) == ({}, set())
    assert {"load_balancer/web", "listener/web:80"} <= set(imported.validate(tmp_path))


def test_a_load_balancer_with_other_settings(tmp_path):
    logs = [{"enabled": True, "bucket": "logs", "prefix": "lb"}]
    given = {"idle_timeout": 120, "enable_deletion_protection": False, "internal": True, "access_logs": logs}
    imported = Imported(*AROUND, balancer("aws_alb", **given), listener(FIXED, "aws_alb_listener"))
    declared = imported.declared("alb")["load_balancers"][0]
    expected = {
        "scheme": "internal",
        "deletion_protection_enabled": False,
        "idle_timeout_timeout_seconds": 120,
        "access_logs_s3_enabled": True,
        "access_logs_s3_bucket": "logs",
        "access_logs_s3_prefix": "lb",
    }
    assert {name: declared[name] for name in expected} == expected
    imported.validate(tmp_path)


REDIRECT = {"protocol": "HTTPS", "port": "443", "host": "#{host}", "path": "/#{path}", "query": "#{query}"}
TWO = [{"arn": GROUP, "weight": 90}, {"arn": OTHER, "weight": 10}]
ACTIONS = {
    "a redirect": (
        {"type": "redirect", "redirect": [{**REDIRECT, "status_code": "HTTP_301"}]},
        {"type": "redirect", "protocol": "HTTPS", "port": "443"},
    ),
    "forward to one": (
        {"type": "forward", "target_group_arn": GROUP},
        {"type": "forward", "target_groups": [{"name": "web"}]},
    ),
    "forward to two": (
        {"type": "forward", "forward": [{"target_group": TWO, "stickiness": [{"enabled": True, "duration": 60}]}]},
        {
            "type": "forward",
            "target_groups": [{"name": "web", "weight": 90}, {"name": "other", "weight": 10}],
            "stickiness_duration_seconds": 60,
        },
    ),
}


@pytest.mark.parametrize(("action", "expected"), ACTIONS.values(), ids=ACTIONS)
def test_actions(action, expected, tmp_path):
    groups = [target_group(), target_group("other", OTHER)]
    imported = Imported(*AROUND, balancer(), *groups, listener(action), rule(action=action))
    alb = imported.declared("alb")
    assert alb["load_balancers"][0]["listeners"][0]["default_action"] == expected
    assert alb["rules"][0]["actions"] == [expected]
    assert imported.left() == set()
    imported.validate(tmp_path)


CONDITIONS = {
    "host": ({"host_header": [{"values": ["a.example"]}]}, {"field": "host-header", "values": ["a.example"]}),
    "header": (
        {"http_header": [{"http_header_name": "X", "values": ["1"]}]},
        {"field": "http-header", "values": ["1"], "http_header_name": "X"},
    ),
    "query": (
        {"query_string": [{"key": "a", "value": "1"}, {"key": "", "value": "2"}]},
        {"field": "query-string", "values": [{"key": "a", "value": "1"}, "2"]},
    ),
    "address": ({"source_ip": [{"values": ["10.0.0.0/8"]}]}, {"field": "source-ip", "values": ["10.0.0.0/8"]}),
}


@pytest.mark.parametrize(("condition", "expected"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions(condition, expected, tmp_path):
    imported = Imported(*AROUND, balancer(), target_group(), listener(FIXED), rule(condition))
    assert imported.declared("alb")["rules"][0]["conditions"] == [expected]
    imported.validate(tmp_path)


def test_rules_on_one_listener_have_names_of_their_own():
    rules = [rule(), rule(priority=6), rule(priority=7, tags_all={"Name": "mine"})]
    for number, item in enumerate(rules):
        item["instances"][0]["attributes"]["arn"] = f"r{number}"
        item["module"] = f"module.m{number}"
    declared = Imported(*AROUND, balancer(), target_group(), listener(FIXED), *rules).declared("alb")
    assert [item["name"] for item in declared["rules"]] == ["web", "web-6", "mine"]


def test_a_target_group_with_everything(tmp_path):
    check = {"enabled": True, "path": "/up", "matcher": "200", "interval": 10, "timeout": 5, "port": "traffic-port"}
    imported = Imported(
        vpc(),
        target_group(
            deregistration_delay="30",
            slow_start=0,
            health_check=[{**check, "healthy_threshold": 2, "unhealthy_threshold": 2, "protocol": "HTTP"}],
            stickiness=[{"enabled": True, "type": "lb_cookie", "cookie_duration": 600, "cookie_name": ""}],
            target_group_health=[{"dns_failover": [{"minimum_healthy_targets_count": "2"}]}],
            tags_all={"Name": "other words"},
        ),
    )
    assert imported.declared("alb")["target_groups"] == [
        {
            "name": "web",
            "target_type": "ip",
            "protocol": "HTTP",
            "port": 80,
            "vpc": "main",
            "health_check": {"path": "/up", "interval_seconds": 10, "healthy_threshold_count": 2},
            "deregistration_delay_timeout_seconds": 30,
            "stickiness_enabled": True,
            "stickiness_type": "lb_cookie",
            "stickiness_lb_cookie_duration_seconds": 600,
            "target_group_health_dns_failover_minimum_healthy_targets_count": "2",
        }
    ]
    assert imported.left() == set()
    imported.validate(tmp_path)


def test_an_https_listener_with_certificates(tmp_path):
    certificates = [arn("acm", f"certificate/{number}") for number in (1, 2)]
    secure = {"port": 443, "protocol": "HTTPS", "certificate_arn": certificates[0]}
    more = resource("aws_lb_listener_certificate", "x", {"listener_arn": LISTENER, "certificate_arn": certificates[1]})
    policy = {"ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "routing_http_response_server_enabled": False}
    imported = Imported(*AROUND, balancer(), listener(FIXED, **secure, **policy), more)
    declared = imported.declared("alb")["load_balancers"][0]["listeners"][0]
    assert declared["certificate"] == certificates[0]
    assert declared["extra_certificates"] == [certificates[1]]
    assert declared["routing_http_response_server_enabled"] is False
    assert "ssl_policy" not in declared
    assert imported.unmapped() == {}
    imported.validate(tmp_path)


def test_an_authentication_before_the_action(tmp_path):
    oidc = {"issuer": "https://id", "authorization_endpoint": "https://id/a", "token_endpoint": "https://id/t"}
    oidc |= {"user_info_endpoint": "https://id/u", "client_id": "me", "client_secret": "hidden", "session_timeout": 60}
    actions = [
        {"type": "fixed-response", "order": 2, "fixed_response": FIXED["fixed_response"]},
        {"type": "authenticate-oidc", "order": 1, "authenticate_oidc": [oidc]},
    ]
    secure = {"port": 443, "protocol": "HTTPS", "certificate_arn": arn("acm", "certificate/1")}
    imported = Imported(*AROUND, balancer(), listener({}, default_action=actions, **secure))
    first, second = imported.declared("alb")["load_balancers"][0]["listeners"][0]["default_actions"]
    assert first == {
        "type": "authenticate-oidc",
        "authenticate_oidc": {
            "Issuer": "https://id",
            "AuthorizationEndpoint": "https://id/a",
            "TokenEndpoint": "https://id/t",
            "UserInfoEndpoint": "https://id/u",
            "ClientId": "me",
            "ClientSecret": "{{ vault_shop_web_443_client_secret }}",
            "SessionTimeout": 60,
        },
    }
    assert second["type"] == "fixed-response"
    assert [path for path, text in imported.files.items() if "hidden" in text] == []
    assert imported.left() == set()
    imported.validate(tmp_path)


def test_conditions_in_the_form_of_old_providers():
    item = rule({"field": "path-pattern", "values": ["/a"]})
    declared = Imported(*AROUND, balancer(), listener(FIXED), item).declared("alb")["rules"][0]
    assert declared["conditions"] == [{"field": "path-pattern", "values": ["/a"]}]


def test_what_the_layer_does_not_have():
    network = Imported(*AROUND, balancer(load_balancer_type="network"), listener(FIXED), rule()).unmapped()
    assert "only application load balancers" in network["aws_lb.web"]
    assert "its load balancer" in network["aws_lb_listener.web"]
    assert "its listener" in network["aws_lb_listener_rule.web"]
