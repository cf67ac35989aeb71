# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prune, and destroy from the memory."""

from __future__ import annotations

import copy
import shutil

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art
from tests.integration.playbooks import play

BUCKET, TABLE = "art-service-terraform-state", "art-service-terraform-locks"
SETTING = {"bucket": BUCKET, "lock_table": TABLE}
PATHS = Paths()
ALPHA, BETA, GAMMA = (("delete", "ecr_repository", name) for name in ("alpha", "beta", "gamma"))
DECLARED = {
    "network": {
        "p": {
            "vpc": {"name": "main", "cidr_block": "10.0.0.0/16"},
            "subnets": [{"name": "one", "cidr_block": "10.0.0.0/24", "availability_zone": "us-east-1a"}],
        }
    },
    "ecr": {
        "a": {"repositories": [{"name": "alpha"}, {"name": "beta"}]},
        "b": {"repositories": [{"name": "gamma"}]},
    },
}


def declared(*without: str, **layers):
    """DECLARED with other layers' values, and without some hosts."""
    result = copy.deepcopy({**DECLARED, **layers})
    return {
        layer: {host: value for host, value in hosts.items() if host not in without} for layer, hosts in result.items()
    }


def repositories(*names, **options):
    return {"repositories": [{"name": name, **options} for name in names]}


@pytest.fixture
def home(runner, tmp_path):
    """A team's bucket and table, and everything declared made and recorded."""
    runner.make(art.declared("state_bucket"))
    options = {"base_dir": str(tmp_path), "remote_state": SETTING}
    runner.make(declared(), **options)
    runner.emulator.reset_calls()
    return options


def memory(emulator, layer):
    body = emulator.client("s3").get_object(Bucket=BUCKET, Key=PATHS.memory(layer))["Body"].read()
    return document.parse(body, layer).memory.resources


def existing(emulator):
    return sorted(item["repositoryName"] for item in emulator.client("ecr").describe_repositories()["repositories"])


def test_what_is_declared_no_more_is_shown_and_stays_until_it_is_pruned(runner, emulator, home):
    fewer = declared(ecr={"a": repositories("alpha"), "b": repositories("gamma")})
    shown = runner.run(fewer, **home)
    assert shown.would_remove == [BETA] and shown.planned == [] and shown.done == []
    assert emulator.calls()["mutating"] == 0
    pruned = runner.make(fewer, **home, prune=True)
    assert pruned.done == [BETA] and pruned.would_remove == []
    assert existing(emulator) == ["alpha", "gamma"]
    assert ("ecr_repository", "beta") not in memory(emulator, "ecr")
    assert runner.run(fewer, **home).would_remove == []


def test_a_host_that_left_the_inventory_is_found(runner, emulator, home):
    pruned = runner.make(declared("b"), **home, prune=True)
    assert pruned.done == [GAMMA] and pruned.change("ecr_repository/gamma")["host"] == "b"
    body = emulator.client("s3").get_object(Bucket=BUCKET, Key=PATHS.outputs("ecr", "b"))["Body"].read()
    assert document.parse(body, "b").outputs == {}


def test_a_layer_that_is_declared_no_more_goes_in_reverse_order(runner, emulator, home):
    pruned = runner.make(declared("p"), **home, prune=True)
    assert [kind for _action, kind, _name in pruned.done] == ["subnet", "vpc"]
    assert memory(emulator, "network") == {}


def test_what_moved_to_another_host_stays(runner, emulator, home):
    moved = declared("b", ecr={"a": repositories("alpha", "beta", "gamma")})
    assert runner.make(moved, **home, prune=True).done == []
    assert memory(emulator, "ecr")["ecr_repository", "gamma"].host == "a"


def test_what_is_new_and_what_is_pruned_come_in_one_run_and_the_old_goes_last(runner, emulator, home):
    renamed = declared(ecr={"a": repositories("alpha", "delta"), "b": repositories("gamma")})
    emulator.reset_calls()
    runner.make(renamed, **home, prune=True)
    writes = [item["action"] for item in emulator.calls()["calls"] if item["mutating"] and item["service"] == "ecr"]
    assert writes[0] == "CreateRepository" and writes[-1] == "DeleteRepository"


