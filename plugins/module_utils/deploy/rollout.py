# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a revision to a service: the update, following it, and what is done when it fails."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import definition as defining
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import reasons, revisions, verdict
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.follow import Followed, Follower
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.ledger import Ledger
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.records import Records
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.services import Service
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.verdict import Limits, Watched, short
from ansible_collections.dockyard.aws.plugins.module_utils.layers.run import PlannedRun
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_service import laid_over
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_task_definition import CANDIDATE_TAG

if TYPE_CHECKING:
    from ansible_collections.dockyard.aws.plugins.module_utils.deploy.deploying import Report

# How long ECS may take to begin with its own rollback, once it has said that the deployment failed.
BEGIN_SECONDS = 30.0
LEAST_RETURN_SECONDS = 600.0
GRACE_AND_MORE = 240.0
# How long a revision that failed may be in use by what still ends.
FREE_SECONDS = 20.0
EVENTS_SHOWN = 5
# Words of events that say what went wrong, and not only what was done.
TELLING = ("unable", "failed", "unhealthy", "rolling back", "rror", "denied", "not able", "insufficient")
CONFIGURATION = "deploymentConfiguration"


class DeployFailed(ReconcileError):
    """A deploy that did not succeed; its text is the whole story."""


class Rollout:
    """One revision on its way to one service."""

    def __init__(
        self,
        aws: Aws,
        ledger: Ledger,
        service: Service,
        planned: PlannedRun,
        params: Mapping[str, Any],
        report: Report,
    ) -> None:
        self._aws, self._ledger, self._service, self._planned = aws, ledger, service, planned
        self._params, self._report = params, report
        self._records: Records | None = None
        self._watched = Watched("", "")
        self._told = ""
        self._configured: Mapping[str, Any] = {}

    def bring(self, target: Observed, before: Observed, prepared: str) -> None:
        """Update the service and follow the deployment; raises DeployFailed once the old revision runs again.

        prepared: the task definition that the service had when it was found out what to do.
        """
        self._to_the_end(self._update(target, before, prepared), target, before)

    def go_on(self, target: Observed, before: Observed, live: Mapping[str, Any]) -> None:
        """Follow the deployment that is on its way already: somebody began it and did not see its end."""
        self._records = Records(self._aws, self._service.name)
        self._records.take_running()
        self._is_the_services(target)
        self._configured = live.get(CONFIGURATION) or {}
        primary = ecs_rollout.primary_of(live) or {}
        known = frozenset(item["id"] for item in live.get("deployments") or ()) - {primary["id"]}
        self._report.deployment, arn = primary["id"], target.attributes["arn"]
        self._watched = Watched(primary["id"], arn, before.attributes["arn"], known)
        self._aws.progress(
            f"{self._service.short_name}: deployment {primary['id']} of {short(arn)} is on its way already: followed"
        )
        self._to_the_end(self._follower(live), target, before)

    def _to_the_end(self, follower: Follower, target: Observed, before: Observed) -> None:
        followed = follower.follow(self._timeout())
        self._report.events, self._report.seconds = followed.events, round(followed.seconds, 1)
        if followed.verdict.state == verdict.DONE:
            try:
                self._now()  # the last look may be from just before the end
            except Exception:  # what was seen last will do
                self._report.running = reasons.running_words(followed.service)
            return
        raise DeployFailed(self._failed(followed, target, before))

    def _timeout(self) -> float:
        """As it is asked for, else the service's own and the time that its strategy bakes."""
        if self._params.get("timeout"):
            return float(self._params["timeout"])
        given = self._configured
        steps = (given.get("linearConfiguration") or {}, given.get("canaryConfiguration") or {})
        minutes = (given.get("bakeTimeInMinutes") or 0) + sum(map(_minutes, steps))
        return float(self._service.options["wait_timeout"]) + 60.0 * minutes

    def _update(self, target: Observed, stable: Observed, prepared: str) -> Follower:
        """Under the state's lock. What site.yml brings to the service it takes from then on."""
        ecs, name = self._aws.client("ecs"), self._service.name
        self._records = Records(self._aws, name)
        arn = target.attributes["arn"]
        arguments = {"taskDefinition": arn, **self._configuration()}
        if self._params["force"]:
            arguments["forceNewDeployment"] = True
        answer: dict[str, Any] = {}
        before: dict[str, Any] = {}
        unhealthy: set[str] = set()

        def update() -> None:
            before.update(self._unmoved({prepared, arn}))
            unhealthy.update(reasons.unhealthy_now(self._aws, before))
            with self._as_the_services(target):
                changed = ecs.update_service(
                    cluster=self._service.cluster, service=self._service.short_name, **arguments
                )
            answer.update(changed["service"])

        self._ledger.bring(self._service, target.attributes, update)
        self._configured = {**(answer.get(CONFIGURATION) or {}), **arguments.get(CONFIGURATION, {})}
        started = ecs_rollout.primary_of(answer) or {}
        self._report.deployment = started.get("id", "")
        known = frozenset(item["id"] for item in before.get("deployments") or ()) - {self._report.deployment}
        self._watched = Watched(self._report.deployment, arn, stable.attributes["arn"], known)
        self._aws.progress(f"{self._service.short_name}: deployment {self._report.deployment} of {short(arn)} started")
        return self._follower(before, unhealthy)

    def _unmoved(self, expected: Collection[str]) -> dict[str, Any]:
        """The service as it is now. What somebody else brought to it meanwhile is not taken away again."""
        name = self._service.name
        found = ecs_rollout.described(self._aws, name)
        if found is None:
            raise AwsError(f"the ECS service {name} was deleted meanwhile")
        if found["taskDefinition"] not in expected:
            raise ReconcileError(
                f"somebody else brought {short(found['taskDefinition'])} to {name} meanwhile, which this deploy knows "
                "nothing of: it left the service as it is. Run it again"
            )
        return found

    @contextmanager
    def _as_the_services(self, target: Observed) -> Iterator[None]:
        """It is no candidate from before the update on, lest a run that ends in between leaves site.yml to go back."""
        labels = dict(target.tags or {})
        self._is_the_services(target)
        try:
            yield
        except Exception:
            target.tags = labels
            if CANDIDATE_TAG in labels:
                tag = self._aws.client("ecs").tag_resource
                with suppress(Exception):  # what failed first is what counts
                    tag(resourceArn=target.attributes["arn"], tags=[{"key": CANDIDATE_TAG, "value": "true"}])
            raise

    def _is_the_services(self, target: Observed) -> None:
        """It is no candidate any more: from now on site.yml takes it for the family's newest."""
        if CANDIDATE_TAG in (target.tags or {}):
            self._aws.client("ecs").untag_resource(resourceArn=target.attributes["arn"], tagKeys=[CANDIDATE_TAG])
            target.tags = {key: value for key, value in (target.tags or {}).items() if key != CANDIDATE_TAG}

    def _follower(self, before: Mapping[str, Any], unhealthy: Collection[str] = ()) -> Follower:
        grace = float(before.get("healthCheckGracePeriodSeconds") or 0)
        limits = Limits(float(self._params.get("unhealthy_timeout") or grace + GRACE_AND_MORE))
        follower = Follower(self._aws, self._service.name, self._watched, limits, self._records)
        follower.knows(before, unhealthy)
        return follower

    def _configuration(self) -> dict[str, Any]:
        """How it is rolled out, where the declaration says something else than AWS has."""
        plan = self._planned.plan
        for change in plan.changes:
            if change.address == self._service.address and change.observed is not None:
                differs = any(item.path.split(".")[0] == CONFIGURATION for item in change.differences)
                if differs and CONFIGURATION in change.resource.properties:
                    declared = defining.resolved_in(plan, change.resource.properties[CONFIGURATION])
                    return {CONFIGURATION: laid_over(change.observed.properties.get(CONFIGURATION), declared)}
        return {}

    def _failed(self, followed: Followed, target: Observed, before: Observed) -> str:
        """Collect why, see to it that the old revision runs, and tell it all."""
        found, name = followed.verdict, self._service.name
        self._report.reasons = self._reasons(followed)
        self._report.logs = self._logs(followed, target)
        lines = [f"the deployment of {short(target.attributes['arn'])} to {name} failed: {found.why.rstrip('.')}"]
        lines += [f"  - {reason}" for reason in self._report.reasons]
        for container, texts in self._report.logs.items():
            lines += [f"  last lines of container {container}:", *(f"      {text}" for text in texts)]
        if found.state == verdict.OVERTAKEN:
            return "\n".join([*lines, "  It was left to the other deployment; nothing was undone."])
        if found.state == verdict.DELETED:
            return "\n".join([*lines, "  There is nothing to go back to: site.yml makes the service again."])
        self._aws.progress(
            f"{self._service.short_name}: {found.why.rstrip('.')}; going back to {short(before.attributes['arn'])}"
        )
        try:
            said = self._go_back(followed, target, before)
        except Exception as error:
            why = self._aws.explained(error, f"bring {short(before.attributes['arn'])} back")
            said = f"{why}. Look at it now: playbooks/status.yml, and playbooks/rollback.yml goes back"
        return "\n".join([*lines, f"  {said}"])

    def _reasons(self, followed: Followed) -> list[str]:
        tasks = reasons.of_tasks(list(followed.verdict.dead))
        telling = [text for text in followed.events if any(word in text for word in TELLING)]
        events = [f"event: {text}" for text in telling[-EVENTS_SHOWN:]]
        return list(dict.fromkeys([*tasks, *followed.unhealthy, *events]))

    def _logs(self, followed: Followed, target: Observed) -> dict[str, list[str]]:
        try:
            return reasons.last_lines(self._aws, target.properties, list(followed.verdict.dead))
        except Exception as error:  # the reason of the reason must not hide what was found
            self._report.notes.append(f"logs could not be read: {' '.join(str(error).split())}")
            return {}

    def _go_back(self, followed: Followed, target: Observed, before: Observed) -> str:
        old = before.attributes["arn"]
        if old == target.attributes["arn"]:
            return f"It is the revision that ran before, so there is nothing to go back to: {self._now()}."
        by_ecs = followed.verdict.ecs_rolls_back and self._begins(old)
        who = "ECS went back"
        if not by_ecs:
            who = "It was taken back"
            self._take_back(old)
        timeout = max(self._timeout(), LEAST_RETURN_SECONDS)
        wait_for(lambda: self._runs(old), f"{short(old)} to run again", timeout, self._now)
        self._record(before)
        self._deregister(target)
        return f"{who}: {self._now()}."

    def _begins(self, old: str) -> bool:
        """Whether ECS is on its way back, as it should be."""
        try:
            return wait_for(lambda: self._heads_for(old), f"ECS to go back to {short(old)}", BEGIN_SECONDS)
        except AwsError:
            return False

    def _heads_for(self, old: str) -> bool:
        service = ecs_rollout.described(self._aws, self._service.name)
        primary = ecs_rollout.primary_of(service or {})
        record = self._records.current() if self._records else None
        if record is not None and record.get("status") in verdict.ROLLING_BACK:
            return True
        return primary is not None and primary["taskDefinition"] == old

    def _take_back(self, old: str) -> None:
        """Where ECS itself does not. Without the lock: what is broken now does not wait for somebody else's run."""
        strategy = self._configured.get("strategy") or "ROLLING"
        if strategy != "ROLLING" and self._records is not None and self._records.roll_back():
            return
        call = self._aws.client("ecs").update_service
        call(cluster=self._service.cluster, service=self._service.short_name, taskDefinition=old)

    def _runs(self, old: str) -> bool:
        service = ecs_rollout.described(self._aws, self._service.name)
        primary = ecs_rollout.primary_of(service or {})
        if service is None or primary is None:
            raise AwsError(f"the ECS service {self._service.name} was deleted meanwhile")
        counts = f"{primary['runningCount']} of {service['desiredCount']} tasks of {short(primary['taskDefinition'])}"
        if counts != self._told:
            self._told = counts
            self._aws.progress(f"{self._service.short_name}: {counts} running")
        return bool(primary["taskDefinition"] == old and ecs_rollout.is_steady(service))

    def _now(self) -> str:
        self._report.running = reasons.running_words(ecs_rollout.described(self._aws, self._service.name))
        return self._report.running

    def _record(self, before: Observed) -> None:
        try:
            self._ledger.bring(self._service, before.attributes, lambda: None)
        except ReconcileError as error:
            self._report.notes.append(f"the state still names the revision that failed: {error}")

    def _deregister(self, target: Observed) -> None:
        """A revision that failed would be the family's newest, which site.yml would bring to the service again."""
        if ecs_rollout.revision(target.attributes["arn"]) <= ecs_rollout.revision(self._watched.before):
            return
        try:
            gone = revisions.deregister_when_free(
                self._aws, self._service.family, [target.attributes["arn"]], FREE_SECONDS
            )
        except Exception as error:
            why = self._aws.explained(error, f"deregister {short(target.attributes['arn'])}")
            self._report.notes.append(f"{why}. Deregister it, or a run of site.yml brings it to the service again")
            return
        self._report.deregistered += gone
        if not gone:
            self._report.notes.append(
                f"{short(target.attributes['arn'])} is in use still and stays the newest revision of "
                f"{self._service.family}: deregister it, or site.yml brings it to this service again"
            )


def _minutes(steps: Mapping[str, Any]) -> int:
    """How long a traffic shift in steps bakes at most."""
    if steps.get("stepPercent"):
        count = math.ceil(100 / float(steps["stepPercent"]))
        return count * int(steps.get("stepBakeTimeInMinutes") or 0)
    return int(steps.get("canaryBakeTimeInMinutes") or 0)
