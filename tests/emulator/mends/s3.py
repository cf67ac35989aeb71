# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of S3: what new buckets have had since 2023, and what the public access block refuses."""

from __future__ import annotations

import json
from typing import Any

import xmltodict
from flask import request
from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicy
from moto.s3.exceptions import S3AccessDeniedError, S3ClientError
from moto.s3.models import OWNER, FakeBucket, PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response
from moto.s3.utils import bucket_policy_is_public

from emulator.patching import replace


def default_encryption() -> dict[str, Any]:
    """SSE-S3, in moto's form."""
    return {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}


@replace(FakeBucket, "__init__")
def new_bucket(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    """Since 2023 a new bucket is encrypted with SSE-S3, blocks public access and has ACLs disabled. moto's had none."""
    original(self, *args, **kwargs)
    self.encryption = default_encryption()
    self.public_access_block = PublicAccessBlock("true", "true", "true", "true")
    self.ownership_rule = "BucketOwnerEnforced"
    self.being_made = True


def _private(acl: Any) -> bool:
    """It grants nothing to anybody but the owner."""
    return bool(acl) and {grantee.id for grant in acl.grants for grantee in grant.grantees} == {OWNER}


@replace(S3Backend, "delete_bucket_encryption")
def delete_bucket_encryption(_original: Any, self: Any, bucket_name: str) -> None:
    """AWS goes back to SSE-S3. moto had no encryption then."""
    self.get_bucket(bucket_name).encryption = default_encryption()


@replace(S3Backend, "put_bucket_policy")
def put_bucket_policy(original: Any, self: Any, bucket_name: str, policy: bytes) -> None:
    """BlockPublicPolicy refuses a public policy. moto took it."""
    block = self.get_bucket(bucket_name).public_access_block
    if block and block.block_public_policy and bucket_policy_is_public(policy):
        raise S3AccessDeniedError()
    original(self, bucket_name, policy)


@replace(S3Backend, "put_bucket_acl")
def put_bucket_acl(original: Any, self: Any, bucket_name: str, acl: Any) -> None:
    """A bucket with BucketOwnerEnforced takes no ACL, but for `private` when it is made. moto took any."""
    bucket = self.get_bucket(bucket_name)
    if bucket.ownership_rule == "BucketOwnerEnforced" and not (bucket.being_made and _private(acl)):
        raise S3ClientError("AccessControlListNotSupported", "The bucket does not allow ACLs")
    original(self, bucket_name, acl)


@replace(FakeBucket, "get_permission")
def get_permission(original: Any, self: Any, action: str, resource: str) -> Any:
    """Statements that are not about the caller do not count: moto looks at no conditions and at no services.

    Denials of calls without TLS are left out (the emulator speaks plain HTTP), those of other accounts where the call
    is signed (there is one account), and what is allowed to a service.
    """
    if self.policy is None:
        return original(self, action, resource)
    document = json.loads(self.policy)
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    kept = [one for one in statements if _concerns(one)]
    return IAMPolicy(json.dumps({**document, "Statement": kept})).is_action_permitted(action, resource)


def _concerns(statement: dict[str, Any]) -> bool:
    condition, principal = statement.get("Condition", {}), statement.get("Principal")
    if "aws:SecureTransport" in condition.get("Bool", {}):
        return False
    if "aws:PrincipalAccount" in condition.get("StringNotEquals", {}):
        return "Authorization" not in request.headers
    return not (isinstance(principal, dict) and "Service" in principal)


@replace(FakeBucket, "set_lifecycle")
def set_lifecycle(original: Any, self: Any, rules: list[dict[str, Any]]) -> None:
    """NewerNoncurrentVersions of NoncurrentVersionExpiration is kept: moto dropped it."""
    original(self, rules)
    for kept, given in zip(self.rules, rules, strict=True):
        kept.newer_noncurrent_versions = (given.get("NoncurrentVersionExpiration") or {}).get("NewerNoncurrentVersions")


@replace(S3Response, "get_bucket_lifecycle")
def get_bucket_lifecycle(original: Any, self: Any) -> Any:
    """NewerNoncurrentVersions of NoncurrentVersionExpiration is answered."""
    rules = self.backend.get_bucket_lifecycle(self.bucket_name)
    serialized = self.serialized

    def complete(result: ActionResult) -> Any:
        shown: Any = result.result if isinstance(result.result, dict) else {"Rules": []}
        for rule, kept in zip(shown["Rules"], rules or [], strict=bool(shown["Rules"])):
            if getattr(kept, "newer_noncurrent_versions", None):
                rule["NoncurrentVersionExpiration"]["NewerNoncurrentVersions"] = kept.newer_noncurrent_versions
        return serialized(result)

    self.serialized = complete
    return original(self)


@replace(S3Response, "_bucket_response_put")
def bucket_response_put(original: Any, self: Any, request: Any, bucket_name: str, querystring: Any) -> Any:
    """CreateBucket keeps the tags that came with it: moto dropped them."""
    result = original(self, request, bucket_name, querystring)
    if bucket_name in self.backend.buckets:
        self.backend.get_bucket(bucket_name).being_made = False
    body = request.get_data()
    if not querystring and b"<Tags>" in body:
        tags = xmltodict.parse(body, force_list=("Tag",))["CreateBucketConfiguration"]["Tags"]["Tag"]
        kept = {one["Key"]: one.get("Value") or "" for one in tags}
        self.backend.put_bucket_tagging(bucket_name, kept)
    return result
