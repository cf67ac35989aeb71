# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordinary modules of the pipeline: the same work as the action plugins, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import run, running_task, scaling, services, status
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError


def deploy() -> None:
    """Deploy, or go back."""
    module = AnsibleAWSModule(argument_spec=run.ARGUMENT_SPEC, supports_check_mode=True)
    _exit(module, lambda: run.run(module.params, module.check_mode, module.debug))


def run_task() -> None:
    """Run a one-off task."""
    module = AnsibleAWSModule(argument_spec=running_task.ARGUMENT_SPEC, supports_check_mode=True)
    _exit(module, lambda: running_task.run(module.params, module.check_mode, module.debug))


def service_status() -> None:
    """Look at services."""
    module = AnsibleAWSModule(argument_spec=status.ARGUMENT_SPEC, supports_check_mode=True)
    _exit(module, lambda: status.run(module.params, module.debug))


def scale() -> None:
    """Set a desired count."""
    module = AnsibleAWSModule(argument_spec=scaling.ARGUMENT_SPEC, supports_check_mode=True)
    _exit(module, lambda: scaling.run(module.params, module.check_mode, module.debug))


def _exit(module: AnsibleAWSModule, work: Callable[[], dict[str, Any]]) -> None:
    if module.params["declared"] is None:
        module.fail_json(msg="declared is required where the module runs outside ansible-playbook's own process")
    path = module.params["report"]
    services.refuse_report(module, path)
    try:
        result = work()
        services.write_report(path, result)
    except ReconcileError as error:
        services.write_report(path, services.failed(str(error)))
        module.fail_json(msg=str(error))
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
