# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS services: one form for what is declared and what AWS answers, differences, what replaces, when it is steady."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Observed,
    Ref,
    Resource,
    Unknown,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_service import EcsService

KIND = EcsService()
ARN = "arn:aws:ecs:us-east-1:123456789012:task-definition/web:7"
LATER = Unknown.of(Ref("ecs_task_definition", "web", "arn"))


def differences(declared, observed):
    return KIND.differences(KIND.canonical(declared), KIND.canonical(observed), {})


def paths(declared, observed):
    return [item.path for item in differences(declared, observed)]


def awsvpc(**fields):
    return {"networkConfiguration": {"awsvpcConfiguration": fields}}


def connect(*services, **more):
    return {"serviceConnectConfiguration": {"enabled": True, "services": list(services), **more}}


EQUAL = [
    ("revision by name and by ARN", {"taskDefinition": "web:7"}, {"taskDefinition": ARN}),
    (
        "order of subnets and groups, default of the public IP",
        awsvpc(subnets=["b", "a"], securityGroups=["y", "x"]),
        awsvpc(subnets=["a", "b"], securityGroups=["x", "y"], assignPublicIp="DISABLED"),
    ),
    ("groups that are not declared", awsvpc(subnets=["a"]), awsvpc(subnets=["a"], securityGroups=["default"])),
    (
        "weight and base of a strategy",
        {"capacityProviderStrategy": [{"capacityProvider": "b"}, {"capacityProvider": "a", "weight": 1}]},
        {
            "capacityProviderStrategy": [
                {"capacityProvider": "a", "weight": 1, "base": 0},
                {"capacityProvider": "b", "weight": 0, "base": 0},
            ]
        },
    ),
    (
        "order of load balancers",
        {"loadBalancers": [{"targetGroupArn": "b", "containerPort": 2}, {"targetGroupArn": "a", "containerPort": 1}]},
        {"loadBalancers": [{"targetGroupArn": "a", "containerPort": 1}, {"targetGroupArn": "b", "containerPort": 2}]},
    ),
    (
        "order of alarms, AWS's own defaults",
        {"deploymentConfiguration": {"alarms": {"alarmNames": ["b", "a"], "enable": True, "rollback": True}}},
        {
            "deploymentConfiguration": {
                "maximumPercent": 200,
                "strategy": "ROLLING",
                "alarms": {"alarmNames": ["a", "b"], "enable": True, "rollback": True},
            }
        },
    ),
    ("discovery name", connect({"portName": "http"}), connect({"portName": "http", "discoveryName": "http"})),
    (
        "what AWS fills in of a volume",
        {"volumeConfigurations": [{"name": "data", "managedEBSVolume": {"sizeInGiB": 10}}]},
        {"volumeConfigurations": [{"name": "data", "managedEBSVolume": {"sizeInGiB": 10, "volumeType": "gp3"}}]},
    ),
    (
        "how AWS spells placement strategies",
        {"placementStrategy": [{"type": "binpack", "field": "memory"}, {"type": "spread", "field": "host"}]},
        {"placementStrategy": [{"type": "binpack", "field": "MEMORY"}, {"type": "spread", "field": "instanceId"}]},
    ),
    (
        "random placement",
        {"placementStrategy": [{"type": "random"}]},
        {"placementStrategy": [{"type": "random", "field": ""}]},
    ),
    (
        "the DNS name that AWS fills in of a client alias",
        connect({"portName": "http", "clientAliases": [{"port": 80}]}),
        connect({"portName": "http", "clientAliases": [{"port": 80, "dnsName": "http.local"}]}),
    ),
    ("nothing of what is not declared", {}, {"desiredCount": 3, "propagateTags": "SERVICE"}),
    ("no registries", {"serviceRegistries": []}, {}),
    (
        "Service Connect that is off",
        {"serviceConnectConfiguration": {"enabled": False}},
        connect() | {"serviceConnectConfiguration": {"enabled": False, "services": []}},
    ),
]


@pytest.mark.parametrize(("declared", "observed"), [case[1:] for case in EQUAL], ids=[case[0] for case in EQUAL])
def test_these_are_equal(declared, observed):
    assert paths(declared, observed) == []


