# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's own simulation of the ECS scheduler; tests against it prove agreement with our model of ECS only.

Nothing moves by itself: every DescribeServices advances each described service by one step. The tag of an image decides
how its tasks fare: `crash` exits with 1, `nopull` cannot be pulled, `unhealthy` runs until its load balancer's health
checks fail, anything else runs. Of an image that is named by its digest, the tags that it has in ECR count. A one-off
task with the command `exit N` ends with N. Containers with the log driver awslogs write a line or two.
"""

from __future__ import annotations

import math
import time
import uuid
from typing import Any

from emulator.ecs_model import (
    FARGATE_PROVIDERS,
    Service,
    Task,
    autoscaling_of,
    bindings,
    ec2_of,
    ecr_of,
    elbv2_of,
    logs_of,
    needs,
    now,
    refresh,
    release_targets,
    stop_now,
    sync_instances,
    tasks_of,
)

GUIDE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
NO_INSTANCE = "was unable to place a task because no container instance met all of its requirements."


class Unplaceable(Exception):
    """No container instance can take the task; the text says why, as AWS words it."""

    def __init__(self, reason: str, failure: str) -> None:
        super().__init__(reason)
        self.failure = failure


FATES = ("nopull", "crash", "unhealthy")


def fate(backend: Any, definition: Any) -> str:
    """What the image tags of a task definition make of its tasks."""
    tags = {tag for one in definition.container_definitions for tag in tags_of(backend, str(one.get("image", "")))}
    return next((one for one in FATES if one in tags), "run")


def tags_of(backend: Any, image: str) -> set[str]:
    """The tag of an image, or those that its digest has in ECR; an image that is not there cannot be pulled."""
    name, at, digest = image.partition("@")
    if not at:
        return {image.rsplit(":", 1)[-1]}
    repository = ecr_of(backend).repositories.get(name.partition("/")[2].partition(":")[0])
    found = [one for one in repository.images if one.get_image_digest() == digest] if repository else []
    return {tag for one in found for tag in one.image_tags} if found else {"nopull"}


def new_deployment(service: Service) -> None:
    """Head for what the service now says; the deployments before it are ACTIVE until their tasks are gone."""
    data = service.data
    for deployment in data["deployments"]:
        deployment["status"] = "ACTIVE"
    identity = f"ecs-svc/{uuid.uuid4().int % 10**19:019d}"
    deployment = {
        "id": identity,
        "status": "PRIMARY",
        "taskDefinition": data["taskDefinition"],
        "desiredCount": data["desiredCount"],
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": now(),
        "updatedAt": now(),
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {identity} in progress.",
    }
    for name in ("launchType", "capacityProviderStrategy", "platformVersion", "platformFamily", "networkConfiguration"):
        if data.get(name):
            deployment[name] = data[name]
    for name in ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"):
        if name in data:
            deployment[name] = data[name]
    data["deployments"].insert(0, deployment)
    service.record("STOPPED", "A newer service deployment was started.", "IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
    prefix = data["serviceArn"].replace(":service/", ":service-deployment/")
    service.records.append(
        {
            "serviceDeploymentArn": f"{prefix}/{uuid.uuid4().hex[:22]}",
            "serviceArn": data["serviceArn"],
            "clusterArn": data["clusterArn"],
            "createdAt": now(),
            "startedAt": now(),
            "status": "IN_PROGRESS",
        }
    )
    service.steady = False


def service_tasks(backend: Any, service: Service) -> list[Task]:
    """The tasks of a service that are not stopped."""
    return [one for one in tasks_of(backend, service.cluster_name) if one.data["group"] == f"service:{service.name}"]


def groups_of(backend: Any, service: Service) -> set[str]:
    """The ARNs of the target groups that a service's tasks are in, or are to be in."""
    wanted = {balancer.get("targetGroupArn", "") for balancer in service.data.get("loadBalancers") or ()}
    return wanted | {arn for task in service_tasks(backend, service) for arn, _target in task.targets}


