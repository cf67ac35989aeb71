# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments that no emulator plays, on an ECS that answers from a script as AWS documents it."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.aws import waiting
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import follow
from tests.integration.deploys import Deployer, declared, push
from tests.integration.engine import Runner
from tests.integration.playbooks import forget
from tests.integration.scripted import OLD, OTHER, OURS, RECORD, Endpoint, Script, deployment, look

pytestmark = pytest.mark.xdist_group("deploy_scripted")
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bake_time_in_minutes": 5}
STAGES = ("PRE_SCALE_UP", "SCALE_UP", "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP")


@pytest.fixture(scope="module")
def endpoint(emulator_process):
    """The service web on the emulator, with the revision web:1, and the script's endpoint before it."""
    emulator_process.reset()
    emulator_process.faults()
    forget(emulator_process)
    with Endpoint(emulator_process) as found, pytest.MonkeyPatch.context() as patch:
        for name, value in emulator_process.environment().items():
            patch.setenv(name, value)
        runner = Runner(found)
        runner.patch(patch)
        found.runner = runner
        runner.make({"ecr": declared()["ecr"]})
        for tag in ("v1", "v2"):
            push(emulator_process.client("ecr"), tag)
        runner.make(declared())
        yield found


@pytest.fixture
def play(endpoint, monkeypatch):
    """Deploys v2 while ECS plays a script: the result, and the lines that were shown."""
    monkeypatch.setattr(follow, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(follow, "LONGEST_DELAY", 0.02)
    monkeypatch.setattr(waiting, "FIRST_DELAY", 0.01)

    def deploy(script, **options):
        endpoint.script = script
        configuration = options.pop("configuration", None)
        # Without a load balancer, which a native strategy needs more of.
        given = declared(**({"deployment_configuration": configuration, "load_balancers": []} if configuration else {}))
        deployer = Deployer(endpoint.runner, given)
        result = deployer.deploy("v2", **options)
        return result["services"][0], list(deployer.progress)

    yield deploy
    endpoint.script = None


def revision(endpoint):
    """family:revision that the next deploy registers."""
    arns = endpoint.emulator.client("ecs").list_task_definitions(familyPrefix="web", status="INACTIVE")
    return f"web:{len(arns['taskDefinitionArns']) + 2}"


def new(endpoint, state="IN_PROGRESS", running=0, **more):
    return deployment(OURS, revision(endpoint), state, running, **more)


def old(state="COMPLETED", running=2, identity=OLD, **more):
    return deployment(identity, "web:1", state, running, **more)


def in_stage(stage, **more):
    return {"status": "IN_PROGRESS", "lifecycleStage": stage, **more}


def test_alarms_take_a_deployment_back(endpoint, play):
    triggered = {"status": "TRIGGERED", "alarmNames": ["5xx"], "triggeredAlarmNames": ["5xx"]}
    rolling = {"status": "ROLLBACK_IN_PROGRESS", "statusReason": "Service deployment rolled back because of alarm."}
    script = Script(
        [
            look(new(endpoint, running=2), old(), **in_stage("BAKE_TIME")),
            look(new(endpoint, running=2), old(), **rolling, alarms=triggered),
            look(old(), **rolling, alarms=triggered),
        ]
    )
    report, lines = play(script, configuration=BLUE_GREEN)
    assert report["status"] == "failed"
    assert "failed: Service deployment rolled back because of alarm. (alarms: 5xx)" in report["error"]
    assert "ECS went back: web:1 runs with 2 of 2 tasks." in report["error"]
    assert len(script.called("UpdateService")) == 1 and not script.called("StopServiceDeployment")
    assert "web: stage BAKE_TIME" in lines


def test_the_stages_of_a_blue_green_deployment_are_told(endpoint, play):
    going = [look(new(endpoint), old(), **in_stage(stage)) for stage in STAGES]
    done = look(new(endpoint, "COMPLETED", 2), status="SUCCESSFUL")
    report, lines = play(Script([*going, done]), configuration=BLUE_GREEN)
    assert (report["status"], report["running"]) == ("deployed", f"{report['task_definition']} runs with 2 of 2 tasks")
    assert [line for line in lines if "stage" in line] == [f"web: stage {stage}" for stage in STAGES]


def test_a_pause_says_how_to_go_on(endpoint, play):
    hook = {"hookId": "h1", "targetType": "PAUSE", "status": "AWAITING_ACTION", "expiresAt": 1_900_003_600}
    paused = in_stage("POST_TEST_TRAFFIC_SHIFT", lifecycleHookDetails=[{**hook, "timeoutAction": "ROLLBACK"}])
    done = look(new(endpoint, "COMPLETED", 2), status="SUCCESSFUL")
    _report, lines = play(Script([look(new(endpoint), old(), **paused), done]), configuration=BLUE_GREEN)
    assert [line for line in lines if "paused" in line] == [
        "web: the deployment is paused until 2030-03-17T18:46:40Z, then ROLLBACK: aws ecs continue-service-deployment "
        f"--service-deployment-arn {RECORD} --hook-id h1 --action CONTINUE (or ROLLBACK)"
    ]


def test_what_ecs_does_not_end_is_stopped_by_its_own_rollback(endpoint, play):
    """A blue/green deployment goes back by StopServiceDeployment: the traffic with it, which an update would not."""
    script = Script(
        [look(new(endpoint), old(), **in_stage("SCALE_UP"))],
        after=[
            look(new(endpoint), old("IN_PROGRESS"), status="ROLLBACK_IN_PROGRESS"),
            look(old(), status="ROLLBACK_SUCCESSFUL"),
        ],
    )
    report, _lines = play(script, configuration=BLUE_GREEN, timeout=1)
    assert "failed: time limit: it did not end within 1 s" in report["error"]
    assert "It was taken back: web:1 runs with 2 of 2 tasks." in report["error"]
    assert script.called("StopServiceDeployment") == [{"serviceDeploymentArn": RECORD, "stopType": "ROLLBACK"}]
    assert len(script.called("UpdateService")) == 1


def test_a_deployment_that_somebody_stopped_is_taken_back(endpoint, play):
    stopped = {"status": "STOPPED", "statusReason": "Service deployment stopped by user."}
    script = Script(
        [look(new(endpoint), old(), **in_stage("SCALE_UP")), look(new(endpoint), old(), **stopped)],
        after=[look(old("IN_PROGRESS", identity=OTHER)), look(old(identity=OTHER))],
    )
    report, _lines = play(script)
    assert "failed: Service deployment stopped by user\n" in report["error"]
    assert "It was taken back: web:1 runs with 2 of 2 tasks." in report["error"]
    assert script.called("UpdateService")[-1]["taskDefinition"].endswith(":task-definition/web:1")


def test_a_hook_that_fails_is_told(endpoint, play):
    failed = {"hookId": "1", "targetArn": "arn:aws:lambda:us-east-1:123456789012:function:check", "status": "FAILED"}
    why = "Service deployment rolled back because the lifecycle hook failed."
    rolling = {"status": "ROLLBACK_IN_PROGRESS", "statusReason": why, "lifecycleHookDetails": [failed]}
    script = Script(
        [
            look(new(endpoint), old(), **in_stage("PRE_SCALE_UP")),
            look(new(endpoint), old(), **rolling),
            look(old(), **rolling),
        ]
    )
    report, _lines = play(script, configuration=BLUE_GREEN)
    assert why.rstrip(".") in report["error"] and "ECS went back" in report["error"]


def test_targets_that_are_never_healthy_end_the_deployment(endpoint, play):
    script = Script(
        [look(new(endpoint, running=2), old(), events=["(port 8080) is unhealthy in (target-group web)"])],
        after=[look(old(identity=OTHER))],
        healthy=False,
    )
    report, lines = play(script, unhealthy_timeout=1)
    assert "failed: targets have been unhealthy for 1 s" in report["error"]
    assert "is unhealthy: Target.Timeout, Request timed out" in report["error"]
    assert "event: (port 8080) is unhealthy in (target-group web)" in report["error"]
    assert "It was taken back: web:1 runs with 2 of 2 tasks." in report["error"]
    assert any("10.0.0.9:8080 of web" in line for line in lines)


def test_tasks_that_keep_dying_in_a_deployment_that_ecs_goes_on_with(endpoint, play):
    def dead(number):
        return {
            "taskArn": f"arn:aws:ecs:us-east-1:123456789012:task/web/{number}",
            "startedBy": OURS,
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "containers": [{"name": "web", "exitCode": 137, "reason": "OutOfMemoryError: Container killed"}],
        }

    off = {"deployment_circuit_breaker": {"enable": False, "rollback": False}}
    script = Script(
        [look(new(endpoint), old(), tasks=[dead(number) for number in range(count)]) for count in (0, 2, 12)],
        after=[look(old(identity=OTHER))],
    )
    report, _lines = play(script, configuration=off)
    assert "failed: its tasks keep dying: 12 so far" in report["error"]
    assert (
        "12 tasks: Essential container in task exited (EssentialContainerExited), container web exited with 137, "
        in (report["error"])
    )
    assert "It was taken back" in report["error"]


@pytest.mark.parametrize(
    ("last", "why", "end"),
    [
        (
            look(deployment(OTHER, "web:99"), deployment(OURS, "web:2"), old()),
            f"another deployment took over: {OTHER} of web:99",
            "It was left to the other deployment; nothing was undone.",
        ),
        (
            look(),
            "the service was deleted meanwhile",
            "There is nothing to go back to: site.yml makes the service again.",
        ),
    ],
    ids=["overtaken", "deleted"],
)
def test_what_somebody_else_ends_is_not_undone(endpoint, play, last, why, end):
    script = Script([look(new(endpoint), old()), last])
    report, _lines = play(script)
    assert report["status"] == "failed" and f"failed: {why}" in report["error"] and end in report["error"]
    assert len(script.called("UpdateService")) == 1
    assert not script.called("StopServiceDeployment") and not script.called("DeregisterTaskDefinition")


@pytest.fixture
def begun(endpoint):
    """A revision of v2 that somebody's deploy has brought to the service, who did not see its end."""
    ecs = endpoint.emulator.client("ecs")
    task = ecs.describe_task_definition(taskDefinition="web:1")["taskDefinition"]
    image = {"repositoryName": "web", "imageIds": [{"imageTag": "v2"}]}
    digest = endpoint.emulator.client("ecr").describe_images(**image)["imageDetails"][0]["imageDigest"]
    container = {**task["containerDefinitions"][0]}
    container["image"] = f"{container['image'].rpartition(':')[0]}@{digest}"
    names = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn")
    given = {name: task[name] for name in names}
    candidate = {"tags": [{"key": "dockyard:candidate", "value": "true"}]}  # killed before it was taken away
    registered = ecs.register_task_definition(**given, **candidate, containerDefinitions=[container])["taskDefinition"]
    arn = registered["taskDefinitionArn"]
    yield arn.rsplit("/", 1)[-1]
    ecs.deregister_task_definition(taskDefinition=arn)


def test_a_deploy_that_was_interrupted_is_followed_to_its_end_by_the_next(endpoint, play, begun):
    going = [look(deployment(OURS, begun), old())] * 4
    script = Script([*going, look(deployment(OURS, begun, "COMPLETED", 2))], updated=True)
    report, lines = play(script)
    assert (report["status"], report["previous_task_definition"], report["task_definition"]) == (
        "deployed",
        "web:1",
        begun,
    )
    assert f"web: deployment {OURS} of {begun} is on its way already: followed" in lines
    assert not script.called("UpdateService") and not script.called("RegisterTaskDefinition")
    described = endpoint.emulator.client("ecs").describe_task_definition(taskDefinition=begun, include=["TAGS"])
    assert described.get("tags", []) == []


def test_a_deploy_that_was_interrupted_and_fails_takes_its_revision_along(endpoint, play, begun):
    failed = deployment(
        OURS, begun, "FAILED", rolloutStateReason="ECS deployment circuit breaker: tasks failed to start."
    )
    going = [look(deployment(OURS, begun), old())] * 4
    script = Script([*going, look(old("IN_PROGRESS"), failed), look(old(), failed), look(old())], updated=True)
    report, _lines = play(script)
    assert report["status"] == "failed" and report["deregistered"] == [begun]
    assert "failed: ECS deployment circuit breaker: tasks failed to start" in report["error"]
    assert "ECS went back: web:1 runs with 2 of 2 tasks." in report["error"]


def test_a_strategy_that_the_inventory_does_not_declare_is_the_services_all_the_same(play, begun):
    going = look(deployment(OURS, begun), old(), **in_stage("SCALE_UP"))
    script = Script(
        [going],
        after=[look(old(), status="ROLLBACK_SUCCESSFUL")],
        updated=True,
        configuration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5},
    )
    report, _lines = play(script, timeout=1)
    assert "It was taken back: web:1 runs with 2 of 2 tasks." in report["error"]
    assert len(script.called("StopServiceDeployment")) == 1 and not script.called("UpdateService")


