# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer alb: what a declaration becomes, and what it refuses."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import alb_attributes, base
from ansible_collections.dockyard.aws.plugins.module_utils.layers.alb import Alb
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Resource

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"
RESPONSE = {"type": "fixed-response", "status_code": "404"}
FORWARD = {"type": "forward", "target_groups": [{"name": "web"}]}
RULE = {
    "name": "web",
    "load_balancer": "front",
    "port": 80,
    "priority": 10,
    "conditions": [{"field": "path-pattern", "values": ["/web/*"]}],
    "actions": [FORWARD],
}
PLATFORM = {
    "load_balancers": [
        {
            "name": "front",
            "subnets": ["a", "b"],
            "security_groups": ["front"],
            "listeners": [
                {"port": 80, "protocol": "HTTP", "default_action": RESPONSE},
                {"port": 443, "protocol": "HTTPS", "certificate": CERTIFICATE, "default_action": RESPONSE},
            ],
        }
    ]
}
SERVICE = {
    "target_groups": [
        {"name": "web", "vpc": "main", "port": 8080, "protocol": "HTTP", "health_check": {"path": "/health"}}
    ],
    "rules": [RULE],
}
ENVIRONMENT = base.Environment("test", "us-east-1", "123456789012", tags={"Project": "art"})


def parse(host, value):
    declaration, problems = base.parse(Alb(), host, copy.deepcopy(value))
    assert problems == []
    return declaration


def changed(value, place, new):
    """A copy with one place changed: `rules.0.port`."""
    result = copy.deepcopy(value)
    *parents, last = place.split(".")
    inner = result
    for part in parents:
        inner = inner[int(part)] if isinstance(inner, list) else inner[part]
    inner[last] = new
    return result


def resources(value):
    return {str(item.address): item for item in Alb().resources(parse("web", value), ENVIRONMENT)}


def problems(platform=None, service=None):
    declared = [parse("platform", platform or PLATFORM), parse("web", service or SERVICE)]
    found = Alb().validate(declared, ENVIRONMENT)
    return [str(problem) for problem in found]


def test_a_good_declaration_has_no_problems():
    assert problems() == []


def test_load_balancer_with_safe_defaults():
    balancer = resources(PLATFORM)["load_balancer/front"]
    assert balancer.properties == {
        "Scheme": "internet-facing",
        "IpAddressType": "ipv4",
        "Subnets": [Ref("subnet", name, "id", where="alb.load_balancers[front].subnets") for name in "ab"],
        "SecurityGroups": [Ref("security_group", "front", "id", where="alb.load_balancers[front].security_groups")],
        "Attributes": {
            "deletion_protection.enabled": True,
            "routing.http.drop_invalid_header_fields.enabled": True,
        },
    }
    assert balancer.tags == {"Project": "art"}