DIFFERENT = [
    ({"desiredCount": 2}, {"desiredCount": 1}, ["desiredCount"]),
    ({"taskDefinition": LATER}, {"taskDefinition": ARN}, ["taskDefinition"]),
    (
        {"deploymentConfiguration": {"maximumPercent": 150}},
        {"deploymentConfiguration": {"maximumPercent": 200}},
        ["deploymentConfiguration.maximumPercent"],
    ),
    (awsvpc(subnets=["a"]), awsvpc(subnets=["a", "b"]), ["networkConfiguration.awsvpcConfiguration.subnets"]),
    (
        {"placementStrategy": [{"type": "spread", "field": "a"}, {"type": "random"}]},
        {"placementStrategy": [{"type": "random"}, {"type": "spread", "field": "a"}]},
        ["placementStrategy"],
    ),
    (connect(), connect({"portName": "http"}), ["serviceConnectConfiguration.services.http"]),
    ({"volumeConfigurations": []}, {"volumeConfigurations": [{"name": "data"}]}, ["volumeConfigurations.data"]),
    ({"loadBalancers": []}, {"loadBalancers": [{"targetGroupArn": "a"}]}, ["loadBalancers"]),
]


@pytest.mark.parametrize(("declared", "observed", "expected"), DIFFERENT)
def test_these_differ(declared, observed, expected):
    assert paths(declared, observed) == expected


def test_revisions_are_shown_without_the_rest_of_their_arn():
    (found,) = differences({"taskDefinition": ARN.replace(":7", ":8")}, {"taskDefinition": ARN})
    assert (found.before, found.after) == ("web:7", "web:8")


REPLACES = [
    ({"launchType": "FARGATE"}, {"launchType": "EC2"}, True),
    ({"launchType": "FARGATE"}, {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, False),
    ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}, {"launchType": "FARGATE"}, False),
    ({"schedulingStrategy": "DAEMON"}, {"schedulingStrategy": "REPLICA"}, True),
    ({"role": "a"}, {"role": "b"}, True),
    ({"deploymentController": {"type": "ECS"}}, {"deploymentController": {"type": "CODE_DEPLOY"}}, False),
]


@pytest.mark.parametrize(("declared", "observed", "replaced"), REPLACES)
def test_what_replaces_a_service(declared, observed, replaced):
    (found,) = differences(declared, observed)
    assert found.replaces is replaced


class Ecs:
    """Takes the update and answers with a steady service."""

    def __init__(self):
        self.sent = None

    def update_service(self, **arguments):
        self.sent = arguments
        return {"service": {"deploymentController": {"type": "EXTERNAL"}}}


class Aws:
    def __init__(self):
        self.ecs = Ecs()

    def client(self, _service):
        return self.ecs


def sent(declared, observed):
    """What an update sends, without the names."""
    aws = Aws()
    resource = Resource("ecs_service", "main/web", declared)
    KIND.update(aws, resource, Observed("main/web", observed, {}), differences(declared, observed))
    assert (aws.ecs.sent.pop("cluster"), aws.ecs.sent.pop("service")) == ("main", "web")
    return aws.ecs.sent


def test_an_update_sends_what_differs_and_nothing_else():
    declared = {"desiredCount": 2, "propagateTags": "SERVICE"}
    assert sent(declared, {"desiredCount": 1, "propagateTags": "SERVICE"}) == {"desiredCount": 2}


def test_an_update_keeps_what_is_not_declared_of_a_structure_that_aws_replaces_whole():
    declared = {"deploymentConfiguration": {"maximumPercent": 150}}
    observed = {"deploymentConfiguration": {"maximumPercent": 200, "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}}
    assert sent(declared, observed)["deploymentConfiguration"] == {
        "maximumPercent": 150,
        "strategy": "BLUE_GREEN",
        "bakeTimeInMinutes": 5,
    }


CANARY = {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10.0}, "bakeTimeInMinutes": 5}


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"strategy": "ROLLING"}, {"strategy": "ROLLING", "maximumPercent": 200}),
        (
            {"strategy": "BLUE_GREEN"},
            {"strategy": "BLUE_GREEN", "maximumPercent": 200, "bakeTimeInMinutes": 5},
        ),
    ],
)
def test_what_only_the_former_deployment_strategy_takes_goes_with_it(declared, expected):
    observed = {"deploymentConfiguration": {**CANARY, "maximumPercent": 200}}
    assert sent({"deploymentConfiguration": declared}, observed)["deploymentConfiguration"] == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("propagateTags", "NONE"),
        ("enableExecuteCommand", False),
        ("healthCheckGracePeriodSeconds", 0),
        ("availabilityZoneRebalancing", "DISABLED"),
        ("schedulingStrategy", "REPLICA"),
        ("deploymentController", {"type": "ECS"}),
        ("serviceConnectConfiguration", {"enabled": False}),
    ],
)
def test_what_aws_leaves_out_is_its_default(name, value):
    bare = {"serviceName": "web", "clusterArn": "x/main", "serviceArn": "arn", "status": "ACTIVE", "deployments": []}
    bare |= {"desiredCount": 0, "runningCount": 0, "pendingCount": 0}

    class Bare:
        def client(self, _service):
            return self

        def describe_services(self, **_arguments):
            return {"services": [bare]}

    found = KIND.read(Bare(), [Wanted("main/web", {}, {name: value})])["main/web"]
    assert paths({name: value}, found.properties) == []


