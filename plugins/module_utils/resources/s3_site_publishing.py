# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing a site: what is uploaded and removed, in which order, and what CloudFront has to forget."""

from __future__ import annotations

import base64
import hashlib
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.resources import s3_site_manifest as manifests
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3 import delete_objects
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_manifest import (
    HEADERS,
    SEEN,
    Files,
    Manifest,
)

PAGE = "text/html"
# More single paths than this are said with one wildcard, which counts as one path and covers all.
MOST_PATHS = 30
PROGRESS_SECONDS = 5.0
# Of the characters of a path: those that viewers and CloudFront leave as they are, and those that some encode.
UNCHANGED = "/-_.$!'(),"
TWO_WAYS = re.compile(r"[;:@=&+?*]")
PIECE = 1024 * 1024


@dataclass(frozen=True)
class Site:
    """Where a site is published: its bucket, the folder it comes from, the distribution in front, if there is one."""

    aws: Aws
    bucket: Mapping[str, str]
    source: Path
    distribution: str | None = None
    root: str | None = None

    @property
    def s3(self) -> Any:
        return self.aws.client("s3")


def in_order(keys: Sequence[str], files: Files) -> list[list[str]]:
    """First what pages refer to, then the pages, so that none refers to what is not there yet."""
    pages = [key for key in keys if str(files[key].get("ContentType", "")).startswith(PAGE)]
    return [batch for batch in ([key for key in keys if key not in set(pages)], pages) if batch]


def publish(site: Site, desired: Files, observed: Files, uploads: Sequence[str], removals: Sequence[str]) -> None:
    """Upload, remove, invalidate, and write the manifest, which says from the start what is about to be there."""
    stale = {path for key in (*uploads, *removals) if key in observed for path in paths_of(key, site.root)}
    begun: Files = {**observed, **{key: observed.get(key, {}) for key in uploads}}

    def begin(there: Manifest) -> Manifest:
        paths = sorted(stale | set(there.invalidate)) if site.distribution else []
        return Manifest({**_of_others(there, begun), **begun}, paths)

    if uploads or removals:
        paths = manifests.rewrite(site.s3, site.bucket, begin).invalidate
    else:
        paths = begin(manifests.read(site.s3, site.bucket) or Manifest()).invalidate
    tags: dict[str, str] = {}
    for batch in in_order(uploads, desired):
        tags.update(_upload_all(site, batch, desired, len(tags), len(uploads)))
    delete_objects(site.s3, site.bucket, [{"Key": key} for key in removals])
    if paths:
        invalidate(site, paths)
    listed = manifests.listing(site.s3, site.bucket)
    kept = {key: entry for key, entry in observed.items() if key not in removals}
    entries = _entries(listed, desired, kept, tags)

    def finish(there: Manifest) -> Manifest:
        others = {key: entry for key, entry in _of_others(there, begun).items() if key in listed}
        return Manifest({**others, **entries}, [path for path in there.invalidate if path not in paths])

    manifests.rewrite(site.s3, site.bucket, finish)


def _of_others(there: Manifest, ours: Files) -> Files:
    """What another run publishes at the same time: it stays known, so that what is to go of it goes one day."""
    return {key: entry for key, entry in there.files.items() if key not in ours}


def _entries(listed: Files, desired: Files, kept: Files, tags: Mapping[str, str]) -> Files:
    """What the manifest can vouch for: objects that are listed as they were uploaded, or as they were read."""
    entries: Files = {}
    for key in sorted(kept.keys() | tags.keys()):
        seen = listed.get(key)
        if seen is None:
            continue
        as_uploaded = key in tags and tags[key] == seen["ETag"]
        as_read = key not in tags and all(kept[key].get(name) == seen[name] for name in SEEN)
        if as_uploaded:
            entries[key] = {**desired[key], **seen}
        else:
            entries[key] = {**kept[key], **seen} if as_read else {}
    return entries


def _upload_all(site: Site, keys: Sequence[str], files: Files, done: int, total: int) -> Iterator[tuple[str, str]]:
    count, said = done, time.monotonic()

    def upload(key: str) -> tuple[str, str]:
        nonlocal count, said
        tag = _upload(site, key, files[key])
        count += 1
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            site.aws.progress(f"{count} of {total} files uploaded to {site.bucket['Bucket']}")
        return key, tag

    yield from each(upload, keys)


def _upload(site: Site, key: str, file: Mapping[str, Any]) -> str:
    """Put one object, and return its ETag. S3 itself refuses other content than the one that was planned."""
    path = site.source / key
    headers = {name: file[name] for name in HEADERS if file.get(name)}
    try:
        with path.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != file["SHA256"]:
                raise AwsError(
                    f"the file {path} has changed since the plan was made; nothing of it was uploaded: plan again"
                )
            content.seek(0)
            checksum = base64.b64encode(bytes.fromhex(file["SHA256"])).decode()
            answer = site.s3.put_object(**site.bucket, Key=key, Body=content, ChecksumSHA256=checksum, **headers)
    except OSError as error:
        raise AwsError(f"the file {path} cannot be read: {error.strerror}") from error
    return str(answer["ETag"])


def paths_of(key: str, root: str | None) -> Iterator[str]:
    """The paths under which CloudFront may have a file: one, and the root for the file that answers there.

    CloudFront matches a path as viewers wrote it, and refuses what it takes for unsafe. Where viewers can write a
    character in two ways, the path ends in a wildcard.
    """
    before, *rest = TWO_WAYS.split(key, maxsplit=1)
    yield "/" + quote(before, safe=UNCHANGED).replace("~", "%7E") + ("*" if rest else "")
    if key == root:
        yield "/"


def invalidate(site: Site, paths: Sequence[str]) -> None:
    """Make CloudFront forget these paths, and nothing else as long as they are few."""
    items = list(paths) if len(paths) <= MOST_PATHS else ["/*"]
    batch = {"Paths": {"Quantity": len(items), "Items": items}, "CallerReference": str(uuid.uuid4())}
    cloudfront = site.aws.client("cloudfront")
    cloudfront.create_invalidation(DistributionId=site.distribution, InvalidationBatch=batch)
