# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking after the state: what is listed and compared, restored, unlocked, and taken elsewhere."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import migrating
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import run as state_actions
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import NoSuchLock, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock import Lock
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_places import LocalLock
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Memory
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art
from tests.integration.playbooks import play
from tests.integration.state_helpers import connect

BUCKET, TABLE, OTHER = "art-service-terraform-state", "art-service-terraform-locks", "other-state"
SETTING = {"bucket": BUCKET, "lock_table": TABLE}
PATHS = Paths()
MEMORY, OUTPUTS = PATHS.memory("ecr"), PATHS.outputs("ecr", "a")
THEIRS = "shop/database/terraform.tfstate"
ECR = {"ecr": {"a": {"repositories": [{"name": "alpha"}]}, "b": {"repositories": [{"name": "beta"}]}}}
KEPT = {"ecr": {"a": {"repositories": [{"name": "alpha", "keep_images": 5}]}, "b": ECR["ecr"]["b"]}}


@pytest.fixture(scope="module")
def aws(emulator_process):
    return connect(emulator_process)


@pytest.fixture
def home(runner, tmp_path):
    """Bucket, table, and a layer with three versions: intended, made, and one field more."""
    options = {"base_dir": str(tmp_path), "remote_state": SETTING}
    runner.make(art.declared("state_bucket"))
    runner.make(ECR, **options)
    runner.make(KEPT, **options)
    return options


@pytest.fixture
def act(runner, aws, tmp_path, monkeypatch):
    """The module state, without ansible-playbook around it, on sessions that are made once."""
    monkeypatch.setattr(state_actions, "Sessions", lambda *arguments: SimpleNamespace(aws=lambda layer: aws))

    def run(action, check_mode=False, **options):
        defaults = {name: option.get("default") for name, option in state_actions.ARGUMENT_SPEC.items()}
        given = {
            "environment_name": "test",
            "account_id": runner.emulator.account,
            "region": "us-east-1",
            "endpoint_url": runner.emulator.url,
            "base_dir": str(tmp_path),
            "remote_state": SETTING,
        }
        return state_actions.run({**defaults, **given, "action": action, **options}, check_mode, runner.progress.append)

    return run


@pytest.fixture
def other(emulator):
    emulator.client("s3").create_bucket(Bucket=OTHER)
    return {"bucket": OTHER, "lock": "s3", "prefix": "art/eu"}


def body(emulator, key, bucket=BUCKET):
    return emulator.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def read(emulator, key, bucket=BUCKET):
    return document.parse(body(emulator, key, bucket), key)


def put(emulator, key, data, bucket=BUCKET):
    emulator.client("s3").put_object(Bucket=bucket, Key=key, Body=data)


def keys(emulator, bucket=BUCKET):
    return [item["Key"] for item in emulator.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())]


def writes(emulator):
    return [f"{item['service']}:{item['action']}" for item in emulator.calls()["calls"] if item["mutating"]]


def lock(aws, key=MEMORY, backend=None):
    return (backend or Backend(BUCKET, TABLE)).lock(aws, key)


def digest_fits(aws, key):
    return Backend(BUCKET, TABLE).store(aws).read(key).warning == ""


# Looking


def test_list_names_every_document_and_what_else_lies_there(act, home, emulator):
    put(emulator, THEIRS, b"{}")
    put(emulator, PATHS.memory("iam"), b"{broken")
    found = act("list")
    by_key = {item["key"]: item for item in found["documents"]}
    assert set(by_key) == {MEMORY, OUTPUTS, PATHS.outputs("ecr", "b"), PATHS.memory("iam")}
    assert (by_key[MEMORY]["serial"], by_key[MEMORY]["resources"], by_key[MEMORY]["host"]) == (3, 2, "")
    assert (by_key[OUTPUTS]["outputs"], by_key[OUTPUTS]["host"], by_key[OUTPUTS]["layer"]) == (1, "a", "ecr")
    assert "is no JSON" in by_key[PATHS.memory("iam")]["problem"]
    assert found["others"] == [f"s3://{BUCKET}/{THEIRS}"]
    assert {item["layer"] for item in act("list", layer="ecr")["documents"]} == {"ecr"}


