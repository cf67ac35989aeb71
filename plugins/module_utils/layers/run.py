# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning and carrying out layers: what the modules and the action plugins share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws, Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.layers import (
    base,
    kept_here,
    recording,
    remote_state,
    removing,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.recording import Documents, Recorder
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.layers.report import counts, result_of_apply, result_of_plan
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.executor import Executor, Outcome
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.heartbeat import heartbeat
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan, Planner, Settings
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.removal import NOTHING, Removal
from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS

Progress = Callable[[str], None]
# Whose credentials reach the state.
STATE_LAYER = "state_bucket"

RUN_ARGUMENT_SPEC: dict[str, Any] = {
    "declared": {"type": "dict"},
    "environment_name": {"type": "str"},
    "account_id": {"type": "str"},
    "profiles": {"type": "dict"},
    "tags": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": True},
    "ownership_tags": {"type": "bool", "default": True},
    "parallelism": {"type": "int", "default": 16},
    "strict": {"type": "bool", "default": False},
    "remote_state": remote_state.ARGUMENT_SPEC,
    "base_dir": {"type": "path"},
    "base_dirs": {"type": "dict"},
}
REMOVE_ARGUMENT_SPEC: dict[str, Any] = {
    **RUN_ARGUMENT_SPEC,
    "layers": {"type": "list", "elements": "str", "choices": list(LAYERS)},
    "prune": {"type": "bool", "default": False},
    "destroy_only": {"type": "list", "elements": "str"},
    "whole_inventory": {"type": "bool", "default": False},
}
PLAN_ARGUMENT_SPEC: dict[str, Any] = {
    **REMOVE_ARGUMENT_SPEC,
    "offline": {"type": "bool", "default": False},
    "plan_file": {"type": "path"},
}


@dataclass
class PlannedRun:
    """A plan with what is needed to carry it out. Lives as long as the playbook run.

    hosts: those that it was made for, also those that declare nothing. carried_out: which layers of which hosts.
    removed: whether what is to go was removed.
    environment: of the task that made it, which may hold credentials. secrets: what nobody may be shown.
    documents: what was remembered when it was made, where the run remembers (dockyard_remote_state).
    where: the account and region that it was made in. plan_file: where it is saved, and what was done there.
    """

    params: dict[str, Any]
    layers: list[str]
    hosts: list[str]
    plan: Plan
    carried_out: set[tuple[str, str]] = field(default_factory=set)
    removed: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    documents: Documents | None = None
    where: base.Environment = base.Environment("")
    plan_file: dict[str, str] = field(default_factory=dict)

    @property
    def strict(self) -> bool:
        """Whether AWS may not move any more: so it was asked for, or the plan is the one of a file."""
        return bool(self.plan_file) or self.params["strict"]

    def covers(self, layer: str, hosts: Collection[str]) -> bool:
        to_do = {(layer, host) for host in hosts}
        return layer in self.layers and set(hosts) <= set(self.hosts) and not to_do & self.carried_out


def plan(params: Mapping[str, Any], progress: Progress, hosts: Collection[str] = ()) -> PlannedRun:
    """Validate all declarations, read AWS once, make one plan. params['declared']: layer -> host -> declaration."""
    layers = list(params["declared"])
    hosts = sorted({*hosts, *(host for by_host in params["declared"].values() for host in by_host)})
    removing.check(params)
    setting = remote_state.of(params)
    from_memory = params["state"] == "absent" and setting is not None
    declarations = {} if from_memory else _parse(params)
    sessions = _sessions(params, progress)
    documents = None
    with heartbeat(progress, lambda: "reading what AWS has"):
        environment = _environment(params, sessions)
        resources = declared_resources(declarations, environment)
        guarded = _guarded(params, environment) if from_memory else set()
        remote_state.check_region(setting, environment.region, {resource.address for resource in resources})
        if setting is not None:
            wanted = LAYERS if from_memory or params.get("prune") else layers
            documents = _recorder(setting, params, sessions, progress).read(_hosts_of(wanted, resources))
            removing.check_place(params, environment, documents)
            removing.check_inventory(params, hosts, documents)
        staying, going = _staying_and_going(params, layers, hosts, resources, documents)
        for resource in going.resources:
            resource.protect = resource.protect or resource.address in guarded
        last_applied = documents.last_applied() if documents else {}
        made = _planner(params, sessions, last_applied).plan(staying, going)
    declared = {item.address: item for item in resources}
    for name, items in declarations.items():
        made.warnings += LAYERS[name].warn(items, declared)
        made.warnings += LAYERS[name].warn_of_what_is_there(declared, made.attributes)
    if documents is not None:
        odd = [*documents.warnings(), *removing.elsewhere(environment, documents)]
        if setting is not None and not from_memory:
            odd += kept_here.warnings(setting, documents, [item.address for item in resources])
        made.warnings += [Problem("", remote_state.VARIABLE, text) for text in odd]
    made.warnings += removing.nothing_recorded(params, documents)
    return PlannedRun(dict(params), layers, hosts, made, documents=documents, where=environment)


