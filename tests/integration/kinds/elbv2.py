# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of all kinds do with load balancers, target groups, listeners and rules."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Declared = dict[str, dict[str, Any]]
Change = Callable[[Declared], None]

CERTIFICATE = "arn:aws:iam::123456789012:server-certificate/{}"
BALANCER, GROUP = "load_balancer/web", "target_group/web"
LISTENER, RULE = "listener/web:80", "listener_rule/web:80/web"

NETWORK: dict[str, Any] = {
    "vpc": {"name": "web", "cidr_block": "10.0.0.0/16"},
    "internet_gateway": {"name": "web"},
    "subnets": [
        {
            "name": f"web-{zone}",
            "cidr_block": f"10.0.{number}.0/24",
            "availability_zone": f"us-east-1{zone}",
            "public": True,
        }
        for number, zone in enumerate("abc")
    ],
    "security_groups": [
        {"name": "web", "description": "The load balancer"},
        {"name": "web-more", "description": "More of it"},
    ],
}
OTHER_NETWORK: dict[str, Any] = {
    "vpc": {"name": "other", "cidr_block": "10.1.0.0/16"},
    "subnets": [{"name": "other-a", "cidr_block": "10.1.0.0/24", "availability_zone": "us-east-1a", "public": False}],
}
RESPONSE: dict[str, Any] = {"type": "fixed-response", "status_code": "404", "message_body": "nothing here"}
BASE: Declared = {
    "network": {"platform": NETWORK},
    "alb": {
        "platform": {
            "load_balancers": [
                {
                    "name": "web",
                    "subnets": ["web-a", "web-b"],
                    "security_groups": ["web"],
                    "deletion_protection_enabled": False,
                    "listeners": [{"port": 80, "protocol": "HTTP", "default_action": RESPONSE}],
                }
            ]
        },
        "web": {
            "target_groups": [
                {
                    "name": "web",
                    "vpc": "web",
                    "port": 8080,
                    "protocol": "HTTP",
                    "target_type": "instance",
                    "health_check": {"path": "/", "interval_seconds": 30, "timeout_seconds": 5},
                }
            ],
            "rules": [
                {
                    "name": "web",
                    "load_balancer": "web",
                    "port": 80,
                    "priority": 10,
                    "conditions": [{"field": "path-pattern", "values": ["/web/*"]}],
                    "actions": [{"type": "forward", "target_groups": [{"name": "web"}]}],
                }
            ],
        },
    },
}
ATTRIBUTES: dict[str, Any] = {
    "deletion_protection_enabled": True,
    "idle_timeout_timeout_seconds": 120,
    "client_keep_alive_seconds": 600,
    "routing_http_drop_invalid_header_fields_enabled": False,
    "routing_http2_enabled": False,
    "routing_http_desync_mitigation_mode": "strictest",
    "routing_http_preserve_host_header_enabled": True,
    "routing_http_x_amzn_tls_version_and_cipher_suite_enabled": True,
    "routing_http_xff_client_port_enabled": True,
    "routing_http_xff_header_processing_mode": "preserve",
    "waf_fail_open_enabled": True,
    "zonal_shift_config_enabled": True,
}
GROUP_ATTRIBUTES: dict[str, Any] = {
    "deregistration_delay_timeout_seconds": 30,
    "slow_start_duration_seconds": 60,
    "load_balancing_algorithm_type": "least_outstanding_requests",
    "load_balancing_cross_zone_enabled": "false",
    "stickiness_enabled": True,
    "stickiness_lb_cookie_duration_seconds": 600,
    "target_group_health_dns_failover_minimum_healthy_targets_count": "2",
    "target_group_health_dns_failover_minimum_healthy_targets_percentage": "50",
    "target_group_health_unhealthy_state_routing_minimum_healthy_targets_count": 2,
    "target_group_health_unhealthy_state_routing_minimum_healthy_targets_percentage": "50",
}
HEALTH_CHECK: dict[str, tuple[Any, str]] = {
    "protocol": ("HTTPS", "HealthCheckProtocol"),
    "port": ("9090", "HealthCheckPort"),
    "path": ("/health", "HealthCheckPath"),
    "interval_seconds": (60, "HealthCheckIntervalSeconds"),
    "timeout_seconds": (10, "HealthCheckTimeoutSeconds"),
    "healthy_threshold_count": (3, "HealthyThresholdCount"),
    "unhealthy_threshold_count": (4, "UnhealthyThresholdCount"),
    "matcher": ("200-299", "Matcher.HttpCode"),
}
CONDITIONS: dict[str, dict[str, Any]] = {
    "path-pattern": {"values": ["/other/*", "/another"]},
    "host-header": {"values": ["*.example.com"]},
    "host-header by expression": {"field": "host-header", "regex_values": ["^[a-c]\\.example\\.com$"]},
    "http-header": {"http_header_name": "X-Version", "values": ["2"]},
    "http-request-method": {"values": ["GET", "HEAD"]},
    "query-string": {"values": [{"key": "version", "value": "2"}, "beta*"]},
    "source-ip": {"values": ["192.0.2.0/24", "2001:db8::/32"]},
}
ACTIONS: dict[str, dict[str, Any]] = {
    "redirect": {"type": "redirect", "protocol": "HTTPS", "port": "443", "status_code": "HTTP_302"},
    "fixed-response": {"type": "fixed-response", "status_code": "503", "content_type": "text/html"},
    "weights": {"type": "forward", "target_groups": [{"name": "web", "weight": 9}, {"name": "web-2", "weight": 1}]},
    "stickiness": {"type": "forward", "target_groups": [{"name": "web"}], "stickiness_duration_seconds": 600},
}
LISTENER_ATTRIBUTES = {
    "routing_http_response_server_enabled": False,
    "routing_http_response_strict_transport_security_header_value": "max-age=31536000",
    "routing_http_response_x_frame_options_header_value": "DENY",
    "routing_http_request_x_amzn_tls_version_header_name": "X-Tls-Version",
}


