# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with rules and actions of the layer `alb`."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Found = Iterator[tuple[str, str]]

MOST_VALUES = 5
MOST_WILDCARDS = 5
MOST_GROUPS = 5
WEEK = 604800
FIXED_CODE = re.compile(r"[245]\d\d")
HOST = re.compile(r"[A-Za-z0-9.*?-]{1,128}")
PATH = re.compile(r"[A-Za-z0-9_\-.$/~\"'@:+&*?]{1,128}")
METHOD = re.compile(r"[A-Z_-]{1,40}")
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}")
WITH_REGEX = ("host-header", "path-pattern", "http-header")
OPTIONS = {
    "forward": ("target_groups", "stickiness_duration_seconds"),
    "redirect": ("protocol", "port", "host", "path", "query", "status_code"),
    "fixed-response": ("status_code", "content_type", "message_body"),
    "authenticate-oidc": ("authenticate_oidc",),
    "authenticate-cognito": ("authenticate_cognito",),
}
REQUIRED = {
    "authenticate_oidc": ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId"),
    "authenticate_cognito": ("UserPoolArn", "UserPoolClientId", "UserPoolDomain"),
}


def problems(rule: Mapping[str, Any]) -> Found:
    """Everything that one rule's declaration shows."""
    if "/" in rule["name"] or not rule["name"].strip():
        yield "name", f"is {rule['name']!r}; it must not be empty nor contain '/'"
    if rule["load_balancer"].startswith("arn:"):
        yield "load_balancer", f"is {rule['load_balancer']!r}; it must be the name of the load balancer, not its ARN"
    if not 1 <= rule["port"] <= 65535:
        yield "port", f"is {rule['port']}, it must be from 1 to 65535"
    if not 1 <= rule["priority"] <= 50000:
        yield "priority", f"is {rule['priority']}, it must be from 1 to 50000"
    yield from _conditions(rule["conditions"])
    yield from actions(rule["actions"], "actions")
    transforms = Counter(item["type"] for item in rule["transforms"] or ())
    yield from (
        ("transforms", f"has {count} of type {name}, AWS allows one") for name, count in transforms.items() if count > 1
    )


def _conditions(conditions: Sequence[Mapping[str, Any]]) -> Found:
    if not conditions:
        yield "conditions", "is empty; a rule needs at least one condition (the listener's default action has none)"
    values = [value for condition in conditions for value in _all_values(condition)]
    if len(values) > MOST_VALUES:
        yield "conditions", f"have {len(values)} values together, AWS allows {MOST_VALUES} in a rule"
    wildcards = sum(
        str(value).count("*") + str(value).count("?") for condition in conditions for value in condition["values"] or ()
    )
    if wildcards > MOST_WILDCARDS:
        yield "conditions", f"have {wildcards} wildcards together, AWS allows {MOST_WILDCARDS} in a rule"
    for field, count in Counter(item["field"] for item in conditions).items():
        if count > 1 and field in ("host-header", "path-pattern", "http-request-method", "source-ip"):
            yield "conditions", f"have {count} of the field {field}, AWS allows one: give it several values"
    for number, condition in enumerate(conditions):
        for message in _condition(condition):
            yield f"conditions[{number}]", message


def _all_values(condition: Mapping[str, Any]) -> list[Any]:
    return [*(condition["values"] or ()), *(condition["regex_values"] or ())]


def _condition(condition: Mapping[str, Any]) -> Iterator[str]:
    field, values, regex = condition["field"], condition["values"] or [], condition["regex_values"] or []
    if not values and not regex:
        yield f"{field} has no values"
    if values and regex:
        yield "values and regex_values cannot both be given"
    if regex and field not in WITH_REGEX:
        yield f"regex_values are for {', '.join(WITH_REGEX)}, not for {field}"
    yield from (
        f"the value {value!r} has {len(value)} characters, AWS allows 128" for value in regex if len(value) > 128
    )
    if (field == "http-header") != bool(condition["http_header_name"]):
        yield "http-header needs http_header_name" if field == "http-header" else f"{field} takes no http_header_name"
    elif field == "http-header":
        yield from _header_name(condition["http_header_name"])
    for value in values:
        yield from _value(field, value)


def _header_name(name: str) -> Iterator[str]:
    if not HEADER.fullmatch(name):
        yield f"http_header_name is {name!r}; it must be the name of a header, without wildcards"
    elif name.lower() == "host":
        yield "http_header_name is 'Host'; use the field host-header"


def _value(field: str, value: Any) -> Iterator[str]:
    if field == "query-string":
        yield from _query_value(value)
    elif not isinstance(value, (str, int)):
        yield f"the value {value!r} of {field} must be a text"
    elif field == "source-ip":
        yield from _cidr(str(value))
    elif field == "host-header" and (not HOST.fullmatch(str(value)) or "." not in str(value)):
        yield f"the value {value!r} is no host name; it has letters, digits, - . * ? and at least one '.'"
    elif field == "path-pattern" and not PATH.fullmatch(str(value)):
        allowed = "at most 128 letters, digits and _ - . $ / ~ \" ' @ : + & * ?"
        yield f"the value {value!r} is no path; it has {allowed}"
    elif field == "path-pattern" and not str(value).startswith(("/", "*")):
        yield f"the value {value!r} never matches: paths begin with '/'"
    elif field == "http-request-method" and not METHOD.fullmatch(str(value)):
        yield f"the value {value!r} is no request method; it has capital letters, '-' and '_', no wildcards"
    elif len(str(value)) > 128:
        yield f"the value {value!r} has {len(str(value))} characters, AWS allows 128"


