# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `iam`: roles, instance profiles, policies, users, one administrator per layer, roles of pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import (
    documents,
    iam_administrators,
    iam_options,
    iam_pipeline_checks,
    iam_pipelines,
    iam_presets,
    iam_validation,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration, Environment, Layer
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_openid_connect import name_of

FIXED_DESCRIPTION = {"Description": "IAM, which cannot change it after the policy was made"}
PLAIN = {
    "path": "Path",
    "description": "Description",
    "max_session_duration": "MaxSessionDuration",
}


class Iam(Layer):
    NAME = "iam"
    DESCRIPTION = "IAM roles, instance profiles, policies, users, administrators, roles of pipelines"
    ARGUMENT_SPEC = iam_options.ARGUMENT_SPEC

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        options = declaration.options
        for policy in options["policies"]:
            yield _policy(policy, environment)
        for role in options["roles"]:
            yield _role(role, environment)
            if role["instance_profile"]:
                profile = {**role, "role": role["name"]}
                yield _instance_profile(profile, f"iam.roles[{role['name']}].instance_profile", environment)
        for profile in options["instance_profiles"]:
            yield _instance_profile(profile, f"iam.instance_profiles[{profile['name']}]", environment)
        for user in options["users"]:
            yield from _user(user, environment)
        for administrator in options["administrators"]:
            yield from _administrator(administrator, environment)
        for provider in options["openid_connect_providers"]:
            yield _provider(provider, environment)
        for role in options["deploy_roles"]:
            yield _deploy_role(role, environment)

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        yield from iam_validation.problems(declarations, environment)
        yield from iam_pipeline_checks.problems(declarations, environment)

    def warn(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        yield from iam_validation.warnings(declarations, declared)
        yield from iam_pipeline_checks.warnings(declarations, declared)


def _common(item: Mapping[str, Any], where: str, environment: Environment) -> dict[str, Any]:
    tags = {**environment.tags, **(item["tags"] or {})}
    return {"where": where, "tags": tags, "protect": item["protect"]}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {api: item[name] for name, api in PLAIN.items() if item.get(name) is not None}


def policy_arn(name: str, where: str, environment: Environment) -> Any:
    """A policy as declarations name it: an ARN, `aws:NAME`, or the name of a customer managed policy."""
    if name.startswith("arn:"):
        return name
    if name.startswith("aws:"):
        return iam_presets.aws_managed(name.removeprefix("aws:"), environment)
    return Ref("iam_policy", name, "arn", where=where)


def _boundary(item: Mapping[str, Any], where: str, environment: Environment) -> dict[str, Any]:
    boundary = item["permissions_boundary"]
    if boundary is None:
        return {}
    return {
        "PermissionsBoundary": policy_arn(boundary, f"{where}.permissions_boundary", environment) if boundary else None
    }


def _permissions(
    item: Mapping[str, Any],
    where: str,
    environment: Environment,
    managed: Sequence[Any] = (),
    inline: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What is declared, and what a preset adds to it."""
    result = _boundary(item, where, environment)
    if managed or item["managed_policies"] is not None:
        named = [policy_arn(name, f"{where}.managed_policies", environment) for name in item["managed_policies"] or ()]
        result["ManagedPolicyArns"] = [*managed, *named]
    if inline or item["inline_policies"] is not None:
        own = {name: documents.parsed(document) for name, document in (item["inline_policies"] or {}).items()}
        result["InlinePolicies"] = {**(inline or {}), **own}
    if not item["exclusive"]:
        result["KeepOtherPolicies"] = True
    return result


def _policy(policy: Mapping[str, Any], environment: Environment) -> Resource:
    properties = {**_plain(policy), "Document": documents.parsed(policy["document"])}
    common = _common(policy, f"iam.policies[{policy['name']}]", environment)
    return Resource("iam_policy", policy["name"], properties, create_only=FIXED_DESCRIPTION, **common)


def _role(role: Mapping[str, Any], environment: Environment) -> Resource:
    where = f"iam.roles[{role['name']}]"
    managed: list[str] = []
    inline: dict[str, Any] = {}
    if role["preset"]:
        trust = iam_presets.trust_policy(iam_presets.PRESETS[role["preset"]], environment)
        managed = iam_presets.managed_policies(role, environment)
    elif iam_pipelines.system_of(role):
        trust = iam_pipelines.trust_policy(role, environment)
    else:
        trust = documents.parsed(role["assume_role_policy"])
    if role["secrets"]:
        document = iam_presets.secrets_policy(role["secrets"], role["secrets_kms_keys"] or ())
        inline[iam_presets.SECRETS_POLICY] = document
    properties = {
        **_plain(role),
        "AssumeRolePolicyDocument": trust,
        **_permissions(role, where, environment, managed, inline),
    }
    return Resource(
        "iam_role", role["name"], properties, depends_on=_trusted(role, where), **_common(role, where, environment)
    )


def _trusted(role: Mapping[str, Any], where: str) -> tuple[Ref, ...]:
    """The provider whose tokens a role trusts: it has to be there, whoever made it."""
    for system in iam_pipelines.SYSTEMS:
        if role[system]:
            name = name_of(role[system]["provider"])
            return (Ref("iam_openid_connect_provider", name, "arn", where=f"{where}.{system}.provider"),)
    return ()


def _provider(provider: Mapping[str, Any], environment: Environment) -> Resource:
    properties: dict[str, Any] = {"ClientIDList": provider["client_ids"]}
    if provider["thumbprints"] is not None:
        properties["ThumbprintList"] = provider["thumbprints"]
    common = _common(provider, f"iam.openid_connect_providers[{provider['url']}]", environment)
    return Resource("iam_openid_connect_provider", name_of(provider["url"]), properties, **common)


def _deploy_role(role: Mapping[str, Any], environment: Environment) -> Resource:
    where = f"iam.deploy_roles[{role['name']}]"

    def role_arn(name: str) -> Any:
        return name if name.startswith("arn:") else Ref("iam_role", name, "arn", where=f"{where}.services")

    policy = iam_pipelines.deploy_policy(role, environment, role_arn)
    properties = {
        **_plain(role),
        **_boundary(role, where, environment),
        "AssumeRolePolicyDocument": iam_pipelines.trust_policy(role, environment),
        "ManagedPolicyArns": [],
        "InlinePolicies": {iam_pipelines.DEPLOY_POLICY: policy},
    }
    common = _common(role, where, environment)
    return Resource("iam_role", role["name"], properties, depends_on=_trusted(role, where), **common)


def _instance_profile(profile: Mapping[str, Any], where: str, environment: Environment) -> Resource:
    role = {api: Ref("iam_role", profile["role"], name, where=f"{where}.role") for api, name in _ROLE_KEYS.items()}
    path = {"Path": profile["path"]} if profile["path"] is not None else {}
    properties = {**path, "Roles": [role]}
    return Resource("iam_instance_profile", profile["name"], properties, **_common(profile, where, environment))


_ROLE_KEYS = {"RoleName": "name", "RoleId": "id"}


def _user(user: Mapping[str, Any], environment: Environment) -> Iterator[Resource]:
    where = f"iam.users[{user['name']}]"
    properties = {**_plain(user), **_permissions(user, where, environment)}
    common = _common(user, where, environment)
    yield Resource("iam_user", user["name"], properties, options={"force_delete": user["force_delete"]}, **common)
    yield from _access_key(user, where, common)


def _access_key(user: Mapping[str, Any], where: str, common: Mapping[str, Any]) -> Iterator[Resource]:
    if not user["access_key"]:
        return
    where = f"{where}.access_key"
    properties = {
        "UserName": Ref("iam_user", user["name"], "name", where=where),
        "SecretName": user["access_key"]["secret"],
    }
    if user["access_key"]["kms_key"]:
        properties["KmsKeyId"] = user["access_key"]["kms_key"]
    yield Resource("iam_access_key", user["name"], properties, **{**common, "where": where})


def _administrator(item: Mapping[str, Any], environment: Environment) -> Iterator[Resource]:
    where = f"iam.administrators[{item['name']}]"
    common = _common(item, where, environment)
    scope = _administrator_scope(item, where, environment)
    document = iam_administrators.policy_document(item["layer"], scope)
    made = {"Path": item["path"], "Document": document}
    yield Resource("iam_policy", item["name"], made, options={"name_prefixes": scope.prefixes}, **common)
    properties = {
        **_plain(item),
        **_boundary(item, where, environment),
        "ManagedPolicyArns": [Ref("iam_policy", item["name"], "arn", where=where)],
        "InlinePolicies": {},
    }
    if item["type"] == "user":
        properties.pop("MaxSessionDuration", None)
        options = {"force_delete": item["force_delete"]}
        yield Resource("iam_user", item["name"], properties, options=options, **common)
        yield from _access_key(item, where, common)
    else:
        properties["AssumeRolePolicyDocument"] = iam_presets.trust_of_principals(item["trusted_principals"])
        yield Resource("iam_role", item["name"], properties, **common)


def _administrator_scope(item: Mapping[str, Any], where: str, environment: Environment) -> iam_administrators.Scope:
    boundary = item["required_boundary"]
    reference = policy_arn(boundary, f"{where}.required_boundary", environment) if boundary else None
    return iam_administrators.Scope(
        environment, iam_administrators.prefixes(item["name_prefixes"], environment), reference
    )
