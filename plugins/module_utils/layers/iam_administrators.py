# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of administrators: what each layer's administrator may do, made from the layer's list of actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.actions import (
    alb,
    autoscaling,
    certificate,
    dns,
    ecr,
    ecs,
    iam,
    network,
    state_bucket,
    static_site,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import ENVIRONMENT_TAG

ACTIONS: dict[str, tuple[str, ...]] = {
    "state_bucket": state_bucket.ACTIONS,
    "iam": iam.ACTIONS,
    "network": network.ACTIONS,
    "ecr": ecr.ACTIONS,
    "certificate": certificate.ACTIONS,
    "alb": alb.ACTIONS,
    "dns": dns.ACTIONS,
    "autoscaling": autoscaling.ACTIONS,
    "ecs": ecs.ACTIONS,
    "static_site": static_site.ACTIONS,
}
READING = ("Describe", "List", "BatchGet", "BatchCheck")
# The services to which a layer hands roles on.
PASSED_TO: dict[str, tuple[str, ...]] = {
    "autoscaling": ("ec2.amazonaws.com", "autoscaling.amazonaws.com"),
    "ecs": ("ecs-tasks.amazonaws.com", "ecs.amazonaws.com"),
}
# The services whose linked roles AWS makes at the first use in an account.
LINKED: dict[str, tuple[str, ...]] = {
    "alb": ("elasticloadbalancing.amazonaws.com",),
    "autoscaling": ("autoscaling.amazonaws.com", "ecs.application-autoscaling.amazonaws.com"),
    "ecs": ("ecs.amazonaws.com",),
}
GLOBAL_SERVICES = frozenset({"iam", "sts", "s3", "route53", "cloudfront"})
# Where else a layer works: the certificates of CloudFront are there.
FURTHER_REGIONS = {"certificate": ("us-east-1",)}

# What the administrator of IAM may only do to roles and users that have the required permissions boundary.
BOUNDED = frozenset(
    f"iam:{action}"
    for action in (
        "CreateRole",
        "CreateUser",
        "AttachRolePolicy",
        "AttachUserPolicy",
        "DetachRolePolicy",
        "DetachUserPolicy",
        "PutRolePolicy",
        "PutUserPolicy",
        "DeleteRolePolicy",
        "DeleteUserPolicy",
        "PutRolePermissionsBoundary",
        "PutUserPermissionsBoundary",
    )
)
# What it may not do at all: it would lead out of the boundary.
WITHHELD = frozenset(
    {
        "iam:DeleteRolePermissionsBoundary",
        "iam:DeleteUserPermissionsBoundary",
        "iam:DetachGroupPolicy",
        "iam:RemoveUserFromGroup",
    }
)
BOUNDARY_CHANGES = ("iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion")


def prefixes(declared: Sequence[str] | None, environment: Environment) -> Sequence[str]:
    """The beginnings of names in an administrator's reach. `art` alone would also be the beginning of `artemis`."""
    return declared or [f"{environment.name}-", f"{environment.name}/"]


@dataclass(frozen=True)
class Scope:
    """To what an administrator is limited. prefixes: of names, with their path; boundary: an ARN or a reference."""

    environment: Environment
    prefixes: Sequence[str]
    boundary: Any = None

    def arns(self, service: str, *kinds: str) -> list[str]:
        """E.g. arns("dynamodb", "table/{}"): one ARN for each prefix."""
        place = self.environment
        where = ":::" if service == "s3" else f":{place.region}:{place.account_id}:"
        if service == "iam":
            where = f"::{place.account_id}:"
        start = f"arn:{place.partition}:{service}{where}"
        return [start + kind.format(f"{prefix}*") for kind in kinds for prefix in self.prefixes]


# The services all of whose writing actions AWS can limit to named resources.
NAMED = {"dynamodb": "table/{}", "ecr": "repository/{}", "s3": "{}", "secretsmanager": "secret:{}"}
ACCOUNT_WIDE = frozenset({"s3:ListAllMyBuckets"})


def policy_document(layer: str, scope: Scope) -> dict[str, Any]:
    """What the administrator of a layer may do."""
    actions = sorted(ACTIONS[layer])
    statements = _iam_statements(actions, scope) if layer == "iam" else _statements(layer, actions, scope)
    return {"Version": "2012-10-17", "Statement": [*statements, _other_environments(scope)]}


