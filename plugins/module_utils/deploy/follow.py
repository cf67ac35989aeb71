# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following one deployment of a service until it is clear how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import DENIED, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import reasons, verdict
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.records import Records
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.verdict import Facts, Limits, Verdict, Watched
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout

FIRST_DELAY = 0.3
GROWTH = 1.5
LONGEST_DELAY = 6.0
TIME_OUT = "time limit"
ERRORS_ENDURED = 8


@dataclass
class Clock:
    """The time, which tests make up."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass
class Followed:
    """How a deployment ended, and all that is known of it. service, unhealthy: as they were seen last."""

    verdict: Verdict
    service: Mapping[str, Any] | None
    events: list[str] = field(default_factory=list)
    unhealthy: list[str] = field(default_factory=list)
    seconds: float = 0.0


class Follower:
    """Looks at a service again and again, and tells what is new."""

    def __init__(
        self,
        aws: Aws,
        name: str,
        watched: Watched,
        limits: Limits,
        records: Records | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._aws, self._name, self._watched, self._limits = aws, name, watched, limits
        self._cluster, self._service = name.split("/", 1)
        self._records = records
        self._clock = clock or Clock()
        self._start = self._clock.now()
        self._told: dict[str, str] = {}
        self._seen_events: set[str] = set()
        self._unhealthy_since: float | None = None
        self._bad_before: frozenset[str] = frozenset()
        self._errors = 0
        self._result = Followed(Verdict(verdict.GOING), None)

    def knows(self, service: Mapping[str, Any], unhealthy: Collection[str] = ()) -> None:
        """Events that are there already are not news.

        unhealthy: targets that were it before. They are not its fault, until they have been healthy or gone.
        """
        self._bad_before = frozenset(unhealthy)
        self._seen_events.update(event["id"] for event in service.get("events") or ())

    def follow(self, timeout: float) -> Followed:
        """Until it ends in one way or another, or the time is up."""
        delay = FIRST_DELAY
        while True:
            found = self._look_in_spite_of_errors()
            self._result.verdict, self._result.seconds = found, self._elapsed()
            if found.state != verdict.GOING:
                return self._result
            left = timeout - self._elapsed()
            if left <= 0:
                why = f"{TIME_OUT}: it did not end within {timeout:.0f} s"
                self._result.verdict = Verdict(verdict.FAILED, why, dead=found.dead)
                return self._result
            self._clock.sleep(min(delay, left))
            delay = min(delay * GROWTH, LONGEST_DELAY)

    def _look_in_spite_of_errors(self) -> Verdict:
        """A moment without an answer says nothing about the deployment; many in a row end the following."""
        try:
            found = self.look()
        except Exception as error:
            self._errors += 1
            if self._errors >= ERRORS_ENDURED:
                raise
            self._say("error", f"no answer: {' '.join(str(error).split())}")
            return Verdict(verdict.GOING)
        self._errors = 0
        return found

    def look(self) -> Verdict:
        """One look."""
        service = ecs_rollout.described(self._aws, self._name)
        self._result.service = service
        if service is None or service["status"] != "ACTIVE":
            return verdict.of(self._watched, Facts(service), self._limits)
        self._tell_events(service)
        self._say("counts", _counts(service, self._watched.identity))
        record = self._records.current() if self._records else None
        if record is not None and record.get("lifecycleStage"):
            self._say("stage", f"stage {record['lifecycleStage']}")
        for hook in _paused(record or {}):
            self._say(f"hook {hook['hookId']}", verdict.pause_words(hook, str((record or {})["serviceDeploymentArn"])))
        facts = Facts(
            service,
            record,
            self._stopped(service),
            self._unhealthy_for(service),
            self._elapsed() >= ecs_rollout.STALE_SECONDS,
        )
        return verdict.of(self._watched, facts, self._limits)

    def _elapsed(self) -> float:
        return self._clock.now() - self._start

    def _stopped(self, service: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Stopped tasks. Where they may not be read, ECS alone is asked."""
        try:
            return reasons.stopped(self._aws, self._cluster, self._service)
        except Exception as error:
            if code_of(error) not in DENIED:
                raise
            self._say("tasks", f"stopped tasks could not be read: {' '.join(str(error).split())}")
            return []

    def _unhealthy_for(self, service: Mapping[str, Any]) -> float:
        """For how long some target has been unhealthy. Where that cannot be read, ECS alone is asked."""
        try:
            found = reasons.bad(reasons.targets(self._aws, service))
        except Exception as error:
            self._say("targets", f"target health could not be read: {' '.join(str(error).split())}")
            return 0.0
        self._bad_before &= found.keys()
        bad = [text for target, text in found.items() if target not in self._bad_before]
        if not bad:
            self._unhealthy_since = None
            return 0.0
        self._result.unhealthy = bad
        if self._unhealthy_since is None:
            self._unhealthy_since = self._clock.now()
        self._say("targets", bad[0] + (f", and {len(bad) - 1} more" if len(bad) > 1 else ""))
        return self._clock.now() - self._unhealthy_since

    def _tell_events(self, service: Mapping[str, Any]) -> None:
        new = [event for event in service.get("events") or () if event["id"] not in self._seen_events]
        self._seen_events.update(event["id"] for event in new)
        for event in reversed(new):
            message = ecs_rollout.event_words(self._service, event)
            self._result.events.append(message)
            self._aws.progress(f"{self._service}: {message}")

    def _say(self, topic: str, line: str) -> None:
        """A line of a topic, unless it was said last."""
        if self._told.get(topic) != line:
            self._told[topic] = line
            self._aws.progress(f"{self._service}: {line}")


def _paused(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The hooks at which ECS waits for somebody."""
    return [item for item in record.get("lifecycleHookDetails") or () if item.get("status") == "AWAITING_ACTION"]


def _counts(service: Mapping[str, Any], identity: str) -> str:
    ours = next((item for item in service["deployments"] if item["id"] == identity), None)
    if ours is None:
        return f"{service['runningCount']} of {service['desiredCount']} tasks running"
    others = sum(item["runningCount"] for item in service["deployments"] if item is not ours)
    parts = [f"{ours['runningCount']} of {service['desiredCount']} new tasks running"]
    parts += [f"{ours['pendingCount']} pending"] if ours.get("pendingCount") else []
    parts += [f"{ours['failedTasks']} failed"] if ours.get("failedTasks") else []
    parts += [f"{others} old"] if others else []
    return ", ".join(parts)
