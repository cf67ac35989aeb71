# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs with dockyard_remote_state: what they write, what they read, and whom they wait for."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art
from tests.integration.playbooks import ROOT, play
from tests.integration.state_helpers import at_once, connect

BUCKET, TABLE = "art-service-terraform-state", "art-service-terraform-locks"
SETTING = {"bucket": BUCKET, "lock_table": TABLE}
WITH = {
    "dynamodb": SETTING,
    "s3": {"bucket": BUCKET, "lock": "s3", "prefix": "test/eu"},
    "both": {**SETTING, "lock": "both", "file_name": "art.tfstate"},
}
PATHS = Paths()
ECR = {
    "ecr": {
        "a": {"repositories": [{"name": "alpha", "image_tag_mutability": "IMMUTABLE", "tags": {"Team": "one"}}]},
        "b": {"repositories": [{"name": "beta"}]},
    }
}


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(art.INVENTORY, tmp_path / "art")


@pytest.fixture
def options(folder):
    return {"base_dir": str(folder), "remote_state": SETTING}


@pytest.fixture
def home(runner, options):
    """Bucket and table, made by a run that remembers nothing."""
    runner.make(art.declared("state_bucket"))
    runner.emulator.reset_calls()
    return options


def keys(emulator):
    return sorted(item["Key"] for item in emulator.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", ()))


def read(emulator, key, bucket=BUCKET):
    body = emulator.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return document.parse(body, key)


def locks(emulator):
    items = emulator.client("dynamodb").scan(TableName=TABLE)["Items"]
    return [item["LockID"]["S"] for item in items if "Info" in item]


def writes(emulator):
    return [item for item in emulator.calls()["calls"] if item["mutating"]]


def lock(emulator, layer="ecr"):
    return Backend(BUCKET, TABLE).lock(connect(emulator), PATHS.memory(layer))


def changed(**values):
    declared = json.loads(json.dumps(ECR))
    repository = declared["ecr"]["a"]["repositories"][0]
    for name, value in values.items():
        if value is None:
            del repository[name]
        else:
            repository[name] = value
    return declared


@pytest.mark.parametrize("kind", WITH)
def test_the_first_run_ever_ends_with_everything_in_the_bucket(runner, emulator, options, folder, kind):
    options["remote_state"] = WITH[kind]
    paths = Paths(WITH[kind].get("prefix", ""), WITH[kind].get("file_name", PATHS.file_name))
    runner.make(art.declared(), **options)
    expected = {paths.memory(layer) for layer in art.LAYERS}
    expected |= {paths.outputs(layer, host) for layer, hosts in art.declared().items() for host in hosts}
    assert set(keys(emulator)) == expected
    assert list(folder.rglob("*.t*state*")) == []
    assert (folder / ".dockyard" / ".gitignore").read_text() == "*\n"
    assert (folder / ".dockyard" / "state").stat().st_mode & 0o777 == 0o700
    own = read(emulator, paths.memory("state_bucket"))
    assert f"s3_bucket/{BUCKET}" in {str(address) for address in own.memory.resources}
    assert locks(emulator) == []
    emulator.reset_calls()
    again = runner.run(art.declared(), **options)
    assert again.changes == [] and writes(emulator) == []


def test_outputs_are_the_attributes_of_a_hosts_things(runner, emulator, home):
    runner.make(ECR, **home)
    outputs = read(emulator, PATHS.outputs("ecr", "a")).outputs
    assert set(outputs) == {"ecr_repository"} and set(outputs["ecr_repository"].value) == {"alpha"}
    assert outputs["ecr_repository"].value["alpha"]["arn"].endswith(":repository/alpha")
    serial = read(emulator, PATHS.outputs("ecr", "b")).serial
    runner.make(changed(image_tag_mutability="MUTABLE"), **home)
    assert read(emulator, PATHS.outputs("ecr", "b")).serial == serial


def test_what_is_declared_no_more_goes_back_to_the_default(runner, home):
    runner.make(changed(keep_images=5), **home)
    assert runner.run(changed(tags=None)).changes == [], "without memory nothing is known of it"
    without = changed(tags=None)
    found = runner.make(without, **home).change("ecr_repository/alpha")
    after = {item["path"]: item["after"] for item in found["differences"]}
    assert after == {"lifecyclePolicy": None, "tags.Team": None}
    assert found["reason"] == "configuration"
    assert runner.run(without, **home).changes == []


def test_drift_is_told_from_configuration(runner, emulator, home):
    runner.make(ECR, **home)
    emulator.client("ecr").put_image_tag_mutability(repositoryName="alpha", imageTagMutability="MUTABLE")
    assert runner.plan(ECR, **home).plan.pending()[0].reason == "drift"
    assert runner.plan(ECR).plan.pending()[0].reason == "configuration"


def test_an_existing_environment_is_written_down_once(runner, emulator, home):
    runner.make(ECR)
    emulator.reset_calls()
    assert runner.run(ECR, **home).done == []
    assert {item["service"] for item in writes(emulator)} == {"s3", "dynamodb"}
    assert len(read(emulator, PATHS.memory("ecr")).memory.resources) == 2 and locks(emulator) == []
    emulator.reset_calls()
    runner.run(ECR, **home)
    assert writes(emulator) == []


@pytest.mark.parametrize("key", [PATHS.memory("ecr"), PATHS.outputs("ecr", "a")])
def test_a_document_that_was_deleted_comes_back(runner, emulator, home, key):
    runner.make(ECR, **home)
    emulator.client("s3").delete_object(Bucket=BUCKET, Key=key)
    runner.run(ECR, **home)
    assert key in keys(emulator)
    emulator.reset_calls()
    runner.run(ECR, **home)
    assert writes(emulator) == []


def test_a_held_lock_fails_all_hosts_of_the_layer_without_a_write(runner, emulator, home):
    with lock(emulator).held("apply somewhere else") as info:
        emulator.reset_calls()
        result = runner.run(ECR, **home)
        assert set(result.failures) == {"a", "b"} and result.done == []
        for message in result.failures.values():
            assert info.id in message and "apply somewhere else" in message
        assert {item["action"] for item in writes(emulator)} == {"PutItem"}
    assert keys(emulator) == []
    assert runner.run(ECR, **home).failures == {}


def test_a_lock_is_waited_for(runner, emulator, home):
    held = lock(emulator)
    held.acquire("something short")
    home["remote_state"] = {**SETTING, "lock_timeout": 30}
    planned = runner.plan(ECR, **home)

    def progress(line):
        if "waiting for the lock" in line:
            held.release()

    answer = running.carry_out(planned, "ecr", planned.hosts, progress)
    assert answer["failures"] == {} and answer["changed"]


def test_what_failed_is_remembered_as_not_done_and_unlocked(runner, emulator, home):
    fault = {"fault": "error", "service": "ecr", "action": "CreateRepository", "code": "LimitExceededException"}
    emulator.faults({**fault, "status": 400})
    result = runner.run(ECR, **home)
    assert len(result.failures) == 1 and len(result.done) == 1
    entries = read(emulator, PATHS.memory("ecr")).memory.resources
    assert sorted(entry.pending for entry in entries.values()) == ["", "create"]
    assert locks(emulator) == []
    runner.make(ECR, **home)
    entries = read(emulator, PATHS.memory("ecr")).memory.resources
    assert [entry.pending for entry in entries.values()] == ["", ""]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"service": "dynamodb", "action": "DeleteItem", "code": "ExpiredTokenException"}, "log in again"),
        ({"service": "s3", "action": "PutObject", "code": "InvalidRequest"}, "cannot write s3://"),
    ],
)
def test_what_was_done_is_told_also_where_it_could_not_be_written_down(
    runner, emulator, home, monkeypatch, fault, message
):
    planned, apply = runner.plan(ECR, **home), running.Executor.apply

    def then_refused(*arguments):
        outcome = apply(*arguments)
        emulator.faults({"fault": "error", **fault, "status": 400, "times": 99})
        return outcome

    monkeypatch.setattr(running.Executor, "apply", then_refused)
    answer = running.carry_out(planned, "ecr", planned.hosts, runner.progress.append)
    assert sorted(item["name"] for item in answer["changes"]) == ["alpha", "beta"]
    assert all("2 changes were made" in text and message in text for text in answer["failures"].values())