def _query_value(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if set(value) - {"key", "value"} or not value.get("value"):
            yield f"the value {value!r} of query-string must have value, may have key, and nothing else"
    elif not isinstance(value, (str, int)):
        yield f"the value {value!r} of query-string must be a text, or a dictionary with key and value"


def _cidr(value: str) -> Iterator[str]:
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        yield f"the value {value!r} of source-ip is no CIDR block such as 192.0.2.0/24: {error}"
        return
    if "/" not in value:
        yield f"the value {value!r} of source-ip must be a CIDR block: {network}"


def actions(declared: Sequence[Mapping[str, Any]], path: str, protocol: str = "", port: int | None = None) -> Found:
    """What is wrong with a listener's or a rule's actions. protocol, port: of the listener, where it is known."""
    if not declared:
        yield path, "is empty; say what happens to the requests"
        return
    last = declared[-1]["type"]
    if last.startswith("authenticate-"):
        yield path, f"ends with {last}; an authentication must be followed by forward, redirect or fixed-response"
    for action in declared[:-1]:
        if not action["type"].startswith("authenticate-"):
            yield path, f"has {action['type']} before its end; that must be the last action"
    for action in declared:
        if action["type"].startswith("authenticate-") and protocol == "HTTP":
            yield path, f"{action['type']} needs a listener with protocol HTTPS"
        for message in _action(action, protocol, port):
            yield path, message


def _action(action: Mapping[str, Any], protocol: str, port: int | None) -> Iterator[str]:
    own = OPTIONS[action["type"]]
    others = {name for names in OPTIONS.values() for name in names} - set(own)
    for name in sorted(others):
        if action[name] is not None:
            yield f"{name} does not go with {action['type']}, which has {', '.join(own)}"
    if action["type"] == "forward":
        yield from _forward(action)
    elif action["type"] == "redirect":
        yield from _redirect(action, protocol, port)
    elif action["type"] == "fixed-response":
        yield from _fixed_response(action)
    else:
        missing = [name for name in REQUIRED[own[0]] if not (action[own[0]] or {}).get(name)]
        if missing:
            yield f"{own[0]} needs {', '.join(missing)}"


def _forward(action: Mapping[str, Any]) -> Iterator[str]:
    groups = action["target_groups"] or []
    if not 1 <= len(groups) <= MOST_GROUPS:
        yield f"forward has {len(groups)} target groups; it needs 1 to {MOST_GROUPS} in target_groups"
    for group in groups:
        if not 0 <= group["weight"] <= 999:
            yield f"the weight of the target group {group['name']!r} is {group['weight']}, it must be from 0 to 999"
    for name, count in Counter(group["name"] for group in groups).items():
        if count > 1:
            yield f"forward names the target group {name!r} {count} times"
    if groups and all(group["weight"] == 0 for group in groups) and len(groups) > 1:
        yield "all target groups have the weight 0, so no request would go anywhere"
    duration = action["stickiness_duration_seconds"]
    if duration is not None and not 1 <= duration <= WEEK:
        yield f"stickiness_duration_seconds is {duration}, it must be from 1 to {WEEK}"


def _redirect(action: Mapping[str, Any], protocol: str, port: int | None) -> Iterator[str]:
    code = (action["status_code"] or "301").removeprefix("HTTP_")
    if code not in ("301", "302"):
        yield f"status_code of a redirect is {action['status_code']!r}; it must be HTTP_301 or HTTP_302"
    if action["protocol"] not in (None, "HTTP", "HTTPS", "#{protocol}"):
        yield f"protocol of a redirect is {action['protocol']!r}; it must be HTTP, HTTPS or #{{protocol}}"
    if protocol == "HTTPS" and action["protocol"] == "HTTP":
        yield "a redirect from HTTPS to HTTP is refused by AWS"
    to_port = action["port"]
    if to_port not in (None, "#{port}") and not (to_port.isdigit() and 1 <= int(to_port) <= 65535):
        yield f"port of a redirect is {to_port!r}; it must be from 1 to 65535 or #{{port}}"
    if action["path"] is not None and not action["path"].startswith("/"):
        yield f"path of a redirect is {action['path']!r}; it must begin with '/'"
    same: dict[str, tuple[str | None, ...]] = {
        "protocol": (None, "#{protocol}", protocol),
        "port": (None, "#{port}", str(port)),
    }
    same |= {"host": (None, "#{host}"), "path": (None, "/#{path}")}
    if all(action[name] in unchanged for name, unchanged in same.items()):
        yield "a redirect must change at least one of protocol, port, host and path, else it goes in a circle"


def _fixed_response(action: Mapping[str, Any]) -> Iterator[str]:
    if not FIXED_CODE.fullmatch(action["status_code"] or ""):
        yield f"status_code of a fixed-response is {action['status_code']!r}; it must be 2XX, 4XX or 5XX"
    if len(action["message_body"] or "") > 1024:
        yield f"message_body has {len(action['message_body'])} characters, AWS allows 1024"
