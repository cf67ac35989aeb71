# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image references, and what ECR says of them: the digest behind a tag, and for which platforms it is."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.urls import open_url

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

_ECR = re.compile(
    r"(?P<host>(?P<registry>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z0-9.-]+)/"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MEDIA_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    *INDEXES,
)
ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}
TAGS_SHOWN = 5
CONFIG_TIMEOUT = 15


@dataclass(frozen=True)
class Reference:
    """An image in ECR."""

    host: str
    registry: str
    region: str
    repository: str
    tag: str = ""
    digest: str = ""

    def at(self, digest: str) -> str:
        return f"{self.host}/{self.repository}@{digest}"

    def __str__(self) -> str:
        end = f"@{self.digest}" if self.digest else f":{self.tag or 'latest'}"
        return f"{self.host}/{self.repository}{end}"


@dataclass(frozen=True)
class Image:
    """An image that is in ECR. platforms: each as `os/architecture`; empty where that could not be found out."""

    reference: Reference
    digest: str
    platforms: tuple[str, ...] = ()
    note: str = ""

    @property
    def pinned(self) -> str:
        return self.reference.at(self.digest)


def parse(image: str) -> Reference | None:
    """The reference of an image in ECR; None of any other."""
    found = _ECR.fullmatch(image)
    if found is None:
        return None
    return Reference(**{name: value or "" for name, value in found.groupdict().items()})


def chosen(base: Reference, wanted: str) -> Reference:
    """Another image of the same repository, by a tag or a digest, or a whole reference to an image in ECR."""
    if (whole := parse(wanted)) is not None:
        return whole
    where = (base.host, base.registry, base.region, base.repository)
    if _DIGEST.fullmatch(wanted):
        return Reference(*where, digest=wanted)
    if _TAG.fullmatch(wanted):
        return Reference(*where, tag=wanted)
    raise ReconcileError(
        f"{wanted!r} is no image of {base.repository}: give a tag (letters, digits, '_', '.', '-', at most 128), a "
        "digest (sha256: and 64 hexadecimal digits), or a whole reference to an image in ECR"
    )


def resolve(aws: Aws, reference: Reference) -> Image:
    """The image behind a reference; raises where there is none, with the tags that are there."""
    ecr = aws.client("ecr", region=reference.region)
    identity = {"imageDigest": reference.digest} if reference.digest else {"imageTag": reference.tag or "latest"}
    where = {"registryId": reference.registry, "repositoryName": reference.repository}
    try:
        answer = ecr.batch_get_image(**where, imageIds=[identity], acceptedMediaTypes=list(MEDIA_TYPES))
    except Exception as error:
        if code_of(error) == "RepositoryNotFoundException":
            raise AwsError(
                f"there is no ECR repository {reference.repository!r} in account {reference.registry}, region "
                f"{reference.region}: site.yml makes those that are declared"
            ) from error
        raise aws.explained(error, f"read the image {reference}") from error
    if not answer.get("images"):
        raise AwsError(_missing(aws, reference, answer.get("failures") or ()))
    found = answer["images"][0]
    manifest = json.loads(found.get("imageManifest") or "{}")
    platforms, note = _platforms(ecr, where, manifest, found.get("imageManifestMediaType") or "")
    return Image(reference, found["imageId"]["imageDigest"], platforms, note)


def _missing(aws: Aws, reference: Reference, failures: Sequence[Mapping[str, Any]]) -> str:
    what = f"digest {reference.digest}" if reference.digest else f"tag {reference.tag or 'latest'!r}"
    where = f"account {reference.registry}, region {reference.region}"
    codes = {item.get("failureCode") for item in failures} - {"ImageNotFound", None}
    why = f" ({', '.join(sorted(map(str, codes)))})" if codes else ""
    said = f"the ECR repository {reference.repository!r} ({where}) has no image with the {what}{why}"
    try:
        tags = _tags(aws, reference)
    except Exception as error:  # the missing image is what counts
        return f"{said}; its tags could not be listed: {' '.join(str(error).split())}"
    if not tags:
        return f"{said}; it has no tagged image at all: build and push one first"
    near = difflib.get_close_matches(reference.tag or "latest", tags, TAGS_SHOWN, 0.5) if not reference.digest else []
    nearest = f"nearest tags: {', '.join(near)}; " if near else ""
    return f"{said}; {nearest}newest tags: {', '.join(tags[:TAGS_SHOWN])}"


def _tags(aws: Aws, reference: Reference) -> list[str]:
    """The tags of a repository, of the newest image first."""
    where = {"registryId": reference.registry, "repositoryName": reference.repository}
    images = pages(
        aws.client("ecr", region=reference.region),
        "describe_images",
        "imageDetails",
        **where,
        filter={"tagStatus": "TAGGED"},
    )
    images.sort(key=lambda item: str(item.get("imagePushedAt", "")), reverse=True)
    return [tag for item in images for tag in item.get("imageTags") or ()]


def _platforms(
    ecr: Any, where: Mapping[str, str], manifest: Mapping[str, Any], media_type: str
) -> tuple[tuple[str, ...], str]:
    """For which platforms an image is, or why that is not known."""
    if "manifests" in manifest or media_type in INDEXES:
        found = [item.get("platform") or {} for item in manifest.get("manifests") or ()]
        return tuple(dict.fromkeys(_platform(item) for item in found if _platform(item))), ""
    digest = (manifest.get("config") or {}).get("digest")
    if not digest:
        return (), "its manifest names no configuration, so its platform is not known"
    try:
        url = ecr.get_download_url_for_layer(**where, layerDigest=digest)["downloadUrl"]
        config = json.loads(open_url(url, timeout=CONFIG_TIMEOUT).read())
    except Exception as error:  # a registry that keeps the blob elsewhere, no way to S3 from here
        return (), f"its platform could not be read: {' '.join(str(error).split())}"
    return tuple(item for item in [_platform(config)] if item), ""


def _platform(config: Mapping[str, Any]) -> str:
    """`os/architecture`; empty for what is no image, such as an attestation."""
    system, architecture = config.get("os") or "", config.get("architecture") or ""
    return "" if "unknown" in (system, architecture) or not architecture else f"{system or 'linux'}/{architecture}"


def wanted_platform(definition: Mapping[str, Any], fargate: bool, instances: Sequence[str] = ()) -> tuple[str, ...]:
    """The platforms on which the tasks may run; empty where nothing says it.

    instances: the architectures of the cluster's container instances, in Docker's words.
    """
    platform = definition.get("runtimePlatform") or {}
    system = "windows" if str(platform.get("operatingSystemFamily") or "LINUX").startswith("WINDOWS") else "linux"
    if platform.get("cpuArchitecture"):
        return (f"{system}/{ARCHITECTURES[platform['cpuArchitecture']]}",)
    if fargate:
        return (f"{system}/amd64",)
    return tuple(f"{system}/{item}" for item in sorted(set(instances)))


def platform_problem(container: str, image: Image, wanted: Sequence[str]) -> str | None:
    """Why an image cannot run where the tasks run."""
    if not image.platforms or not wanted or set(wanted) & set(image.platforms):
        return None
    return (
        f"container {container}: {image.reference} ({image.digest[:19]}) is for {', '.join(image.platforms)}, and the "
        f"tasks run on {', '.join(wanted)}: build it for that platform, or set runtime_platform"
    )