def test_an_interruption_unlocks_and_remembers(runner, emulator, home, monkeypatch):
    planned = runner.plan(ECR, **home)

    def interrupted(*arguments):
        assert locks(emulator) == [f"{BUCKET}/{PATHS.memory('ecr')}"]
        raise KeyboardInterrupt

    monkeypatch.setattr(running.Executor, "apply", interrupted)
    with pytest.raises(KeyboardInterrupt):
        running.carry_out(planned, "ecr", planned.hosts, runner.progress.append)
    assert locks(emulator) == []
    entries = read(emulator, PATHS.memory("ecr")).memory.resources
    assert [entry.pending for entry in entries.values()] == ["create", "create"]


def test_a_state_that_terraform_still_manages_is_warned_of(runner, emulator, home):
    key = "ecs/ecr-repositories/a/terraform.tstate"
    theirs = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 3,
        "lineage": "b0c1a2f4-1d3e-4a5b-8c6d-7e8f90a1b2c3",
    }
    theirs |= {"outputs": {"url": {"value": "x", "type": "string"}}, "check_results": None}
    theirs["resources"] = [{"mode": "managed", "type": "aws_ecr_repository", "name": "a", "instances": []}]
    emulator.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(theirs).encode())
    warnings = [str(item) for item in runner.plan(ECR, **home).plan.warnings]
    assert warnings == [
        f"dockyard_remote_state: s3://{BUCKET}/{key} is a state of Terraform with 1 resources. A run writes outputs of "
        "its own into it in place of url: give documents a place of their own with dockyard_remote_state.prefix until "
        "Terraform has let go"
    ]
    elsewhere = {**home, "remote_state": {**SETTING, "prefix": "dockyard"}}
    assert runner.plan(ECR, **elsewhere).plan.warnings == []