def test_what_is_gone_already_is_forgotten_without_a_deletion(runner, emulator, home):
    emulator.client("ecr").delete_repository(repositoryName="beta")
    fewer = declared(ecr={"a": repositories("alpha"), "b": repositories("gamma")})
    assert runner.run(fewer, **home).would_remove == []
    assert runner.make(fewer, **home, prune=True).done == []
    assert ("ecr_repository", "beta") not in memory(emulator, "ecr")


def test_what_was_protected_is_refused_before_anything_is_written(runner, emulator, home):
    guarded = declared(ecr={"a": repositories("alpha", "beta", protect=True), "b": repositories("gamma")})
    runner.make(guarded, **home)
    fewer = declared(ecr={"a": repositories("alpha", "delta"), "b": repositories("gamma")})
    [held] = runner.run(declared(ecr={"a": repositories("alpha"), "b": repositories("gamma")}), **home).would_remove
    assert held == BETA
    emulator.reset_calls()
    with pytest.raises(
        PlanError, match="a: ecr.repositories.beta.: ecr_repository/beta is protected .*leave it out then"
    ):
        runner.run(fewer, **home, prune=True)
    assert emulator.calls()["mutating"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"whole_inventory": False}, "prune: compares the state with the whole inventory.*leave --limit out"),
        ({"remote_state": None}, "prune: needs dockyard_remote_state"),
        ({"state": "absent"}, "prune: .*destroy needs no prune"),
        ({"prune": False, "destroy_only": ["a/b"]}, "destroy_only: is for destroy.yml"),
    ],
)
def test_prune_says_what_it_needs(runner, emulator, home, options, message):
    with pytest.raises(PlanError, match=message):
        runner.plan(declared(), **{**home, "prune": True, **options})
    assert emulator.calls()["mutating"] == 0


def test_a_part_of_the_inventory_shows_nothing_as_declared_no_more(runner, home):
    assert runner.run(declared("b"), **home, whole_inventory=False).would_remove == []


def test_what_another_layer_still_needs_is_not_pruned_with_its_own_layer_alone(runner, emulator, home):
    network = {"p": {**DECLARED["network"]["p"], "security_groups": [{"name": "web", "description": "web"}]}}
    alb = {
        "p": {
            "load_balancers": [
                {
                    "name": "front",
                    "subnets": ["one", "two"],
                    "security_groups": ["web"],
                    "scheme": "internal",
                    "deletion_protection_enabled": False,
                },
            ]
        }
    }
    network["p"]["subnets"] = [
        *DECLARED["network"]["p"]["subnets"],
        {"name": "two", "cidr_block": "10.0.1.0/24", "availability_zone": "us-east-1b"},
    ]
    runner.make(declared(network=network, alb=alb), **home)
    with pytest.raises(PlanError, match="subnet/two cannot go, because load_balancer/front .layer alb, host p."):
        runner.run({"network": DECLARED["network"]}, **home, prune=True)
    with pytest.raises(PlanError, match="needs it and would stay: remove that as well"):
        runner.run({"network": {}}, **home, state="absent")
    destroyed = runner.make({"network": {}, "alb": {}}, **home, state="absent")
    assert destroyed.done[0] == ("delete", "load_balancer", "front")
    assert destroyed.done[-1] == ("delete", "vpc", "main")


def test_destroy_needs_no_declaration(runner, emulator, home):
    destroyed = runner.make({"network": {}, "ecr": {}}, **home, state="absent")
    assert {ALPHA, BETA, GAMMA} < set(destroyed.done) and len(destroyed.done) == 5
    assert memory(emulator, "ecr") == memory(emulator, "network") == {}
    assert runner.run({"network": {}, "ecr": {}}, **home, state="absent").planned == []