def balancer(declared: Declared) -> dict[str, Any]:
    return declared["alb"]["platform"]["load_balancers"][0]


def listener(declared: Declared) -> dict[str, Any]:
    return balancer(declared)["listeners"][0]


def group(declared: Declared) -> dict[str, Any]:
    return declared["alb"]["web"]["target_groups"][0]


def rule(declared: Declared) -> dict[str, Any]:
    return declared["alb"]["web"]["rules"][0]


def changed(change: Change, base: Declared) -> Declared:
    declared = copy.deepcopy(base)
    change(declared)
    return declared


def update(
    identifier: str,
    address: str,
    paths: list[str],
    change: Change,
    base: Declared | None = None,
    consequences: tuple[str, ...] = (),
    action: str = "update",
) -> dict[str, Any]:
    """One changed field. consequences: what else the plan changes because of it."""
    return {
        "id": identifier,
        "declared": changed(change, base or BASE),
        "address": address,
        "action": action,
        "paths": paths,
        "consequences": list(consequences),
    }


def setting(where: Callable[[Declared], dict[str, Any]], option: str, value: Any) -> Change:
    return lambda declared: where(declared).update({option: value})


def key(option: str, keys: tuple[str, ...]) -> str:
    """The path of an attribute's difference."""
    return next(f"Attributes.{item}" for item in keys if item.replace(".", "_") == option)


KEYS = (
    "deletion_protection.enabled",
    "idle_timeout.timeout_seconds",
    "client_keep_alive.seconds",
    "routing.http.drop_invalid_header_fields.enabled",
    "routing.http2.enabled",
    "routing.http.desync_mitigation_mode",
    "routing.http.preserve_host_header.enabled",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "routing.http.xff_client_port.enabled",
    "routing.http.xff_header_processing.mode",
    "waf.fail_open.enabled",
    "zonal_shift.config.enabled",
    "deregistration_delay.timeout_seconds",
    "slow_start.duration_seconds",
    "load_balancing.algorithm.type",
    "load_balancing.cross_zone.enabled",
    "stickiness.enabled",
    "stickiness.lb_cookie.duration_seconds",
    "target_group_health.dns_failover.minimum_healthy_targets.count",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
    "routing.http.response.server.enabled",
    "routing.http.response.strict_transport_security.header_value",
    "routing.http.response.x_frame_options.header_value",
    "routing.http.request.x_amzn_tls_version.header_name",
)


