# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: roles, instance profiles, policies, users, OpenID Connect providers."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy
from ansible_collections.dockyard.aws.plugins.module_utils.layers import iam_presets
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_openid_connect import SCHEME, name_of
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import fields, policy_document

PATH = {"path": ("path", "/")}
ROLE = {**PATH, "description": ("description", ""), "max_session_duration": ("max_session_duration", 3600)}
KEYS = "AWS tells a secret key once, and Terraform keeps it in its state: let the layer make a new one (access_key)"


def convert(stack: Stack) -> None:
    for item in stack.of("aws_iam_policy"):
        document = policy_document(json.loads(item.get("policy")))
        common = fields(item, {**PATH, "description": ("description", "")})
        options = {"name": item.get("name"), **common, "document": document, "tags": stack.tags(item)}
        stack.add("iam", "policies", options, item)
    profiles = {str(item.attributes["name"]): item for item in stack.of("aws_iam_instance_profile")}
    for role in stack.of("aws_iam_role"):
        _role(stack, role, profiles)
    for profile in profiles.values():
        options = {"name": profile.get("name"), "role": profile.get("role"), **fields(profile, PATH)}
        stack.add("iam", "instance_profiles", {**options, "tags": stack.tags(profile)}, profile)
    for user in stack.of("aws_iam_user"):
        options, parts = _permissions(stack, user, "user")
        options = {"name": user.get("name"), **fields(user, PATH), **options, "tags": stack.tags(user)}
        stack.add("iam", "users", options, user, *parts)
    stack.refuse(KEYS, *stack.of("aws_iam_access_key"))
    for provider in stack.of("aws_iam_openid_connect_provider"):
        url = f"{SCHEME}{name_of(str(provider.get('url')))}"
        # AWS fills them in, and looks at them only where it does not know the certificate authority.
        provider.skip("thumbprint_list")
        options = {"url": url, "client_ids": sorted(provider.get("client_id_list")), "tags": stack.tags(provider)}
        stack.add("iam", "openid_connect_providers", options, provider)


def _role(stack: Stack, role: Thing, profiles: dict[str, Thing]) -> None:
    permissions, parts = _permissions(stack, role, "role")
    trust = json.loads(role.get("assume_role_policy"))
    preset = _preset(stack, trust, permissions.get("managed_policies") or [])
    options: dict[str, Any] = {"name": role.get("name")}
    if preset:
        options["preset"] = preset
        own = [f"aws:{name}" for name in iam_presets.PRESETS[preset].policies]
        rest = [name for name in permissions.pop("managed_policies", ()) if name not in own]
        permissions |= {"managed_policies": rest} if rest else {}
    else:
        options["assume_role_policy"] = policy_document(trust)
    options |= {**fields(role, ROLE), **permissions, "tags": stack.tags(role)}
    profile = profiles.get(role.attributes["name"])
    if profile is not None and preset in (None, "ecs_instance") and _is_of(profile, role):
        options["instance_profile"] = True
        profiles.pop(profile.attributes["name"])
        parts.append(profile)
        profile.skip_all()
    stack.add("iam", "roles", options, role, *parts)


def _is_of(profile: Thing, role: Thing) -> bool:
    """What the layer makes of `instance_profile: true`."""
    same = ("path", "tags_all")
    return profile.attributes.get("role") == role.attributes["name"] and all(
        profile.attributes.get(name) == role.attributes.get(name) for name in same
    )


def _preset(stack: Stack, trust: dict[str, Any], managed: list[str]) -> str | None:
    for name, preset in iam_presets.PRESETS.items():
        same = policy.canonical(trust) == policy.canonical(iam_presets.trust_policy(preset, stack.environment))
        if same and {f"aws:{item}" for item in preset.policies} <= set(managed):
            return name
    return None


def _permissions(stack: Stack, owner: Thing, noun: str) -> tuple[dict[str, Any], list[Thing]]:
    """What is attached to a role or user, and the resources that say so."""
    attached = stack.belonging(f"aws_iam_{noun}_policy_attachment", noun, owner)
    inline = stack.belonging(f"aws_iam_{noun}_policy", noun, owner)
    shared = [
        item for item in stack.of("aws_iam_policy_attachment") if owner.attributes["name"] in _members(item, noun)
    ]
    arns = {str(item.get("policy_arn")) for item in [*attached, *shared]} | set(owner.get("managed_policy_arns") or ())
    documents = {str(item.get("name")): json.loads(item.get("policy")) for item in inline}
    for block in owner.blocks("inline_policy"):
        if block.get("name") and block.get("policy"):
            documents.setdefault(str(block.get("name")), json.loads(block.get("policy")))
    options: dict[str, Any] = {}
    if boundary := owner.get("permissions_boundary"):
        options["permissions_boundary"] = stack.names.policy(str(boundary), owner)
    if arns:
        options["managed_policies"] = sorted(stack.names.policy(arn, owner) for arn in arns)
    if documents:
        options["inline_policies"] = {name: policy_document(documents[name]) for name in sorted(documents)}
    for item in [*attached, *inline, *shared]:
        item.skip(f"{noun}s")
    return options, [*attached, *inline, *shared]


def _members(attachment: Thing, noun: str) -> list[str]:
    return list(attachment.attributes.get(f"{noun}s") or ())
