# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application load balancers, target groups, listeners, rules."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import alb_attributes
from ansible_collections.dockyard.aws.plugins.module_utils.layers.alb_options import SSL_POLICY
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.names import NAME_TAG
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import (
    Fields,
    fields,
    given,
    number,
    without_defaults,
)

BALANCER: Fields = {
    "idle_timeout": ("idle_timeout_timeout_seconds", 60),
    "client_keep_alive": ("client_keep_alive_seconds", 3600),
    "enable_http2": ("routing_http2_enabled", True),
    "desync_mitigation_mode": ("routing_http_desync_mitigation_mode", "defensive"),
    "preserve_host_header": ("routing_http_preserve_host_header_enabled", False),
    "enable_tls_version_and_cipher_suite_headers": (
        "routing_http_x_amzn_tls_version_and_cipher_suite_enabled",
        False,
    ),
    "enable_xff_client_port": ("routing_http_xff_client_port_enabled", False),
    "xff_header_processing_mode": ("routing_http_xff_header_processing_mode", "append"),
    "enable_waf_fail_open": ("waf_fail_open_enabled", False),
    "enable_zonal_shift": ("zonal_shift_config_enabled", False),
    "ip_address_type": ("ip_address_type", "ipv4"),
}
GROUP: Fields = {
    "target_type": ("target_type", "instance"),
    "protocol": ("protocol", ""),
    "protocol_version": ("protocol_version", "HTTP1"),
    "ip_address_type": ("ip_address_type", "ipv4"),
    "load_balancing_algorithm_type": ("load_balancing_algorithm_type", "round_robin"),
    "load_balancing_anomaly_mitigation": ("load_balancing_algorithm_anomaly_mitigation", "off"),
    "load_balancing_cross_zone_enabled": ("load_balancing_cross_zone_enabled", "use_load_balancer_configuration"),
    "lambda_multi_value_headers_enabled": ("lambda_multi_value_headers_enabled", False),
}
CHECK: Fields = {
    "enabled": ("enabled", True),
    "protocol": ("protocol", "HTTP"),
    "port": ("port", "traffic-port"),
    "path": ("path", "/"),
    "matcher": ("matcher", "200"),
    "interval": ("interval_seconds", 30),
    "timeout": ("timeout_seconds", 5),
    "healthy_threshold": ("healthy_threshold_count", 5),
    "unhealthy_threshold": ("unhealthy_threshold_count", 2),
}
SESSION = {
    "authentication_request_extra_params": "AuthenticationRequestExtraParams",
    "on_unauthenticated_request": "OnUnauthenticatedRequest",
    "scope": "Scope",
    "session_cookie_name": "SessionCookieName",
    "session_timeout": "SessionTimeout",
}
AUTHENTICATION = {
    "authenticate_oidc": {
        "issuer": "Issuer",
        "authorization_endpoint": "AuthorizationEndpoint",
        "token_endpoint": "TokenEndpoint",
        "user_info_endpoint": "UserInfoEndpoint",
        "client_id": "ClientId",
        **SESSION,
    },
    "authenticate_cognito": {
        "user_pool_arn": "UserPoolArn",
        "user_pool_client_id": "UserPoolClientId",
        "user_pool_domain": "UserPoolDomain",
        **SESSION,
    },
}
KIND = "only application load balancers have a layer"
NO_BALANCER = "its load balancer is not in this state, or is none that has a layer"
NO_LISTENER = "its listener is not in this state, or its load balancer is none that has a layer"
CONDITIONS = ("host_header", "path_pattern", "http_header", "http_request_method", "query_string", "source_ip")


def convert(stack: Stack) -> None:
    balancers = [item for item in stack.of("aws_lb") if item.get("load_balancer_type", "application") == "application"]
    for balancer in balancers:
        _balancer(stack, balancer)
    stack.refuse(KIND, *stack.of("aws_lb"))
    for group in stack.of("aws_lb_target_group"):
        if group.attributes.get("protocol") in ("HTTP", "HTTPS", None, ""):
            _group(stack, group)
    stack.refuse(KIND, *stack.of("aws_lb_target_group"))
    stack.refuse(NO_BALANCER, *stack.of("aws_lb_listener", "aws_lb_listener_certificate"))
    taken: set[str] = set()
    for rule in stack.of("aws_lb_listener_rule"):
        _rule(stack, rule, taken)
    stack.refuse(NO_LISTENER, *stack.of("aws_lb_listener_rule"))


