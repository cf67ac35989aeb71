# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with roles of pipelines and OpenID Connect providers: above all, who could log in unasked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import documents, iam_pipelines
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration, Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam_pipeline_options import GITHUB_URL, GITLAB_URL
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_openid_connect import name_of

URL = re.compile(r"https://[a-z0-9.-]+(?:/[A-Za-z0-9._~/-]*)?")
URL_LENGTH = 255
AUDIENCE_LENGTH = 255
# With the quota that an account may have; without it, IAM allows 2048.
TRUST_POLICY_SIZE = 4096
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:/[A-Za-z0-9._-]+|@\d+/[A-Za-z0-9._-]+@\d+)")
PROJECT = re.compile(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+")
# What IAM would take for a variable of a policy, and what no git reference has. Names of environments have blanks.
REFERENCE = re.compile(r"[^\s$:~^\\]+")
ENVIRONMENT = re.compile(r"[^$]+")
THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
MOST_THUMBPRINTS = 5
ROLE_NAME = re.compile(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+|[\w+=,.@-]{1,64}", re.ASCII)
ECS_NAME = re.compile(r"[\w-]{1,255}", re.ASCII)
NAMES = {
    "cluster": ECS_NAME,
    "service": ECS_NAME,
    "family": ECS_NAME,
    "repositories": re.compile(r"[a-z0-9][a-z0-9._/-]*"),
    "roles": ROLE_NAME,
    "service_roles": ROLE_NAME,
    "log_groups": re.compile(r"[\w./#-]{1,512}", re.ASCII),
}
# Providers whose tokens anybody in the world can have, and subjects in which not even the owner is certain.
PUBLIC = (name_of(GITHUB_URL), name_of(GITLAB_URL))
WIDE_OPEN = re.compile(r"(?:[a-z_]+:)?[^/:@]*[*?]")
ANYTHING = re.compile(r"[*?]+")
# Of all inline policies of a role together.
POLICY_SIZE = 10240
LONG_ARN = "arn:aws-us-gov:iam::123456789012:role/"
TASK_ROLES = ("executionRoleArn", "taskRoleArn")


def problems(declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
    for declaration in declarations:
        for provider in declaration.options["openid_connect_providers"]:
            where = f"iam.openid_connect_providers[{provider['url']}]"
            yield from (Problem(declaration.host, where, message) for message in _provider_problems(provider))
        for option in ("roles", "deploy_roles"):
            for role in declaration.options[option]:
                where = f"iam.{option}[{role['name']}]"
                found = list(_trust_problems(role, option == "deploy_roles")) or list(_size(role, environment))
                yield from (Problem(declaration.host, where, message) for message in found)
        yield from _open_doors(declaration)
    yield from _unknown_audiences(declarations)


def _provider_problems(provider: Mapping[str, Any]) -> Iterator[str]:
    url = provider["url"]
    if not URL.fullmatch(url) or len(url) > URL_LENGTH:
        yield f"url must begin with https://, without port and query, at most {URL_LENGTH} characters, got {url!r}"
    if not provider["client_ids"]:
        yield "client_ids must have at least one audience, such as sts.amazonaws.com"
    for one in provider["client_ids"]:
        if not 1 <= len(one) <= AUDIENCE_LENGTH:
            yield f"client_ids must have 1 to {AUDIENCE_LENGTH} characters each, got {one!r}"
    thumbprints = provider["thumbprints"] or ()
    if provider["thumbprints"] == []:
        yield "thumbprints is empty, and IAM always has one: leave it out, then IAM finds it"
    if len(thumbprints) > MOST_THUMBPRINTS:
        yield f"thumbprints has {len(thumbprints)}, IAM allows {MOST_THUMBPRINTS}"
    for one in thumbprints:
        if not THUMBPRINT.fullmatch(one):
            yield f"thumbprints must be SHA-1 thumbprints of 40 hexadecimal digits, got {one!r}"


def _trust_problems(role: Mapping[str, Any], deploys: bool) -> Iterator[str]:
    given = [system for system in iam_pipelines.SYSTEMS if role[system]]
    if deploys and len(given) != 1:
        got = " and ".join(given) or "none"
        yield f"needs github or gitlab, and not both, which say whose jobs may assume the role; got {got}"
    for system in given:
        options = role[system]
        yield from (f"{system}.{message}" for message in _owner_problems(system, options))
        if not URL.fullmatch(options["provider"]):
            yield f"{system}.provider must be the URL of a provider, with https://, got {options['provider']!r}"
        if not iam_pipelines.subjects({"github": None, "gitlab": None, system: options}):
            yield f"{system} lets nobody in: name {_lists(system)}"
        for option, pattern in (("branches", REFERENCE), ("tags", REFERENCE), ("environments", ENVIRONMENT)):
            for name in options.get(option) or ():
                if not pattern.fullmatch(name):
                    yield f"{system}.{option}: {name!r} is no name that there can be"
                elif option != "environments" and name.startswith("refs/"):
                    yield f"{system}.{option}: {name!r}: give the name alone, without refs/heads/ or refs/tags/"
        if deploys and options.get("pull_requests"):
            yield (
                f"{system}.pull_requests: whoever can open a pull request could deploy. Let a role take them that "
                "only reads (iam.roles)"
            )


def _size(role: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    given = iam_pipelines.system_of(role)
    size = documents.size(iam_pipelines.trust_policy(role, environment)) if given else 0
    if size > TRUST_POLICY_SIZE:
        yield (
            f"its trust policy has {size} characters, IAM allows {TRUST_POLICY_SIZE}: name fewer branches, tags and "
            "environments, or patterns such as 'release/*'"
        )


def deploy_role_problems(role: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    """What is wrong with the services of a deploy role."""
    if not role["services"]:
        yield "services must name at least one service that the role deploys"
    for item in role["services"]:
        for option, pattern in NAMES.items():
            values = item[option] if isinstance(item[option], list) else [item[option]]
            for value in values:
                if value is not None and not pattern.fullmatch(value):
                    yield f"services.{option} must be names, without wildcards, got {value!r}"
    size = documents.size(iam_pipelines.deploy_policy(role, environment, lambda name: f"{LONG_ARN}{name}"))
    if size > POLICY_SIZE:
        yield f"its policy has {size} characters, IAM allows {POLICY_SIZE}: make several roles, each for fewer services"


def _lists(system: str) -> str:
    return "branches, tags, environments or pull_requests" if system == "github" else "branches or tags"


def _owner_problems(system: str, options: Mapping[str, Any]) -> Iterator[str]:
    option, pattern, form = {
        "github": ("repository", REPOSITORY, "owner@id/name@id, or owner/name of an older repository"),
        "gitlab": ("project", PROJECT, "group/name"),
    }[system]
    value = options[option]
    if "*" in value or "?" in value:
        yield f"{option} must be one {option}, got {value!r}: every {option} that fits could assume the role"
    elif not pattern.fullmatch(value):
        yield f"{option} must be {form}, got {value!r}"


def _open_doors(declaration: Declaration) -> Iterator[Problem]:
    """Trust policies written by hand that let every repository of a public service in."""
    for role in declaration.options["roles"]:
        document = role["assume_role_policy"]
        if not document or list(documents.problems(document, "trust")):
            continue
        statements = documents.parsed(document)["Statement"]
        for statement in [statements] if isinstance(statements, Mapping) else statements:
            for provider in _open_providers(statement):
                message = (
                    f"assume_role_policy lets all the world's jobs at {provider} in: it needs a condition StringEquals "
                    f"or StringLike on {provider}:sub that names the repository. github and gitlab make one"
                )
                yield Problem(declaration.host, f"iam.roles[{role['name']}]", message)


def _open_providers(statement: Mapping[str, Any]) -> Iterator[str]:
    principal = statement.get("Principal")
    federated = principal.get("Federated", ()) if isinstance(principal, Mapping) else ()
    for arn in [federated] if isinstance(federated, str) else federated:
        provider = str(arn).partition(":oidc-provider/")[2]
        if statement["Effect"] == "Allow" and provider in PUBLIC:
            allowed = _subjects_in(statement, provider)
            if not allowed or any(WIDE_OPEN.match(subject) for subject in allowed):
                yield provider


def _subjects_in(statement: Mapping[str, Any], provider: str) -> list[str]:
    """What the conditions say about whose jobs they are."""
    found: list[str] = []
    for operator, keys in (statement.get("Condition") or {}).items():
        if operator.removeprefix("ForAnyValue:") in ("StringEquals", "StringLike"):
            for claim in ("sub", "job_workflow_ref"):
                values = keys.get(f"{provider}:{claim}", ())
                found += [values] if isinstance(values, str) else list(values)
    return found


def _unknown_audiences(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """An audience that its provider does not have, where that is declared too: nobody could log in."""
    known = {
        name_of(provider["url"]): provider["client_ids"]
        for declaration in declarations
        for provider in declaration.options["openid_connect_providers"]
    }
    for declaration in declarations:
        for option in ("roles", "deploy_roles"):
            for role in declaration.options[option]:
                given = iam_pipelines.system_of(role) or {}
                clients = known.get(name_of(given.get("provider") or ""))
                if clients is not None and given["audience"] not in clients:
                    message = (
                        f"audience {given['audience']!r} is none of the client_ids of {given['provider']}: "
                        f"{', '.join(clients)}"
                    )
                    yield Problem(declaration.host, f"iam.{option}[{role['name']}]", message)


def warnings(declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
    for declaration in declarations:
        for role in declaration.options["deploy_roles"]:
            found = list(_any(role))
            found += [message for item in role["services"] for message in _missing(item, declared)]
            yield from (Problem(declaration.host, f"iam.deploy_roles[{role['name']}]", message) for message in found)


def _any(role: Mapping[str, Any]) -> Iterator[str]:
    for option in ("branches", "tags", "environments"):
        names = (iam_pipelines.system_of(role) or {}).get(option) or ()
        for name in filter(ANYTHING.fullmatch, names):
            yield f"{option} has {name!r}: whoever may push anything to the repository can deploy"


def _missing(item: Mapping[str, Any], declared: Mapping[Address, Resource]) -> Iterator[str]:
    """What the declared service needs and the role does not allow."""
    family = item["family"] or item["service"]
    name = f"{item['cluster']}/{item['service']}"
    task = declared.get(Address("ecs_task_definition", family))
    service = declared.get(Address("ecs_service", name))
    if service is not None and task is None:
        yield f"services: {name} is declared, and its family is not {family!r}: name it as family"
    if task is None:
        return
    needs: dict[str, list[Any]] = {
        "roles": [task.properties.get(field) for field in TASK_ROLES],
        "repositories": _referred(task, "ecr_repository"),
        "log_groups": _log_groups(task),
    }
    for option, values in needs.items():
        names = dict.fromkeys(_short(value) for value in values if value)
        for missing in (one for one in names if one not in [_short(given) for given in item[option]]):
            yield f"services[{name}].{option} lacks {missing}, which the task definition {family} uses"


def _short(value: Any) -> str:
    """The name of a role or log group, whether it is a reference, an ARN or the name itself."""
    if isinstance(value, Ref):
        return value.name
    return str(value).rsplit("/", 1)[-1] if ":role/" in str(value) else str(value)


def _referred(task: Resource, kind: str) -> list[str]:
    return [ref.name for ref in task.references() if ref.kind == kind]


def _log_groups(task: Resource) -> list[Any]:
    configurations = [item.get("logConfiguration") or {} for item in task.properties["containerDefinitions"]]
    drivers = [item for item in configurations if item.get("logDriver") == "awslogs"]
    return [(item.get("options") or {}).get("awslogs-group") for item in drivers]
