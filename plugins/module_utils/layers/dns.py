# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `dns`: hosted zones and records of Route 53."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import dns_checks, dns_options, names
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Declaration,
    Environment,
    Layer,
    refer,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import canonical_name
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_targets import (
    CLOUDFRONT_ZONE,
    website_endpoint,
    website_zone,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_zones import PRIVATE

ROUTING = {
    "weight": "Weight",
    "latency_region": "Region",
    "failover": "Failover",
    "multi_value_answer": "MultiValueAnswer",
    "health_check_id": "HealthCheckId",
}


class Dns(Layer):
    NAME = "dns"
    DESCRIPTION = "Route 53 hosted zones and records, plain and alias"
    ARGUMENT_SPEC = dns_options.ARGUMENT_SPEC

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        for zone in declaration.options["zones"]:
            yield _zone(zone, environment)
        for record in declaration.options["records"]:
            yield _record_by_hand(record, environment) if record["by_hand"] else _record(record, environment)

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        return dns_checks.problems(declarations, environment)

    def connect(self, declared: Mapping[Address, Resource]) -> None:
        for resource in declared.values():
            if resource.kind == "route53_record":
                resource.scope["HostedZoneId"] = names.declared_zone(resource.scope["HostedZoneId"], declared)

    def warn(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        return dns_checks.warnings(declarations)


def _zone(options: Mapping[str, Any], environment: Environment) -> Resource:
    where = f"dns.zones[{options['name']}]"
    name = canonical_name(options["name"])
    properties: dict[str, Any] = {"PrivateZone": bool(options["vpcs"])}
    if options["comment"] is not None:
        properties["Comment"] = options["comment"]
    if options["vpcs"]:
        properties["VPCs"] = [refer("vpc", vpc, "id", f"{where}.vpcs") for vpc in options["vpcs"]]
    return Resource(
        names.ZONE,
        f"{PRIVATE}{name}" if options["vpcs"] else name,
        properties,
        where=where,
        tags={**environment.tags, **{str(key): str(value) for key, value in (options["tags"] or {}).items()}},
        options={"force_delete": options["force_delete"]},
        protect=options["protect"],
    )


def record_name(options: Mapping[str, Any]) -> str:
    """What a record is called: its name, type and, where it has one, set identifier."""
    parts = [canonical_name(options["name"]), options["type"], options["set_identifier"] or ""]
    return (PRIVATE if options["private"] else "") + "/".join(part for part in parts if part)


def _record(options: Mapping[str, Any], environment: Environment) -> Resource:
    name = record_name(options)
    where = f"dns.records[{name}]"
    properties: dict[str, Any] = {"Type": options["type"]}
    if options["alias"]:
        properties["AliasTarget"] = _alias(options, environment, where)
    else:
        properties["TTL"] = dns_options.DEFAULT_TTL if options["ttl"] is None else options["ttl"]
        properties["ResourceRecords"] = list(options["values"])
    properties |= {key: options[option] for option, key in ROUTING.items() if options[option] is not None}
    return Resource(
        "route53_record",
        name,
        properties,
        where=where,
        scope={"HostedZoneId": _zone_of(options, where)},
        options={"wait": options["wait"]},
        protect=options["protect"],
    )


def _record_by_hand(options: Mapping[str, Any], environment: Environment) -> Resource:
    """A zone elsewhere knows no aliases of AWS: a CNAME leads to the same."""
    name, alias = canonical_name(options["name"]), options["alias"]
    where, properties = f"dns.records[{record_name(options)}]", {}
    if alias["load_balancer"]:
        target = Ref("load_balancer", alias["load_balancer"], "dns_name", where=f"{where}.alias.load_balancer")
    elif alias["cloudfront"]:
        target = Ref("cloudfront_distribution", alias["cloudfront"], "domain_name", where=f"{where}.alias.cloudfront")
    else:
        target = Ref("s3_bucket", name, "name", where=f"{where}.alias.s3_website")
        properties = {"Endpoint": website_endpoint(environment.region)}
    return Resource("record_by_hand", name, properties, where=where, scope={"Target": target})


def _distribution(name: str, where: str) -> Any:
    """Its domain name, or the one of the distribution of a static site."""
    if name.rstrip(".").lower().endswith(dns_checks.CLOUDFRONT_DOMAIN):
        return name
    return Ref("cloudfront_distribution", name, "domain_name", where=where)


def _zone_of(options: Mapping[str, Any], where: str) -> Ref:
    if not options["zone"]:
        return names.zone_reference(options["name"], f"{where}.zone")
    zone = canonical_name(options["zone"])
    return Ref(names.ZONE, f"{PRIVATE}{zone}" if options["private"] else zone, where=f"{where}.zone")


def _alias(options: Mapping[str, Any], environment: Environment, where: str) -> dict[str, Any]:
    alias = options["alias"]
    if alias["load_balancer"]:
        balancer, place = alias["load_balancer"], f"{where}.alias.load_balancer"
        target: tuple[Any, Any] = (
            Ref("load_balancer", balancer, "dns_name", where=place),
            Ref("load_balancer", balancer, "canonical_hosted_zone_id", where=place),
        )
    elif alias["s3_website"]:
        target = (website_endpoint(environment.region), website_zone(environment.region))
    elif alias["cloudfront"]:
        target = (_distribution(alias["cloudfront"], f"{where}.alias.cloudfront"), CLOUDFRONT_ZONE)
    else:
        target = (alias["dns_name"], alias["hosted_zone_id"])
    return {
        "DNSName": target[0],
        "HostedZoneId": target[1],
        "EvaluateTargetHealth": alias["evaluate_target_health"],
    }