def _guarded(params: Mapping[str, Any], environment: base.Environment) -> set[Address]:
    """What is declared as protected, as far as the declarations of something that is to go can be read."""
    try:
        declared = declared_resources(_parse(params), environment)
    except PlanError:
        return set()
    return {resource.address for resource in declared if resource.protect}


def _staying_and_going(
    params: Mapping[str, Any],
    layers: Collection[str],
    hosts: Collection[str],
    resources: list[Resource],
    documents: Documents | None,
) -> tuple[list[Resource], Removal]:
    if params["state"] == "absent":
        if documents is None:
            return [], removing.to_destroy_declared(params, resources)
        return [], removing.to_destroy(params, layers, hosts, documents)
    return resources, NOTHING if documents is None else removing.to_prune(params, layers, resources, documents)


def validate(params: Mapping[str, Any]) -> list[Resource]:
    """Everything that can be checked without AWS; raises PlanError with all problems."""
    declarations = _parse(params)
    setting = remote_state.of(params)
    account = str(params.get("account_id") or "")
    tags = params.get("tags") or {}
    name, region = params.get("environment_name") or "", params.get("region") or ""
    environment = base.Environment(name, region, account, tags=tags)
    resources = declared_resources(declarations, environment)
    remote_state.check_region(setting, region, {resource.address for resource in resources})
    return resources


def carry_out(run: PlannedRun, layer: str, hosts: Collection[str], progress: Progress) -> dict[str, Any]:
    """Carry out a layer's part of a plan for these hosts, and say what was done."""
    outcome = _apply(run, [layer], run.plan.part(layer, hosts), hosts, progress)
    run.carried_out.update((layer, host) for host in hosts)
    return result_of_apply(run.plan, [layer], run.plan.part(layer, hosts), outcome)


def remove(run: PlannedRun, hosts: Collection[str], progress: Progress) -> dict[str, Any]:
    """Delete what a plan lists for deletion, in all of its layers; what keeps the state goes last.

    hosts: those that the run still has. What failed to change on another may still use what is to go.
    """
    lost, deletions = sorted(set(run.hosts) - set(hosts)), run.plan.deletions()
    if lost and deletions:
        raise ReconcileError(
            f"{', '.join(lost)} failed earlier in this run, so nothing was removed: the {len(deletions)} deletions of "
            "the plan wait for a run in which nothing fails"
        )
    outcome = Outcome()
    if run.plan.postponed and deletions:
        run.removed = True
        outcome.notes.append(_kept_for_now(run, len(deletions)))
        return result_of_apply(run.plan, run.layers, run.plan.absent, outcome)
    for layers in ([layer for layer in run.layers if layer != STATE_LAYER], [STATE_LAYER]):
        wanted = {address for address in run.plan.absent if run.plan.resources[address].layer in layers}
        if wanted and not outcome.failures:
            owners = {run.plan.resources[address].host for address in wanted}
            outcome.add(_apply(run, layers, wanted, owners, progress))
    run.removed = True
    return result_of_apply(run.plan, run.layers, run.plan.absent, outcome)


def _kept_for_now(run: PlannedRun, count: int) -> str:
    """What is to go may be what serves until that which was postponed takes its place."""
    waiting = ", ".join(sorted(map(str, run.plan.postponed)))
    return f"nothing was removed: {count} deletions wait for a run in which nothing is postponed, as {waiting} was"


def _apply(
    run: PlannedRun, layers: Sequence[str], wanted: Collection[Address], hosts: Collection[str], progress: Progress
) -> Outcome:
    """Carry out a part of a plan. What takes long is waited for in between, when no locks are held."""
    outcome = _apply_under_locks(run, layers, wanted, hosts, progress)
    if run.plan.awaited:
        sessions = _sessions(run.params, progress)
        planner = _planner(run.params, sessions, {})
        progress(f"waiting for {', '.join(map(str, sorted(run.plan.awaited)))}; no lock is held meanwhile")
        Executor(KINDS, sessions.aws, planner).wait(run.plan, outcome)
        try:
            outcome.add(_apply_under_locks(run, layers, wanted, hosts, progress))
        except ReconcileError as error:
            # What was done before the waiting is told all the same.
            recording.not_recorded(outcome, str(error), hosts)
    return outcome


