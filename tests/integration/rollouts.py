# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two services on ministack, the playbooks of the pipeline, and people who use the first service meanwhile."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.deploys import CONTAINER, NO_BREAKER, OCI, SERVICE, TASK, declared, write_inventory
from tests.integration.playbooks import Played, play

TAGS = ("v1", "v2", "v3", "crash", "exit0", "nopull", "slow")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def declarations() -> dict[str, dict[str, Any]]:
    """The service web behind the load balancer, and worker, which ECS does not roll back by itself."""
    result = declared()
    for balancer in result["alb"]["platform"]["load_balancers"]:
        del balancer["listeners"][1:]  # ministack takes requests for any of them
    container = {**copy.deepcopy(CONTAINER), "name": "worker", "portMappings": []}
    task = {key: copy.deepcopy(value) for key, value in TASK.items() if key != "log_group"}
    task |= {"family": "worker", "definition": [container]}
    task["containers"] = {"worker": {"image": {"repository": "web", "tag": "v1"}}}
    service = {key: copy.deepcopy(value) for key, value in SERVICE.items() if key != "load_balancers"}
    migrate = {"name": "migrate", "command": ["exit", "{{ migration_code | default('0') }}"]}
    service |= {"name": "worker", "task_definition": "worker", "deployment_configuration": NO_BREAKER}
    result["ecs"]["worker"] = {"task_definitions": [task], "services": [{**service, "deploy_tasks": [migrate]}]}
    return result


class Shop:
    """The services and what can be asked of them."""

    def __init__(self, ministack: Any, folder: Path) -> None:
        self.ministack, self.report_path = ministack, folder / "report.json"
        self.inventory = write_inventory(folder / "inventory", declarations(), "test")
        self._ecs = ministack.client("ecs")

    def play(self, name: str, *arguments: str, host: str = "web") -> Played:
        report = {"deploy": "deploy_report", "rollback": "deploy_report", "run_task": "task_report"}[name]
        limit = ("--limit", host, "-e", f"{report}={self.report_path}")
        return play(self.ministack, f"playbooks/{name}.yml", *limit, *arguments, inventory=self.inventory)

    def deploy(self, tag: str, *arguments: str, host: str = "web") -> Played:
        return self.play("deploy", "-e", f"image_tag={tag}", *arguments, host=host)

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.report_path.read_text())
        return found

    def service(self, name: str = "web") -> dict[str, Any]:
        found: dict[str, Any] = self._ecs.describe_services(cluster="web", services=[name])["services"][0]
        return found

    def running(self, name: str = "web") -> str:
        """family:revision"""
        return str(self.service(name)["taskDefinition"]).rsplit("/", 1)[-1]

    def revisions(self, family: str = "web") -> list[str]:
        arns = self._ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"]
        return [arn.rsplit("/", 1)[-1] for arn in arns]

    def image(self, revision: str) -> str:
        described = self._ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
        return str(described["containerDefinitions"][0]["image"]).rpartition("@")[2]

    def seen(self) -> tuple[Any, ...]:
        """All that a refused deploy must leave as it is."""
        tasks = self._ecs.list_tasks(cluster="web")["taskArns"]
        deployments = [item["id"] for name in ("web", "worker") for item in self.service(name)["deployments"]]
        return sorted(tasks), deployments, self.revisions(), self.revisions("worker")


def push(ministack: Any, tag: str) -> str:
    """An image of its own for the tag, pushed to the registry; its digest."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Labels": {"tag": tag}}}).encode()
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    _send(f"{ministack.url}/v2/web/blobs/uploads/?digest={digest}", "POST", config, "application/octet-stream")
    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(config)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": blob, "layers": []}).encode()
    return _send(f"{ministack.url}/v2/web/manifests/{tag}", "PUT", manifest, OCI)


def _send(url: str, method: str, body: bytes, content_type: str) -> str:
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": content_type})
    with _DIRECT.open(request, timeout=10) as answer:
        return str(answer.headers["Docker-Content-Digest"])


class Visitors:
    """What people who use a service all the while saw: the tags that answered, and what went wrong."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.failures: list[str] = []

    def visit(self, url: str, end: threading.Event) -> None:
        while not end.is_set():
            try:
                with _DIRECT.open(url, timeout=10) as answer:
                    self.answers.append(json.loads(answer.read())["tags"][0])
            except Exception as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            time.sleep(0.02)


@contextmanager
def visitors(ministack: Any, count: int = 3) -> Iterator[Visitors]:
    """Visitors of the load balancer `web` for as long as the block lasts."""
    found, end = Visitors(), threading.Event()
    url = f"{ministack.url}/_alb/web/page"
    threads = [threading.Thread(target=found.visit, args=(url, end)) for _number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        end.set()
        for thread in threads:
            thread.join()
