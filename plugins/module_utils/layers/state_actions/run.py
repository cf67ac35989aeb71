# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module state does: one action on the state of an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws, Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.layers import remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import (
    forgetting,
    looking,
    mending,
    migrating,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.homes import State
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import FOLDERS

Progress = Callable[[str], None]

# Whose credentials reach the state.
STATE_LAYER = "state_bucket"
LOOKING = {
    "list": looking.list_documents,
    "show": looking.show,
    "history": looking.history,
    "diff": looking.diff,
    "locks": looking.locks,
}
CHANGING = ("restore", "forget", "unlock", "migrate")
ARGUMENT_SPEC: dict[str, Any] = {
    "action": {"type": "str", "choices": [*LOOKING, *CHANGING], "default": "list"},
    "layer": {"type": "str", "choices": list(FOLDERS)},
    "host": {"type": "str"},
    "key": {"type": "str", "no_log": False},
    "version": {"type": "str"},
    "versions": {"type": "list", "elements": "str"},
    "force": {"type": "bool", "default": False},
    "limit": {"type": "int", "default": 20},
    "addresses": {"type": "list", "elements": "str"},
    "lock_id": {"type": "str"},
    "migrate_from": migrating.SIDE_SPEC,
    "migrate_to": migrating.SIDE_SPEC,
    "migrate_force": {"type": "bool", "default": False},
    "migrate_delete_source": {"type": "bool", "default": False},
    "environment_name": {"type": "str"},
    "account_id": {"type": "str"},
    "profiles": {"type": "dict"},
    "remote_state": remote_state.ARGUMENT_SPEC,
    "base_dir": {"type": "path"},
    "base_dirs": {"type": "dict"},
}


def check_action(action: Any) -> None:
    """People know the module's option as the variable of the playbook."""
    allowed = ARGUMENT_SPEC["action"]["choices"]
    if action is not None and action not in allowed:
        raise PlanError([Problem("", "state_action", f"is {action!r}; it is one of {', '.join(allowed)}")])


def run(params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """The result of the module. Nothing of it is secret."""
    action = params["action"]
    problems = _problems(params)
    if problems:
        raise PlanError(problems)
    setting = remote_state.of(params)
    if setting is None:
        message = "is not set: name the bucket of the state in group_vars/all, see docs/state.md"
        raise PlanError([Problem("", remote_state.VARIABLE, message)])
    connect = _Connection(params, progress)
    if action == "migrate":
        answer = migrating.migrate(setting, params["environment_name"], connect, params, check_mode, progress)
    else:
        state = State.of(setting, connect(None), params["environment_name"])
        if action == "restore":
            answer = mending.restore(state, params, check_mode, progress)
        elif action == "forget":
            answer = forgetting.forget(state, params, check_mode, progress)
        elif action == "unlock":
            answer = mending.unlock(state, params, check_mode)
        else:
            answer = LOOKING[action](state, params)
    return {"changed": False, **answer, "state_action": action, "environment": params["environment_name"]}


class _Connection:
    """The ways to AWS: with the credentials of the layer state_bucket, or with another profile."""

    def __init__(self, params: Mapping[str, Any], progress: Progress) -> None:
        self._params = params
        self._progress = progress

    def __call__(self, profile: str | None) -> Aws:
        profiles = {STATE_LAYER: profile} if profile else self._params.get("profiles")
        sessions = Sessions(self._params, self._params["environment_name"], profiles, self._progress)
        aws = sessions.aws(STATE_LAYER)
        if not profile:
            self._check_account(aws)
        return aws

    def _check_account(self, aws: Aws) -> None:
        expected = str(self._params.get("account_id") or "")
        if not expected:
            return
        try:
            identity = aws.session.identity()
        except Exception as error:
            raise aws.explained(error, "find out which AWS account the state is in") from error
        if identity["Account"] != expected:
            found = f"account {identity['Account']} ({identity['Arn']})"
            message = f"is {expected}, but the credentials of the layer {aws.layer!r} belong to {found}"
            raise PlanError([Problem("", "aws_account_id", message)])


def _problems(params: Mapping[str, Any]) -> list[Problem]:
    problems = []
    if not params.get("environment_name"):
        problems.append(
            Problem("", "dockyard_environment", "is not set; give the environment a name in group_vars/all")
        )
    if params["limit"] < 1:
        problems.append(Problem("", "state_limit", f"is {params['limit']}; it is a number of versions, 1 or more"))
    return problems
