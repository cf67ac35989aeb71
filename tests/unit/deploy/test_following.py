# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a deployment can end, on scripted answers of ECS as AWS documents them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import follow, reasons, verdict
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.records import Records
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.verdict import Facts, Limits, Watched
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout

ARN = "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:{}"
OLD, NEW, THIRD = ARN.format(6), ARN.format(7), ARN.format(8)
START = datetime(2030, 1, 1, tzinfo=UTC)
WATCHED = Watched("ecs-svc/2", NEW, OLD, frozenset({"ecs-svc/1"}))
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def deployment(
    number: int, task: str, status: str = "PRIMARY", state: str = "IN_PROGRESS", **more: Any
) -> dict[str, Any]:
    return {
        "id": f"ecs-svc/{number}",
        "status": status,
        "taskDefinition": task,
        "createdAt": START + timedelta(minutes=number),
        "rolloutState": state,
        "runningCount": 0,
        "pendingCount": 0,
        "failedTasks": 0,
        **more,
    }


def service(*deployments: dict[str, Any], events: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "status": "ACTIVE",
        "serviceName": "web",
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "taskDefinition": deployments[0]["taskDefinition"] if deployments else OLD,
        "deployments": list(deployments),
        "events": [{"id": text, "message": f"(service web) {text}"} for text in reversed(events)],
        **more,
    }


def task(
    code: str = "EssentialContainerExited", reason: str = "Essential container in task exited", **more: Any
) -> Any:
    return {"taskArn": "t", "startedBy": "ecs-svc/2", "stopCode": code, "stoppedReason": reason, **more}


BEFORE = deployment(1, OLD, "ACTIVE", "COMPLETED", runningCount=2)
RUNNING = service(deployment(2, NEW, runningCount=1), BEFORE)
FAILED_STATE = {
    "status": "ACTIVE",
    "state": "FAILED",
    "rolloutStateReason": "ECS deployment circuit breaker: rolling back",
}

