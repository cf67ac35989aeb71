# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument spec of the layer `alb`."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import alb_attributes as attributes

SSL_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"

TAGS: dict[str, Any] = {"type": "dict", "description": "Tags of its own, in addition to O(dockyard_tags)."}
PROTECT: dict[str, Any] = {"type": "bool", "default": False, "description": "Refuse to delete or replace it."}

FORWARD_GROUP: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the target group, or its ARN."},
    "weight": {"type": "int", "default": 1, "description": "Its share of the requests, 0 to 999."},
}

ACTION: dict[str, Any] = {
    "type": {
        "type": "str",
        "required": True,
        "choices": ["forward", "redirect", "fixed-response", "authenticate-oidc", "authenticate-cognito"],
        "description": "What to do with the request. An authentication is followed by another action.",
    },
    "target_groups": {
        "type": "list",
        "elements": "dict",
        "options": FORWARD_GROUP,
        "description": "For V(forward): one to five target groups.",
    },
    "stickiness_duration_seconds": {
        "type": "int",
        "description": "For V(forward) to several groups: how long a client stays with the group it got, up to a week.",
    },
    "protocol": {"type": "str", "description": "For V(redirect): V(HTTP) or V(HTTPS). Default is the request's."},
    "port": {"type": "str", "description": "For V(redirect): the port. Default is the request's."},
    "host": {
        "type": "str",
        "description": "For V(redirect): the host name; may contain C(#{host}). Default is the request's.",
    },
    "path": {
        "type": "str",
        "description": "For V(redirect): the path, begins with C(/); may contain C(#{host}), C(#{path}), C(#{port}).",
    },
    "query": {"type": "str", "description": "For V(redirect): the query string without its question mark."},
    "status_code": {
        "type": "str",
        "description": (
            "For V(redirect) V(HTTP_301), which is the default, or V(HTTP_302). "
            "For V(fixed-response) a code 2XX, 4XX or 5XX."
        ),
    },
    "content_type": {
        "type": "str",
        "choices": ["text/plain", "text/css", "text/html", "application/javascript", "application/json"],
        "description": "For V(fixed-response). Default is V(text/plain).",
    },
    "message_body": {"type": "str", "description": "For V(fixed-response): at most 1024 characters."},
    "authenticate_oidc": {
        "type": "dict",
        "description": (
            "For V(authenticate-oidc): the C(AuthenticateOidcConfig) of the API, in its own spelling. "
            "AWS never returns its secret, so a change of the secret alone is not seen."
        ),
    },
    "authenticate_cognito": {
        "type": "dict",
        "description": "For V(authenticate-cognito): the C(AuthenticateCognitoConfig) of the API, in its own spelling.",
    },
}

CONDITION: dict[str, Any] = {
    "field": {
        "type": "str",
        "required": True,
        "choices": ["host-header", "path-pattern", "http-header", "http-request-method", "query-string", "source-ip"],
        "description": "What is looked at.",
    },
    "values": {
        "type": "list",
        "elements": "raw",
        "description": (
            "The values, one of which has to match; V(*) and V(?) are wildcards where AWS has them. "
            "For V(query-string) texts, or dictionaries with V(key) and V(value). For V(source-ip) CIDR blocks."
        ),
    },
    "regex_values": {
        "type": "list",
        "elements": "str",
        "description": "Regular expressions instead of values, for V(host-header), V(path-pattern), V(http-header).",
    },
    "http_header_name": {"type": "str", "description": "For V(http-header): name of the header."},
}

LISTENER: dict[str, Any] = {
    "port": {"type": "int", "required": True, "description": "Port, 1 to 65535; one listener per port."},
    "protocol": {
        "type": "str",
        "required": True,
        "choices": ["HTTP", "HTTPS"],
        "description": "Protocol that clients speak.",
    },
    "ssl_policy": {
        "type": "str",
        "description": f"Security policy of an HTTPS listener. Default is V({SSL_POLICY}): TLS 1.3 and 1.2.",
    },
    "certificate": {
        "type": "str",
        "description": (
            "The certificate of an HTTPS listener that clients get by default: its name in the layer "
            "C(certificate), or its ARN."
        ),
    },
    "extra_certificates": {
        "type": "list",
        "elements": "str",
        "description": "Further certificates, which clients get by the host name they ask for (SNI): names or ARNs.",
    },
    "default_action": {
        "type": "dict",
        "options": ACTION,
        "description": "What happens to requests that no rule matches.",
    },
    "default_actions": {
        "type": "list",
        "elements": "dict",
        "options": ACTION,
        "description": "The same with an authentication first; instead of O(default_action).",
    },
    "mutual_authentication": {
        "type": "dict",
        "description": "Client certificates, with an HTTPS listener.",
        "options": {
            "mode": {
                "type": "str",
                "required": True,
                "choices": ["off", "passthrough", "verify"],
                "description": "Whether client certificates are asked for, and who verifies them.",
            },
            "trust_store": {"type": "str", "description": "ARN of the trust store, for V(verify)."},
            "ignore_client_certificate_expiry": {
                "type": "bool",
                "description": "Accept certificates that have expired.",
            },
            "advertise_trust_store_ca_names": {
                "type": "str",
                "choices": ["on", "off"],
                "description": "Tell clients the subjects of the trust store's certificates.",
            },
        },
    },
    **attributes.specs(attributes.LISTENER),
    "tags": TAGS,
}

