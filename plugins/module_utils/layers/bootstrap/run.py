# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module bootstrap does: look whether everything is there that runs need, and say what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.module_utils.common.yaml import yaml_dump

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws, Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.layers import base, remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap import access, identity, versions
from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap.checks import (
    FAILED,
    Check,
    failed,
    note,
    ok,
    skipped,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.layers.remote_state import VARIABLE, RemoteState
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import migrating
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.run import STATE_LAYER
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError

Progress = Callable[[str], None]

ARGUMENT_SPEC: dict[str, Any] = {
    "stage": {"type": "str", "choices": ["before", "after"], "default": "before"},
    "declared": {"type": "dict"},
    "environment_name": {"type": "str"},
    "account_id": {"type": "str"},
    "profiles": {"type": "dict"},
    "remote_state": remote_state.ARGUMENT_SPEC,
    "base_dir": {"type": "path"},
    "base_dirs": {"type": "dict"},
}


def run(params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """The result of the module: the checks, and what to do next. Raises nothing for what a check can say."""
    setting, found = _settings(params)
    stage: list[Check] = list(versions.check()) if params["stage"] == "before" else []
    aws, reached = _connection(params, progress)
    found = stage + [*found, *(check for check in reached if stage or check.status == FAILED)]
    moved: list[str] = []
    if aws is not None and not any(check.status == FAILED for check in found):
        found += list(_one_region(setting, _declared(params), aws.region))
        there = aws.at(setting.backend.region if setting else None)
        found += _state(there, setting, _declared(params))
        if params["stage"] == "after" and setting is not None:
            checks, moved = _after(there, setting, params, check_mode, progress)
            found += checks
    else:
        found.append(skipped("state", "not looked at, because of what failed above"))
    wrong = [check for check in found if check.status == FAILED]
    result = {
        "changed": bool(moved),
        "stage": params["stage"],
        "environment": params.get("environment_name") or "",
        "checks": [check.as_result() for check in found],
        "moved": moved,
        "next_steps": [] if wrong else _next(params, setting, check_mode),
    }
    if wrong:
        lines = "\n".join(f"  - {check.name}: {check.said.rstrip('.')}. To do: {check.todo}" for check in wrong)
        result |= {"failed": True, "msg": f"{len(wrong)} of {len(found)} checks failed:\n{lines}"}
    return result


def _settings(params: Mapping[str, Any]) -> tuple[RemoteState | None, list[Check]]:
    """The environment's name, dockyard_remote_state, and whether it agrees with what is declared."""
    found = []
    if not params.get("environment_name"):
        found.append(failed("dockyard_environment", "is not set", "give the environment a name in group_vars/all.yml"))
    try:
        setting = remote_state.of(params)
    except PlanError as error:
        messages = "; ".join(problem.message for problem in error.problems)
        return None, [*found, failed(VARIABLE, messages, "correct it in group_vars/all.yml")]
    problems = [problem for host, value in _raw(params) for problem in base.parse(LAYERS[STATE_LAYER], host, value)[1]]
    found += [failed("state_bucket", str(problem), f"correct it in host_vars/{problem.host}") for problem in problems]
    if problems:
        return setting, found
    return setting, found + list(_agreement(setting, _declared(params)))


def _raw(params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (params.get("declared") or {}).items()


def _declared(params: Mapping[str, Any]) -> dict[str, set[str]]:
    """The names of the buckets and tables that hosts declare."""
    names: dict[str, set[str]] = {"bucket": set(), "lock_table": set()}
    for host, value in _raw(params):
        declaration, _problems = base.parse(LAYERS[STATE_LAYER], host, value)
        for option, known in names.items():
            if declaration is not None and declaration.options[option] is not None:
                known.add(declaration.options[option]["name"])
    return names


def _agreement(setting: RemoteState | None, declared: Mapping[str, set[str]]) -> Iterator[Check]:
    if setting is None:
        if declared["bucket"]:
            yield note(VARIABLE, "is not set: runs remember nothing", _how_to_set(declared))
        else:
            todo = "declare a bucket in state_bucket of one host, and name it in dockyard_remote_state"
            yield failed(VARIABLE, "is not set, and no host declares a state_bucket", todo)
        return
    wanted = {"bucket": setting.backend.bucket, "lock_table": setting.backend.table}
    differing = [
        f"{option} is {name!r}, and state_bucket declares {', '.join(sorted(declared[option]))}"
        for option, name in wanted.items()
        if name and declared[option] and name not in declared[option]
    ]
    if differing:
        yield failed(VARIABLE, "; ".join(differing), "make both equal")
    elif declared["bucket"]:
        yield ok(VARIABLE, "agrees with what state_bucket declares")
    else:
        yield ok(VARIABLE, f"names {setting.backend.bucket}, which no host declares: it is kept by somebody else")


def _one_region(setting: RemoteState | None, declared: Mapping[str, set[str]], region: str) -> Iterator[Check]:
    if setting and declared["bucket"] and (wrong := remote_state.made_elsewhere(setting, region)):
        yield failed(VARIABLE, wrong, "correct it in group_vars/all.yml")


def _connection(params: Mapping[str, Any], progress: Progress) -> tuple[Aws | None, list[Check]]:
    try:
        sessions = Sessions(params, params.get("environment_name") or "", params.get("profiles"), progress)
        aws = sessions.aws(STATE_LAYER)
        return aws, list(identity.check(aws, str(params.get("account_id") or "")))
    except ReconcileError as error:
        return None, [failed("credentials", str(error), identity.LOG_IN)]


def _state(aws: Aws, setting: RemoteState | None, declared: Mapping[str, set[str]]) -> list[Check]:
    """Bucket and table, and what may be done with them."""
    names = {
        "bucket": setting.backend.bucket if setting else min(declared["bucket"], default=None),
        "lock_table": setting.backend.table if setting else min(declared["lock_table"], default=None),
    }
    found: list[Check] = []
    key = setting.paths.memory(STATE_LAYER) if setting else STATE_LAYER
    if bucket := names["bucket"]:
        owner, encryption = (setting.backend.owner, setting.backend.encryption) if setting else (None, {})
        there, checks = access.bucket(aws, bucket, bucket in declared["bucket"], owner)
        found += checks + ([access.bucket_access(aws, bucket, key, encryption)] if there else [])
    if table := names["lock_table"]:
        there, checks = access.table(aws, table, table in declared["lock_table"])
        found += checks + ([access.table_access(aws, table, f"{bucket}/{key}")] if there else [])
    return found


def _after(
    aws: Aws, setting: RemoteState, params: Mapping[str, Any], check_mode: bool, progress: Progress
) -> tuple[list[Check], list[str]]:
    """How the bucket is set up, and documents that lie in the folder still."""
    backend = setting.backend
    there, _checks = access.bucket(aws, backend.bucket, declared=False, owner=backend.owner)
    if not there:
        return [], []
    found = list(access.set_up(aws, setting.backend.bucket))
    if not setting.folder.is_dir() or any(check.status == FAILED for check in found):
        return found, []
    paths = {"prefix": setting.paths.prefix, "file_name": setting.paths.file_name}
    options = {
        "migrate_from": {"folder": str(setting.folder), **paths},
        "migrate_to": None,
        "migrate_force": False,
        "migrate_delete_source": True,
    }
    try:
        answer = migrating.migrate(
            setting,
            params["environment_name"],
            lambda profile: aws,
            {**params, **options},
            check_mode,
            progress,
        )
    except ReconcileError as error:
        todo = "look at both with state.yml, then state_action=migrate"
        return [*found, failed("documents kept locally", str(error), todo)], []
    return found, [*answer["copied"], *answer["deleted"]] if answer["changed"] else []


def _how_to_set(declared: Mapping[str, set[str]]) -> str:
    names = {"bucket": min(declared["bucket"]), "lock_table": min(declared["lock_table"], default=None)}
    given = {option: name for option, name in names.items() if name}
    text = yaml_dump({VARIABLE: given}, default_flow_style=True, sort_keys=False).strip()
    return f"put into group_vars/all.yml: {text.removeprefix('{').removesuffix('}')}"


def _next(params: Mapping[str, Any], setting: RemoteState | None, check_mode: bool) -> list[str]:
    if params["stage"] == "before":
        return []
    first = ["run this again without --check"] if check_mode else []
    if setting is None:
        first += [f"set {VARIABLE}, as said above"]
    return [
        *first,
        "ansible-playbook dockyard.aws.site -i <inventory> --check --diff    shows the plan",
        "ansible-playbook dockyard.aws.site -i <inventory>                   carries it out",
        "ansible-playbook dockyard.aws.state -i <inventory>                  lists what is remembered",
    ]
