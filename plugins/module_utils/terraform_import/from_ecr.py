# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR repositories."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecr import keep
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import policy_document


def convert(stack: Stack) -> None:
    for repository in stack.of("aws_ecr_repository"):
        lifecycle = stack.belonging("aws_ecr_lifecycle_policy", "repository", repository)
        policies = stack.belonging("aws_ecr_repository_policy", "repository", repository)
        encryption = repository.block("encryption_configuration")
        kind = encryption.get("encryption_type", "AES256")
        filters = repository.blocks("image_tag_mutability_exclusion_filter")
        options: dict[str, Any] = {
            "name": repository.get("name"),
            "image_tag_mutability": repository.get("image_tag_mutability", "MUTABLE"),
            "image_tag_mutability_exclusion_filters": [item.get("filter") for item in filters] or None,
            "scan_on_push": bool(repository.block("image_scanning_configuration").get("scan_on_push", False)),
            "encryption_type": kind if kind != "AES256" else None,
            "kms_key": encryption.get("kms_key"),
            "tags": stack.tags(repository),
            **(_lifecycle(lifecycle[0]) if lifecycle else {}),
        }
        for item in policies:
            options["repository_policy"] = policy_document(json.loads(item.get("policy")))
        for block in filters:
            block.skip("filter_type")
        stack.add("ecr", "repositories", options, repository, *lifecycle, *policies)


def _lifecycle(item: Thing) -> dict[str, Any]:
    """The usual policy in its short form."""
    document = json.loads(item.get("policy"))
    rules = document.get("rules") or []
    count = rules[0].get("selection", {}).get("countNumber") if len(rules) == 1 else None
    if count and document == keep(int(count)):
        return {"keep_images": int(count)}
    return {"lifecycle_policy": document}
