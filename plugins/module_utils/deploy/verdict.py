# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the answers of ECS say about one deployment. Pure: no calls, no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_rollout import primary_of

GOING, DONE, FAILED, OVERTAKEN, DELETED = "going", "done", "failed", "overtaken", "deleted"
ROLLING_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
# A task that the scheduler stops for its health failed; one that it stops to scale or to replace did not.
UNHEALTHY = ("health check", "unhealthy")
OWN_FAULT = ("TaskFailedToStart", "EssentialContainerExited")
# How many times as many tasks as the circuit breaker allows may die before it is not waited for any longer: it stops
# counting as soon as one task has been running for a moment.
PATIENCE = 3


@dataclass(frozen=True)
class Watched:
    """The deployment that is followed, as it was started.

    identity: its id, empty where the update started none. known: the ids of those before it. before: the task
    definition that ran then.
    """

    identity: str
    task_definition: str
    before: str = ""
    known: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Facts:
    """What was seen in one look.

    service: of DescribeServices; None where it is gone. record: of DescribeServiceDeployments, where that is there.
    tasks: stopped ones of the service. unhealthy_for: seconds for which targets have been unhealthy without a break.
    """

    service: Mapping[str, Any] | None
    record: Mapping[str, Any] | None = None
    tasks: Sequence[Mapping[str, Any]] = ()
    unhealthy_for: float = 0.0
    fresh: bool = True


@dataclass(frozen=True)
class Limits:
    """Until when it is waited. unhealthy: seconds for which targets may be unhealthy."""

    unhealthy: float = 300.0


@dataclass(frozen=True)
class Verdict:
    """state: one of the above. ecs_rolls_back: it is on its way back to the old revision by itself."""

    state: str
    why: str = ""
    ecs_rolls_back: bool = False
    dead: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def of(watched: Watched, facts: Facts, limits: Limits) -> Verdict:
    """How it stands with the deployment."""
    service = facts.service
    if service is None or service.get("status") != "ACTIVE":
        return Verdict(DELETED, "the service was deleted meanwhile")
    dead = dead_tasks(facts.tasks, watched.identity)
    if facts.record is not None:
        found = _by_record(watched, facts.record, service, dead)
    else:
        found = _by_deployments(watched, service, dead, facts.fresh)
    if found.state != GOING:
        return found
    return _by_tasks(service, facts, limits, dead)


def _by_record(
    watched: Watched, record: Mapping[str, Any], service: Mapping[str, Any], dead: Sequence[Mapping[str, Any]]
) -> Verdict:
    """The service deployment's own word, where ECS keeps one."""
    status, why = record.get("status"), record.get("statusReason") or ""
    if status == "SUCCESSFUL":
        return _completed(service, dead)
    if status in ROLLING_BACK:
        reason = why or (record.get("rollback") or {}).get("reason") or "ECS rolls it back"
        return Verdict(FAILED, f"{reason}{_alarms(record)}", status != "ROLLBACK_FAILED", dead)
    if status in ("STOPPED", "STOP_REQUESTED"):
        primary = primary_of(service)
        if primary is not None and _is_new(watched, primary) and primary["taskDefinition"] != watched.before:
            return _overtaken(primary)
        return Verdict(FAILED, why or "the deployment was stopped", dead=dead)
    return Verdict(GOING)


def _alarms(record: Mapping[str, Any]) -> str:
    names = (record.get("alarms") or {}).get("triggeredAlarmNames") or ()
    return f" (alarms: {', '.join(names)})" if names else ""


def _by_deployments(
    watched: Watched, service: Mapping[str, Any], dead: Sequence[Mapping[str, Any]], fresh: bool
) -> Verdict:
    primary = primary_of(service)
    ours = next((item for item in service["deployments"] if item["id"] == watched.identity), None)
    if ours is None and not fresh and (primary is None or primary["id"] in watched.known):
        return Verdict(GOING)
    if ours is not None and ours.get("rolloutState") == "FAILED":
        back = primary is None or primary["id"] != watched.identity or rolls_back(service)
        return Verdict(FAILED, ours.get("rolloutStateReason") or "ECS says that it failed", back, dead)
    if primary is None:
        return Verdict(GOING)
    if primary["id"] != watched.identity:
        went_back = primary["id"] in watched.known or _says_rollback(primary)
        if went_back or (ours is not None and primary["taskDefinition"] == watched.before and _older(primary, ours)):
            reason = primary.get("rolloutStateReason") or ""
            return Verdict(FAILED, f"ECS went back to {short(primary['taskDefinition'])}: {reason}", True, dead)
        return _overtaken(primary)
    if primary.get("rolloutState") == "COMPLETED":
        return _completed(service, dead)
    return Verdict(GOING)


