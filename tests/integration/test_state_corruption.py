# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents, digests, bucket and table that are not as a run left them: an error or a rebuild, and nothing is lost."""

from __future__ import annotations

import json
import shutil

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.state import document, s3_store
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art
from tests.integration.state_helpers import md5

BUCKET, TABLE = "art-service-terraform-state", "art-service-terraform-locks"
SETTING = {"bucket": BUCKET, "lock_table": TABLE}
MEMORY, OUTPUTS = Paths().memory("ecr"), Paths().outputs("ecr", "a")
ECR = {
    "ecr": {
        "a": {"repositories": [{"name": "alpha", "tags": {"Team": "one"}}]},
        "b": {"repositories": [{"name": "beta"}]},
    }
}
CHANGED = {
    "ecr": {
        **ECR["ecr"],
        "a": {"repositories": [{"name": "alpha", "tags": {"Team": "two"}}]},
    }
}


@pytest.fixture
def options(runner, tmp_path, monkeypatch):
    """An environment with its state, made by runs without trouble."""
    monkeypatch.setattr(s3_store, "MISMATCH_PAUSES", (0.0, 0.0))
    folder = shutil.copytree(art.INVENTORY, tmp_path / "art")
    found = {"base_dir": str(folder), "remote_state": SETTING}
    runner.make(art.declared("state_bucket"), **found)
    runner.make(ECR, **found)
    return found