def test_show_says_what_is_remembered(act, home):
    shown = act("show", layer="ecr")
    assert [(item["address"], item["host"], item["id"]) for item in shown["resources"]] == [
        ("ecr_repository/alpha", "a", "alpha"),
        ("ecr_repository/beta", "b", "beta"),
    ]
    assert shown["serial"] == 3 and shown["lineage"] and shown["environment"] == "test"
    value = act("show", layer="ecr", host="a")["outputs"]["ecr_repository"]["value"]
    assert value["alpha"]["arn"].endswith(":repository/alpha")
    assert act("show", layer="ecr", version="1")["resources"][0]["pending"] == "create"
    assert act("show", key=MEMORY) == act("show", key=f"s3://{BUCKET}/{MEMORY}") == shown


def test_sensitive_outputs_are_never_shown(act, home, emulator):
    outputs = {"password": Output("hunter2", sensitive=True), "url": Output("https://u:hunter2@x/"), "port": Output(1)}
    put(emulator, THEIRS, document.render(Document("l", 1, outputs)))
    put(emulator, THEIRS, document.render(Document("l", 2, {**outputs, "password": Output("hunter3", True)})))
    shown, found = act("show", key=THEIRS), act("diff", key=THEIRS)
    assert shown["outputs"]["port"] == {"value": 1, "sensitive": False}
    assert shown["outputs"]["password"] == {"value": "(sensitive)", "sensitive": True}
    assert [item["name"] for item in found["differences"]] == ["password"]
    assert "hunter" not in json.dumps([shown, found])


def test_history_lists_versions_with_who_and_what_for(act, home, emulator):
    found = act("history", layer="ecr")["versions"]
    assert [(item["serial"], item["operation"], item["latest"]) for item in found] == [
        (3, "apply ecr", True),
        (2, "apply ecr", False),
        (1, "apply ecr", False),
    ]
    assert all("@" in item["who"] and item["lineage"] == found[0]["lineage"] and item["size"] for item in found)
    assert found[0]["modified"].endswith("Z") and found[0]["resources"] == 2
    assert len(act("history", layer="ecr", limit=1)["versions"]) == 1
    put(emulator, MEMORY, b"")
    emulator.client("s3").delete_object(Bucket=BUCKET, Key=MEMORY)
    gone, empty, *_rest = act("history", layer="ecr")["versions"]
    assert gone["deleted"] and gone["serial"] is None and "is empty" in empty["problem"]


def test_diff_is_field_by_field(act, home):
    found = act("diff", layer="ecr")
    [change] = found["differences"]
    assert (change["action"], change["kind"], change["name"]) == ("update", "ecr_repository", "alpha")
    assert [item["path"] for item in change["differences"]] == ["lifecyclePolicy"]
    first = act("diff", layer="ecr", versions=["1", "2"])["differences"]
    assert {item["path"] for change in first for item in change["differences"]} >= {"pending", "attributes"}
    [back] = act("diff", layer="ecr", versions=[found["after"]["version"], found["before"]["version"]])["differences"]
    assert back["differences"][0]["before"] == change["differences"][0]["after"]
    assert "alpha" in found["diff"][0]["after"] and "beta" not in found["diff"][0]["after"]


