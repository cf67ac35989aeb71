# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Websites in S3 buckets, with CloudFront in front of them or without."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy
from ansible_collections.dockyard.aws.plugins.module_utils.layers import static_site
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import import from_cloudfront
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.from_state_bucket import OTHER_BUCKET, PARTS
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import (
    Fields,
    fields,
    given,
    statement,
)

WEBSITE = "aws_s3_bucket_website_configuration"
CONDITION: Fields = {
    "key_prefix_equals": ("key_prefix_equals", ""),
    "http_error_code_returned_equals": ("http_error_code_returned_equals", ""),
}
REDIRECT: Fields = {
    "host_name": ("host_name", ""),
    "protocol": ("protocol", ""),
    "http_redirect_code": ("http_redirect_code", ""),
    "replace_key_prefix_with": ("replace_key_prefix_with", None),
    "replace_key_with": ("replace_key_with", ""),
}
FILES = (
    "the files stay with whoever publishes them, as no state tells the folder that they come from; to publish them "
    "from here, declare `files` with it, then let Terraform go of them"
)
LEFT_ALONE = "the layer leaves this of a website's bucket as it is: it stays with Terraform"
ACL = "the layer disables ACLs: let go of it, a bucket policy takes its place"
OBJECTS = ("aws_s3_object", "aws_s3_bucket_object")


def convert(stack: Stack) -> None:
    for bucket in stack.of("aws_s3_bucket"):
        if stack.is_done(bucket):
            continue
        distribution = from_cloudfront.of_bucket(stack, bucket)
        website = _website(stack, bucket)
        if distribution is not None or website is not None:
            _site(stack, bucket, distribution, website)
    names = {bucket.id for bucket in stack.of("aws_s3_bucket") if stack.is_done(bucket)}
    mine = [item for item in stack.of(*PARTS, "aws_s3_bucket_acl", *OBJECTS) if item.attributes.get("bucket") in names]
    stack.refuse_together(FILES, [item for item in mine if item.type in OBJECTS])
    stack.refuse(ACL, *(item for item in mine if item.type == "aws_s3_bucket_acl"))
    stack.refuse(LEFT_ALONE, *(item for item in mine if item.type in PARTS))
    stack.refuse(OTHER_BUCKET, *stack.of("aws_s3_bucket", WEBSITE, *PARTS))
    from_cloudfront.refuse(stack)


def _website(stack: Stack, bucket: Thing) -> list[Block] | None:
    """The configuration: a resource of its own, or a block of the bucket, as before version 4 of the provider."""
    found: list[Block] = [*stack.belonging(WEBSITE, "bucket", bucket)]
    if found:
        bucket.skip("website")
        return found
    return bucket.blocks("website") or None


def _site(stack: Stack, bucket: Thing, distribution: Thing | None, website: Sequence[Block] | None) -> None:
    options: dict[str, Any] = {"name": bucket.get("bucket"), "tags": stack.tags(bucket)}
    parts: list[Thing] = []
    if distribution is not None:
        found, parts = from_cloudfront.options_of(stack, bucket, distribution)
        options |= found
    if website:
        if distribution is not None:
            stack.will_change(bucket, "website", "with CloudFront in front, the bucket is no S3 website any more")
        else:
            options |= _configuration(website[0])
        parts += [item for item in website if isinstance(item, Thing)]
    if bucket.get("force_destroy"):
        options["force_delete"] = True
    private = bool(distribution or options.get("redirect_all_requests_to"))
    for kind in ("ownership_controls", "public_access_block", "versioning", "policy"):
        for item in stack.belonging(f"aws_s3_bucket_{kind}", "bucket", bucket):
            parts.append(item)
    options |= _settings(stack, bucket, private, [*parts, bucket])
    options |= _policy(stack, bucket, options, distribution, parts)
    for item in stack.belonging("aws_s3_bucket_server_side_encryption_configuration", "bucket", bucket):
        parts += [item] if _is_default(item) else []
    stack.add("static_site", "sites", options, bucket, *parts, host=stack.hosts.platform)


