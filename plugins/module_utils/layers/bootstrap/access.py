# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bucket and table of the state: are they there, are they ours, what may we do with them, how are they set up.

Every call here either reads, or writes under a condition that never holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap.checks import (
    Check,
    failed,
    note,
    ok,
)

DENIED = errors.DENIED | {"403"}
GONE = frozenset({"404", "NoSuchBucket", "ResourceNotFoundException"})
# What the probes are to be answered with, where they are allowed.
HARMLESS = frozenset(
    {"404", "NoSuchKey", "412", "PreconditionFailed", "ConditionalCheckFailedException", "NoSuchVersion"}
)
NEVER = "attribute_exists(LockID) AND attribute_not_exists(LockID)"
NO_SUCH_TAG = '"00000000000000000000000000000000"'
# What can only succeed where conditions are not looked at.
CONDITIONAL = frozenset({"s3:PutObject", "dynamodb:PutItem"})
UNCONDITIONAL = "use a store that knows conditional writes (If-Match): without them, runs overwrite each other's state"
ALLOW = "allow it to whoever runs this, in the IAM policy of the credentials of the layer state_bucket"


def bucket(aws: Aws, name: str, declared: bool, owner: str | None = None) -> tuple[bool, list[Check]]:
    """Whether the bucket is there, and what is to be said about that. owner: the account that has to own it."""
    label = f"bucket {name}"
    if declared and owner and owner != aws.account_id:
        said = f"is declared in state_bucket, which makes it in {aws.account_id}, and bucket_owner is {owner}"
        return False, [failed(label, said, "leave out bucket_owner, or declare the bucket where its account is meant")]
    owner = owner or aws.account_id
    try:
        aws.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=owner)
    except Exception as error:
        code = errors.code_of(error)
        if code in GONE and declared:
            return False, [note(label, "is not there yet; this run makes it, as state_bucket declares it")]
        if code in GONE:
            todo = "declare it in state_bucket of one host, or make it in another way"
            return False, [failed(label, "is not there, and nothing declares it", todo)]
        if code in DENIED:
            said = f"is not of the account {owner} (names of buckets are unique worldwide), or s3:ListBucket is denied"
            todo = "choose another name, use credentials that may read it, or name its account in bucket_owner"
            return False, [failed(label, said, todo)]
        return False, [failed(label, str(errors.explained(error, f"look at {label}", aws.layer)), "run again")]
    return True, [ok(label, f"is there, in {'this account' if owner == aws.account_id else f'the account {owner}'}")]


def table(aws: Aws, name: str, declared: bool) -> tuple[bool, list[Check]]:
    """Whether the table is there with the key that locks need."""
    label = f"table {name}"
    try:
        found = aws.client("dynamodb").describe_table(TableName=name)["Table"]
    except Exception as error:
        code = errors.code_of(error)
        if code in GONE and declared:
            return False, [note(label, "is not there yet; this run makes it, as state_bucket declares it")]
        if code in GONE:
            todo = "declare it in state_bucket.lock_table of one host, or lock with lock: s3"
            return False, [failed(label, "is not there, and nothing declares it", todo)]
        todo = ALLOW if code in DENIED else "run again"
        return False, [failed(label, str(errors.explained(error, f"look at {label}", aws.layer)), todo)]
    key = [(item["AttributeName"], item["KeyType"]) for item in found["KeySchema"]]
    if key != [("LockID", "HASH")]:
        said = f"has the key {key}, and locks need the hash key LockID and no other"
        return True, [failed(label, said, "name another table in lock_table")]
    return True, [ok(label, f"is there, {found['TableStatus'].lower()}")]


def bucket_access(aws: Aws, name: str, key: str, encryption: Mapping[str, str] | None = None) -> Check:
    """What may not be done with documents in the bucket. encryption: what each write asks for."""
    s3, probe = aws.client("s3"), {"Bucket": name, "Key": f"{key}.probe"}
    put = {**probe, **(encryption or {})}
    calls: dict[str, Callable[[], Any]] = {
        "s3:ListBucket": lambda: s3.list_objects_v2(Bucket=name, Prefix=key, MaxKeys=1),
        "s3:ListBucketVersions": lambda: s3.list_object_versions(Bucket=name, Prefix=key, MaxKeys=1),
        "s3:GetObject": lambda: s3.get_object(**probe),
        "s3:PutObject": lambda: s3.put_object(**put, Body=b"", IfMatch=NO_SUCH_TAG),
        # Removes also what a store that knows no conditions has just written.
        "s3:DeleteObject": lambda: s3.delete_object(**probe, IfMatch=NO_SUCH_TAG),
    }
    return _access(aws, "access to documents", calls)


def table_access(aws: Aws, name: str, path: str) -> Check:
    """What may not be done with locks in the table. path: bucket/key of a document."""
    dynamodb = aws.client("dynamodb")
    row = {"LockID": {"S": path}}
    calls: dict[str, Callable[[], Any]] = {
        "dynamodb:GetItem": lambda: dynamodb.get_item(TableName=name, Key=row),
        "dynamodb:PutItem": lambda: dynamodb.put_item(TableName=name, Item=row, ConditionExpression=NEVER),
        "dynamodb:DeleteItem": lambda: dynamodb.delete_item(TableName=name, Key=row, ConditionExpression=NEVER),
    }
    return _access(aws, "access to locks", calls)


def set_up(aws: Aws, name: str) -> Iterator[Check]:
    """Whether the bucket is as a bucket for state should be."""
    s3, declare = aws.client("s3"), "declare the bucket in state_bucket, which sets it so"
    looks: dict[str, tuple[Callable[[], bool], str]] = {
        "versioning": (
            lambda: s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled",
            "is off: there would be no history, and nothing to restore from",
        ),
        "encryption": (
            lambda: bool(s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]),
            "is not set",
        ),
        "public access": (
            lambda: all(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()),
            "is not blocked: state holds what declarations hold",
        ),
    }
    for what, (is_right, said) in looks.items():
        label = f"bucket's {what}"
        try:
            right = is_right()
        except Exception as error:
            if errors.code_of(error) in DENIED:
                yield note(label, "may not be read with these credentials", ALLOW)
                continue
            right = False
        yield ok(label, "is blocked" if what == "public access" else "is on") if right else failed(label, said, declare)


def _access(aws: Aws, label: str, calls: dict[str, Callable[[], Any]]) -> Check:
    denied, other, unconditional = [], [], []
    for action, call in calls.items():
        try:
            call()
            unconditional += [action] if action in CONDITIONAL else []
        except Exception as error:
            code = errors.code_of(error)
            if code in DENIED:
                denied.append(action)
            elif code not in HARMLESS:
                other.append(str(errors.explained(error, f"try {action}", aws.layer)))
    if denied:
        return failed(label, f"denied: {', '.join(denied)}", ALLOW)
    if unconditional:
        said = f"{', '.join(unconditional)} was carried out although its condition does not hold"
        return failed(label, said, UNCONDITIONAL)
    if other:
        return failed(label, "; ".join(other), "run again")
    return ok(label, ", ".join(calls))
