# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The places where locks lie: DynamoDB items and S3 objects, laid out as Terraform's, and files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.state.digests import HASH_KEY, NO_TABLE
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import NotThere, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import LOCK_SUFFIX
from ansible_collections.dockyard.aws.plugins.module_utils.state.s3_store import (
    CONCURRENT,
    CONCURRENT_ATTEMPTS,
    FAILED_CONDITION,
    GONE,
    LAYER,
)

CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoDBLock:
    """An item of a table: LockID is bucket/key, Info the lock as JSON."""

    def __init__(self, aws: Aws, table: str, path: str, region: str | None = None) -> None:
        self._client = aws.client("dynamodb", region=region)
        self._table = table
        self._id = {HASH_KEY: {"S": path}}
        self.where = f"the DynamoDB table {table}"
        item = json.dumps({HASH_KEY: {"S": path}})
        self.removal = f"aws dynamodb delete-item --table-name {table} --key '{item}'"

    def take(self, text: str) -> str | None:
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**self._id, "Info": {"S": text}},
                ConditionExpression=f"attribute_not_exists({HASH_KEY})",
            )
        except exceptions.ClientError as error:
            if errors.code_of(error) != CONDITION_FAILED:
                raise self._explained(error, "take the lock") from error
            holder = self.holder()
            # The answer to our own call may have been lost, and its repetition met our own lock.
            return None if holder == text else holder or ""
        except Exception as error:
            raise self._explained(error, "take the lock") from error
        return None

    def holder(self) -> str | None:
        try:
            answer = self._client.get_item(TableName=self._table, Key=self._id, ConsistentRead=True)
        except Exception as error:
            raise self._explained(error, "read the lock") from error
        item = answer.get("Item")
        return None if item is None else str(item.get("Info", {}).get("S", ""))

    def release(self, text: str) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(Info)"}
        if text:
            condition = {"ConditionExpression": "Info = :ours", "ExpressionAttributeValues": {":ours": {"S": text}}}
        try:
            self._client.delete_item(TableName=self._table, Key=self._id, **condition)
        except exceptions.ClientError as error:
            if errors.code_of(error) != CONDITION_FAILED:
                raise self._explained(error, "release the lock") from error
            return self.holder() is None
        except Exception as error:
            raise self._explained(error, "release the lock") from error
        return True

    def _explained(self, error: BaseException, doing: str) -> ReconcileError:
        doing = f"{doing} {self._id[HASH_KEY]['S']} in {self.where}"
        if errors.code_of(error) == NO_TABLE:
            return NotThere(f"cannot {doing}: there is no such table; the layer state_bucket makes it")
        return errors.explained(error, doing, LAYER)


class S3Lock:
    """An object beside the document, its key with .tflock at the end."""

    def __init__(
        self,
        aws: Aws,
        bucket: str,
        key: str,
        region: str | None = None,
        owner: str | None = None,
        wait: Callable[[float], None] = time.sleep,
        encryption: Mapping[str, str] | None = None,
    ) -> None:
        self._client = aws.client("s3", region=region)
        self._object = {"Bucket": bucket, "Key": key + LOCK_SUFFIX}
        if owner:
            self._object["ExpectedBucketOwner"] = owner
        self._put = {**self._object, **(encryption or {}), "ContentType": "application/json", "IfNoneMatch": "*"}
        self._wait = wait
        self.where = f"s3://{bucket}/{key}{LOCK_SUFFIX}"
        self.removal = f"aws s3 rm {self.where}"

    def take(self, text: str) -> str | None:
        code = self._write(text)
        if not code:
            return None
        holder = self.holder()
        return None if holder == text else holder or ""

    def holder(self) -> str | None:
        found = self._get()
        return None if found is None else found[0]

    def release(self, text: str) -> bool:
        """Deleted by the tag that it was just read with: what was put there in between stays."""
        for attempt in range(1, CONCURRENT_ATTEMPTS + 1):
            found = self._get()
            if found is None:
                return True
            if found[0] != text:
                return False
            code = self._delete(found[1])
            if not code:
                return True
            if code in CONCURRENT:
                self._wait(0.1 * attempt)
        raise StateError(f"cannot release the lock {self.where}: S3 says again and again that it is being written")

    def _write(self, text: str) -> str:
        """The code of what hindered it; empty where nothing did."""
        for attempt in range(1, CONCURRENT_ATTEMPTS + 1):
            try:
                self._client.put_object(**self._put, Body=text.encode())
                return ""
            except Exception as error:
                code = errors.code_of(error)
                if code in FAILED_CONDITION:
                    return code
                if code not in CONCURRENT:
                    raise self._explained(error, "take") from error
            self._wait(0.1 * attempt)
        return code

    def _get(self) -> tuple[str, str] | None:
        """The lock's text and its object's tag."""
        try:
            answer = self._client.get_object(**self._object)
            return answer["Body"].read().decode(errors="replace"), answer["ETag"]
        except Exception as error:
            if errors.code_of(error) in GONE:
                return None
            raise self._explained(error, "read") from error

    def _delete(self, tag: str) -> str:
        """The code of what hindered it; what is gone already is none."""
        try:
            self._client.delete_object(**self._object, IfMatch=tag)
        except Exception as error:
            code = errors.code_of(error)
            if code in GONE:
                return ""
            if code in FAILED_CONDITION | CONCURRENT:
                return code
            raise self._explained(error, "release") from error
        return ""

    def _explained(self, error: BaseException, verb: str) -> ReconcileError:
        doing = f"{verb} the lock {self.where}"
        if errors.code_of(error) == "NoSuchBucket":
            return NotThere(f"cannot {doing}: there is no such bucket; the layer state_bucket makes it")
        return errors.explained(error, doing, LAYER)


class LocalLock:
    """A file beside the document: for as long as documents are kept in a folder."""

    def __init__(self, folder: str | Path, key: str) -> None:
        self._path = Path(folder) / (key + LOCK_SUFFIX)
        self.where = str(self._path)
        self.removal = f"rm {self.where}"

    def take(self, text: str) -> str | None:
        """The file appears with its contents in it, so that nobody ever reads half of it."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.{time.monotonic_ns()}")
        try:
            temporary.write_text(text, encoding="utf-8")
            os.link(temporary, self._path)
        except FileExistsError:
            return self.holder() or ""
        except OSError as error:
            raise StateError(f"cannot take the lock {self.where}: {error.strerror}") from error
        finally:
            temporary.unlink(missing_ok=True)
        return None

    def holder(self) -> str | None:
        try:
            return self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"cannot read the lock {self.where}: {error.strerror}") from error

    def release(self, text: str) -> bool:
        holder = self.holder()
        if holder is None:
            return True
        if holder != text:
            return False
        self._path.unlink(missing_ok=True)
        return True