def _apply_under_locks(
    run: PlannedRun, layers: Sequence[str], wanted: Collection[Address], hosts: Collection[str], progress: Progress
) -> Outcome:
    """Carry out a part of a plan; where the run remembers, under locks."""
    sessions = _sessions(run.params, progress)

    def executor(last_applied: Mapping[Address, Mapping[str, Any]]) -> Executor:
        planner = _planner(run.params, sessions, last_applied)
        return Executor(KINDS, sessions.aws, planner, run.params["parallelism"], progress)

    def apply(last_applied: Mapping[Address, Mapping[str, Any]]) -> Outcome:
        return executor(last_applied).apply(run.plan, wanted, run.strict)

    setting = remote_state.of(run.params)
    if setting is None or run.documents is None:
        return apply({})
    touched = executor({}).layers(run.plan, wanted)
    recorder = _recorder(setting, run.params, sessions, progress)
    return _remembered(recorder, run, layers, hosts, touched, apply)


def _remembered(
    recorder: Recorder,
    run: PlannedRun,
    layers: Sequence[str],
    hosts: Collection[str],
    touched: Sequence[str],
    apply: recording.Apply,
) -> Outcome:
    """Carry out under locks and remember it; where there is nothing to do, bring the documents up to date."""
    documents, outcome = run.documents or Documents(), Outcome()
    hosts_of = _hosts_of([*layers, *touched], run.plan.resources.values())
    if touched:
        outcome, message = recorder.apply(run.plan, touched, hosts_of, documents, apply)
        if message:
            own = {host for layer in layers for host in hosts_of[layer]}
            recording.not_recorded(outcome, message, sorted(set(hosts) & own) or sorted(hosts))
    for layer in layers:
        if layer not in touched and recorder.to_write(run.plan, layer, documents):
            message = recorder.record(run.plan, [layer], hosts_of, documents)
            outcome.notes += [message] if message else []
    return outcome