LOAD_BALANCER: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": "Name, unique in the account and region: at most 32 letters, digits and hyphens.",
    },
    "scheme": {
        "type": "str",
        "choices": ["internet-facing", "internal"],
        "default": "internet-facing",
        "description": "Whether it has public addresses. A change replaces it, with a new DNS name.",
    },
    "ip_address_type": {
        "type": "str",
        "choices": ["ipv4", "dualstack", "dualstack-without-public-ipv4"],
        "default": "ipv4",
        "description": "Which addresses it has.",
    },
    "subnets": {
        "type": "list",
        "elements": "str",
        "required": True,
        "description": "Names or ids of its subnets: at least two, each in another availability zone.",
    },
    "security_groups": {
        "type": "list",
        "elements": "str",
        "required": True,
        "description": "Names or ids of its security groups.",
    },
    "listeners": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": LISTENER,
        "description": "Its listeners.",
    },
    **attributes.specs(attributes.LOAD_BALANCER),
    "protect": PROTECT,
    "tags": TAGS,
}

HEALTH_CHECK: dict[str, Any] = {
    "enabled": {"type": "bool", "description": "Whether targets are checked; can be off for Lambda functions alone."},
    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "description": "Protocol of the checks."},
    "port": {"type": "str", "description": "Port of the checks, or V(traffic-port), the port of each target."},
    "path": {"type": "str", "description": "Path of the checks, begins with C(/)."},
    "interval_seconds": {"type": "int", "description": "Seconds between checks, 5 to 300."},
    "timeout_seconds": {"type": "int", "description": "Seconds until a check fails, 2 to 120, less than the interval."},
    "healthy_threshold_count": {"type": "int", "description": "Checks in a row that make a target healthy, 2 to 10."},
    "unhealthy_threshold_count": {"type": "int", "description": "Checks in a row that make it unhealthy, 2 to 10."},
    "matcher": {
        "type": "str",
        "description": (
            "Codes of a healthy answer, such as V(200), V(200,202) or V(200-399); with V(GRPC) gRPC codes, 0 to 99."
        ),
    },
}

TARGET_GROUP: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": (
            "Name, at most 32 letters, digits and hyphens. It becomes the Name tag; "
            "the name in AWS gets a suffix, so that a replacement can stand beside what it replaces."
        ),
    },
    "target_type": {
        "type": "str",
        "choices": ["instance", "ip", "lambda"],
        "default": "instance",
        "description": "What its targets are; V(ip) for network mode C(awsvpc). A change replaces the group.",
    },
    "protocol": {
        "type": "str",
        "choices": ["HTTP", "HTTPS"],
        "description": "Protocol that targets speak. A change replaces the group.",
    },
    "protocol_version": {
        "type": "str",
        "choices": ["HTTP1", "HTTP2", "GRPC"],
        "description": "Version of the protocol. A change replaces the group.",
    },
    "port": {"type": "int", "description": "Port of the targets. A change replaces the group."},
    "vpc": {"type": "str", "description": "Name or id of its VPC; not for V(lambda). A change replaces the group."},
    "ip_address_type": {
        "type": "str",
        "choices": ["ipv4", "ipv6"],
        "description": "Addresses of the targets. A change replaces the group.",
    },
    "health_check": {"type": "dict", "options": HEALTH_CHECK, "description": "How targets are checked."},
    **attributes.specs(attributes.TARGET_GROUP),
    "protect": PROTECT,
    "tags": TAGS,
}

RULE: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name, unique on its listener; it becomes the Name tag."},
    "load_balancer": {
        "type": "str",
        "required": True,
        "description": "Name of the load balancer; any host may declare it.",
    },
    "port": {"type": "int", "required": True, "description": "Port of the listener."},
    "priority": {
        "type": "int",
        "required": True,
        "description": "Place among the listener's rules, 1 to 50000, lowest first.",
    },
    "conditions": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": CONDITION,
        "description": "Conditions, all of which have to hold.",
    },
    "actions": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": ACTION,
        "description": "What happens to the requests: one action, or an authentication and one action.",
    },
    "transforms": {
        "type": "list",
        "elements": "dict",
        "description": "Rewrites before the request goes on.",
        "options": {
            "type": {
                "type": "str",
                "required": True,
                "choices": ["host-header-rewrite", "url-rewrite"],
                "description": "What is rewritten.",
            },
            "regex": {"type": "str", "required": True, "description": "Regular expression that it has to match."},
            "replace": {
                "type": "str",
                "required": True,
                "description": "What takes its place; may contain C($1) to C($9).",
            },
        },
    },
    "tags": TAGS,
}

ARGUMENT_SPEC: dict[str, Any] = {
    "load_balancers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": LOAD_BALANCER,
        "description": "Application load balancers with their listeners.",
    },
    "target_groups": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": TARGET_GROUP,
        "description": "Target groups.",
    },
    "rules": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": RULE,
        "description": "Listener rules; the listener may be another host's.",
    },
}
