# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ECS simulation: rollouts, placement, the circuit breaker."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

FARGATE = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}


@pytest.fixture(name="art")
def fixture_art(world: Any) -> Any:
    """A cluster in a network, with one revision of the task definition."""
    world.network()
    world.ecs.create_cluster(clusterName="art")
    world.definition()
    return world


def messages(service: dict[str, Any]) -> str:
    """All event texts, the newest first."""
    return "\n".join(event["message"] for event in service["events"])


def test_instances_join_and_service_becomes_steady(art: Any) -> None:
    art.instances(1)
    arn = art.load_balancer()
    service = art.service(
        loadBalancers=[{"targetGroupArn": arn, "containerName": "web", "containerPort": 8082}],
        healthCheckGracePeriodSeconds=30,
    )
    assert (service["runningCount"], service["deployments"][0]["rolloutState"]) == (0, "IN_PROGRESS")
    assert art.steps()["pendingCount"] == 1
    service = art.steps()
    assert (service["runningCount"], service["pendingCount"]) == (1, 0)
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    assert service["events"][0]["message"] == "(service art) has reached a steady state."
    assert f"(service art) registered 1 targets in (target-group {arn})" in messages(service)
    health = art.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    instance = art.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"][0]["InstanceId"]
    assert [one["Target"] for one in health] == [{"Id": instance, "Port": 8082}]
    listed = art.ecs.list_container_instances(cluster="art")["containerInstanceArns"]
    found = art.ecs.describe_container_instances(cluster="art", containerInstances=listed)["containerInstances"][0]
    assert (found["status"], found["agentConnected"], found["ec2InstanceId"]) == ("ACTIVE", True, instance)
    left = {one["name"]: one for one in found["remainingResources"]}
    assert "8082" in left["PORTS"]["stringSetValue"]
    assert left["CPU"]["integerValue"] == 2048
    assert found["runningTasksCount"] == 1
    assert len(art.ecs.list_tasks(cluster="art", serviceName="art")["taskArns"]) == 1


def test_fixed_port_blocks_a_deployment_at_100_percent(art: Any) -> None:
    art.instances(1)
    art.service()
    art.steps(2)
    second = art.definition("v2")
    updated = art.ecs.update_service(cluster="art", service="art", taskDefinition="art:2")["service"]
    assert updated["taskDefinition"] == second
    assert [one["status"] for one in updated["deployments"]] == ["PRIMARY", "ACTIVE"]
    service = art.steps(5)
    assert len(service["deployments"]) == 2
    assert service["runningCount"] == 1
    event = service["events"][0]["message"]
    assert event.startswith(
        "(service art) was unable to place a task because no container instance met all of its requirements."
    )
    assert "is already using a port required by your task" in event


def test_fixed_port_deploys_when_the_old_task_may_go_first(art: Any) -> None:
    art.instances(1)
    art.service(deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 100})
    art.steps(2)
    second = art.definition("v2")
    art.ecs.update_service(cluster="art", service="art", taskDefinition=second)
    service = art.steps(4)
    assert [one["taskDefinition"] for one in service["deployments"]] == [second]
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    tasks = art.ecs.list_tasks(cluster="art", serviceName="art")["taskArns"]
    described = art.ecs.describe_tasks(cluster="art", tasks=tasks)["tasks"]
    assert [(one["taskDefinitionArn"], one["lastStatus"]) for one in described] == [(second, "RUNNING")]


def test_a_second_instance_lets_the_fixed_port_roll(art: Any) -> None:
    art.instances(2)
    art.service()
    art.steps(2)
    second = art.definition("v2")
    art.ecs.update_service(cluster="art", service="art", taskDefinition=second)
    assert [one["taskDefinition"] for one in art.steps(4)["deployments"]] == [second]


def test_managed_scaling_adds_an_instance(art: Any) -> None:
    group = art.instances(0, maximum=2)
    art.ecs.create_capacity_provider(
        name="art", autoScalingGroupProvider={"autoScalingGroupArn": group, "managedScaling": {"status": "ENABLED"}}
    )
    strategy = [{"capacityProvider": "art", "weight": 1}]
    art.ecs.put_cluster_capacity_providers(
        cluster="art", capacityProviders=["art"], defaultCapacityProviderStrategy=strategy
    )
    service = art.service()
    assert service["capacityProviderStrategy"] == [{"capacityProvider": "art", "weight": 1, "base": 0}]
    assert "launchType" not in service
    assert "No Container Instances were found in your cluster" in messages(art.steps())
    assert art.steps(2)["runningCount"] == 1


def test_no_instances(art: Any) -> None:
    art.service()
    assert "No Container Instances were found in your cluster" in messages(art.steps())


