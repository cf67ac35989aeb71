# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service on Fargate whose image is in ECR, and deploys to it."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import run as deploying
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import running_task, scaling, status
from tests.integration.engine import Declared, Runner
from tests.integration.kinds.ecs import NETWORK, ROLE, load_balancer

HOST, FAMILY, NAME = "web", "web", "web/web"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LOG_GROUP = "/ecs/web"
CONTAINER = {
    "name": "web",
    "image": "web",
    "essential": True,
    "portMappings": [{"containerPort": 8080}],
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": LOG_GROUP, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"},
    },
}
TASK: dict[str, Any] = {
    "family": FAMILY,
    "definition": [CONTAINER],
    "network_mode": "awsvpc",
    "requires_compatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "1024",
    "execution_role": ROLE.format("execution"),
    "log_group": {"name": LOG_GROUP},
    "containers": {"web": {"image": {"repository": "web", "tag": "v1"}}},
}
SERVICE: dict[str, Any] = {
    "name": "web",
    "cluster": "web",
    "task_definition": FAMILY,
    "desired_count": 2,
    "launch_type": "FARGATE",
    "network_configuration": {"subnets": ["web-a"], "security_groups": ["web"]},
    "load_balancers": [{"target_group": "web", "container_name": "web", "container_port": 8080}],
    "wait_timeout": 60,
}
DECLARED: Declared = {
    "network": {"platform": NETWORK},
    "ecr": {HOST: {"repositories": [{"name": "web"}]}},
    "alb": {"platform": load_balancer("ip")},
    "ecs": {
        "platform": {"clusters": [{"name": "web", "capacity_providers": ["FARGATE"]}]},
        HOST: {"task_definitions": [TASK], "services": [SERVICE]},
    },
}
NO_BREAKER = {"deployment_circuit_breaker": {"enable": False, "rollback": False}}


def declared(task: dict[str, Any] | None = None, **service: Any) -> Declared:
    """The declarations with options of the task definition and of the service changed."""
    result = copy.deepcopy(DECLARED)
    result["ecs"][HOST]["task_definitions"][0].update(task or {})
    result["ecs"][HOST]["services"][0].update(service)
    return result


def write_inventory(folder: Path, declarations: Mapping[str, Mapping[str, Any]], environment: str) -> Path:
    """The declarations as an inventory that playbooks take."""
    hosts = sorted({host for by_host in declarations.values() for host in by_host})
    shared = {
        "dockyard_environment": environment,
        "aws_region": "us-east-1",
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    files: dict[str, Any] = {"hosts.yml": {"all": {"hosts": dict.fromkeys(hosts)}}, "group_vars/all.yml": shared}
    for layer, by_host in declarations.items():
        files |= {f"host_vars/{host}/{layer}.yml": {layer: declaration} for host, declaration in by_host.items()}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(yaml.safe_dump(content))
    return folder


def push(ecr: Any, *tags: str, architecture: str = "amd64") -> str:
    """An image of its own for each first tag, as a registry has it after a push; its digest."""
    config = json.dumps({"architecture": architecture, "os": "linux", "config": {"Labels": {"tag": tags[0]}}}).encode()
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    upload = ecr.initiate_layer_upload(repositoryName="web")["uploadId"]
    ecr.upload_layer_part(
        repositoryName="web", uploadId=upload, partFirstByte=0, partLastByte=len(config) - 1, layerPartBlob=config
    )
    ecr.complete_layer_upload(repositoryName="web", uploadId=upload, layerDigests=[digest])
    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(config)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": blob, "layers": []})
    for tag in tags:
        ecr.put_image(repositoryName="web", imageManifest=manifest, imageTag=tag, imageManifestMediaType=OCI)
    return "sha256:" + hashlib.sha256(manifest.encode()).hexdigest()


class Deployer:
    """The modules of the pipeline, as their actions run them."""

    def __init__(self, runner: Runner, declarations: Declared, **options: Any) -> None:
        self.runner, self.declarations, self.options = runner, declarations, options
        # The runner's sessions, which it keeps, speak to the runner.
        self.progress = runner.progress
        self.progress.clear()

    def deploy(self, image_tag: str | None = None, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given = {"image_tag": image_tag, "images": None, "revision": None, "all_services": False, "force": False}
        given |= {"timeout": None, "unhealthy_timeout": None}
        return deploying.run(self._params(given, options), check_mode, self.progress.append)

    def run_task(self, **options: Any) -> dict[str, Any]:
        given = {"name": "task", "command": None, "container": None, "environment": None, "cpu": None, "memory": None}
        given |= {"task_definition": None, "timeout": 60}
        return running_task.run(self._params(given, options), False, self.progress.append)

    def status(self, **options: Any) -> dict[str, Any]:
        return status.run(self._params({"events": 3}, options), self.progress.append)

    def scale(self, count: int, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        given = {"desired_count": count, "wait": True, "timeout": 60}
        return scaling.run(self._params(given, options), check_mode, self.progress.append)

    def _params(self, given: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        base = self.runner.params({"ecs": self.declarations["ecs"]}, **self.options)
        return {**base, "service": None, "report": None, **given, **options}
