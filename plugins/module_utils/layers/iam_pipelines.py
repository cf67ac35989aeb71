# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles of pipelines: who may assume them, and what deploys need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.actions import ecs
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam_administrators import READING, allow
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_openid_connect import name_of
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import FOLDERS

DEPLOY_POLICY = "deploy"
SYSTEMS = ("github", "gitlab")
# The identity of a role by its name: a reference in a plan, a text where only the size counts.
RoleArn = Callable[[str], Any]

# What AWS cannot limit to one service, beyond what the layer ecs reads.
READS = (
    "ecr:GetAuthorizationToken",
    "ecs:DescribeContainerInstances",
    "ecs:DescribeServiceDeployments",
    "ecs:ListClusters",
    "ecs:ListContainerInstances",
    "ecs:ListServiceDeployments",
    "ecs:ListServices",
    "elasticloadbalancing:DescribeTargetHealth",
)
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer")
PUSH = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
ALIAS = re.compile(r"(?:arn:.*:)?(alias/.+)")
# It gives away the whole account's IAM; a deploy asks for single roles.
NOT_READ = "iam:GetAccountAuthorizationDetails"


def system_of(role: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Which pipelines may assume a role, or None."""
    return next((role[system] for system in SYSTEMS if role[system]), None)


def subjects(role: Mapping[str, Any]) -> list[str]:
    """The subjects of the tokens that are let in, with the patterns that IAM understands."""
    if role["github"]:
        return list(_github_subjects(role["github"]))
    return list(_gitlab_subjects(role["gitlab"]))


def _github_subjects(given: Mapping[str, Any]) -> Iterator[str]:
    start = f"repo:{given['repository']}"
    yield from (f"{start}:ref:refs/heads/{name}" for name in given["branches"] or ())
    yield from (f"{start}:ref:refs/tags/{name}" for name in given["tags"] or ())
    # A colon in the name of an environment is encoded in the subject, where colons separate.
    yield from (f"{start}:environment:{name.replace(':', '%3A')}" for name in given["environments"] or ())
    if given["pull_requests"]:
        yield f"{start}:pull_request"


def _gitlab_subjects(given: Mapping[str, Any]) -> Iterator[str]:
    start = f"project_path:{given['project']}:ref_type"
    yield from (f"{start}:branch:ref:{name}" for name in given["branches"] or ())
    yield from (f"{start}:tag:ref:{name}" for name in given["tags"] or ())


def trust_policy(role: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    """Who may assume a role with a token of its provider."""
    given = system_of(role) or {}
    provider, allowed = name_of(given["provider"]), subjects(role)
    audience, subject = {f"{provider}:aud": given["audience"]}, {f"{provider}:sub": allowed}
    if any(character in one for one in allowed for character in "*?"):
        condition: dict[str, Any] = {"StringEquals": audience, "StringLike": subject}
    else:
        condition = {"StringEquals": {**audience, **subject}}
    arn = f"arn:{environment.partition}:iam::{environment.account_id}:oidc-provider/{provider}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": condition,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def deploy_policy(role: Mapping[str, Any], environment: Environment, role_arn: RoleArn) -> dict[str, Any]:
    """What deploy.yml, rollback.yml, run_task.yml, scale.yml and status.yml call for these services, and no more."""
    statements = [*_reading(environment), *_repositories(role, environment), *_services(role, environment)]
    statements += _passing(role, role_arn)
    if role["remote_state"]:
        statements += _state(role["remote_state"], environment)
    return {"Version": "2012-10-17", "Statement": statements}


def _reading(environment: Environment) -> Iterator[dict[str, Any]]:
    reads = [item for item in ecs.ACTIONS if item.split(":")[1].startswith((*READING, "Get")) and item != NOT_READ]
    everywhere = [item for item in reads if item.startswith("iam:")]
    regional = sorted({*reads, *READS} - set(everywhere))
    # No resource can be named for DeregisterTaskDefinition, which old revisions need that nothing uses.
    regional.append("ecs:DeregisterTaskDefinition")
    yield allow(regional, "*", {"StringEquals": {"aws:RequestedRegion": environment.region}})
    yield allow([*everywhere, "sts:GetCallerIdentity"], "*")


def _arns(environment: Environment, service: str, resources: Iterator[str] | list[str]) -> list[str]:
    start = f"arn:{environment.partition}:{service}:{environment.region}:{environment.account_id}:"
    return [f"{start}{item}" for item in dict.fromkeys(resources)]


def _repositories(role: Mapping[str, Any], environment: Environment) -> Iterator[dict[str, Any]]:
    names = [f"repository/{name}" for item in role["services"] for name in item["repositories"]]
    if names:
        yield allow([*PULL, *(PUSH if role["push"] else ())], _arns(environment, "ecr", names))


def _services(role: Mapping[str, Any], environment: Environment) -> Iterator[dict[str, Any]]:
    services = role["services"]
    paths = [f"{item['cluster']}/{item['service']}" for item in services]
    of_service = [f"service/{path}" for path in paths] + [f"service-deployment/{path}/*" for path in paths]
    yield allow(["ecs:UpdateService", "ecs:StopServiceDeployment"], _arns(environment, "ecs", of_service))
    revisions = _arns(
        environment, "ecs", [f"task-definition/{item['family'] or item['service']}:*" for item in services]
    )
    yield allow(["ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UntagResource"], revisions)
    clusters = _arns(environment, "ecs", [f"cluster/{item['cluster']}" for item in services])
    yield allow(["ecs:RunTask"], revisions, {"ArnEquals": {"ecs:cluster": clusters}})
    tasks = _arns(environment, "ecs", [f"task/{item['cluster']}/*" for item in services])
    yield allow(["ecs:StopTask"], tasks)
    yield allow(["ecs:TagResource"], tasks, {"StringEquals": {"ecs:CreateAction": "RunTask"}})
    groups = [f"log-group:{name}:log-stream:*" for item in services for name in item["log_groups"]]
    if groups:
        yield allow(["logs:GetLogEvents"], _arns(environment, "logs", groups))


def _passing(role: Mapping[str, Any], role_arn: RoleArn) -> Iterator[dict[str, Any]]:
    for option, service in (("roles", "ecs-tasks.amazonaws.com"), ("service_roles", "ecs.amazonaws.com")):
        names = dict.fromkeys(name for item in role["services"] for name in item[option])
        if names:
            condition = {"StringEquals": {"iam:PassedToService": service}}
            yield allow(["iam:PassRole"], [role_arn(name) for name in names], condition)


def _state(given: Mapping[str, Any], environment: Environment) -> Iterator[dict[str, Any]]:
    """The documents of the layer ecs, and their lock."""
    folder = "/".join(part for part in (given["prefix"], FOLDERS["ecs"]) if part)
    bucket = f"arn:{environment.partition}:s3:::{given['bucket']}"
    place = replace(environment, region=given["region"] or environment.region)
    # Without it, a document that is not there looks like one that may not be read.
    yield allow(["s3:ListBucket"], bucket)
    on_documents = ["s3:GetObject", "s3:PutObject"]
    yield allow(on_documents, f"{bucket}/{folder}/*")
    if given["lock"] in ("s3", "both") or not given["lock_table"]:
        yield allow(["s3:DeleteObject"], f"{bucket}/{folder}/*.tflock")
    if given["lock_table"]:
        items = ["dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"]
        keys = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{given['bucket']}/{folder}/*"]}}
        yield allow(items, _arns(place, "dynamodb", [f"table/{given['lock_table']}"]), keys)
    if given["kms_key_id"]:
        yield _key(given["kms_key_id"], place)


def _key(key: str, environment: Environment) -> dict[str, Any]:
    """The use of a KMS key by its ARN, its id, or an alias; policies name keys by their ARNs only."""
    actions = ["kms:Decrypt", "kms:GenerateDataKey"]
    alias = ALIAS.fullmatch(key)
    if alias:
        condition = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias[1]}}
        return allow(actions, _arns(environment, "kms", ["key/*"]), condition)
    return allow(actions, key if key.startswith("arn:") else _arns(environment, "kms", [f"key/{key}"]))
