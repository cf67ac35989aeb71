# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents in S3, with compare-and-swap, history, and digests in the lock table.

Encryption is the bucket's default, unless the setting asks for one. S3 is strongly consistent, so a document that does
not fit its digest is not old: either its writer was killed before it came to the digest, or somebody else wrote it past
all locks.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.state import document, hints
from ansible_collections.dockyard.aws.plugins.module_utils.state.digests import Digests, digest_of
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import (
    DigestMismatch,
    DigestNotWritten,
    DocumentError,
    NotThere,
    StateError,
)
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_info import who
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import (
    ABSENT,
    Stored,
    Version,
    Written,
    conflict,
)

LAYER = "state_bucket"
WRITE_ID = "dockyard-write"
# Metadata of each version, for the history; other letters than those of ASCII are percent-encoded.
WRITTEN_BY = "dockyard-who"
WRITTEN_FOR = "dockyard-operation"
READABLE = " @,.:/()+=_-"
GONE = frozenset({"NoSuchKey", "404"})
FAILED_CONDITION = frozenset({"PreconditionFailed", "412"})
CONCURRENT = frozenset({"ConditionalRequestConflict", "OperationAborted"})
CONCURRENT_ATTEMPTS = 8
MISMATCH_PAUSES = (0.0, 2.0, 2.0, 2.0, 2.0, 2.0)


