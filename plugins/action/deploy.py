# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module deploy inside the ansible-playbook process and shows what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import run
from ansible_collections.dockyard.aws.plugins.plugin_utils import deploy_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.service_action import ServiceAction


class ActionModule(ServiceAction):
    ARGUMENT_SPEC = run.ARGUMENT_SPEC

    def work(self, params: dict[str, Any]) -> dict[str, Any]:
        return run.run(params, self.check_mode, self.progress)

    def lines(self, result: Mapping[str, Any]) -> Iterator[str]:
        return deploy_view.deploy_lines(result, self.check_mode, self.paint)
