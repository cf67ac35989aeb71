# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon S3: buckets with all their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy, tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import DENIED, AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import all_of, each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.compare import without_absent
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)

GONE = "NoSuchBucket"
# Settings of one bucket that are written one after the other now and then get in each other's way.
NOT_NOW = (GONE, "OperationAborted")
# A bucket that was just made is not known everywhere at once; one that was just deleted keeps its name for a while.
SETTLE_SECONDS = 60
NAME_FREE_SECONDS = 300
DELETE_AT_ONCE = 1000


class Setting(NamedTuple):
    """How a property is read and written. absent: error code where it is not set; removal: None where it cannot be."""

    read: Callable[[Any, dict[str, str]], Any]
    write: Callable[[Any, dict[str, str], Any], Any]
    removal: str | None = None
    absent: str = ""


def _read_ownership(s3: Any, bucket: dict[str, str]) -> str:
    return str(s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"][0]["ObjectOwnership"])


def _write_ownership(s3: Any, bucket: dict[str, str], ownership: str) -> None:
    s3.put_bucket_ownership_controls(**bucket, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})


def _read_encryption(s3: Any, bucket: dict[str, str]) -> dict[str, Any]:
    """The first and only rule, flat."""
    rule = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    return {**rule.pop("ApplyServerSideEncryptionByDefault", {}), **rule}


def _write_encryption(s3: Any, bucket: dict[str, str], encryption: Mapping[str, Any]) -> None:
    by_default = ("SSEAlgorithm", "KMSMasterKeyID")
    rule = {name: value for name, value in encryption.items() if name not in by_default}
    rule["ApplyServerSideEncryptionByDefault"] = {name: encryption[name] for name in by_default if encryption.get(name)}
    s3.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


def _write_website(s3: Any, bucket: dict[str, str], website: Mapping[str, Any]) -> None:
    given = {name: value for name, value in website.items() if value}
    s3.put_bucket_website(**bucket, WebsiteConfiguration=given)