ENDS = [
    ("healthy", Facts(service(deployment(2, NEW, state="COMPLETED", runningCount=2))), "done", "", False),
    ("on its way", Facts(RUNNING), "going", "", False),
    (
        "the circuit breaker trips and goes back",
        Facts(service(deployment(1, OLD), deployment(2, NEW, **FAILED_STATE))),
        "failed",
        "circuit breaker",
        True,
    ),
    (
        "the circuit breaker trips and does not go back",
        Facts(service(deployment(2, NEW, state="FAILED", rolloutStateReason="tasks failed to start"), BEFORE)),
        "failed",
        "tasks failed to start",
        False,
    ),
    (
        "ECS went back with a new deployment, and ours is gone",
        Facts(service(deployment(3, OLD, rolloutStateReason="ECS deployment circuit breaker: rolling back"))),
        "failed",
        "ECS went back to web:6",
        True,
    ),
    (
        "ECS went back to the deployment before, and ours is gone",
        Facts(service(deployment(1, OLD, state="COMPLETED"))),
        "failed",
        "ECS went back to web:6",
        True,
    ),
    (
        "tasks keep dying without a circuit breaker",
        Facts(service(deployment(2, NEW, failedTasks=3), BEFORE)),
        "failed",
        "its tasks keep dying: 3",
        False,
    ),
    (
        "tasks run for a moment and die, which ECS does not count",
        Facts(RUNNING, tasks=[task(), task(), task()]),
        "failed",
        "its tasks keep dying: 3",
        False,
    ),
    (
        "the circuit breaker is waited for",
        Facts({**RUNNING, "deploymentConfiguration": BREAKER}, tasks=[task()] * 8),
        "going",
        "",
        False,
    ),
    (
        "the circuit breaker does not see what dies after a moment",
        Facts({**RUNNING, "deploymentConfiguration": BREAKER}, tasks=[task()] * 9),
        "failed",
        "its tasks keep dying: 9",
        False,
    ),
    (
        "completed, and its tasks die",
        Facts(service(deployment(2, NEW, state="COMPLETED")), tasks=[task()] * 3),
        "failed",
        "it was completed, but",
        False,
    ),
    (
        "tasks that were scaled in, were another deployment's, or lost their spot instance",
        Facts(
            RUNNING,
            tasks=[
                *[task("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/2)")] * 3,
                *[task(startedBy="ecs-svc/1")] * 3,
                *[task("SpotInterruption", "Your Spot Task was interrupted.")] * 3,
            ],
        ),
        "going",
        "",
        False,
    ),
    (
        "tasks that fail the load balancer's health checks",
        Facts(
            RUNNING, tasks=[task("ServiceSchedulerInitiated", "Task failed ELB health checks in (target-group x)")] * 3
        ),
        "failed",
        "its tasks keep dying",
        False,
    ),
    (
        "targets stay unhealthy",
        Facts(RUNNING, unhealthy_for=300),
        "failed",
        "targets have been unhealthy for 300 s",
        False,
    ),
    ("targets are unhealthy for a moment", Facts(RUNNING, unhealthy_for=299), "going", "", False),
    (
        "somebody else's deployment",
        Facts(service(deployment(3, THIRD), deployment(2, NEW, "ACTIVE"))),
        "overtaken",
        "another deployment took over: ecs-svc/3 of web:8",
        False,
    ),
    ("the service was deleted", Facts(None), "deleted", "was deleted", False),
    ("the service drains", Facts(service(status="DRAINING")), "deleted", "was deleted", False),
    (
        "an answer from before the update",
        Facts(service({**BEFORE, "status": "PRIMARY"}), fresh=False),
        "going",
        "",
        False,
    ),
    (
        "no circuit breaker, no rolloutState",
        Facts(service({k: v for k, v in deployment(2, NEW).items() if k != "rolloutState"})),
        "going",
        "",
        False,
    ),
    ("its own record: done", Facts(RUNNING, {"status": "SUCCESSFUL"}), "done", "", False),
    (
        "its own record: still baking",
        Facts(service(deployment(2, NEW, state="COMPLETED")), {"status": "IN_PROGRESS"}),
        "going",
        "",
        False,
    ),
    (
        "its own record: an alarm",
        Facts(
            RUNNING,
            {"status": "ROLLBACK_IN_PROGRESS", "statusReason": "alarm", "alarms": {"triggeredAlarmNames": ["5xx"]}},
        ),
        "failed",
        "alarm (alarms: 5xx)",
        True,
    ),
    (
        "its own record: could not go back",
        Facts(RUNNING, {"status": "ROLLBACK_FAILED"}),
        "failed",
        "ECS rolls it back",
        False,
    ),
    (
        "its own record: replaced",
        Facts(service(deployment(3, THIRD), deployment(2, NEW, "ACTIVE")), {"status": "STOPPED"}),
        "overtaken",
        "another deployment took over",
        False,
    ),
    (
        "its own record: stopped",
        Facts(RUNNING, {"status": "STOPPED", "statusReason": "by hand"}),
        "failed",
        "by hand",
        False,
    ),
]


