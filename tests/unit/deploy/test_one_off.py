# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One-off tasks: what is asked of ECS, and how they end."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import one_off
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.follow import Clock
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
ARN = "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:7"
SERVICE = {"clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/shop", "serviceName": "web"}
DEFINITION = {"containerDefinitions": [{"name": "log", "essential": False}, {"name": "web"}, {"name": "proxy"}]}


def test_a_task_runs_as_the_tasks_of_the_service_do():
    service = {
        **SERVICE,
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "networkConfiguration": NETWORK,
        "placementConstraints": [{"type": "distinctInstance"}],
    }
    task = one_off.OneOff("migrate", command=["./manage", "migrate"], environment={"N": 1}, memory="2048")
    asked = one_off.request(service, ARN, "web", task, "live", DEFINITION)
    assert asked.pop("clientToken")
    assert asked == {
        "cluster": "shop",
        "taskDefinition": ARN,
        "count": 1,
        "startedBy": "dockyard.aws",
        "group": "dockyard.aws:web",
        "launchType": "FARGATE",
        "platformVersion": "1.4.0",
        "networkConfiguration": NETWORK,
        "overrides": {
            "containerOverrides": [
                {"name": "web", "command": ["./manage", "migrate"], "environment": [{"name": "N", "value": "1"}]}
            ],
            "memory": "2048",
        },
        "tags": [{"key": "dockyard:environment", "value": "live"}],
    }


def test_a_capacity_provider_strategy_takes_the_place_of_the_launch_type():
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    spread = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]
    service = {**SERVICE, "launchType": "EC2", "capacityProviderStrategy": strategy, "placementStrategy": spread}
    asked = one_off.request(service, ARN, "web", one_off.OneOff("x"), "", DEFINITION)
    assert asked["capacityProviderStrategy"] == strategy and "launchType" not in asked and "overrides" not in asked
    assert asked["placementStrategy"] == spread


def test_volumes_that_are_configured_at_launch_are_as_the_service_has_them():
    volumes = [{"name": name, "managedEBSVolume": {"roleArn": "r", "sizeInGiB": 5}} for name in ("data", "other")]
    service = {**SERVICE, "deployments": [{"status": "PRIMARY", "volumeConfigurations": volumes}]}
    definition = {"volumes": [{"name": "data", "configuredAtLaunch": True}, {"name": "tmp"}]}
    task = one_off.OneOff("x")
    assert one_off.request(service, ARN, "web", task, "", definition)["volumeConfigurations"] == volumes[:1]
    assert "volumeConfigurations" not in one_off.request(service, ARN, "web", task, "", DEFINITION)


def test_the_container_that_counts():
    assert one_off.container_of(DEFINITION, "") == "web"
    assert one_off.container_of(DEFINITION, "proxy") == "proxy"
    with pytest.raises(ReconcileError, match="container: got 'api', the task definition has: log, web, proxy"):
        one_off.container_of(DEFINITION, "api")


class Ecs:
    """RunTask and DescribeTasks; the last answer stays."""

    environment = "live"

    def __init__(self, *states, failures=()):
        self.states, self.failures, self.lines, self.seconds = list(states), failures, [], 0.0

    def client(self, name, region=None):
        return self

    def progress(self, line):
        self.lines.append(line)

    def run_task(self, **_arguments):
        return {"tasks": [] if self.failures else [{"taskArn": "arn/1"}], "failures": list(self.failures)}

    def describe_tasks(self, **_arguments):
        found = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"tasks": [found] if found else []}

    def stop_task(self, **arguments):
        self.lines.append(f"stopped: {arguments['reason']}")
        return {"task": {**self.states[0], "containers": [{"name": "web", "exitCode": 0}]}}

    def sleep(self, seconds):
        self.seconds += seconds

    def run(self, **options):
        task = one_off.OneOff("migrate", **options)
        runner = one_off.Runner(self, SERVICE, Clock(lambda: self.seconds, self.sleep))
        return runner.run(task, ARN, DEFINITION)


def stopped(reason="Essential container in task exited", **container):
    return {"lastStatus": "STOPPED", "stoppedReason": reason, "containers": [{"name": "web", **container}]}


def test_its_exit_code_counts():
    ecs = Ecs(None, {"lastStatus": "PENDING"}, {"lastStatus": "RUNNING"}, stopped(exitCode=0))
    assert ecs.run().succeeded
    assert ecs.lines[-3:] == ["web: migrate: PENDING", "web: migrate: RUNNING", "web: migrate: exited with 0"]


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (stopped(exitCode=2), "container web exited with 2: Essential container in task exited"),
        (stopped("CannotPullContainerError: no basic auth"), "container web never ran: CannotPullContainerError"),
    ],
)
def test_how_it_fails(task, message):
    ran = Ecs(task).run()
    assert not ran.succeeded and message in ran.failure()
    assert ran.failure().count("exited with") <= 1


def test_the_time_limit_stops_it_whatever_it_says_on_its_way_out():
    ran = Ecs({"lastStatus": "RUNNING"}).run(timeout=60)
    assert not ran.succeeded and "it did not end within the time limit of 60 s" in ran.failure()


@pytest.mark.parametrize(("code", "succeeds"), [(0, True), (3, False)])
def test_a_container_that_is_not_essential_ends_the_task_where_it_is_the_one_that_counts(code, succeeds):
    going = {"lastStatus": "RUNNING", "containers": [{"name": "web", "lastStatus": "RUNNING"}]}
    ended = {"name": "log", "lastStatus": "STOPPED", "exitCode": code}
    ecs = Ecs(going, {**going, "containers": [*going["containers"], ended]})
    ran = ecs.run(container="log")
    assert (ran.succeeded, ran.exit_code) == (succeeds, code)
    assert "stopped: container log has ended" in ecs.lines
    assert ran.seconds < 60


@pytest.mark.parametrize(
    ("ecs", "message"),
    [
        (Ecs(failures=[{"reason": "RESOURCE:GPU", "detail": "none left"}]), "placed: RESOURCE:GPU (none left)"),
        (
            Ecs(failures=[{"reason": "RESOURCE:PORTS"}]),
            "could not be placed: RESOURCE:PORTS (no container instance has its",
        ),
        (Ecs(None), "is not known to ECS any more"),
    ],
)
def test_what_never_starts(ecs, message):
    with pytest.raises(AwsError) as caught:
        ecs.run()
    assert message in str(caught.value)


@pytest.mark.parametrize(("broken", "ends"), [(7, True), (100, False)])
def test_a_moment_without_an_answer_does_not_end_what_goes_on(broken, ends):
    class Silent(Ecs):
        """DescribeTasks gives no answer for a while."""

        silent = broken

        def describe_tasks(self, **arguments):
            self.silent -= 1
            if self.silent >= 0:
                raise OSError("no route")
            return super().describe_tasks(**arguments)

        def explained(self, error, doing):
            return AwsError(f"cannot {doing}: {error}.")

    ecs = Silent(stopped(exitCode=0))
    if ends:
        assert ecs.run().succeeded
        return
    with pytest.raises(
        AwsError, match="cannot follow the one-off task 'migrate': no route. The task .* goes on in ECS"
    ):
        ecs.run()
