# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions of tasks that are delegated to another machine."""

from __future__ import annotations

from ansible import constants

from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import InProcessAction


class Delegated(InProcessAction):
    """Says what the other machine gets, where a real one would send it there."""

    def _task_environment(self):
        return {}

    def _params(self, variables):
        return {"declared": {"image": {}}, "report": None}

    def _elsewhere(self):
        return True

    def _execute_module(self, module_args, task_vars):
        return {"args": module_args, "variables": task_vars, "invocation": {"module_args": module_args}}


def test_no_log_gets_the_arguments():
    """The ordinary module writes them to the system log, and -vvv shows them, with the secrets in declarations."""
    sent = object.__new__(Delegated)._answer({"aws_region": "us-east-1"})
    assert sent["args"] == {"declared": {"image": {}}}
    assert sent["variables"]["aws_region"] == "us-east-1"
    setting = constants.config.get_config_value("DEFAULT_NO_TARGET_SYSLOG", variables=sent["variables"])
    assert setting is True
    assert sent.keys() == {"args", "variables"}