def test_an_empty_state_is_not_an_empty_account(runner, emulator, home):
    for key in (PATHS.memory("ecr"), PATHS.memory("network")):
        emulator.client("s3").delete_object(Bucket=BUCKET, Key=key)
    planned = runner.plan({"network": {}, "ecr": {}}, **home, state="absent").plan
    assert planned.pending() == []
    assert "remembers nothing of this environment" in str(planned.warnings[-1])


def test_what_a_later_version_recorded_is_not_deleted_by_guesswork(runner, emulator, home):
    body = emulator.client("s3").get_object(Bucket=BUCKET, Key=PATHS.memory("ecr"))["Body"].read()
    body = body.replace(b"ecr_repository/beta", b"ecr_novelty/beta")
    emulator.client("s3").put_object(Bucket=BUCKET, Key=PATHS.memory("ecr"), Body=body)
    for item in emulator.client("dynamodb").scan(TableName=TABLE)["Items"]:
        emulator.client("dynamodb").delete_item(TableName=TABLE, Key={"LockID": item["LockID"]})
    assert runner.run(declared(), **home).would_remove == []
    with pytest.raises(PlanError, match="ecr_novelty/beta is recorded, and this version of the collection has no such"):
        runner.plan({"ecr": {}}, **home, state="absent")


def test_destroy_of_some_hosts_leaves_the_others(runner, emulator, home):
    planned = running.plan(
        runner.params({"ecr": {}, "network": {}}, **home, state="absent", whole_inventory=False),
        runner.progress.append,
        ["b"],
    )
    assert [change.key for change in planned.plan.pending()] == [GAMMA]


def test_what_is_protected_since_the_last_run_does_not_go_either(runner, emulator, home):
    guarded = declared(ecr={"a": repositories("alpha", "beta", protect=True)})
    with pytest.raises(PlanError, match="ecr_repository/alpha is protected"):
        runner.run({"ecr": guarded["ecr"]}, **home, state="absent")
    assert runner.make({"ecr": {"a": "a mistake"}}, **home, state="absent").done


def test_destroy_does_not_touch_what_is_not_recorded(runner, emulator, home):
    emulator.client("ecr").create_repository(
        repositoryName="other", tags=[{"Key": "dockyard:environment", "Value": "test"}]
    )
    runner.make({"ecr": {}}, **home, state="absent")
    assert existing(emulator) == ["other"]


def test_destroy_only_takes_what_it_names(runner, emulator, home):
    only = runner.make({"network": {}, "ecr": {}}, **home, state="absent", destroy_only=["ecr_repository/beta"])
    assert only.done == [BETA] and existing(emulator) == ["alpha", "gamma"]
    assert set(memory(emulator, "ecr")) == {("ecr_repository", "alpha"), ("ecr_repository", "gamma")}


@pytest.mark.parametrize(
    ("only", "message"),
    [
        (["ecr_repository/alpah"], "'ecr_repository/alpah' is not among .*did you mean ecr_repository/alpha"),
        (["vpc/main"], "vpc/main cannot go, because subnet/one .layer network, host p. needs it"),
    ],
)
def test_destroy_only_refuses_what_it_cannot_do(runner, emulator, home, only, message):
    with pytest.raises(PlanError, match=message):
        runner.run({"network": {}, "ecr": {}}, **home, state="absent", destroy_only=only)
    assert emulator.calls()["mutating"] == 0


def test_without_ownership_tags_the_memory_says_what_goes(runner, emulator, tmp_path):
    runner.make(art.declared("state_bucket"))
    options = {"base_dir": str(tmp_path), "remote_state": SETTING, "ownership_tags": False}
    runner.make(declared(), **options)
    assert len(runner.make({"network": {}, "ecr": {}}, **options, state="absent").done) == 5


def test_what_could_not_be_deleted_stays_recorded_and_goes_in_the_next_run(runner, emulator, home):
    emulator.faults(
        {"service": "ecr", "action": "DeleteRepository", "fault": "error", "code": "AccessDenied", "times": 1}
    )
    fewer = declared(ecr={"a": repositories("alpha"), "b": repositories("gamma")})
    failed = runner.run(fewer, **home, prune=True)
    assert "ecr_repository/beta" in failed.failures["a"] and "DeleteRepository" in failed.failures["a"]
    assert ("ecr_repository", "beta") in memory(emulator, "ecr")
    assert runner.make(fewer, **home, prune=True).done == [BETA]