def test_environment_variables_that_look_secret_are_hidden_in_a_diff(act, home, runner):
    def task(secret):
        container = {"name": "web", "image": "web:1", "memory": 64}
        container["environment"] = [{"name": "DB_PASSWORD", "value": secret}, {"name": "MODE", "value": secret[-1]}]
        definition = {"family": "web", "containerDefinitions": [container]}
        return {"ecs": {"web": {"task_definitions": [{"family": "web", "definition": definition}]}}}

    for secret in ("hunter2", "hunter3"):
        runner.make(task(secret), **home)
    found = act("diff", layer="ecs")
    fields = [item for change in found["differences"] for item in change["differences"]]
    assert {"(sensitive)", "2", "3"} <= {str(item[side]) for item in fields for side in ("before", "after")}
    assert "hunter" not in json.dumps(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"action": "show"}, "which document"),
        ({"action": "show", "layer": "network"}, "there is no document at"),
        ({"action": "history", "layer": "network"}, "there never was a document"),
        ({"action": "show", "key": "s3://elsewhere/x"}, "is not in s3://"),
        ({"action": "show", "key": "x", "layer": "ecr"}, "leave out state_layer"),
        ({"action": "show", "layer": "ecr", "version": "99"}, "has no version '99'"),
        ({"action": "diff", "layer": "ecr", "versions": ["1", "2", "3"]}, "takes two, got 3"),
        ({"action": "diff", "layer": "ecr", "host": "b"}, "one version only"),
        ({"action": "history", "layer": "ecr", "limit": 0}, "state_limit"),
        ({"action": "restore", "layer": "ecr"}, "-e state_version="),
        ({"action": "unlock"}, "-e lock_id="),
        ({"action": "migrate"}, "migrate needs the other place"),
        ({"action": "list", "remote_state": None}, "dockyard_remote_state"),
        ({"action": "list", "account_id": "999999999999"}, "aws_account_id"),
    ],
)
def test_what_is_wrong_is_said(act, home, options, message):
    with pytest.raises(ReconcileError, match=message):
        act(**options)


# Restoring


def test_restore_writes_the_old_content_as_the_next_version(aws, act, home, emulator, runner):
    before, old = read(emulator, MEMORY), act("show", layer="ecr", version="2")
    emulator.reset_calls()
    predicted = act("restore", check_mode=True, layer="ecr", version="2")
    assert writes(emulator) == []
    done = act("restore", layer="ecr", version="2")
    assert {**predicted, "restored": 0} == {**done, "restored": 0} and done["changed"] and done["serial"] == 4
    after = read(emulator, MEMORY)
    assert (after.serial, after.lineage) == (before.serial + 1, before.lineage)
    assert "lifecyclePolicy" not in str(after.memory.as_json()) and old["resources"]
    assert digest_fits(aws, MEMORY) and lock(aws).holders() == {}
    assert act("history", layer="ecr")["versions"][0]["operation"] == "restore version 2"
    again = act("restore", layer="ecr", version=old["version"]["version"])
    assert (again["changed"], again["written"], again["serial"]) == (False, [], 4)
    assert runner.run(KEPT, **home).changes == [], "AWS was not touched"


def test_outputs_follow_from_the_restored_memory(act, home, emulator, runner):
    more = {"ecr": {**ECR["ecr"], "c": {"repositories": [{"name": "gamma"}]}}}
    runner.make(more, **home)
    emulator.client("s3").delete_object(Bucket=BUCKET, Key=OUTPUTS)
    written = act("restore", layer="ecr", version="2")["written"]
    assert written == [f"s3://{BUCKET}/{key}" for key in (OUTPUTS, PATHS.outputs("ecr", "c"), MEMORY)]
    assert read(emulator, PATHS.outputs("ecr", "c")).outputs == {}
    assert set(read(emulator, OUTPUTS).outputs["ecr_repository"].value) == {"alpha"}


@pytest.mark.parametrize("damage", [b"", b'{"version": 4, "serial"', b'{"version": 9}', None])
def test_restore_mends_a_document_that_is_damaged_or_gone(aws, act, home, emulator, runner, damage):
    lineage = read(emulator, MEMORY).lineage
    if damage is None:
        emulator.client("s3").delete_object(Bucket=BUCKET, Key=MEMORY)
    else:
        put(emulator, MEMORY, damage)
    restored = act("restore", layer="ecr", version="3")
    after = read(emulator, MEMORY)
    assert restored["changed"] and (after.lineage, after.serial) == (lineage, 4)
    assert digest_fits(aws, MEMORY) and runner.run(KEPT, **home).failures == {}


def test_restoring_the_version_that_is_there_puts_its_digest_right(aws, act, home, emulator):
    changed = replace(read(emulator, MEMORY), serial=9)
    put(emulator, MEMORY, document.render(changed))
    assert "does not fit its digest" in act("show", layer="ecr")["warning"]
    assert act("restore", layer="ecr", version="9")["serial"] == 10
    assert digest_fits(aws, MEMORY) and act("show", layer="ecr")["warning"] == ""


