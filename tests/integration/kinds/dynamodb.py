# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DynamoDB tables: every change that AWS lets one make, alone."""

from __future__ import annotations

from typing import Any

KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-00000000000{}"
ADDRESS = "dynamodb_table/dockyard-test-locks"
BASE: dict[str, Any] = {"name": "dockyard-test-locks", "protect": False, "tags": {"Team": "platform"}}


def declared(**changes: Any) -> dict[str, Any]:
    bucket = {"name": "dockyard-test-state", "protect": False}
    return {"state_bucket": {"art": {"bucket": bucket, "lock_table": {**BASE, **changes}}}}


def update(name: str, *paths: str, **changes: Any) -> dict[str, Any]:
    return {"id": f"dynamodb {name}", "declared": declared(**changes), "address": ADDRESS, "paths": list(paths)}


def encrypted(number: int) -> dict[str, Any]:
    return {"enabled": True, "kms_master_key_id": KEY.format(number)}


RECOVERY = "PointInTimeRecoverySpecification"
CASES: list[dict[str, Any]] = [
    {
        "id": "dynamodb table",
        "kind": "dynamodb_table",
        "declared": declared(),
        "updates": [
            update("deletion protection", "DeletionProtectionEnabled", deletion_protection_enabled=True),
            update("no recovery", f"{RECOVERY}.PointInTimeRecoveryEnabled", point_in_time_recovery=False),
            update("recovery period", f"{RECOVERY}.RecoveryPeriodInDays", recovery_period_in_days=7) | {"back": False},
            update("tags", "tags.Team", tags={"Team": "state"}),
        ],
    },
    {
        "id": "dynamodb table with a KMS key",
        "kind": "dynamodb_table",
        "declared": declared(sse_specification=encrypted(1), deletion_protection_enabled=False),
        "updates": [
            update("another key", "SSESpecification.KMSMasterKeyId", sse_specification=encrypted(2)),
            update("DynamoDB's own key", "SSESpecification.Enabled", sse_specification={"enabled": False}),
        ],
    },
    {
        "id": "dynamodb table that is protected",
        "kind": "dynamodb_table",
        "declared": declared(deletion_protection_enabled=True),
        # The declaration that goes with the destruction takes the protection away.
        "destroyed": declared(),
    },
]
