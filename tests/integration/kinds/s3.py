# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3 buckets: every change that AWS lets one make, alone."""

from __future__ import annotations

from typing import Any

KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-00000000000{}"
NAME = "dockyard-test-state"
ADDRESS = f"s3_bucket/{NAME}"
STATEMENT = {
    "Sid": "Read",
    "Effect": "Allow",
    "Principal": {"AWS": "111122223333"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{NAME}/*",
}
BASE: dict[str, Any] = {"name": NAME, "protect": False, "tags": {"Team": "platform"}}


def declared(**changes: Any) -> dict[str, Any]:
    return {"state_bucket": {"art": {"bucket": {**BASE, **changes}}}}


def update(name: str, *paths: str, **changes: Any) -> dict[str, Any]:
    return {"id": f"s3 {name}", "declared": declared(**changes), "address": ADDRESS, "paths": list(paths)}


CASES: list[dict[str, Any]] = [
    {
        "id": "s3 bucket",
        "kind": "s3_bucket",
        "declared": declared(),
        "updates": [
            update("policy", "Policy.Statement", policy_statements=[STATEMENT]),
            update("old versions", "LifecycleRules", noncurrent_version_expiration_days=30),
            update("number of old versions", "LifecycleRules", newer_noncurrent_versions=5),
            update("multipart uploads", "LifecycleRules", abort_incomplete_multipart_upload_days=1),
            update(
                "encryption with AWS's key",
                "ServerSideEncryption.SSEAlgorithm",
                "ServerSideEncryption.BucketKeyEnabled",
                sse_algorithm="aws:kms",
            ),
            update("tags", "tags.Team", tags={"Team": "state"}),
            update("more tags", "tags.Cost", tags={"Team": "platform", "Cost": "42"}) | {"back": False},
        ],
    },
    {
        "id": "s3 bucket with a KMS key",
        "kind": "s3_bucket",
        "declared": declared(sse_algorithm="aws:kms", kms_key=KEY.format(1), force_delete=True),
        "updates": [
            update(
                "another key",
                "ServerSideEncryption.KMSMasterKeyID",
                sse_algorithm="aws:kms",
                kms_key=KEY.format(2),
            ),
            update(
                "bucket key",
                "ServerSideEncryption.BucketKeyEnabled",
                sse_algorithm="aws:kms",
                kms_key=KEY.format(1),
                bucket_key_enabled=False,
            ),
        ],
    },
]