def test_another_strategy_forces_a_new_deployment():
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    declared = {"capacityProviderStrategy": strategy}
    assert sent(declared, {"launchType": "FARGATE"}) == {**declared, "forceNewDeployment": True}


@pytest.mark.parametrize(("newest", "expected"), [(9, "web:9"), (8, "web:8"), (7, "web:8")])
def test_a_revision_that_a_pipeline_registers_meanwhile_is_not_undone(newest, expected):
    aws = Aws()
    described = {"family": "web", "revision": newest, "status": "ACTIVE", "containerDefinitions": []}
    described["taskDefinitionArn"] = ARN.replace(":7", f":{newest}")
    aws.ecs.describe_task_definition = lambda **_arguments: {"taskDefinition": described}
    aws.progress = lambda _line: None
    declared = {"taskDefinition": ARN.replace(":7", ":8")}
    resource = Resource("ecs_service", "main/web", declared, options={"family": "web"})
    observed = {"taskDefinition": ARN}
    KIND.update(aws, resource, Observed("main/web", observed, {}), differences(declared, observed))
    assert aws.ecs.sent["taskDefinition"].endswith(expected)


def test_back_to_the_launch_type():
    observed = {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}
    expected = {"capacityProviderStrategy": [], "forceNewDeployment": True}
    assert sent({"launchType": "FARGATE"}, observed) == expected


def service(running, desired=2, state="COMPLETED", **more):
    primary = {"status": "PRIMARY", "runningCount": running, **({"rolloutState": state} if state else {})}
    return {"deployments": [primary], "runningCount": running, "desiredCount": desired, "pendingCount": 0, **more}


@pytest.mark.parametrize(
    ("answer", "steady"),
    [
        (service(2), True),
        (service(1), False),
        (service(2, state="IN_PROGRESS"), False),
        (service(0, 0), True),
        (service(2, state=None), True),
        (service(2, state=None, pendingCount=1), False),
    ],
)
def test_when_a_service_is_steady(answer, steady):
    assert ecs_rollout.is_steady(answer) is steady


def deployment(identity, revision, created, state="IN_PROGRESS", status="PRIMARY", **more):
    definition = f"arn:aws:ecs:us-east-1:123456789012:task-definition/web:{revision}"
    common = {"taskDefinition": definition, "createdAt": created, "runningCount": 1}
    return {"id": identity, "status": status, "rolloutState": state, **common, **more}


def answered(*deployments):
    primary = next(item for item in deployments if item["status"] == "PRIMARY")
    counts = {"status": "ACTIVE", "desiredCount": 1, "runningCount": 1, "pendingCount": 0}
    return {"deployments": list(deployments), "taskDefinition": primary["taskDefinition"], "events": [], **counts}


STARTED = answered(deployment("new", 2, 200))
TURNS = [
    ("completed", [answered(deployment("new", 2, 200, "COMPLETED"))], None),
    ("failed", [answered(deployment("new", 2, 200, "FAILED", rolloutStateReason="tasks failed"))], "tasks failed"),
    (
        "rolled back to the old deployment",
        [answered(deployment("old", 1, 100), deployment("new", 2, 200, "FAILED", "ACTIVE"))],
        "its deployment failed",
    ),
    ("rolled back, the failed one is gone", [answered(deployment("old", 1, 100, "COMPLETED"))], "went back to web:1"),
    ("rolled back by a new deployment", [answered(deployment("newer", 1, 300, "COMPLETED"))], "went back to web:1"),
    (
        "rolled back within one revision",
        [answered(deployment("newer", 2, 300, rolloutStateReason="Rolling back to deploymentId old."))],
        "its deployment failed",
    ),
    ("taken over by a later deploy", [answered(deployment("newer", 3, 300, "COMPLETED"))], None),
]


