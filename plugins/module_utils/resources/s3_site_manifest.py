# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the objects of a published site: the manifest of the last publish, checked against a listing.

The manifest says what a listing does not: content hashes, content types, cache headers. It is believed for an object
as long as the listing gives the ETag, the size and the time that the object had after it was published; of any other
object S3 is asked. So it is right also where somebody changed a file behind our back, for ETags that are no hashes
(multipart uploads, KMS), and where the manifest is lost.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import all_of, each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions

RESERVED = ".dockyard/"
KEY = f"{RESERVED}manifest.json"
FORMAT = 1
# What tells a state of an object from another, in a listing.
SEEN = ("ETag", "Size", "LastModified")
HEADERS = ("ContentType", "CacheControl", "ContentEncoding", "ContentDisposition", "ContentLanguage", "Metadata")
# Another write came first, or is under way.
MOVED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
ATTEMPTS = 10
MD5 = re.compile(r"[0-9a-f]{32}")

Files = dict[str, dict[str, Any]]


@dataclass
class Manifest:
    """What was published. files: an empty entry is of a file whose upload was begun.

    invalidate: paths that CloudFront may still have as they were, from a publish that was not finished.
    """

    files: Files = field(default_factory=dict)
    invalidate: list[str] = field(default_factory=list)

    def body(self) -> bytes:
        document = {"format": FORMAT, "files": self.files, "invalidate": sorted(self.invalidate)}
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass
class Found:
    """A bucket as it was read. manifest: None where there is none. listed: all objects but our own."""

    manifest: Manifest | None
    listed: Files

    def known(self, key: str) -> dict[str, Any] | None:
        """What the manifest says of an object, where it is still the one of then."""
        entry = self.manifest.files.get(key) if self.manifest else None
        return entry if entry and all(entry.get(name) == self.listed[key][name] for name in SEEN) else None

    def unfinished(self) -> bool:
        return self.manifest is not None and bool(self.manifest.invalidate)


def look(s3: Any, bucket: Mapping[str, str]) -> Found:
    """One listing and the manifest; botocore's NoSuchBucket where there is no bucket."""
    answers: list[Any] = all_of(lambda: read(s3, bucket), lambda: listing(s3, bucket))
    return Found(*answers)


def listing(s3: Any, bucket: Mapping[str, str]) -> Files:
    found = pages(s3, "list_objects_v2", "Contents", **bucket)
    return {
        item["Key"]: {"ETag": item["ETag"], "Size": item["Size"], "LastModified": item["LastModified"].isoformat()}
        for item in found
        if not item["Key"].startswith(RESERVED)
    }


def read(s3: Any, bucket: Mapping[str, str]) -> Manifest | None:
    answer = unless("NoSuchKey", s3.get_object, **bucket, Key=KEY)
    return None if answer is None else parsed(answer["Body"].read())


def parsed(body: bytes) -> Manifest | None:
    """None where it is not as we write it: S3 is then asked for everything that it would have said."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        return None
    files, paths = document.get("files"), document.get("invalidate")
    if not isinstance(files, dict) or not all(isinstance(item, dict) for item in files.values()):
        return None
    return Manifest(files, [str(path) for path in paths or ()])


def rewrite(s3: Any, bucket: Mapping[str, str], change: Callable[[Manifest], Manifest]) -> Manifest:
    """Write what `change` makes of the manifest that is there; anew where another run has written meanwhile."""
    for _attempt in range(ATTEMPTS):
        answer = unless("NoSuchKey", s3.get_object, **bucket, Key=KEY)
        there = None if answer is None else parsed(answer["Body"].read())
        condition = {"IfNoneMatch": "*"} if answer is None else {"IfMatch": answer["ETag"]}
        manifest = change(there or Manifest())
        headers = {"ContentType": "application/json", "CacheControl": "no-store, private"}
        try:
            s3.put_object(**bucket, Key=KEY, Body=manifest.body(), **headers, **condition)
            return manifest
        except exceptions.ClientError as error:
            if code_of(error) not in MOVED:
                raise
    raise AwsError(f"other runs publish to {bucket['Bucket']} all the time: {KEY} could not be written; try again")


def describe(
    s3: Any, bucket: Mapping[str, str], found: Found, keys: Collection[str], declared: Files, source: Path | None
) -> Files:
    """What the objects with these keys are, as files: from the manifest where it can be believed, else from S3."""
    result: Files = {}
    unknown = []
    for key in keys:
        known = found.known(key)
        if known is None:
            unknown.append(key)
        else:
            result[key] = known

    def ask(key: str) -> tuple[str, dict[str, Any] | None]:
        head = unless(("404", "NoSuchKey"), s3.head_object, **bucket, Key=key, ChecksumMode="ENABLED")
        if head is None:
            return key, None
        headers = {name: head[name] for name in HEADERS if head.get(name)}
        before = found.manifest.files.get(key, {}) if found.manifest else {}
        content = _content(head, before, declared.get(key, {}), None if source is None else source / key)
        return key, {"SHA256": content, **headers, **found.listed[key]}

    result.update((key, entry) for key, entry in each(ask, sorted(unknown)) if entry is not None)
    return result


def _content(
    head: Mapping[str, Any], before: Mapping[str, Any], declared: Mapping[str, Any], local: Path | None
) -> str:
    """The SHA-256 of an object that somebody else may have written, as far as it can be told without reading it."""
    checksum = head.get("ChecksumSHA256")
    if checksum and "-" not in checksum and head.get("ChecksumType") != "COMPOSITE":
        return base64.b64decode(checksum).hex()
    etag = str(head.get("ETag", "")).strip('"')
    plain = str(head.get("ServerSideEncryption", "AES256")) == "AES256" and "SSECustomerAlgorithm" not in head
    if plain and MD5.fullmatch(etag):
        size = head.get("ContentLength")
        if str(before.get("ETag", "")).strip('"') == etag and before.get("Size") == size and before.get("SHA256"):
            return str(before["SHA256"])
        if declared.get("Size") == size and _md5(local) == etag:
            return str(declared["SHA256"])
    return f"not known (ETag {etag})"


def _md5(path: Path | None) -> str:
    if path is None or not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
