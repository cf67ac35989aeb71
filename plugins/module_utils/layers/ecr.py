# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `ecr`: one image repository per service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import documents, ecr_checks
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Declaration,
    Environment,
    Layer,
    api_names,
    declared_only,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem, Resource

REPOSITORY_OPTIONS: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": "Name of the repository, with its namespace if it has one.",
    },
    "image_tag_mutability": {
        "type": "str",
        "choices": ["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"],
        "default": "IMMUTABLE",
        "description": "Whether a tag that was pushed may be pushed again.",
    },
    "image_tag_mutability_exclusion_filters": {
        "type": "list",
        "elements": "str",
        "description": "Wildcards of tags for which the opposite holds, with V(…_WITH_EXCLUSION); at most five.",
    },
    "scan_on_push": {
        "type": "bool",
        "default": True,
        "description": "Scan each image for vulnerabilities when it is pushed.",
    },
    "keep_images": {
        "type": "int",
        "description": "Keep this many images and expire older ones: short for the usual O(lifecycle_policy).",
    },
    "lifecycle_policy": {
        "type": "raw",
        "description": "Lifecycle policy document, as a mapping or as JSON text. An empty one removes the policy.",
    },
    "repository_policy": {
        "type": "raw",
        "description": (
            "Repository policy document: who else may pull or push; as a mapping or as JSON text. "
            "An empty one removes the policy."
        ),
    },
    "encryption_type": {
        "type": "str",
        "choices": ["AES256", "KMS", "KMS_DSSE"],
        "description": "Encryption at rest. Cannot be changed later. ECR's own default is V(AES256).",
    },
    "kms_key": {"type": "str", "description": "ARN of the KMS key, with V(KMS) or V(KMS_DSSE)."},
    "force_delete": {
        "type": "bool",
        "default": False,
        "description": "Let destroy delete the repository although there are images in it.",
    },
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete or replace it."},
    "tags": {"type": "dict", "description": "Tags of this repository, in addition to O(dockyard_tags)."},
}


class Ecr(Layer):
    NAME = "ecr"
    DESCRIPTION = "Amazon ECR repositories, one per service"
    ARGUMENT_SPEC = {
        "repositories": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": REPOSITORY_OPTIONS,
            "description": "The repositories of this host.",
        },
    }

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        for repository in declaration.options["repositories"]:
            yield Resource(
                "ecr_repository",
                repository["name"],
                _properties(repository),
                where=f"ecr.repositories[{repository['name']}]",
                tags={**environment.tags, **(repository["tags"] or {})},
                options={"force_delete": repository["force_delete"]},
                protect=repository["protect"],
            )

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        seen: dict[str, str] = {}
        for declaration in declarations:
            for repository in declaration.options["repositories"]:
                name, where = repository["name"], f"ecr.repositories[{repository['name']}]"
                yield from (Problem(declaration.host, where, message) for message in ecr_checks.problems(repository))
                if name in seen:
                    message = f"the repository {name!r} is declared already by {seen[name]}"
                    yield Problem(declaration.host, where, message)
                seen[name] = declaration.host


def _properties(repository: Mapping[str, Any]) -> dict[str, Any]:
    properties = api_names({"image_tag_mutability": repository["image_tag_mutability"]})
    properties["imageScanningConfiguration"] = {"scanOnPush": repository["scan_on_push"]}
    if repository["image_tag_mutability_exclusion_filters"]:
        properties["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": item} for item in repository["image_tag_mutability_exclusion_filters"]
        ]
    if repository["encryption_type"]:
        properties["encryptionConfiguration"] = declared_only(
            {"encryptionType": repository["encryption_type"], "kmsKey": repository["kms_key"]}
        )
    for option, name in (("lifecycle_policy", "lifecyclePolicy"), ("repository_policy", "repositoryPolicy")):
        if repository[option] is not None:
            properties[name] = documents.parsed(repository[option]) if repository[option] else None
    if repository["keep_images"]:
        properties["lifecyclePolicy"] = keep(repository["keep_images"])
    return properties


def keep(count: int) -> dict[str, Any]:
    """The lifecycle policy that `keep_images` is short for."""
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count}
    rule = {
        "rulePriority": 1,
        "description": f"Keep {count} images",
        "selection": selection,
        "action": {"type": "expire"},
    }
    return {"rules": [rule]}
