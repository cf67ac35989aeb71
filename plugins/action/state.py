# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module state inside the ansible-playbook process and shows what it found as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from ansible.utils.display import Display

from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import run as state_actions
from ansible_collections.dockyard.aws.plugins.plugin_utils import state_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import InProcessAction
from ansible_collections.dockyard.aws.plugins.plugin_utils.painting import paint

display = Display()

# They show what was declared, so what is vaulted in the declarations has to be known.
REVEALING = ("show", "diff", "restore")


class ActionModule(InProcessAction):
    ARGUMENT_SPEC = state_actions.ARGUMENT_SPEC

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        for line in [] if result.get("failed") else self._lines(result):
            display.display(line)
        return result

    def _lines(self, result: dict[str, Any]) -> Iterator[str]:
        return state_view.lines(result, self.check_mode, paint, fields=not self._task.diff)

    def layers(self, variables: Mapping[str, Any]) -> list[str]:
        return list(LAYERS) if self._task.args.get("action") in REVEALING else []

    def _params(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        params = super()._params(variables)
        params.pop("declared", None)
        return params

    def _validated(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        state_actions.check_action(arguments.get("action"))
        return super()._validated(arguments)

    def _declared(
        self, params: dict[str, Any], variables: Mapping[str, Any], hostvars: Mapping[str, Any]
    ) -> dict[str, Any]:
        """For the secrets alone: a lock is broken also where the inventory is."""
        return super()._declared(params, variables, hostvars) if self.layers(variables) else {}

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        changing = params["action"] in state_actions.CHANGING and not self.check_mode
        with self.interruptible(params) if changing else nullcontext():
            return state_actions.run(params, self.check_mode, self.progress)
