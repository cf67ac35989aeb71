# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following an ECS service until its tasks run as declared, or saying why they do not."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for

# How long an answer may still be from before the change: DescribeServices is eventually consistent.
STALE_SECONDS = 20
EVENTS_SHOWN = 5
TASKS_SHOWN = 3
_GROUP = re.compile(r"arn:[\w-]+:elasticloadbalancing:[^\s/]*:targetgroup/([^\s/]+)/\w+")
OF_TASK_SETS = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "loadBalancers",
)
GONE = ("ServiceNotFoundException", "ClusterNotFoundException")


class Rollout:
    """One service on its way to a steady state. name: `<cluster>/<service>`; answer: the service as it was changed."""

    def __init__(self, aws: Aws, name: str, answer: Mapping[str, Any]) -> None:
        self._aws = aws
        self._name = name
        self._cluster, self._service = name.split("/", 1)
        self._deployment = primary_of(answer) or {}
        self._revision = revision(answer.get("taskDefinition", ""))
        self._events = {event["id"] for event in answer.get("events") or ()}
        self._told = ""
        self._last: dict[str, Any] = dict(answer)
        self._news: list[str] = []
        self._fresh_by = time.monotonic() + STALE_SECONDS
        self._known = {item["id"] for item in answer.get("deployments") or ()}
        self._seen = False

    def look(self) -> bool:
        """True when it is steady; raises when its deployment has failed."""
        service = described(self._aws, self._name)
        if service is None or service["status"] != "ACTIVE":
            raise AwsError(f"ECS service {self._name} was deleted while its tasks were starting")
        self._last = service
        self._tell(service)
        if self._is_stale(service):
            return False
        self._check(service)
        return is_steady(service)

    def state(self) -> str:
        """What was seen last, with the reasons: for the message when the time is up."""
        return "; ".join([_counts(self._last), *self._reasons()])

    def _tell(self, service: Mapping[str, Any]) -> None:
        new = [event for event in service.get("events") or () if event["id"] not in self._events]
        self._events.update(event["id"] for event in new)
        for event in reversed(new):
            message = event_words(self._service, event)
            self._news.append(message)
            self._aws.progress(f"{self._name}: {message}")
        counts = _counts(service)
        if counts != self._told:
            self._told = counts
            self._aws.progress(f"{self._name}: {counts}")

    def _is_stale(self, service: Mapping[str, Any]) -> bool:
        """True where the answer knows nothing yet of the deployment that the change started."""
        ids = {item["id"] for item in service.get("deployments") or ()}
        self._seen = self._seen or not self._deployment or self._deployment["id"] in ids or not ids <= self._known
        return not self._seen and time.monotonic() < self._fresh_by

    def _check(self, service: Mapping[str, Any]) -> None:
        watched = next((item for item in service["deployments"] if item["id"] == self._deployment.get("id")), None)
        primary = primary_of(service)
        if watched is not None and watched.get("rolloutState") == "FAILED":
            self._fail(watched.get("rolloutStateReason") or "its deployment failed")
        if primary is None or not self._deployment or primary["id"] == self._deployment["id"]:
            return
        older = primary["createdAt"] < self._deployment["createdAt"]
        behind = revision(primary["taskDefinition"]) < self._revision
        if older or behind or "rolling back" in str(primary.get("rolloutStateReason")).lower():
            went_back = primary["taskDefinition"].rsplit("/", 1)[-1]
            self._fail(f"its deployment failed, and ECS went back to {went_back}")
        self._aws.progress(f"{self._name}: another deployment ({primary['id']}) took over")
        self._deployment = primary

    def _fail(self, why: str) -> None:
        raise AwsError("; ".join([f"ECS service {self._name} did not reach a steady state: {why}", self.state()]))

    def _reasons(self) -> list[str]:
        try:
            tasks = stopped_tasks(self._aws, self._cluster, self._service)
        except Exception as error:  # the reason of the reason must not hide what was found
            tasks = [f"stopped tasks could not be read: {error}"]
        events = [f"event: {text}" for text in self._news[-EVENTS_SHOWN:]]
        return list(dict.fromkeys([*tasks, *events]))


def event_words(service: str, event: Mapping[str, Any]) -> str:
    """An event as people read it: without the name of its service, target groups by their names."""
    return with_group_names(str(event["message"]).removeprefix(f"(service {service}) "))


