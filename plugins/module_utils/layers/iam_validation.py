# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a declaration of the layer `iam`, before AWS is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import (
    documents,
    iam_administrators,
    iam_pipeline_checks,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration, Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam_presets import SECRETS_POLICY, secrets_policy
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Resource

# Lists of the declaration -> what the names in them are, and how long they may be. Names are unique for each noun.
LISTS = {
    "policies": ("policy", 128),
    "roles": ("role", 64),
    "instance_profiles": ("instance profile", 128),
    "users": ("user", 64),
    "administrators": ("administrator", 64),
    "deploy_roles": ("role", 64),
}
NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
PATH = re.compile(r"/(?:[\u0021-\u007e]+/)?")
PATH_LENGTH = 512
ASSUMED_BY = ("preset", "assume_role_policy", "github", "gitlab")
DESCRIPTION_LENGTH = 1000
SESSION_SECONDS = (3600, 43200)
MANAGED_POLICY_SIZE = 6144
INLINE_SIZE = {"role": 10240, "user": 2048}
# Policies that may be attached: by default, and with the highest quota that AWS grants.
DEFAULT_QUOTA = 10
HIGHEST_QUOTA = {"role": 25, "user": 20}
SECRET_NAME = re.compile(r"[\w/+=.@-]{1,512}", re.ASCII)
SECRET_ARN = re.compile(r"arn:[\w-]+:(?:secretsmanager:[\w-]+:\d{12}:secret:|ssm:[\w-]+:\d{12}:parameter/)\S+")
KMS_KEY_ARN = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+")
PRINCIPAL = re.compile(r"\d{12}|arn:[\w-]+:(?:iam|sts)::\d{12}:(?:root|(?:user|role|assumed-role)/\S+)")
PREFIX = re.compile(r"[\w+=,.@/-]+", re.ASCII)
POLICY_REFERENCE = re.compile(r"arn:[\w-]+:iam::(?:aws|\d{12}):policy/\S+|aws:[\w+=,.@/-]+|[\w+=,.@-]{1,128}", re.ASCII)


