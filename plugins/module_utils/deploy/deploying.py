# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One deploy of one service, step by step; each step leaves behind what the next run can go on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import definition as defining
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import images as imaging
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import one_off, revisions
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.instances import architectures
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.ledger import Ledger
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.rollout import FREE_SECONDS, DeployFailed, Rollout
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.services import LAYER, Service
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.verdict import short
from ansible_collections.dockyard.aws.plugins.module_utils.layers import ecs_service_rules
from ansible_collections.dockyard.aws.plugins.module_utils.layers.run import PlannedRun
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import ENVIRONMENT_TAG, Difference, Observed
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_task_definition as resource

KIND = resource.EcsTaskDefinition()
DEPLOYED, UNCHANGED, FAILED, ROLLED_BACK = "deployed", "unchanged", "failed", "rolled back"
PREVIOUS = "previous"


@dataclass
class Report:
    """What a deploy of one service came to; as the module returns it."""

    host: str
    service: str
    status: str = UNCHANGED
    previous_task_definition: str = ""
    task_definition: str = ""
    registers: bool = False
    differences: list[dict[str, Any]] = field(default_factory=list)
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    deployment: str = ""
    events: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    logs: dict[str, list[str]] = field(default_factory=dict)
    deregistered: list[str] = field(default_factory=list)
    running: str = ""
    seconds: float = 0.0
    error: str = ""
    notes: list[str] = field(default_factory=list)