def _overtaken(primary: Mapping[str, Any]) -> Verdict:
    return Verdict(
        OVERTAKEN,
        f"another deployment took over: {primary['id']} of {short(primary['taskDefinition'])}, started "
        f"{moment(primary.get('createdAt'))}",
    )


def _completed(service: Mapping[str, Any], dead: Sequence[Mapping[str, Any]]) -> Verdict:
    limit = death_limit(service)
    if len(dead) >= limit:
        return Verdict(FAILED, f"it was completed, but its tasks keep dying: {len(dead)} so far", dead=dead)
    return Verdict(DONE)


def _by_tasks(service: Mapping[str, Any], facts: Facts, limits: Limits, dead: Sequence[Mapping[str, Any]]) -> Verdict:
    """Where ECS itself does not end it."""
    primary = primary_of(service) or {}
    breaker = (service.get("deploymentConfiguration") or {}).get("deploymentCircuitBreaker") or {}
    limit = death_limit(service)
    died = max(len(dead), int(primary.get("failedTasks") or 0))
    patience = limit * PATIENCE if breaker.get("enable") else limit
    if died >= patience and not breaker.get("thresholdConfiguration"):
        return Verdict(FAILED, f"its tasks keep dying: {died} so far", dead=dead)
    if facts.unhealthy_for >= limits.unhealthy:
        return Verdict(FAILED, f"targets have been unhealthy for {facts.unhealthy_for:.0f} s", dead=dead)
    return Verdict(GOING, dead=dead)


def death_limit(service: Mapping[str, Any]) -> int:
    """As many as the circuit breaker of ECS allows: half of the desired count, 3 to 200."""
    return min(max(3, math.ceil(int(service.get("desiredCount") or 0) / 2)), 200)


def dead_tasks(tasks: Sequence[Mapping[str, Any]], deployment: str) -> list[Mapping[str, Any]]:
    """The tasks of a deployment that stopped by a fault of their own or for their health."""
    return [task for task in tasks if task.get("startedBy") == deployment and is_fault(task)]


def is_fault(task: Mapping[str, Any]) -> bool:
    reason = str(task.get("stoppedReason") or "").lower()
    return task.get("stopCode") in OWN_FAULT or any(words in reason for words in UNHEALTHY)


def rolls_back(service: Mapping[str, Any]) -> bool:
    """Whether ECS goes back by itself when a deployment fails."""
    configuration = service.get("deploymentConfiguration") or {}
    watchers = (configuration.get("deploymentCircuitBreaker") or {}, configuration.get("alarms") or {})
    return any(item.get("enable") and item.get("rollback") for item in watchers)


def _is_new(watched: Watched, deployment: Mapping[str, Any]) -> bool:
    return deployment["id"] != watched.identity and deployment["id"] not in watched.known


def _says_rollback(deployment: Mapping[str, Any]) -> bool:
    return "rolling back" in str(deployment.get("rolloutStateReason")).lower()


def _older(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one.get("createdAt") and other.get("createdAt") and one["createdAt"] <= other["createdAt"])


def short(task_definition: str) -> str:
    """family:revision of an ARN."""
    return str(task_definition).rsplit("/", 1)[-1]


def pause_words(hook: Mapping[str, Any], deployment: str) -> str:
    """At which hook ECS waits for somebody, how long, and how it is told to go on."""
    until = f" until {moment(hook['expiresAt'])}, then {hook.get('timeoutAction')}" if hook.get("expiresAt") else ""
    return (
        f"the deployment is paused{until}: aws ecs continue-service-deployment --service-deployment-arn {deployment} "
        f"--hook-id {hook['hookId']} --action CONTINUE (or ROLLBACK)"
    )


def moment(value: Any) -> str:
    """A time as people and pipelines read it: SDKs give it in the zone of the machine."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else str(value or "")