def test_what_others_wrote_meanwhile_stays(runner, emulator, home):
    runner.make(ECR, **home)
    slow = runner.plan(changed(image_tag_mutability="MUTABLE"), **home)
    other = {"ecr": {"b": {"repositories": [{"name": "beta", "tags": {"By": "other"}}]}}}
    runner.make(other, **home)
    answer = running.carry_out(slow, "ecr", slow.hosts, runner.progress.append)
    assert answer["failures"] == {}
    entries = {address.name: entry for address, entry in read(emulator, PATHS.memory("ecr")).memory.resources.items()}
    assert entries["beta"].tags["By"] == "other"
    assert entries["alpha"].properties["imageTagMutability"] == "MUTABLE"


def test_another_environments_documents_are_refused(runner, home):
    runner.make(ECR, **home)
    with pytest.raises(Exception, match="is the state of the environment 'test'"):
        runner.plan(ECR, **home, environment_name="other")


def test_another_environments_folder_is_not_moved_into_the_bucket(runner, emulator, folder, options):
    """Inventories of two environments in one folder, and one has no bucket yet."""
    runner.make(ECR, base_dir=str(folder), remote_state={"bucket": "not-there-yet", "lock": "s3"})
    local = set(folder.rglob("*.tstate"))
    runner.make(art.declared("state_bucket"))
    result = runner.run(art.declared("iam"), **options, environment_name="other", ownership_tags=False)
    assert all("is the state of the environment 'test'" in text for text in result.failures.values())
    assert result.failures and set(folder.rglob("*.tstate")) == local and keys(emulator) == []


def older(emulator, key):
    """The first version of a document."""
    first = emulator.client("s3").list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"][-1]
    return emulator.client("s3").get_object(Bucket=BUCKET, Key=key, VersionId=first["VersionId"])["Body"].read()


