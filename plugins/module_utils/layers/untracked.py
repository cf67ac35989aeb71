# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries an environment's ownership tag, and which of it nothing recorded accounts for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import DENIED, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import all_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.layers.drift import Recorded
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.compare import IDENTITY
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    SUPERSEDED_TAG,
    Address,
    Observed,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_details import account_details

# Where AWS keeps what belongs to no region. Only there the tagging API lists it.
GLOBAL_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
# CloudFront's certificates are in that region too.
GLOBAL_SERVICES = ("iam", "route53:hostedzone", "acm:certificate", "cloudfront:distribution")
# What comes and goes with something else that is listed itself.
PARTS = (
    ("ec2", "security-group-rule/"),
    ("ecs", "task/"),
    ("ecs", "task-set/"),
    ("ecs", "container-instance/"),
    ("ecs", "service-deployment/"),
    ("ecs", "service-revision/"),
)
# AWS's own tags that name what made a thing, and the attribute of the recorded maker that they hold.
MAKERS = {
    "aws:autoscaling:groupName": ("auto_scaling_group", "name"),
    "aws:ec2launchtemplate:id": ("launch_template", "id"),
    "aws:ecs:clusterName": ("ecs_cluster", "name"),
}


class Tagged(NamedTuple):
    """A thing that carries the ownership tag, with all its tags, AWS's own too."""

    arn: str
    tags: Mapping[str, str]


class Untracked(NamedTuple):
    """ARNs. old_copies: what a replacement left behind, which goes in the next run."""

    untracked: list[str]
    old_copies: list[str]


def find_tagged(aws: Aws, iam: Aws, autoscaling: Aws) -> tuple[list[Tagged], list[str]]:
    """Everything that carries the environment's ownership tag, and what of it could not be looked for.

    The tagging API knows neither IAM's roles and users nor Auto Scaling groups: their own services are asked.
    """
    region = GLOBAL_REGIONS.get(aws.partition, aws.region)
    lookups: list[tuple[str, Callable[[], list[Tagged]]]] = [
        ("resources (tag:GetResources)", lambda: _of_region(aws, aws.region)),
        ("IAM roles and users (iam:GetAccountAuthorizationDetails)", lambda: _principals(iam)),
        ("Auto Scaling groups (autoscaling:DescribeAutoScalingGroups)", lambda: _groups(autoscaling)),
    ]
    if region != aws.region:
        label = (
            f"IAM policies, instance profiles, hosted zones, certificates, distributions (tag:GetResources in {region})"
        )
        lookups.append((label, lambda: _of_region(aws, region, ResourceTypeFilters=list(GLOBAL_SERVICES))))
    notes: list[str] = []

    def answered(label: str, lookup: Callable[[], list[Tagged]]) -> list[Tagged]:
        try:
            return lookup()
        except Exception as error:
            if code_of(error) not in DENIED:
                raise aws.explained(error, f"look for untracked {label}") from error
            notes.append(f"Untracked {label} were not looked for: the credentials do not allow it")
            return []

    found = all_of(*(lambda label=label, lookup=lookup: answered(label, lookup) for label, lookup in lookups))
    return [item for items in found for item in items], sorted(notes)


def _of_region(aws: Aws, region: str, **arguments: Any) -> list[Tagged]:
    client = aws.client("resourcegroupstaggingapi", region=region)
    wanted = [{"Key": ENVIRONMENT_TAG, "Values": [aws.environment]}]
    size = {"PageSize": 100}
    key = "ResourceTagMappingList"
    found = pages(client, "get_resources", key, TagFilters=wanted, PaginationConfig=size, **arguments)
    return [Tagged(item["ResourceARN"], _labels(item["Tags"])) for item in found]


def _principals(aws: Aws) -> list[Tagged]:
    details = account_details(aws)
    items = [*details["RoleDetailList"], *details["UserDetailList"]]
    return list(_ours(aws, ((item["Arn"], item.get("Tags")) for item in items)))


def _groups(aws: Aws) -> list[Tagged]:
    filters = [{"Name": f"tag:{ENVIRONMENT_TAG}", "Values": [aws.environment]}]
    key = "AutoScalingGroups"
    found = pages(aws.client("autoscaling"), "describe_auto_scaling_groups", key, Filters=filters)
    return list(_ours(aws, ((item["AutoScalingGroupARN"], item.get("Tags")) for item in found)))


def _ours(aws: Aws, items: Iterable[tuple[str, Any]]) -> Iterator[Tagged]:
    for arn, labels in items:
        if tags.from_list(labels).get(ENVIRONMENT_TAG) == aws.environment:
            yield Tagged(arn, _labels(labels))


def _labels(listed: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {item["Key"]: item.get("Value", "") for item in listed}


def untracked(
    tagged: Iterable[Tagged], recorded: Mapping[Address, Recorded], observed: Mapping[Address, Observed]
) -> Untracked:
    """What nothing recorded accounts for. Pure."""
    known = _known(recorded, observed)
    families = {address.name for address in recorded if address.kind == "ecs_task_definition"}
    makers = {
        label: {item.entry.attributes.get(name) for address, item in recorded.items() if address.kind == kind}
        for label, (kind, name) in MAKERS.items()
    }
    found = Untracked([], [])
    for arn, labels in sorted(set((item.arn, tuple(item.tags.items())) for item in tagged)):
        if SUPERSEDED_TAG in dict(labels):
            found.old_copies.append(arn)
        elif not (
            known & set(_names(arn))
            or _is_part(arn)
            or _family(arn) in families
            or any(value in makers.get(label, ()) for label, value in labels)
        ):
            found.untracked.append(arn)
    return found


def renamed(
    tagged: Iterable[Tagged], recorded: Mapping[Address, Recorded], gone: Iterable[Address]
) -> Iterator[tuple[Address, str, str]]:
    """What is not found under its name and is there all the same: address, ARN and the Name tag that it has now.

    With the same Name tag it would have been found: then it is AWS's list that is behind.
    """
    by_name = {name: item for item in tagged for name in _names(item.arn)}
    for address in gone:
        entry = recorded[address].entry
        known = (by_name.get(str(entry.attributes.get(name))) for name in IDENTITY)
        item = next((one for one in known if one is not None), None)
        if item is not None and item.tags.get(tags.NAME_TAG) != entry.tags.get(tags.NAME_TAG):
            yield address, item.arn, item.tags.get(tags.NAME_TAG, "")


def _known(recorded: Mapping[Address, Recorded], observed: Mapping[Address, Observed]) -> set[str]:
    """The ids and ARNs of what is recorded, as it was and as it is now."""
    attributes = [item.entry.attributes for item in recorded.values()]
    attributes += [item.attributes for item in observed.values()]
    return {str(one[name]) for one in attributes for name in IDENTITY if one.get(name)}


def _names(arn: str) -> Iterator[str]:
    """The ARN as resources have it; of EC2, which gives no ARNs, the id in it."""
    yield arn.removesuffix(":*")
    if _parts(arn)[0] == "ec2":
        yield arn.rsplit("/", 1)[-1]


def _parts(arn: str) -> tuple[str, str]:
    """Service and resource."""
    _arn, _partition, service, _region, _account, resource = arn.split(":", 5)
    return service, resource


def _is_part(arn: str) -> bool:
    service, resource = _parts(arn)
    return any(service == one and resource.startswith(start) for one, start in PARTS)


def _family(arn: str) -> str:
    """The family of a revision of a task definition; empty for anything else."""
    service, resource = _parts(arn)
    kind, _slash, name = resource.partition("/")
    return name.rsplit(":", 1)[0] if (service, kind) == ("ecs", "task-definition") else ""
