# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront distributions in front of a private bucket, with the origin access control that reads it."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.static_site import ORIGIN
from ansible_collections.dockyard.aws.plugins.module_utils.layers.static_site_options import (
    CACHING_OPTIMIZED,
    CLOUDFRONT_OPTIONS,
)
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import Fields, fields, given

DISTRIBUTION, CONTROL = "aws_cloudfront_distribution", "aws_cloudfront_origin_access_control"
OTHER = "only a distribution in front of one private bucket, read with an origin access control, has a layer"
SETTINGS: Fields = {
    "price_class": ("price_class", "PriceClass_All"),
    "http_version": ("http_version", "http2and3"),
    "web_acl_id": ("web_acl_id", ""),
}
BEHAVIOR: Fields = {
    "viewer_protocol_policy": ("viewer_protocol_policy", "redirect-to-https"),
    "cache_policy_id": ("cache_policy_id", CACHING_OPTIMIZED),
    "response_headers_policy_id": ("response_headers_policy_id", ""),
}
RESPONSE = ("error_code", "response_page_path", "response_code", "error_caching_min_ttl")
# What CloudFront says of a distribution, and what the provider does with it.
TOLD = (
    *("caller_reference", "domain_name", "etag", "hosted_zone_id", "in_progress_validation_batches", "status"),
    *("last_modified_time", "trusted_key_groups", "trusted_signers", "retain_on_delete", "wait_for_deployment"),
    *("anycast_ip_list_id", "logging_v1_enabled"),
)
# What the layer has no option for; a distribution that uses it stays with Terraform.
WITHOUT = ("ordered_cache_behavior", "origin_group", "staging", "continuous_deployment_policy_id")


def of_bucket(stack: Stack, bucket: Thing) -> Thing | None:
    """The one distribution in front of a bucket that the layer could have made."""
    endpoint = str(bucket.attributes.get("bucket_regional_domain_name") or "?")
    found = [item for item in stack.of(DISTRIBUTION) if _is_ours(stack, item) and _domain(item) == endpoint]
    return found[0] if len(found) == 1 else None


def _is_ours(stack: Stack, distribution: Thing) -> bool:
    origins: list[dict[str, Any]] = distribution.attributes.get("origin") or []
    behavior: dict[str, Any] = next(iter(distribution.attributes.get("default_cache_behavior") or ()), {})
    return (
        len(origins) == 1
        and stack.names.find(CONTROL, origins[0].get("origin_access_control_id")) is not None
        and not any(name in distribution for name in WITHOUT if distribution.attributes.get(name) is not False)
        and bool(behavior.get("cache_policy_id"))
        and bool(distribution.attributes.get("enabled"))
    )


def _domain(distribution: Thing) -> str:
    return str(distribution.attributes["origin"][0].get("domain_name"))


def refuse(stack: Stack) -> None:
    stack.refuse(OTHER, *stack.of(DISTRIBUTION, CONTROL))


def options_of(stack: Stack, bucket: Thing, distribution: Thing) -> tuple[dict[str, Any], list[Thing]]:
    """The site's options that come from its distribution, and what they stand for."""
    name = str(bucket.attributes["bucket"])
    origin = distribution.block("origin")
    control = stack.names.find(CONTROL, origin.get("origin_access_control_id"))
    index = distribution.get("default_root_object", "index.html")
    origin.skip("domain_name", "connection_attempts", "connection_timeout")
    distribution.skip(*TOLD, *WITHOUT, "enabled")
    if distribution.block("restrictions").block("geo_restriction").get("restriction_type") == "none":
        distribution.block("restrictions").block("geo_restriction").skip_all()
    about_control = "" if control is None else str(control.attributes.get("description") or "")
    expected = {
        "comment": (distribution.get("comment"), name, "the comment, by which the layer knows it"),
        "origin": (origin.get("origin_id"), ORIGIN, "the id of the origin"),
        "origin_access_control": (_name(control), name, "the name of the origin access control, made anew for it,"),
        "origin_access_control.description": (about_control, f"Reads the bucket {name}", "its description"),
        "default_root_object": (distribution.peek("default_root_object") or "", index, "the root object"),
    }
    for about, (now, then, what) in expected.items():
        if now != then:
            stack.will_change(distribution, about, f"{what} becomes {then!r}, and is {now!r} now")
    if stack.tags(distribution) != stack.tags(bucket):
        stack.will_change(distribution, "tags", "bucket and distribution have the same tags; here they differ")
    return {
        "index_document": index,
        "cloudfront": _cloudfront(stack, distribution, name),
    }, [distribution, *([control] if control is not None and _name(control) == name else [])]


def _name(control: Thing | None) -> Any:
    if control is None:
        return None
    control.skip("signing_behavior", "signing_protocol", "origin_access_control_origin_type", "etag")
    return control.get("name")


def _cloudfront(stack: Stack, distribution: Thing, name: str) -> dict[str, Any]:
    aliases = sorted(distribution.get("aliases", []))
    behavior, viewer = distribution.block("default_cache_behavior"), distribution.block("viewer_certificate")
    behavior.skip("target_origin_id", "min_ttl", "default_ttl", "max_ttl", "grpc_config")
    for methods in ("allowed_methods", "cached_methods"):
        if sorted(behavior.peek(methods) or ()) == ["GET", "HEAD"]:
            behavior.skip(methods)
    arn = viewer.get("acm_certificate_arn")
    viewer.skip("cloudfront_default_certificate", "ssl_support_method")
    protocol = viewer.get("minimum_protocol_version", "TLSv1")
    if arn and protocol not in CLOUDFRONT_OPTIONS["minimum_protocol_version"]["choices"]:
        stack.will_change(distribution, "minimum_protocol_version", f"{protocol} is older than what the layer allows")
        protocol = None
    options: dict[str, Any] = {
        "aliases": aliases if aliases != ([name] if arn else []) else None,
        "certificate": _certificate(stack, arn, distribution),
        "minimum_protocol_version": protocol if arn else None,
        "is_ipv6_enabled": bool(distribution.get("is_ipv6_enabled", False)),
        "compress": bool(behavior.get("compress", False)),
        **fields(distribution, SETTINGS),
        **fields(behavior, BEHAVIOR),
        "function_associations": [
            {"event_type": item.get("event_type"), "function_arn": item.get("function_arn")}
            for item in behavior.blocks("function_association")
        ],
        "custom_error_responses": [_response(item) for item in distribution.blocks("custom_error_response")] or None,
    }
    return given(options)


def _certificate(stack: Stack, arn: Any, by: Thing) -> Any:
    """By name where it is in the inventory."""
    found = stack.names.find("aws_acm_certificate", arn)
    return stack.names.of(found) if found and stack.is_done(found) else arn


def _response(block: Block) -> dict[str, Any]:
    found = {name: block.get(name) for name in RESPONSE}
    return given({**found, "response_code": found["response_code"] or None})