def offline_result(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the plan task returns where it only validates."""
    resources = validate(params)
    return {"changed": False, "offline": True, "resources": [str(resource.address) for resource in resources]}


def planned_result(planned: PlannedRun) -> dict[str, Any]:
    """A plan as the plan task returns it: nothing has changed yet."""
    result = {**result_of_plan(planned.plan, planned.layers), "changed": False}
    result["counts"] = counts(result)
    result["status"] = "changes" if result["changes"] else "unchanged"
    if planned.plan_file:
        result["plan_file"] = dict(planned.plan_file)
    return result


def run_remove(params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Plan what is to go and delete it, without a plan that was made before. params['declared']: as for `plan`."""
    made = plan({**params, "prune": params["state"] == "present"}, progress)
    if check_mode:
        return result_of_removal(made)
    return remove(made, made.hosts, progress)


def result_of_removal(run: PlannedRun) -> dict[str, Any]:
    """What `remove` would do."""
    return result_of_apply(run.plan, run.layers, run.plan.absent, Outcome(done=run.plan.deletions()))


def result_of_part(run: PlannedRun, layer: str, hosts: Collection[str]) -> dict[str, Any]:
    """What `carry_out` would do, apart from what it needs of other layers."""
    part = run.plan.part(layer, hosts)
    own = [change for change in run.plan.pending() if change in run.plan.shown() and change.resource.address in part]
    return result_of_apply(run.plan, [layer], part, Outcome(done=own))


def run_layer(layer: str, params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Plan one layer on its own and carry it out. params['declared']: host -> declaration."""
    declared = params["declared"] or {}
    made = plan({**params, "declared": {layer: declared}}, progress)
    if check_mode:
        return result_of_plan(made.plan, [layer])
    return carry_out(made, layer, list(declared), progress)


def declared_resources(
    declarations: Mapping[str, list[base.Declaration]], environment: base.Environment
) -> list[Resource]:
    """All resources that the declarations mean; raises PlanError with everything that is wrong with them."""
    problems: list[Problem] = []
    for name, items in declarations.items():
        problems.extend(LAYERS[name].validate(items, environment))
    if problems:
        raise PlanError(problems)
    resources = [
        _owned(resource, name, declaration.host)
        for name, items in declarations.items()
        for declaration in items
        for resource in LAYERS[name].resources(declaration, environment)
    ]
    by_address = {resource.address: resource for resource in resources}
    for name in declarations:
        LAYERS[name].connect(by_address)
    for name, items in declarations.items():
        problems.extend(LAYERS[name].check(items, by_address))
    if problems:
        raise PlanError(problems)
    return resources


def _owned(resource: Resource, layer: str, host: str) -> Resource:
    resource.layer, resource.host = layer, host
    return resource


def _parse(params: Mapping[str, Any]) -> dict[str, list[base.Declaration]]:
    problems: list[Problem] = []
    declarations: dict[str, list[base.Declaration]] = {}
    folder, folders = params.get("base_dir") or ".", params.get("base_dirs") or {}
    for name, by_host in params["declared"].items():
        declarations[name] = []
        for host, value in by_host.items():
            declaration, found = base.parse(LAYERS[name], host, value, folders.get(host, folder))
            problems.extend(found)
            if declaration is not None:
                declarations[name].append(declaration)
    if problems:
        raise PlanError(problems)
    return declarations


def connect(params: Mapping[str, Any], progress: Progress) -> tuple[Sessions, base.Environment]:
    """The way to AWS, and where it leads; stops when an account is not the expected one."""
    sessions = _sessions(params, progress)
    return sessions, _environment(params, sessions)


def parsed(params: Mapping[str, Any]) -> dict[str, list[base.Declaration]]:
    """The declarations of params['declared'], validated; raises PlanError with all problems."""
    return _parse(params)


def _sessions(params: Mapping[str, Any], progress: Progress) -> Sessions:
    return Sessions(params, params["environment_name"] or "", params.get("profiles"), progress)


def _environment(params: Mapping[str, Any], sessions: Sessions) -> base.Environment:
    """Where the plan is made; stops when an account is not the expected one."""
    if not params.get("environment_name"):
        raise PlanError(
            [Problem("", "dockyard_environment", "is not set; give the environment a name in group_vars/all")]
        )
    if unknown := [name for name in params.get("profiles") or {} if name not in LAYERS]:
        message = f"has {', '.join(map(repr, unknown))}, which is no layer. Layers: {', '.join(LAYERS)}"
        raise PlanError([Problem("", "aws_profiles", message)])
    expected = str(params.get("account_id") or "")
    # What goes by what is recorded may be of layers without declarations.
    recorded = params.get("state") == "absent" or params.get("prune")
    first, *others = [layer for layer, by_host in params["declared"].items() if by_host or recorded] or [""]
    account, region = _account(sessions.aws(first), expected), sessions.aws(first).region
    for layer in others:
        aws = sessions.aws(layer)
        if (where := (_account(aws, expected), aws.region)) != (account, region):
            message = (
                f"the layer {layer!r} would work in account {where[0]}, region {where[1]}, and the layer {first!r} "
                f"in account {account}, region {region}: an environment has one account and one region"
            )
            raise PlanError([Problem("", "aws_profiles", message)])
    return base.Environment(
        params["environment_name"],
        region,
        account,
        sessions.aws(first).partition,
        {str(key): str(value) for key, value in (params.get("tags") or {}).items()},
    )


def _account(aws: Aws, expected: str) -> str:
    """The account that a layer's credentials belong to; refused where it is not the expected one."""
    try:
        identity = aws.session.identity()
    except Exception as error:
        raise aws.explained(error, f"find out which AWS account the layer {aws.layer!r} works in") from error
    account = identity["Account"]
    if expected and account != expected:
        found = f"account {account} ({identity['Arn']})"
        message = f"is {expected}, but the credentials of the layer {aws.layer!r} belong to {found}"
        raise PlanError([Problem("", "aws_account_id", message)])
    return account


def _recorder(
    setting: remote_state.RemoteState, params: Mapping[str, Any], sessions: Sessions, progress: Progress
) -> Recorder:
    return Recorder(setting, sessions.aws(STATE_LAYER), params["environment_name"], progress)


def _hosts_of(layers: Iterable[str], resources: Iterable[Resource]) -> dict[str, list[str]]:
    """The hosts that declare something, by layer."""
    found: dict[str, set[str]] = {layer: set() for layer in layers}
    for resource in resources:
        if resource.layer in found:
            found[resource.layer].add(resource.host)
    return {layer: sorted(hosts) for layer, hosts in found.items()}


def _planner(
    params: Mapping[str, Any], sessions: Sessions, last_applied: Mapping[Address, Mapping[str, Any]]
) -> Planner:
    settings = Settings(
        params["environment_name"], params["ownership_tags"], params["adopt"], params["parallelism"], last_applied
    )
    return Planner(KINDS, sessions.reading(), settings)