@pytest.mark.parametrize(("facts", "state", "why", "by_ecs"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_the_verdict(facts, state, why, by_ecs):
    found = verdict.of(WATCHED, facts, Limits(300))
    assert (found.state, found.ecs_rolls_back) == (state, by_ecs)
    assert why in found.why and bool(found.why) == bool(why)


@pytest.mark.parametrize(("desired", "limit"), [(0, 3), (1, 3), (6, 3), (7, 4), (100, 50), (1000, 200)])
def test_as_many_tasks_may_die_as_the_circuit_breaker_allows(desired, limit):
    assert verdict.death_limit({"desiredCount": desired}) == limit


class Time:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.seconds = 0.0

    def clock(self):
        return follow.Clock(lambda: self.seconds, self.sleep)

    def sleep(self, seconds):
        self.seconds += seconds


class Script:
    """An ECS, ELB and CloudWatch Logs that answer one thing after the other; the last answer stays."""

    def __init__(self, answers, stopped=(), health=()):
        self.answers, self.stopped, self.health = list(answers), list(stopped), list(health)
        self.lines = []

    def client(self, name, region=None):
        return self

    def progress(self, line):
        self.lines.append(line)

    def describe_services(self, cluster, services):
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return {"services": [found] if found else []}

    def get_paginator(self, operation):
        return self

    def paginate(self, **_arguments):
        return [{"taskArns": [item["taskArn"] for item in self.stopped]}]

    def describe_tasks(self, cluster, tasks):
        return {"tasks": self.stopped}

    def describe_target_health(self, **_arguments):
        return {"TargetHealthDescriptions": self.health}


def followed(script, timeout=600, limits=300):
    time = Time()
    follower = follow.Follower(script, "shop/web", WATCHED, Limits(limits), clock=time.clock())
    return follower.follow(timeout)


def test_it_is_followed_to_its_end_and_its_events_are_shown_once():
    first = service(deployment(2, NEW), BEFORE, events=("has started 1 tasks.",))
    done = service(deployment(2, NEW, state="COMPLETED", runningCount=2), events=("has started 1 tasks.", "steady."))
    script = Script([first, first, done])
    found = followed(script)
    assert found.verdict.state == "done" and found.events == ["has started 1 tasks.", "steady."]
    assert script.lines == [
        "web: has started 1 tasks.",
        "web: 0 of 2 new tasks running, 2 old",
        "web: steady.",
        "web: 2 of 2 new tasks running",
    ]


def test_the_time_limit():
    found = followed(Script([RUNNING]), timeout=90)
    assert (found.verdict.state, found.verdict.why) == ("failed", "time limit: it did not end within 90 s")
    assert 90 <= found.seconds < 100


def test_targets_that_stay_unhealthy():
    sick = {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}
    health = [{"Target": {"Id": "10.0.0.4", "Port": 4000}, "TargetHealth": sick}]
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-web/abc"
    script = Script([{**RUNNING, "loadBalancers": [{"targetGroupArn": arn}]}], health=health)
    found = followed(script, limits=60)
    said = "target 10.0.0.4:4000 of shop-web is unhealthy: Target.Timeout, Request timed out"
    assert "targets have been unhealthy for 6" in found.verdict.why and found.unhealthy == [said]
    assert script.lines.count(f"web: {said}") == 1


def test_a_target_that_was_unhealthy_before_is_not_the_fault_of_the_deployment_until_it_was_healthy():
    sick = {"Target": {"Id": "10.0.0.4", "Port": 4000}, "TargetHealth": {"State": "unhealthy"}}
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-web/abc"
    going = {**RUNNING, "loadBalancers": [{"targetGroupArn": arn}]}
    script, time = Script([going], health=[sick]), Time()
    follower = follow.Follower(script, "shop/web", WATCHED, Limits(60), clock=time.clock())
    follower.knows(going, reasons.unhealthy_now(script, going))
    assert follower.follow(90).verdict.why.startswith("time limit")
    script.health = []
    follower.look()
    script.health = [sick]
    assert follower.follow(400).verdict.why.startswith("targets have been unhealthy")


def test_both_target_groups_between_which_traffic_shifts_are_looked_at():
    sick = {"State": "unhealthy", "Reason": "Target.Timeout"}
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{}/abc"
    balancer = {
        "targetGroupArn": arn.format("blue"),
        "advancedConfiguration": {"alternateTargetGroupArn": arn.format("green")},
    }
    script = Script([RUNNING], health=[{"Target": {"Id": "10.0.0.4", "Port": 4000}, "TargetHealth": sick}])
    found = reasons.bad_targets(reasons.targets(script, {"loadBalancers": [balancer]}))
    assert [text.split(" of ")[1].split(" is ")[0] for text in found] == ["blue", "green"]


def test_a_moment_without_an_answer_says_nothing():
    done = service(deployment(2, NEW, state="COMPLETED", runningCount=2))
    broken = {"status": "ACTIVE"}
    assert followed(Script([broken] * 7 + [done])).verdict.state == "done"
    with pytest.raises(KeyError):
        followed(Script([broken]))


def test_a_service_that_is_deleted_meanwhile():
    assert followed(Script([RUNNING, None])).verdict.state == "deleted"


def test_another_deployment_meanwhile():
    other = service(deployment(3, THIRD), deployment(2, NEW, "ACTIVE"))
    assert followed(Script([RUNNING, other])).verdict.state == "overtaken"


def test_answers_from_before_the_update_are_waited_out():
    stale = service({**BEFORE, "status": "PRIMARY"})
    done = service(deployment(2, NEW, state="COMPLETED", runningCount=2))
    assert followed(Script([stale, stale, done])).verdict.state == "done"
    assert "ECS went back" in followed(Script([stale])).verdict.why


def test_why_tasks_stopped_with_how_many():
    container = {"name": "web", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"}
    dead = [task(containers=[container]), task(containers=[container]), task("TaskFailedToStart", "CannotPull")]
    assert reasons.of_tasks(dead) == [
        "2 tasks: Essential container in task exited (EssentialContainerExited), container web exited with 137, "
        "container web: OutOfMemoryError: Container killed due to memory usage",
        "a task: CannotPull (TaskFailedToStart)",
    ]


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        ((0,), ", container a exited with 0"),
        ((0, 3), ", container b exited with 3"),
        ((None, 0), ", container b exited with 0"),
    ],
)
def test_a_container_that_ends_a_task_says_its_code_also_where_that_is_0(codes, said):
    containers = [{"name": name, "exitCode": code} for name, code in zip("ab", codes, strict=False)]
    found = reasons.why(task(containers=containers))
    assert found == "Essential container in task exited (EssentialContainerExited)" + said


def test_events_are_told_with_the_names_of_target_groups():
    group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop-web-1a2b/55451b508d52dfe9"
    event = {"message": f"(service web) deregistered 1 targets in (target-group {group})"}
    assert ecs_rollout.event_words("web", event) == "deregistered 1 targets in (target-group shop-web-1a2b)"
    other = {"message": f"(service web) (port 80) is unhealthy in target-group {group} due to (reason Timeout)"}
    assert ecs_rollout.event_words("web", other).endswith("target-group shop-web-1a2b due to (reason Timeout)")


def test_times_are_told_in_utc():
    there = START.astimezone(timezone(timedelta(hours=2)))
    assert verdict.moment(there) == "2030-01-01T00:00:00Z"
    other = service(deployment(3, THIRD, createdAt=there), deployment(2, NEW, "ACTIVE"))
    assert verdict.of(WATCHED, Facts(other), Limits()).why.endswith("of web:8, started 2030-01-01T00:00:00Z")


def test_what_runs_is_what_the_newest_deployment_runs():
    done = service(deployment(2, NEW, state="COMPLETED", runningCount=2), runningCount=3)
    assert reasons.running_words(done).endswith("runs with 2 of 2 tasks, and 1 of another revision still stopping")
    assert reasons.running_words({**done, "runningCount": 2}).endswith("runs with 2 of 2 tasks")


class Recorded:
    """ListServiceDeployments and DescribeServiceDeployments; `error` is what the former answers instead."""

    def __init__(self, *numbers, error=""):
        self.numbers, self.error, self.stopped = list(numbers), error, []

    def client(self, name):
        return self

    def list_service_deployments(self, **_arguments):
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": "no"}}, "ListServiceDeployments")
        return {"serviceDeployments": [{"serviceDeploymentArn": f"arn/{n}", "createdAt": n} for n in self.numbers]}

    def describe_service_deployments(self, serviceDeploymentArns):
        return {"serviceDeployments": [{"serviceDeploymentArn": arn} for arn in serviceDeploymentArns]}

    def stop_service_deployment(self, **arguments):
        self.stopped.append(arguments)


def test_of_several_records_the_first_new_one_is_ours():
    ecs = Recorded(2, 1)
    records = Records(ecs, "shop/web")
    assert records.current() is None and records.roll_back() is False
    ecs.numbers = [4, 3, 2, 1]
    assert records.current() == {"serviceDeploymentArn": "arn/3"}
    ecs.numbers = [5, 4, 3, 2, 1]
    assert records.current() == {"serviceDeploymentArn": "arn/3"}
    assert records.roll_back() and ecs.stopped == [{"serviceDeploymentArn": "arn/3", "stopType": "ROLLBACK"}]


def test_without_records_the_deployments_of_the_service_have_to_do():
    assert Records(Recorded(error="AccessDeniedException"), "shop/web").current() is None
    with pytest.raises(ClientError):
        Records(Recorded(error="ServerException"), "shop/web")


def test_a_record_that_may_be_listed_and_not_described_is_none():
    ecs = Recorded(1)
    records = Records(ecs, "shop/web")
    ecs.numbers, asked = [2, 1], []

    def denied(serviceDeploymentArns):
        asked.append(serviceDeploymentArns)
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeServiceDeployments")

    ecs.describe_service_deployments = denied
    assert records.current() is None and records.current() is None
    assert asked == [["arn/2"]] and records.roll_back()


def test_stopped_tasks_that_may_not_be_read_leave_the_deployment_to_be_followed():
    class Denied(Script):
        """ListTasks is not allowed."""

        def get_paginator(self, operation):
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListTasks")

    done = service(deployment(2, NEW, state="COMPLETED", runningCount=2))
    script = Denied([RUNNING] * 12 + [done])
    assert followed(script).verdict.state == "done"
    assert len([line for line in script.lines if "stopped tasks could not be read" in line]) == 1