def balancer_updates() -> list[dict[str, Any]]:
    logs = {
        "access_logs_s3_enabled": True,
        "access_logs_s3_bucket": "web-logs",
        "access_logs_s3_prefix": "web",
        "connection_logs_s3_enabled": True,
        "connection_logs_s3_bucket": "web-logs",
    }
    log_paths = [f"Attributes.access_logs.s3.{name}" for name in ("enabled", "bucket", "prefix")]
    log_paths += [f"Attributes.connection_logs.s3.{name}" for name in ("enabled", "bucket")]
    return [
        *(
            update(option, BALANCER, [key(option, KEYS)], setting(balancer, option, value))
            for option, value in ATTRIBUTES.items()
        ),
        update("logs", BALANCER, log_paths, lambda declared: balancer(declared).update(logs)),
        update("subnets", BALANCER, ["Subnets"], setting(balancer, "subnets", ["web-a", "web-c"])),
        update("another subnet", BALANCER, ["Subnets"], setting(balancer, "subnets", ["web-a", "web-b", "web-c"])),
        update("security_groups", BALANCER, ["SecurityGroups"], setting(balancer, "security_groups", ["web-more"])),
        update("ip_address_type", BALANCER, ["IpAddressType"], setting(balancer, "ip_address_type", "dualstack")),
        update("tags", BALANCER, ["tags.Team"], setting(balancer, "tags", {"Team": "web"})),
        update(
            "scheme",
            BALANCER,
            ["Scheme"],
            setting(balancer, "scheme", "internal"),
            consequences=(LISTENER, RULE),
            action="replace",
        ),
    ]


def group_updates() -> list[dict[str, Any]]:
    def check(option: str, value: Any) -> Change:
        return lambda declared: group(declared)["health_check"].update({option: value})

    def cookie(declared: Declared) -> None:
        group(declared).update(
            stickiness_enabled=True,
            stickiness_type="app_cookie",
            stickiness_app_cookie_cookie_name="session",
            stickiness_app_cookie_duration_seconds=60,
        )

    def random(declared: Declared) -> None:
        group(declared).update(
            load_balancing_algorithm_type="weighted_random", load_balancing_algorithm_anomaly_mitigation="on"
        )

    cookie_keys = ("enabled", "type", "app_cookie.cookie_name", "app_cookie.duration_seconds")
    random_keys = ("type", "anomaly_mitigation")
    return [
        *(
            update(f"health check {name}", GROUP, [path], check(name, value))
            for name, (value, path) in HEALTH_CHECK.items()
        ),
        *(
            update(option, GROUP, [key(option, KEYS)], setting(group, option, value))
            for option, value in GROUP_ATTRIBUTES.items()
        ),
        update("stickiness by app cookie", GROUP, [f"Attributes.stickiness.{name}" for name in cookie_keys], cookie),
        update(
            "weighted random", GROUP, [f"Attributes.load_balancing.algorithm.{name}" for name in random_keys], random
        ),
        update("tags", GROUP, ["tags.Team"], setting(group, "tags", {"Team": "web"})),
        *(
            update(option, GROUP, [path], setting(group, option, value), consequences=(RULE,), action="replace")
            for option, value, path in (
                ("port", 9090, "Port"),
                ("protocol", "HTTPS", "Protocol"),
                ("protocol_version", "HTTP2", "ProtocolVersion"),
                ("target_type", "ip", "TargetType"),
            )
        ),
    ]


def listener_updates() -> list[dict[str, Any]]:
    def to_tls(declared: Declared) -> None:
        listener(declared).update(protocol="HTTPS", certificate=CERTIFICATE.format("web"))

    default = [
        update(f"default action {name}", LISTENER, ["DefaultActions"], setting(listener, "default_action", action))
        for name, action in {**ACTIONS, "forward": {"type": "forward", "target_groups": [{"name": "web"}]}}.items()
        if name != "weights"
    ]
    return [
        *default,
        update("protocol", LISTENER, ["Protocol", "SslPolicy", "CertificateArn"], to_tls),
        *(
            update(option, LISTENER, [key(option, KEYS)], setting(listener, option, value))
            for option, value in LISTENER_ATTRIBUTES.items()
        ),
        update("tags", LISTENER, ["tags.Team"], setting(listener, "tags", {"Team": "web"})),
    ]


TLS = changed(
    lambda declared: listener(declared).update(
        protocol="HTTPS",
        certificate=CERTIFICATE.format("web"),
        extra_certificates=[CERTIFICATE.format("one")],
        mutual_authentication={"mode": "off"},
    ),
    BASE,
)