class Following:
    """Answers DescribeServices with one answer after the other; no task has stopped."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.lines = []

    def client(self, _service):
        return self

    def progress(self, line):
        self.lines.append(line)

    def describe_services(self, **_arguments):
        return {"services": [self.answers.pop(0)]}

    def list_tasks(self, **_arguments):
        return {"taskArns": []}


@pytest.mark.parametrize(("answers", "words"), [turn[1:] for turn in TURNS], ids=[turn[0] for turn in TURNS])
def test_following_a_deployment(answers, words):
    aws = Following(answers)
    if words is None:
        ecs_rollout.wait_until_steady(aws, "main/web", STARTED, 5)
    else:
        with pytest.raises(AwsError, match=words):
            ecs_rollout.wait_until_steady(aws, "main/web", STARTED, 5)
    assert aws.answers == []


def test_an_answer_from_before_the_change_is_neither_steady_nor_a_rollback():
    started = answered(deployment("new", 2, 200), deployment("old", 1, 100, "COMPLETED", "ACTIVE"))
    stale = answered(deployment("old", 1, 100, "COMPLETED"))
    aws = Following([stale, stale, answered(deployment("new", 2, 200, "COMPLETED"))])
    ecs_rollout.wait_until_steady(aws, "main/web", started, 5)
    assert aws.answers == []


def test_a_rollback_is_seen_after_the_answers_have_caught_up():
    started = answered(deployment("new", 2, 200), deployment("old", 1, 100, "COMPLETED", "ACTIVE"))
    back = answered(deployment("old", 1, 100, "COMPLETED"))
    aws = Following([answered(deployment("new", 2, 200)), back])
    with pytest.raises(AwsError, match="went back to web:1"):
        ecs_rollout.wait_until_steady(aws, "main/web", started, 5)


def test_when_the_time_is_up_the_message_says_what_was_seen_last():
    event = {"id": "1", "message": "(service web) was unable to place a task."}
    slow = {**answered(deployment("new", 2, 200, runningCount=0)), "events": [event]}
    aws = Following([slow] * 3)
    with pytest.raises(AwsError, match="0 of 1 tasks running, 0 pending; event: was unable to place a task"):
        ecs_rollout.wait_until_steady(aws, "main/web", STARTED, 0.3)
    assert "main/web: was unable to place a task." in aws.lines


@pytest.mark.parametrize("before", [None, {"logDriver": "splunk", "options": {"splunk-token": "old"}}])
def test_tokens_of_the_proxys_log_driver_are_not_shown(before):
    declared = connect(logConfiguration={"logDriver": "splunk", "options": {"splunk-token": "hunter2"}})
    observed = connect(logConfiguration=before) if before else {}
    found = differences(declared, observed)
    assert "hunter2" in str(found)
    assert "hunter2" not in str(KIND.shown(found)) and "old" not in str(KIND.shown(found))


def service_with(*deployments, running=1):
    return {
        "serviceName": "web",
        "desiredCount": 1,
        "runningCount": running,
        "pendingCount": 0,
        "deployments": [
            {"runningCount": running, "taskDefinition": f"arn:aws:ecs:us-east-1:1:task-definition/web:{number}", **item}
            for number, item in enumerate(deployments, 1)
        ],
    }


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (service_with({"status": "PRIMARY", "rolloutState": "COMPLETED"}), []),
        (
            service_with({"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}, running=0),
            ["it is not in a steady state: 0 of 1 tasks running, 0 pending"],
        ),
        (
            service_with(
                {"status": "PRIMARY", "rolloutState": "FAILED", "rolloutStateReason": "tasks failed to start"}
            ),
            ["its deployment of web:1 failed: tasks failed to start"],
        ),
        (
            service_with(
                {"status": "PRIMARY", "rolloutState": "COMPLETED"},
                {"status": "INACTIVE", "rolloutState": "FAILED", "rolloutStateReason": "rolled back"},
            ),
            ["its deployment of web:2 failed: rolled back"],
        ),
    ],
)
def test_what_is_wrong_with_a_service_as_it_is(service, expected):
    assert ecs_rollout.remarks(service) == expected