def _without_metadata(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


SETTINGS: dict[str, Setting] = {
    "ObjectOwnership": Setting(_read_ownership, _write_ownership, None, "OwnershipControlsNotFoundError"),
    "PublicAccessBlockConfiguration": Setting(
        lambda s3, bucket: s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"],
        lambda s3, bucket, value: s3.put_public_access_block(**bucket, PublicAccessBlockConfiguration=value),
        "delete_public_access_block",
        "NoSuchPublicAccessBlockConfiguration",
    ),
    "VersioningConfiguration": Setting(
        lambda s3, bucket: {"Status": s3.get_bucket_versioning(**bucket).get("Status", "Suspended")},
        lambda s3, bucket, value: s3.put_bucket_versioning(**bucket, VersioningConfiguration=value),
    ),
    "ServerSideEncryption": Setting(
        _read_encryption,
        _write_encryption,
        "delete_bucket_encryption",
        "ServerSideEncryptionConfigurationNotFoundError",
    ),
    "Policy": Setting(
        lambda s3, bucket: policy.parsed(s3.get_bucket_policy(**bucket)["Policy"]),
        lambda s3, bucket, value: s3.put_bucket_policy(**bucket, Policy=policy.text(value)),
        "delete_bucket_policy",
        "NoSuchBucketPolicy",
    ),
    "LifecycleRules": Setting(
        lambda s3, bucket: s3.get_bucket_lifecycle_configuration(**bucket)["Rules"],
        lambda s3, bucket, value: s3.put_bucket_lifecycle_configuration(
            **bucket, LifecycleConfiguration={"Rules": value}
        ),
        "delete_bucket_lifecycle",
        "NoSuchLifecycleConfiguration",
    ),
    "WebsiteConfiguration": Setting(
        lambda s3, bucket: _without_metadata(s3.get_bucket_website(**bucket)),
        _write_website,
        "delete_bucket_website",
        "NoSuchWebsiteConfiguration",
    ),
}
IN_CREATE = frozenset({"ObjectOwnership"})


class S3Bucket(Kind):
    """A general purpose bucket: ownership, public access, versioning, encryption, policy, lifecycle, website."""

    kind = "s3_bucket"
    label = "S3 bucket"
    holds_data = True
    named = frozenset({"id", "name"})
    defaults = {"Policy": None, "LifecycleRules": [], "WebsiteConfiguration": None}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = each(lambda item: _observe(aws, item), wanted)
        return {item.name: item for item in found if item is not None}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if result.get("Policy"):
            result["Policy"] = policy.canonical(result["Policy"])
        if result.get("ServerSideEncryption"):
            result["ServerSideEncryption"] = _canonical_encryption(result["ServerSideEncryption"])
        if result.get("LifecycleRules"):
            rules = (_canonical_rule(rule) for rule in result["LifecycleRules"])
            result["LifecycleRules"] = sorted(rules, key=policy.text)
        return result

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        return without_absent(differences)

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        _create_bucket(aws, resource)
        s3, bucket = aws.client("s3"), bucket_arguments(aws, resource.name)
        for name, setting in SETTINGS.items():
            if name not in IN_CREATE and resource.properties.get(name):
                settled(setting.write, s3, bucket, resource.properties[name])
        return _attributes(aws, resource.name)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        s3, bucket, changed = aws.client("s3"), bucket_arguments(aws, resource.name), top_level(differences)
        for name, setting in SETTINGS.items():
            if name not in changed:
                continue
            value = resource.properties.get(name)
            if name == "ServerSideEncryption" and value:
                # What AWS keeps in the same document and nobody declared stays as it is.
                kept = observed.properties.get(name) or {}
                value = {**{key: kept[key] for key in ("BlockedEncryptionTypes",) if key in kept}, **value}
            if value:
                settled(setting.write, s3, bucket, value)
            elif setting.removal:
                getattr(s3, setting.removal)(**bucket)

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        s3, bucket = aws.client("s3"), bucket_arguments(aws, observed.name)
        # PutBucketTagging replaces the whole set, in which AWS's own tags must stay.
        answer = unless("NoSuchTagSet", s3.get_bucket_tagging, **bucket) or {"TagSet": ()}
        now = {tag["Key"]: tag["Value"] for tag in answer["TagSet"] if tag["Key"] not in remove}
        s3.put_bucket_tagging(**bucket, Tagging={"TagSet": tags.to_list({**now, **add})})

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        s3, bucket = aws.client("s3"), bucket_arguments(aws, observed.name)
        if resource is not None and resource.options.get("force_delete"):
            unless(GONE, _empty, aws, s3, bucket)
        try:
            unless(GONE, s3.delete_bucket, **bucket)
        except exceptions.ClientError as error:
            if code_of(error) != "BucketNotEmpty":
                raise
            message = f"bucket {observed.name!r} is not empty; empty it, or declare force_delete: true"
            raise AwsError(f"{message}, which deletes every version of every object in it") from error


def bucket_arguments(aws: Aws, name: str) -> dict[str, str]:
    """The arguments of every call: nothing is ever read from or written to another account's bucket."""
    return {"Bucket": name, "ExpectedBucketOwner": aws.account_id}


def _attributes(aws: Aws, name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "arn": f"arn:{aws.partition}:s3:::{name}"}


def _observe(aws: Aws, wanted: Wanted) -> Observed | None:
    s3, bucket = aws.client("s3"), bucket_arguments(aws, wanted.name)
    try:
        versioning = SETTINGS["VersioningConfiguration"].read(s3, bucket)
    except exceptions.ClientError as error:
        if code_of(error) == GONE:
            return None
        raise _access_explained(s3, wanted.name, error) from error
    others = [name for name in SETTINGS if name != "VersioningConfiguration" and name in wanted.properties]
    properties = {"VersioningConfiguration": versioning}
    if not wanted.properties:
        return Observed(wanted.name, properties, _attributes(aws, wanted.name), {})
    readers: list[Callable[[], Any]] = [partial(_read, s3, bucket, name) for name in others]
    readers.append(lambda: unless("NoSuchTagSet", s3.get_bucket_tagging, **bucket) or {})
    *values, labels = all_of(*readers)
    properties.update(zip(others, values, strict=True))
    return Observed(wanted.name, properties, _attributes(aws, wanted.name), tags.from_list(labels.get("TagSet")))


def _read(s3: Any, bucket: dict[str, str], name: str) -> Any:
    setting = SETTINGS[name]
    return unless(setting.absent, setting.read, s3, bucket) if setting.absent else setting.read(s3, bucket)


def _access_explained(s3: Any, name: str, error: Exception) -> Exception:
    """S3 answers alike where a bucket is another account's and where the credentials may not read it."""
    if code_of(error) not in DENIED and code_of(error) != "403":
        return error
    try:
        own = name in {bucket["Name"] for bucket in s3.list_buckets(Prefix=name).get("Buckets", ())}
    except exceptions.ClientError:
        return error
    return error if own else _taken(name)


def _taken(name: str) -> AwsError:
    return AwsError(
        f"bucket {name!r} belongs to another AWS account: bucket names are unique worldwide, choose another"
    )


def _create_bucket(aws: Aws, resource: Resource) -> None:
    """Create it with its tags. us-east-1 is the region that CreateBucket does not want to hear named."""
    configuration: dict[str, Any] = {"Tags": tags.to_list(resource.tags)} if resource.tags else {}
    if aws.region != "us-east-1":
        configuration["LocationConstraint"] = aws.region
    arguments = {"CreateBucketConfiguration": configuration} if configuration else {}
    ownership = resource.properties.get("ObjectOwnership")
    if ownership:
        arguments["ObjectOwnership"] = ownership

    def attempt() -> bool | None:
        try:
            aws.once("s3").create_bucket(Bucket=resource.name, **arguments)
        except exceptions.ClientError as error:
            if code_of(error) == "BucketAlreadyExists":
                raise _taken(resource.name) from error
            if code_of(error) != "OperationAborted":
                raise
            aws.progress(f"S3 has not yet released the name {resource.name} of a deleted bucket, waiting")
            return None
        return True

    wait_for(attempt, f"S3 to release the bucket name {resource.name}", NAME_FREE_SECONDS)


def settled(function: Callable[..., Any], *arguments: Any) -> None:
    """A call on a bucket that was just made or changed."""

    def attempt() -> bool | None:
        try:
            function(*arguments)
        except exceptions.ClientError as error:
            if code_of(error) in NOT_NOW:
                return None
            raise
        return True

    wait_for(attempt, "S3 to take a setting of the bucket", SETTLE_SECONDS)


def _empty(aws: Aws, s3: Any, bucket: dict[str, str]) -> None:
    """Delete every version and every delete marker."""
    gone = 0
    for page in s3.get_paginator("list_object_versions").paginate(**bucket):
        items = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        delete_objects(s3, bucket, [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in items])
        gone += len(items)
        aws.progress(f"{gone} object versions deleted from {bucket['Bucket']}")


def delete_objects(s3: Any, bucket: Mapping[str, str], objects: Sequence[Mapping[str, str]]) -> None:
    """Delete objects, or versions of them; what is gone already is no error."""
    for some in chunks(objects, DELETE_AT_ONCE):
        answer = s3.delete_objects(**bucket, Delete={"Objects": some, "Quiet": True})
        if refused := answer.get("Errors"):
            first = refused[0]
            where = f"{first.get('Key')}: {first.get('Code')} {first.get('Message')}"
            raise AwsError(f"{len(refused)} objects in {bucket['Bucket']} could not be deleted, the first: {where}")


def _canonical_encryption(encryption: Mapping[str, Any]) -> dict[str, Any]:
    """BucketKeyEnabled means nothing without KMS."""
    result = dict(encryption)
    if result.get("SSEAlgorithm") != "aws:kms":
        result.pop("BucketKeyEnabled", None)
    return result


def _canonical_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule for all objects has been written in three ways over the years; its ID is no more than a label."""
    result = {name: value for name, value in rule.items() if name != "ID"}
    prefix = result.pop("Prefix", None)
    rest = result.get("Filter") or ({"Prefix": prefix} if prefix else {})
    result["Filter"] = {name: value for name, value in rest.items() if value not in ("", None)}
    return result


KINDS = (S3Bucket,)