def test_another_lineage_or_environment_is_not_restored(aws, act, home, emulator):
    ours = read(emulator, MEMORY)
    put(emulator, MEMORY, document.render(replace(ours, lineage="another", serial=7)))
    put(emulator, MEMORY, document.render(replace(ours, serial=8)))
    for check_mode in (True, False):
        with pytest.raises(StateError, match="lineage 'another'.*-e state_force=true"):
            act("restore", check_mode, layer="ecr", version="7")
    with pytest.raises(StateError, match="environment 'test'.*not of 'other'"):
        act("restore", layer="ecr", version="2", environment_name="other")
    assert read(emulator, MEMORY).serial == 8 and lock(aws).holders() == {}


def test_restore_after_the_memory_was_made_anew(aws, act, home, emulator, runner):
    """Somebody deleted the document, and a run wrote a new one: the old versions have another lineage."""
    old = act("history", layer="ecr")["versions"][0]
    Backend(BUCKET, TABLE).store(aws).delete(MEMORY, Backend(BUCKET, TABLE).store(aws).read(MEMORY))
    runner.make(ECR, **home)
    today = read(emulator, MEMORY)
    assert today.lineage != old["lineage"] and today.serial < old["serial"]
    with pytest.raises(StateError, match="state_force"):
        act("restore", layer="ecr", version=old["version"])
    assert act("restore", True, layer="ecr", version=old["version"], force=True)["serial"] == today.serial + 1
    done = act("restore", layer="ecr", version=old["version"], force=True)
    after = read(emulator, MEMORY)
    assert done["changed"] and (after.lineage, after.serial) == (today.lineage, today.serial + 1)
    assert "lifecyclePolicy" in str(after.memory.as_json()) and digest_fits(aws, MEMORY)
    assert runner.run(KEPT, **home).failures == {}


@pytest.mark.parametrize("memory", [None, Memory("test", "ecr", "b"), Memory("shop", "ecr"), Memory("test", "iam")])
def test_force_does_not_restore_what_is_not_of_this_document(act, home, emulator, memory):
    ours = read(emulator, MEMORY)
    put(emulator, MEMORY, document.render(replace(ours, lineage="another", serial=7, memory=memory)))
    put(emulator, MEMORY, document.render(replace(ours, serial=8)))
    with pytest.raises(StateError, match="states of different things|and not of"):
        act("restore", layer="ecr", version="7", force=True)
    assert read(emulator, MEMORY).serial == 8


def test_restore_waits_for_nobody_by_default(aws, act, home, emulator):
    with lock(aws).held("apply elsewhere") as info, pytest.raises(StateError, match=f"lock_id={info.id}"):
        act("restore", layer="ecr", version="2")
    assert read(emulator, MEMORY).serial == 3


KEY_ID = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize(
    ("given", "algorithm", "key_id"), [({}, "AES256", None), ({"kms_key_id": KEY_ID}, "aws:kms", KEY_ID)]
)
def test_every_call_to_the_bucket_says_what_its_policy_may_demand(
    aws, act, runner, emulator, tmp_path, given, algorithm, key_id
):
    setting = {"bucket": BUCKET, "lock": "s3", "encrypt": True, "bucket_owner": emulator.account, **given}
    runner.make(art.declared("state_bucket"))
    runner.make(ECR, base_dir=str(tmp_path), remote_state=setting)
    assert encryption(emulator, MEMORY) == encryption(emulator, OUTPUTS) == (algorithm, key_id)
    calls = []

    def noted(params, model, **more):
        calls.append((model.name, dict(params)))

    aws.client("s3").meta.events.register("provide-client-params.s3", noted)
    try:
        assert act("restore", layer="ecr", version="1", remote_state=setting)["changed"]
        assert act("list", remote_state=setting)["documents"] and act("locks", remote_state=setting)["locks"] == []
    finally:
        aws.client("s3").meta.events.unregister("provide-client-params.s3", noted)
    assert {params.get("ExpectedBucketOwner") for _name, params in calls} == {emulator.account}
    written = [params for name, params in calls if name == "PutObject"]
    assert {params["Key"].endswith(".tflock") for params in written} == {True, False}
    assert {(item["ServerSideEncryption"], item.get("SSEKMSKeyId")) for item in written} == {(algorithm, key_id)}
    assert {"GetObject", "DeleteObject", "ListObjectsV2", "ListObjectVersions"} <= {name for name, _params in calls}


