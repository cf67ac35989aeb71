# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the state bucket, its lock table, and repositories."""

from __future__ import annotations

import json

import pytest

from .stack import Imported, arn, resource, state

LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Keep 7 images",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 7},
            "action": {"type": "expire"},
        }
    ]
}


def bucket(name="shop-state", **more):
    return resource("aws_s3_bucket", name, {"id": name, "bucket": name, "arn": arn("s3", name), **more})


def part(kind, of="shop-state", **attributes):
    return resource(f"aws_s3_bucket_{kind}", "x", {"id": of, "bucket": of, **attributes})


def table(**more):
    attributes = {"id": "locks", "name": "locks", "hash_key": "LockID", "arn": arn("dynamodb", "table/locks")}
    return resource("aws_dynamodb_table", "locks", attributes | more)


CLOSED = dict.fromkeys(
    ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets"), True
)
WHOLE = [
    bucket(),
    part("versioning", versioning_configuration=[{"status": "Enabled"}]),
    part("public_access_block", **CLOSED),
    part("ownership_controls", rule=[{"object_ownership": "BucketOwnerEnforced"}]),
]


def test_what_the_layer_does_anyway_is_not_written(tmp_path):
    imported = Imported(
        *WHOLE, table(deletion_protection_enabled=True, point_in_time_recovery=[{"enabled": True}], ttl=[{}])
    )
    assert imported.declared("state_bucket") == {"bucket": {"name": "shop-state"}, "lock_table": {"name": "locks"}}
    assert (imported.unmapped(), imported.left(), imported.changes()) == ({}, set(), set())
    assert imported.validate(tmp_path) == ["s3_bucket/shop-state", "dynamodb_table/locks"]


def test_everything_else_is(tmp_path):
    tls = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    tls["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    other = {"Sid": "x", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject"}
    other["Resource"] = arn("s3", "shop-state/*")
    key = arn("kms", "key/1")
    default = {"sse_algorithm": "aws:kms", "kms_master_key_id": key}
    rule = {"status": "Enabled", "noncurrent_version_expiration": [{"noncurrent_days": 30}]}
    imported = Imported(
        *WHOLE,
        part("policy", policy=json.dumps({"Version": "2012-10-17", "Statement": [tls, other]})),
        part(
            "server_side_encryption_configuration",
            rule=[{"apply_server_side_encryption_by_default": [default], "bucket_key_enabled": False}],
        ),
        part("lifecycle_configuration", rule=[rule, {"status": "Enabled", "transition": [{"days": 30}]}]),
        table(),
    )
    assert imported.declared("state_bucket") == {
        "bucket": {
            "name": "shop-state",
            "sse_algorithm": "aws:kms",
            "kms_key": key,
            "bucket_key_enabled": False,
            "noncurrent_version_expiration_days": 30,
            "policy_statements": [other],
        },
        "lock_table": {"name": "locks", "point_in_time_recovery": False, "deletion_protection_enabled": False},
    }
    assert imported.left() == set()
    assert imported.changes() == {("aws_s3_bucket.shop-state", "lifecycle_configuration")}
    imported.validate(tmp_path)


def test_what_the_layer_would_change_is_said():
    imported = Imported(bucket(), part("versioning", versioning_configuration=[{"status": "Disabled"}]))
    parts = ("versioning", "public_access_block", "ownership_controls")
    assert imported.changes() == {("aws_s3_bucket.shop-state", name) for name in parts}


def test_other_buckets_stay_with_terraform():
    imported = Imported(*WHOLE, bucket("images"), part("versioning", of="images"))
    assert "leave this one with Terraform" in imported.unmapped()["aws_s3_bucket.images"]
    assert "state_bucket" in imported.files["host_vars/shop/state_bucket.yml"]


def repository(**more):
    attributes = {"id": "shop/web", "name": "shop/web", "arn": arn("ecr", "repository/shop/web")}
    scanning = [{"scan_on_push": True}]
    attributes |= {"image_tag_mutability": "IMMUTABLE", "image_scanning_configuration": scanning}
    return resource("aws_ecr_repository", "web", {**attributes, **more})


