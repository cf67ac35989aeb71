# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state bucket and its lock table."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_bucket import LOCK_KEY
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import flag, statement

TLS_ONLY = "DenyInsecureTransport"
PARTS = (
    "aws_s3_bucket_versioning",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_lifecycle_configuration",
)
# Not every name that has the letters: neither `real-estate` nor `united-states-maps` keeps a state.
STATE_NAME = re.compile(r"(?:^|[-_.])(?:terraform|tf)[-_.]?state|[-_.]state$")
OTHER_TABLE = "another table of locks is imported, and an environment has one: leave this one with Terraform"
OTHER_BUCKET = "only the bucket that keeps the state and those of websites have a layer; leave this one with Terraform"


def convert(stack: Stack) -> None:
    bucket = _state_bucket(stack)
    if bucket is None:
        return
    parts = {kind: stack.belonging(kind, "bucket", bucket) for kind in PARTS}
    encryption = parts["aws_s3_bucket_server_side_encryption_configuration"]
    policies = parts["aws_s3_bucket_policy"]
    options = {
        "name": bucket.get("bucket"),
        "tags": stack.tags(bucket),
        # What older stacks say in the bucket itself, and newer ones show there too.
        **_encryption(encryption or bucket.blocks("server_side_encryption_configuration")),
        **_lifecycle(stack, bucket, parts["aws_s3_bucket_lifecycle_configuration"]),
        **_statements(policies or [bucket]),
    }
    for part in ("versioning", "public_access_block", "ownership_controls"):
        _check(stack, bucket, part, parts[f"aws_s3_bucket_{part}"])
    everything = [thing for things in parts.values() for thing in things]
    stack.add("state_bucket", "bucket", options, bucket, *everything, host=stack.hosts.platform)
    tables = [item for item in _lock_tables(stack) if not item.attributes.get("range_key")]
    for table in tables[:1]:
        _lock_table(stack, table)
    stack.refuse(OTHER_TABLE, *tables)


def _state_bucket(stack: Stack) -> Thing | None:
    """The one that the states come from, or whose name says it; else the only one, where there is a lock table too."""
    buckets = stack.of("aws_s3_bucket")
    sources = {thing.source.removeprefix("s3://").partition("/")[0] for thing in stack.things}
    for found in (
        [bucket for bucket in buckets if bucket.attributes["bucket"] in sources],
        [bucket for bucket in buckets if STATE_NAME.search(bucket.attributes["bucket"])],
    ):
        if len(found) == 1:
            return found[0]
    return buckets[0] if len(buckets) == 1 and _lock_tables(stack) else None


def _lock_tables(stack: Stack) -> list[Thing]:
    return [item for item in stack.of("aws_dynamodb_table") if item.attributes.get("hash_key") == LOCK_KEY]


def _encryption(parts: Sequence[Block]) -> dict[str, Any]:
    for part in parts:
        rule = part.block("rule")
        default = rule.block("apply_server_side_encryption_by_default")
        key = flag(rule.get("bucket_key_enabled"))
        algorithm = default.get("sse_algorithm")
        found = {"sse_algorithm": algorithm, "kms_key": default.get("kms_master_key_id")}
        return {**found, "bucket_key_enabled": bool(key)} if algorithm == "aws:kms" else found
    return {}


def _lifecycle(stack: Stack, bucket: Thing, parts: list[Thing]) -> dict[str, Any]:
    """What the layer's two rules say; it has no others."""
    found: dict[str, Any] = {}
    for part in parts:
        for rule in part.blocks("rule"):
            rule.skip("id", "prefix", "filter")
            rule.skip(*(("status",) if rule.get("status") == "Enabled" else ()))
            old = rule.block("noncurrent_version_expiration")
            uploads = rule.block("abort_incomplete_multipart_upload")
            found |= {
                name: int(value)
                for name, value in {
                    "noncurrent_version_expiration_days": old.get("noncurrent_days"),
                    "newer_noncurrent_versions": old.get("newer_noncurrent_versions"),
                    "abort_incomplete_multipart_upload_days": uploads.get("days_after_initiation"),
                }.items()
                if value
            }
            rule.block("expiration").skip("expired_object_delete_marker")
            if others := list(rule.left()):
                rule.skip_all()
                message = f"the layer has rules of its own, and none with {', '.join(sorted(others))}"
                stack.will_change(bucket, "lifecycle_configuration", message)
    return found


def _statements(parts: list[Thing]) -> dict[str, Any]:
    for part in parts:
        statements = json.loads(part.get("policy") or "{}").get("Statement") or []
        others = [item for item in statements if not _refuses_plain_http(item)]
        return {"policy_statements": [statement(item) for item in others]} if others else {}
    return {}


def _refuses_plain_http(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return statement.get("Effect") == "Deny" and str(condition).lower() in ("false", "['false']")


def _check(stack: Stack, bucket: Thing, part: str, found: list[Thing]) -> None:
    """What the layer always sets."""
    messages = {
        "versioning": "the layer turns versioning on",
        "public_access_block": "the layer blocks public access in all four ways",
        "ownership_controls": "the layer disables ACLs (BucketOwnerEnforced)",
    }
    right = part == "versioning" and not found and bool(bucket.block("versioning").get("enabled"))
    for thing in found:
        status = thing.block("versioning_configuration").get("status")
        ownership = thing.block("rule").get("object_ownership")
        blocks = [thing.get(name) for name in thing.attributes if name.startswith(("block_public", "ignore_public"))]
        closed = len(blocks) == 3 and all(blocks) and bool(thing.get("restrict_public_buckets"))
        right = status == "Enabled" or ownership == "BucketOwnerEnforced" or closed
    if not right:
        stack.will_change(bucket, part, f"{messages[part]}; in the state it is not so, or not said")


def _lock_table(stack: Stack, table: Thing) -> None:
    table.skip("attribute", "hash_key", "ttl")
    recovery = table.block("point_in_time_recovery")
    encryption = table.block("server_side_encryption")
    days = recovery.get("recovery_period_in_days")
    options: dict[str, Any] = {
        "name": table.get("name"),
        "tags": stack.tags(table),
        "point_in_time_recovery": bool(recovery.get("enabled", False)),
        "recovery_period_in_days": days if days != 35 else None,
    }
    # Without the option it is protected, as the layer's `protect` is on.
    if not table.get("deletion_protection_enabled", False):
        options["deletion_protection_enabled"] = False
    if encryption.get("enabled"):
        options["sse_specification"] = {"enabled": True, "kms_master_key_id": encryption.get("kms_key_arn")}
    stack.add("state_bucket", "lock_table", options, table, host=stack.hosts.platform)