class S3Store:
    """Documents as objects of one bucket. owner: the account that must own the bucket, where that is to be checked.

    encryption: the arguments of PutObject that ask for it. operation: what is being written for, for the history.
    """

    operation = ""

    def __init__(
        self,
        aws: Aws,
        bucket: str,
        region: str | None = None,
        owner: str | None = None,
        digests: Digests | None = None,
        wait: Callable[[float], None] = time.sleep,
        encryption: Mapping[str, str] | None = None,
    ) -> None:
        self._client = aws.client("s3", region=region)
        self._bucket = bucket
        self._owner = {"ExpectedBucketOwner": owner} if owner else {}
        self._encryption = dict(encryption or {})
        self._digests = digests
        self._wait = wait

    def place(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def read(self, key: str) -> Stored:
        return self.read_many([key])[key]

    def read_many(self, keys: Sequence[str], there: Container[str] | None = None) -> dict[str, Stored]:
        wanted = [key for key in keys if there is None or key in there]
        found = dict(zip(wanted, each(self._get, wanted), strict=True))
        digests = self._digests_of(keys)
        # What has a digest is there since a moment, or was deleted.
        late = [key for key in keys if key not in found and digests.get(key)]
        found.update(zip(late, each(self._get, late), strict=True))
        return {key: self._verified(key, found.get(key, ABSENT), digests.get(key, "")) for key in keys}

    def write(self, key: str, body: bytes, after: Stored) -> Stored:
        token = str(uuid.uuid4())
        condition = {"IfMatch": after.tag} if after.tag else {"IfNoneMatch": "*"}
        stored = self._put(key, body, token, condition) or self._our_own(key, body, token)
        if stored is None:
            raise conflict(self.place(key))
        self.record_digest(key, stored)
        return stored

    def record_digest(self, key: str, stored: Stored) -> None:
        """Write the digest of what lies at a key: after a write, and where a read said `digest_behind`."""
        if self._digests is None or stored.body is None:
            return
        try:
            self._digests.put(key, stored.body)
        except Exception as error:
            said = self._explained(error, f"write the digest of {self.place(key)}")
            raise DigestNotWritten(f"{said} The document itself was written; the next run completes it.") from error

    def delete(self, key: str, after: Stored) -> None:
        if after.body is not None:
            arguments = {**self._object(key), "IfMatch": after.tag}
            try:
                self._repeated(self._client.delete_object, arguments)
            except exceptions.ClientError as error:
                code = errors.code_of(error)
                if code in FAILED_CONDITION:
                    raise conflict(self.place(key)) from error
                if code not in GONE:
                    raise self._explained(error, f"delete {self.place(key)}") from error
        if self._digests is not None:
            try:
                self._digests.delete(key)
            except Exception as error:
                raise self._explained(error, f"delete the digest of {self.place(key)}") from error

    def keys(self, prefix: str = "") -> list[str]:
        try:
            return sorted(item["Key"] for item in self._listed(prefix))
        except Exception as error:
            raise self._explained(error, f"list the documents in {self.place(prefix)}") from error

    def tags(self, prefix: str = "") -> dict[str, str] | None:
        """The tags of all keys, with one call for a thousand; None where the credentials may not list them."""
        try:
            return {item["Key"]: item["ETag"] for item in self._listed(prefix)}
        except Exception as error:
            if errors.code_of(error) in errors.DENIED:
                return None
            raise self._explained(error, f"list the documents in {self.place(prefix)}") from error

    def versions(self, key: str, limit: int = 100) -> list[Version]:
        try:
            return self._versions(key, limit)
        except Exception as error:
            raise self._explained(error, f"list the versions of {self.place(key)}") from error

    def read_version(self, key: str, version_id: str) -> bytes:
        return self.written(key, version_id).body

    def written(self, key: str, version_id: str) -> Written:
        try:
            body, answer = self._body({**self._object(key), "VersionId": version_id})
        except exceptions.ClientError as error:
            if errors.code_of(error) in {*GONE, "NoSuchVersion", "InvalidArgument", "400", "405", "MethodNotAllowed"}:
                raise StateError(
                    f"{self.place(key)} has no version {version_id!r} with contents; {hints.history(key)} lists those "
                    "that it has"
                ) from error
            raise self._explained(error, f"read a version of {self.place(key)}") from error
        marks = answer.get("Metadata", {})
        return Written(body, unquote(marks.get(WRITTEN_BY, "")), unquote(marks.get(WRITTEN_FOR, "")))

    def _listed(self, prefix: str) -> list[dict[str, Any]]:
        return pages(self._client, "list_objects_v2", "Contents", Bucket=self._bucket, Prefix=prefix, **self._owner)

    def _object(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": key, **self._owner}

    def _get(self, key: str) -> Stored:
        try:
            body, answer = self._body(self._object(key))
        except exceptions.ClientError as error:
            if errors.code_of(error) in GONE:
                return ABSENT
            raise self._explained(error, f"read {self.place(key)}") from error
        except Exception as error:
            raise self._explained(error, f"read {self.place(key)}") from error
        return Stored(body, answer["ETag"], answer.get("VersionId") or "")

    def _body(self, arguments: Mapping[str, Any]) -> tuple[bytes, Mapping[str, Any]]:
        """Contents that break off are asked for again: the SDK repeats calls, not what comes after their answer."""
        for last in (False, False, True):
            answer = self._client.get_object(**arguments)
            try:
                return answer["Body"].read(), answer
            except (
                exceptions.IncompleteReadError,
                exceptions.ReadTimeoutError,
                exceptions.ResponseStreamingError,
            ):
                if last:
                    raise
        raise StateError("the loop above returns or raises")

    def _repeated(self, call: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        """A conditional call, again where S3 says that another one is under way."""
        for attempt in range(1, CONCURRENT_ATTEMPTS + 1):
            try:
                return call(**arguments)
            except exceptions.ClientError as error:
                if errors.code_of(error) not in CONCURRENT or attempt == CONCURRENT_ATTEMPTS:
                    raise
            self._wait(0.1 * attempt)
        raise StateError("the loop above returns or raises")

    def _put(self, key: str, body: bytes, token: str, condition: Mapping[str, str]) -> Stored | None:
        """None where the condition did not hold."""
        arguments = {**self._object(key), "Body": body, "ContentType": "application/json", **condition}
        arguments |= self._encryption
        try:
            answer = self._repeated(self._client.put_object, {**arguments, "Metadata": self._marks(token)})
        except Exception as error:
            if errors.code_of(error) in FAILED_CONDITION | GONE:
                return None
            raise self._explained(error, f"write {self.place(key)}") from error
        return Stored(body, answer["ETag"], answer.get("VersionId") or "")

    def _marks(self, token: str) -> dict[str, str]:
        marks = {WRITE_ID: token, WRITTEN_BY: who(), WRITTEN_FOR: self.operation[:200]}
        return {name: quote(text, safe=READABLE) for name, text in marks.items() if text}

    def _our_own(self, key: str, body: bytes, token: str) -> Stored | None:
        """Our own write, of which the answer got lost, makes its repetition fail; its mark tells it from others'."""
        try:
            answer = self._client.head_object(**self._object(key))
        except exceptions.ClientError as error:
            if errors.code_of(error) in GONE:
                return None
            raise self._explained(error, f"read {self.place(key)}") from error
        if answer.get("Metadata", {}).get(WRITE_ID) != token:
            return None
        return Stored(body, answer["ETag"], answer.get("VersionId") or "")

    def _versions(self, key: str, limit: int) -> list[Version]:
        """Other keys that begin alike (a lock's) come after all versions of this one."""
        found: list[Version] = []
        answers = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=key, PaginationConfig={"PageSize": min(limit + 1, 1000)}, **self._owner
        )
        for page in answers:
            contents = [(item, False) for item in page.get("Versions", ())]
            marks = [(item, True) for item in page.get("DeleteMarkers", ())]
            items = [(item, deleted) for item, deleted in contents + marks if item["Key"] == key]
            found += [
                Version(item["VersionId"], item["LastModified"], item.get("Size", 0), item["IsLatest"], deleted)
                for item, deleted in items
            ]
            if not items or len(found) >= limit:
                break
        # Times have full seconds only, so the order that S3 gives decides between equal ones.
        found.sort(key=lambda version: (version.latest, version.modified), reverse=True)
        return found[:limit]

    def _digests_of(self, keys: Sequence[str]) -> dict[str, str]:
        if self._digests is None:
            return {}
        try:
            return self._digests.get(keys)
        except Exception as error:
            raise self._explained(error, f"read the digests of the documents in {self.place('')}") from error

    def _verified(self, key: str, stored: Stored, digest: str) -> Stored:
        """What was read, when it is what was written last; looked at again for a while as its writer may be at it."""
        for pause in MISMATCH_PAUSES:
            if not digest or (stored.body is not None and digest_of(stored.body) == digest):
                return stored
            if stored.body is None:
                return replace(stored, warning=f"{self.place(key)} was deleted, but not by this collection")
            if self._unfinished(key, stored, digest):
                warning = f"{self.place(key)} was written by a run that ended before it wrote the digest"
                return replace(stored, warning=warning, digest_behind=True)
            self._wait(pause)
            stored, digest = self._get(key), self._digests_of([key]).get(key, "")
        raise DigestMismatch(
            f"{self.place(key)} has the MD5 digest {digest_of(stored.body or b'')}, and the lock table has {digest}: "
            "it was changed by hand or by another tool, or is being written right now. Look at its versions "
            f"({hints.history(key)}) and restore the good one, which may be the one that is there: "
            f"{hints.restore(key)} writes document and digest. Without the playbook, copy the good one over it with "
            "`aws s3api copy-object` and delete the row from the table"
        )

    def _unfinished(self, key: str, stored: Stored, digest: str) -> bool:
        """True where the digest is that of the version before, and this one properly follows it."""
        try:
            there = [version for version in self._versions(key, 10) if not version.deleted]
            ids = [version.version_id for version in there]
            before = self.read_version(key, ids[ids.index(stored.version_id) + 1])
            if digest_of(before) != digest:
                return False
            old, new = document.parse(before, ""), document.parse(stored.body or b"", "")
        except (ValueError, IndexError, DocumentError, StateError, exceptions.ClientError):
            return False
        return new.lineage == old.lineage and new.serial == old.serial + 1

    def _explained(self, error: BaseException, doing: str) -> ReconcileError:
        code = errors.code_of(error)
        if code == "NoSuchBucket":
            return NotThere(f"cannot {doing}: there is no bucket {self._bucket!r}; the layer state_bucket makes it")
        said = errors.explained(error, doing, LAYER)
        if code in errors.DENIED:
            hint = "S3 answers so also where there is no such object and s3:ListBucket is not allowed."
            if self._owner:
                hint += f" So it does where the bucket is not of the account {self._owner['ExpectedBucketOwner']}."
            return StateError(f"{said} {hint}")
        return said