def _balancer(stack: Stack, balancer: Thing) -> None:
    options: dict[str, Any] = {
        "name": balancer.get("name"),
        "scheme": "internal" if balancer.get("internal") else "internet-facing",
        "subnets": stack.names.refs("aws_subnet", balancer.get("subnets"), balancer),
        "security_groups": stack.names.refs("aws_security_group", balancer.get("security_groups"), balancer),
        "deletion_protection_enabled": bool(balancer.get("enable_deletion_protection", False)),
        "routing_http_drop_invalid_header_fields_enabled": bool(balancer.get("drop_invalid_header_fields", False)),
        **fields(balancer, BALANCER),
        "tags": stack.tags(balancer),
    }
    for name in ("access_logs", "connection_logs"):
        logs = balancer.block(name)
        if logs.get("enabled"):
            settings = {"enabled": True, "bucket": logs.get("bucket"), "prefix": logs.get("prefix")}
            options |= {f"{name}_s3_{key}": value for key, value in settings.items()}
    listeners = [_listener(stack, item) for item in stack.belonging("aws_lb_listener", "load_balancer_arn", balancer)]
    options["listeners"] = [listener for listener, _parts in listeners]
    stack.add("alb", "load_balancers", options, balancer, *(part for _options, parts in listeners for part in parts))


def _certificate(stack: Stack, item: Thing, listener: Thing) -> Any:
    """By name where it is in the inventory."""
    arn = item.get("certificate_arn")
    found = stack.names.find("aws_acm_certificate", arn)
    return stack.names.ref("aws_acm_certificate", arn, listener) if found and stack.is_done(found) else arn


def _listener(stack: Stack, listener: Thing) -> tuple[dict[str, Any], list[Thing]]:
    further = stack.belonging("aws_lb_listener_certificate", "listener_arn", listener)
    actions = [_action(stack, item, listener) for item in _in_order(listener.blocks("default_action"))]
    policy = listener.get("ssl_policy")
    options: dict[str, Any] = {
        "port": listener.get("port"),
        "protocol": listener.get("protocol"),
        "ssl_policy": policy if policy != SSL_POLICY else None,
        "certificate": _certificate(stack, listener, listener),
        "extra_certificates": sorted(_certificate(stack, item, listener) for item in further) or None,
        **({"default_action": actions[0]} if len(actions) == 1 else {"default_actions": actions}),
        "tags": stack.tags(listener),
    }
    for name in alb_attributes.specs(alb_attributes.LISTENER):
        if listener.get(name) is False or (name in listener and listener.get(name) is not True):
            options[name] = listener.get(name)
    mutual = listener.block("mutual_authentication")
    if mutual.get("mode", "off") != "off":
        options["mutual_authentication"] = given(
            {
                "mode": mutual.get("mode"),
                "trust_store": mutual.get("trust_store_arn"),
                "ignore_client_certificate_expiry": mutual.get("ignore_client_certificate_expiry"),
                "advertise_trust_store_ca_names": mutual.get("advertise_trust_store_ca_names"),
            }
        )
    return given(options), [listener, *further]


def _in_order(actions: list[Block]) -> list[Block]:
    return sorted(actions, key=lambda action: int(action.get("order", 1)))


def _action(stack: Stack, action: Block, by: Thing) -> dict[str, Any]:
    kind = action.get("type")
    options: dict[str, Any] = {"type": kind}
    if kind == "forward":
        options |= _forward(stack, action, by)
    elif kind == "redirect":
        table = {name: (name, f"#{{{name}}}") for name in ("host", "port", "query")}
        table |= {"path": ("path", "/#{path}"), "protocol": ("protocol", "#{protocol}")}
        options |= fields(action.block("redirect"), {**table, "status_code": ("status_code", "HTTP_301")})
    elif kind == "fixed-response":
        table = {name: (name, "") for name in ("status_code", "message_body")}
        options |= fields(action.block("fixed_response"), {**table, "content_type": ("content_type", "text/plain")})
    elif kind in ("authenticate-oidc", "authenticate-cognito"):
        options |= _authentication(stack, action, kind.replace("-", "_"), by)
    return options


def _authentication(stack: Stack, action: Block, option: str, by: Thing) -> dict[str, Any]:
    """The configuration in the API's spelling. The client's secret stays unwritten."""
    block = action.block(option)
    names = AUTHENTICATION[option]
    found = {api: block.get(name) for name, api in names.items()}
    if "client_secret" in block:
        block.skip("client_secret")
        place = "alb.…authenticate_oidc.ClientSecret"
        parts = (*_place(stack, by), "client_secret")
        found["ClientSecret"] = stack.secret(by, f"{option}.client_secret", stack.hosts.of(by), place, *parts)
    return {option: given(found)}


def _place(stack: Stack, by: Thing) -> list[str]:
    """Load balancer and port, and priority where it is a rule."""
    listener = stack.names.find("aws_lb_listener", by.attributes.get("listener_arn")) or by
    balancer = stack.names.find("aws_lb", listener.attributes.get("load_balancer_arn"))
    found = (balancer and balancer.attributes["name"], listener.attributes.get("port"), by.attributes.get("priority"))
    return [str(item) for item in found if item]


