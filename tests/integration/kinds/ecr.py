# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR repositories: every change that AWS lets one make, alone."""

from __future__ import annotations

from typing import Any

KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000001"
ADDRESS = "ecr_repository/team/web"

BASE: dict[str, Any] = {
    "name": "team/web",
    "image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION",
    "image_tag_mutability_exclusion_filters": ["latest", "pr-*"],
    "scan_on_push": True,
    "keep_images": 50,
    "repository_policy": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Pull",
                "Effect": "Allow",
                "Principal": {"AWS": "111122223333"},
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            }
        ],
    },
    "tags": {"Team": "web"},
}
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "tagged",
                "tagPatternList": ["pr-*", "ci-*"],
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}


def declared(**changes: Any) -> dict[str, Any]:
    repository = {name: value for name, value in {**BASE, **changes}.items() if value is not None}
    return {"ecr": {"web": {"repositories": [repository]}}}


def update(name: str, *paths: str, **changes: Any) -> dict[str, Any]:
    return {"id": f"ecr {name}", "declared": declared(**changes), "address": ADDRESS, "paths": list(paths)}


CASES: list[dict[str, Any]] = [
    {
        "id": "ecr repository",
        "kind": "ecr_repository",
        "declared": declared(),
        "updates": [
            update(
                "exclusion filters",
                "imageTagMutabilityExclusionFilters",
                image_tag_mutability_exclusion_filters=["latest"],
            ),
            update(
                "mutability",
                "imageTagMutability",
                image_tag_mutability="MUTABLE",
                image_tag_mutability_exclusion_filters=None,
            ),
            update("scan on push", "imageScanningConfiguration.scanOnPush", scan_on_push=False),
            update("kept images", "lifecyclePolicy.rules", keep_images=10),
            update("lifecycle policy", "lifecyclePolicy.rules", keep_images=None, lifecycle_policy=LIFECYCLE),
            update("no lifecycle policy", "lifecyclePolicy", keep_images=None, lifecycle_policy={}),
            update(
                "repository policy",
                "repositoryPolicy.Statement",
                repository_policy={
                    **BASE["repository_policy"],
                    "Statement": [{**BASE["repository_policy"]["Statement"][0], "Principal": "*"}],
                },
            ),
            update("no repository policy", "repositoryPolicy", repository_policy={}),
            update("tags", "tags.Team", tags={"Team": "platform"}),
        ],
    },
    {
        "id": "ecr repository with a KMS key",
        "kind": "ecr_repository",
        "declared": declared(encryption_type="KMS", kms_key=KEY),
    },
]
