# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DynamoDB tables: what is read, and in which steps they are changed and deleted."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed, Resource, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.resources.dynamodb import BACKUPS, DynamodbTable

KIND = DynamodbTable()
TABLE = {
    "TableName": "locks",
    "TableArn": "arn:locks",
    "TableStatus": "ACTIVE",
    "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
}
NOT_FOUND = ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "Call")


class Client:
    """Notes its calls and answers from a table; of a list, one after the other, and the last again and again."""

    def __init__(self, **answers):
        self.answers, self.calls = answers, []

    def __getattr__(self, name):
        def call(**arguments):
            self.calls.append((name, arguments))
            answer = self.answers.get(name, {})
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def get_paginator(self, name):
        return SimpleNamespace(paginate=lambda **arguments: [getattr(self, name)(**arguments)])

    def writes(self):
        return [name for name, _arguments in self.calls if not name.startswith(("describe", "list"))]


def aws(client):
    return SimpleNamespace(client=lambda _service: client, once=lambda _service: client, progress=print)


def observed(table, backups=None):
    answer = {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": backups or {}}}
    client = Client(describe_table={"Table": {**TABLE, **table}}, describe_continuous_backups=answer)
    return KIND.read(aws(client), [Wanted("locks", {}, {"BillingMode": "PAY_PER_REQUEST"})]).get("locks")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, {"BillingMode": "PROVISIONED"}),
        ({"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}, {"BillingMode": "PAY_PER_REQUEST"}),
        ({"DeletionProtectionEnabled": True}, {"DeletionProtectionEnabled": True}),
        ({}, {"SSESpecification": {"Enabled": False}}),
        ({"SSEDescription": {"Status": "DISABLED"}}, {"SSESpecification": {"Enabled": False}}),
        (
            {"SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": "arn:key"}},
            {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "arn:key"}},
        ),
    ],
)
def test_what_describe_table_leaves_out_is_the_default(table, expected):
    assert expected.items() <= observed(table).properties.items()


def test_recovery_is_read_in_the_form_in_which_it_is_written():
    found = observed({}, {"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 35})
    assert found.properties[BACKUPS] == {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}
    declared = {BACKUPS: {"PointInTimeRecoveryEnabled": True}}
    assert KIND.differences(KIND.canonical(declared), KIND.canonical(found.properties), {}) == []


def test_a_table_that_is_being_deleted_is_none():
    assert observed({"TableStatus": "DELETING"}) is None


def test_another_hash_key_would_replace_the_table():
    declared = {"KeySchema": [{"AttributeName": "Other", "KeyType": "HASH"}]}
    (found,) = KIND.differences(declared, {"KeySchema": TABLE["KeySchema"]}, {})
    assert found.replaces
    assert KIND.holds_data


def test_each_field_is_updated_in_a_call_of_its_own():
    client = Client(describe_table={"Table": TABLE}, update_continuous_backups={"ok": True})
    declared = {
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        BACKUPS: {"PointInTimeRecoveryEnabled": True},
    }
    resource = Resource("dynamodb_table", "locks", declared)
    KIND.update(aws(client), resource, Observed("locks", {}, {}), KIND.differences(declared, {}, {}))
    assert client.writes() == ["update_table", "update_table", "update_continuous_backups"]


def test_a_new_table_is_waited_for_before_its_backups_are_set():
    unavailable = ClientError({"Error": {"Code": "ContinuousBackupsUnavailableException", "Message": ""}}, "Call")
    client = Client(
        create_table={"TableDescription": {**TABLE, "TableStatus": "CREATING"}},
        describe_table=[{"Table": {**TABLE, "TableStatus": "CREATING"}}, {"Table": TABLE}],
        update_continuous_backups=[unavailable, {"ok": True}],
    )
    resource = Resource("dynamodb_table", "locks", {BACKUPS: {"PointInTimeRecoveryEnabled": True}}, tags={"a": "b"})
    assert KIND.create(aws(client), resource) == {"id": "locks", "name": "locks", "arn": "arn:locks"}
    assert client.calls[0][1]["Tags"] == [{"Key": "a", "Value": "b"}]
    assert [name for name, _arguments in client.calls].count("describe_table") == 2
    assert client.writes()[-2:] == ["update_continuous_backups", "update_continuous_backups"]


@pytest.mark.parametrize(("declared", "refused"), [({}, True), ({"DeletionProtectionEnabled": True}, True)])
def test_deletion_protection_is_told_before_anything_is_deleted(declared, refused):
    protected = Observed("locks", {"DeletionProtectionEnabled": True}, {})
    assert bool(KIND.refuses_delete(Resource("dynamodb_table", "locks", declared), protected)) is refused


def test_protection_that_is_declared_off_goes_with_the_table():
    protected = Observed("locks", {"DeletionProtectionEnabled": True}, {})
    resource = Resource("dynamodb_table", "locks", {"DeletionProtectionEnabled": False})
    assert KIND.refuses_delete(resource, protected) is None
    client = Client(describe_table=[{"Table": TABLE}, NOT_FOUND])
    KIND.delete(aws(client), resource, protected)
    assert client.writes() == ["update_table", "delete_table"]


def test_a_change_waits_for_the_one_before_it():
    busy = ClientError({"Error": {"Code": "ResourceInUseException", "Message": ""}}, "UpdateTable")
    client = Client(describe_table={"Table": TABLE}, update_table=[busy, {}])
    declared = Resource("dynamodb_table", "locks", {"DeletionProtectionEnabled": True})
    found = KIND.differences(declared.properties, {"DeletionProtectionEnabled": False}, {})
    KIND.update(aws(client), declared, Observed("locks", {}, {}), found)
    assert client.writes() == ["update_table"] * 2