def _forward(stack: Stack, action: Block, by: Thing) -> dict[str, Any]:
    forward = action.block("forward")
    groups = [(item.get("arn"), item.get("weight", 0)) for item in forward.blocks("target_group")]
    single = action.get("target_group_arn")
    if not groups:
        groups = [(single, 1)]
    weights = [weight for _arn, weight in groups]
    named = [
        {"name": stack.names.ref("aws_lb_target_group", arn, by), "weight": 1 if len(weights) == 1 else weight}
        for arn, weight in groups
    ]
    sticky = forward.block("stickiness")
    duration = sticky.get("duration")
    return given(
        {
            "target_groups": [without_defaults(item, {"weight": {"default": 1}}) for item in named],
            "stickiness_duration_seconds": duration if sticky.get("enabled") else None,
        }
    )


def _group(stack: Stack, group: Thing) -> None:
    options: dict[str, Any] = {
        "name": stack.names.of(group),
        "vpc": stack.names.ref("aws_vpc", vpc, group) if (vpc := group.get("vpc_id")) else None,
        "port": group.get("port"),
        **fields(group, GROUP),
        "health_check": _health_check(group) or None,
        **_group_attributes(group),
        "tags": stack.named_tags(group),
    }
    stack.add("alb", "target_groups", options, group)


def _health_check(group: Thing) -> dict[str, Any]:
    check = fields(group.block("health_check"), CHECK)
    return {name: number(value) if name.endswith(("_seconds", "_count")) else value for name, value in check.items()}


def _group_attributes(group: Thing) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, (option, default) in {
        "deregistration_delay": ("deregistration_delay_timeout_seconds", 300),
        "slow_start": ("slow_start_duration_seconds", 0),
    }.items():
        value = number(group.get(name))
        found |= {option: value} if value not in (None, default) else {}
    sticky = group.block("stickiness")
    kind, duration = sticky.get("type"), sticky.get("cookie_duration")
    name = sticky.get("cookie_name")
    if sticky.get("enabled"):
        found |= {"stickiness_enabled": True, "stickiness_type": kind}
        found |= {f"stickiness_{kind}_duration_seconds": duration} if duration else {}
        found |= {"stickiness_app_cookie_cookie_name": name} if name else {}
    return found | _group_health(group)


def _group_health(group: Thing) -> dict[str, Any]:
    found: dict[str, Any] = {}
    health = group.block("target_group_health")
    for part in ("dns_failover", "unhealthy_state_routing"):
        block = health.block(part)
        for what, default in (("count", "1"), ("percentage", "off")):
            value = block.get(f"minimum_healthy_targets_{what}")
            if value is not None and str(value) != default:
                found[f"target_group_health_{part}_minimum_healthy_targets_{what}"] = value
    return found


def _rule(stack: Stack, rule: Thing, taken: set[str]) -> None:
    listener = stack.names.find("aws_lb_listener", rule.get("listener_arn"))
    balancer = stack.names.find("aws_lb", listener.attributes["load_balancer_arn"]) if listener else None
    if listener is None or balancer is None or not stack.is_done(listener):
        return
    options = {
        "name": _rule_name(stack, rule, taken),
        "load_balancer": balancer.attributes["name"],
        "port": listener.attributes["port"],
        "priority": rule.get("priority"),
        "conditions": [_condition(item) for item in rule.blocks("condition")],
        "actions": [_action(stack, item, rule) for item in _in_order(rule.blocks("action"))],
        "tags": stack.named_tags(rule),
    }
    stack.add("alb", "rules", options, rule)


def _rule_name(stack: Stack, rule: Thing, taken: set[str]) -> str:
    """Its Name tag; else that of its service, or what Terraform calls it. Unique, as it has to be on a listener."""
    host = stack.hosts.of(rule)
    label = "-".join(re.findall(r"[\w-]+", rule.label))
    name = rule.tags.get(NAME_TAG) or (host if host != stack.hosts.platform else label)
    if name in taken:
        name = f"{name}-{rule.attributes['priority']}"
    taken.add(name)
    return name


def _condition(condition: Block) -> dict[str, Any]:
    name = next((name for name in CONDITIONS if name in condition), None)
    if name is None:
        # As the provider had it before version 3.
        return given({"field": condition.get("field"), "values": condition.get("values")})
    options: dict[str, Any] = {"field": name.replace("_", "-")}
    if name == "query_string":
        pairs = [(item.get("key"), item.get("value")) for item in condition.blocks(name)]
        options["values"] = [{"key": key, "value": value} if key else value for key, value in pairs]
        return options
    block = condition.block(name)
    options |= given({"values": block.get("values"), "regex_values": block.get("regex_values")})
    options |= given({"http_header_name": block.get("http_header_name")})
    return options