def test_a_revision_that_failed_and_runs_nowhere_is_tried_again(play, begun):
    failed = look(deployment(OURS, begun, "FAILED"), old())
    script = Script([failed], after=[look(deployment(OTHER, begun, "COMPLETED", 2))], updated=True)
    report, _lines = play(script)
    assert report["status"] == "deployed"
    assert script.called("UpdateService")[0]["forceNewDeployment"] is True


def test_a_failed_revision_that_was_left_behind_is_told_and_taken_out_of_the_way(endpoint, begun):
    ecs, script = endpoint.emulator.client("ecs"), Script([look(old())], updated=True)
    arn = ecs.describe_task_definition(taskDefinition=begun)["taskDefinition"]["taskDefinitionArn"]
    ecs.untag_resource(resourceArn=arn, tagKeys=["dockyard:candidate"])
    endpoint.script = script
    deployer = Deployer(endpoint.runner, declared())
    problem = deployer.status()["services"][0]["problems"]
    assert len(problem) == 1 and problem[0].startswith(f"{begun} is newer than what it runs")
    report = deployer.deploy(revision="1")["services"][0]
    assert begun in report["deregistered"]
    assert (report["status"], report["task_definition"], report["error"]) == ("rolled back", "web:1", "")
    assert not script.called("UpdateService")
    assert deployer.status()["healthy"]
    endpoint.script = None
