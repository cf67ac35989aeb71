# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the layer `iam`."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import iam_pipeline_options as pipelines
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam_presets import PRESETS

DOCUMENT = "as a mapping or as JSON text"
POLICY_NAMES = (
    "ARNs, names of customer managed policies, or V(aws:NAME) for AWS's own, "
    "with the path where there is one (V(aws:service-role/NAME))"
)


def _name(what: str) -> dict[str, Any]:
    return {"type": "str", "required": True, "description": f"Name of the {what}."}


def _tags(what: str) -> dict[str, Any]:
    return {"type": "dict", "description": f"Tags of the {what}, in addition to O(dockyard_tags)."}


def _protect(what: str) -> dict[str, Any]:
    return {"type": "bool", "default": False, "description": f"Refuse to delete or replace the {what}."}


def _boundary(what: str) -> dict[str, Any]:
    description = f"Policy that limits what the {what} can be allowed, as its ARN or name. An empty text removes it."
    return {"type": "str", "description": description}


def _path(what: str, later: str) -> dict[str, Any]:
    return {"type": "str", "description": f"Path of the {what}, such as V(/art/). IAM's default is V(/). {later}"}


POLICIES: dict[str, Any] = {
    "managed_policies": {
        "type": "list",
        "elements": "str",
        "description": f"Managed policies: {POLICY_NAMES}. Without the option they are left alone.",
    },
    "inline_policies": {
        "type": "dict",
        "description": f"Inline policies by name, each {DOCUMENT}. Without the option they are left alone.",
    },
    "exclusive": {
        "type": "bool",
        "default": True,
        "description": "Take away policies of a declared sort that are not declared. With V(false) they stay.",
    },
}
ACCESS_KEY: dict[str, Any] = {
    "type": "dict",
    "description": "Make an access key, once, and write it to Secrets Manager and nowhere else.",
    "options": {
        "secret": {
            "type": "str",
            "required": True,
            "description": "Name of the secret that holds the key as JSON: UserName, AccessKeyId, SecretAccessKey.",
        },
        "kms_key": {
            "type": "str",
            "description": "KMS key of the secret. Without it, AWS's own key for Secrets Manager.",
        },
    },
}
FORCE_DELETE: dict[str, Any] = {
    "type": "bool",
    "default": False,
    "description": "Let destroy delete the user with credentials and group memberships that were not made here.",
}
MAX_SESSION: dict[str, Any] = {
    "type": "int",
    "description": "Longest session in seconds, 3600 to 43200. IAM's default is 3600.",
}

