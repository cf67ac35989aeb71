# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module bootstrap inside the ansible-playbook process and shows its checks as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display

from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap import run as bootstrap
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.run import STATE_LAYER
from ansible_collections.dockyard.aws.plugins.plugin_utils import bootstrap_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import InProcessAction
from ansible_collections.dockyard.aws.plugins.plugin_utils.painting import paint

display = Display()


class ActionModule(InProcessAction):
    ARGUMENT_SPEC = bootstrap.ARGUMENT_SPEC

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        if "checks" in result:
            for line in bootstrap_view.lines(result, self.check_mode, paint):
                display.display(line)
        if result.get("failed"):
            # The message has them already.
            for name in ("checks", "moved", "next_steps"):
                result.pop(name, None)
        return result

    def layers(self, variables: Mapping[str, Any]) -> list[str]:
        return [STATE_LAYER]

    def _declared(
        self, params: dict[str, Any], variables: Mapping[str, Any], hostvars: Mapping[str, Any]
    ) -> dict[str, Any]:
        return super()._declared(params, variables, hostvars)[STATE_LAYER]

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        with self.interruptible(params):
            return bootstrap.run(params, self.check_mode, self.progress)
