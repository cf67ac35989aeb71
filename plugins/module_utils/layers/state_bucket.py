# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `state_bucket`: where an environment's shared state lives, and the table that locks it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import documents
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Declaration,
    Environment,
    Layer,
    api_names,
    declared_only,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.s3_buckets import (
    PUBLIC_ACCESS,
    name_problems,
    tls_only,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem, Ref, Resource

LOCK_KEY = "LockID"
KMS_ALGORITHMS = ("aws:kms", "aws:kms:dsse")
KMS_KEY_ARN = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+")
TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")

BUCKET_OPTIONS: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": "Name of the bucket. It is unique worldwide, over all AWS accounts.",
    },
    "sse_algorithm": {
        "type": "str",
        "choices": ["AES256", "aws:kms", "aws:kms:dsse"],
        "default": "AES256",
        "description": "Default encryption of new objects.",
    },
    "kms_key": {
        "type": "str",
        "description": "KMS key of the default encryption. Without it, V(aws:kms) takes AWS's own key for S3.",
    },
    "bucket_key_enabled": {
        "type": "bool",
        "default": True,
        "description": "Use a bucket key with O(sse_algorithm=aws:kms), which saves nearly all calls to KMS.",
    },
    "policy_statements": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "description": "Statements of the bucket policy, in addition to the one that refuses every call without TLS.",
    },
    "noncurrent_version_expiration_days": {
        "type": "int",
        "default": 90,
        "description": "Old versions of objects are deleted after this many days.",
    },
    "newer_noncurrent_versions": {
        "type": "int",
        "description": "Keep at least this many old versions of each object, however old they are; at most 100.",
    },
    "abort_incomplete_multipart_upload_days": {
        "type": "int",
        "default": 7,
        "description": "Uploads in parts that were never finished are deleted after this many days.",
    },
    "force_delete": {
        "type": "bool",
        "default": False,
        "description": "Let destroy delete the bucket with every version of every object in it.",
    },
    "protect": {
        "type": "bool",
        "default": True,
        "description": "Refuse to delete the bucket. Destroying the state takes V(false).",
    },
    "tags": {"type": "dict", "description": "Tags of the bucket, in addition to O(dockyard_tags)."},
}
TABLE_OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the table."},
    "point_in_time_recovery": {
        "type": "bool",
        "default": True,
        "description": "Keep continuous backups, so that the table can be restored to any second.",
    },
    "recovery_period_in_days": {
        "type": "int",
        "description": "How far back O(point_in_time_recovery) reaches, 1 to 35 days. DynamoDB's default is 35.",
    },
    "deletion_protection_enabled": {
        "type": "bool",
        "description": "Let DynamoDB itself refuse to delete the table. Defaults to O(protect).",
    },
    "sse_specification": {
        "type": "dict",
        "description": "Encryption at rest. Without it, DynamoDB encrypts with a key of its own.",
        "options": {
            "enabled": {
                "type": "bool",
                "required": True,
                "description": "V(true) encrypts with a key in KMS, V(false) with the key that DynamoDB owns.",
            },
            "kms_master_key_id": {
                "type": "str",
                "description": "ARN of the KMS key. Without it, AWS's own key for DynamoDB in the account.",
            },
        },
    },
    "protect": {
        "type": "bool",
        "default": True,
        "description": "Refuse to delete or replace the table. Destroying the state takes V(false).",
    },
    "tags": {"type": "dict", "description": "Tags of the table, in addition to O(dockyard_tags)."},
}


class StateBucket(Layer):
    NAME = "state_bucket"
    DESCRIPTION = "S3 bucket for shared state, and the DynamoDB table that locks it"
    ARGUMENT_SPEC = {
        "bucket": {
            "type": "dict",
            "required": True,
            "options": BUCKET_OPTIONS,
            "description": "The bucket that keeps the state. Versioned, encrypted, closed to the public, TLS only.",
        },
        "lock_table": {
            "type": "dict",
            "options": TABLE_OPTIONS,
            "description": "The table that holds the locks, on demand. Its hash key is V(LockID).",
        },
    }

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        bucket, table = declaration.options["bucket"], declaration.options["lock_table"]
        yield Resource(
            "s3_bucket",
            bucket["name"],
            _bucket_properties(bucket, environment),
            where="state_bucket.bucket",
            tags={**environment.tags, **(bucket["tags"] or {})},
            options={"force_delete": bucket["force_delete"]},
            protect=bucket["protect"],
        )
        if table is not None:
            yield Resource(
                "dynamodb_table",
                table["name"],
                _table_properties(table),
                where="state_bucket.lock_table",
                tags={**environment.tags, **(table["tags"] or {})},
                # It goes first: as long as the bucket is there, what is left of both is remembered.
                depends_on=(Ref("s3_bucket", bucket["name"]),),
                protect=table["protect"],
            )

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        seen: dict[tuple[str, str], str] = {}
        for declaration in declarations:
            checks = {"bucket": _bucket_problems, "lock_table": _table_problems}
            for option, check in checks.items():
                declared, where = declaration.options[option], f"state_bucket.{option}"
                if declared is None:
                    continue
                yield from (Problem(declaration.host, where, message) for message in check(declared))
                other = seen.setdefault((option, declared["name"]), declaration.host)
                if other != declaration.host:
                    message = f"{declared['name']!r} is declared by {other} already; one host declares the state of all"
                    yield Problem(declaration.host, where, message)


