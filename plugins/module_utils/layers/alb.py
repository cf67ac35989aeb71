# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `alb`: application load balancers, target groups, listeners, listener rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.tags import NAME_TAG
from ansible_collections.dockyard.aws.plugins.module_utils.layers import (
    alb_attributes,
    alb_checks,
    alb_cross_checks,
    alb_options,
    certificate,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Declaration,
    Environment,
    Layer,
    api_names,
    declared_only,
    refer,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_conditions import CONFIGS

TRANSFORM_CONFIGS = {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}


class Alb(Layer):
    NAME = "alb"
    DESCRIPTION = "Application load balancers, target groups, listeners, rules"
    ARGUMENT_SPEC = alb_options.ARGUMENT_SPEC

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        for balancer in declaration.options["load_balancers"]:
            yield _load_balancer(balancer, environment)
            for listener in balancer["listeners"]:
                yield _listener(balancer["name"], listener, environment)
        for group in declaration.options["target_groups"]:
            yield _target_group(group, environment)
        for rule in declaration.options["rules"]:
            yield _rule(rule, environment)

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        return alb_checks.problems(declarations)

    def connect(self, declared: Mapping[Address, Resource]) -> None:
        alb_cross_checks.connect(declared)

    def check(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        return alb_cross_checks.problems(declared)

    def warn(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        yield from alb_checks.warnings(declarations)
        yield from alb_cross_checks.warnings(declared)


def listener_reference(load_balancer: str, port: int, where: str) -> Ref:
    """A listener, wherever it is declared: through its load balancer it is found in AWS too."""
    balancer = Ref("load_balancer", load_balancer, "arn", where=where)
    return Ref("listener", f"{load_balancer}:{port}", "arn", (("LoadBalancerArn", balancer),), where)


def _load_balancer(options: Mapping[str, Any], environment: Environment) -> Resource:
    where = f"alb.load_balancers[{options['name']}]"
    properties = {
        "Scheme": options["scheme"],
        "IpAddressType": options["ip_address_type"],
        "Subnets": [refer("subnet", name, "id", f"{where}.subnets") for name in options["subnets"]],
        "SecurityGroups": [
            refer("security_group", name, "id", f"{where}.security_groups") for name in options["security_groups"]
        ],
        "Attributes": alb_attributes.declared(alb_attributes.LOAD_BALANCER, options),
    }
    return Resource(
        "load_balancer",
        options["name"],
        properties,
        where=where,
        tags=_tags(options, environment),
        protect=options["protect"],
    )


def _listener(load_balancer: str, options: Mapping[str, Any], environment: Environment) -> Resource:
    where = f"alb.load_balancers[{load_balancer}].listeners[{options['port']}]"
    actions = options["default_actions"] or [options["default_action"]]
    properties: dict[str, Any] = {
        "Protocol": options["protocol"],
        "DefaultActions": [_action(action, f"{where}.default_action") for action in actions],
    }
    issued: list[Ref] = []
    if options["protocol"] == "HTTPS":
        properties["SslPolicy"] = options["ssl_policy"] or alb_options.SSL_POLICY
        properties["CertificateArn"] = _certificate(options["certificate"], f"{where}.certificate", issued)
        if options["extra_certificates"] is not None:
            place = f"{where}.extra_certificates"
            arns = [_certificate(name, place, issued) for name in options["extra_certificates"]]
            properties["ExtraCertificateArns"] = arns
    if options["mutual_authentication"]:
        names = {"trust_store": "TrustStoreArn"}
        properties["MutualAuthentication"] = api_names(options["mutual_authentication"], names, capital=True)
    if attributes := alb_attributes.declared(alb_attributes.LISTENER, options):
        properties["Attributes"] = attributes
    return Resource(
        "listener",
        f"{load_balancer}:{options['port']}",
        properties,
        where=where,
        tags=_tags(options, environment),
        scope={"LoadBalancerArn": Ref("load_balancer", load_balancer, "arn", where=where)},
        depends_on=tuple(issued),
    )


def _certificate(name: str, where: str, issued: list[Ref]) -> Any:
    """A certificate's ARN; a listener takes it only when it is issued, so that joins what it waits for."""
    arn, waits_for = certificate.reference(name, where)
    issued.extend(waits_for)
    return arn


def _target_group(options: Mapping[str, Any], environment: Environment) -> Resource:
    where = f"alb.target_groups[{options['name']}]"
    plain = ("protocol", "protocol_version", "port", "ip_address_type", "target_type")
    properties = api_names({name: options[name] for name in plain}, capital=True)
    if options["vpc"]:
        properties["VpcId"] = refer("vpc", options["vpc"], "id", f"{where}.vpc")
    properties |= _health_check(options)
    if attributes := alb_attributes.declared(alb_attributes.TARGET_GROUP, options):
        properties["Attributes"] = attributes
    return Resource(
        "target_group",
        options["name"],
        properties,
        where=where,
        tags={**_tags(options, environment), NAME_TAG: options["name"]},
        protect=options["protect"],
    )


def _health_check(options: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "healthy_threshold_count": "HealthyThresholdCount",
        "unhealthy_threshold_count": "UnhealthyThresholdCount",
        "enabled": "HealthCheckEnabled",
        "protocol": "HealthCheckProtocol",
        "port": "HealthCheckPort",
        "path": "HealthCheckPath",
        "interval_seconds": "HealthCheckIntervalSeconds",
        "timeout_seconds": "HealthCheckTimeoutSeconds",
    }
    check = declared_only(options["health_check"] or {})
    matcher = check.pop("matcher", None)
    result = api_names(check, names)
    if matcher is not None:
        result["Matcher"] = {"GrpcCode" if options["protocol_version"] == "GRPC" else "HttpCode": matcher}
    return result


def _rule(options: Mapping[str, Any], environment: Environment) -> Resource:
    where = f"alb.rules[{options['name']}]"
    properties: dict[str, Any] = {
        "Priority": options["priority"],
        "Conditions": [_condition(condition) for condition in options["conditions"]],
        "Actions": [_action(action, f"{where}.actions") for action in options["actions"]],
    }
    if options["transforms"] is not None:
        properties["Transforms"] = [_transform(transform) for transform in options["transforms"]]
    return Resource(
        "listener_rule",
        f"{options['load_balancer']}:{options['port']}/{options['name']}",
        properties,
        where=where,
        tags={**_tags(options, environment), NAME_TAG: options["name"]},
        scope={"ListenerArn": listener_reference(options["load_balancer"], options["port"], where)},
    )


def _condition(options: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if options["values"]:
        config["Values"] = [_value(options["field"], value) for value in options["values"]]
    if options["regex_values"]:
        config["RegexValues"] = options["regex_values"]
    if options["http_header_name"]:
        config["HttpHeaderName"] = options["http_header_name"]
    return {"Field": options["field"], CONFIGS[options["field"]]: config}


def _value(field: str, value: Any) -> Any:
    if field != "query-string":
        return str(value)
    if isinstance(value, Mapping):
        return {name.capitalize(): str(text) for name, text in value.items() if text is not None}
    return {"Value": str(value)}


def _action(options: Mapping[str, Any], where: str) -> dict[str, Any]:
    kind = options["type"]
    result: dict[str, Any] = {"Type": kind}
    if kind == "forward":
        result["ForwardConfig"] = _forward(options, where)
    elif kind == "redirect":
        config = api_names(
            {name: options[name] for name in ("protocol", "port", "host", "path", "query")}, capital=True
        )
        result["RedirectConfig"] = {**config, "StatusCode": redirect_code(options["status_code"])}
    elif kind == "fixed-response":
        names = ("content_type", "message_body", "status_code")
        config = api_names({name: options[name] for name in names}, capital=True)
        result["FixedResponseConfig"] = {"ContentType": "text/plain", **config}
    elif kind == "authenticate-oidc":
        result["AuthenticateOidcConfig"] = options["authenticate_oidc"]
    else:
        result["AuthenticateCognitoConfig"] = options["authenticate_cognito"]
    return result


def _forward(options: Mapping[str, Any], where: str) -> dict[str, Any]:
    groups = [
        {"TargetGroupArn": refer("target_group", group["name"], "arn", where), "Weight": group["weight"]}
        for group in options["target_groups"]
    ]
    duration = options["stickiness_duration_seconds"]
    stickiness = {"Enabled": True, "DurationSeconds": duration} if duration else {"Enabled": False}
    return {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}


def redirect_code(given: str | None) -> str:
    """301 and 302 may be written as AWS does, or short."""
    return f"HTTP_{(given or '301').removeprefix('HTTP_')}"


def _transform(options: Mapping[str, Any]) -> dict[str, Any]:
    rewrite = {"Regex": options["regex"], "Replace": options["replace"]}
    return {"Type": options["type"], TRANSFORM_CONFIGS[options["type"]]: {"Rewrites": [rewrite]}}


def _tags(options: Mapping[str, Any], environment: Environment) -> dict[str, str]:
    return {**environment.tags, **{str(key): str(value) for key, value in (options["tags"] or {}).items()}}