@pytest.mark.parametrize("moved", [True, False])
def test_what_a_move_that_was_interrupted_left_in_the_folder(runner, emulator, home, folder, moved):
    runner.make(ECR, **home)
    memory = PATHS.memory("ecr")
    left = older(emulator, memory)
    path = folder / ".dockyard" / "state" / memory
    path.parent.mkdir(parents=True)
    path.write_bytes(left if moved else left.replace(b"alpha", b"omega"))
    result = runner.run({"ecr": {"c": {"repositories": [{"name": "gamma"}]}}}, **home)
    if moved:
        assert result.failures == {} and not path.exists()
        assert {address.name for address in read(emulator, memory).memory.resources} == {"alpha", "beta", "gamma"}
    else:
        assert f"remove {path}" in result.failures["c"] and "migrate_force=true" in result.failures["c"]
        assert path.exists() and result.done == []


@pytest.mark.parametrize(
    ("setting", "layers", "message"),
    [
        ({"bucket": "tpyo", "lock": "s3"}, ["ecr"], "until there is the bucket 'tpyo', state and locks are in"),
        ({"bucket": "tpyo", "lock": "s3"}, ["state_bucket"], "nothing in this plan makes that bucket"),
        ({"bucket": BUCKET, "lock_table": "tpyo"}, ["state_bucket"], "nothing in this plan makes that table"),
        (SETTING, ["state_bucket", "ecr"], ""),
    ],
)
def test_state_that_stays_on_this_machine_is_said(runner, options, setting, layers, message):
    options["remote_state"] = setting
    warnings = [str(item) for item in runner.plan(art.declared(*layers), **options).plan.warnings]
    assert any(message in text for text in warnings) if message else warnings == []


def test_a_wrong_table_does_not_make_a_second_place_of_documents(runner, emulator, home, folder):
    runner.make(ECR, **home)
    home["remote_state"] = {**SETTING, "lock_table": "tpyo"}
    result = runner.run(art.declared("iam"), **home)
    assert all("correct lock_table" in text for text in result.failures.values())
    assert result.failures and result.done == [] and not list(folder.rglob("*.tstate"))


def test_a_run_does_not_go_on_where_the_state_was_taken_elsewhere_meanwhile(runner, emulator, home):
    runner.make(ECR, **home)
    planned = runner.plan(changed(image_tag_mutability="MUTABLE"), **home)
    for key in keys(emulator):
        emulator.client("s3").delete_object(Bucket=BUCKET, Key=key)
    answer = running.carry_out(planned, "ecr", planned.hosts, runner.progress.append)
    assert all("the state was migrated. Nothing was changed" in text for text in answer["failures"].values())
    assert answer["failures"] and answer["changes"] == [] and keys(emulator) == [] and locks(emulator) == []


def test_a_first_run_that_was_killed_between_bucket_and_table_goes_on(runner, emulator, options, folder):
    both = {**art.declared("state_bucket"), **ECR}
    runner.make(ECR, **options)
    left = {path.name for path in folder.rglob("*.tstate")}
    bucket = art.declared("state_bucket")
    del bucket["state_bucket"]["art"]["lock_table"]
    runner.make(bucket)
    lineage = json.loads((folder / ".dockyard" / "state" / PATHS.memory("ecr")).read_text())["lineage"]
    result = runner.run(both, **options)
    assert left and result.failures == {} and not list(folder.rglob("*.tstate"))
    assert read(emulator, PATHS.memory("ecr")).lineage == lineage and locks(emulator) == []


def test_a_first_run_that_was_killed_while_it_made_the_table_goes_on(runner, emulator, options, folder):
    """Its own document is in the folder, the bucket is there, the table is not."""
    declared = art.declared("state_bucket")
    emulator.faults(
        {"fault": "error", "service": "dynamodb", "action": "CreateTable", "code": "LimitExceededException", "times": 9}
    )
    assert runner.run(declared, **options).failures and list(folder.rglob("*.tstate"))
    emulator.faults()
    path = folder / ".dockyard" / "state" / PATHS.memory("state_bucket")
    lineage = json.loads(path.read_text())["lineage"]
    result = runner.run(declared, **options)
    assert result.failures == {} and not list(folder.rglob("*.tstate"))
    assert read(emulator, PATHS.memory("state_bucket")).lineage == lineage and locks(emulator) == []


