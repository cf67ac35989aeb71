# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploys to a service: what succeeds, what fails and goes back. On the project's own simulation of ECS."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import follow, one_off
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.deploying import Deploy
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art
from tests.integration.deploys import NAME, NO_BREAKER, Deployer, declared, push

SETTING = {"bucket": "art-service-terraform-state", "lock_table": "art-service-terraform-locks"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The simulation moves with every look, not with time."""
    for module in (follow, one_off):
        monkeypatch.setattr(module, "FIRST_DELAY", 0.01)
        monkeypatch.setattr(module, "LONGEST_DELAY", 0.05)
    monkeypatch.setattr(one_off, "LOG_DELAY", 0.01)


@pytest.fixture
def ecs(emulator):
    return emulator.client("ecs")


@pytest.fixture
def ecr(emulator):
    return emulator.client("ecr")


def made(runner, ecr, declarations, **options):
    """The environment, with the first image."""
    runner.make({"ecr": declarations["ecr"]})
    push(ecr, "v1")
    runner.make(declarations)
    return Deployer(runner, declarations, **options)


def running(ecs):
    service = ecs.describe_services(cluster="web", services=["web"])["services"][0]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    return task["revision"], task["containerDefinitions"][0]["image"].rpartition("@")[2]


def active(ecs):
    arns = ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"]
    return [int(arn.rsplit(":", 1)[1]) for arn in arns]


def failed(result):
    assert result["services"][0]["status"] == "failed"
    return result["failures"]["web"]


def test_a_deploy_pins_the_digest_and_brings_it_to_the_service(runner, ecs, ecr):
    deployer = made(runner, ecr, declared())
    digest = push(ecr, "v2")
    result = deployer.deploy("v2")
    report = result["services"][0]
    assert (result["changed"], report["status"], result["failures"]) == (True, "deployed", {})
    assert running(ecs) == (2, digest)
    assert (report["previous_task_definition"], report["task_definition"]) == ("web:1", "web:2")
    assert [item["path"] for item in report["differences"]] == ["containerDefinitions[web].image"]
    assert report["images"]["web"]["tag"] == "v2" and report["images"]["web"]["digest"] == digest
    assert report["running"] == "web:2 runs with 2 of 2 tasks"
    assert "web: registered web:2" in deployer.progress
    assert any("has reached a steady state" in line for line in deployer.progress)
    assert deployer.deploy("v2")["changed"] is False


def test_check_mode_says_what_would_be_deployed_and_changes_nothing(runner, emulator, ecs, ecr):
    deployer = made(runner, ecr, declared())
    push(ecr, "v2")
    emulator.reset_calls()
    report = deployer.deploy("v2", check_mode=True)["services"][0]
    assert (report["status"], report["registers"]) == ("deployed", True)
    assert [item["path"] for item in report["differences"]] == ["containerDefinitions[web].image"]
    assert emulator.calls()["mutating"] == 0
    assert running(ecs)[0] == 1


@pytest.mark.parametrize("remote_state", [None, SETTING], ids=["no state", "remote state"])
def test_site_changes_nothing_after_ten_deploys(runner, emulator, ecs, ecr, tmp_path, remote_state):
    options = {"remote_state": remote_state, "base_dir": str(tmp_path)}
    runner.make(art.declared("state_bucket"))
    declarations = declared()
    runner.make({"ecr": declarations["ecr"]}, **options)
    push(ecr, "v1")
    runner.make(declarations, **options)
    deployer = Deployer(runner, declarations, **options)
    for number in range(2, 12):
        push(ecr, f"v{number}")
        assert deployer.deploy(f"v{number}")["failures"] == {}
    assert running(ecs)[0] == 11
    emulator.reset_calls()
    assert runner.run(declarations, **options).changes == []
    calls = emulator.calls()
    assert calls["mutating"] == 0, [item for item in calls["calls"] if item["mutating"]]


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("v9", "has no image with the tag 'v9'; nearest tags: v1; newest tags: v1"),
        ("sha256:" + "0" * 64, "has no image with the digest sha256:000"),
        ("no:tag", "'no:tag' is no image of web"),
    ],
)
def test_a_missing_image_stops_before_anything_changes(runner, emulator, ecr, tag, message):
    deployer = made(runner, ecr, declared())
    emulator.reset_calls()
    with pytest.raises(PlanError) as caught:
        deployer.deploy(tag)
    assert message in str(caught.value)
    assert emulator.calls()["mutating"] == 0


@pytest.mark.parametrize(
    ("platform", "architecture", "fails"),
    [(None, "arm64", True), ("ARM64", "amd64", True), ("ARM64", "arm64", False)],
)
def test_an_image_for_another_platform_stops_before_anything_changes(
    runner, emulator, ecr, platform, architecture, fails
):
    task = {"runtime_platform": {"cpu_architecture": platform}} if platform else {}
    deployer = made(runner, ecr, declared(task))
    push(ecr, "other", architecture=architecture)
    emulator.reset_calls()
    if not fails:
        assert deployer.deploy("other", check_mode=True)["changed"]
        return
    with pytest.raises(PlanError) as caught:
        deployer.deploy("other")
    assert f"is for linux/{architecture}, and the tasks run on linux/" in str(caught.value)
    assert emulator.calls()["mutating"] == 0


FAILING = [
    ("crash", {}, "circuit breaker", "container web exited with 1", "ECS went back"),
    ("nopull", {}, "circuit breaker", "CannotPullContainerError", "ECS went back"),
    ("crash", NO_BREAKER, "its tasks keep dying", "container web exited with 1", "It was taken back"),
    ("unhealthy", NO_BREAKER, "its tasks keep dying", "Task failed ELB health checks", "It was taken back"),
    ("unhealthy", {}, "circuit breaker", "Target.ResponseCodeMismatch", "ECS went back"),
]


@pytest.mark.parametrize(("tag", "configuration", "why", "reason", "back"), FAILING)
def test_a_failing_deployment_is_told_and_the_old_revision_runs_on(
    runner, ecs, ecr, tag, configuration, why, reason, back
):
    declarations = declared(**({"deployment_configuration": configuration} if configuration else {}))
    deployer = made(runner, ecr, declarations)
    push(ecr, tag)
    message = failed(deployer.deploy(tag))
    assert why in message and reason in message and f"{back}: web:1 runs with 2 of 2 tasks." in message
    assert running(ecs)[0] == 1
    assert active(ecs) == [1]
    runner.assert_nothing_to_do(declarations)


def test_the_last_lines_of_what_failed_are_shown(runner, ecr):
    deployer = made(runner, ecr, declared())
    push(ecr, "crash")
    result = deployer.deploy("crash")
    assert result["services"][0]["logs"] == {"web": ["starting", "fatal: cannot go on"]}
    assert "last lines of container web:\n      starting\n      fatal: cannot go on" in failed(result)


def test_one_off_tasks_run_with_the_new_revision_before_the_service_is_touched(runner, emulator, ecs, ecr):
    tasks = [{"name": "migrate", "command": ["exit", "0"], "environment": {"STEP": 1}}, {"name": "warm up"}]
    deployer = made(runner, ecr, declared(deploy_tasks=tasks))
    push(ecr, "v2")
    emulator.reset_calls()
    report = deployer.deploy("v2")["services"][0]
    assert [(item["name"], item["exit_code"], item["task_definition"]) for item in report["tasks"]] == [
        ("migrate", 0, "web:2"),
        ("warm up", 0, "web:2"),
    ]
    assert report["tasks"][0]["lines"] == ["starting", "running", "the work is done, exit code 0"]
    assert "web: migrate: | the work is done, exit code 0" in deployer.progress
    called = [item.partition(":")[2] for item in emulator.calls()["log"]]
    assert called.index("RegisterTaskDefinition") < called.index("RunTask") < called.index("UpdateService")


def test_a_one_off_task_that_fails_ends_the_deploy(runner, ecs, ecr):
    declarations = declared(deploy_tasks=[{"name": "migrate", "command": ["exit", "3"]}])
    deployer = made(runner, ecr, declarations)
    push(ecr, "v2")
    message = failed(deployer.deploy("v2"))
    assert "the one-off task 'migrate' failed: container web exited with 3" in message
    assert "the work is done, exit code 3" in message and "web:1 runs on" in message
    assert running(ecs)[0] == 1 and active(ecs) == [1]
    runner.assert_nothing_to_do(declarations)


def test_old_revisions_go_but_none_that_is_in_use(runner, ecs, ecr):
    deployer = made(runner, ecr, declared(keep_revisions=2))
    for number in (2, 3):
        push(ecr, f"v{number}")
        deployer.deploy(f"v{number}")
    assert active(ecs) == [2, 3]
    subnets = ecs.describe_services(cluster="web", services=["web"])["services"][0]["networkConfiguration"]
    ecs.run_task(cluster="web", taskDefinition="web:2", launchType="FARGATE", networkConfiguration=subnets)
    push(ecr, "v4")
    report = deployer.deploy("v4")["services"][0]
    assert active(ecs) == [2, 3, 4] and report["deregistered"] == []


def test_back_to_the_previous_revision_and_site_leaves_it_there(runner, ecs, ecr):
    declarations = declared()
    deployer = made(runner, ecr, declarations)
    for tag in ("v2", "v3"):
        push(ecr, tag)
        deployer.deploy(tag)
    report = deployer.deploy(revision="previous")["services"][0]
    assert (report["status"], report["task_definition"], report["deregistered"]) == ("rolled back", "web:2", ["web:3"])
    assert running(ecs)[0] == 2
    runner.assert_nothing_to_do(declarations)
    deployer.deploy(revision="1")
    assert running(ecs)[0] == 1
    with pytest.raises(PlanError, match="has no older active revision to go back to"):
        deployer.deploy(revision="previous")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"revision": "7"}, "web:7 is not an active revision; active revisions: 1"),
        ({"revision": "other:1"}, "allowed: previous, a number, or web:<number>"),
        ({"images": {"nginx": "v1"}}, "images: got the container 'nginx', the task definition has: web"),
        ({"service": "api"}, "service: got 'api', the hosts of this play declare: web/web"),
        ({"image_tag": "v1", "images": {"web": "v1"}}, "image_tag and images cannot both be given"),
        ({"image_tag": "v1", "revision": "1"}, "takes no image_tag"),
        ({"image_tag": ""}, "image_tag is empty: the variable that should hold it is not set"),
        ({"timeout": 0}, "timeout: got 0"),
        ({"image_tag": " "}, "image_tag is empty: the variable that should hold it is not set"),
        ({"revision": ""}, "revision is empty: the variable that should hold it"),
        ({"images": {"web": 1.10}}, "images: got 1.1 for 'web': give the tag as text, in quotes"),
    ],
)
def test_bad_input_is_refused(runner, ecr, options, message):
    deployer = made(runner, ecr, declared())
    with pytest.raises(ReconcileError) as caught:
        deployer.deploy(**options)
    assert message in str(caught.value)


def test_several_services_are_deployed_only_if_that_is_meant(runner, ecr):
    declarations = declared()
    other = {**declarations["ecs"]["web"]["services"][0], "name": "other", "load_balancers": None}
    declarations["ecs"]["web"]["services"].append(other)
    deployer = made(runner, ecr, declarations)
    push(ecr, "v2")
    with pytest.raises(ReconcileError, match="deploy is for one service: name its host with --limit, or the service"):
        deployer.deploy("v2")
    result = deployer.deploy("v2", all_services=True)
    assert [(item["status"], item["task_definition"]) for item in result["services"]] == [("deployed", "web:2")] * 2
    runner.assert_nothing_to_do(declarations)


def test_the_inventory_keeps_the_image_that_it_owns(runner, ecr):
    deployer = made(runner, ecr, declared(image_owner="declaration"))
    with pytest.raises(PlanError, match="image_owner is declaration, so the inventory sets the image"):
        deployer.deploy("v1")


def test_what_else_the_inventory_says_of_the_task_definition_comes_along(runner, ecs, ecr):
    made(runner, ecr, declared())
    push(ecr, "v2")
    changed = declared({"memory": "2048"})
    report = Deployer(runner, changed).deploy("v2")["services"][0]
    assert sorted(item["path"] for item in report["differences"]) == ["containerDefinitions[web].image", "memory"]
    runner.assert_nothing_to_do(changed)


def test_site_passes_by_what_is_not_deployed_yet(runner, ecs, ecr):
    declarations = declared()
    made(runner, ecr, declarations)
    current = ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]
    names = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn")
    kept = {name: current[name] for name in names}
    ecs.register_task_definition(
        **kept,
        containerDefinitions=current["containerDefinitions"],
        tags=[{"key": "dockyard:candidate", "value": "true"}],
    )
    runner.assert_nothing_to_do(declarations)


DENIED = {"fault": "error", "code": "AccessDeniedException", "status": 403, "service": "ecs", "times": 9}


@pytest.mark.parametrize(("also", "left"), [((), []), (("DeregisterTaskDefinition",), ["dockyard:candidate"])])
def test_an_update_that_is_denied_leaves_nothing_for_site(runner, emulator, ecs, ecr, also, left):
    declarations = declared()
    deployer = made(runner, ecr, declarations)
    push(ecr, "v2")
    for action in ("UpdateService", *also):
        emulator.faults({**DENIED, "action": action})
    message = failed(deployer.deploy("v2"))
    emulator.faults()
    assert "UpdateService was answered with AccessDenied" in message and running(ecs)[0] == 1
    assert active(ecs) == ([1, 2] if left else [1])
    if left:
        labels = ecs.describe_task_definition(taskDefinition="web:2", include=["TAGS"])["tags"]
        assert left[0] in {item["key"] for item in labels}
    runner.assert_nothing_to_do(declarations)


def test_a_revision_is_no_candidate_any_more_when_the_service_gets_it(runner, emulator, ecr):
    """A run that is killed in between would leave site.yml to take the service back after its migrations."""
    deployer = made(runner, ecr, declared())
    push(ecr, "v2")
    emulator.reset_calls()
    deployer.deploy("v2")
    called = [item.partition(":")[2] for item in emulator.calls()["log"]]
    assert called.index("UntagResource") < called.index("UpdateService")


def test_what_somebody_else_brought_meanwhile_is_not_taken_away(runner, ecs, ecr, monkeypatch):
    deployer = made(runner, ecr, declared())
    for tag in ("v2", "v3"):
        push(ecr, tag)
    carry_out = Deploy.carry_out

    def after_another(self):
        monkeypatch.setattr(Deploy, "carry_out", carry_out)
        Deployer(runner, declared()).deploy("v3")
        carry_out(self)

    monkeypatch.setattr(Deploy, "carry_out", after_another)
    message = failed(deployer.deploy("v2"))
    assert "somebody else brought web:2 to web/web meanwhile" in message and "Run it again" in message
    assert running(ecs)[0] == 2 and active(ecs) == [1, 2]


def test_a_held_lock_stops_before_anything_is_registered(runner, emulator, ecs, ecr, tmp_path):
    options = {"remote_state": SETTING, "base_dir": str(tmp_path)}
    runner.make(art.declared("state_bucket"))
    deployer = made(runner, ecr, declared(), **options)
    runner.make(declared(), **options)
    push(ecr, "v2")
    locks = emulator.client("dynamodb")
    key = f"{SETTING['bucket']}/{Paths().memory('ecs')}"
    info = json.dumps({"ID": "1", "Who": "somebody", "Operation": "apply", "Created": "2030-01-01T00:00:00Z"})
    locks.put_item(TableName=SETTING["lock_table"], Item={"LockID": {"S": key}, "Info": {"S": info}})
    assert "somebody" in failed(deployer.deploy("v2"))
    assert running(ecs)[0] == 1 and active(ecs) == [1]


def test_run_task_has_the_exit_code_and_the_log(runner, ecr):
    deployer = made(runner, ecr, declared())
    result = deployer.run_task(command=["exit", "0"])
    assert (result["exit_code"], result["task_definition"], result["lines"][-1]) == (
        0,
        "web:1",
        "the work is done, exit code 0",
    )
    result = deployer.run_task(command=["exit", "5"], name="report")
    assert result["failed"] and "the one-off task 'report' failed: container web exited with 5" in result["msg"]


def test_status_has_one_row_for_each_service(runner, ecr):
    deployer = made(runner, ecr, declared())
    push(ecr, "v2", "stable")
    deployer.deploy("v2")
    result = deployer.status()
    row = result["services"][0]
    assert (row["service"], row["task_definition"], row["running"], row["desired"]) == (NAME, "web:2", 2, 2)
    assert sorted(row["images"]["web"]["tags"]) == ["stable", "v2"]
    assert row["deployment"]["state"] == "COMPLETED" and row["targets"][0].endswith(": 2 healthy")
    assert result["healthy"] and row["events"][0]["message"] == "has reached a steady state."


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda it: it.run_task(command=["./manage migrate"]), '{"task_command": ["./manage", "migrate"]}'),
        (lambda it: it.run_task(timeout=0), "timeout: got 0, it is a number of seconds, at least 1"),
        (lambda it: it.scale(1, timeout=-1), "timeout: got -1"),
        (lambda it: it.status(events=-1), "events: got -1, it is a number of events, 0 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(runner, act, message):
    with pytest.raises(ReconcileError) as caught:
        act(Deployer(runner, declared()))
    assert message in str(caught.value)


def test_scaling_says_who_sets_it_back(runner, ecs, ecr):
    deployer = made(runner, ecr, declared())
    result = deployer.scale(3)
    assert (result["changed"], result["before"], result["after"]) == (True, 2, 3)
    assert result["notes"] == ["the inventory declares desired_count 2: the next run of site.yml sets it back"]
    assert ecs.describe_services(cluster="web", services=["web"])["services"][0]["runningCount"] == 3
    assert deployer.scale(3)["changed"] is False
    with pytest.raises(ReconcileError, match="got -1"):
        deployer.scale(-1)
