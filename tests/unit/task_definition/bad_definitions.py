# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task definitions that AWS refuses, as changes to sound ones, with what the message must say."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_file

GOOD = Path(__file__).parent / "good"
ABSENT = ...


def art() -> dict[str, Any]:
    """The container definitions of an EC2 service in bridge mode, as a whole task definition."""
    return {"family": "sourcing-data-service", **load_file(GOOD / "ec2-bridge-containers.json")}


def good(name: str) -> dict[str, Any]:
    return load_file(GOOD / name)


class Bad(NamedTuple):
    """A sound definition with one fault: where it is put, where it is reported, and part of the message."""

    name: str
    base: str
    changes: dict[str, Any]
    path: str
    message: str
    launch_types: tuple[str, ...] = ()

    def definition(self) -> dict[str, Any]:
        result = art() if self.base == "art" else good(BASES[self.base])
        for path, value in self.changes.items():
            _put(result, path.split("/"), copy.deepcopy(value))
        return result


BASES = {
    "web": "fargate-web.json",
    "worker": "fargate-worker-firelens.yml",
    "windows": "fargate-windows.json",
    "gpu": "ec2-gpu-batch.json",
    "links": "ec2-bridge-links.json",
}


def _put(target: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        target = target[int(part)] if isinstance(target, list) else target.setdefault(part, {})
    last = path[-1]
    if isinstance(target, list):
        if last == "+":
            target.append(value)
        else:
            target[int(last)] = value
    elif value is ABSENT:
        target.pop(last, None)
    else:
        target[last] = value


C0, C1 = "containerDefinitions/0", "containerDefinitions/1"
WEB, ART = "containerDefinitions[web]", "containerDefinitions[sourcing-data-service]"
MIGRATE = "containerDefinitions[migrate]"
VARIABLE = {"name": "A", "value": "1"}
SIDE = {"name": "side", "image": "busybox", "memory": 16}

# What the service model itself says.
MODEL = [
    Bad("no-family", "art", {"family": ABSENT}, "family", "is required"),
    Bad("no-containers", "art", {"containerDefinitions": ABSENT}, "containerDefinitions", "is required"),
    Bad("containers-no-list", "art", {"containerDefinitions": {"a": 1}}, "containerDefinitions", "must be a list"),
    Bad("container-no-object", "art", {"containerDefinitions/+": "x"}, "containerDefinitions[1]", "must be an object"),
    Bad("unknown-field", "art", {"networkmode": "host"}, "networkmode", "did you mean networkMode?"),
    Bad("snake-case", "art", {f"{C0}/port_mappings": []}, f"{ART}.port_mappings", "did you mean portMappings?"),
    Bad("pascal-case", "art", {f"{C0}/Image": "x"}, f"{ART}.Image", "did you mean image?"),
    Bad("describe-only", "art", {"revision": 3}, "revision", "only in the answer of DescribeTaskDefinition"),
    Bad("integer-cpu", "web", {"cpu": 512}, "cpu", "must be a string, got an integer (512)"),
    Bad("text-memory", "art", {f"{C0}/memory": "500"}, f"{ART}.memory", "must be an integer, got a string ('500')"),
    Bad("boolean-memory", "art", {f"{C0}/memory": True}, f"{ART}.memory", "must be an integer, got a boolean"),
    Bad("text-essential", "art", {f"{C0}/essential": "yes"}, f"{ART}.essential", "must be true or false"),
    Bad("command-text", "art", {f"{C0}/command": "run"}, f"{ART}.command", "must be a list, got a string"),
    Bad("null", "art", {f"{C0}/user": None}, f"{ART}.user", "must be a string, got null"),
    Bad("number-in-environment", "art", {f"{C0}/environment": [{"name": "A", "value": 1}]},
        f"{ART}.environment[A].value", "must be a string, got an integer"),
    Bad("labels-list", "art", {f"{C0}/dockerLabels": ["a"]}, f"{ART}.dockerLabels", "must be an object"),
    Bad("label-number", "art", {f"{C0}/dockerLabels": {"a": 1}}, f"{ART}.dockerLabels[a]", "must be a string"),
    Bad("network-mode", "art", {"networkMode": "AWSVPC"}, "networkMode", "allowed: bridge, host, awsvpc, none"),
    Bad("protocol", "art", {f"{C0}/portMappings/0/protocol": "TCP"}, f"{ART}.portMappings[0].protocol", "tcp, udp"),
    Bad("compatibility", "art", {"requiresCompatibilities": ["fargate"]}, "requiresCompatibilities[0]",
        "did you mean FARGATE?"),
    Bad("ulimit-name", "gpu", {f"{C0}/ulimits/0/name": "files"}, "containerDefinitions[render].ulimits[files].name",
        "allowed: core, cpu"),
    Bad("health-check-without-command", "links", {f"{C1}/healthCheck": {"retries": 1}},
        "containerDefinitions[redis].healthCheck.command", "is required"),
    Bad("gpu-sharing-percent", "gpu",
        {f"{C0}/resourceRequirements/0/sharingStrategy": {"nvidiaMps": {"memory": 1, "maxComputePercent": 101}}},
        "containerDefinitions[render].resourceRequirements[0].sharingStrategy.nvidiaMps.maxComputePercent",
        "got 101, allowed: 1..100"),
    Bad("tag-characters", "web", {"tags/0/value": "a*b"}, "tags[0].value", "does not match"),
    Bad("tag-key-length", "web", {"tags/0/key": "k" * 129}, "tags[0].key", "got 129 characters, allowed: 1..128"),
    Bad("tag-count", "web", {"tags": [{"key": f"k{i}", "value": ""} for i in range(51)]}, "tags", "got 51 items"),
]  # fmt: skip

# The task as a whole.
TASK = [
    Bad("family-pattern", "art", {"family": "art service"}, "family", "got 'art service', allowed: 1 to 255 letters"),
    Bad("family-length", "art", {"family": "f" * 256}, "family", "1 to 255"),
    Bad("role", "web", {"taskRoleArn": "arn:aws:iam::123:role/x"}, "taskRoleArn", "allowed: the ARN"),
    Bad("tag-prefix", "web", {"tags/0/key": "aws:owner"}, "tags[0].key", "the prefix aws: is reserved"),
    Bad("tag-twice", "web", {"tags/1/key": "Environment"}, "tags[1].key", "which is there 2 times"),
    Bad("size", "art", {f"{C0}/environment": [{"name": "A", "value": "x" * 65536}]}, "",
        "allowed: up to 65536 (64 KiB)"),
    Bad("constraint-count", "gpu", {"placementConstraints": [{"type": "memberOf", "expression": "x"}] * 11},
        "placementConstraints", "got 11 constraints, allowed: up to 10"),
    Bad("constraint-expression", "gpu", {"placementConstraints": [{"type": "memberOf"}]},
        "placementConstraints[0].expression", "is required"),
    Bad("proxy-container", "web", {"proxyConfiguration": {"containerName": "envoy"}},
        "proxyConfiguration.containerName", "got 'envoy', containers: migrate, web"),
    Bad("proxy-properties", "web", {"proxyConfiguration": {"containerName": "web"}},
        "proxyConfiguration.properties", "IgnoredUID or IgnoredGID is required"),
    Bad("proxy-network", "art", {"proxyConfiguration": {"containerName": "sourcing-data-service"}},
        "proxyConfiguration", "needs networkMode awsvpc, got bridge"),
    Bad("fault-injection", "art", {"enableFaultInjection": True}, "enableFaultInjection", "needs networkMode awsvpc"),
    Bad("trusted-execution", "web", {"trustedExecutionConfiguration": {"isolationMode": "SHARED"}},
        "trustedExecutionConfiguration", "needs MANAGED_INSTANCES, got FARGATE"),
]  # fmt: skip

# cpu, memory, storage.
RESOURCES = [
    Bad("fargate-cpu", "web", {"cpu": "300"}, "cpu", "got 300, allowed on Fargate: 256, 512, 1024"),
    Bad("fargate-pair", "web", {"cpu": "256", "memory": "8192"}, "memory", "with cpu 256: 512, 1024, 2048"),
    Bad("fargate-step", "web", {"cpu": "8192", "memory": "17408"}, "memory", "16384..61440 in steps of 4096"),
    Bad("fargate-text-pair", "web", {"cpu": "1 vCPU", "memory": "1 GB"}, "memory", "2048..8192 in steps of 1024"),
    Bad("fargate-no-cpu", "web", {"cpu": ABSENT}, "cpu", "is required on Fargate"),
    Bad("fargate-no-memory", "web", {"memory": ABSENT}, "memory", "is required on Fargate"),
    Bad("fargate-by-service", "art", {}, "cpu", "is required on Fargate", ("FARGATE",)),
    Bad("windows-cpu", "windows", {"cpu": "512", "memory": "1024"}, "cpu", "Fargate with Windows: 1024, 2048, 4096"),
    Bad("cpu-form", "art", {"cpu": "half"}, "cpu", "got 'half', allowed: CPU units ('256') or vCPUs"),
    Bad("memory-form", "art", {"memory": "1 MB"}, "memory", "got '1 MB', allowed: MiB ('512') or GB"),
    Bad("memory-unit", "art", {"memory": "1 vCPU"}, "memory", "allowed: MiB"),
    Bad("ec2-cpu", "art", {"cpu": "64"}, "cpu", "allowed: 128..196608"),
    Bad("container-memory-minimum", "art", {f"{C0}/memory": 4}, f"{ART}.memory", "got 4, allowed: 6 MiB or more"),
    Bad("container-cpu", "art", {f"{C0}/cpu": -1}, f"{ART}.cpu", "got -1, allowed: 0 or more"),
    Bad("reservation", "art", {f"{C0}/memoryReservation": 501}, f"{ART}.memoryReservation", "container's memory, 500"),
    Bad("no-memory", "art", {f"{C0}/memory": ABSENT}, f"{ART}.memory", "each container needs memory or"),
    Bad("container-over-task", "web", {f"{C1}/memory": 2048}, f"{WEB}.memory", "up to the task's memory, 1024 MiB"),
    Bad("memory-sum", "web", {f"{C0}/memory": 600}, "memory", "adds up to 1112 (migrate 600 + web 512)"),
    Bad("cpu-sum", "web", {f"{C0}/cpu": 129}, "cpu", "adds up to 513 (migrate 129 + web 384)"),
    Bad("ephemeral-small", "web", {"ephemeralStorage": {"sizeInGiB": 10}}, "ephemeralStorage.sizeInGiB", "21..200"),
    Bad("ephemeral-large", "web", {"ephemeralStorage": {"sizeInGiB": 201}}, "ephemeralStorage.sizeInGiB", "got 201"),
    Bad("gpu-count", "gpu", {f"{C0}/resourceRequirements/0/value": "0"},
        "containerDefinitions[render].resourceRequirements[0].value", "allowed: the number of GPUs"),
    Bad("accelerator", "gpu", {f"{C0}/resourceRequirements/+": {"type": "InferenceAccelerator", "value": "eia"}},
        "containerDefinitions[render].resourceRequirements[1].value", "no deviceName in inferenceAccelerators"),
]  # fmt: skip

CONTAINERS = [
    Bad("none", "art", {"containerDefinitions": []}, "containerDefinitions", "got 0 containers, allowed: 1..10"),
    Bad("eleven", "art", {"containerDefinitions": [{**SIDE, "name": f"c{i}"} for i in range(11)]},
        "containerDefinitions", "got 11 containers"),
    Bad("no-name", "art", {f"{C0}/name": ABSENT}, "containerDefinitions[0].name", "is required"),
    Bad("name-pattern", "art", {f"{C0}/name": "my app"}, "containerDefinitions[my app].name", "got 'my app', allowed"),
    Bad("name-twice", "art", {"containerDefinitions": [SIDE, SIDE]}, "containerDefinitions[1].name",
        "2 containers have"),
    Bad("no-essential", "art", {f"{C0}/essential": False}, "containerDefinitions", "at least one container must be"),
    Bad("no-image", "art", {f"{C0}/image": ABSENT}, f"{ART}.image", "is required"),
    Bad("image-case", "art", {f"{C0}/image": "Nginx:1"}, f"{ART}.image", "got 'Nginx:1', allowed: repository[:tag]"),
    Bad("image-tag", "art", {f"{C0}/image": "nginx:a b"}, f"{ART}.image", "allowed: repository[:tag]"),
    Bad("image-digest", "art", {f"{C0}/image": "nginx@sha256:abc"}, f"{ART}.image", "allowed: repository[:tag]"),
    Bad("image-length", "art", {f"{C0}/image": "n" * 256}, f"{ART}.image", "got 256 characters, allowed: up to 255"),
    Bad("depends-on-unknown", "web", {f"{C1}/dependsOn/0/containerName": "migrat"},
        f"{WEB}.dependsOn[0].containerName", "did you mean migrate?"),
    Bad("depends-on-itself", "web", {f"{C1}/dependsOn/0/containerName": "web"},
        f"{WEB}.dependsOn[0].containerName", "cannot depend on itself"),
    Bad("healthy-without-check", "web", {f"{C1}/dependsOn/0/condition": "HEALTHY"},
        f"{WEB}.dependsOn[0].condition", "the container migrate has no healthCheck"),
    Bad("success-of-essential", "web", {f"{C0}/essential": ABSENT}, f"{WEB}.dependsOn[0].condition", "is essential"),
    Bad("cycle", "web", {f"{C0}/dependsOn": [{"containerName": "web", "condition": "START"}]},
        f"{MIGRATE}.dependsOn", "is a cycle: migrate -> web -> migrate"),
    Bad("link", "links", {f"{C0}/links": ["redi:cache"]}, "containerDefinitions[app].links[0]", "did you mean redis?"),
    Bad("volumes-from", "gpu", {f"{C0}/volumesFrom/0/sourceContainer": "x"},
        "containerDefinitions[render].volumesFrom[0].sourceContainer", "there is no such container"),
    Bad("variable-without-name", "art", {f"{C0}/environment": [{"name": "", "value": "1"}]},
        f"{ART}.environment[0].name", "must not be empty"),
    Bad("variable-twice", "art", {f"{C0}/environment": [VARIABLE, VARIABLE]},
        f"{ART}.environment[1].name", "got 'A', which is there 2 times"),
    Bad("variable-with-equals", "art", {f"{C0}/environment": [{"name": "A=B", "value": ""}]},
        f"{ART}.environment[A=B].name", "cannot contain ="),
    Bad("secret-twice", "web", {f"{C1}/secrets/1/name": "DATABASE_URL"}, f"{WEB}.secrets[1].name", "there 2 times"),
    Bad("secret-and-variable", "web", {f"{C1}/secrets/0/name": "LOG_LEVEL"},
        f"{WEB}.secrets[LOG_LEVEL].name", "is in environment too"),
    Bad("secret-source", "web", {f"{C1}/secrets/0/valueFrom": "arn:aws:s3:::x"},
        f"{WEB}.secrets[DATABASE_URL].valueFrom", "allowed: the ARN of a Secrets Manager secret"),
    Bad("secret-without-role", "web", {"executionRoleArn": ABSENT}, "executionRoleArn",
        "containerDefinitions[web].secrets"),
    Bad("secret-without-role-on-ec2", "art", {f"{C0}/secrets": [{"name": "A", "valueFrom": "/a"}]},
        "executionRoleArn", "is required by containerDefinitions[sourcing-data-service].secrets"),
    Bad("ecr-without-role", "art", {}, "executionRoleArn", "image (ECR)", ("FARGATE",)),
    Bad("awslogs-without-role", "windows", {"executionRoleArn": ABSENT}, "executionRoleArn", "(awslogs)"),
    Bad("environment-file", "web", {f"{C1}/environmentFiles/0/value": "arn:aws:s3:::b/file.txt"},
        f"{WEB}.environmentFiles[0].value", "whose name ends in .env"),
    Bad("health-interval", "web", {f"{C1}/healthCheck/interval": 1000}, f"{WEB}.healthCheck.interval",
        "allowed: 5..300"),
    Bad("health-timeout", "web", {f"{C1}/healthCheck/timeout": 1}, f"{WEB}.healthCheck.timeout", "allowed: 2..60"),
    Bad("health-retries", "web", {f"{C1}/healthCheck/retries": 11}, f"{WEB}.healthCheck.retries", "allowed: 1..10"),
    Bad("health-start", "web", {f"{C1}/healthCheck/startPeriod": 301}, f"{WEB}.healthCheck.startPeriod", "0..300"),
    Bad("health-command", "web", {f"{C1}/healthCheck/command": ["curl", "x"]}, f"{WEB}.healthCheck.command",
        "got 'curl' first, allowed: CMD, CMD-SHELL or NONE"),
    Bad("health-command-alone", "web", {f"{C1}/healthCheck/command": ["CMD"]}, f"{WEB}.healthCheck.command", "missing"),
    Bad("stop-timeout", "web", {f"{C1}/stopTimeout": 121}, f"{WEB}.stopTimeout", "got 121, allowed: 2..120 on Fargate"),
    Bad("restart-period", "web", {f"{C1}/restartPolicy/restartAttemptPeriod": 30},
        f"{WEB}.restartPolicy.restartAttemptPeriod", "allowed: 60..1800"),
    Bad("ulimit", "web", {f"{C1}/ulimits/0/softLimit": 70000}, f"{WEB}.ulimits[nofile].softLimit",
        "got 70000, allowed: up to the hardLimit, 65535"),
    Bad("credential-specs", "art", {f"{C0}/credentialSpecs": ["a", "b"]}, f"{ART}.credentialSpecs", "allowed: one"),
]  # fmt: skip

LOGS = [
    Bad("driver-on-fargate", "web", {f"{C1}/logConfiguration": {"logDriver": "json-file"}},
        f"{WEB}.logConfiguration.logDriver", "allowed on Fargate: awslogs, splunk, awsfirelens"),
    Bad("no-router", "web", {f"{C1}/logConfiguration": {"logDriver": "awsfirelens"}},
        f"{WEB}.logConfiguration.logDriver", "no container has a firelensConfiguration"),
    Bad("no-group", "web", {f"{C1}/logConfiguration/options/awslogs-group": ABSENT},
        f"{WEB}.logConfiguration.options[awslogs-group]", "is required for awslogs"),
    Bad("no-region", "web", {f"{C1}/logConfiguration/options/awslogs-region": ABSENT},
        f"{WEB}.logConfiguration.options[awslogs-region]", "is required for awslogs"),
    Bad("no-prefix", "web", {f"{C1}/logConfiguration/options/awslogs-stream-prefix": ABSENT},
        f"{WEB}.logConfiguration.options[awslogs-stream-prefix]", "is required for awslogs on Fargate"),
    Bad("option", "web", {f"{C1}/logConfiguration/options/awslogs-prefix": "x"},
        f"{WEB}.logConfiguration.options[awslogs-prefix]", "unknown option"),
    Bad("mode", "web", {f"{C1}/logConfiguration/options/mode": "fast"},
        f"{WEB}.logConfiguration.options[mode]", "allowed: blocking, non-blocking"),
    Bad("group-name", "web", {f"{C1}/logConfiguration/options/awslogs-group": "a b"},
        f"{WEB}.logConfiguration.options[awslogs-group]", "allowed: up to 512 letters"),
    Bad("firelens-s3", "worker", {f"{C0}/firelensConfiguration/options/config-file-type": "s3"},
        "containerDefinitions[log-router].firelensConfiguration.options[config-file-type]", "on Fargate: file"),
    Bad("two-routers", "worker", {f"{C1}/firelensConfiguration": {"type": "fluentd"}},
        "containerDefinitions[worker].firelensConfiguration", "only one container can be the log router"),
]  # fmt: skip

NETWORK = [
    Bad("fargate-bridge", "web", {"networkMode": "bridge"}, "networkMode", "got 'bridge', allowed on Fargate: awsvpc"),
    Bad("fargate-none-given", "web", {"networkMode": ABSENT}, "networkMode", "is required on Fargate"),
    Bad("external-awsvpc", "art", {"networkMode": "awsvpc"}, "networkMode", "on EXTERNAL: bridge", ("EXTERNAL",)),
    Bad("awsvpc-host-port", "web", {f"{C1}/portMappings/1/hostPort": 9101}, f"{WEB}.portMappings[1].hostPort",
        "got 9101, allowed with networkMode awsvpc: 9100"),
    Bad("host-host-port", "gpu", {f"{C0}/portMappings/0/hostPort": 7001},
        "containerDefinitions[render].portMappings[0].hostPort", "with networkMode host: 7000"),
    Bad("none-ports", "art", {"networkMode": "none"}, f"{ART}.portMappings", "not supported with networkMode none"),
    Bad("port-zero", "art", {f"{C0}/portMappings/0/containerPort": 0}, f"{ART}.portMappings[0].containerPort",
        "1..65535"),
    Bad("port-large", "art", {f"{C0}/portMappings/0/hostPort": 70000}, f"{ART}.portMappings[0].hostPort", "0..65535"),
    Bad("no-port", "art", {f"{C0}/portMappings": [{}]}, f"{ART}.portMappings[0].containerPort", "is required"),
    Bad("host-port-twice", "links", {f"{C1}/portMappings": [{"containerPort": 1, "hostPort": 443}]},
        "containerDefinitions[redis].portMappings[0].hostPort", "got 443/tcp, which containerDefinitions[app]"),
    Bad("awsvpc-port-twice", "web", {f"{C0}/portMappings": [{"containerPort": 8000}]},
        f"{WEB}.portMappings[0].containerPort", "got 8000/tcp"),
    Bad("range-form", "links", {f"{C0}/portMappings/2/containerPortRange": "9010-9000"},
        "containerDefinitions[app].portMappings[2].containerPortRange", "allowed: first-last, rising"),
    Bad("range-and-port", "links", {f"{C0}/portMappings/2/hostPort": 9000},
        "containerDefinitions[app].portMappings[2].containerPortRange", "excludes containerPort and hostPort"),
    Bad("range-overlap", "links", {f"{C0}/portMappings/+": {"containerPortRange": "9005-9020"}},
        "containerDefinitions[app].portMappings[3]", "overlaps with 9000-9010"),
    Bad("range-on-host", "gpu", {f"{C0}/portMappings/+": {"containerPortRange": "1-5"}},
        "containerDefinitions[render].portMappings[2].containerPortRange", "needs networkMode bridge or awsvpc"),
    Bad("port-name", "web", {f"{C1}/portMappings/0/name": "HTTP"}, f"{WEB}.portMappings[0].name", "lower-case letters"),
    Bad("port-name-twice", "web", {f"{C1}/portMappings/1/name": "http"}, f"{WEB}.portMappings[1].name",
        "2 port mappings"),
    Bad("links-awsvpc", "web", {f"{C1}/links": ["migrate"]}, f"{WEB}.links", "not supported with networkMode awsvpc"),
    Bad("hostname-awsvpc", "web", {f"{C1}/hostname": "x"}, f"{WEB}.hostname", "not supported with networkMode awsvpc"),
    Bad("extra-host", "gpu", {f"{C0}/extraHosts/0/ipAddress": "10.0.0"},
        "containerDefinitions[render].extraHosts[0].ipAddress", "no IP address"),
]  # fmt: skip

VOLUMES = [
    Bad("unknown", "web", {f"{C1}/mountPoints/0/sourceVolume": "medai"}, f"{WEB}.mountPoints[0].sourceVolume",
        "did you mean media?"),
    Bad("no-path", "web", {f"{C1}/mountPoints/0/containerPath": ABSENT}, f"{WEB}.mountPoints[0].containerPath",
        "required"),
    Bad("path-twice", "web", {f"{C1}/mountPoints/1/containerPath": "/media"}, f"{WEB}.mountPoints[1].containerPath",
        "2 mounts have"),
    Bad("name-twice", "web", {"volumes/1/name": "media"}, "volumes[1].name", "2 volumes have"),
    Bad("name-pattern", "web", {"volumes/1/name": "scr atch"}, "volumes[scr atch].name", "allowed: 1 to 255"),
    Bad("two-kinds", "web", {"volumes/0/host": {"sourcePath": "/x"}}, "volumes[media]", "allowed: one of them"),
    Bad("host-on-fargate", "web", {"volumes/1/host": {"sourcePath": "/x"}}, "volumes[scratch].host.sourcePath",
        "Fargate"),
    Bad("docker-on-fargate", "web", {"volumes/1/dockerVolumeConfiguration": {"scope": "task"}},
        "volumes[scratch].dockerVolumeConfiguration", "is not supported on Fargate"),
    Bad("autoprovision", "links", {"volumes/0/dockerVolumeConfiguration/scope": "task"},
        "volumes[shared].dockerVolumeConfiguration.autoprovision", "needs scope shared"),
    Bad("efs-id", "web", {"volumes/0/efsVolumeConfiguration/fileSystemId": "media"},
        "volumes[media].efsVolumeConfiguration.fileSystemId", "allowed: fs-<hexadecimal digits>"),
    Bad("efs-encryption", "web", {"volumes/0/efsVolumeConfiguration/transitEncryption": "DISABLED"},
        "volumes[media].efsVolumeConfiguration.transitEncryption", "must be ENABLED with authorizationConfig.iam"),
    Bad("efs-root", "web", {"volumes/0/efsVolumeConfiguration/rootDirectory": "/x"},
        "volumes[media].efsVolumeConfiguration.rootDirectory", "allowed with an access point: /"),
    Bad("two-at-launch", "web", {"volumes": [{"name": "media", "configuredAtLaunch": True},
                                             {"name": "scratch", "configuredAtLaunch": True}]},
        "volumes[scratch].configuredAtLaunch", "only one volume"),
]  # fmt: skip

PLATFORM = [
    Bad("compatibility", "gpu", {}, "requiresCompatibilities", "got EC2, but the service runs the task on FARGATE",
        ("FARGATE",)),
    Bad("privileged", "web", {f"{C1}/privileged": True}, f"{WEB}.privileged", "is not supported on Fargate"),
    Bad("gpu", "web", {f"{C1}/resourceRequirements": [{"type": "GPU", "value": "1"}]}, f"{WEB}.resourceRequirements[0]",
        "got GPU, which is not supported on Fargate"),
    Bad("constraints", "web", {"placementConstraints": [{"type": "memberOf", "expression": "x"}]},
        "placementConstraints", "is not supported on Fargate"),
    Bad("ipc", "web", {"ipcMode": "task"}, "ipcMode", "is not supported on Fargate"),
    Bad("pid", "web", {"pidMode": "host"}, "pidMode", "allowed on Fargate: task"),
    Bad("devices", "web", {f"{C1}/linuxParameters/devices": [{"hostPath": "/dev/fuse"}]},
        f"{WEB}.linuxParameters.devices", "is not supported on Fargate"),
    Bad("shared-memory", "web", {f"{C1}/linuxParameters/sharedMemorySize": 64},
        f"{WEB}.linuxParameters.sharedMemorySize", "is not supported on Fargate"),
    Bad("swap", "web", {f"{C1}/linuxParameters/maxSwap": 0}, f"{WEB}.linuxParameters.maxSwap", "on Fargate"),
    Bad("capability", "web", {f"{C1}/linuxParameters/capabilities/add/0": "NET_ADMIN"},
        f"{WEB}.linuxParameters.capabilities.add[0]", "allowed on Fargate: SYS_PTRACE"),
    Bad("dns", "web", {f"{C1}/dnsServers": ["1.1.1.1"]}, f"{WEB}.dnsServers", "is not supported on Fargate"),
    Bad("old-windows", "windows", {"runtimePlatform/operatingSystemFamily": "WINDOWS_SERVER_2016_FULL"},
        "runtimePlatform.operatingSystemFamily", "allowed on Fargate: LINUX"),
    Bad("windows-arm", "windows", {"runtimePlatform/cpuArchitecture": "ARM64"}, "runtimePlatform.cpuArchitecture",
        "X86_64"),
    Bad("windows-linux-parameters", "windows", {f"{C0}/linuxParameters": {"initProcessEnabled": True}},
        "containerDefinitions[iis].linuxParameters", "is not supported for Windows"),
    Bad("swappiness", "gpu", {f"{C0}/linuxParameters/swappiness": 101},
        "containerDefinitions[render].linuxParameters.swappiness", "allowed: 0..100"),
    Bad("swappiness-alone", "gpu", {f"{C0}/linuxParameters/maxSwap": ABSENT},
        "containerDefinitions[render].linuxParameters.swappiness", "needs maxSwap"),
    Bad("sysctl", "web", {f"{C1}/systemControls/0/namespace": "vm.swappiness"},
        f"{WEB}.systemControls[0].namespace", "allowed: net.*"),
    Bad("sysctl-host", "gpu", {f"{C0}/systemControls": [{"namespace": "net.core.somaxconn", "value": "1"}]},
        "containerDefinitions[render].systemControls[0].namespace", "networkMode host excludes"),
    Bad("security-option", "gpu", {f"{C0}/dockerSecurityOptions": ["none"]},
        "containerDefinitions[render].dockerSecurityOptions[0]", "allowed: no-new-privileges"),
]  # fmt: skip

ALL = {
    "model": MODEL,
    "task": TASK,
    "resources": RESOURCES,
    "containers": CONTAINERS,
    "logs": LOGS,
    "network": NETWORK,
    "volumes": VOLUMES,
    "platform": PLATFORM,
}
