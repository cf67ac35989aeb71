# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of ECR: digests, immutable tags, layers."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import uuid
from typing import Any

from moto.core.responses import ActionResult
from moto.ecr.exceptions import InvalidParameterException
from moto.ecr.models import ECRBackend, Image
from moto.ecr.responses import ECRResponse

from emulator.patching import replace


@replace(Image, "_create_digest")
def create_digest(_original: Any, self: Any) -> None:
    """The digest of an image is the SHA-256 of its manifest. moto hashed the layers' digests."""
    self._image_digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()


def immutable(repository: Any, tag: str) -> bool:
    """Whether a tag that is there must stay; exclusion filters are wildcards, not regular expressions as in moto."""
    mode = str(getattr(repository.image_tag_mutability, "value", repository.image_tag_mutability))
    filters = repository.image_tag_mutability_exclusion_filters or []
    excluded = any(fnmatch.fnmatchcase(tag, one["filter"]) for one in filters)
    if mode == "IMMUTABLE_WITH_EXCLUSION":
        return not excluded
    return excluded if mode == "MUTABLE_WITH_EXCLUSION" else mode == "IMMUTABLE"


def tag_exists(repository_name: str, tag: str) -> InvalidParameterException:
    """ImageTagAlreadyExistsException; moto finds the service of an error by the module of its class."""
    error = InvalidParameterException(
        f"The image tag '{tag}' already exists in the '{repository_name}' repository and cannot be overwritten because "
        f"the tag is immutable."
    )
    error.code = "ImageTagAlreadyExistsException"
    return error


@replace(ECRBackend, "put_image")
def put_image(original: Any, self: Any, repository_name: str, image_manifest: str, image_tag: str, *args: Any) -> Any:
    """Another image under an immutable tag: ImageTagAlreadyExistsException; the image that loses its tag stays.

    moto raised ImageAlreadyExistsException and deleted the image that lost its last tag.
    """
    repository = self.repositories.get(repository_name)
    for image in list(repository.images) if repository and image_tag else []:
        if image_tag not in image.image_tags or image.image_manifest == image_manifest:
            continue
        if immutable(repository, image_tag):
            raise tag_exists(repository_name, image_tag)
        image.remove_tag(image_tag)
        image.image_tag = image.image_tags[-1] if image.image_tags else None
    return original(self, repository_name, image_manifest, image_tag, *args)


@replace(ECRBackend, "_resolve_image_tag_mutability")
def resolve_image_tag_mutability(_original: Any, self: Any, repository: Any, proposed_image_tag: str) -> list[Any]:
    """Decided above."""
    return []


# Blobs by their digests, and what was uploaded so far by upload ids.
LAYERS: dict[str, bytes] = {}
UPLOADS: dict[str, bytes] = {}


@replace(ECRResponse, "initiate_layer_upload")
def initiate_layer_upload(_original: Any, self: Any) -> ActionResult:
    """Not in moto."""
    identity = str(uuid.uuid4())
    UPLOADS[identity] = b""
    return ActionResult({"uploadId": identity, "partSize": 10 * 2**20})


@replace(ECRResponse, "upload_layer_part")
def upload_layer_part(_original: Any, self: Any) -> ActionResult:
    """Not in moto."""
    identity, blob = self._get_param("uploadId"), self._get_param("layerPartBlob")
    UPLOADS[identity] += base64.b64decode(blob) if isinstance(blob, str) else blob
    return ActionResult({"uploadId": identity, "lastByteReceived": len(UPLOADS[identity]) - 1})


@replace(ECRResponse, "complete_layer_upload")
def complete_layer_upload(_original: Any, self: Any) -> ActionResult:
    """Not in moto."""
    blob = UPLOADS.pop(self._get_param("uploadId"))
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    if self._get_param("layerDigests") != [digest]:
        error = InvalidParameterException(f"The digest of the layer is {digest}.")
        error.code = "InvalidLayerException"
        raise error
    LAYERS[digest] = blob
    return ActionResult({"layerDigest": digest, "repositoryName": self._get_param("repositoryName")})


@replace(ECRResponse, "get_download_url_for_layer")
def get_download_url_for_layer(_original: Any, self: Any) -> ActionResult:
    """AWS answers a presigned URL of S3; here the emulator itself has the blob. Not in moto."""
    digest = self._get_param("layerDigest")
    if digest not in LAYERS:
        error = InvalidParameterException(f"The layer with the digest {digest} does not exist in the repository.")
        error.code = "LayersNotFoundException"
        raise error
    return ActionResult(
        {"downloadUrl": f"http://{self.headers['host']}/_emulator/layers/{digest}", "layerDigest": digest}
    )