def encryption(emulator, key):
    found = emulator.client("s3").head_object(Bucket=BUCKET, Key=key)
    return found["ServerSideEncryption"], found.get("SSEKMSKeyId")


# Forgetting

TWO = {
    "ecr": {"a": {"repositories": [{"name": "alpha"}, {"name": "gamma"}]}, "b": ECR["ecr"]["b"]},
    "ecs": {"a": {"clusters": [{"name": "main"}]}},
}


def test_forget_takes_out_of_the_memory_what_stays_in_aws(aws, act, home, emulator, runner):
    runner.make(TWO, **home)
    addresses = ["ecr_repository/alpha", "ecs_cluster/main"]
    emulator.reset_calls()
    predicted = act("forget", check_mode=True, addresses=addresses)
    assert writes(emulator) == []
    before, done = read(emulator, MEMORY), act("forget", addresses=addresses)
    assert predicted == done and done["changed"]
    assert {call.split(":")[0] for call in writes(emulator)} == {"s3", "dynamodb"}
    assert [(item["address"], item["layer"], item["host"], item["id"]) for item in done["forgotten"]] == [
        ("ecr_repository/alpha", "ecr", "a", "alpha"),
        ("ecs_cluster/main", "ecs", "a", "main"),
    ]
    after = read(emulator, MEMORY)
    assert (after.serial, after.lineage) == (before.serial + 1, before.lineage)
    assert set(map(str, after.memory.resources)) == {"ecr_repository/beta", "ecr_repository/gamma"}
    assert set(read(emulator, OUTPUTS).outputs["ecr_repository"].value) == {"gamma"}
    ecs = [PATHS.outputs("ecs", "a"), PATHS.memory("ecs")]
    assert done["written"] == [f"s3://{BUCKET}/{key}" for key in (OUTPUTS, MEMORY, *ecs)]
    for key in (OUTPUTS, MEMORY, *ecs):
        assert digest_fits(aws, key) and lock(aws, key).holders() == {}
    assert act("history", layer="ecr")["versions"][0]["operation"] == "forget ecr_repository/alpha, ecs_cluster/main"
    assert (done["diff"][1]["before"], done["diff"][1]["after"]) == ("ecs_cluster/main\n", "")


def test_what_is_forgotten_is_neither_pruned_nor_destroyed(act, home, emulator, runner):
    act("forget", layer="ecr", addresses=["ecr_repository/alpha"])
    left = {"ecr": {"b": KEPT["ecr"]["b"]}}
    emulator.reset_calls()
    pruned = runner.run(left, **home, prune=True, whole_inventory=True)
    assert (pruned.changes, pruned.failures, writes(emulator)) == ([], {}, [])
    destroyed = runner.run({"ecr": {"a": {}, "b": {}}}, **home, state="absent", whole_inventory=True)
    assert [change["name"] for change in destroyed.changes] == ["beta"]
    assert emulator.client("ecr").describe_repositories(repositoryNames=["alpha"])["repositories"]


def test_what_is_forgotten_and_declared_is_taken_over_again(act, home, emulator, runner):
    act("forget", addresses=["ecr_repository/alpha"])
    again = runner.run(KEPT, **home)
    assert again.changes == [] and "ecr_repository/alpha" in map(str, read(emulator, MEMORY).memory.resources)


def test_what_still_needs_the_forgotten_is_told(act, home, runner):
    runner.make(art.declared("network"), **home)
    found = act("forget", check_mode=True, addresses=["internet_gateway/art"])["forgotten"]
    assert "route_table/art-public" in found[0]["needed_by"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "-e state_addresses="),
        ({"addresses": ["ecr_repository/alpha"], "host": "a"}, "leave out state_host"),
        (
            {"addresses": ["ecr_repository/alpha", "ecr_repository/alfa", "vpc/x"]},
            "(?s)did you mean ecr_rep.*'vpc/x' is",
        ),
        ({"addresses": ["ecr_repository/alpha"], "layer": "ecs"}, "is not remembered"),
        ({"addresses": ["ecr_repository/alpha"], "environment_name": "other"}, "not of 'other'"),
    ],
)
def test_what_cannot_be_forgotten_is_said(act, home, emulator, options, message):
    for check_mode in (True, False):
        with pytest.raises(StateError, match=message):
            act("forget", check_mode, **options)
    assert read(emulator, MEMORY).serial == 3


