# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of ECR: digests, immutable tags."""

from __future__ import annotations

import fnmatch
import hashlib
from typing import Any

from moto.ecr.exceptions import InvalidParameterException
from moto.ecr.models import ECRBackend, Image

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