def test_listeners_lie_in_their_load_balancer():
    found = resources(PLATFORM)
    plain, tls = found["listener/front:80"], found["listener/front:443"]
    assert plain.scope["LoadBalancerArn"].address == Address("load_balancer", "front")
    assert set(plain.properties) == {"Protocol", "DefaultActions"}
    assert tls.properties["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert tls.properties["CertificateArn"] == CERTIFICATE


def test_target_group_has_a_name_tag_and_only_what_is_declared():
    group = resources(SERVICE)["target_group/web"]
    assert group.properties == {
        "Protocol": "HTTP",
        "Port": 8080,
        "TargetType": "instance",
        "VpcId": Ref("vpc", "main", "id", where="alb.target_groups[web].vpc"),
        "HealthCheckPath": "/health",
    }
    assert group.tags == {"Project": "art", "Name": "web"}


def test_rule_finds_its_listener_through_the_load_balancer():
    rule = resources(SERVICE)["listener_rule/front:80/web"]
    listener = rule.scope["ListenerArn"]
    assert listener.address == Address("listener", "front:80")
    assert dict(listener.scope)["LoadBalancerArn"].address == Address("load_balancer", "front")
    assert rule.tags["Name"] == "web"
    assert rule.properties["Conditions"] == [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/web/*"]}}]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            {"type": "redirect", "protocol": "HTTPS", "port": "443"},
            {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}},
        ),
        (
            {"type": "redirect", "host": "www.example.com", "status_code": 302},
            {"Type": "redirect", "RedirectConfig": {"Host": "www.example.com", "StatusCode": "HTTP_302"}},
        ),
        (
            {"type": "fixed-response", "status_code": 503, "message_body": "later"},
            {
                "Type": "fixed-response",
                "FixedResponseConfig": {"ContentType": "text/plain", "StatusCode": "503", "MessageBody": "later"},
            },
        ),
    ],
)
def test_actions(action, expected):
    rule = resources(changed(SERVICE, "rules.0.actions", [action]))["listener_rule/front:80/web"]
    assert rule.properties["Actions"] == [expected]


def test_every_attribute_has_an_option_of_its_own():
    for table in (alb_attributes.LOAD_BALANCER, alb_attributes.TARGET_GROUP, alb_attributes.LISTENER):
        assert len(alb_attributes.specs(table)) == len(table)


LISTENER = "load_balancers.0.listeners.0"
BAD_PLATFORM = {
    "name too long": ("load_balancers.0.name", "x" * 33, ["name", "x" * 33, "32"]),
    "name with underscore": ("load_balancers.0.name", "my_alb", ["name", "my_alb", "hyphens"]),
    "reserved name": ("load_balancers.0.name", "internal-web", ["internal-"]),
    "one subnet": ("load_balancers.0.subnets", ["a"], ["subnets", "2 subnets", "zone"]),
    "one subnet twice": ("load_balancers.0.subnets", ["a", "a", "b"], ["subnets", "'a' twice"]),
    "no security group": ("load_balancers.0.security_groups", [], ["security_groups", "1 security group"]),
    "idle timeout": ("load_balancers.0.idle_timeout_timeout_seconds", 4001, ["4001", "1 to 4000"]),
    "logs without bucket": ("load_balancers.0.access_logs_s3_enabled", True, ["access_logs_s3_bucket", "not given"]),
    "listener port": (f"{LISTENER}.port", 70000, ["70000", "65535"]),
    "same port twice": (f"{LISTENER}.port", 443, ["2 listeners on port 443"]),
    "https without certificate": (f"{LISTENER}.protocol", "HTTPS", ["listeners[80].certificate", "needs one"]),
    "certificate on http": (f"{LISTENER}.certificate", CERTIFICATE, ["certificate", "HTTP", "for HTTPS"]),
    "ssl policy on http": (f"{LISTENER}.ssl_policy", "ELBSecurityPolicy-2016-08", ["ssl_policy", "for HTTPS"]),
    "ARN of something else": (
        "load_balancers.0.listeners.1.certificate",
        "arn:aws:s3:::web",
        ["'arn:aws:s3:::web'", "or a name"],
    ),
    "ssl policy": ("load_balancers.0.listeners.1.ssl_policy", "TLS13", ["'TLS13'", "ELBSecurityPolicy-"]),
    "default certificate again": (
        "load_balancers.0.listeners.1.extra_certificates",
        [CERTIFICATE],
        ["extra_certificates", "default certificate"],
    ),
    "trust store missing": (
        "load_balancers.0.listeners.1.mutual_authentication",
        {"mode": "verify"},
        ["mutual_authentication", "needs trust_store"],
    ),
    "no default action": (f"{LISTENER}.default_action", None, ["default_action", "not given"]),
    "both default actions": (f"{LISTENER}.default_actions", [RESPONSE], ["default_actions", "one of them"]),
    "redirect to itself": (
        f"{LISTENER}.default_action",
        {"type": "redirect", "protocol": "HTTP", "port": "80"},
        ["must change at least one of protocol, port, host and path"],
    ),
    "authentication without TLS": (
        f"{LISTENER}.default_action",
        {"type": "authenticate-cognito", "authenticate_cognito": {"UserPoolArn": "arn:x"}},
        ["needs a listener with protocol HTTPS"],
    ),
}


@pytest.mark.parametrize(("place", "value", "words"), BAD_PLATFORM.values(), ids=BAD_PLATFORM)
def test_bad_platform(place, value, words):
    assert_said(problems(platform=changed(PLATFORM, place, value)), "platform: alb.load_balancers[", words)


GROUP, CHECK, CONDITIONS, ACTIONS = (
    "target_groups.0",
    "target_groups.0.health_check",
    "rules.0.conditions",
    "rules.0.actions",
)
BAD_SERVICE = {
    "group name": (f"{GROUP}.name", "web.api", ["'web.api'", "hyphens"]),
    "two hyphens in a row": (f"{GROUP}.name", "web--api", ["'web--api'", "two hyphens"]),
    "no vpc": (f"{GROUP}.vpc", None, ["vpc", "not given", "instance"]),
    "no port": (f"{GROUP}.port", None, ["port", "not given"]),
    "port of a function": (f"{GROUP}.target_type", "lambda", ["port", "Lambda"]),
    "port 0": (f"{GROUP}.port", 0, ["is 0", "65535"]),
    "slow start of 10 s": (f"{GROUP}.slow_start_duration_seconds", 10, ["is 10", "30 to 900"]),
    "deregistration delay": (f"{GROUP}.deregistration_delay_timeout_seconds", 3601, ["3601", "0 to 3600"]),
    "mitigation": (f"{GROUP}.load_balancing_algorithm_anomaly_mitigation", "on", ["weighted_random"]),
    "cookie without name": (f"{GROUP}.stickiness_type", "app_cookie", ["cookie_name", "not given"]),
    "cookie of AWS": (f"{GROUP}.stickiness_app_cookie_cookie_name", "AWSALBX", ["AWSALBX"]),
    "healthy share": (
        f"{GROUP}.target_group_health_dns_failover_minimum_healthy_targets_percentage",
        "120",
        ["'120'", "1 to 100", "off"],
    ),
    "interval": (f"{CHECK}.interval_seconds", 4, ["is 4", "5 to 300"]),
    "timeout": (f"{CHECK}.timeout_seconds", 121, ["121", "2 to 120"]),
    "timeout as long as the interval": (f"{CHECK}.timeout_seconds", 30, ["is 30", "less than the interval"]),
    "threshold": (f"{CHECK}.healthy_threshold_count", 11, ["11", "2 to 10"]),
    "path": (f"{CHECK}.path", "health", ["'health'", "begin with '/'"]),
    "check port": (f"{CHECK}.port", "http", ["'http'", "traffic-port"]),
    "matcher": (f"{CHECK}.matcher", "2xx", ["'2xx'", "200 to 499", "200-399"]),
    "matcher out of range": (f"{CHECK}.matcher", "200-599", ["200-599", "200 to 499"]),
    "checks off": (f"{CHECK}.enabled", False, ["enabled", "always on"]),
    "priority 0": ("rules.0.priority", 0, ["priority", "is 0", "1 to 50000"]),
    "rule port": ("rules.0.port", 0, ["port", "is 0"]),
    "load balancer by ARN": ("rules.0.load_balancer", "arn:aws:x", ["load_balancer", "not its ARN"]),
    "no conditions": (CONDITIONS, [], ["conditions", "at least one condition"]),
    "six values": (
        CONDITIONS,
        [{"field": "path-pattern", "values": [f"/{number}" for number in range(6)]}],
        ["6 values", "allows 5"],
    ),
    "six wildcards": (CONDITIONS, [{"field": "path-pattern", "values": ["/*/*/*/*/*/*"]}], ["6 wildcards"]),
    "values and expressions": (
        CONDITIONS,
        [{"field": "path-pattern", "values": ["/a"], "regex_values": ["b"]}],
        ["conditions[0]", "cannot both"],
    ),
    "condition without values": (CONDITIONS, [{"field": "source-ip"}], ["source-ip has no values"]),
    "two host conditions": (CONDITIONS, [{"field": "host-header", "values": ["a.b"]}] * 2, ["have 2 of the field"]),
    "source ip": (CONDITIONS, [{"field": "source-ip", "values": ["10.0.0.1/8"]}], ["10.0.0.1/8", "CIDR"]),
    "source ip without length": (CONDITIONS, [{"field": "source-ip", "values": ["10.0.0.1"]}], ["10.0.0.1/32"]),
    "method": (CONDITIONS, [{"field": "http-request-method", "values": ["get"]}], ["'get'", "capital"]),
    "method with expression": (
        CONDITIONS,
        [{"field": "http-request-method", "regex_values": ["GET"]}],
        ["regex_values are for"],
    ),
    "host without dot": (CONDITIONS, [{"field": "host-header", "values": ["localhost"]}], ["'localhost'", "'.'"]),
    "path without slash": (CONDITIONS, [{"field": "path-pattern", "values": ["web"]}], ["'web'", "begin with '/'"]),
    "header without name": (CONDITIONS, [{"field": "http-header", "values": ["a"]}], ["needs http_header_name"]),
    "header Host": (
        CONDITIONS,
        [{"field": "http-header", "http_header_name": "Host", "values": ["a"]}],
        ["use the field host-header"],
    ),
    "query value": (CONDITIONS, [{"field": "query-string", "values": [{"name": "a"}]}], ["query-string", "value"]),
    "no actions": (ACTIONS, [], ["actions", "is empty"]),
    "forward nowhere": (ACTIONS, [{"type": "forward"}], ["0 target groups", "1 to 5"]),
    "six groups": (
        ACTIONS,
        [{"type": "forward", "target_groups": [{"name": f"g{number}"} for number in range(6)]}],
        ["6 target groups"],
    ),
    "weight": (ACTIONS, [{"type": "forward", "target_groups": [{"name": "web", "weight": 1000}]}], ["1000", "999"]),
    "one group twice": (ACTIONS, [{"type": "forward", "target_groups": [{"name": "web"}] * 2}], ["'web' 2 times"]),
    "redirect code": (ACTIONS, [{"type": "redirect", "host": "a", "status_code": "307"}], ["'307'", "HTTP_302"]),
    "response code": (ACTIONS, [{"type": "fixed-response", "status_code": "301"}], ["'301'", "2XX, 4XX or 5XX"]),
    "response too long": (
        ACTIONS,
        [{"type": "fixed-response", "status_code": "200", "message_body": "x" * 1025}],
        ["1025", "1024"],
    ),
    "options of another action": (
        ACTIONS,
        [{**FORWARD, "message_body": "x"}],
        ["message_body does not go with forward"],
    ),
    "two last actions": (ACTIONS, [RESPONSE, FORWARD], ["must be the last action"]),
    "authentication alone": (
        ACTIONS,
        [{"type": "authenticate-oidc", "authenticate_oidc": {"Issuer": "https://x"}}],
        ["must be followed by"],
    ),
    "two rewrites": (
        "rules.0.transforms",
        [{"type": "url-rewrite", "regex": "a", "replace": "b"}] * 2,
        ["transforms", "AWS allows one"],
    ),
}


@pytest.mark.parametrize(("place", "value", "words"), BAD_SERVICE.values(), ids=BAD_SERVICE)
def test_bad_service(place, value, words):
    assert_said(problems(service=changed(SERVICE, place, value)), "web: alb.", words)


def assert_said(found, start, words):
    assert any(text.startswith(start) and all(word in text for word in words) for text in found), found


def test_two_services_with_one_priority():
    declarations = [parse("one", SERVICE), parse("two", {"rules": [{**RULE, "name": "other"}]})]
    found = [str(problem) for problem in Alb().validate(declarations, ENVIRONMENT)]
    assert len(found) == 1
    assert_said(found, "two: alb.rules[other].priority", ["is 10", "'web' of one", "front:80", "1 to 50000"])


MANY_RULES = [{**RULE, "name": f"rule-{number}", "priority": number} for number in range(1, 102)]
MANY_LISTENERS = [{"port": port, "protocol": "HTTP", "default_action": RESPONSE} for port in range(80, 131)]
MANY_CERTIFICATES = [f"{CERTIFICATE}-{number}" for number in range(10, 36)]


@pytest.mark.parametrize(
    ("value", "place", "new", "start", "words"),
    [
        (SERVICE, "rules", MANY_RULES, "web: alb.rules", ["101 rules", "'front'", "100"]),
        (PLATFORM, "load_balancers.0.listeners", MANY_LISTENERS, "web: alb.load", ["51 listeners", "50"]),
        (
            PLATFORM,
            "load_balancers.0.listeners.1.extra_certificates",
            MANY_CERTIFICATES,
            "web: alb.load_balancers[front].listeners[443].extra",
            ["26 certificates", "25"],
        ),
    ],
)
def test_quotas_that_an_account_can_have_raised_are_only_warned_about(value, place, new, start, words):
    declarations = [parse("web", changed(value, place, new))]
    assert [str(item) for item in Alb().validate(declarations, ENVIRONMENT)] == []
    assert_said([str(item) for item in Alb().warn(declarations, {})], start, words)


def subnet(name, zone, vpc="main"):
    return Resource("subnet", name, {"AvailabilityZone": zone}, scope={"VpcId": Ref("vpc", vpc)})


def checked(*others, service=None):
    values = [*others, *resources(PLATFORM).values(), *resources(service or SERVICE).values()]
    declared = {item.address: item for item in values}
    return [str(item) for item in Alb().check([], declared)], [str(item) for item in Alb().warn([], declared)]


def test_what_fits_together_is_not_complained_about():
    assert checked(subnet("a", "us-east-1a"), subnet("b", "us-east-1b")) == ([], [])


@pytest.mark.parametrize(
    ("others", "service", "words"),
    [
        ([subnet("a", "us-east-1a"), subnet("b", "us-east-1a")], SERVICE, ["subnets", "a and b", "us-east-1a"]),
        ([subnet("a", "us-east-1a", "other")], SERVICE, ["target group 'web'", "'main'", "'other'"]),
        ([], changed(SERVICE, "rules.0.port", 81), ["alb.rules[web].port", "is 81", "it has 80, 443"]),
    ],
    ids=["subnets of one zone", "another VPC", "no such listener"],
)
def test_what_does_not_fit_together(others, service, words):
    found, _warnings = checked(*others, service=service)
    assert_said(found, "", words)


def test_a_load_balancer_learns_of_its_vpc():
    balancer = resources(PLATFORM)["load_balancer/front"]
    Alb().connect({item.address: item for item in (balancer, subnet("a", "us-east-1a"), subnet("b", "us-east-1b"))})
    assert balancer.properties["VpcId"] == Ref("vpc", "main")


def test_a_group_without_requests_is_warned_about():
    _problems, warnings = checked(service=changed(SERVICE, "rules", []))
    assert_said(warnings, "", ["alb.target_groups[web]", "no requests"])


def test_a_certificate_by_name_is_waited_for():
    place = "load_balancers.0.listeners.1"
    platform = changed(
        changed(PLATFORM, f"{place}.certificate", "web"), f"{place}.extra_certificates", ["shop", CERTIFICATE]
    )
    found = {item.name: item for item in Alb().resources(parse("platform", platform), ENVIRONMENT)}
    listener = found["front:443"]
    assert listener.properties["CertificateArn"].address == ("acm_certificate", "web")
    [shop, arn] = listener.properties["ExtraCertificateArns"]
    assert shop.address == ("acm_certificate", "shop") and arn == CERTIFICATE
    assert [ref.name for ref in listener.depends_on if ref.kind == "acm_certificate_validation"] == ["web", "shop"]