def test_nothing_is_forgotten_of_a_document_that_is_damaged_or_locked(aws, act, home, emulator):
    with lock(aws).held("apply elsewhere") as info, pytest.raises(StateError, match=f"lock_id={info.id}"):
        act("forget", addresses=["ecr_repository/alpha"])
    put(emulator, MEMORY, document.render(replace(read(emulator, MEMORY), serial=9)))
    with pytest.raises(StateError, match="state_action=restore first"):
        act("forget", addresses=["ecr_repository/alpha"])
    put(emulator, MEMORY, b"{broken")
    with pytest.raises(StateError, match=r"(?s)is not remembered.*is no JSON"):
        act("forget", addresses=["ecr_repository/alpha"])
    assert body(emulator, MEMORY) == b"{broken" and lock(aws).holders() == {}


# Locks


def test_locks_and_unlock(aws, act, home, emulator):
    assert act("locks")["locks"] == []
    ours, theirs = lock(aws).acquire("apply ecr"), lock(aws, THEIRS).acquire("OperationTypeApply")
    put(emulator, THEIRS, b"{}")
    found = {item["id"]: item for item in act("locks")["locks"]}
    assert found[ours.id]["key"] == MEMORY and TABLE in found[ours.id]["place"]
    assert (found[theirs.id]["operation"], found[theirs.id]["who"]) == ("OperationTypeApply", theirs.who)
    with pytest.raises(NoSuchLock, match=f"'nonsense'; held are:(?s:.*){ours.id}"):
        act("unlock", lock_id="nonsense")
    assert act("unlock", check_mode=True, lock_id=ours.id)["broken"][0]["id"] == ours.id
    assert lock(aws).holders()
    assert [item["operation"] for item in act("unlock", lock_id=ours.id)["broken"]] == ["apply ecr"]
    assert lock(aws).holders() == {} and lock(aws, THEIRS).holders()
    assert act("unlock", lock_id=theirs.id)["broken"][0]["key"] == THEIRS
    with pytest.raises(NoSuchLock, match="nobody holds any lock"):
        act("unlock", lock_id=theirs.id)


def test_a_lock_in_both_places_is_broken_in_both(aws, act, home, emulator):
    backend = Backend(BUCKET, TABLE, use_lockfile=True)
    info = lock(aws, PATHS.memory("iam"), backend).acquire("apply iam")
    broken = act("unlock", lock_id=info.id, remote_state={**SETTING, "lock": "both"})["broken"]
    assert len(broken) == 2 and lock(aws, PATHS.memory("iam"), backend).holders() == {}


# Migrating


def test_migrate_to_another_bucket_prefix_and_kind_of_lock(act, home, emulator, runner, other):
    put(emulator, THEIRS, b"{}")
    mine = [key for key in keys(emulator) if key != THEIRS]
    predicted = act("migrate", check_mode=True, migrate_to=other)
    assert keys(emulator, OTHER) == [] and predicted["changed"]
    done = act("migrate", migrate_to=other)
    assert {**predicted, "same": []} == {**done, "same": []}
    assert keys(emulator, OTHER) == [f"art/eu/{key}" for key in mine]
    assert all(body(emulator, f"art/eu/{key}", OTHER) == body(emulator, key) for key in mine)
    assert done["left"] == [{"key": THEIRS, "why": "is no document of an environment"}]
    assert done["setting"] == other and done["deleted"] == []
    again = act("migrate", migrate_to={**other, "encrypt": True})
    assert not again["changed"] and len(again["same"]) == len(mine)
    assert again["setting"] == {**other, "encrypt": True}
    emulator.reset_calls()
    result = runner.run(KEPT, base_dir=home["base_dir"], remote_state=other)
    assert (result.changes, result.failures, writes(emulator)) == ([], {}, [])


def test_migrate_deletes_the_source_only_when_asked(act, home, emulator, other):
    done = act("migrate", migrate_to=other, migrate_delete_source=True)
    assert len(done["deleted"]) == 3 and keys(emulator) == []
    assert act("migrate", migrate_to=other)["changed"] is False


