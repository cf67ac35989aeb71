# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declared services that a run is about."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.layers import ecs_services, remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address

LAYER = "ecs"
ARGUMENT_SPEC: dict[str, Any] = {
    "declared": {"type": "dict"},
    "environment_name": {"type": "str"},
    "account_id": {"type": "str"},
    "profiles": {"type": "dict"},
    "tags": {"type": "dict"},
    "adopt": {"type": "bool", "default": True},
    "ownership_tags": {"type": "bool", "default": True},
    "parallelism": {"type": "int", "default": 16},
    "remote_state": remote_state.ARGUMENT_SPEC,
    "base_dir": {"type": "path"},
    "base_dirs": {"type": "dict"},
    "service": {"type": "str"},
    "report": {"type": "path"},
}


@dataclass(frozen=True)
class Service:
    """A declared service with the declaration of its family, where that is on the same host."""

    host: str
    options: Mapping[str, Any]
    task: Mapping[str, Any] | None

    @property
    def cluster(self) -> str:
        return str(self.options["cluster"])

    @property
    def short_name(self) -> str:
        return str(self.options["name"])

    @property
    def name(self) -> str:
        """`<cluster>/<service>`, as plans show it."""
        return f"{self.cluster}/{self.short_name}"

    @property
    def family(self) -> str:
        """The family that it follows; empty where it names one revision."""
        return ecs_services.family(self.options)

    @property
    def address(self) -> Address:
        return Address("ecs_service", self.name)

    @property
    def task_address(self) -> Address:
        return Address("ecs_task_definition", self.family)


def of(declarations: Iterable[Declaration], wanted: str | None = None) -> list[Service]:
    """The services of all declarations, or those that have this name."""
    items = list(declarations)
    tasks = {task["family"]: task for item in items for task in item.options["task_definitions"] or ()}
    found = [
        Service(item.host, options, tasks.get(ecs_services.family(options)))
        for item in items
        for options in item.options["services"] or ()
    ]
    if not found:
        raise ReconcileError(
            "no host of this play declares a service (ecs.services): name the host of one with --limit"
        )
    named = [item for item in found if wanted in (None, "", item.short_name, item.name)]
    if not named:
        listed = ", ".join(sorted(item.name for item in found))
        raise ReconcileError(f"service: got {wanted!r}, the hosts of this play declare: {listed}")
    return named


def one(found: list[Service], doing: str, variable: str) -> Service:
    """The only one; where there are several, it has to be said which is meant. variable: of the playbook."""
    if len(found) > 1:
        listed = "\n".join(f"  - {item.name}, on the host {item.host}" for item in found)
        raise ReconcileError(
            f"{doing} is for one service: name its host with --limit, or the service with -e {variable}=<name>. "
            f"There are:\n{listed}"
        )
    return found[0]


@contextmanager
def explained(aws: Aws, doing: str) -> Iterator[None]:
    """What AWS answers, in words that say what to do."""
    try:
        yield
    except Exception as error:
        raise aws.explained(error, doing) from error


def failed(message: str, about: str = "services") -> dict[str, Any]:
    """The result of what did not get as far as to do something."""
    return {"changed": False, "failed": True, "msg": message, about: [], "failures": {}}


def check_seconds(params: Mapping[str, Any], *options: str) -> None:
    """How long something may take."""
    for option in options:
        if params.get(option) is not None and params[option] < 1:
            raise ReconcileError(f"{option}: got {params[option]}, it is a number of seconds, at least 1")


def check_report(path: str | None) -> None:
    """Whether the result can be written there, before anything is done."""
    if not path:
        return
    file = Path(path).expanduser().absolute()
    if not file.parent.is_dir():
        raise ReconcileError(f"cannot write {path}: there is no folder {file.parent}. Name a file in one that exists")
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise ReconcileError(f"cannot write {path}: it is a folder, or may not be written. Name another file")


def refuse_report(module: Any, path: str | None) -> None:
    """The same for a module that runs in a process of its own."""
    try:
        check_report(path)
    except ReconcileError as error:
        module.fail_json(msg=str(error))


def write_report(path: str | None, result: Mapping[str, Any]) -> None:
    """The result as JSON in a file, where one is asked for."""
    if not path:
        return
    shown = json.dumps(result, indent=2, ensure_ascii=False, default=str) + "\n"
    try:
        Path(path).expanduser().write_text(shown, encoding="utf-8")
    except OSError as error:
        raise ReconcileError(f"cannot write {path}: {error.strerror}. Name a file in a folder that exists") from error
