# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module remove inside the ansible-playbook process: deletes what the plan of this run lists for deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.plugin_utils import declarations, plan_store
from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import EnvironmentAction


class ActionModule(EnvironmentAction):
    ARGUMENT_SPEC = running.REMOVE_ARGUMENT_SPEC

    def _params(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        planned = None if self._elsewhere() else plan_store.load()
        if planned is not None and self._is_for_us(planned):
            self._secrets.update(planned.secrets)
            return {**planned.params, "planned": planned}
        return super()._params(variables)

    def _is_for_us(self, planned: running.PlannedRun) -> bool:
        """Made with the credentials and options that this task asks for: nothing else of it may go."""
        if planned.removed or planned.environment != self._task_environment():
            return False
        names = self._spec().keys() & planned.params.keys() - {"declared"}
        before = self._for_module({name: planned.params[name] for name in names})
        now = self._validated({**before, **declarations.plain(self._task.args)})
        return "declared" not in self._task.args and all(now.get(name) == planned.params[name] for name in names)

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        planned = params.pop("planned", None)
        with self.interruptible(params):
            if planned is None:
                return running.run_remove(params, self.check_mode, self.progress)
            if self.check_mode:
                return running.result_of_removal(planned)
            try:
                return running.remove(planned, self.hosts(variables), self.progress)
            finally:
                plan_store.save(planned)