@pytest.fixture
def inventory(tmp_path):
    """Two hosts with a repository each, and one with the state."""
    folder = tmp_path / "inventory"
    shutil.copytree(art.INVENTORY / "host_vars" / "art", folder / "host_vars" / "platform", dirs_exist_ok=True)
    for path in (folder / "host_vars" / "platform").iterdir():
        if path.name != "state_bucket.yml":
            path.unlink()
    variables = {
        **yaml.safe_load((art.INVENTORY / "group_vars" / "all.yml").read_text()),
        "dockyard_remote_state": SETTING,
    }
    write(folder / "group_vars" / "all.yml", variables)
    write(folder / "hosts.yml", {"all": {"hosts": {"platform": {}, "a": {}, "b": {}}}})
    for host, names in {"a": ("alpha", "beta"), "b": ("gamma",)}.items():
        write(folder / "host_vars" / host / "ecr.yml", {"ecr": repositories(*names)})
    return folder


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value))


def test_playbooks_prune_and_destroy(emulator, inventory):
    """The whole way of a user: shown, refused for a part, not after failures, removed, destroyed."""
    assert play(emulator, "playbooks/site.yml", inventory=inventory).code == 0
    write(inventory / "hosts.yml", {"all": {"hosts": {"platform": {}, "a": {}}}})
    write(inventory / "host_vars" / "a" / "ecr.yml", {"ecr": repositories("alpha", "delta")})
    part = play(emulator, "playbooks/site.yml", "-e", "prune=true", "--limit", "a", inventory=inventory)
    assert part.code != 0 and "leave --limit out" in part.failed_messages()
    emulator.faults(
        {"service": "ecr", "action": "CreateRepository", "fault": "error", "code": "AccessDenied", "times": 1}
    )
    failed = play(emulator, "playbooks/site.yml", "-e", "prune=true", "--tags", "ecr", inventory=inventory)
    emulator.faults()
    assert failed.code != 0 and "a failed earlier in this run, so nothing was removed" in failed.failed_messages()
    assert existing(emulator) == ["alpha", "beta", "gamma"]
    pruned = play(emulator, "playbooks/site.yml", "-e", "prune=true", inventory=inventory)
    assert pruned.code == 0, pruned.failed_messages()
    assert sorted(pruned.done()) == sorted([("create", "ecr_repository", "delta"), BETA, GAMMA])
    (inventory / "host_vars" / "a" / "ecr.yml").write_text("ecr: {repositories: no list}\n")
    answer = ("-e", "destroy_environment=art")
    only = play(
        emulator, "playbooks/destroy.yml", *answer, "-e", "destroy_only=ecr_repository/delta", inventory=inventory
    )
    assert only.code == 0 and existing(emulator) == ["alpha"], only.failed_messages()
    gone = play(emulator, "playbooks/destroy.yml", *answer, "--tags", "ecr", inventory=inventory)
    assert gone.code == 0 and existing(emulator) == [], gone.failed_messages()


def test_in_check_mode_each_part_is_told_once(emulator, inventory):
    assert play(emulator, "playbooks/site.yml", inventory=inventory).code == 0
    write(inventory / "host_vars" / "a" / "ecr.yml", {"ecr": repositories("alpha", "delta")})
    checked = play(emulator, "playbooks/site.yml", "-e", "prune=true", "--check", "--tags", "ecr", inventory=inventory)
    told = {
        action: [item["name"] for item in result["changes"]]
        for action, _host, result in checked.results
        if "changes" in result
    }
    assert told["dockyard.aws.ecr"] == ["delta"] and told["dockyard.aws.remove"] == ["beta"]
    assert sorted(told["dockyard.aws.plan"]) == ["beta", "delta"]
