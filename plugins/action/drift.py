# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module drift inside the ansible-playbook process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible import constants
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.dockyard.aws.plugins.module_utils.layers import drift_report, drift_run
from ansible_collections.dockyard.aws.plugins.plugin_utils import drift_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import (
    VIEW,
    EnvironmentAction,
    InProcessAction,
    display,
)
from ansible_collections.dockyard.aws.plugins.plugin_utils.painting import paint


class ActionModule(EnvironmentAction):
    ARGUMENT_SPEC = drift_run.ARGUMENT_SPEC

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        result = drift_run.run(params, self.progress, self._notes)
        if VIEW not in constants.CALLBACKS_ENABLED:
            # What was found is the point, so it is shown without the callback too.
            for line in drift_view.drift_lines(remove_values(result, self._secrets), paint):
                display.display(line)
        return result

    def _arguments(self, variables: Mapping[str, Any], hostvars: Mapping[str, Any]) -> dict[str, Any]:
        """Of a limited play only its hosts are looked at. An unlimited one also means those that left the inventory."""
        self._notes: list[str] = []
        arguments = super()._arguments(variables, hostvars)
        whole = arguments.pop("whole_inventory", True)
        limits = {"layers": self.layers(variables), **({} if whole else {"hosts": self.hosts(variables)})}
        return {**limits, **arguments}

    def _declared(
        self, params: Mapping[str, Any], variables: Mapping[str, Any], hostvars: Mapping[str, Any]
    ) -> dict[str, Any]:
        found, self._notes = drift_run.collected(lambda: InProcessAction._declared(self, params, variables, hostvars))
        return found

    def _refuse_beside_saved_plan(self, variables: Mapping[str, Any]) -> None:
        """A look changes nothing."""

    def _answer(self, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            result = super()._answer(variables)
        except Exception as error:
            self._report({}, f"{type(error).__name__}: {error}")
            raise
        if self._elsewhere():
            return result
        return self._report(result, result["msg"] if result.get("failed") else "")

    def _report(self, result: dict[str, Any], error: str) -> dict[str, Any]:
        """Write the files that are asked for, without what is vaulted; an error that hinders it is the result."""
        shown = remove_values(drift_report.failed(error) if error else result, self._secrets)
        try:
            drift_report.write(shown, self._task.args.get("report"), self._task.args.get("junit"))
        except drift_report.ReportError as hindrance:
            return {"failed": True, "status": "error", "msg": str(hindrance)}
        return {"failed": True, "status": "error", "msg": error} if error else result
