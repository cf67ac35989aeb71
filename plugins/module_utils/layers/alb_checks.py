# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with declarations of the layer `alb`, as far as they show it themselves."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import alb_attributes as attributes
from ansible_collections.dockyard.aws.plugins.module_utils.layers import alb_rule_checks as rules
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
ARN = re.compile(r"arn:[a-z-]+:(?:acm|iam):[^:]*:\d{12}:(?:certificate|server-certificate)/\S+")
SSL_POLICY = re.compile(r"ELBSecurityPolicy-[A-Za-z0-9-]+")
HTTP_CODES = re.compile(r"\d{3}(?:-\d{3})?(?:,\d{3}(?:-\d{3})?)*")
GRPC_CODES = re.compile(r"\d{1,2}(?:-\d{1,2})?(?:,\d{1,2}(?:-\d{1,2})?)*")
# AWS's default quotas, which an account can have raised.
MOST_RULES = 100
MOST_LISTENERS = 50
MOST_CERTIFICATES = 25
CHECK_LIMITS = {
    "interval_seconds": (5, 300),
    "timeout_seconds": (2, 120),
    "healthy_threshold_count": (2, 10),
    "unhealthy_threshold_count": (2, 10),
}
Found = Iterator[tuple[str, str]]


def problems(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """Every problem of every host: within its declaration, and between hosts."""
    for declaration in declarations:
        for path, message in _of_one(declaration.options):
            yield Problem(declaration.host, path, message)
    yield from _priorities(declarations)


def warnings(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """More of something than AWS allows as long as nobody has asked for more."""
    yield from _too_many_rules(declarations)
    for declaration in declarations:
        for balancer in declaration.options["load_balancers"]:
            where = f"alb.load_balancers[{balancer['name']}]"
            yield from _too_many(
                declaration.host, f"{where}.listeners", len(balancer["listeners"]), "listeners", MOST_LISTENERS
            )
            for listener in balancer["listeners"]:
                path = f"{where}.listeners[{listener['port']}].extra_certificates"
                count = len(listener["extra_certificates"] or ())
                yield from _too_many(declaration.host, path, count, "certificates", MOST_CERTIFICATES)


def _too_many(host: str, path: str, count: int, what: str, quota: int) -> Iterator[Problem]:
    if count > quota:
        yield Problem(host, path, f"has {count} {what}; {_default_quota(quota)}")


def _default_quota(quota: int) -> str:
    return f"AWS allows {quota}, unless the account's quota has been raised"


def _of_one(options: Mapping[str, Any]) -> Found:
    for balancer in options["load_balancers"]:
        where = f"alb.load_balancers[{balancer['name']}]"
        yield from _under(where, _load_balancer(balancer))
        for listener in balancer["listeners"]:
            yield from _under(f"{where}.listeners[{listener['port']}]", _listener(listener))
    for group in options["target_groups"]:
        yield from _under(f"alb.target_groups[{group['name']}]", _target_group(group))
    for rule in options["rules"]:
        yield from _under(f"alb.rules[{rule['name']}]", rules.problems(rule))


def _under(where: str, found: Found) -> Found:
    for path, message in found:
        yield f"{where}.{path}" if path else where, message


def _name(name: str) -> Found:
    if not NAME.fullmatch(name):
        yield (
            "name",
            f"is {name!r}; it must have 1 to 32 letters, digits and hyphens, and no hyphen at its beginning or end",
        )


def _port(path: str, port: int) -> Found:
    if not 1 <= port <= 65535:
        yield path, f"is {port}, it must be from 1 to 65535"


def _load_balancer(options: Mapping[str, Any]) -> Found:
    yield from _name(options["name"])
    if options["name"].startswith("internal-"):
        yield "name", f"is {options['name']!r}; AWS refuses names that begin with 'internal-'"
    for path, least in (("subnets", 2), ("security_groups", 1)):
        names = options[path]
        if len(set(names)) < least:
            needs = (
                f"{least} subnets, each in another availability zone"
                if path == "subnets"
                else f"{least} security group"
            )
            given = ", ".join(sorted(set(names))) or "none"
            yield path, f"names {given}; a load balancer needs at least {needs}"
        yield from ((path, f"names {name!r} twice") for name, count in Counter(names).items() if count > 1)
    yield from attributes.outside_limits(attributes.LOAD_BALANCER, options)
    for logs in ("access_logs", "connection_logs", "health_check_logs"):
        if options[f"{logs}_s3_enabled"] and not options[f"{logs}_s3_bucket"]:
            yield f"{logs}_s3_bucket", f"is not given; {logs}_s3_enabled needs it"
    if options["scheme"] == "internal" and options["ip_address_type"] == "dualstack-without-public-ipv4":
        yield "ip_address_type", "dualstack-without-public-ipv4 is for the scheme internet-facing"
    ports = Counter(listener["port"] for listener in options["listeners"])
    yield from (
        ("listeners", f"has {count} listeners on port {port}, AWS allows one")
        for port, count in ports.items()
        if count > 1
    )


def _listener(options: Mapping[str, Any]) -> Found:
    yield from _port("port", options["port"])
    single, several = options["default_action"], options["default_actions"]
    if single and several:
        yield "default_actions", "is given beside default_action; give one of them"
    elif not single and not several:
        yield "default_action", "is not given; say what happens to requests that no rule matches"
    else:
        path = "default_actions" if several else "default_action"
        yield from rules.actions(several or [single], path, options["protocol"], options["port"])
    yield from _tls(options) if options["protocol"] == "HTTPS" else _no_tls(options)


def _tls(options: Mapping[str, Any]) -> Found:
    if not options["certificate"]:
        yield "certificate", "is not given; a listener with protocol HTTPS needs one"
    for path, arn in [
        ("certificate", options["certificate"]),
        *(("extra_certificates", item) for item in options["extra_certificates"] or ()),
    ]:
        if arn and arn.startswith("arn:") and not ARN.fullmatch(arn):
            allowed = "the ARN of a certificate in ACM (arn:aws:acm:…:certificate/…) or IAM, or a name"
            yield path, f"is {arn!r}; it must be {allowed}"
    if options["certificate"] and options["certificate"] in (options["extra_certificates"] or ()):
        yield "extra_certificates", "names the default certificate, which must not be named again"
    if options["ssl_policy"] and not SSL_POLICY.fullmatch(options["ssl_policy"]):
        yield "ssl_policy", f"is {options['ssl_policy']!r}; names of security policies begin with 'ELBSecurityPolicy-'"
    mutual = options["mutual_authentication"]
    if mutual and (mutual["mode"] == "verify") != bool(mutual["trust_store"]):
        needs = "needs trust_store" if mutual["mode"] == "verify" else "takes no trust_store"
        yield "mutual_authentication", f"mode {mutual['mode']} {needs}"


def _no_tls(options: Mapping[str, Any]) -> Found:
    for path in ("certificate", "extra_certificates", "ssl_policy", "mutual_authentication"):
        if options[path]:
            yield path, f"is given, but the protocol is {options['protocol']}; it is for HTTPS"


def _target_group(options: Mapping[str, Any]) -> Found:
    yield from _name(options["name"])
    if "--" in options["name"]:
        yield "name", f"is {options['name']!r}; AWS refuses two hyphens in a row in the name of a target group"
    of_network = ("vpc", "port", "protocol")
    if options["target_type"] == "lambda":
        for path in (*of_network, "protocol_version", "ip_address_type"):
            if options[path] is not None:
                yield path, "is given, but a target group for a Lambda function has none"
    else:
        for path in of_network:
            if options[path] is None:
                yield path, f"is not given; a target group of target_type {options['target_type']} needs it"
    if options["port"] is not None:
        yield from _port("port", options["port"])
    yield from attributes.outside_limits(attributes.TARGET_GROUP, options)
    yield from _target_group_attributes(options)
    if options["health_check"]:
        for path, message in _health_check(options):
            yield f"health_check.{path}", message


def _target_group_attributes(options: Mapping[str, Any]) -> Found:
    slow, algorithm = options["slow_start_duration_seconds"], options["load_balancing_algorithm_type"]
    if slow and slow < 30:
        yield "slow_start_duration_seconds", f"is {slow}, it must be 0 or from 30 to 900"
    if slow and algorithm not in (None, "round_robin"):
        yield "slow_start_duration_seconds", f"goes with load_balancing_algorithm_type round_robin, got {algorithm}"
    if options["load_balancing_algorithm_anomaly_mitigation"] == "on" and algorithm != "weighted_random":
        yield (
            "load_balancing_algorithm_anomaly_mitigation",
            f"needs load_balancing_algorithm_type weighted_random, got {algorithm}",
        )
    cookie = options["stickiness_app_cookie_cookie_name"]
    if options["stickiness_type"] == "app_cookie" and not cookie:
        yield "stickiness_app_cookie_cookie_name", "is not given; stickiness_type app_cookie needs it"
    if cookie and cookie.startswith("AWSALB"):
        yield "stickiness_app_cookie_cookie_name", f"is {cookie!r}; names that begin with AWSALB are AWS's own"
    for item in attributes.TARGET_GROUP:
        if item.key.startswith("target_group_health.") and item.type == "str" and options[item.option] is not None:
            yield from _health_share(item.option, str(options[item.option]))


def _health_share(path: str, value: str) -> Found:
    high = 100 if path.endswith("percentage") else None
    if value == "off":
        return
    if not value.isdigit() or int(value) < 1 or (high is not None and int(value) > high):
        limits = "from 1 to 100" if high else "of at least 1"
        yield path, f"is {value!r}, it must be a number {limits}, or off"


def _health_check(options: Mapping[str, Any]) -> Found:
    check = options["health_check"]
    for path, (low, high) in CHECK_LIMITS.items():
        if check[path] is not None and not low <= check[path] <= high:
            yield path, f"is {check[path]}, it must be from {low} to {high}"
    interval = check["interval_seconds"] or (35 if options["target_type"] == "lambda" else 30)
    timeout = check["timeout_seconds"]
    if timeout is not None and timeout >= interval:
        yield "timeout_seconds", f"is {timeout}, it must be less than the interval, which is {interval}"
    if check["path"] is not None and (not check["path"].startswith("/") or len(check["path"]) > 1024):
        yield "path", f"is {check['path']!r}; it must begin with '/' and have at most 1024 characters"
    port = check["port"]
    if port is not None and port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65535):
        yield "port", f"is {port!r}; it must be traffic-port or a number from 1 to 65535"
    if check["enabled"] is False and options["target_type"] != "lambda":
        yield "enabled", f"is false; with target_type {options['target_type']} health checks are always on"
    if check["matcher"] is not None:
        yield from _matcher(check["matcher"], options["protocol_version"] == "GRPC")


def _matcher(matcher: str, grpc: bool) -> Found:
    pattern, low, high = (GRPC_CODES, 0, 99) if grpc else (HTTP_CODES, 200, 499)
    codes = matcher.replace(" ", "")
    ranges = [[int(code) for code in part.split("-")] for part in codes.split(",")] if pattern.fullmatch(codes) else []
    if (
        not ranges
        or any(not low <= code <= high for ends in ranges for code in ends)
        or any(ends[0] > ends[-1] for ends in ranges)
    ):
        example = "0,12 or 0-99" if grpc else "200, 200,202 or 200-399"
        yield "matcher", f"is {matcher!r}; it must be codes from {low} to {high}, such as {example}"


def _priorities(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    users: dict[tuple[str, int, int], list[tuple[str, str]]] = defaultdict(list)
    for declaration in declarations:
        for rule in declaration.options["rules"]:
            users[rule["load_balancer"], rule["port"], rule["priority"]].append((declaration.host, rule["name"]))
    for (balancer, port, priority), found in users.items():
        for host, name in found[1:]:
            first_host, first_name = found[0]
            message = (
                f"is {priority}, which the rule {first_name!r} of {first_host} has already on the listener "
                f"{balancer}:{port}; every rule of a listener needs a priority of its own, from 1 to 50000"
            )
            yield Problem(host, f"alb.rules[{name}].priority", message)


def _too_many_rules(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    counts = Counter(rule["load_balancer"] for item in declarations for rule in item.options["rules"])
    for balancer, count in counts.items():
        if count > MOST_RULES:
            hosts = sorted(
                {
                    item.host
                    for item in declarations
                    for rule in item.options["rules"]
                    if rule["load_balancer"] == balancer
                }
            )
            message = f"{count} rules are declared for the load balancer {balancer!r}; {_default_quota(MOST_RULES)}"
            yield Problem(hosts[-1], "alb.rules", message)
