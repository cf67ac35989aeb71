# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a plan out: independent steps in parallel, each after what it needs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import graph
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import steps as stepping
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import (
    Awaited,
    PlanError,
    PlanMoved,
    Postponed,
    StillInUse,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.heartbeat import heartbeat
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    CREATE,
    DELETE,
    NONE,
    REPLACE,
    REPLACED_COPY,
    Address,
    Change,
    Observed,
    Ref,
    Resource,
    Wanted,
    unknown_sources,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan, Planner
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.resolve import resolve
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.steps import Step, StepKey
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.stopping import listen, pause

CREATE_ATTEMPTS = 4


@dataclass
class Outcome:
    """What carrying out a part of a plan came to.

    done: the changes made, in the order in which they were finished.
    failures: by host, what went wrong. moved: changes that AWS's own movement made different from the plan.
    """

    done: list[Change] = field(default_factory=list)
    failures: dict[str, list[str]] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Join what another part came to."""
        self.done += other.done
        self.moved += other.moved
        self.notes += other.notes
        for host, messages in other.failures.items():
            self.failures.setdefault(host, []).extend(messages)

    def fail(self, host: str, message: str) -> None:
        self.failures.setdefault(host, []).append(message)


class Executor:
    """Carries out parts of a plan. `progress` gets one line at a time, for people."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        aws_for: Callable[[str], Any],
        planner: Planner,
        parallelism: int = 16,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._kinds = kinds
        self._aws_for = aws_for
        self._planner = planner
        self._parallelism = parallelism
        self._progress = progress

    def apply(self, plan: Plan, wanted: Collection[Address], strict: bool = False) -> Outcome:
        """Carry out what is to happen to these resources, and what that needs of others and is not done yet."""
        outcome = Outcome()
        steps = stepping.build(plan, self._kinds)
        selected = self._select(steps, wanted)
        if selected:
            self._look_again(plan, {steps[key].change.address for key in selected}, strict, outcome)
            steps = stepping.build(plan, self._kinds)
            selected &= steps.keys()
            self._run(plan, {key: steps[key] for key in selected}, steps, outcome)
        return outcome

    def wait(self, plan: Plan, outcome: Outcome) -> None:
        """Wait for what is awaited. What was postponed because of it can then be carried out, or fails with it."""
        awaited, ended = sorted(plan.awaited), threading.Event()
        with ThreadPoolExecutor(max(1, len(awaited)), initializer=listen, initargs=(ended,)) as pool:
            waiting = {address: pool.submit(self._wait_for, plan, address) for address in awaited}
            try:
                wait(waiting.values())
            except BaseException:
                ended.set()
                raise
        for address, future in waiting.items():
            if error := future.exception():
                layer, host = plan.resources[address].layer, plan.resources[address].host
                message = plan.failed[address] = str(self._aws_for(layer).explained(error, "wait"))
                outcome.fail(host, f"{address}: {message}")
        again = self._postponed_with(plan)
        prefixes = tuple(f"{address}: " for address in again)
        outcome.notes = [note for note in outcome.notes if not note.startswith(prefixes)]
        plan.postponed -= again
        plan.awaited.clear()

    @staticmethod
    def _postponed_with(plan: Plan) -> set[Address]:
        """What is awaited, and what was postponed because of it."""
        needs, found = graph.dependencies(plan.resources), set(plan.awaited)
        while more := {address for address in plan.postponed - found if needs[address] & found}:
            found |= more
        return found

    def _wait_for(self, plan: Plan, address: Address) -> None:
        resource = plan.resources[address]
        self._kinds[address.kind].wait(self._aws_for(resource.layer), self._resolved(plan, resource))

    def layers(self, plan: Plan, wanted: Collection[Address]) -> list[str]:
        """The layers in which `apply` would have something to do, sorted."""
        steps = stepping.build(plan, self._kinds)
        return sorted({steps[key].change.layer for key in self._select(steps, wanted)})

    @staticmethod
    def _select(steps: Mapping[StepKey, Step], wanted: Collection[Address]) -> set[StepKey]:
        own = {key for key, step in steps.items() if step.change.resource.address in wanted}
        direct = {key for key in own if steps[key].verb != "clean"}
        selected = graph.closure(direct, {key: step.needs for key, step in steps.items()})
        cleaning = [key for key, step in steps.items() if step.verb == "clean"]
        while ready := [key for key in cleaning if key not in selected and steps[key].needs <= selected]:
            if not direct and not any(key in own for key in ready):
                break
            selected.update(ready)
        return selected

    def _look_again(self, plan: Plan, addresses: set[Address], strict: bool, outcome: Outcome) -> None:
        """Read again what is about to change; if that gives another plan, say so or stop."""
        planned = [change for change in plan.pending() if change.address in addresses and not change.clean_up]
        with heartbeat(self._progress, lambda: "reading again what is about to change"):
            again = {change.address: change for change in self._again(plan, planned)}
        for before in planned:
            gone = Change(NONE, before.resource)
            now = again.get(before.address, gone)
            still = before.action == CREATE and self._kinds[before.kind].makes_nothing
            if still or _parent_took_it_along(before, now):
                now.action, now.differences = before.action, before.differences
            elif not _same(before, now):
                outcome.moved.append(f"{before.address}: planned {_in_words(before)}, now {_in_words(now)}")
            plan.changes[plan.changes.index(before)] = now
            if now.action != REPLACE:
                plan.drop_clean_up(before.address)
        if outcome.moved and strict:
            moved = "\n  - ".join(outcome.moved)
            raise PlanMoved(f"AWS has changed since the plan was made; nothing was written:\n  - {moved}")

    def _again(self, plan: Plan, planned: list[Change]) -> list[Change]:
        """What has become impossible or forbidden since stops the run, whether it is strict or not."""
        try:
            return self._planner.again(plan, [change.address for change in planned])
        except PlanError as error:
            problems = "\n  - ".join(map(str, error.problems))
            raise PlanMoved(f"AWS has changed since the plan was made; nothing was written:\n  - {problems}") from error

    def _run(self, plan: Plan, todo: dict[StepKey, Step], steps: Mapping[StepKey, Step], outcome: Outcome) -> None:
        running: dict[Future[None], Step] = {}
        ended = threading.Event()
        started: dict[StepKey, float] = {}
        with (
            heartbeat(self._progress, lambda: self._in_work(list(running.values()), started)),
            ThreadPoolExecutor(self._parallelism, initializer=listen, initargs=(ended,)) as pool,
        ):
            try:
                while todo or running:
                    self._start_ready(plan, todo, running, started, pool, outcome)
                    finished, _rest = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        self._finish(plan, running.pop(future), future, outcome)
            except BaseException:
                # The pool waits for its threads in any case, and a lock may be held: nobody is to wait any longer.
                ended.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _start_ready(
        self,
        plan: Plan,
        todo: dict[StepKey, Step],
        running: dict[Future[None], Step],
        started: dict[StepKey, float],
        pool: ThreadPoolExecutor,
        outcome: Outcome,
    ) -> None:
        busy = {step.key for step in running.values()}
        for key, step in list(todo.items()):
            if step.needs & (todo.keys() | busy):
                continue
            del todo[key]
            if step.change.address in plan.failed or step.change.address in plan.postponed:
                continue
            broken = [str(need[1]) for need in step.needs if need[1] in plan.failed]
            waiting = [str(need[1]) for need in step.needs if need[1] in plan.postponed]
            if waiting and not broken:
                self._postpone(plan, step, f"waits for {', '.join(sorted(waiting))}", outcome)
            elif broken and step.verb != "clean":
                self._give_up(
                    plan, step, f"not attempted, because it needs {', '.join(sorted(broken))}, which failed", outcome
                )
            elif not broken:
                busy.add(key)
                started[key] = time.monotonic()
                running[pool.submit(self._carry_out, plan, step)] = step

    @staticmethod
    def _in_work(running: Collection[Step], started: Mapping[StepKey, float]) -> str:
        now = time.monotonic()
        parts = sorted(f"{step.change.address} ({now - started[step.key]:.0f} s)" for step in running)
        more = f" and {len(parts) - 4} more" if len(parts) > 4 else ""
        return f"still working on {', '.join(parts[:4])}{more}" if parts else ""

    def _give_up(self, plan: Plan, step: Step, message: str, outcome: Outcome) -> None:
        if plan.failed.setdefault(step.change.address, message) is message:
            outcome.fail(step.change.host, f"{step.change.address}: {message}")

    @staticmethod
    def _postpone(plan: Plan, step: Step, message: str, outcome: Outcome) -> None:
        if step.verb != "clean" and step.change.address not in plan.postponed:
            outcome.notes.append(f"{step.change.address}: {message}")
            plan.postponed.add(step.change.address)

    def _finish(self, plan: Plan, step: Step, future: Future[None], outcome: Outcome) -> None:
        error = future.exception()
        change = step.change
        if step.verb == "clean" and isinstance(error, StillInUse):
            outcome.notes.append(f"{change.address}: the old copy is still in use and goes in a later run: {error}")
            # Not tried again in this run: each attempt waits.
            change.done = change.still_there = True
            return
        if isinstance(error, Awaited):
            plan.awaited.add(change.address)
        if isinstance(error, Postponed):
            self._postpone(plan, step, str(error), outcome)
            return
        if error is not None:
            verb = "delete" if step.verb != "write" else change.action
            self._give_up(plan, step, str(self._aws_for(change.layer).explained(error, verb)), outcome)
            return
        if step.verb == "write" or change.action == DELETE:
            change.done = True
            if change.reason != REPLACED_COPY:
                outcome.done.append(change)

    def _carry_out(self, plan: Plan, step: Step) -> None:
        change, kind = step.change, self._kinds[step.change.kind]
        aws = self._aws_for(change.layer)
        if step.observed is not None:
            kind.delete(aws, change.resource, step.observed)
            return
        resource = self._resolved(plan, change.resource)
        if change.action == REPLACE and kind.create_before_delete and change.observed is not None:
            kind.retire(aws, change.observed)
        if change.action in (CREATE, REPLACE):
            plan.attributes[change.address] = self._create(aws, kind, resource)
        else:
            changed = self._complete(aws, kind, resource, change.existing)
            plan.attributes[change.address] = {**plan.attributes[change.address], **changed}

    def _resolved(self, plan: Plan, resource: Resource) -> Resource:
        """The resource with every reference answered, and its tags complete."""

        def lookup(ref: Ref) -> Any:
            return plan.attributes[ref.address][ref.attribute]

        properties = resolve(resource.properties, lookup)
        scope = resolve(resource.scope, lookup)
        return Resource(
            **{
                **vars(resource),
                "properties": properties,
                "scope": scope,
                "tags": self._planner.desired_tags(resource),
            }
        )

    def _create(self, aws: Any, kind: Kind, resource: Resource) -> dict[str, Any]:
        """Create; where the answer to the call was lost, look for the thing before trying again."""
        for attempt in range(CREATE_ATTEMPTS):
            try:
                return kind.create(aws, resource)
            except Exception as error:
                if attempt + 1 == CREATE_ATTEMPTS or not aws.is_lost_answer(error):
                    raise
            found = self._look_for(aws, kind, resource)
            if found is not None:
                return {**found.attributes, **self._complete(aws, kind, resource, found)}
        raise AssertionError("the loop above returns or raises")

    @staticmethod
    def _look_for(aws: Any, kind: Kind, resource: Resource) -> Observed | None:
        """Reads are eventually consistent: look several times before it is taken as not created."""
        for delay in (0.5, 1, 2, 4):
            pause(delay)
            found = kind.read(aws, [Wanted(resource.name, resource.scope, resource.properties)]).get(resource.name)
            if found is not None and found.exists:
                return found
        return None

    def _complete(self, aws: Any, kind: Kind, resource: Resource, observed: Observed) -> dict[str, Any]:
        """Make what exists equal to what is declared, now that every value is known."""
        found, tags = self._planner.remaining(kind, resource, observed)
        changed = kind.update(aws, resource, observed, found) if found else None
        if tags:
            add = {item.path.removeprefix("tags."): item.after for item in tags if item.after is not None}
            kind.retag(aws, observed, add, [item.path.removeprefix("tags.") for item in tags if item.after is None])
        return changed or {}


def _parent_took_it_along(before: Change, now: Change) -> bool:
    """What lay in a thing that was replaced went with it, and only its creation is left to do."""
    return before.action == REPLACE and now.action == CREATE


def _same(before: Change, now: Change) -> bool:
    """The same change, where a value that was not known when the plan was made may have become known."""
    if before.action != now.action or len(before.differences) != len(now.differences):
        return False
    pairs = zip(before.differences, now.differences, strict=True)
    return all(a.path == b.path and (a.after == b.after or any(unknown_sources(a.after))) for a, b in pairs)


def _in_words(change: Change) -> str:
    paths = ", ".join(item.path for item in change.differences)
    return f"{change.action} ({paths})" if paths else change.action