def test_migrate_from_a_folder(aws, act, runner, tmp_path, emulator):
    runner.make(ECR, base_dir=str(tmp_path), remote_state=SETTING)
    runner.make(art.declared("state_bucket"))
    done = act("migrate", migrate_from={"folder": ".dockyard/state"}, migrate_delete_source=True)
    assert len(done["copied"]) == 3 and done["setting"] is None and not list(tmp_path.rglob("*.tstate"))
    assert digest_fits(aws, MEMORY)


def test_an_interrupted_migration_goes_on(aws, act, home, emulator, other, monkeypatch):
    original, calls = migrating.copy, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(migrating, "copy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        act("migrate", migrate_to=other, migrate_delete_source=True)
    assert len(keys(emulator, OTHER)) == 1 and len(keys(emulator)) == 3
    assert lock(aws).holders() == {}
    done = act("migrate", migrate_to=other, migrate_delete_source=True)
    assert len(done["copied"]) == 2 and len(done["deleted"]) == 3 and keys(emulator) == []


def test_migrate_refuses_by_terraforms_rules_before_it_writes(act, home, emulator, other):
    newer = replace(read(emulator, MEMORY), serial=99)
    put(emulator, f"art/eu/{MEMORY}", document.render(newer), OTHER)
    foreign = replace(read(emulator, OUTPUTS), lineage="another")
    put(emulator, f"art/eu/{OUTPUTS}", document.render(foreign), OTHER)
    with pytest.raises(StateError) as caught:
        act("migrate", migrate_to=other)
    for part in ("it is older", "lineage 'another'", "-e migrate_force=true"):
        assert part in str(caught.value)
    assert len(keys(emulator, OTHER)) == 2
    assert len(act("migrate", migrate_to=other, migrate_force=True)["copied"]) == 3
    assert read(emulator, f"art/eu/{MEMORY}", OTHER).serial == 3


@pytest.mark.parametrize("side", ["source", "target"])
def test_migrate_holds_the_locks_of_both_sides(aws, act, home, emulator, other, side):
    backend = Backend(BUCKET, TABLE) if side == "source" else Backend(OTHER, use_lockfile=True)
    key = PATHS.memory("ecs") if side == "source" else f"art/eu/{PATHS.memory('ecs')}"
    with lock(aws, key, backend).held("apply ecs") as info, pytest.raises(StateError, match=info.id):
        act("migrate", migrate_to=other)
    assert keys(emulator, OTHER) == []


def test_other_environments_documents_are_left(act, home, emulator, other):
    done = act("migrate", migrate_to=other, environment_name="shop")
    assert done["copied"] == [] and {item["why"] for item in done["left"]} == {"belongs to the environment 'test'"}


def test_a_lock_in_the_folder_is_broken_also_where_the_table_is_missing(act, emulator, tmp_path):
    """A first run that was killed after it had made the bucket."""
    emulator.client("s3").create_bucket(Bucket=BUCKET)
    info = Lock([LocalLock(tmp_path / ".dockyard" / "state", MEMORY)], MEMORY).acquire("apply state_bucket")
    assert [item["id"] for item in act("unlock", lock_id=info.id)["broken"]] == [info.id]
    assert act("locks")["locks"] == []


def test_from_the_lock_table_to_lock_objects_and_back(aws, act, home, emulator):
    def digests():
        items = emulator.client("dynamodb").scan(TableName=TABLE)["Items"]
        return [item["LockID"]["S"] for item in items if item["LockID"]["S"].endswith("-md5")]

    objects, both = {"bucket": BUCKET, "lock": "s3"}, {**SETTING, "lock": "both"}
    assert act("migrate", migrate_to=both)["setting"] == both
    gone = act("migrate", migrate_to=objects, migrate_delete_source=True)
    assert gone["setting"] == objects and gone["digests"] == 3 and digests() == []
    back = act("migrate", migrate_to=SETTING, remote_state=objects)
    assert back["setting"] == SETTING and back["digests"] == 3 and len(digests()) == 3
    info = lock(aws, MEMORY, Backend(BUCKET, use_lockfile=True)).acquire("apply")
    with pytest.raises(StateError, match=info.id):
        act("migrate", migrate_to=objects)


def test_digests_that_are_left_from_earlier_are_put_right(aws, act, home, runner):
    objects = {"bucket": BUCKET, "lock": "s3"}
    act("migrate", migrate_to=objects)
    runner.make(ECR, **{**home, "remote_state": objects})
    assert act("migrate", migrate_to=SETTING, remote_state=objects)["digests"] == 1
    assert digest_fits(aws, MEMORY)


def test_migrate_does_not_take_the_place_of_another_environment(act, home, emulator, other):
    theirs = Document("another", 1, memory=Memory("shop", "ecr"))
    put(emulator, f"art/eu/{MEMORY}", document.render(theirs), OTHER)
    with pytest.raises(StateError, match="is the state of the environment 'shop'"):
        act("migrate", migrate_to=other)


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ({"bucket": OTHER, "lock": "dynamodb"}, "migrate_to: lock is 'dynamodb' and needs lock_table"),
        ({"bucket": OTHER, "lock": "s3", "prefix": "/x"}, "migrate_to: state prefix"),
        ({"prefix": "x"}, "migrate_to needs a folder or a bucket"),
        ({"folder": "x", "bucket": OTHER}, "takes no bucket"),
        (SETTING, "are the same place"),
        ({**SETTING, "encrypt": True}, "are the same place"),
        ({"folder": "x", "encrypt": True}, "takes no encrypt"),
        ({"bucket": OTHER, "kms_key_id": "k"}, "migrate_to: kms_key_id"),
        ({"bucket": "no-such-bucket", "lock": "s3"}, "there is no such bucket"),
    ],
)
def test_a_wrong_place_is_refused(act, home, side, message):
    with pytest.raises(StateError, match=message):
        act("migrate", migrate_to=side)


