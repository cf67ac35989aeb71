# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One-off tasks with a service's own network, capacity and roles: started, waited for, with their logs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import logs, reasons
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.follow import (
    ERRORS_ENDURED,
    FIRST_DELAY,
    GROWTH,
    LONGEST_DELAY,
    Clock,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import ENVIRONMENT_TAG
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_rollout import primary_of

STARTED_BY = "dockyard.aws"
# DescribeTasks is eventually consistent: a task that was just started may not be there yet.
NOT_THERE_YET = 20.0
# CloudWatch Logs shows the last lines a moment after the task has stopped.
LOG_DELAY = 2.0
LINES_KEPT = 500
NO_LOG = "does not log to CloudWatch with an awslogs-stream-prefix, so no output is shown"
AS_THE_SERVICE = (
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "placementStrategy",
)
ADVICE = {
    "RESOURCE:PORTS": "no container instance has its fixed host port free: use a task definition without one",
    "RESOURCE:MEMORY": "no container instance has enough memory left",
    "RESOURCE:CPU": "no container instance has enough CPU left",
    "AGENT": "the agent of a container instance is not connected",
}


@dataclass(frozen=True)
class OneOff:
    """What to run. container: the one that the overrides are for and whose exit code counts; empty: the first
    essential one.
    """

    name: str
    container: str = ""
    command: Sequence[str] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    cpu: str = ""
    memory: str = ""
    timeout: float = 1800.0


@dataclass
class Ran:
    """How it went. exit_code: None where the container never ran."""

    name: str
    task: str
    task_definition: str
    container: str
    exit_code: int | None = None
    reason: str = ""
    lines: list[str] = field(default_factory=list)
    log_group: str = ""
    log_stream: str = ""
    seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0

    def as_result(self) -> dict[str, Any]:
        return {**self.__dict__, "lines": list(self.lines)}

    def failure(self) -> str:
        code = "never ran" if self.exit_code is None else f"exited with {self.exit_code}"
        where = f" Its log: {self.log_group}, stream {self.log_stream}." if self.log_group else ""
        last = "".join(f"\n      {line}" for line in self.lines[-logs.LINES_SHOWN :])
        shown = f" Its last lines:{last}" if last else ""
        why = self.reason.replace(f", container {self.container} {code}", "")
        return f"the one-off task {self.name!r} failed: container {self.container} {code}: {why}.{where}{shown}"


def container_of(definition: Mapping[str, Any], wanted: str) -> str:
    """The container that a command is for."""
    containers = definition.get("containerDefinitions") or ()
    names = [item["name"] for item in containers]
    if wanted and wanted not in names:
        raise ReconcileError(f"container: got {wanted!r}, the task definition has: {', '.join(names)}")
    essential = [item["name"] for item in containers if item.get("essential", True)]
    return wanted or (essential or names)[0]


def _volumes(service: Mapping[str, Any], definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the service says of the volumes that a task definition leaves to the launch: ECS starts no task without."""
    left = {volume["name"] for volume in definition.get("volumes") or () if volume.get("configuredAtLaunch")}
    said = (primary_of(service) or {}).get("volumeConfigurations") or ()
    return [item for item in said if item["name"] in left]


def _is_essential(definition: Mapping[str, Any], container: str) -> bool:
    containers = definition.get("containerDefinitions") or ()
    return all(item.get("essential", True) for item in containers if item["name"] == container)


def _has_ended(task: Mapping[str, Any], container: str) -> bool:
    containers = task.get("containers") or ()
    return any(item["name"] == container and item.get("lastStatus") == "STOPPED" for item in containers)


def request(
    service: Mapping[str, Any],
    definition_arn: str,
    container: str,
    task: OneOff,
    environment: str,
    definition: Mapping[str, Any],
) -> dict[str, Any]:
    """The arguments of RunTask: placed and connected as the tasks of the service are."""
    cluster = service["clusterArn"].rsplit("/", 1)[-1]
    override: dict[str, Any] = {"name": container}
    if task.command is not None:
        override["command"] = list(task.command)
    if task.environment:
        override["environment"] = [{"name": str(key), "value": str(value)} for key, value in task.environment.items()]
    overrides: dict[str, Any] = {"containerOverrides": [override]} if len(override) > 1 else {}
    overrides.update({name: value for name, value in (("cpu", task.cpu), ("memory", task.memory)) if value})
    arguments: dict[str, Any] = {
        "cluster": cluster,
        "taskDefinition": definition_arn,
        "count": 1,
        "startedBy": STARTED_BY,
        "group": f"{STARTED_BY}:{service['serviceName']}"[:128],
        "clientToken": uuid.uuid4().hex,
        **{name: service[name] for name in AS_THE_SERVICE if service.get(name)},
    }
    if arguments.get("capacityProviderStrategy"):
        arguments.pop("launchType", None)
    places = [item for item in service.get("placementConstraints") or () if item["type"] == "memberOf"]
    if places:
        arguments["placementConstraints"] = places
    if volumes := _volumes(service, definition):
        arguments["volumeConfigurations"] = volumes
    if overrides:
        arguments["overrides"] = overrides
    if environment:
        arguments["tags"] = tags.to_list({ENVIRONMENT_TAG: environment}, "key", "value")
    return arguments


class Runner:
    """Runs one task and follows it to its end."""

    def __init__(self, aws: Aws, service: Mapping[str, Any], clock: Clock | None = None) -> None:
        self._aws, self._service = aws, service
        self._cluster = service["clusterArn"].rsplit("/", 1)[-1]
        self._clock = clock or Clock()
        self._errors = 0

    def run(self, task: OneOff, arn: str, definition: Mapping[str, Any]) -> Ran:
        """arn, definition: the task definition that it runs."""
        container = container_of(definition, task.container)
        asked = request(self._service, arn, container, task, self._aws.environment, definition)
        started = self._start(asked, task.name)
        ran = Ran(task.name, started, arn.rsplit("/", 1)[-1], container)
        stream = dict(logs.streams(self._aws, definition, started)).get(container)
        if stream is not None:
            ran.log_group, ran.log_stream = stream.group, stream.name
        else:
            self._tell(task.name, f"container {container} {NO_LOG}")
        begin = self._clock.now()
        stopped = self._wait(task, ran, stream, begin, _is_essential(definition, container))
        ran.seconds = round(self._clock.now() - begin, 1)
        own: Mapping[str, Any] = next(
            (item for item in stopped.get("containers") or () if item["name"] == container), {}
        )
        ran.exit_code, ran.reason = own.get("exitCode"), reasons.why(stopped)
        if ran.succeeded:
            self._tell(task.name, "exited with 0")
        return ran

    def _start(self, arguments: Mapping[str, Any], name: str) -> str:
        try:
            answer = self._aws.client("ecs").run_task(**arguments)
        except Exception as error:
            raise self._aws.explained(error, f"start the one-off task {name!r}") from error
        if answer.get("failures") or not answer.get("tasks"):
            failures = answer.get("failures") or ()
            codes = sorted({str(item.get("reason")) for item in failures})
            details = sorted({str(item["detail"]) for item in failures if item.get("detail")})
            advice = "; ".join([*(ADVICE[code] for code in codes if code in ADVICE), *details])
            raise AwsError(
                f"the one-off task {name!r} could not be placed: {', '.join(codes) or 'ECS started none'}"
                + (f" ({advice})" if advice else "")
            )
        arn: str = answer["tasks"][0]["taskArn"]
        self._tell(name, f"started task {arn.rsplit('/', 1)[-1]} of {arguments['taskDefinition'].rsplit('/', 1)[-1]}")
        return arn

    def _wait(
        self, task: OneOff, ran: Ran, stream: logs.Stream | None, begin: float, essential: bool
    ) -> Mapping[str, Any]:
        """Until the task has stopped. Where its container is not essential, the others would go on without it."""
        delay, told = FIRST_DELAY, ""
        while True:
            found = self._described(task.name, ran.task)
            elapsed = self._clock.now() - begin
            if found is None and elapsed > NOT_THERE_YET:
                raise AwsError(f"the one-off task {task.name!r} ({ran.task}) is not known to ECS any more")
            status = (found or {}).get("lastStatus", "")
            if status and status not in (told, "STOPPED"):
                told = status
                self._tell(task.name, status)
            self._show(task, ran, stream)
            if found is not None and status == "STOPPED":
                self._show_the_rest(task, ran, stream)
                return found
            if found is not None and not essential and _has_ended(found, ran.container):
                self._show_the_rest(task, ran, stream)
                return self._stop_the_others(found, ran)
            if elapsed >= task.timeout:
                return self._stop(task, ran, stream)
            self._clock.sleep(min(delay, max(task.timeout - elapsed, 0)))
            delay = min(delay * GROWTH, LONGEST_DELAY)

    def _stop_the_others(self, found: Mapping[str, Any], ran: Ran) -> Mapping[str, Any]:
        reason = f"container {ran.container} has ended"
        self._tell(ran.name, f"{reason}, and it is not essential: stopping the others")
        self._aws.client("ecs").stop_task(cluster=self._cluster, task=ran.task, reason=reason)
        return {**found, "stoppedReason": reason}

    def _stop(self, task: OneOff, ran: Ran, stream: logs.Stream | None) -> Mapping[str, Any]:
        reason = f"time limit of {task.timeout:.0f} s"
        self._tell(task.name, f"{reason} is over, stopping it")
        answer = self._aws.client("ecs").stop_task(cluster=self._cluster, task=ran.task, reason=reason)
        self._show(task, ran, stream)
        stopped = {**answer["task"], "stoppedReason": f"it did not end within the {reason} and was stopped"}
        # Whatever it says on its way out, it was not finished.
        containers = [{**item, "exitCode": item.get("exitCode") or None} for item in stopped.get("containers") or ()]
        return {**stopped, "containers": containers}

    def _described(self, name: str, arn: str) -> dict[str, Any] | None:
        """Empty where there was no answer: that says nothing about the task, which goes on."""
        try:
            answer = self._aws.client("ecs").describe_tasks(cluster=self._cluster, tasks=[arn])
        except Exception as error:
            self._errors += 1
            if self._errors < ERRORS_ENDURED:
                return {}
            why = self._aws.explained(error, f"follow the one-off task {name!r}")
            raise AwsError(f"{why} The task {arn} goes on in ECS: wait for its end before anything else") from error
        self._errors = 0
        return answer["tasks"][0] if answer["tasks"] else None

    def _show_the_rest(self, task: OneOff, ran: Ran, stream: logs.Stream | None) -> None:
        if stream is None:
            return
        self._clock.sleep(LOG_DELAY if not ran.lines else LOG_DELAY / 2)
        self._show(task, ran, stream)

    def _show(self, task: OneOff, ran: Ran, stream: logs.Stream | None) -> None:
        for line in self._new_lines(task, stream) if stream is not None else ():
            ran.lines.append(line)
            self._tell(task.name, f"| {line}")
        del ran.lines[:-LINES_KEPT]

    def _new_lines(self, task: OneOff, stream: logs.Stream) -> list[str]:
        try:
            return stream.new_lines()
        except Exception as error:  # what cannot be shown must not end what is running
            self._tell(task.name, f"its log cannot be read: {' '.join(str(error).split())}")
            return []

    def _tell(self, name: str, line: str) -> None:
        self._aws.progress(f"{self._service['serviceName']}: {name}: {line}")
