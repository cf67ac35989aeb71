# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module deploy: all services of a run, first everything that can be known, then everything that is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import services
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.deploying import UNCHANGED, Deploy
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.ledger import Ledger
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem

Progress = Callable[[str], None]
ARGUMENT_SPEC: dict[str, Any] = {
    **services.ARGUMENT_SPEC,
    "image_tag": {"type": "str"},
    "images": {"type": "dict"},
    "built": {"type": "list", "elements": "dict"},
    "revision": {"type": "str"},
    "all_services": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "timeout": {"type": "int"},
    "unhealthy_timeout": {"type": "int"},
}


def run(params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Deploy, or go back to a revision. Where a service fails, `failures` has its host with the reasons."""
    _check(params)
    planned = running.plan({**params, "state": "present", "strict": False}, progress)
    declared = running.parsed(planned.params)[services.LAYER]
    found = services.of(declared, params.get("service"))
    if not params["all_services"]:
        found = [services.one(found, "deploy", "deploy_service")]
    sessions, _environment = running.connect(planned.params, progress)
    ledger = Ledger(planned, sessions)
    deploys = [Deploy(sessions, planned, ledger, service, params) for service in found]
    _prepare(deploys)
    failures: dict[str, str] = {}
    todo = [item for item in deploys if item.changes]
    if not check_mode:
        failures = _carry_out(todo)
    result = {
        "changed": bool(todo),
        "services": [asdict(item.report) for item in deploys],
        "failures": failures,
        "notes": ledger.notes,
    }
    return result


def _check(params: Mapping[str, Any]) -> None:
    for option, otherwise in (
        ("image_tag", "the declared tags are resolved again"),
        ("revision", "it is the last one"),
    ):
        if params.get(option) is not None and not params[option].strip():
            raise ReconcileError(
                f"{option} is empty: the variable that should hold it is not set. Set it, or leave it out: then "
                f"{otherwise}"
            )
    if params.get("revision") and (params.get("image_tag") or params.get("images")):
        raise ReconcileError("revision goes back to what was deployed before, so it takes no image_tag and no images")
    if params.get("built") and (params.get("revision") or params.get("image_tag")):
        raise ReconcileError("built says which images are deployed, so image_tag and revision cannot be given too")
    services.check_seconds(params, "timeout", "unhealthy_timeout")


def _prepare(deploys: list[Deploy]) -> None:
    """All of them, with all that is wrong; nothing is changed before nothing is."""

    def prepared(item: Deploy) -> Problem | None:
        try:
            item.prepare()
        except Exception as error:
            doing = f"find out what to deploy to {item.report.service}"
            return Problem(item.report.host, "", str(errors.explained(error, doing, services.LAYER)))
        return None

    problems = [problem for problem in each(prepared, deploys) if problem is not None]
    if problems:
        raise PlanError(problems)


def _carry_out(deploys: list[Deploy]) -> dict[str, str]:
    """Each on its own: what fails in one leaves the others to their work."""

    def carried_out(item: Deploy) -> str:
        try:
            item.carry_out()
        except ReconcileError as error:
            item.report.error = str(error)
        return item.report.error

    failures: dict[str, str] = {}
    for item, message in zip(deploys, each(carried_out, deploys), strict=True):
        if message:
            before = failures.get(item.report.host)
            failures[item.report.host] = f"{before}\n{message}" if before else message
    return failures


def unchanged(result: Mapping[str, Any]) -> list[str]:
    """The services for which there was nothing to do."""
    return [item["service"] for item in result["services"] if item["status"] == UNCHANGED]