def step(backend: Any, service: Service) -> None:
    """One step: what was started runs or fails, what was stopped is gone, then the scheduler acts once."""
    broken = False
    sync_instances(backend, service.cluster)
    for task in service_tasks(backend, service):
        advance(backend, task, service)
    if service.status == "ACTIVE":
        if service.data["schedulingStrategy"] == "DAEMON":
            instances = backend.container_instances.get(service.cluster_name, {}).values()
            service.data["desiredCount"] = sum(1 for one in instances if one.status == "ACTIVE")
        broken = break_circuit(service)
        stop_tasks(backend, service)
        start_tasks(backend, service)
    else:
        drain(backend, service)
    count(backend, service)
    if service.status == "ACTIVE" and not broken:  # a failed deployment is seen at least once
        settle(backend, service)


def advance(backend: Any, task: Task, service: Service | None = None) -> None:
    """The task's own next state."""
    if not task.wanted:
        stop_now(backend, task, task.data["stoppedReason"], task.data["stopCode"])
        return
    ending = fate(backend, task.definition)
    if task.data["lastStatus"] != "RUNNING":
        if ending in ("crash", "nopull"):
            fail(backend, task, ending)
            blame(task, service)
        else:
            run(backend, task, service)
    elif service is None:  # a one-off task has done its work
        code = exit_code(task)
        write_logs(backend, task, f"the work is done, exit code {code}")
        stop_now(backend, task, "Essential container in task exited", "EssentialContainerExited", exit_code=code)
    elif ending == "unhealthy" and task.targets:
        reason = f"Task failed ELB health checks in (target-group {task.targets[0][0]})"
        stop_now(backend, task, reason, "ServiceSchedulerInitiated")
        blame(task, service)


def fail(backend: Any, task: Task, ending: str) -> None:
    """A task that never reaches RUNNING."""
    if ending == "crash":
        write_logs(backend, task, "starting", "fatal: cannot go on")
        stop_now(backend, task, "Essential container in task exited", "EssentialContainerExited", exit_code=1)
        return
    image = task.data["containers"][0]["image"]
    reason = f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve {image}"
    stop_now(backend, task, reason, "TaskFailedToStart")


def blame(task: Task, service: Service | None) -> None:
    """Its deployment has one failed task more."""
    for deployment in service.data["deployments"] if service else []:
        deployment["failedTasks"] += int(deployment["id"] == task.deployment)


def exit_code(task: Task) -> int:
    """Of a one-off task: what its command says."""
    for override in task.data["overrides"].get("containerOverrides") or []:
        command = override.get("command") or []
        if command[:1] == ["exit"] and len(command) == 2:
            return int(command[1])
    return 0


def write_logs(backend: Any, task: Task, *lines: str) -> None:
    """What its containers write to CloudWatch Logs, where the log group is there."""
    for container in task.definition.container_definitions:
        configuration = container.get("logConfiguration") or {}
        options = configuration.get("options") or {}
        logs = logs_of(backend)
        group = options.get("awslogs-group")
        if configuration.get("logDriver") != "awslogs" or group not in logs.groups:
            continue
        stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{container['name']}/{task.short_id}"
        if stream not in logs.groups[group].streams:
            logs.create_log_stream(group, stream)
        at = int(time.time() * 1000)
        logs.put_log_events(group, stream, [{"timestamp": at, "message": line} for line in lines])


def run(backend: Any, task: Task, service: Service | None) -> None:
    """The task reaches RUNNING and its targets are registered."""
    task.data.update(lastStatus="RUNNING", startedAt=now(), pullStartedAt=now(), pullStoppedAt=now())
    task.data.update(connectivity="CONNECTED", connectivityAt=now(), healthStatus="UNKNOWN")
    for container in task.data["containers"]:
        container["lastStatus"] = "RUNNING"
    write_logs(backend, task, "starting", "running")
    task.unhealthy = fate(backend, task.definition) == "unhealthy"
    groups = elbv2_of(backend).target_groups
    for balancer in service.data["loadBalancers"] if service else []:
        arn = balancer.get("targetGroupArn")
        if arn in groups:
            target = target_of(backend, task, balancer)
            groups[arn].register([target])
            task.targets.append((arn, target))
            if task.unhealthy:
                groups[arn].failing = getattr(groups[arn], "failing", set()) | {target["Id"]}
            assert service is not None
            service.event(f"registered 1 targets in (target-group {arn})")


