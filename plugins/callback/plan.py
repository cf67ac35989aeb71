# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows plans and what became of them, beside whatever stdout callback is in use."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan
type: notification
short_description: Shows the plan of an environment as people read it
version_added: 0.1.0
description:
  - Shows the plan that M(dockyard.aws.plan) makes, grouped by layer and host, with fields before and after.
  - Shows what M(dockyard.aws.drift) finds, in the same form.
  - After a run it shows what was done. It works beside any stdout callback.
  - Colours follow ansible-core's own settings, among them C(NO_COLOR) and a missing terminal.
requirements:
  - enable in configuration (C(callbacks_enabled = dockyard.aws.plan))
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""

from typing import Any

from ansible.plugins.callback import CallbackBase

from ansible_collections.dockyard.aws.plugins.plugin_utils import drift_view, plan_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.painting import paint

PREFIX = "dockyard.aws."


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "dockyard.aws.plan"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._planned = False
        self._done: list[Any] = []
        self._failed = 0
        self._carried_out = False

    def v2_runner_on_ok(self, result: Any) -> None:
        action, answer = result._task.resolved_action or result._task.action, result._result
        if action == f"{PREFIX}drift":
            self._show(drift_view.drift_lines(answer, paint))
        if not str(action).startswith(PREFIX) or "changes" not in answer:
            return
        if action == f"{PREFIX}plan":
            self._planned = True
            self._show(plan_view.plan_lines(answer, paint))
        elif result._task.check_mode:
            if not self._planned:
                self._show(plan_view.plan_lines(answer, paint))
        else:
            self._carried_out = True
            self._done += answer["changes"]
            self._failed += len(answer["failures"])
            self._show(plan_view.done_lines(answer, paint))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._carried_out:
            self._show(["", plan_view.done_line(self._done, self._failed)])

    def _show(self, lines: Any) -> None:
        for line in lines:
            self._display.display(line)
