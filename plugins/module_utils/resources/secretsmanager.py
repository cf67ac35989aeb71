# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Secrets Manager: the secrets that hold access keys. Values are written and never read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws

GONE = "ResourceNotFoundException"
USER_TAG = "dockyard:access-key-user"
KEY_TAG = "dockyard:access-key-id"


@dataclass(frozen=True)
class Secret:
    """What may be known of a secret: everything but its value."""

    name: str
    arn: str
    tags: dict[str, str]
    kms_key: str | None
    deleted: bool


def find(aws: Aws, name: str) -> Secret | None:
    answer = unless(GONE, aws.client("secretsmanager").describe_secret, SecretId=name)
    return _secret(answer) if answer else None


def of_access_key(aws: Aws, user: str, name: str | None) -> Secret | None:
    """The secret that holds the user's access key: the declared one, or the one declared earlier."""
    declared = find(aws, name) if name else None
    if declared is not None and _holds_key_of(declared, user):
        return None if declared.deleted else declared
    # The tag filter of ListSecrets matches prefixes, so what it finds is looked at again.
    filters = [{"Key": "tag-key", "Values": [USER_TAG]}, {"Key": "tag-value", "Values": [user]}]
    candidates = pages(aws.client("secretsmanager"), "list_secrets", "SecretList", Filters=filters)
    found = (_secret(item) for item in candidates)
    return next((item for item in found if _holds_key_of(item, user) and not item.deleted), None)


def check_writable(aws: Aws, user: str, name: str) -> None:
    """Refuse to write into a secret that holds something else."""
    secret = find(aws, name)
    if secret is not None and not _holds_key_of(secret, user):
        raise AwsError(
            f"the secret {name!r} exists already and does not hold the access key of user {user!r}; "
            "declare another name for access_key.secret"
        )


def write_access_key(
    aws: Aws, name: str, content: Mapping[str, str], labels: Mapping[str, str], kms_key: str | None
) -> str:
    """Write a key, tagged in the same call where the secret is new; return the secret's ARN."""
    client = aws.client("secretsmanager")
    marks = {**labels, USER_TAG: content["UserName"], KEY_TAG: content["AccessKeyId"]}
    value, key = json.dumps(dict(content)), {"KmsKeyId": kms_key} if kms_key else {}
    existing = find(aws, name)
    if existing is None:
        return str(client.create_secret(Name=name, SecretString=value, Tags=tags.to_list(marks), **key)["ARN"])
    if existing.deleted:
        client.restore_secret(SecretId=existing.arn)
    client.put_secret_value(SecretId=existing.arn, SecretString=value)
    client.tag_resource(SecretId=existing.arn, Tags=tags.to_list(marks))
    return existing.arn


def set_kms_key(aws: Aws, arn: str, kms_key: str) -> None:
    aws.client("secretsmanager").update_secret(SecretId=arn, KmsKeyId=kms_key)


def retag(aws: Aws, arn: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    client = aws.client("secretsmanager")
    if add:
        client.tag_resource(SecretId=arn, Tags=tags.to_list(add))
    if remove:
        client.untag_resource(SecretId=arn, TagKeys=list(remove))


def delete(aws: Aws, arn: str) -> None:
    """At once: the key in it is deleted already, and the name is wanted again when the environment comes back."""
    unless(GONE, aws.client("secretsmanager").delete_secret, SecretId=arn, ForceDeleteWithoutRecovery=True)


def _holds_key_of(secret: Secret, user: str) -> bool:
    return secret.tags.get(USER_TAG) == user and KEY_TAG in secret.tags


def _secret(answer: Mapping[str, Any]) -> Secret:
    labels = tags.from_list(answer.get("Tags"))
    return Secret(answer["Name"], answer["ARN"], labels, answer.get("KmsKeyId"), "DeletedDate" in answer)
