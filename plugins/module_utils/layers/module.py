# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordinary modules of the layers: the same work as the action plugins, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.dockyard.aws.plugins.module_utils.layers import drift_report, drift_run, saved_plan
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap import run as bootstrap
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import run as state_actions
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError


def run_layer(layer: str) -> None:
    """Carry out one layer for the declarations given."""
    module = AnsibleAWSModule(argument_spec=running.RUN_ARGUMENT_SPEC, supports_check_mode=True)
    _answer(module, lambda: running.run_layer(layer, module.params, module.check_mode, module.debug))


def run_plan() -> None:
    """Plan all layers for the declarations given."""
    module = AnsibleAWSModule(argument_spec=running.PLAN_ARGUMENT_SPEC, supports_check_mode=True)
    _answer(module, lambda: saved_plan.run_plan(module.params, module.check_mode, module.debug))


def run_remove() -> None:
    """Delete what is recorded and declared no more, or all that is declared."""
    module = AnsibleAWSModule(argument_spec=running.REMOVE_ARGUMENT_SPEC, supports_check_mode=True)
    _answer(module, lambda: running.run_remove(module.params, module.check_mode, module.debug))


def run_state() -> None:
    """Look after the state of the environment given."""
    module = AnsibleAWSModule(argument_spec=state_actions.ARGUMENT_SPEC, supports_check_mode=True)
    _exit(module, lambda: state_actions.run(module.params, module.check_mode, module.debug))


def run_drift() -> None:
    """Look for drift, and write what was found, or what hindered it, into the files that are asked for."""
    module = AnsibleAWSModule(argument_spec=drift_run.ARGUMENT_SPEC, supports_check_mode=True)
    error = ""
    try:
        result = drift_run.run(module.params, module.debug)
    except ReconcileError as hindrance:
        error = str(hindrance)
        result = drift_report.failed(error)
    try:
        drift_report.write(result, module.params["report"], module.params["junit"])
    except drift_report.ReportError as hindrance:
        error = str(hindrance)
    if error:
        module.fail_json(msg=error, status="error")
    module.exit_json(**result)


def run_bootstrap() -> None:
    """Check what runs need, for the declarations given."""
    module = AnsibleAWSModule(argument_spec=bootstrap.ARGUMENT_SPEC, supports_check_mode=True)
    _exit(module, lambda: bootstrap.run(module.params, module.check_mode, module.debug))


def _answer(module: AnsibleAWSModule, work: Callable[[], dict[str, Any]]) -> None:
    if module.params["declared"] is None:
        module.fail_json(msg="declared is required where the module runs outside ansible-playbook's own process")
    _exit(module, work)


def _exit(module: AnsibleAWSModule, work: Callable[[], dict[str, Any]]) -> None:
    try:
        result = work()
    except ReconcileError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)
