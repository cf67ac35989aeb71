# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the layer `iam` for pipelines: OpenID Connect providers, who may assume a role, deploy roles."""

from __future__ import annotations

from typing import Any

GITHUB_URL = "https://token.actions.githubusercontent.com"
GITLAB_URL = "https://gitlab.com"
AUDIENCE = "sts.amazonaws.com"
PATTERNS = "V(*) stands for any text, as in V({})"


def _names(what: str, example: str) -> dict[str, Any]:
    return {"type": "list", "elements": "str", "description": f"{what}; {PATTERNS.format(example)}."}


def _provider(default: str) -> dict[str, Any]:
    description = "URL of the OpenID Connect provider, which is declared here, by another environment, or by hand."
    return {"type": "str", "default": default, "description": description}


ROLE_AUDIENCE: dict[str, Any] = {
    "type": "str",
    "default": AUDIENCE,
    "description": "What the tokens say they are for; one of the provider's O(openid_connect_providers[].client_ids).",
}
GITHUB: dict[str, Any] = {
    "type": "dict",
    "description": "Jobs of GitHub Actions that may assume the role: of one repository, and at least one of the lists.",
    "options": {
        "repository": {
            "type": "str",
            "required": True,
            "description": (
                "The repository as the subjects of its tokens name it: V(owner@id/name@id), or V(owner/name) of one "
                "that was made before 15 July 2026 and neither renamed since nor switched over."
            ),
        },
        "branches": _names("Jobs on these branches", "release/*"),
        "tags": _names("Jobs on these git tags", "v*"),
        "environments": _names("Jobs with these environments of the repository, on whatever branch", "production"),
        "pull_requests": {
            "type": "bool",
            "default": False,
            "description": "Jobs of pull requests. Whoever may push a branch can open one: for roles that only read.",
        },
        "provider": _provider(GITHUB_URL),
        "audience": ROLE_AUDIENCE,
    },
}
GITLAB: dict[str, Any] = {
    "type": "dict",
    "description": "Jobs of GitLab CI/CD that may assume the role: of one project, and at least one of the lists.",
    "options": {
        "project": {"type": "str", "required": True, "description": "The project with its groups, as V(group/name)."},
        "branches": _names("Jobs on these branches", "release/*"),
        "tags": _names("Jobs on these git tags", "v*"),
        "provider": _provider(GITLAB_URL),
        "audience": ROLE_AUDIENCE,
    },
}
SERVICE_OPTIONS: dict[str, Any] = {
    "cluster": {"type": "str", "required": True, "description": "Name of the service's cluster."},
    "service": {"type": "str", "required": True, "description": "Name of the service."},
    "family": {"type": "str", "description": "Family of its task definition. Defaults to the service's name."},
    "repositories": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "ECR repositories of its images, in the account and region of the environment.",
    },
    "roles": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "The task role and the execution role, by name: what the pipeline may hand to tasks.",
    },
    "service_roles": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "Roles that ECS itself assumes, by name: of the deployment's hooks and alternate target groups.",
    },
    "log_groups": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "Log groups whose lines the pipeline shows: of one-off tasks, and of what failed.",
    },
}
REMOTE_STATE: dict[str, Any] = {
    "type": "dict",
    "description": "The setting O(dockyard_remote_state), where the environment has one: deploys lock and record.",
    "options": {
        "bucket": {"type": "str", "required": True, "description": "Bucket of the state."},
        "lock_table": {"type": "str", "description": "DynamoDB table of the locks."},
        "lock": {"type": "str", "choices": ["dynamodb", "s3", "both"], "description": "Where the locks are."},
        "prefix": {"type": "str", "default": "", "description": "Folders before all documents."},
        "file_name": {"type": "str", "description": "File name of the documents."},
        "lock_timeout": {"type": "int", "description": "Of no importance here."},
        "encrypt": {"type": "bool", "description": "Of no importance here."},
        "kms_key_id": {"type": "str", "no_log": False, "description": "KMS key of the documents."},
        "bucket_owner": {"type": "str", "description": "Of no importance here."},
        "region": {"type": "str", "description": "Region of bucket and table, where it is not the environment's."},
    },
}
PROVIDER_OPTIONS: dict[str, Any] = {
    "url": {
        "type": "str",
        "required": True,
        "description": f"Its URL, such as V({GITHUB_URL}) or V({GITLAB_URL}). An account has one provider for each.",
    },
    "client_ids": {
        "type": "list",
        "elements": "str",
        "default": [AUDIENCE],
        "description": "All the audiences that tokens may be for.",
    },
    "thumbprints": {
        "type": "list",
        "elements": "str",
        "description": (
            "SHA-1 thumbprints of the certificate authority, for providers whose certificate none of the authorities "
            "has signed that AWS trusts. Without the option they are left alone."
        ),
    },
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete the provider."},
    "tags": {"type": "dict", "description": "Tags of the provider, in addition to O(dockyard_tags)."},
}
SERVICES: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "required": True,
    "options": SERVICE_OPTIONS,
    "description": "The services that it deploys.",
}
PUSH: dict[str, Any] = {
    "type": "bool",
    "default": True,
    "description": "It may also push images to the repositories of its services.",
}