def target_of(backend: Any, task: Task, balancer: dict[str, Any]) -> dict[str, Any]:
    """The target that a task is: its address and container port, or its instance and host port."""
    if task.network_interface:
        address = ec2_of(backend).enis[task.network_interface].private_ip_address
        return {"Id": address, "Port": balancer["containerPort"]}
    port = next((one["hostPort"] for one in bindings(task) if one["containerPort"] == balancer["containerPort"]), 0)
    instances = backend.container_instances[task.data["clusterArn"].rsplit("/", 1)[-1]]
    return {"Id": instances[task.container_instance.rsplit("/", 1)[-1]].ec2_instance_id, "Port": port}


def break_circuit(service: Service) -> bool:
    """The deployment circuit breaker: 3 to 200 failed tasks, half of the desired count in between."""
    primary = service.primary
    breaker = service.data["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    threshold = min(max(3, math.ceil(service.desired_count / 2)), 200)
    if not breaker.get("enable") or primary["rolloutState"] != "IN_PROGRESS" or primary["failedTasks"] < threshold:
        return False
    primary["rolloutState"] = "FAILED"
    primary["rolloutStateReason"] = "ECS deployment circuit breaker: tasks failed to start."
    service.event(f"(deployment {primary['id']}) deployment failed: tasks failed to start.")
    good = next((one for one in service.data["deployments"] if one["rolloutState"] == "COMPLETED"), None)
    if breaker.get("rollback") and good:
        identity = good["id"]
        primary["rolloutStateReason"] = f"ECS deployment circuit breaker: rolling back to deploymentId {identity}."
        service.event(f"rolling back to deployment {identity}.")
        primary.update(status="ACTIVE", desiredCount=0)
        good.update(status="PRIMARY", rolloutState="IN_PROGRESS", updatedAt=now())
        good["rolloutStateReason"] = f"ECS deployment circuit breaker: rolling back to deploymentId {identity}."
        service.data["taskDefinition"] = good["taskDefinition"]
    status = "ROLLBACK_IN_PROGRESS" if breaker.get("rollback") and good else "STOPPED"
    service.record(status, primary["rolloutStateReason"], "IN_PROGRESS")
    return True


def stop_tasks(backend: Any, service: Service) -> None:
    """Stop what the primary deployment replaces, and what is too much, as far as minimumHealthyPercent lets us."""
    tasks = [task for task in service_tasks(backend, service) if task.wanted]
    mine = [task for task in tasks if task.deployment == service.primary["id"]]
    if service.primary["rolloutState"] == "FAILED":
        return
    surplus = mine[service.desired_count :]
    others = [task for task in tasks if task not in mine]
    floor = math.ceil(service.desired_count * service.data["deploymentConfiguration"]["minimumHealthyPercent"] / 100)
    healthy = sum(1 for task in tasks if task.healthy)
    stopped = []
    for task in surplus + others:
        if task.healthy and healthy - 1 < floor:
            continue
        healthy -= int(task.healthy)
        stopped.append(task)
    request_stop(backend, service, stopped)


def request_stop(backend: Any, service: Service, tasks: list[Task], reason: str = "") -> None:
    """Tasks leave their target groups at once and are gone in the next step."""
    for task in tasks:
        for arn in release_targets(backend, task):
            service.event("has begun draining connections on 1 tasks.")
            service.event(f"deregistered 1 targets in (target-group {arn})")
        reason = reason or f"Scaling activity initiated by (deployment {service.primary['id']})"
        task.data.update(desiredStatus="STOPPED", stopCode="ServiceSchedulerInitiated", stoppedReason=reason)
    if tasks:
        listed = " ".join(f"(task {task.short_id})" for task in tasks)
        service.event(f"has stopped {len(tasks)} running tasks: {listed}.")


def start_tasks(backend: Any, service: Service) -> None:
    """Start what is missing, as far as maximumPercent and the container instances let us."""
    primary = service.primary
    live = service_tasks(backend, service)
    mine = [task for task in live if task.wanted and task.deployment == primary["id"]]
    percent = service.data["deploymentConfiguration"]["maximumPercent"]
    room = math.floor(service.desired_count * percent / 100) - sum(1 for task in live if task.wanted)
    missing = 0 if primary["rolloutState"] == "FAILED" else service.desired_count - len(mine)
    definition = backend.describe_task_definition(service.data["taskDefinition"])
    started = []
    for _number in range(max(0, min(room, missing))):
        try:
            started.append(launch(backend, service.cluster, definition, service))
        except Unplaceable as exc:
            service.event(f"{NO_INSTANCE} {exc} {GUIDE}")
            scale_out(backend, service)
            break
    if started:
        listed = " ".join(f"(task {task.short_id})" for task in started)
        service.event(f"has started {len(started)} tasks: {listed}.")


def provider_for(data: dict[str, Any], number: int) -> str | None:
    """The capacity provider of the next task: base first, then by weight."""
    strategy = data.get("capacityProviderStrategy") or []
    if not strategy:
        return None
    first = next((one for one in strategy if one.get("base", 0) > number), None)
    ranked = sorted(strategy, key=lambda one: -one.get("weight", 0))
    return str((first or ranked[0])["capacityProvider"])


def scale_out(backend: Any, service: Service) -> None:
    """Managed scaling: one more instance while tasks wait, up to the group's maximum."""
    provider = backend.capacity_providers.get(provider_for(service.data, 0) or "")
    if provider is None or provider.auto_scaling_group_provider["managedScaling"]["status"] != "ENABLED":
        return
    name = provider.auto_scaling_group_provider["autoScalingGroupArn"].rsplit("/", 1)[-1]
    group = autoscaling_of(backend).autoscaling_groups.get(name)
    if group is not None and group.desired_capacity < group.max_size:
        group.set_desired_capacity(group.desired_capacity + 1)


def launch(
    backend: Any, cluster: Any, definition: Any, service: Service | None, request: dict[str, Any] | None = None
) -> Task:
    """Place and start one task of a service, or of a RunTask request; raises Unplaceable."""
    source = service.data if service else (request or {})
    number = len(service_tasks(backend, service)) if service else 0
    provider = provider_for(source, number)
    fargate = source.get("launchType") == "FARGATE" or provider in FARGATE_PROVIDERS
    instance = None if fargate else place(backend, cluster, definition, provider, service)
    task = build(backend, cluster, definition, instance, source)
    task.data["launchType"] = "FARGATE" if fargate else source.get("launchType") or "EC2"
    if fargate:
        task.data["platformVersion"] = "1.4.0"
        task.data["platformFamily"] = "Linux"
    if provider:
        task.data["capacityProviderName"] = provider
    if service:
        task.data.update(group=f"service:{service.name}", startedBy=service.primary["id"])
        propagated = source if source.get("propagateTags") == "SERVICE" else {}
        task.data["tags"] = list(propagated.get("tags") or [])
    backend.tasks.setdefault(cluster.name, {})[task.task_arn] = task
    if instance:
        refresh(backend, instance)
    return task


def place(backend: Any, cluster: Any, definition: Any, provider: str | None, service: Service | None) -> Any:
    """The container instance with room for the task and the fewest tasks of its service."""
    instances = [one for one in backend.container_instances.get(cluster.name, {}).values() if one.status == "ACTIVE"]
    instances = [one for one in instances if provider is None or one.capacity_provider_name == provider]
    if not instances:
        raise Unplaceable("Reason: No Container Instances were found in your cluster.", "RESOURCE:CPU")
    constraints = (service.data.get("placementConstraints") or []) if service else []
    distinct = any(one["type"] == "distinctInstance" for one in constraints)
    mine = [task.container_instance for task in service_tasks(backend, service)] if service else []
    required = needs(definition)
    why: list[tuple[str, str]] = []
    for instance in sorted(instances, key=lambda one: mine.count(one.container_instance_arn)):
        left = {one["name"]: one.get("stringSetValue") or one["integerValue"] for one in instance.remaining_resources}
        closest = f"The closest matching (container-instance {instance.id})"
        if distinct and instance.container_instance_arn in mine:
            why.append(
                (f'{closest} encountered error "DistinctInstance placement constraint unsatisfied.".', "DISTINCT")
            )
        elif set(required["PORTS"]) & set(left["PORTS"]):
            why.append((f"{closest} is already using a port required by your task.", "RESOURCE:PORTS"))
        elif required["CPU"] > left["CPU"]:
            why.append((f"{closest} has insufficient CPU units available.", "RESOURCE:CPU"))
        elif required["MEMORY"] > left["MEMORY"]:
            why.append((f"{closest} has insufficient memory available.", "RESOURCE:MEMORY"))
        else:
            return instance
    raise Unplaceable(*why[0])


def build(backend: Any, cluster: Any, definition: Any, instance: Any, source: dict[str, Any]) -> Task:
    """The task itself, PENDING, with its containers, ports and network interface."""
    identity = uuid.uuid4().hex
    prefix = cluster.arn.rsplit(":", 1)[0]
    arn = f"{prefix}:task/{cluster.name}/{identity}"
    data: dict[str, Any] = {
        "taskArn": arn,
        "clusterArn": cluster.arn,
        "taskDefinitionArn": definition.arn,
        "group": source.get("group") or f"family:{definition.family}",
        "startedBy": source.get("startedBy"),
        "lastStatus": "PENDING",
        "desiredStatus": "RUNNING",
        "createdAt": now(),
        "overrides": source.get("overrides") or {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "attachments": [],
        "tags": list(source.get("tags") or []),
        "version": 1,
        "cpu": definition.cpu or str(needs(definition)["CPU"]),
        "memory": definition.memory or str(needs(definition)["MEMORY"]),
        "enableExecuteCommand": bool(source.get("enableExecuteCommand")),
        "containers": [container(prefix, arn, identity, one) for one in definition.container_definitions],
    }
    task = Task(data, definition)
    if instance is not None:
        data["containerInstanceArn"] = instance.container_instance_arn
        data["availabilityZone"] = instance.attributes["ecs.availability-zone"]
    if definition.network_mode == "awsvpc":
        attach(backend, task, source["networkConfiguration"]["awsvpcConfiguration"])
    elif instance is not None:
        bind(backend, task, instance)
    return task


def container(prefix: str, task_arn: str, identity: str, declared: dict[str, Any]) -> dict[str, Any]:
    """A container of a task."""
    return {
        "containerArn": f"{prefix}:container/{identity}/{uuid.uuid4()}",
        "taskArn": task_arn,
        "name": declared["name"],
        "image": declared["image"],
        "lastStatus": "PENDING",
        "networkBindings": [],
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": str(declared.get("cpu", 0)),
        "memory": str(declared["memory"]) if declared.get("memory") else None,
    }


def bind(backend: Any, task: Task, instance: Any) -> None:
    """Host ports: the fixed ones, and dynamic ones from 32768 on."""
    used = {
        one["hostPort"]
        for other in tasks_of(backend, instance.cluster_name)
        if other.container_instance == instance.container_instance_arn
        for one in bindings(other)
    }
    for running, declared in zip(task.data["containers"], task.definition.container_definitions, strict=True):
        for mapping in declared.get("portMappings") or []:
            port = mapping.get("hostPort") or next(one for one in range(32768, 61000) if one not in used)
            used.add(port)
            known = {"containerPort": mapping.get("containerPort"), "protocol": mapping.get("protocol", "tcp")}
            running["networkBindings"].append({"bindIP": "0.0.0.0", "hostPort": port, **known})


def attach(backend: Any, task: Task, network: dict[str, Any]) -> None:
    """The network interface of a task in network mode awsvpc."""
    ec2 = ec2_of(backend)
    position = len(ec2.enis) % len(network["subnets"])
    subnet = ec2.get_subnet(network["subnets"][position])
    groups = network.get("securityGroups") or [ec2.get_default_security_group(subnet.vpc_id).id]
    interface = ec2.create_network_interface(subnet, [], group_ids=groups, description=task.task_arn)
    interface.status = "in-use"
    task.network_interface = interface.id
    details = {
        "subnetId": subnet.id,
        "networkInterfaceId": interface.id,
        "macAddress": interface.mac_address,
        "privateIPv4Address": interface.private_ip_address,
    }
    listed = [{"name": name, "value": value} for name, value in details.items()]
    identity = str(uuid.uuid4())
    attachment = {"id": identity, "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": listed}
    task.data["attachments"].append(attachment)
    task.data["availabilityZone"] = subnet.availability_zone
    for one in task.data["containers"]:
        one["networkInterfaces"].append({"attachmentId": identity, "privateIpv4Address": interface.private_ip_address})


def drain(backend: Any, service: Service) -> None:
    """A deleted service stops its tasks, then it is INACTIVE."""
    live = service_tasks(backend, service)
    request_stop(backend, service, [task for task in live if task.wanted], "Service deleted.")
    if not live:
        service.data.update(status="INACTIVE", deployments=[])


def drain_all(backend: Any) -> None:
    """Deleted services go on draining although nobody describes them: AWS does not wait to be asked."""
    for service in list(backend.services.values()):
        if service.status == "DRAINING":
            step(backend, service)


def count(backend: Any, service: Service) -> None:
    """runningCount and pendingCount of the service and of each of its deployments."""
    live = service_tasks(backend, service)
    pending = {"PROVISIONING", "PENDING", "ACTIVATING"}
    for one in [service.data, *service.data["deployments"]]:
        mine = [task for task in live if one is service.data or task.deployment == one["id"]]
        one["runningCount"] = sum(1 for task in mine if task.running)
        one["pendingCount"] = sum(1 for task in mine if task.data["lastStatus"] in pending and task.wanted)
        if one.get("status") == "PRIMARY":
            one["desiredCount"] = service.desired_count
        elif one is not service.data:
            one["desiredCount"] = one["runningCount"] if one["rolloutState"] != "FAILED" else 0


def settle(backend: Any, service: Service) -> None:
    """Old deployments without tasks go, the primary is COMPLETED once it has what it wants."""
    primary, data = service.primary, service.data
    with_tasks = {task.deployment for task in service_tasks(backend, service) if task.wanted}
    mine = [task for task in service_tasks(backend, service) if task.deployment == primary["id"] and task.healthy]
    done = len(mine) == service.desired_count and primary["rolloutState"] != "FAILED"
    if not done or with_tasks - {primary["id"]}:
        return
    data["deployments"] = [primary]
    if primary["rolloutState"] != "COMPLETED":
        primary.update(rolloutState="COMPLETED", updatedAt=now())
        primary["rolloutStateReason"] = f"ECS deployment {primary['id']} completed."
        service.event(f"(deployment {primary['id']}) deployment completed.")
        service.record("SUCCESSFUL", "", "IN_PROGRESS")
        service.record("ROLLBACK_SUCCESSFUL", "Rolled back.", "ROLLBACK_IN_PROGRESS")
    if not service.steady:
        service.steady = True
        service.event("has reached a steady state.")
