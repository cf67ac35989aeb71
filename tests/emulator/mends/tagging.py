# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of the Resource Groups Tagging API: what AWS lists and moto leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moto.core.resource_tagging import TaggedResource, make_tag_matcher, match_resource_type
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends
from moto.iam.models import iam_backends
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.utilities.utils import get_partition

from emulator.patching import replace

# Where AWS lists the resources of its global services.
GLOBAL_REGION = "us-east-1"
Found = Iterator[TaggedResource]


@replace(ResourceGroupsTaggingAPIBackend, "_get_resources_generator")
def get_resources(
    original: Any,
    self: Any,
    tag_filters: list[dict[str, Any]] | None = None,
    resource_type_filters: list[str] | None = None,
    resource_arn_list: list[str] | None = None,
) -> Found:
    """Repositories, launch templates, addresses, listeners, rules, capacity providers; IAM's in one region only.

    As AWS documents, IAM's roles and users and Auto Scaling groups are not listed.
    """
    yield from original(self, tag_filters, resource_type_filters, resource_arn_list)
    matches = make_tag_matcher(tag_filters)
    for lister in LISTERS:
        for item in lister(self.account_id, self.region_name):
            wanted = match_resource_type(item.resource_type, resource_type_filters) and matches(item.tags)
            if item.tags and wanted and (not resource_arn_list or item.arn in resource_arn_list):
                yield item


def repositories(account: str, region: str) -> Found:
    backend = ecr_backends[account][region]
    for item in backend.repositories.values():
        yield TaggedResource(item.arn, backend.tagger.get_tag_dict_for_resource(item.arn), "ecr:repository")


def addressed(account: str, region: str) -> Found:
    backend = ec2_backends[account][region]
    things = [("launch-template", item.id) for item in backend.launch_templates.values()]
    things += [("elastic-ip", item.allocation_id) for item in backend.addresses if item.allocation_id]
    for kind, identity in things:
        arn = f"arn:{get_partition(region)}:ec2:{region}:{account}:{kind}/{identity}"
        yield TaggedResource(arn, dict(backend.tags.get(identity, {})), f"ec2:{kind}")


def listeners(account: str, region: str) -> Found:
    backend = elbv2_backends[account][region]
    for balancer in backend.load_balancers.values():
        for listener in balancer.listeners.values():
            for kind, arn in (
                ("listener", listener.arn),
                *(("listener-rule", rule.arn) for rule in listener.rules.values()),
            ):
                labels = backend.tagging_service.get_tag_dict_for_resource(arn)
                yield TaggedResource(arn, labels, f"elasticloadbalancing:{kind}")


def capacity_providers(account: str, region: str) -> Found:
    for item in ecs_backends[account][region].capacity_providers.values():
        yield TaggedResource(item.capacity_provider_arn, _labels(item.tags, "key", "value"), "ecs:capacity-provider")


def global_things(account: str, region: str) -> Found:
    backend = iam_backends[account][get_partition(region)]
    if region != GLOBAL_REGION:
        return
    for policy in backend.managed_policies.values():
        yield TaggedResource(policy.arn, _labels(policy.tags), "iam:policy")
    for profile in backend.instance_profiles.values():
        yield TaggedResource(profile.arn, _labels(profile.tags), "iam:instance-profile")


def _labels(tags: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:
    listed: Iterable[Any] = tags.values() if isinstance(tags, dict) else tags or ()
    return {item[key]: item[value] for item in listed}


LISTERS: tuple[Callable[[str, str], Found], ...] = (
    repositories,
    addressed,
    listeners,
    capacity_providers,
    global_things,
)
