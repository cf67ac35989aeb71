# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon DynamoDB: tables on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import all_of, each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)

GONE = "ResourceNotFoundException"
ACTIVE_SECONDS = 600
BACKUPS = "PointInTimeRecoverySpecification"
# Each is an UpdateTable of its own, because not every pair of them may go into one call.
IN_UPDATE_TABLE = ("BillingMode", "DeletionProtectionEnabled", "SSESpecification", "TableClass")
IN_CREATE = (*IN_UPDATE_TABLE, "AttributeDefinitions", "KeySchema")


class DynamodbTable(Kind):
    """A table with its encryption, deletion protection and point-in-time recovery."""

    kind = "dynamodb_table"
    label = "DynamoDB table"
    immutable = frozenset({"KeySchema", "AttributeDefinitions"})
    holds_data = True
    defaults = {
        "DeletionProtectionEnabled": False,
        "SSESpecification": {"Enabled": False},
        BACKUPS: {"PointInTimeRecoveryEnabled": False},
    }

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = each(lambda item: _observe(aws, item), wanted)
        return {item.name: item for item in found if item is not None}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if result.get("AttributeDefinitions"):
            definitions = result["AttributeDefinitions"]
            result["AttributeDefinitions"] = sorted(definitions, key=lambda item: str(item["AttributeName"]))
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        given = {name: resource.properties[name] for name in IN_CREATE if name in resource.properties}
        table = aws.once("dynamodb").create_table(TableName=resource.name, Tags=tags.to_list(resource.tags), **given)[
            "TableDescription"
        ]
        _wait_until_active(aws, resource.name)
        if BACKUPS in resource.properties:
            _set_backups(aws, resource.name, resource.properties[BACKUPS])
        return _attributes(table)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        changed, properties = top_level(differences), {**self.defaults, **resource.properties}
        for name in IN_UPDATE_TABLE:
            if name in changed:
                _wait_until_active(aws, resource.name)
                _update(aws, resource.name, name, properties[name])
        _wait_until_active(aws, resource.name)
        if BACKUPS in changed:
            _set_backups(aws, resource.name, properties[BACKUPS])

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        dynamodb, arn = aws.client("dynamodb"), observed.attributes["arn"]
        if add:
            dynamodb.tag_resource(ResourceArn=arn, Tags=tags.to_list(add))
        if remove:
            dynamodb.untag_resource(ResourceArn=arn, TagKeys=list(remove))

    def refuses_delete(self, resource: Resource, observed: Observed) -> str | None:
        """A declaration that says the protection is off may go together with the deletion."""
        on = observed.properties.get("DeletionProtectionEnabled")
        if on and resource.properties.get("DeletionProtectionEnabled") is not False:
            return "its deletion protection is on; declare deletion_protection_enabled: false"
        return None

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        dynamodb, name = aws.client("dynamodb"), observed.name
        if observed.properties.get("DeletionProtectionEnabled"):
            unless(GONE, dynamodb.update_table, TableName=name, DeletionProtectionEnabled=False)
            _wait_until_active(aws, name)
        unless(GONE, dynamodb.delete_table, TableName=name)
        wait_for(lambda: _describe(dynamodb, name) is None, f"table {name} to be gone", ACTIVE_SECONDS)


def _describe(dynamodb: Any, name: str) -> dict[str, Any] | None:
    answer = unless(GONE, dynamodb.describe_table, TableName=name)
    return answer["Table"] if answer else None


def _attributes(table: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": table["TableName"], "name": table["TableName"], "arn": table["TableArn"]}


def _observe(aws: Aws, wanted: Wanted) -> Observed | None:
    dynamodb = aws.client("dynamodb")
    table = _describe(dynamodb, wanted.name)
    if table is None or table["TableStatus"] == "DELETING":
        return None
    properties = {
        "KeySchema": table["KeySchema"],
        "AttributeDefinitions": table["AttributeDefinitions"],
        "BillingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        "DeletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
        "SSESpecification": _encryption(table.get("SSEDescription")),
        "TableClass": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
    }
    if not wanted.properties:
        return Observed(wanted.name, properties, _attributes(table), {})
    readers: tuple[Callable[[], Any], ...] = (
        lambda: pages(dynamodb, "list_tags_of_resource", "Tags", ResourceArn=table["TableArn"]),
        lambda: _backups(dynamodb, wanted.name),
    )
    labels, properties[BACKUPS] = all_of(*readers)
    return Observed(wanted.name, properties, _attributes(table), tags.from_list(labels))


def _encryption(description: Mapping[str, Any] | None) -> dict[str, Any]:
    """Without a description the table is encrypted with a key that DynamoDB owns."""
    if not description or description.get("Status") in ("DISABLED", "DISABLING"):
        return {"Enabled": False}
    return {
        "Enabled": True,
        "SSEType": description.get("SSEType", "KMS"),
        "KMSMasterKeyId": description.get("KMSMasterKeyArn"),
    }


def _backups(dynamodb: Any, name: str) -> dict[str, Any]:
    answer = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = answer.get("PointInTimeRecoveryDescription", {})
    result: dict[str, Any] = {"PointInTimeRecoveryEnabled": recovery.get("PointInTimeRecoveryStatus") == "ENABLED"}
    if "RecoveryPeriodInDays" in recovery:
        result["RecoveryPeriodInDays"] = recovery["RecoveryPeriodInDays"]
    return result


def _set_backups(aws: Aws, name: str, specification: Mapping[str, Any]) -> None:
    """Backups of a table that was just made are not available for a few seconds."""
    dynamodb = aws.client("dynamodb")

    def attempt() -> Any:
        arguments = {"TableName": name, BACKUPS: dict(specification)}
        return unless("ContinuousBackupsUnavailableException", dynamodb.update_continuous_backups, **arguments)

    wait_for(attempt, f"continuous backups of table {name} to become available", ACTIVE_SECONDS)


def _update(aws: Aws, table: str, name: str, value: Any) -> None:
    """DescribeTable may still say ACTIVE for a moment after a change has begun."""
    update = aws.client("dynamodb").update_table
    arguments = {"TableName": table, name: value}
    wait_for(
        lambda: unless("ResourceInUseException", update, **arguments), f"table {table} to take a change", ACTIVE_SECONDS
    )


def _wait_until_active(aws: Aws, name: str) -> None:
    """ACTIVE, and with no change of encryption under way."""
    dynamodb = aws.client("dynamodb")
    seen = {"status": "not there"}

    def look() -> bool:
        table = _describe(dynamodb, name) or {"TableStatus": "not there"}
        encryption = table.get("SSEDescription", {}).get("Status", "ENABLED")
        seen["status"] = f"table {table['TableStatus']}, encryption {encryption}"
        return table["TableStatus"] == "ACTIVE" and encryption in ("ENABLED", "DISABLED")

    wait_for(look, f"table {name} to become ACTIVE", ACTIVE_SECONDS, lambda: seen["status"])


KINDS = (DynamodbTable,)
