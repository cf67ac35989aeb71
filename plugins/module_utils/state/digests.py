# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MD5 digests of documents in the lock table, as Terraform keeps them: an item of its own with `Digest`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import DIGEST_SUFFIX

HASH_KEY = "LockID"
AT_ONCE = 100
NO_TABLE = "ResourceNotFoundException"
_MD5 = re.compile(r"[0-9a-f]{32}")


def digest_of(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


class Digests:
    """The digests of one bucket's documents. A missing table or item, or an invalid digest, counts as none."""

    def __init__(self, aws: Aws, table: str, bucket: str, region: str | None = None) -> None:
        self._client = aws.client("dynamodb", region=region)
        self._table = table
        self._bucket = bucket

    def get(self, keys: Sequence[str]) -> dict[str, str]:
        """The digests of many documents; by single reads where the credentials allow no batch."""
        if len(keys) == 1:
            return self._each(keys)
        try:
            return {key: digest for some in chunks(keys, AT_ONCE) for key, digest in self._batch(some).items()}
        except exceptions.ClientError as error:
            if errors.code_of(error) not in errors.DENIED:
                raise
            return self._each(keys)

    def put(self, key: str, body: bytes) -> None:
        item = {**self._id(key), "Digest": {"S": digest_of(body)}}
        self._client.put_item(TableName=self._table, Item=item)

    def delete(self, key: str) -> None:
        unless(NO_TABLE, self._client.delete_item, TableName=self._table, Key=self._id(key))

    def _each(self, keys: Sequence[str]) -> dict[str, str]:
        def one(key: str) -> tuple[str, Any]:
            arguments = {"TableName": self._table, "Key": self._id(key), "ConsistentRead": True}
            return key, (unless(NO_TABLE, self._client.get_item, **arguments) or {}).get("Item")

        return {key: digest for key, item in each(one, keys) if (digest := _valid(item))}

    def _batch(self, keys: Sequence[str]) -> dict[str, str]:
        by_id = {self._id(key)[HASH_KEY]["S"]: key for key in keys}
        wanted: dict[str, Any] = {
            self._table: {"Keys": [{HASH_KEY: {"S": name}} for name in by_id], "ConsistentRead": True}
        }
        found: dict[str, str] = {}
        while wanted:
            answer = unless(NO_TABLE, self._client.batch_get_item, RequestItems=wanted) or {}
            for item in answer.get("Responses", {}).get(self._table, ()):
                if digest := _valid(item):
                    found[by_id[item[HASH_KEY]["S"]]] = digest
            wanted = answer.get("UnprocessedKeys") or {}
        return found

    def _id(self, key: str) -> dict[str, dict[str, str]]:
        return {HASH_KEY: {"S": f"{self._bucket}/{key}{DIGEST_SUFFIX}"}}


def _valid(item: Any) -> str:
    digest = str((item or {}).get("Digest", {}).get("S", "")).lower()
    return digest if _MD5.fullmatch(digest) else ""