def test_scale_in_and_delete(art: Any) -> None:
    art.instances(2)
    art.service(desiredCount=2)
    assert art.steps(2)["runningCount"] == 2
    art.ecs.update_service(cluster="art", service="art", desiredCount=1)
    service = art.steps(2)
    assert (service["runningCount"], service["desiredCount"]) == (1, 1)
    assert "has stopped 1 running tasks" in messages(service)
    with pytest.raises(ClientError, match="scaled above 0"):
        art.ecs.delete_service(cluster="art", service="art")
    assert art.ecs.delete_service(cluster="art", service="art", force=True)["service"]["status"] == "DRAINING"
    assert art.ecs.list_services(cluster="art")["serviceArns"] == []
    assert art.steps(2)["status"] == "INACTIVE"
    assert art.ecs.list_tasks(cluster="art")["taskArns"] == []


@pytest.mark.parametrize(("tag", "stop_code"), [("crash", "EssentialContainerExited"), ("nopull", "TaskFailedToStart")])
def test_circuit_breaker_rolls_back(art: Any, tag: str, stop_code: str) -> None:
    first = art.definition("v1", **FARGATE)
    network = {"awsvpcConfiguration": {"subnets": art.subnets, "securityGroups": [art.group]}}
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    art.service(launchType="FARGATE", networkConfiguration=network, deploymentConfiguration=breaker)
    art.steps(2)
    bad = art.definition(tag, **FARGATE)
    art.ecs.update_service(cluster="art", service="art", taskDefinition=bad)
    states = [art.steps()["deployments"] for _one in range(6)]
    failed = [one for each in states for one in each if one["taskDefinition"] == bad]
    assert max(one["failedTasks"] for one in failed) == 3
    assert failed[-1]["rolloutState"] == "FAILED"
    service = art.steps()
    assert service["taskDefinition"] == first
    assert [(one["taskDefinition"], one["rolloutState"]) for one in service["deployments"]] == [(first, "COMPLETED")]
    assert "rolling back to deployment" in messages(service)
    stopped = art.ecs.list_tasks(cluster="art", desiredStatus="STOPPED")["taskArns"]
    tasks = art.ecs.describe_tasks(cluster="art", tasks=stopped)["tasks"]
    assert {one["stopCode"] for one in tasks} == {stop_code}


def test_fargate_tasks_have_an_interface_that_keeps_the_security_group(art: Any) -> None:
    art.definition("v1", **FARGATE)
    arn = art.load_balancer("ip")
    network = {"awsvpcConfiguration": {"subnets": art.subnets, "securityGroups": [art.group]}}
    art.service(
        launchType="FARGATE",
        networkConfiguration=network,
        loadBalancers=[{"targetGroupArn": arn, "containerName": "web", "containerPort": 8082}],
    )
    art.steps(2)
    task = art.ecs.list_tasks(cluster="art")["taskArns"][0]
    details = art.ecs.describe_tasks(cluster="art", tasks=[task])["tasks"][0]["attachments"][0]["details"]
    address = next(one["value"] for one in details if one["name"] == "privateIPv4Address")
    health = art.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert [one["Target"]["Id"] for one in health] == [address]
    art.elbv2.delete_load_balancer(LoadBalancerArn=art.balancer)
    with pytest.raises(ClientError, match="DependencyViolation"):
        art.ec2.delete_security_group(GroupId=art.group)
    art.ecs.delete_service(cluster="art", service="art", force=True)
    art.steps(2)
    art.ec2.delete_security_group(GroupId=art.group)


def test_force_new_deployment_replaces_tasks(art: Any) -> None:
    art.instances(2)
    first = art.service()["deployments"][0]["id"]
    art.steps(2)
    art.ecs.update_service(cluster="art", service="art", forceNewDeployment=True)
    assert [one["id"] == first for one in art.steps(4)["deployments"]] == [False]


@pytest.mark.parametrize(("tag", "exit_code"), [("v1", 0), ("crash", 1)])
def test_run_task_ends(art: Any, tag: str, exit_code: int) -> None:
    art.instances(1)
    art.definition(tag)
    task = art.ecs.run_task(cluster="art", taskDefinition="art")["tasks"][0]
    assert task["lastStatus"] == "PENDING"
    for _one in range(3):
        found = art.ecs.describe_tasks(cluster="art", tasks=[task["taskArn"]])["tasks"][0]
    assert (found["lastStatus"], found["containers"][0]["exitCode"]) == ("STOPPED", exit_code)
    assert found["stopCode"] == "EssentialContainerExited"


def test_terminated_instances_leave_the_cluster(art: Any) -> None:
    art.instances(1)
    art.service()
    art.steps(2)
    with pytest.raises(ClientError, match="ClusterContainsServicesException"):
        art.ecs.delete_cluster(cluster="art")
    art.ecs.delete_service(cluster="art", service="art", force=True)
    with pytest.raises(ClientError, match="ClusterContainsContainerInstancesException"):
        art.ecs.delete_cluster(cluster="art")
    art.autoscaling.delete_auto_scaling_group(AutoScalingGroupName="art", ForceDelete=True)
    assert art.ecs.delete_cluster(cluster="art")["cluster"]["status"] == "INACTIVE"
    assert art.ecs.list_clusters()["clusterArns"] == []