def tls_updates() -> list[dict[str, Any]]:
    one, two = CERTIFICATE.format("one"), CERTIFICATE.format("two")
    changes = {
        "ssl_policy": ("ELBSecurityPolicy-TLS13-1-3-2021-06", "SslPolicy"),
        "certificate": (two, "CertificateArn"),
        "mutual_authentication": ({"mode": "passthrough"}, "MutualAuthentication.Mode"),
    }
    extra = {"one more": [one, two], "another": [two], "none": []}
    return [
        *(
            update(option, LISTENER, [path], setting(listener, option, value), TLS)
            for option, (value, path) in changes.items()
        ),
        *(
            update(
                f"extra_certificates, {name}",
                LISTENER,
                ["ExtraCertificateArns"],
                setting(listener, "extra_certificates", arns),
                TLS,
            )
            for name, arns in extra.items()
        ),
    ]


def _more(declared: Declared) -> None:
    """A second target group and rule."""
    own = declared["alb"]["web"]
    own["target_groups"].append({**copy.deepcopy(group(declared)), "name": "web-2"})
    own["rules"].append(
        {**copy.deepcopy(rule(declared)), "name": "web-2", "priority": 20, "actions": [ACTIONS["fixed-response"]]}
    )


MORE = changed(_more, BASE)


def rule_updates() -> list[dict[str, Any]]:
    def swap(declared: Declared) -> None:
        first, second = declared["alb"]["web"]["rules"]
        first["priority"], second["priority"] = second["priority"], first["priority"]

    def conditions(name: str, options: dict[str, Any]) -> Change:
        return setting(rule, "conditions", [{"field": name, **options}])

    transform = {"type": "url-rewrite", "regex": "^/web/(.*)$", "replace": "/$1"}
    return [
        *(
            update(f"condition {name}", RULE, ["Conditions"], conditions(name, one), MORE)
            for name, one in CONDITIONS.items()
        ),
        *(
            update(f"action {name}", RULE, ["Actions"], setting(rule, "actions", [one]), MORE)
            for name, one in ACTIONS.items()
        ),
        update("priority", RULE, ["Priority"], setting(rule, "priority", 30), MORE),
        update("swapped priorities", RULE, ["Priority"], swap, MORE, consequences=("listener_rule/web:80/web-2",)),
        update("transforms", RULE, ["Transforms"], setting(rule, "transforms", [transform]), MORE),
        update("tags", RULE, ["tags.Team"], setting(rule, "tags", {"Team": "web"}), MORE),
    ]


def _with_lambda(declared: Declared) -> None:
    declared["alb"]["web"]["target_groups"].append({"name": "function", "target_type": "lambda"})


LAMBDA = changed(_with_lambda, BASE)


def function(declared: Declared) -> dict[str, Any]:
    return declared["alb"]["web"]["target_groups"][1]


OTHER = changed(lambda declared: declared["network"].update(other=OTHER_NETWORK), BASE)


def _move_out(declared: Declared) -> None:
    declared["alb"]["web"].update(rules=[])
    group(declared).update(vpc="other")


def prepare(client: Callable[[str], Any]) -> None:
    """What no layer makes: certificates. `client` gives a boto3 client by the name of its service."""
    for name in ("web", "one", "two"):
        client("iam").upload_server_certificate(
            ServerCertificateName=name, CertificateBody="certificate", PrivateKey="key"
        )


CASES: list[dict[str, Any]] = [
    {"id": "load balancer", "kind": "load_balancer", "declared": BASE, "updates": balancer_updates()},
    {"id": "target group", "kind": "target_group", "declared": BASE, "updates": group_updates()},
    {
        "id": "target group in another VPC",
        "kind": "target_group",
        "declared": changed(lambda declared: declared["alb"]["web"].update(rules=[]), OTHER),
        "updates": [
            update(
                "vpc",
                GROUP,
                ["VpcId"],
                _move_out,
                OTHER,
                action="replace",
            )
        ],
    },
    {
        "id": "target group of a function",
        "kind": "target_group",
        "declared": LAMBDA,
        "updates": [
            update(
                "lambda_multi_value_headers_enabled",
                "target_group/function",
                ["Attributes.lambda.multi_value_headers.enabled"],
                setting(function, "lambda_multi_value_headers_enabled", True),
                LAMBDA,
            ),
            update(
                "health check enabled",
                "target_group/function",
                ["HealthCheckEnabled"],
                setting(function, "health_check", {"enabled": True}),
                LAMBDA,
            ),
        ],
    },
    {"id": "listener", "kind": "listener", "declared": BASE, "updates": listener_updates(), "prepare": prepare},
    {"id": "listener with TLS", "kind": "listener", "declared": TLS, "updates": tls_updates(), "prepare": prepare},
    {"id": "listener rule", "kind": "listener_rule", "declared": MORE, "updates": rule_updates()},
]
