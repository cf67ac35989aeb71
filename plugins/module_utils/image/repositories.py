# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECR has, and what it allows: the repository, the tags that are there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.images import MEDIA_TYPES


@dataclass(frozen=True)
class Repository:
    """A repository as ECR describes it. exclusions: wildcards of tags for which the opposite of mutability holds."""

    name: str
    uri: str
    mutability: str
    exclusions: Sequence[str] = ()

    @property
    def host(self) -> str:
        return self.uri.partition("/")[0]

    def immutable(self, tag: str) -> bool:
        """Whether this tag, once it is there, stays what it is."""
        excluded = any(_matches(pattern, tag) for pattern in self.exclusions)
        return self.mutability.startswith("IMMUTABLE") != (excluded and self.mutability.endswith("EXCLUSION"))


def _matches(pattern: str, tag: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), tag) is not None


def repository(aws: Aws, name: str) -> Repository:
    """Raises where there is none."""
    try:
        found = aws.client("ecr").describe_repositories(repositoryNames=[name])["repositories"][0]
    except Exception as error:
        if code_of(error) == "RepositoryNotFoundException":
            raise AwsError(
                f"there is no ECR repository {name!r} in account {aws.account_id}, region {aws.region}: declare it in "
                "the layer ecr and make it with site.yml --tags ecr"
            ) from error
        raise aws.explained(error, f"read the ECR repository {name!r}") from error
    filters = [item["filter"] for item in found.get("imageTagMutabilityExclusionFilters") or ()]
    return Repository(name, found["repositoryUri"], found.get("imageTagMutability") or "MUTABLE", filters)


def tagged(aws: Aws, name: str, tags: Collection[str]) -> dict[str, dict[str, Any]]:
    """The images behind those of these tags that are there: each with its digest and manifest."""

    def found(tag: str) -> list[dict[str, Any]]:
        # One tag in each call: of two tags of one image, an answer may leave one out.
        try:
            answer = aws.client("ecr").batch_get_image(
                repositoryName=name, imageIds=[{"imageTag": tag}], acceptedMediaTypes=list(MEDIA_TYPES)
            )
        except Exception as error:
            raise aws.explained(error, f"read the image {name}:{tag}") from error
        return list(answer.get("images") or ())

    there = zip(tags, each(found, tags), strict=True)
    return {tag: images[0] for tag, images in there if images}


def put_tag(aws: Aws, name: str, tag: str, image: Mapping[str, Any]) -> None:
    """Another tag for an image that is there."""
    given = {"repositoryName": name, "imageTag": tag, "imageManifest": image["imageManifest"]}
    if image.get("imageManifestMediaType"):
        given["imageManifestMediaType"] = image["imageManifestMediaType"]
    try:
        aws.client("ecr").put_image(**given)
    except Exception as error:
        # It is this image's already: somebody was faster, or an answer was lost.
        if code_of(error) != "ImageAlreadyExistsException":
            raise aws.explained(error, f"tag {name} with {tag!r}") from error


def login_token(aws: Aws) -> str:
    """User and password for the registries that these credentials may use, as builders' files of logins take them."""
    try:
        found = aws.client("ecr").get_authorization_token()["authorizationData"][0]
    except Exception as error:
        raise aws.explained(error, "log in to ECR") from error
    return str(found["authorizationToken"])