ROLE_OPTIONS: dict[str, Any] = {
    "name": _name("role"),
    "preset": {
        "type": "str",
        "choices": list(PRESETS),
        "description": (
            "What the role is for: gives it the trust policy and the policies of AWS that belong to it. "
            "V(ecs_service) registers targets for services, V(ecs_instance) is for container instances, "
            "V(ecs_task_execution) pulls images and writes logs for tasks, V(ecs_task) is what the containers may do."
        ),
    },
    "assume_role_policy": {
        "type": "raw",
        "description": f"Trust policy, {DOCUMENT}; instead of O(preset).",
    },
    "github": pipelines.GITHUB,
    "gitlab": pipelines.GITLAB,
    "path": _path("role", "Another path replaces the role."),
    "description": {"type": "str", "description": "Description of the role."},
    "max_session_duration": MAX_SESSION,
    "permissions_boundary": _boundary("role"),
    **POLICIES,
    "secrets": {
        "type": "list",
        "elements": "str",
        "description": (
            "ARNs of the secrets and parameters that a role with O(preset=ecs_task_execution) may read "
            "for the containers."
        ),
    },
    "secrets_kms_keys": {
        "type": "list",
        "elements": "str",
        "description": "ARNs of the KMS keys that encrypt O(secrets), where these are not AWS's own.",
    },
    "session_manager": {
        "type": "bool",
        "default": False,
        "description": "Let Systems Manager reach container instances: for O(preset=ecs_instance).",
    },
    "instance_profile": {
        "type": "bool",
        "default": False,
        "description": "Make an instance profile of the same name and path with this role.",
    },
    "protect": _protect("role"),
    "tags": _tags("role"),
}
INSTANCE_PROFILE_OPTIONS: dict[str, Any] = {
    "name": _name("instance profile"),
    "role": {"type": "str", "required": True, "description": "Name of its role."},
    "path": _path("instance profile", "Another path replaces it."),
    "protect": _protect("instance profile"),
    "tags": _tags("instance profile"),
}
POLICY_OPTIONS: dict[str, Any] = {
    "name": _name("policy"),
    "document": {"type": "raw", "required": True, "description": f"The policy document, {DOCUMENT}."},
    "path": _path("policy", "Another path replaces the policy."),
    "description": {"type": "str", "description": "Description. IAM cannot change it afterwards."},
    "protect": _protect("policy"),
    "tags": _tags("policy"),
}
USER_OPTIONS: dict[str, Any] = {
    "name": _name("user"),
    "path": _path("user", ""),
    "permissions_boundary": _boundary("user"),
    **POLICIES,
    "access_key": ACCESS_KEY,
    "force_delete": FORCE_DELETE,
    "protect": _protect("user"),
    "tags": _tags("user"),
}
ADMINISTRATOR_OPTIONS: dict[str, Any] = {
    "name": _name("user or role, and of its policy"),
    "layer": {
        "type": "str",
        "required": True,
        "description": "The layer of this collection whose resources it administers; it may do what that layer needs.",
    },
    "type": {
        "type": "str",
        "choices": ["user", "role"],
        "default": "user",
        "description": "A user, or a role that O(trusted_principals) assume.",
    },
    "trusted_principals": {
        "type": "list",
        "elements": "str",
        "description": "ARNs of users and roles, or account ids, that may assume the role: with V(role).",
    },
    "name_prefixes": {
        "type": "list",
        "elements": "str",
        "description": (
            "Beginnings of the names that it may administer, with their path, where AWS can limit actions to names. "
            "Defaults to the environment's name with a hyphen, and with a slash."
        ),
    },
    "required_boundary": {
        "type": "str",
        "description": (
            "Policy, as ARN or name, that every role and user which the administrator of the layer V(iam) makes or "
            "gives policies to must have as permissions boundary. That administrator cannot do without."
        ),
    },
    "path": {
        "type": "str",
        "default": "/administrators/",
        "description": "Path of the user or role and of its policy.",
    },
    "max_session_duration": MAX_SESSION,
    "permissions_boundary": _boundary("administrator itself"),
    "access_key": ACCESS_KEY,
    "force_delete": FORCE_DELETE,
    "protect": _protect("administrator"),
    "tags": _tags("administrator"),
}
DEPLOY_ROLE_OPTIONS: dict[str, Any] = {
    "name": _name("role"),
    "github": pipelines.GITHUB,
    "gitlab": pipelines.GITLAB,
    "services": pipelines.SERVICES,
    "push": pipelines.PUSH,
    "remote_state": pipelines.REMOTE_STATE,
    "path": _path("role", "Another path replaces the role."),
    "description": {"type": "str", "description": "Description of the role."},
    "max_session_duration": MAX_SESSION,
    "permissions_boundary": _boundary("role"),
    "protect": _protect("role"),
    "tags": _tags("role"),
}


def _list_of(options: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": "list", "elements": "dict", "default": [], "options": options, "description": description}


ARGUMENT_SPEC: dict[str, Any] = {
    "roles": _list_of(ROLE_OPTIONS, "Roles."),
    "instance_profiles": _list_of(INSTANCE_PROFILE_OPTIONS, "Instance profiles with names of their own."),
    "policies": _list_of(POLICY_OPTIONS, "Customer managed policies."),
    "users": _list_of(USER_OPTIONS, "Users."),
    "administrators": _list_of(
        ADMINISTRATOR_OPTIONS,
        "Users or roles that administer one layer each, with a policy made from what that layer needs.",
    ),
    "openid_connect_providers": _list_of(
        pipelines.PROVIDER_OPTIONS, "OpenID Connect providers, whose tokens pipelines log in with instead of keys."
    ),
    "deploy_roles": _list_of(
        DEPLOY_ROLE_OPTIONS, "Roles of pipelines, with a policy made from what deploys of their services need."
    ),
}