def with_group_names(text: str) -> str:
    """A text of ECS with the names of target groups instead of their ARNs."""
    return _GROUP.sub(r"\1", text)


def revision(task_definition: str) -> int:
    """The number of a revision, of `family:number` or its ARN; 0 where there is none."""
    number = task_definition.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def wait_until_steady(aws: Aws, name: str, answer: Mapping[str, Any], timeout: float) -> None:
    """Wait until a service's tasks run as declared; raises with the reasons when they do not."""
    rollout = Rollout(aws, name, answer)
    wait_for(rollout.look, f"ECS service {name} to reach a steady state", timeout, rollout.state)


def wait_until_gone(aws: Aws, name: str, timeout: float) -> None:
    """Wait until a deleted service has no tasks left."""
    told = ""

    def gone() -> bool:
        nonlocal told
        service = described(aws, name)
        if service is None or service["status"] == "INACTIVE":
            return True
        counts = f"draining, {service['runningCount']} tasks left"
        if counts != told:
            told = counts
            aws.progress(f"{name}: {counts}")
        return False

    wait_for(gone, f"ECS service {name} to drain", timeout, lambda: told)


def described(aws: Aws, name: str) -> dict[str, Any] | None:
    cluster, service = name.split("/", 1)
    answer = unless(GONE, aws.client("ecs").describe_services, cluster=cluster, services=[service])
    return answer["services"][0] if answer and answer["services"] else None


def primary_of(service: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((item for item in service.get("deployments") or () if item["status"] == "PRIMARY"), None)


def as_it_runs(service: Mapping[str, Any]) -> dict[str, Any]:
    """A service with what its primary task set has: CodeDeploy and external controllers change only that."""
    sets = service.get("taskSets") or ()
    primary: dict[str, Any] = next((item for item in sets if item.get("status") == "PRIMARY"), {})
    return {**service, **{name: primary[name] for name in OF_TASK_SETS if primary.get(name)}}


def is_steady(service: Mapping[str, Any]) -> bool:
    """The primary deployment is completed and runs as many tasks as desired; CodeDeploy's services have none."""
    primary = primary_of(service)
    if primary is None or "rolloutState" not in primary:
        return bool(service["runningCount"] == service["desiredCount"]) and not service["pendingCount"]
    return bool(primary["rolloutState"] == "COMPLETED" and primary["runningCount"] == service["desiredCount"])


def remarks(service: Mapping[str, Any]) -> list[str]:
    """What is wrong with a service although it may be as declared: the run that waited for it may be long over."""
    failed = [item for item in service.get("deployments") or () if item.get("rolloutState") == "FAILED"]
    found = [
        f"its deployment of {_short(item)} failed: {item.get('rolloutStateReason') or 'unknown'}" for item in failed
    ]
    if primary_of(service) not in failed and not is_steady(service):
        found.append(f"it is not in a steady state: {_counts(service)}")
    return found


def stopped_tasks(aws: Aws, cluster: str, service: str) -> list[str]:
    """Why tasks of a service stopped, as far as AWS still knows it."""
    ecs = aws.client("ecs")
    arns = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")["taskArns"][:20]
    if not arns:
        return []
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
    failed = [task for task in tasks if task.get("stopCode") != "ServiceSchedulerInitiated"]
    return list(dict.fromkeys(_why(task) for task in failed))[:TASKS_SHOWN]


def _why(task: Mapping[str, Any]) -> str:
    definition = task["taskDefinitionArn"].rsplit("/", 1)[-1]
    parts = [f"a task of {definition} stopped: {task.get('stoppedReason') or task.get('stopCode')}"]
    for container in task.get("containers") or ():
        if container.get("exitCode") not in (None, 0) or container.get("reason"):
            code = f" exited with {container['exitCode']}" if container.get("exitCode") is not None else ""
            reason = f" ({container['reason']})" if container.get("reason") else ""
            parts.append(f"container {container['name']}{code}{reason}")
    return ", ".join(parts)


def _counts(service: Mapping[str, Any]) -> str:
    primary = primary_of(service)
    failed = (primary or {}).get("failedTasks") or 0
    more = f", {failed} failed" if failed else ""
    running = (primary or service)["runningCount"]
    return f"{running} of {service['desiredCount']} tasks running, {service['pendingCount']} pending{more}"


def _short(deployment: Mapping[str, Any]) -> str:
    """family:revision of what it deploys."""
    return str(deployment["taskDefinition"]).rsplit("/", 1)[-1]