def test_destroy_forgets(runner, emulator, home):
    runner.make(ECR, **home)
    runner.make(ECR, **home, state="absent")
    assert read(emulator, PATHS.memory("ecr")).memory.resources == {}
    assert read(emulator, PATHS.outputs("ecr", "a")).outputs == {}


def test_the_state_goes_with_its_own_bucket(runner, emulator, home):
    declared = art.declared("state_bucket")
    declared["state_bucket"]["art"]["bucket"].update(protect=False, force_delete=True)
    declared["state_bucket"]["art"]["lock_table"].update(protect=False, deletion_protection_enabled=False)
    runner.make(declared, **home)
    planned = [change.kind for change in runner.plan(declared, **home, state="absent").plan.deletions()]
    assert planned == ["dynamodb_table", "s3_bucket"]
    # As after a run that was killed between the two.
    emulator.client("dynamodb").delete_table(TableName=TABLE)
    assert runner.make(declared, **home, state="absent").done == [("delete", "s3_bucket", BUCKET)]
    assert emulator.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"bucket": ""}, "bucket must not be empty"),
        ({"bucket": "b", "lock": "dynamodb"}, "lock is 'dynamodb' and needs lock_table"),
        ({"bucket": "b", "lock": "both"}, "lock is 'both' and needs lock_table"),
        ({"bucket": "b", "lock": "s3", "lock_table": "t"}, "does not use lock_table \\('t'\\)"),
        ({"bucket": "b", "lock_timeout": -1}, "lock_timeout is -1"),
        ({"bucket": "b", "prefix": "/x"}, "state prefix '/x'"),
        ({"bucket": "b", "file_name": "a/b"}, "state file name 'a/b'"),
    ],
)
def test_a_wrong_setting_says_what_is_allowed(runner, setting, message):
    with pytest.raises(PlanError, match=f"dockyard_remote_state: .*{message}"):
        runner.plan(ECR, remote_state=setting)
    with pytest.raises(PlanError, match=message):
        running.validate(runner.params(ECR, remote_state=setting))


def with_state(folder, **setting):
    path = folder / "group_vars" / "all.yml"
    variables = {**yaml.safe_load(path.read_text()), "dockyard_remote_state": {**SETTING, **setting}}
    path.write_text(yaml.safe_dump(variables))
    return folder


def test_the_real_ansible_playbook_remembers(emulator, folder):
    inventory = with_state(folder)
    first = play(emulator, "playbooks/site.yml", inventory=inventory)
    assert first.code == 0, first.failed_messages()
    assert not list(folder.rglob("*.tstate*"))
    for key in keys(emulator):
        found = json.loads(emulator.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
        assert found["version"] == 4 and found["dockyard"]["environment"] == "art" and found["lineage"]
    assert len(keys(emulator)) > len(art.LAYERS)
    emulator.reset_calls()
    second = play(emulator, "playbooks/site.yml", inventory=inventory)
    assert second.code == 0 and second.changed == 0 and writes(emulator) == []
    with lock(emulator).held("apply elsewhere") as info:
        path = folder / "group_vars" / "all.yml"
        variables = yaml.safe_load(path.read_text())
        path.write_text(yaml.safe_dump({**variables, "dockyard_tags": {"Project": "other"}}))
        refused = play(emulator, "playbooks/site.yml", "--tags", "ecr", inventory=inventory)
    assert refused.code != 0 and info.id in refused.failed_messages()
    wrong = play(
        emulator, "playbooks/site.yml", "-e", json.dumps({"dockyard_remote_state": {"bucket": "b", "lock": "no"}})
    )
    assert wrong.code != 0 and "value of lock must be one of: dynamodb, s3, both" in wrong.failed_messages()


def started(emulator, inventory):
    """A real run that hangs in its layer, with the lock in its hands."""
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "playbooks/site.yml", "-i", str(inventory)]
    variables = {**keep, **emulator.environment(), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # What a shell starts in the background ignores Ctrl-C, and so would all that it starts.
    process = subprocess.Popen(
        [*command, "--tags", "ecr"],
        cwd=ROOT,
        env=variables,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **quiet,
    )
    until(lambda: locks(emulator), process)
    return process


def until(condition, process=None):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_unlocks(emulator, folder, number):
    inventory = with_state(folder)
    assert play(emulator, "playbooks/site.yml", "--tags", "state_bucket", inventory=inventory).code == 0
    emulator.faults({"fault": "latency", "service": "ecr", "action": "CreateRepository", "seconds": 5, "times": 9})
    process = started(emulator, inventory)
    process.send_signal(number)
    assert process.wait(60) != 0
    until(lambda: not locks(emulator))


def workers_of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children]


