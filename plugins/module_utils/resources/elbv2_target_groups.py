# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target groups of application load balancers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    SUPERSEDED_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import elbv2_handover as handover
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_common import (
    TaggedKind,
    attribute_lists,
    attributes_from,
    canonical_attributes,
    changed_attributes,
    full_name,
    tags_of,
)

GONE = "TargetGroupNotFound"
IN_USE = "ResourceInUse"
IN_USE_TIMEOUT = 60.0
LONGEST_NAME = 32
SUFFIX = re.compile(r"-[0-9a-f]{6}")
HEALTH_CHECK = (
    "HealthCheckEnabled",
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)
FIXED = ("Protocol", "ProtocolVersion", "Port", "VpcId", "TargetType", "IpAddressType", "TargetControlPort")


class TargetGroup(TaggedKind):
    """A target group with its attributes (`Attributes`, a mapping by the keys of the API).

    Its AWS name is the declared one and a random suffix, so that a replacement can stand beside what it replaces.
    """

    kind = "target_group"
    label = "target group"
    immutable = frozenset(FIXED)
    create_before_delete = True
    named_by_tag = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        elbv2 = aws.client("elbv2")
        found = [
            (item, name)
            for item in pages(elbv2, "describe_target_groups", "TargetGroups")
            if (name := _could_be(item["TargetGroupName"], wanted))
        ]
        labels = tags_of(aws, (item["TargetGroupArn"] for item, _name in found))
        declared = {item.name: item.properties for item in wanted}
        candidates = [_observe(item, labels.get(item["TargetGroupArn"], {}), declared) for item, _name in found]
        chosen = tags.by_name(candidates, aws.environment, self.label)
        result = {name: item for name, item in chosen.items() if name in declared}
        ask = [item for name, item in result.items() if item.exists and declared[name].get("Attributes")]

        def add_attributes(item: Observed) -> None:
            answer = elbv2.describe_target_group_attributes(TargetGroupArn=item.attributes["arn"])
            item.properties["Attributes"] = attributes_from(answer)

        each(add_attributes, ask)
        return result

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        for name in ("Port", "TargetControlPort", *HEALTH_CHECK[4:8]):
            if result.get(name) is not None:
                result[name] = int(result[name])
        if result.get("HealthCheckPort") is not None:
            result["HealthCheckPort"] = str(result["HealthCheckPort"])
        if result.get("Matcher"):
            result["Matcher"] = {
                name: str(codes).replace(" ", "") for name, codes in result["Matcher"].items() if codes
            }
        if "Attributes" in result:
            result["Attributes"] = canonical_attributes(result["Attributes"])
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        elbv2, declared = aws.client("elbv2"), resource.properties
        answer = elbv2.create_target_group(
            Name=_new_name(resource.name),
            Tags=tags.to_list(resource.tags),
            **{name: value for name, value in declared.items() if name != "Attributes" and value is not None},
        )
        group = answer["TargetGroups"][0]
        _set_attributes(elbv2, group["TargetGroupArn"], declared.get("Attributes") or {})
        return _attributes(group)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        elbv2, declared, changed = aws.client("elbv2"), resource.properties, top_level(differences)
        arn = observed.attributes["arn"]
        if changed & set(HEALTH_CHECK):
            # Whole, because AWS checks these against each other: the timeout against the interval.
            check = {name: declared[name] for name in HEALTH_CHECK if declared.get(name) is not None}
            elbv2.modify_target_group(TargetGroupArn=arn, **check)
        if "Attributes" in changed:
            _set_attributes(elbv2, arn, changed_attributes(declared["Attributes"], differences))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        """A copy that was replaced goes when its successor has the traffic and nothing is registered in it."""
        elbv2, arn = aws.client("elbv2"), observed.attributes["arn"]
        if SUPERSEDED_TAG in (unless(GONE, tags_of, aws, [arn]) or {}).get(arn, {}):
            current = self.read(aws, [Wanted(observed.name)]).get(observed.name)
            handover.complete(aws, observed, current if current is not None and current.exists else None)
        _delete(elbv2, arn)


def _could_be(aws_name: str, wanted: Sequence[Wanted]) -> str | None:
    """The wanted name that a target group of this AWS name may have: before the tags are read, to read few."""
    for item in wanted:
        start = _start(item.name)
        if aws_name == item.name or (aws_name.startswith(start) and SUFFIX.fullmatch(aws_name[len(start) :])):
            return item.name
    return None


def _start(name: str) -> str:
    """As much of a declared name as leaves room for the suffix."""
    return name[: LONGEST_NAME - len("-1a2b3c")].rstrip("-")


def _new_name(name: str) -> str:
    return f"{_start(name)}-{secrets.token_hex(3)}"


def _observe(item: Mapping[str, Any], labels: dict[str, str], declared: Collection[str]) -> Observed:
    """By its Name tag; one that others made by its name in AWS, whatever they put into that tag."""
    properties = {name: item[name] for name in (*FIXED, *HEALTH_CHECK) if name in item}
    name = labels.get(tags.NAME_TAG, "")
    return Observed(name if name in declared else item["TargetGroupName"], properties, _attributes(item), labels)


def _attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    arn = item["TargetGroupArn"]
    return {"id": item["TargetGroupName"], "arn": arn, "name": item["TargetGroupName"], "full_name": full_name(arn)}


def _set_attributes(elbv2: Any, arn: str, attributes: Mapping[str, Any]) -> None:
    for some in attribute_lists(attributes):
        elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=some)


def _delete(elbv2: Any, arn: str) -> None:
    """AWS notices only after some seconds that the last listener or rule is gone."""
    refused: dict[str, str] = {}

    def attempt() -> bool:
        try:
            unless(GONE, elbv2.delete_target_group, TargetGroupArn=arn)
        except exceptions.ClientError as error:
            if code_of(error) != IN_USE:
                raise
            refused["why"] = error.response["Error"]["Message"]
            return False
        return True

    try:
        wait_for(attempt, f"target group {arn} to be free", IN_USE_TIMEOUT)
    except AwsError as error:
        raise StillInUse(refused.get("why", str(error))) from error
