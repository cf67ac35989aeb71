# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of DynamoDB."""

from __future__ import annotations

import uuid
from typing import Any

from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from emulator.patching import replace


@replace(Table, "describe")
def describe(original: Any, self: Any, base_key: str = "TableDescription") -> dict[str, Any]:
    """AWS answers TableId, and TableClassSummary once the class was set; on demand the throughput is 0.

    moto left out the first two and kept the numbers of a provisioned past.
    """
    result: dict[str, Any] = original(self, base_key=base_key)
    table = result[base_key]
    if not hasattr(self, "table_id"):
        self.table_id = str(uuid.uuid4())
    table["TableId"] = self.table_id
    if getattr(self, "table_class", None):
        table["TableClassSummary"] = {"TableClass": self.table_class}
    if self.billing_mode == "PAY_PER_REQUEST":
        zero = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
        table["ProvisionedThroughput"] = {**table["ProvisionedThroughput"], **zero}
    else:
        table.pop("BillingModeSummary", None)
    table["ProvisionedThroughput"].setdefault("NumberOfDecreasesToday", 0)
    return result


@replace(DynamoHandler, "create_table")
def create_table(original: Any, self: Any) -> Any:
    """TableClass is kept: moto ignored it."""
    result = original(self)
    if self.body.get("TableClass"):
        self.dynamodb_backend.get_table(self.body["TableName"]).table_class = self.body["TableClass"]
    return result


@replace(DynamoHandler, "update_table")
def update_table(original: Any, self: Any) -> Any:
    """TableClass and SSESpecification are updatable: moto ignored both."""
    table = self.dynamodb_backend.get_table(self.body["TableName"])
    if self.body.get("TableClass"):
        table.table_class = self.body["TableClass"]
    specification = self.body.get("SSESpecification")
    if specification:
        default = table._get_default_encryption_key(table.account_id, table.region_name)
        table.sse_specification = {"KMSMasterKeyId": default, **specification}
    return original(self)
