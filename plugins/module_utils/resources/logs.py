# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon CloudWatch Logs: log groups."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)

GONE = "ResourceNotFoundException"


class LogGroup(Kind):
    """A log group with its retention, encryption and deletion protection."""

    kind = "log_group"
    label = "CloudWatch Logs log group"
    immutable = frozenset({"logGroupClass"})
    holds_data = True
    defaults = {"retentionInDays": None, "kmsKeyId": None, "deletionProtectionEnabled": False}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        logs = aws.client("logs")
        names = {item.name for item in wanted}
        # One paginated call for all of them: log groups of a platform usually begin alike (/ecs/…).
        prefix = os.path.commonprefix(sorted(names))
        narrowed = {"logGroupNamePrefix": prefix} if prefix else {}
        found = [
            item
            for item in pages(logs, "describe_log_groups", "logGroups", **narrowed)
            if item["logGroupName"] in names
        ]
        return {item.name: item for item in each(lambda group: _observe(logs, group), found)}

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        logs, properties = aws.client("logs"), resource.properties
        in_create = ("kmsKeyId", "logGroupClass", "deletionProtectionEnabled")
        # An earlier attempt whose answer was lost has made it already.
        unless(
            "ResourceAlreadyExistsException",
            logs.create_log_group,
            logGroupName=resource.name,
            tags=resource.tags,
            **{name: properties[name] for name in in_create if properties.get(name)},
        )
        if properties.get("retentionInDays"):
            logs.put_retention_policy(logGroupName=resource.name, retentionInDays=properties["retentionInDays"])
        arn = f"arn:{aws.partition}:logs:{aws.region}:{aws.account_id}:log-group:{resource.name}"
        return {"id": resource.name, "name": resource.name, "arn": arn}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        logs, name, properties = aws.client("logs"), resource.name, resource.properties
        changed = top_level(differences)
        if "retentionInDays" in changed:
            days = properties.get("retentionInDays")
            if days:
                logs.put_retention_policy(logGroupName=name, retentionInDays=days)
            else:
                unless(GONE, logs.delete_retention_policy, logGroupName=name)
        if "kmsKeyId" in changed:
            key = properties.get("kmsKeyId")
            if key:
                logs.associate_kms_key(logGroupName=name, kmsKeyId=key)
            else:
                logs.disassociate_kms_key(logGroupName=name)
        if "deletionProtectionEnabled" in changed:
            enabled = bool(properties.get("deletionProtectionEnabled"))
            logs.put_log_group_deletion_protection(logGroupIdentifier=name, deletionProtectionEnabled=enabled)

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        logs, arn = aws.client("logs"), observed.attributes["arn"]
        if add:
            logs.tag_resource(resourceArn=arn, tags=dict(add))
        if remove:
            logs.untag_resource(resourceArn=arn, tagKeys=list(remove))

    def refuses_delete(self, resource: Resource, observed: Observed) -> str | None:
        if observed.properties.get("deletionProtectionEnabled"):
            return "its deletion protection is on; set deletion_protection_enabled: false and run site.yml first"
        return None

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        unless(GONE, aws.client("logs").delete_log_group, logGroupName=observed.name)


def _observe(logs: Any, group: Mapping[str, Any]) -> Observed:
    arn = group.get("logGroupArn") or group["arn"].removesuffix(":*")
    properties = {
        "retentionInDays": group.get("retentionInDays"),
        "kmsKeyId": group.get("kmsKeyId"),
        "logGroupClass": group.get("logGroupClass", "STANDARD"),
        "deletionProtectionEnabled": group.get("deletionProtectionEnabled", False),
    }
    attributes = {"id": group["logGroupName"], "name": group["logGroupName"], "arn": arn}
    labels = logs.list_tags_for_resource(resourceArn=arn)["tags"]
    own = {key: value for key, value in labels.items() if not key.startswith("aws:")}
    return Observed(group["logGroupName"], properties, attributes, own)


KINDS = (LogGroup,)