def test_a_run_that_was_killed_leaves_a_lock_that_is_reported_and_nothing_unknown(emulator, folder):
    inventory = with_state(folder)
    assert play(emulator, "playbooks/site.yml", "--tags", "state_bucket", inventory=inventory).code == 0
    emulator.faults({"fault": "latency", "service": "ecr", "action": "CreateRepository", "seconds": 5, "times": 9})
    process = started(emulator, inventory)
    until(lambda: PATHS.memory("ecr") in keys(emulator), process)
    for worker in workers_of(process):
        os.kill(worker, signal.SIGKILL)
    process.kill()
    process.wait()
    emulator.faults()
    again = play(emulator, "playbooks/site.yml", "--tags", "ecr", inventory=inventory)
    [(_where, info)] = lock(emulator).holders().items()
    assert again.code != 0 and info.id in again.failed_messages() and "remove lock" in again.failed_messages()
    lock(emulator).force_unlock(info.id)
    done = play(emulator, "playbooks/site.yml", "--tags", "ecr", inventory=inventory)
    assert done.code == 0, done.failed_messages()
    entries = read(emulator, PATHS.memory("ecr")).memory.resources
    assert entries and not [entry for entry in entries.values() if entry.pending]


def test_runs_at_once_lose_nothing(runner, emulator, home):
    """Each plans, then all carry out: one after another, and the serial has no gaps."""
    runner.make(ECR, **home)
    first = read(emulator, PATHS.memory("ecr")).serial
    home["remote_state"] = {**SETTING, "lock_timeout": 60}
    wanted = [{"ecr": {f"h{number}": {"repositories": [{"name": f"r{number}"}]}}} for number in range(4)]
    plans = [runner.plan(declared, **home) for declared in wanted]

    def carry_out(number):
        return running.carry_out(plans[number], "ecr", plans[number].hosts, runner.progress.append)

    answers = at_once(4, carry_out)
    assert [answer["failures"] for answer in answers] == [{}] * 4
    after = read(emulator, PATHS.memory("ecr"))
    names = {address.name for address in after.memory.resources}
    assert names == {"alpha", "beta", *(f"r{number}" for number in range(4))}
    # Each wrote what it was about to do, and what it did.
    assert after.serial == first + 8
    assert locks(emulator) == []


def test_environments_in_other_regions_share_bucket_and_table(runner, home):
    shared = {
        **home,
        "remote_state": {**SETTING, "region": "us-east-1"},
        "environment_name": "far",
        "region": "eu-west-1",
    }
    runner.make(ECR, **shared)
    items = runner.emulator.client("dynamodb").scan(TableName=TABLE)["Items"]
    assert f"{BUCKET}/{PATHS.memory('ecr')}-md5" in {item["LockID"]["S"] for item in items}
    names = runner.emulator.client("ecr", "eu-west-1").describe_repositories()["repositories"]
    assert {item["repositoryName"] for item in names} == {"alpha", "beta"}
    assert runner.run(ECR, **shared).planned == []
    with pytest.raises(PlanError, match="leave region out"):
        runner.plan({**art.declared("state_bucket")}, **shared)