class State:
    """The state as somebody finds it who does not care about locks."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.s3, self.dynamodb = emulator.client("s3"), emulator.client("dynamodb")

    def body(self, key=MEMORY):
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def put(self, body, key=MEMORY, digest=True):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        if digest:
            self.put_digest(md5(body), key)

    def put_digest(self, digest, key=MEMORY):
        item = {"LockID": {"S": f"{BUCKET}/{key}-md5"}, "Digest": {"S": digest}}
        self.dynamodb.put_item(TableName=TABLE, Item=item)

    def drop_digest(self, key=MEMORY):
        self.dynamodb.delete_item(TableName=TABLE, Key={"LockID": {"S": f"{BUCKET}/{key}-md5"}})

    def edit(self, key=MEMORY, ours=None, **values):
        data = json.loads(self.body(key))
        data.update(values)
        data["dockyard"].update(ours or {})
        self.put(json.dumps(data).encode(), key)

    def without_memory(self, key=MEMORY):
        data = json.loads(self.body(key))
        del data["dockyard"]
        self.put(json.dumps(data).encode(), key)

    def delete_bucket(self):
        for item in self.s3.list_object_versions(Bucket=BUCKET)["Versions"]:
            self.s3.delete_object(Bucket=BUCKET, Key=item["Key"], VersionId=item["VersionId"])
        self.s3.delete_bucket(Bucket=BUCKET)

    def delete_table(self):
        self.dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
        self.dynamodb.delete_table(TableName=TABLE)

    def locks(self):
        return [item for item in self.dynamodb.scan(TableName=TABLE)["Items"] if "Info" in item]


@pytest.fixture
def state(options, emulator):
    return State(emulator)


def writes(emulator):
    return [f"{item['service']}:{item['action']}" for item in emulator.calls()["calls"] if item["mutating"]]


REFUSED = {
    "empty": (lambda state: state.put(b""), "is empty \\(0 bytes\\)"),
    "truncated": (lambda state: state.put(state.body()[:-400]), "is truncated: the JSON in it ends after"),
    "no JSON": (lambda state: state.put(b"<html>"), "is no JSON"),
    "another file": (lambda state: state.put(b"[1]"), "is no Terraform state: it holds a list"),
    "newer version": (
        lambda state: state.edit(version=5),
        "has the state version 5; this collection knows versions up",
    ),
    "older version": (lambda state: state.edit(version=3), "has the state version 3 of an old Terraform"),
    "newer format": (lambda state: state.edit(ours={"format": 2}), "was written by a newer release of this collection"),
    "wrong values": (lambda state: state.edit(ours={"resources": {"x": 1}}), "an address has the form kind/name"),
    "encrypted": (lambda state: state.edit(encrypted_data="x"), "OpenTofu has encrypted"),
    "other environment": (
        lambda state: state.edit(ours={"environment": "production"}),
        "is the state of the environment 'production', layer 'ecr', and not of 'test', 'ecr'",
    ),
    "other layer": (lambda state: state.edit(ours={"layer": "alb"}), "'test', layer 'alb', and not of 'test', 'ecr'"),
    "wrong digest": (
        lambda state: state.put_digest("0" * 32),
        "has the MD5 digest [0-9a-f]{32}, and the lock table has",
    ),
    "changed by hand": (
        lambda state: state.put(state.body().replace(b"alpha", b"gamma"), digest=False),
        "it was changed by hand or by another tool, or is being written right now",
    ),
    "truncated outputs": (lambda state: state.put(state.body(OUTPUTS)[:99], OUTPUTS), "is truncated"),
    "outputs of others": (
        lambda state: state.edit(OUTPUTS, {"environment": "production"}),
        "is the state of the environment 'production'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_understood_is_refused_before_anything_is_written(runner, emulator, options, state, case):
    corrupt, message = REFUSED[case]
    good = {key: state.body(key) for key in (MEMORY, OUTPUTS)}
    corrupt(state)
    bad = {key: state.body(key) for key in (MEMORY, OUTPUTS)}
    emulator.reset_calls()
    with pytest.raises(StateError, match=f"s3://{BUCKET}/ecs/ecr-repositories/.*{message}"):
        runner.run(CHANGED, **options)
    assert writes(emulator) == [] and bad == {key: state.body(key) for key in (MEMORY, OUTPUTS)}
    for key, body in good.items():
        state.put(body, key)
    assert runner.run(ECR, **options).changes == []
    assert runner.make(CHANGED, **options).done == [("update", "ecr_repository", "alpha")]


REBUILT = {
    "deleted": lambda state: state.s3.delete_object(Bucket=BUCKET, Key=MEMORY),
    "deleted, its digest too": lambda state: (
        state.s3.delete_object(Bucket=BUCKET, Key=MEMORY),
        state.drop_digest(),
    ),
    "outputs deleted": lambda state: state.s3.delete_object(Bucket=BUCKET, Key=OUTPUTS),
    "written by Terraform": lambda state: state.without_memory(),
    "outputs written by Terraform": lambda state: state.edit(OUTPUTS, outputs={}),
    "of another lineage": lambda state: state.edit(lineage="11111111-2222", ours={"resources": {}}),
    "nothing in it": lambda state: state.edit(ours={"resources": {}, "outputs": {}}),
}


@pytest.mark.parametrize("case", REBUILT)
def test_what_is_lost_is_made_anew_from_aws(runner, emulator, options, state, case):
    """Without a change in AWS, whether anything is to be changed or not."""
    resources = document.parse(state.body(), "x").memory.resources
    outputs = document.parse(state.body(OUTPUTS), "x").outputs
    REBUILT[case](state)
    emulator.reset_calls()
    run = runner.run(ECR, **options)
    assert (run.changes, run.failures) == ([], {})
    assert set(writes(emulator)) == {"s3:PutObject", "dynamodb:PutItem", "dynamodb:DeleteItem"}
    assert document.parse(state.body(), "x").memory.resources == resources
    assert document.parse(state.body(OUTPUTS), "x").outputs == outputs
    assert state.locks() == []
    emulator.reset_calls()
    assert runner.run(ECR, **options).changes == [] and writes(emulator) == []


@pytest.mark.parametrize("case", REBUILT)
def test_what_is_lost_does_not_stop_a_change(runner, options, state, case):
    REBUILT[case](state)
    assert runner.make(CHANGED, **options).done == [("update", "ecr_repository", "alpha")]
    found = {str(address): entry for address, entry in document.parse(state.body(), "x").memory.resources.items()}
    assert set(found) == {"ecr_repository/alpha", "ecr_repository/beta"}
    assert found["ecr_repository/alpha"].tags["Team"] == "two"
    assert set(document.parse(state.body(OUTPUTS), "x").outputs["ecr_repository"].value) == {"alpha"}


def test_a_missing_digest_stops_nobody_and_comes_with_the_next_write(runner, emulator, options, state):
    state.drop_digest()
    emulator.reset_calls()
    assert runner.run(ECR, **options).changes == [] and writes(emulator) == []
    runner.make(CHANGED, **options)
    [item] = [
        item
        for item in state.dynamodb.scan(TableName=TABLE)["Items"]
        if item["LockID"]["S"] == f"{BUCKET}/{MEMORY}-md5"
    ]
    assert item["Digest"]["S"] == md5(state.body())


def test_another_lineage_is_kept_and_counted_on(runner, options, state):
    state.edit(lineage="11111111-2222", serial=70)
    runner.make(CHANGED, **options)
    found = document.parse(state.body(), "x")
    assert found.lineage == "11111111-2222" and found.serial > 70


def test_without_its_bucket_the_state_begins_anew_and_moves_in_when_there_is_one(runner, emulator, options, state):
    state.delete_bucket()
    assert runner.make(CHANGED, **options).done == [("update", "ecr_repository", "alpha")]
    runner.make(art.declared("state_bucket"), **options)
    emulator.reset_calls()
    everything = {**CHANGED, **art.declared("state_bucket")}
    assert runner.run(everything, **options).changes == []
    assert document.parse(state.body(), "x").memory.resources.keys()
    runner.run(everything, **options)
    emulator.reset_calls()
    assert runner.run(everything, **options).changes == [] and writes(emulator) == []


def test_without_its_lock_table_nothing_is_written_until_there_is_one(runner, emulator, options, state):
    state.delete_table()
    before = state.body()
    assert runner.run(ECR, **options).changes == []
    emulator.reset_calls()
    refused = runner.run(CHANGED, **options)
    assert set(refused.failures) == {"a", "b"} and refused.done == []
    assert "there is no such table; the layer state_bucket makes it" in refused.failures["a"]
    assert set(writes(emulator)) == {"dynamodb:PutItem", "dynamodb:DeleteItem"} and state.body() == before
    runner.make(art.declared("state_bucket"), **options)
    assert runner.make(CHANGED, **options).done == [("update", "ecr_repository", "alpha")]
    assert state.locks() == []


def test_versioning_that_was_suspended_is_brought_back_and_hinders_nobody(runner, options, state):
    state.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    assert runner.make(CHANGED, **options).done == [("update", "ecr_repository", "alpha")]
    assert runner.make(ECR, **options).done == [("update", "ecr_repository", "alpha")]
    done = runner.make(art.declared("state_bucket"), **options)
    assert done.done == [("update", "s3_bucket", BUCKET)]
    assert done.changes[0]["reason"] == "drift"
    assert state.s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
