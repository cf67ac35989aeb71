# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer state_bucket: what a declaration becomes, and what is refused."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment, parse
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_bucket import StateBucket

LAYER = StateBucket()
ART = Environment("art", "us-east-1", "123456789012", tags={"Project": "art"})


def declaration(host="art", **options):
    result, problems = parse(LAYER, host, options)
    assert not problems, problems
    return result


def resources(environment=ART, **options):
    return {item.kind: item for item in LAYER.resources(declaration(**options), environment)}


def messages(*declarations):
    return [str(problem) for problem in LAYER.validate(declarations, ART)]


def test_a_bucket_is_closed_versioned_encrypted_and_protected():
    bucket = resources(bucket={"name": "art-state"})["s3_bucket"]
    properties = bucket.properties
    assert bucket.protect
    assert bucket.tags == {"Project": "art"}
    assert properties["ObjectOwnership"] == "BucketOwnerEnforced"
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["ServerSideEncryption"] == {"SSEAlgorithm": "AES256"}
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_every_call_without_tls_is_refused(partition):
    bucket = resources(Environment("art", partition=partition), bucket={"name": "art-state"})["s3_bucket"]
    statement = bucket.properties["Policy"]["Statement"][0]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:{partition}:s3:::art-state", f"arn:{partition}:s3:::art-state/*"]


def test_own_statements_come_in_addition():
    own = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "*"}
    bucket = resources(bucket={"name": "art-state", "policy_statements": [own]})["s3_bucket"]
    assert [item.get("Sid") for item in bucket.properties["Policy"]["Statement"]] == ["DenyInsecureTransport", None]


def test_old_versions_and_unfinished_uploads_go():
    bucket = resources(bucket={"name": "art-state", "newer_noncurrent_versions": 3})["s3_bucket"]
    versions, uploads = bucket.properties["LifecycleRules"]
    assert versions["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90, "NewerNoncurrentVersions": 3}
    assert uploads["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"sse_algorithm": "aws:kms"}, {"SSEAlgorithm": "aws:kms", "BucketKeyEnabled": True}),
        (
            {"sse_algorithm": "aws:kms", "kms_key": "alias/state", "bucket_key_enabled": False},
            {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/state", "BucketKeyEnabled": False},
        ),
        ({"sse_algorithm": "aws:kms:dsse"}, {"SSEAlgorithm": "aws:kms:dsse"}),
    ],
)
def test_encryption(options, expected):
    bucket = resources(bucket={"name": "art-state", **options})["s3_bucket"]
    assert bucket.properties["ServerSideEncryption"] == expected


def test_a_lock_table_is_the_one_that_locks_need():
    table = resources(bucket={"name": "art-state"}, lock_table={"name": "locks"})["dynamodb_table"]
    assert table.protect
    assert table.properties == {
        "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }


@pytest.mark.parametrize(
    ("options", "protected"),
    [
        ({"protect": False}, False),
        ({"protect": False, "deletion_protection_enabled": True}, True),
        ({"deletion_protection_enabled": False}, False),
    ],
)
def test_deletion_protection_follows_protect(options, protected):
    table = resources(bucket={"name": "art-state"}, lock_table={"name": "locks", **options})["dynamodb_table"]
    assert table.properties["DeletionProtectionEnabled"] is protected


def test_no_table_without_a_declaration():
    assert set(resources(bucket={"name": "art-state"})) == {"s3_bucket"}


BAD_BUCKETS = {
    "too short": ({"name": "ab"}, "3 to 63"),
    "too long": ({"name": "a" * 64}, "3 to 63"),
    "capitals": ({"name": "Art-State"}, "lower-case"),
    "underscore": ({"name": "art_state"}, "lower-case"),
    "hyphen at the end": ({"name": "art-state-"}, "hyphen"),
    "dots": ({"name": "art.state"}, "dots"),
    "address": ({"name": "192.168.0.1"}, "dots"),
    "reserved prefix": ({"name": "xn--state"}, "'xn--'"),
    "reserved suffix": ({"name": "state-s3alias"}, "'-s3alias'"),
    "no days": ({"noncurrent_version_expiration_days": 0}, "at least 1, got 0"),
    "days of uploads": ({"abort_incomplete_multipart_upload_days": -1}, "at least 1, got -1"),
    "versions kept": ({"newer_noncurrent_versions": 101}, "between 1 and 100, got 101"),
    "key without KMS": ({"kms_key": "alias/state"}, "aws:kms or aws:kms:dsse, got AES256"),
    "statement without effect": (
        {"policy_statements": [{"Principal": "*", "Action": "s3:*", "Resource": "*"}]},
        "policy_statements[0] Effect must be Allow or Deny, got None",
    ),
    "statement without principal": (
        {"policy_statements": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
        "Principal or NotPrincipal",
    ),
    "statement that is there": (
        {
            "policy_statements": [
                {
                    "Sid": "DenyInsecureTransport",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": "*",
                }
            ]
        },
        "DenyInsecureTransport",
    ),
}


@pytest.mark.parametrize(("options", "text"), BAD_BUCKETS.values(), ids=BAD_BUCKETS)
def test_a_bad_bucket_is_refused(options, text):
    found = messages(declaration(bucket={"name": "art-state", **options}))
    assert any(message.startswith("art: state_bucket.bucket: ") and text in message for message in found), found


BAD_TABLES = {
    "name": ({"name": "l"}, "3 to 255"),
    "period without recovery": ({"point_in_time_recovery": False, "recovery_period_in_days": 7}, "needs point_in_time"),
    "period too long": ({"recovery_period_in_days": 36}, "between 1 and 35, got 36"),
    "key that is no ARN": (
        {"sse_specification": {"enabled": True, "kms_master_key_id": "alias/locks"}},
        "got 'alias/locks'",
    ),
    "key without encryption": (
        {
            "sse_specification": {
                "enabled": False,
                "kms_master_key_id": "arn:aws:kms:us-east-1:123456789012:key/1",
            }
        },
        "needs sse_specification.enabled",
    ),
}


@pytest.mark.parametrize(("options", "text"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_table_is_refused(options, text):
    found = messages(declaration(bucket={"name": "art-state"}, lock_table={"name": "locks", **options}))
    assert any(message.startswith("art: state_bucket.lock_table: ") and text in message for message in found), found


def test_two_hosts_cannot_declare_one_bucket():
    one, two = (declaration(host, bucket={"name": "art-state"}) for host in ("art", "lms"))
    assert messages(one, two) == [
        "lms: state_bucket.bucket: 'art-state' is declared by art already; one host declares the state of all"
    ]


def test_what_is_right_is_not_refused():
    assert not messages(declaration(bucket={"name": "art-state"}, lock_table={"name": "art-locks"}))
