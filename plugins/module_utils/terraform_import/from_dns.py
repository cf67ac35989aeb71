# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosted zones and records of Route 53."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import canonical_name
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_records import DUALSTACK
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_targets import (
    CLOUDFRONT_ZONE,
    website_endpoint,
)
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing

ROUTING = "this routing policy has no option here: it stays with Terraform"
WITHOUT = (
    "geolocation_routing_policy",
    "geoproximity_routing_policy",
    "cidr_routing_policy",
)


def convert(stack: Stack) -> None:
    for zone in stack.of("aws_route53_zone"):
        _zone(stack, zone)
    for record in stack.of("aws_route53_record"):
        if not stack.is_done(record) and not any(name in record for name in WITHOUT):
            _record(stack, record)
    stack.refuse(ROUTING, *(item for item in stack.of("aws_route53_record") if not stack.is_done(item)))


def _zone(stack: Stack, zone: Thing) -> None:
    vpcs = [item.get("vpc_id") for item in zone.blocks("vpc")]
    for block in zone.blocks("vpc"):
        block.skip("vpc_region")
    zone.skip("zone_id", "name_servers", "primary_name_server")
    options = {
        "name": canonical_name(zone.get("name")),
        "comment": zone.get("comment"),
        "vpcs": stack.names.refs("aws_vpc", vpcs, zone) or None,
        "force_delete": bool(zone.get("force_destroy", False)),
        "tags": stack.tags(zone),
    }
    stack.add("dns", "zones", options, zone)


def _record(stack: Stack, record: Thing) -> None:
    record.skip("name", "allow_overwrite")
    zone, private = _zone_of(stack, str(record.get("zone_id")))
    options: dict[str, Any] = {
        "name": canonical_name(record.get("fqdn")),
        "type": record.get("type"),
        "zone": zone if private else None,
        "private": private,
        "set_identifier": record.get("set_identifier"),
        "weight": record.block("weighted_routing_policy").get("weight"),
        "latency_region": record.block("latency_routing_policy").get("region"),
        "failover": record.block("failover_routing_policy").get("type"),
        "multi_value_answer": record.get("multivalue_answer_routing_policy") or None,
        "health_check_id": record.get("health_check_id"),
    }
    if "weighted_routing_policy" in record and options["weight"] is None:
        options["weight"] = 0
    if "alias" in record:
        options["alias"] = _alias(stack, record)
    else:
        options["ttl"] = record.get("ttl")
        options["values"] = sorted(_value(str(item), options["type"]) for item in record.get("records", []))
    stack.add("dns", "records", options, record)


def _site(stack: Stack, domain: str) -> str:
    """The name of the site whose distribution answers under this domain of CloudFront's; else the domain."""
    for item in stack.of("aws_cloudfront_distribution"):
        if item.attributes.get("domain_name") == domain and (options := stack.options_of(item)):
            return str(options["name"])
    return domain


def _zone_of(stack: Stack, zone_id: str) -> tuple[str, bool]:
    """Name of the zone, and whether it is private, as far as the state knows it."""
    for zone in (*stack.of("aws_route53_zone"), *(item for item in stack.data if item.type == "aws_route53_zone")):
        if zone_id in (zone.id, zone.attributes.get("zone_id")):
            private = bool(zone.attributes.get("vpc") or zone.attributes.get("private_zone"))
            return canonical_name(str(zone.attributes["name"])), private
    return "", False


def _value(value: str, record_type: str) -> str:
    """Terraform leaves out the outer quotes of a text."""
    return f'"{value}"' if record_type in ("TXT", "SPF") and '"' in value and not value.startswith('"') else value


def _alias(stack: Stack, record: Thing) -> dict[str, Any]:
    alias = record.block("alias")
    name, zone = canonical_name(str(alias.get("name"))), alias.get("zone_id")
    health = bool(alias.get("evaluate_target_health", False))
    for balancer in stack.of("aws_lb"):
        if canonical_name(str(balancer.attributes.get("dns_name"))) == name.removeprefix(DUALSTACK):
            return {"load_balancer": stack.names.of(balancer), "evaluate_target_health": health}
    if name == website_endpoint(stack.environment.region):
        return {"s3_website": True, "evaluate_target_health": health}
    if zone == CLOUDFRONT_ZONE:
        return {"cloudfront": _site(stack, name), "evaluate_target_health": health}
    return {"dns_name": name, "hosted_zone_id": zone, "evaluate_target_health": health}
