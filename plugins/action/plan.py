# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module plan inside the ansible-playbook process and keeps the plan for the layers that follow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers import saved_plan
from ansible_collections.dockyard.aws.plugins.plugin_utils import plan_store
from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import EnvironmentAction


class ActionModule(EnvironmentAction):
    ARGUMENT_SPEC = running.PLAN_ARGUMENT_SPEC

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        if params["offline"]:
            return saved_plan.offline(params)
        planned = saved_plan.plan(params, self.check_mode, self.progress, self.hosts(variables), self._secrets)
        planned.environment, planned.secrets = self._task_environment(), self._secrets
        plan_store.save(planned)
        return running.planned_result(planned)

    def _answer(self, variables: dict[str, Any]) -> dict[str, Any]:
        self._plan_file = self._named(variables)
        try:
            return super()._answer(variables)
        except Exception as error:
            self._failed(str(error), [str(error)])
            raise

    def _named(self, variables: Mapping[str, Any]) -> str | None:
        """Where a plan is to be saved, also where something else is wrong with the task."""
        named = self._task.args.get("plan_file", variables.get("plan_file"))
        writes = named is not None and self.check_mode and not self._elsewhere() and not self._task.args.get("offline")
        return os.path.expanduser(os.path.expandvars(self._templar.template(named))) if writes else None

    def _failed(self, message: str, problems: list[str]) -> dict[str, Any]:
        """Where the plan was to be saved, it is saved that there is none."""
        hindered = saved_plan.write_error(self._plan_file, problems, self._secrets) if self._plan_file else ""
        return super()._failed(message if hindered in message else f"{message}\n{hindered}", problems)