def _bucket_properties(bucket: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    arn = f"arn:{environment.partition}:s3:::{bucket['name']}"
    return {
        "ObjectOwnership": "BucketOwnerEnforced",
        "PublicAccessBlockConfiguration": dict.fromkeys(PUBLIC_ACCESS, True),
        "VersioningConfiguration": {"Status": "Enabled"},
        "ServerSideEncryption": _encryption(bucket),
        "Policy": {"Version": "2012-10-17", "Statement": [tls_only(arn), *bucket["policy_statements"]]},
        "LifecycleRules": _lifecycle(bucket),
    }


def _encryption(bucket: Mapping[str, Any]) -> dict[str, Any]:
    result = declared_only({"SSEAlgorithm": bucket["sse_algorithm"], "KMSMasterKeyID": bucket["kms_key"]})
    if bucket["sse_algorithm"] == "aws:kms":
        result["BucketKeyEnabled"] = bucket["bucket_key_enabled"]
    return result


def _lifecycle(bucket: Mapping[str, Any]) -> list[dict[str, Any]]:
    expiration = {
        "NoncurrentDays": bucket["noncurrent_version_expiration_days"],
        "NewerNoncurrentVersions": bucket["newer_noncurrent_versions"],
    }
    days = bucket["abort_incomplete_multipart_upload_days"]
    return [
        {
            "ID": "noncurrent-versions",
            "Status": "Enabled",
            "Filter": {},
            "NoncurrentVersionExpiration": declared_only(expiration),
            "Expiration": {"ExpiredObjectDeleteMarker": True},
        },
        {
            "ID": "incomplete-multipart-uploads",
            "Status": "Enabled",
            "Filter": {},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days},
        },
    ]


def _table_properties(table: Mapping[str, Any]) -> dict[str, Any]:
    protected = table["deletion_protection_enabled"]
    properties = {
        "KeySchema": [{"AttributeName": LOCK_KEY, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": LOCK_KEY, "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": table["protect"] if protected is None else protected,
        "PointInTimeRecoverySpecification": declared_only(
            {
                "PointInTimeRecoveryEnabled": table["point_in_time_recovery"],
                "RecoveryPeriodInDays": table["recovery_period_in_days"],
            }
        ),
    }
    if table["sse_specification"] is not None:
        names = {"kms_master_key_id": "KMSMasterKeyId"}
        specification = api_names(table["sse_specification"], names, capital=True)
        properties["SSESpecification"] = specification | ({"SSEType": "KMS"} if specification["Enabled"] else {})
    return properties


def _bucket_problems(bucket: Mapping[str, Any]) -> Iterator[str]:
    yield from name_problems(bucket["name"])
    if bucket["kms_key"] and bucket["sse_algorithm"] not in KMS_ALGORITHMS:
        yield f"kms_key needs sse_algorithm {' or '.join(KMS_ALGORITHMS)}, got {bucket['sse_algorithm']}"
    for option in ("noncurrent_version_expiration_days", "abort_incomplete_multipart_upload_days"):
        if bucket[option] is not None and bucket[option] < 1:
            yield f"{option} must be at least 1, got {bucket[option]}"
    kept = bucket["newer_noncurrent_versions"]
    if kept is not None and not 1 <= kept <= 100:
        yield f"newer_noncurrent_versions must be between 1 and 100, got {kept}"
    for number, statement in enumerate(bucket["policy_statements"]):
        for message in documents.statement_problems(statement, "resource"):
            yield f"policy_statements[{number}] {message}"
        if statement.get("Sid") == "DenyInsecureTransport":
            yield f"policy_statements[{number}] Sid DenyInsecureTransport belongs to the statement that is always there"


def _table_problems(table: Mapping[str, Any]) -> Iterator[str]:
    if not TABLE_NAME.fullmatch(table["name"]):
        yield f"table name {table['name']!r} must be 3 to 255 letters, digits, dots, hyphens and underscores"
    days = table["recovery_period_in_days"]
    if days is not None and not table["point_in_time_recovery"]:
        yield "recovery_period_in_days needs point_in_time_recovery: true"
    if days is not None and not 1 <= days <= 35:
        yield f"recovery_period_in_days must be between 1 and 35, got {days}"
    encryption = table["sse_specification"] or {}
    key = encryption.get("kms_master_key_id")
    if key and not encryption["enabled"]:
        yield "sse_specification.kms_master_key_id needs sse_specification.enabled: true"
    if key and not KMS_KEY_ARN.fullmatch(key):
        yield f"sse_specification.kms_master_key_id must be the ARN of a key (arn:aws:kms:…:key/…), got {key!r}"