def _statements(layer: str, actions: Sequence[str], scope: Scope) -> Iterator[dict[str, Any]]:
    special = ("iam:PassRole", "iam:CreateServiceLinkedRole")
    anywhere: list[str] = []
    regional: list[str] = []
    named: list[str] = []
    for action in (item for item in actions if item not in special):
        service = action.split(":")[0]
        if service in NAMED and not _reads(action):
            named.append(action)
        else:
            (anywhere if service in GLOBAL_SERVICES else regional).append(action)
    yield from _named(named, scope)
    if regional:
        further = FURTHER_REGIONS.get(layer, ())
        regions = [scope.environment.region, *further] if further else scope.environment.region
        yield allow(regional, "*", {"StringEquals": {"aws:RequestedRegion": regions}})
    if anywhere:
        yield allow(anywhere, "*")
    if layer in PASSED_TO or "iam:PassRole" in actions:
        services = {"StringEquals": {"iam:PassedToService": list(PASSED_TO.get(layer, ()))}}
        yield allow(["iam:PassRole"], scope.arns("iam", "role/{}"), services)
    if layer in LINKED or "iam:CreateServiceLinkedRole" in actions:
        services = {"StringEquals": {"iam:AWSServiceName": list(LINKED.get(layer, ()))}}
        role = f"arn:{scope.environment.partition}:iam::{scope.environment.account_id}:role/aws-service-role/*"
        yield allow(["iam:CreateServiceLinkedRole"], role, services)


def _iam_statements(actions: Sequence[str], scope: Scope) -> Iterator[dict[str, Any]]:
    """Administrators themselves have a path of their own, which no prefix reaches; the boundary is out of reach too."""
    own = [item for item in actions if item.startswith("iam:") and item not in WITHHELD]
    yield allow([item for item in own if _reads(item) or item.startswith("iam:Get")] + ["sts:GetCallerIdentity"], "*")
    principals = scope.arns("iam", "role/{}", "user/{}")
    boundary = {"StringEquals": {"iam:PermissionsBoundary": scope.boundary}}
    yield allow([item for item in own if item in BOUNDED], principals, boundary)
    writing = [item for item in own if item not in BOUNDED and not _reads(item) and not item.startswith("iam:Get")]
    # A provider is named by its URL, where no prefix can be; roles decide whom of it they trust.
    providers = [item for item in writing if "OpenIDConnect" in item]
    rest = [item for item in writing if item not in providers]
    yield allow(rest, [*principals, *scope.arns("iam", "policy/{}", "instance-profile/{}", "mfa/{}")])
    place = scope.environment
    yield allow(providers, f"arn:{place.partition}:iam::{place.account_id}:oidc-provider/*")
    yield {"Effect": "Deny", "Action": list(BOUNDARY_CHANGES), "Resource": scope.boundary}
    secrets = [item for item in actions if item.startswith("secretsmanager:") and not _reads(item)]
    yield from _named(secrets, scope)
    yield allow(["secretsmanager:DescribeSecret", "secretsmanager:ListSecrets"], "*")


def _named(actions: Sequence[str], scope: Scope) -> Iterator[dict[str, Any]]:
    """One statement for each service, on the resources whose names begin with the prefixes."""
    for service in sorted({action.split(":")[0] for action in actions}):
        own = [action for action in actions if action.startswith(f"{service}:")]
        yield allow(own, scope.arns(service, NAMED[service]))


def _other_environments(scope: Scope) -> dict[str, Any]:
    """Nothing that carries another environment's ownership tag may be touched, wherever AWS looks at tags."""
    tag = f"aws:ResourceTag/{ENVIRONMENT_TAG}"
    condition = {"StringNotEquals": {tag: scope.environment.name}, "Null": {tag: "false"}}
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}


def allow(actions: Sequence[str], resource: Any, condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": dict(condition)} if condition else statement


def _reads(action: str) -> bool:
    """Reads of lists and descriptions, which AWS mostly cannot limit to resources."""
    return action in ACCOUNT_WIDE or (action.split(":")[1].startswith(READING) and not action.startswith("s3:"))
