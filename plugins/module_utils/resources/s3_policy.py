# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of a bucket as a thing of its own: for one that names what itself needs the bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3 import (
    GONE,
    SETTINGS,
    bucket_arguments,
    settled,
)

BLOCKED = "BlockPublicPolicy"


class S3BucketPolicy(Kind):
    """The whole policy of the bucket whose name it has, as `Policy`."""

    kind = "s3_bucket_policy"
    label = "bucket policy"
    taggable = False

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = each(lambda item: _observe(aws, item.name), wanted)
        return {item.name: item for item in found if item is not None}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {name: policy.canonical(document) for name, document in properties.items()}

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        bucket = bucket_arguments(aws, resource.name)
        try:
            settled(SETTINGS["Policy"].write, aws.client("s3"), bucket, resource.properties["Policy"])
        except exceptions.ClientError as error:
            if BLOCKED not in str(error):
                raise
            message = f"S3 refuses the public policy of bucket {resource.name!r}: the account blocks public access"
            raise AwsError(
                f"{message} (s3control:GetPublicAccessBlock); allow it there, or serve by cloudfront"
            ) from error
        return {"id": resource.name}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        self.create(aws, resource)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        unless(GONE, aws.client("s3").delete_bucket_policy, **bucket_arguments(aws, observed.name))


def _observe(aws: Aws, name: str) -> Observed | None:
    setting, bucket = SETTINGS["Policy"], bucket_arguments(aws, name)
    document = unless((setting.absent, GONE), setting.read, aws.client("s3"), bucket)
    return None if document is None else Observed(name, {"Policy": document}, {"id": name})


KINDS = (S3BucketPolicy,)
