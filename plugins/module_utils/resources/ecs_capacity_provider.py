# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon ECS: capacity providers on Auto Scaling groups."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)

SETTLE_SECONDS = 120.0
DELETE_SECONDS = 300.0
# What AWS says while the group or the service-linked role that was made a moment ago has not reached ECS.
NOT_SEEN_YET = ("Auto Scaling group ARN does not exist", "service linked role", "service-linked role")
NAME_TAKEN = "already exists"
IN_USE = ("in use", "associated with")


class EcsCapacityProvider(Kind):
    """A capacity provider on an Auto Scaling group, identified by its Name tag.

    The group of a provider cannot be changed, and a provider that a cluster has cannot be deleted: a replacement gets
    a suffix to its name, clusters and services move over to it, and the old one goes afterwards.
    """

    kind = "ecs_capacity_provider"
    label = "ECS capacity provider"
    immutable = frozenset({"autoScalingGroupProvider.autoScalingGroupArn"})
    create_before_delete = True
    named_by_tag = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        names = {item.name for item in wanted}
        candidates = [item for item in map(_observed, _active(aws.client("ecs"))) if item.name in names]
        return tags.by_name(candidates, aws.environment, self.label)

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        ecs = aws.once("ecs")
        provider = resource.properties["autoScalingGroupProvider"]

        def create(name: str) -> dict[str, Any]:
            answer = ecs.create_capacity_provider(
                name=name, autoScalingGroupProvider=provider, tags=tags.to_list(resource.tags, "key", "value")
            )
            return _attributes(answer["capacityProvider"])

        try:
            return _patiently(lambda: create(resource.name), resource.name)
        except exceptions.ClientError as error:
            if NAME_TAKEN not in _message(error):
                raise
        return _patiently(lambda: create(f"{resource.name}-{secrets.token_hex(3)}"), resource.name)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        ecs, name = aws.client("ecs"), observed.attributes["name"]
        provider = _merged(
            observed.properties["autoScalingGroupProvider"], resource.properties["autoScalingGroupProvider"]
        )
        _settled(ecs, name)
        del provider["autoScalingGroupArn"]
        ecs.update_capacity_provider(name=name, autoScalingGroupProvider=provider)
        after = _settled(ecs, name)
        if after.get("updateStatus") == "UPDATE_FAILED":
            raise AwsError(f"{self.label} {name}: the update failed: {after.get('updateStatusReason')}")

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        ecs, arn = aws.client("ecs"), observed.attributes["arn"]
        if add:
            ecs.tag_resource(resourceArn=arn, tags=tags.to_list(add, "key", "value"))
        if remove:
            ecs.untag_resource(resourceArn=arn, tagKeys=list(remove))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        ecs, name = aws.client("ecs"), observed.attributes["name"]
        try:
            ecs.delete_capacity_provider(capacityProvider=name)
        except exceptions.ClientError as error:
            if any(text in _message(error) for text in IN_USE):
                raise StillInUse(_message(error)) from error
            if "does not exist" not in _message(error):
                raise
            return
        wait_for(lambda: _described(ecs, name) is None, f"{self.label} {name} to be deleted", DELETE_SECONDS)


def _active(ecs: Any) -> list[dict[str, Any]]:
    """All providers of the account that are in use or usable. botocore has no paginator for this call."""
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        answer = ecs.describe_capacity_providers(include=["TAGS"], **token)
        found += [item for item in answer["capacityProviders"] if item["status"] == "ACTIVE"]
        if not answer.get("nextToken"):
            return found
        token = {"nextToken": answer["nextToken"]}


def _observed(provider: Mapping[str, Any]) -> Observed:
    labels = tags.from_list(provider.get("tags"), "key", "value")
    properties = {"autoScalingGroupProvider": provider.get("autoScalingGroupProvider") or {}}
    return Observed(labels.get(tags.NAME_TAG, provider["name"]), properties, _attributes(provider), labels)


def _attributes(provider: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": provider["name"], "name": provider["name"], "arn": provider["capacityProviderArn"]}


def _described(ecs: Any, name: str) -> dict[str, Any] | None:
    found = ecs.describe_capacity_providers(capacityProviders=[name])["capacityProviders"]
    gone = not found or found[0]["status"] == "INACTIVE" or found[0].get("updateStatus") == "DELETE_COMPLETE"
    return None if gone else found[0]


def _settled(ecs: Any, name: str) -> dict[str, Any]:
    """The provider once no update is in work: AWS refuses another one meanwhile."""
    seen: list[str] = []

    def look() -> dict[str, Any] | None:
        provider = _described(ecs, name) or {}
        seen.append(f"{provider.get('updateStatus')}: {provider.get('updateStatusReason', '')}")
        return provider if not str(provider.get("updateStatus")).endswith("_IN_PROGRESS") else None

    return wait_for(look, f"capacity provider {name} to be updated", SETTLE_SECONDS, lambda: seen[-1])


def _patiently(create: Callable[[], dict[str, Any]], name: str) -> dict[str, Any]:
    """Create, trying again while ECS has not seen what the provider needs."""
    seen: list[str] = []

    def attempt() -> dict[str, Any] | None:
        try:
            return create()
        except exceptions.ClientError as error:
            seen.append(_message(error))
            if not any(text in seen[-1] for text in NOT_SEEN_YET):
                raise
        return None

    what = f"ECS to accept capacity provider {name}"
    return wait_for(attempt, what, SETTLE_SECONDS, lambda: seen[-1])


def _merged(observed: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    scaling = {**observed.get("managedScaling", {}), **declared.get("managedScaling", {})}
    return {**observed, **declared, "managedScaling": scaling}


def _message(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


KINDS = (EcsCapacityProvider,)
