# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes of load balancers, target groups and listeners: their keys in the API, options, defaults, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DAY = 86400
WEEK = 7 * DAY


@dataclass(frozen=True)
class Attribute:
    """One attribute: its option is the key of the API with underscores for dots. low and high: limits of a number."""

    key: str
    description: str
    type: str = "bool"
    default: Any = None
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None

    @property
    def option(self) -> str:
        return self.key.replace(".", "_").replace("-", "_")

    def spec(self) -> dict[str, Any]:
        result: dict[str, Any] = {"type": self.type, "description": self.description}
        if self.default is not None:
            result["default"] = self.default
        if self.choices:
            result["choices"] = list(self.choices)
        return result


def _logs(name: str, what: str) -> tuple[Attribute, ...]:
    return (
        Attribute(f"{name}.s3.enabled", f"Write {what} to an S3 bucket."),
        Attribute(f"{name}.s3.bucket", f"Bucket for {what}; its policy must let Elastic Load Balancing write.", "str"),
        Attribute(f"{name}.s3.prefix", f"Prefix of the objects with {what}.", "str"),
    )


LOAD_BALANCER: tuple[Attribute, ...] = (
    Attribute(
        "deletion_protection.enabled",
        "Let AWS refuse to delete the load balancer, whoever asks. Set V(false) before it is destroyed or replaced.",
        default=True,
    ),
    Attribute("idle_timeout.timeout_seconds", "Seconds until an idle connection is closed.", "int", low=1, high=4000),
    Attribute("client_keep_alive.seconds", "Longest life of a client's connection.", "int", low=60, high=WEEK),
    Attribute(
        "routing.http.drop_invalid_header_fields.enabled",
        "Take headers whose names are not valid out of requests. AWS's own default is V(false).",
        default=True,
    ),
    Attribute("routing.http2.enabled", "Let clients use HTTP/2."),
    Attribute(
        "routing.http.desync_mitigation_mode",
        "What happens to requests that may be attacks by request smuggling.",
        "str",
        choices=("monitor", "defensive", "strictest"),
    ),
    Attribute("routing.http.preserve_host_header.enabled", "Hand the Host header on unchanged."),
    Attribute("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "Tell targets the client's TLS version."),
    Attribute("routing.http.xff_client_port.enabled", "Put the client's port into X-Forwarded-For."),
    Attribute(
        "routing.http.xff_header_processing.mode",
        "What happens to an X-Forwarded-For header that a client sends.",
        "str",
        choices=("append", "preserve", "remove"),
    ),
    Attribute("waf.fail_open.enabled", "Let requests through when AWS WAF cannot be asked."),
    Attribute("zonal_shift.config.enabled", "Let zonal shifts move traffic away from an availability zone."),
    Attribute("ipv6.deny_all_igw_traffic", "Block access through an internet gateway."),
    *_logs("access_logs", "access logs"),
    *_logs("connection_logs", "connection logs"),
    *_logs("health_check_logs", "logs of health checks"),
)

TARGET_GROUP: tuple[Attribute, ...] = (
    Attribute(
        "deregistration_delay.timeout_seconds",
        "Seconds that a target which leaves may take to finish its requests.",
        "int",
        low=0,
        high=3600,
    ),
    Attribute(
        "slow_start.duration_seconds",
        "Seconds over which a new target gets ever more requests; V(0) or 30 to 900.",
        "int",
        low=0,
        high=900,
    ),
    Attribute(
        "load_balancing.algorithm.type",
        "How a target is chosen for a request.",
        "str",
        choices=("round_robin", "least_outstanding_requests", "weighted_random"),
    ),
    Attribute(
        "load_balancing.algorithm.anomaly_mitigation",
        "Send less to targets that answer unusually, with V(weighted_random).",
        "str",
        choices=("on", "off"),
    ),
    Attribute(
        "load_balancing.cross_zone.enabled",
        "Use targets of all zones from each zone.",
        "str",
        choices=("true", "false", "use_load_balancer_configuration"),
    ),
    Attribute("stickiness.enabled", "Send a client's requests to the same target."),
    Attribute("stickiness.type", "Whose cookie it is.", "str", choices=("lb_cookie", "app_cookie")),
    Attribute("stickiness.lb_cookie.duration_seconds", "Life of the cookie.", "int", low=1, high=WEEK),
    Attribute("stickiness.app_cookie.cookie_name", "Name of the application's cookie.", "str"),
    Attribute("stickiness.app_cookie.duration_seconds", "Life of the stickiness.", "int", low=1, high=WEEK),
    Attribute(
        "target_group_health.dns_failover.minimum_healthy_targets.count",
        "Healthy targets below which DNS leaves the zone out; a number or V(off).",
        "str",
    ),
    Attribute(
        "target_group_health.dns_failover.minimum_healthy_targets.percentage",
        "The same as a percentage, 1 to 100, or V(off).",
        "str",
    ),
    Attribute(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
        "Healthy targets below which requests go to unhealthy ones too.",
        "int",
        low=1,
    ),
    Attribute(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        "The same as a percentage, 1 to 100, or V(off).",
        "str",
    ),
    Attribute("lambda.multi_value_headers.enabled", "Give a Lambda function headers as lists."),
)

_REQUEST_HEADERS = (
    "x_amzn_mtls_clientcert_serial_number",
    "x_amzn_mtls_clientcert_issuer",
    "x_amzn_mtls_clientcert_subject",
    "x_amzn_mtls_clientcert_validity",
    "x_amzn_mtls_clientcert_leaf",
    "x_amzn_mtls_clientcert",
    "x_amzn_tls_version",
    "x_amzn_tls_cipher_suite",
)
_RESPONSE_HEADERS = (
    "strict_transport_security",
    "access_control_allow_origin",
    "access_control_allow_methods",
    "access_control_allow_headers",
    "access_control_allow_credentials",
    "access_control_expose_headers",
    "access_control_max_age",
    "content_security_policy",
    "x_content_type_options",
    "x_frame_options",
)


def _http_name(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("_"))


LISTENER: tuple[Attribute, ...] = (
    Attribute("routing.http.response.server.enabled", "Keep the Server header in responses."),
    *(
        Attribute(f"routing.http.response.{name}.header_value", f"The {_http_name(name)} header of responses.", "str")
        for name in _RESPONSE_HEADERS
    ),
    *(
        Attribute(f"routing.http.request.{name}.header_name", f"Another name for the header {_http_name(name)}.", "str")
        for name in _REQUEST_HEADERS
    ),
)


def specs(attributes: Sequence[Attribute]) -> dict[str, Any]:
    """The attributes as options of an argument spec."""
    return {attribute.option: attribute.spec() for attribute in attributes}


def declared(attributes: Sequence[Attribute], options: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that were given, by their keys in the API."""
    return {item.key: options[item.option] for item in attributes if options.get(item.option) is not None}


def outside_limits(attributes: Sequence[Attribute], options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Options whose numbers AWS refuses, each with what is allowed."""
    for item in attributes:
        value = options.get(item.option)
        if not isinstance(value, int) or isinstance(value, bool):
            continue
        if (item.low is not None and value < item.low) or (item.high is not None and value > item.high):
            limits = f"from {item.low} to {item.high}" if item.high is not None else f"at least {item.low}"
            yield item.option, f"is {value}, it must be {limits}"
