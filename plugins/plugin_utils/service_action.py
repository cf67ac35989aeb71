# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the actions of the pipeline: one service, or a few, of the hosts of the play."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible.utils.display import Display

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import services
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import InProcessAction
from ansible_collections.dockyard.aws.plugins.plugin_utils.painting import paint

display = Display()


class ServiceAction(InProcessAction):
    """Runs in the ansible-playbook process, and shows what came of it. ABOUT: the key of its results."""

    ABOUT = "services"

    def layers(self, variables: Mapping[str, Any]) -> list[str]:
        return ["ecs"]

    def lines(self, result: Mapping[str, Any]) -> Iterator[str]:
        raise LookupError(f"{type(self).__name__} shows nothing")

    def work(self, params: dict[str, Any]) -> dict[str, Any]:
        raise LookupError(f"{type(self).__name__} does nothing")

    def _answer(self, variables: dict[str, Any]) -> dict[str, Any]:
        """The report is written in any case, without what is vaulted."""
        try:
            if not self._elsewhere():
                services.check_report(self._task.args.get("report"))
        except ReconcileError as error:
            return {"failed": True, "msg": str(error)}
        result = super()._answer(variables)
        if not self._elsewhere():
            shown = services.failed(result["msg"], self.ABOUT) if set(result) == {"failed", "msg"} else result
            try:
                services.write_report(self._task.args.get("report"), remove_values(shown, self._secrets))
            except ReconcileError as error:
                return {"failed": True, "msg": "\n".join(filter(None, [result.get("msg"), str(error)]))}
        return result

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        with self.interruptible(params):
            result = self.work(params)
        if not result.get("failed"):
            for line in self.lines(remove_values(result, self._secrets)):
                display.display(line)
        return result

    def progress(self, line: str) -> None:
        """What services and tasks say may hold what is vaulted."""
        super().progress(remove_values(line, self._secrets))

    @staticmethod
    def paint(text: str, colour: str) -> str:
        return paint(text, colour)
