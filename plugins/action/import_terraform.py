# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module import_terraform inside the ansible-playbook process, and shows its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import import run as importing
from ansible_collections.dockyard.aws.plugins.plugin_utils import declarations
from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import InProcessAction, display


class ActionModule(InProcessAction):
    ARGUMENT_SPEC = importing.ARGUMENT_SPEC

    def _params(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """There is no inventory yet, so there is nothing to complete them from."""
        return self._validated(declarations.plain(self._task.args))

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        result = importing.run(params, self.check_mode, self.progress)
        dest = params["dest"]
        written = f"{len(result['files'])} files {'would be written' if self.check_mode else 'written'} to {dest}."
        following = f"Next: ansible-playbook playbooks/site.yml -i {dest}/hosts.yml --check --diff"
        for line in ["", *result["summary"], "", written, *([] if self.check_mode else [following]), ""]:
            display.display(line)
        return result