class Deploy:
    """A deploy, or a going back to an earlier revision. prepare() changes nothing; carry_out() does it all."""

    def __init__(
        self, sessions: Sessions, planned: PlannedRun, ledger: Ledger, service: Service, params: Mapping[str, Any]
    ) -> None:
        self._aws, self._ecr = sessions.aws(LAYER), sessions.aws("ecr")
        self._planned, self._ledger, self._service, self._params = planned, ledger, service, params
        self.report = Report(service.host, service.name)
        self._live: dict[str, Any] = {}
        self._running = self._stable = Observed("", {}, {})
        self._goes_on = False
        self._definition: dict[str, Any] = {}
        self._target: Observed | None = None
        self._withdraw: list[str] = []

    @property
    def changes(self) -> bool:
        return self.report.status != UNCHANGED

    def prepare(self) -> None:
        """Find out what is to be done; raises before anything is changed where it cannot be done."""
        self._check_ownership()
        live = ecs_rollout.described(self._aws, self._service.name)
        if live is None or live["status"] != "ACTIVE":
            raise ReconcileError(f"the ECS service {self._service.name} does not exist: site.yml makes it")
        controller = (live.get("deploymentController") or {}).get("type", "ECS")
        if controller != "ECS":
            raise ReconcileError(f"{self._service.name} is deployed by {controller}, not by ECS: deploy it with that")
        self._live = live
        running, _status = resource.described(self._aws, live["taskDefinition"])
        if running is None:
            raise ReconcileError(f"{self._service.name} runs {live['taskDefinition']}, which ECS does not describe")
        self._running = running
        self._stable = self._last_completed(live, running)
        self.report.previous_task_definition = self.report.task_definition = short(live["taskDefinition"])
        if self._params.get("revision"):
            self._prepare_return(str(self._params["revision"]))
        else:
            self._prepare_new()

    def _last_completed(self, live: Mapping[str, Any], running: Observed) -> Observed:
        """What to go back to: ECS may still be on its way to what the service names."""
        items = sorted(live.get("deployments") or (), key=lambda item: item["status"] != "PRIMARY")
        done = [item["taskDefinition"] for item in items if item.get("rolloutState", "COMPLETED") == "COMPLETED"]
        if not done or done[0] == live["taskDefinition"]:
            return running
        return resource.described(self._aws, done[0])[0] or running

    def _check_ownership(self) -> None:
        options, name = self._service.options, self._service.name
        if not self._service.family:
            raise ReconcileError(
                f"{name}: task_definition is {options['task_definition']!r}, one revision: name the family alone, so "
                "that deploys can bring its newest"
            )
        if options["image_owner"] == "declaration":
            raise ReconcileError(
                f"{name}: image_owner is declaration, so the inventory sets the image and site.yml deploys it, and "
                "would undo this deploy. Set image_owner: pipeline, or change the image in the inventory and run "
                "site.yml"
            )

    def _prepare_return(self, wanted: str) -> None:
        running = self._live["taskDefinition"]
        arn = revisions.target(self._aws, self._service.family, running, wanted)
        self._target = resource.newest(self._aws, arn)
        there = revisions.active(self._aws, self._service.family)
        self._withdraw = [item for item in there if ecs_rollout.revision(item) > ecs_rollout.revision(arn)]
        if self._target is None or (arn == running and not self._withdraw):
            return
        found = _differences(self._target.properties, self._running)
        self._say_what(found, short(arn), False)
        self.report.status = ROLLED_BACK

    def _prepare_new(self) -> None:
        declared = self._planned.plan.resources.get(self._service.task_address)
        running = self._running.properties
        whole = defining.declared(self._planned.plan, declared.properties, running) if declared else dict(running)
        wanted = self._wanted(whole)
        pinned = self._pinned(wanted, whole)
        self._definition = defining.with_images(whole, running, pinned)
        found = _differences(self._definition, self._running)
        if not found and not self._params["force"] and not self._is_unfinished():
            return
        newest = resource.newest(self._aws, self._service.family)
        known = [item for item in (self._running, newest) if item is not None and self._is_target(item)]
        self._target = known[0] if known else None
        self._say_what(found, short(known[0].attributes["arn"]) if known else "", not known)
        self.report.status = DEPLOYED

    def _wanted(self, whole: Mapping[str, Any]) -> dict[str, imaging.Reference | str]:
        """Which image each container is to get."""
        running, images, built = self._running.properties, self._params.get("images"), self._params.get("built")
        if not built:
            return defining.wanted_images(whole, running, self._params.get("image_tag"), images)
        named = defining.wanted_images(whole, running, None, images) if images else {}
        return {**defining.built_images(whole, running, built), **named}

    def _is_unfinished(self) -> bool:
        """What is asked for is what the service names, but not what it runs: an earlier deploy did not get there."""
        state = (ecs_rollout.primary_of(self._live) or {}).get("rolloutState")
        self._goes_on = state == "IN_PROGRESS"
        if state == "FAILED":
            self._params = {**self._params, "force": True}
        self.report.previous_task_definition = short(self._stable.attributes["arn"])
        return state in ("IN_PROGRESS", "FAILED")

    def _is_target(self, observed: Observed) -> bool:
        return not _differences(self._definition, observed)

    def _say_what(self, found: list[Difference], target: str, registers: bool) -> None:
        self.report.differences = [
            {"path": item.path, "before": item.before, "after": item.after} for item in KIND.shown(found)
        ]
        self.report.task_definition = target
        self.report.registers = registers

    def _pinned(self, wanted: Mapping[str, imaging.Reference | str], definition: Mapping[str, Any]) -> dict[str, str]:
        """The images with their digests; all problems at once."""
        references = {name: item for name, item in wanted.items() if isinstance(item, imaging.Reference)}
        problems: list[str] = []

        def resolved(name: str) -> imaging.Image | None:
            try:
                return imaging.resolve(self._ecr, references[name])
            except ReconcileError as error:
                problems.append(str(error))
                return None

        found = dict(zip(references, each(resolved, references), strict=True))
        platforms = self._platforms(definition)
        for name, image in found.items():
            if image is not None:
                self._describe_image(name, image)
                problem = imaging.platform_problem(name, image, platforms)
                problems += [problem] if problem else []
        if problems:
            raise ReconcileError("\n".join(dict.fromkeys(problems)))
        for name, item in wanted.items():
            if isinstance(item, str):
                why = "would be built and pushed first, so its digest is not known yet"
                if not isinstance(item, defining.NotBuilt):
                    why = "is not in ECR: taken as it is, neither pinned nor looked for"
                self.report.notes.append(f"{item} {why}")
                self.report.images[name] = {"image": item, "tag": "", "digest": ""}
        pinned = {name: image.pinned for name, image in found.items() if image is not None}
        return {**{name: item for name, item in wanted.items() if isinstance(item, str)}, **pinned}

    def _describe_image(self, name: str, image: imaging.Image) -> None:
        self.report.images[name] = {"image": image.pinned, "tag": image.reference.tag, "digest": image.digest}
        if image.note:
            self.report.notes.append(f"{image.reference}: {image.note}")

    def _platforms(self, definition: Mapping[str, Any]) -> tuple[str, ...]:
        options = {**self._service.options, "launch_type": self._live.get("launchType")}
        types = ecs_service_rules.launch_types(options)
        fargate = "FARGATE" in (types or set(definition.get("requiresCompatibilities") or ()))
        known = (definition.get("runtimePlatform") or {}).get("cpuArchitecture")
        there = [] if fargate or known else architectures(self._aws, self._service.cluster)
        return imaging.wanted_platform(definition, fargate, there)

    def carry_out(self) -> None:
        """Do it. Raises DeployFailed with the whole story where it fails."""
        try:
            target = self._target or self._registered()
            if self.report.status == DEPLOYED and not self._goes_on:
                self._one_off_tasks(target)
            self._roll_out(target)
        except DeployFailed:
            self.report.status = FAILED
            raise
        except Exception as error:
            self.report.status = FAILED
            self._take_back_candidate()
            why = self._aws.explained(error, f"deploy {self._service.name}")
            if not self.report.deployment:
                raise why from error
            goes_on = f"{why} The deployment {self.report.deployment} goes on in ECS: look at it with status.yml"
            raise DeployFailed(goes_on) from error
        self._clean_up(target)

    def _roll_out(self, target: Observed) -> None:
        rollout = Rollout(self._aws, self._ledger, self._service, self._planned, self._params, self.report)
        if self._goes_on:
            rollout.go_on(target, self._stable, self._live)
        elif self.report.status == DEPLOYED or target.attributes["arn"] != self._live["taskDefinition"]:
            rollout.bring(target, self._stable, self._live["taskDefinition"])

    def _registered(self) -> Observed:
        self._ledger.write(self._register)
        if self._target is None:
            raise AwsError("no revision was registered")
        return self._target

    def _register(self) -> None:
        declared = self._planned.plan.resources.get(self._service.task_address)
        labels = dict(declared.tags) if declared else dict(self._running.tags or {})
        if self._params["ownership_tags"]:
            labels[ENVIRONMENT_TAG] = self._aws.environment
        family = self._service.family
        newest = resource.newest(self._aws, family)
        if newest is not None and self._is_target(newest):
            # Another service of the family was faster.
            self._target, self.report.task_definition = newest, short(newest.attributes["arn"])
            self.report.registers = False
            return
        current = int(newest.attributes["revision"]) if newest else 0
        made = resource.register(self._aws, self._definition, {**labels, resource.CANDIDATE_TAG: "true"}, current)
        self._target = Observed(family, self._definition, made, {**labels, resource.CANDIDATE_TAG: "true"})
        self.report.task_definition = short(made["arn"])
        self._aws.progress(f"{self._service.short_name}: registered {short(made['arn'])}")

    def _one_off_tasks(self, target: Observed) -> None:
        runner = one_off.Runner(self._aws, self._live)
        for item in self._service.options["deploy_tasks"] or ():
            arn, whole = target.attributes["arn"], target.properties
            if item["task_definition"]:
                other = resource.latest(self._aws, item["task_definition"])
                if other is None:
                    raise AwsError(f"deploy_tasks[{item['name']}]: there is no {item['task_definition']}")
                arn, whole = other.attributes["arn"], other.properties
            wanted = one_off.OneOff(
                item["name"],
                item["container"] or "",
                item["command"],
                item["environment"] or {},
                timeout=item["timeout"],
            )
            ran = runner.run(wanted, arn, whole)
            self.report.tasks.append(ran.as_result())
            if not ran.succeeded:
                running = self.report.previous_task_definition
                self._take_back_candidate()
                raise DeployFailed(
                    f"{ran.failure()}\n  The service was not touched: {running} runs on. What the task itself changed "
                    "stays changed."
                )

    def _take_back_candidate(self) -> None:
        """What was registered and never ran goes; where that fails it stays behind, and everybody passes it by."""
        target = self._target
        if not self.report.registers or target is None or resource.CANDIDATE_TAG not in (target.tags or {}):
            return
        try:
            gone = revisions.deregister(self._aws, self._service.family, [target.attributes["arn"]])
        except Exception as error:
            self.report.notes.append(
                f"{short(target.attributes['arn'])} was left behind: {' '.join(str(error).split())}"
            )
            return
        self.report.deregistered += gone

    def _clean_up(self, target: Observed) -> None:
        """After a deploy, what is older than the revisions that are kept; after a return, what is newer."""
        family, running = self._service.family, target.attributes["arn"]
        try:
            going = self._withdraw
            if self.report.status == DEPLOYED:
                keep = int(self._service.options["keep_revisions"])
                going = revisions.surplus(revisions.active(self._aws, family), keep, running)
            patience = FREE_SECONDS if self._withdraw else 0
            gone = revisions.deregister_when_free(self._aws, family, going, patience)
        except Exception as error:  # the deploy itself is done
            why = self._aws.explained(error, f"deregister revisions of {family}")
            self.report.notes.append(str(why))
            return
        self.report.deregistered += gone
        left = [short(arn) for arn in self._withdraw if short(arn) not in gone]
        if left:
            self.report.notes.append(
                f"{', '.join(left)} is in use elsewhere and stays the newest revision of {family}: a run of site.yml "
                "would bring it to this service again"
            )


def _differences(definition: Mapping[str, Any], observed: Observed) -> list[Difference]:
    return KIND.differences(KIND.canonical(definition), KIND.canonical(observed.properties), {})
