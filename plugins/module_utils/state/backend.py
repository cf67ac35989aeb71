# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a team's shared state lies: one description, from which stores and locks are made.

backend = Backend(bucket="art-service-terraform-state", table="art-service-terraform-locks")
store, lock = backend.store(aws), backend.lock(aws, paths.memory("ecr"))
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.state import lock_info
from ansible_collections.dockyard.aws.plugins.module_utils.state.digests import Digests
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock import Lock, LockPlace
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_places import DynamoDBLock, S3Lock
from ansible_collections.dockyard.aws.plugins.module_utils.state.s3_store import S3Store


@dataclass(frozen=True)
class Backend:
    """A bucket and its locks, named as the options of Terraform's S3 backend mean them.

    table: locks (and digests) in this DynamoDB table. use_lockfile: locks as S3 objects. Both: first the object, then
    the item, and both are needed. region: of bucket and table, where it is not the layer's. owner: the account that
    must own the bucket. encrypt: ask S3 for encryption with each write, as bucket policies may demand; with its own key
    or with kms_key_id.

    AWS actions: s3:GetObject, s3:PutObject and s3:DeleteObject on the documents and their .tflock; s3:ListBucket; for
    the history also s3:ListBucketVersions and s3:GetObjectVersion; dynamodb:GetItem, BatchGetItem, PutItem and
    DeleteItem on the table; kms:Decrypt and kms:GenerateDataKey where the bucket has a key of its own.
    """

    bucket: str
    table: str | None = None
    use_lockfile: bool = False
    region: str | None = None
    owner: str | None = None
    encrypt: bool = False
    kms_key_id: str | None = None

    def __post_init__(self) -> None:
        if not self.table and not self.use_lockfile:
            raise StateError(f"the state in {self.bucket!r} has no locks: name a lock table, or lock with S3 objects")

    @property
    def encryption(self) -> dict[str, str]:
        """What each PutObject says of it; without encrypt nothing, and the bucket's default counts."""
        if not self.encrypt:
            return {}
        if self.kms_key_id:
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key_id}
        return {"ServerSideEncryption": "AES256"}

    def store(self, aws: Aws) -> S3Store:
        digests = Digests(aws, self.table, self.bucket, self.region) if self.table else None
        return S3Store(aws, self.bucket, self.region, self.owner, digests, encryption=self.encryption)

    def lock(self, aws: Aws, key: str, version: str = lock_info.VERSION) -> Lock:
        """The lock of one document. version: what others read about the software that holds it."""
        path = f"{self.bucket}/{key}"
        places: list[LockPlace] = []
        if self.use_lockfile:
            places.append(S3Lock(aws, self.bucket, key, self.region, self.owner, encryption=self.encryption))
        if self.table:
            places.append(DynamoDBLock(aws, self.table, path, self.region))
        return Lock(places, path, version)