def _configuration(website: Block) -> dict[str, Any]:
    """The options of either form: the older one has texts where the newer has blocks."""
    website.skip("routing_rules" if website.blocks("routing_rule") else "website_domain")
    target = website.peek("redirect_all_requests_to")
    if isinstance(target, str) and target:
        protocol, _colon, host = target.rpartition("://")
        return {"redirect_all_requests_to": given({"host_name": host, "protocol": protocol or None})}
    redirect = website.block("redirect_all_requests_to")
    if "host_name" in redirect:
        found = {"host_name": redirect.get("host_name"), "protocol": redirect.get("protocol")}
        return {"redirect_all_requests_to": given(found)}
    rules = [_rule(item) for item in website.blocks("routing_rule")] or _rules(website.get("routing_rules"))
    if isinstance(website.peek("index_document"), str):
        index, error = website.get("index_document"), website.get("error_document")
    else:
        index = website.block("index_document").get("suffix")
        error = website.block("error_document").get("key")
    return given({"index_document": index, "error_document": error, "routing_rules": rules or None})


def _rule(rule: Block) -> dict[str, Any]:
    condition = fields(rule.block("condition"), CONDITION)
    return given({"condition": condition or None, "redirect": fields(rule.block("redirect"), REDIRECT)})


def _rules(text: Any) -> list[dict[str, Any]]:
    """As a JSON text, in the API's own names."""
    names = {"".join(part.capitalize() for part in name.split("_")): name for name in (*CONDITION, *REDIRECT)}

    def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
        return {names[name]: str(value) for name, value in values.items() if name in names}

    return [
        given(
            {"condition": renamed(rule.get("Condition") or {}) or None, "redirect": renamed(rule.get("Redirect") or {})}
        )
        for rule in json.loads(text or "[]")
    ]


def _settings(stack: Stack, bucket: Thing, private: bool, parts: Sequence[Thing]) -> dict[str, Any]:
    """What the layer always sets is looked at; versioning is an option."""
    found: dict[str, Any] = {}
    ownership = closed = None
    for item in parts:
        if item.type == "aws_s3_bucket_ownership_controls":
            ownership = item.block("rule").get("object_ownership")
        elif item.type == "aws_s3_bucket_public_access_block":
            names = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
            closed = [bool(item.get(name)) for name in names]
        elif item.type == "aws_s3_bucket_versioning":
            status = item.block("versioning_configuration").get("status")
            found = {"versioning": status == "Enabled"} if status in ("Enabled", "Suspended") else {}
    if ownership != "BucketOwnerEnforced":
        message = "the layer disables ACLs (BucketOwnerEnforced); in the state it is not so, or not said"
        stack.will_change(bucket, "ownership_controls", message)
    if closed != [True, True, private, private]:
        ways = "blocks public access in all four ways" if private else "blocks public ACLs and allows the public policy"
        stack.will_change(bucket, "public_access_block", f"the layer {ways}; in the state it is not so, or not said")
    return found


def _policy(
    stack: Stack, bucket: Thing, options: Mapping[str, Any], distribution: Thing | None, parts: Sequence[Thing]
) -> dict[str, Any]:
    """Statements that the layer does not write itself."""
    texts = [item.get("policy") for item in parts if item.type == "aws_s3_bucket_policy"] or [bucket.get("policy")]
    found = policy.parsed(texts[0] or "{}").get("Statement") or []
    statements = [found] if isinstance(found, Mapping) else found
    site = {name: None for name in ("cloudfront", "redirect_all_requests_to", "files")} | dict(options)
    arn = None if distribution is None else distribution.attributes.get("arn")
    own = static_site.statements({**site, "policy_statements": []}, stack.environment, arn)
    meant = {_meaning(item): item.get("Sid") for item in own}
    there = {_meaning(item): item.get("Sid") for item in statements}
    others = [statement(item) for item in statements if _meaning(item) not in meant]
    changed = [str(sid) for meaning, sid in meant.items() if there.get(meaning, "") != sid]
    if changed:
        stack.will_change(bucket, "policy", f"the layer writes the statements with Sid {', '.join(changed)}")
    return {"policy_statements": others} if others else {}


def _meaning(item: Mapping[str, Any]) -> str:
    """A statement without its label."""
    return policy.text({"Statement": policy.canonical({"Statement": {**item, "Sid": ""}})["Statement"]})


def _is_default(encryption: Thing) -> bool:
    """What S3 does with every bucket."""
    default = encryption.block("rule").block("apply_server_side_encryption_by_default")
    return bool(default.get("sse_algorithm") == "AES256")