def problems(declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
    for declaration in declarations:
        for option, (noun, length) in LISTS.items():
            for item in declaration.options[option]:
                where = f"iam.{option}[{item['name']}]"
                found = [*_common(item, noun, length), *CHECKS[option](item, environment)]
                yield from (Problem(declaration.host, where, message) for message in found)
    yield from _duplicates(declarations)


def warnings(declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
    for declaration in declarations:
        for option in ("roles", "users"):
            for item in declaration.options[option]:
                count = len(item["managed_policies"] or ())
                if count > DEFAULT_QUOTA:
                    message = f"{count} managed policies need a higher quota than AWS's default of {DEFAULT_QUOTA}"
                    yield Problem(declaration.host, f"iam.{option}[{item['name']}]", message)
        for item in declaration.options["administrators"]:
            for message in _out_of_reach(item, declared):
                yield Problem(declaration.host, f"iam.administrators[{item['name']}]", message)


def _out_of_reach(item: Mapping[str, Any], declared: Mapping[Address, Resource]) -> Iterator[str]:
    """Things of the administrator's layer whose names it may not administer."""
    kinds = {"s3_bucket", "dynamodb_table", "ecr_repository", "iam_role", "iam_user", "iam_policy"}
    resources = [one for one in declared.values() if one.layer == item["layer"] and one.kind in kinds]
    prefixes = declared[Address("iam_policy", item["name"])].options["name_prefixes"]
    for resource in resources:
        path = str(resource.properties.get("Path", "/"))[1:]
        administrators = path == item["path"][1:] and resource.where.startswith("iam.administrators")
        if not administrators and not f"{path}{resource.name}".startswith(tuple(prefixes)):
            yield f"{resource.address} begins with none of name_prefixes {', '.join(prefixes)}: it may not change it"
    if item["layer"] == "iam":
        yield from (
            f"{one.address} has no permissions boundary: this administrator may not change its policies"
            for one in resources
            if one.kind in ("iam_role", "iam_user")
            and not one.properties.get("PermissionsBoundary")
            and not one.where.startswith("iam.administrators")
        )


def _common(item: Mapping[str, Any], noun: str, length: int) -> Iterator[str]:
    name, path, description = item["name"], item.get("path"), item.get("description")
    if not NAME.fullmatch(name) or len(name) > length:
        allowed = f"1 to {length} letters, digits and + = , . @ - _"
        yield f"a {noun}'s name must be {allowed}, got {name!r} ({len(name)} characters)"
    if path is not None and (not PATH.fullmatch(path) or len(path) > PATH_LENGTH):
        yield f"path must begin and end with a slash and have no blanks, like /art/, got {path!r}"
    if description is not None and len(description) > DESCRIPTION_LENGTH:
        yield f"description has {len(description)} characters, at most {DESCRIPTION_LENGTH} are allowed"
    seconds = item.get("max_session_duration")
    shortest, longest = SESSION_SECONDS
    if seconds is not None and not shortest <= seconds <= longest:
        yield f"max_session_duration must be between {shortest} and {longest} seconds, got {seconds}"
    for option in ("permissions_boundary", "required_boundary"):
        if item.get(option) and not POLICY_REFERENCE.fullmatch(item[option]):
            yield f"{option} must be a policy's ARN or name, got {item[option]!r}"


def _policy_problems(policy: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    yield from _document_problems("document", policy["document"], "identity", MANAGED_POLICY_SIZE)


def _document_problems(option: str, document: Any, sort: documents.Sort, size: int | None = None) -> Iterator[str]:
    found = list(documents.problems(document, sort))
    yield from (f"{option} {message}" for message in found)
    if not found and size and documents.size(document) > size:
        yield f"{option} has {documents.size(document)} characters without white space, IAM allows {size}"


def _role_problems(role: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    given = [option for option in ASSUMED_BY if role[option]]
    if len(given) != 1:
        options = f"one of {', '.join(ASSUMED_BY)}"
        yield f"needs {options}, which say who may assume the role; got {' and '.join(given) or 'none'}"
    elif role["assume_role_policy"]:
        yield from _document_problems(
            "assume_role_policy", role["assume_role_policy"], "trust", iam_pipeline_checks.TRUST_POLICY_SIZE
        )
    yield from _preset_only(role, "secrets", "ecs_task_execution")
    yield from _preset_only(role, "secrets_kms_keys", "ecs_task_execution")
    yield from _preset_only(role, "session_manager", "ecs_instance")
    if role["instance_profile"] and role["preset"] not in (None, "ecs_instance"):
        yield f"instance_profile is for roles of container instances, and the preset is {role['preset']}"
    yield from _must_match("secrets", role["secrets"], SECRET_ARN, "the ARN of a secret or of an SSM parameter")
    yield from _must_match("secrets_kms_keys", role["secrets_kms_keys"], KMS_KEY_ARN, "the ARN of a KMS key")
    if role["secrets_kms_keys"] and not role["secrets"]:
        yield "secrets_kms_keys need secrets"
    made = {SECRETS_POLICY: secrets_policy(role["secrets"], role["secrets_kms_keys"] or ())} if role["secrets"] else {}
    if made and SECRETS_POLICY in (role["inline_policies"] or {}):
        yield f"inline_policies must not have {SECRETS_POLICY!r}, which is the name of the policy that secrets make"
    yield from _permission_problems(role, "role", made)


def _preset_only(role: Mapping[str, Any], option: str, preset: str) -> Iterator[str]:
    if role[option] and role["preset"] != preset:
        yield f"{option} is for preset {preset}, got {role['preset'] or 'none'}"


def _must_match(option: str, values: Sequence[str] | None, pattern: re.Pattern[str], allowed: str) -> Iterator[str]:
    for value in values or ():
        if not pattern.fullmatch(value):
            yield f"{option} must be {allowed}, got {value!r}"


def _permission_problems(item: Mapping[str, Any], noun: str, made: Mapping[str, Any]) -> Iterator[str]:
    managed, inline = item["managed_policies"] or (), item["inline_policies"] or {}
    highest = HIGHEST_QUOTA[noun]
    yield from _must_match("managed_policies", managed, POLICY_REFERENCE, "ARNs, names, or aws:NAME for AWS's own")
    if len(managed) > highest:
        yield (
            f"managed_policies has {len(managed)} policies; AWS allows {DEFAULT_QUOTA} for a {noun} by default "
            f"and {highest} at most, where the quota was raised"
        )
    for twice in sorted({name for name in managed if list(managed).count(name) > 1}):
        yield f"managed_policies names {twice!r} twice"
    found = []
    for name, document in inline.items():
        if not NAME.fullmatch(name) or len(name) > 128:
            found.append(f"inline_policies: a name is 1 to 128 letters, digits and + = , . @ - _, got {name!r}")
        found += _document_problems(f"inline_policies[{name}]", document, "identity")
    yield from found
    size = 0 if found else sum(documents.size(document) for document in [*inline.values(), *made.values()])
    if size > INLINE_SIZE[noun]:
        yield f"inline_policies have {size} characters together, IAM allows {INLINE_SIZE[noun]} for a {noun}"


def _profile_problems(profile: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    if not NAME.fullmatch(profile["role"]) or len(profile["role"]) > 64:
        yield f"role must be the name of a role, got {profile['role']!r}"


def _user_problems(user: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    yield from _permission_problems(user, "user", {})
    yield from _access_key_problems(user)


def _access_key_problems(item: Mapping[str, Any]) -> Iterator[str]:
    key = item["access_key"]
    if key and not SECRET_NAME.fullmatch(key["secret"]):
        yield f"access_key.secret must be 1 to 512 letters, digits and / _ + = . @ -, got {key['secret']!r}"


def _administrator_problems(item: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    yield from _access_key_problems(item)
    yield from _type_problems(item)
    prefixes = iam_administrators.prefixes(item["name_prefixes"], environment)
    yield from _must_match("name_prefixes", prefixes, PREFIX, "the beginning of names, without wildcards")
    if item["layer"] not in iam_administrators.ACTIONS:
        known = ", ".join(iam_administrators.ACTIONS)
        yield f"layer {item['layer']!r} is none that an administrator can be made for: {known}"
        return
    yield from _iam_administrator_problems(item, prefixes)
    scope = iam_administrators.Scope(environment, prefixes, "arn:aws:iam::123456789012:policy/" + "n" * 128)
    size = documents.size(iam_administrators.policy_document(item["layer"], scope))
    if size > MANAGED_POLICY_SIZE:
        yield f"its policy has {size} characters, IAM allows {MANAGED_POLICY_SIZE}: declare fewer name_prefixes"


def _type_problems(item: Mapping[str, Any]) -> Iterator[str]:
    if item["type"] == "role" and not item["trusted_principals"]:
        yield "type role needs trusted_principals: who may assume it"
    for option in ("trusted_principals", "max_session_duration"):
        if item["type"] == "user" and item[option]:
            yield f"{option} is for type role"
    for option in ("access_key", "force_delete"):
        if item["type"] == "role" and item[option]:
            yield f"{option} is for type user"
    allowed = "the ARN of a user or a role, or an account id, and no wildcard"
    yield from _must_match("trusted_principals", item["trusted_principals"], PRINCIPAL, allowed)
    if any("*" in principal for principal in item["trusted_principals"] or ()):
        yield "trusted_principals must not have wildcards"


def _iam_administrator_problems(item: Mapping[str, Any], prefixes: Sequence[str]) -> Iterator[str]:
    """An administrator of IAM who could give away anything could give it to itself."""
    if item["layer"] != "iam":
        if item["required_boundary"]:
            yield f"required_boundary is for the layer iam, got {item['layer']}"
        return
    if not item["required_boundary"]:
        yield (
            "the administrator of the layer iam needs required_boundary, the policy that limits what it can give away; "
            "without one it could make itself administrator of the whole account"
        )
    full = f"{item['path'][1:]}{item['name']}"
    if full.startswith(tuple(prefixes)):
        yield f"path and name {full!r} begin with one of its own name_prefixes: it could change itself"


def _duplicates(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """IAM's names are unique in the account, whatever their case and path. An administrator is also a user or role."""
    seen: dict[tuple[str, str], str] = {}
    for declaration in declarations:
        for noun, name, where in _names(declaration):
            other = seen.setdefault((noun, name.lower()), f"{declaration.host}: {where}")
            if other != f"{declaration.host}: {where}":
                yield Problem(declaration.host, where, f"the {noun} {name!r} is declared already by {other}")
        yield from _same_twice(declaration)


def _same_twice(declaration: Declaration) -> Iterator[Problem]:
    for option in LISTS:
        names = [item["name"].lower() for item in declaration.options[option]]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Problem(declaration.host, f"iam.{option}[{name}]", f"is declared {names.count(name)} times")


def _names(declaration: Declaration) -> Iterator[tuple[str, str, str]]:
    """Noun, name, variable of everything that the declaration makes."""
    for option, (noun, _length) in LISTS.items():
        for item in declaration.options[option]:
            where = f"iam.{option}[{item['name']}]"
            if option == "administrators":
                yield from ((one, item["name"], where) for one in (item["type"], "policy"))
            else:
                yield noun, item["name"], where
            if item.get("instance_profile"):
                yield "instance profile", item["name"], f"{where}.instance_profile"
            if item.get("access_key"):
                yield "secret", item["access_key"]["secret"], f"{where}.access_key"


CHECKS = {
    "policies": _policy_problems,
    "roles": _role_problems,
    "instance_profiles": _profile_problems,
    "users": _user_problems,
    "administrators": _administrator_problems,
    "deploy_roles": iam_pipeline_checks.deploy_role_problems,
}