# The playbook


@pytest.fixture
def inventory(tmp_path):
    folder = shutil.copytree(art.INVENTORY, tmp_path / "art")
    path = folder / "group_vars" / "all.yml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "dockyard_remote_state": SETTING}))
    return folder


def test_the_playbook_shows_lines_and_writes_json(aws, emulator, inventory, tmp_path):
    plain = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
    made = play(emulator, "playbooks/site.yml", "--tags", "state_bucket,ecr", inventory=inventory)
    assert made.code == 0, made.failed_messages()
    listed = play(emulator, "playbooks/state.yml", inventory=inventory, environment=plain)
    assert listed.code == 0 and MEMORY in listed.text and "resources" in listed.text
    report = tmp_path / "history.json"
    arguments = ("-e", "state_action=history", "-e", "state_layer=ecr", "-e", f"state_report={report}")
    found = play(emulator, "playbooks/state.yml", *arguments, inventory=inventory, environment=plain)
    versions = json.loads(report.read_text())["versions"]
    assert found.code == 0 and versions[0]["version"] in found.text and "apply ecr" in found.text
    restore = ("-e", "state_action=restore", "-e", "state_layer=ecr", "-e", f"state_version={versions[-1]['version']}")
    unknown = play(emulator, "playbooks/state.yml", "-e", "state_action=lst", inventory=inventory)
    assert unknown.code != 0 and "state_action: is 'lst'; it is one of list, show" in unknown.failed_messages()
    checked = play(
        emulator,
        "playbooks/state.yml",
        *restore,
        "-e",
        "version=1 versions=1",
        "--check",
        "--diff",
        inventory=inventory,
        environment=plain,
    )
    assert "would be written as serial 3" in checked.text and "+++ after" in checked.text
    assert read(emulator, MEMORY).serial == 2
    info = lock(aws).acquire("apply ecr")
    wrong = play(emulator, "playbooks/state.yml", *restore, inventory=inventory)
    assert wrong.code != 0 and f"state_action=unlock -e lock_id={info.id}" in wrong.failed_messages()
    unlocked = play(
        emulator, "playbooks/state.yml", "-e", "state_action=unlock", "-e", f"lock_id={info.id}", inventory=inventory
    )
    assert unlocked.code == 0 and unlocked.changed == 1 and lock(aws).holders() == {}
    assert unlocked.results[0][2]["broken"][0]["id"] == info.id