def lifecycle(document):
    attributes = {"id": "shop/web", "repository": "shop/web", "policy": json.dumps(document)}
    return resource("aws_ecr_lifecycle_policy", "web", attributes)


def test_a_repository_as_the_layer_makes_it_is_only_named(tmp_path):
    imported = Imported(repository())
    assert imported.declared("ecr") == {"repositories": [{"name": "shop/web"}]}
    assert imported.validate(tmp_path) == ["ecr_repository/shop/web"]


def test_a_repository_with_everything(tmp_path):
    document = {
        "Statement": [{"Principal": {"AWS": "111122223333"}, "Action": ["ecr:BatchGetImage"], "Effect": "Allow"}]
    }
    other = {"rules": [{**LIFECYCLE["rules"][0], "description": "mine"}]}
    imported = Imported(
        repository(
            image_tag_mutability="MUTABLE_WITH_EXCLUSION",
            image_tag_mutability_exclusion_filter=[{"filter": "v*", "filter_type": "WILDCARD"}],
            image_scanning_configuration=[],
            encryption_configuration=[{"encryption_type": "KMS", "kms_key": arn("kms", "key/1")}],
        ),
        lifecycle(other),
        resource("aws_ecr_repository_policy", "x", {"repository": "shop/web", "policy": json.dumps(document)}),
    )
    assert imported.declared("ecr")["repositories"] == [
        {
            "name": "shop/web",
            "image_tag_mutability": "MUTABLE_WITH_EXCLUSION",
            "image_tag_mutability_exclusion_filters": ["v*"],
            "scan_on_push": False,
            "encryption_type": "KMS",
            "kms_key": arn("kms", "key/1"),
            "lifecycle_policy": other,
            "repository_policy": {"Version": "2008-10-17", **document},
        }
    ]
    assert (imported.unmapped(), imported.left()) == ({}, set())
    imported.validate(tmp_path)


def test_the_usual_lifecycle_policy_has_a_short_form():
    assert Imported(repository(), lifecycle(LIFECYCLE)).declared("ecr")["repositories"][0]["keep_images"] == 7


@pytest.mark.parametrize("name", ["acme-real-estate-photos", "united-states-maps", "statements", "interstate"])
def test_a_bucket_with_the_letters_in_its_name_keeps_no_state(name):
    assert "leave this one with Terraform" in Imported(bucket(name)).unmapped()[f"aws_s3_bucket.{name}"]


@pytest.mark.parametrize("name", ["shop-state", "acme-terraform-state-prod", "acme.tfstate", "tf-state-1"])
def test_a_bucket_whose_name_says_it_keeps_the_state(name):
    assert Imported(bucket(name)).declared("state_bucket")["bucket"]["name"] == name


def test_the_bucket_that_the_states_come_from_keeps_them():
    imported = Imported(states={"s3://memory/a.tfstate": state(bucket("memory"), bucket("shop-state"))})
    assert imported.declared("state_bucket")["bucket"]["name"] == "memory"
    assert list(imported.unmapped()) == ["aws_s3_bucket.shop-state"]


def test_of_several_lock_tables_one_is_imported():
    second = table(id="second", name="second", arn=arn("dynamodb", "table/second"))
    second["name"] = "second"
    imported = Imported(*WHOLE, table(), second)
    assert imported.declared("state_bucket")["lock_table"]["name"] == "locks"
    assert "another table of locks" in imported.unmapped()["aws_dynamodb_table.second"]


def test_what_older_stacks_say_in_the_bucket_itself():
    other = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject", "Resource": "*"}
    default = {"sse_algorithm": "aws:kms", "kms_master_key_id": "key"}
    rule = {"apply_server_side_encryption_by_default": [default], "bucket_key_enabled": True}
    inline = bucket(
        versioning=[{"enabled": True}],
        server_side_encryption_configuration=[{"rule": [rule]}],
        policy=json.dumps({"Version": "2012-10-17", "Statement": [other]}),
    )
    imported = Imported(inline)
    declared = imported.declared("state_bucket")["bucket"]
    assert (declared["sse_algorithm"], declared["policy_statements"]) == ("aws:kms", [other])
    assert ("aws_s3_bucket.shop-state", "versioning") not in imported.changes()
    assert imported.left() == set()
