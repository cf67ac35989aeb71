# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the result is written as JSON: what cannot be written is refused before anything is done."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import services
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import InProcessAction
from ansible_collections.dockyard.aws.plugins.plugin_utils.service_action import ServiceAction


def test_a_report_that_cannot_be_written_is_refused(tmp_path):
    services.check_report(None)
    services.check_report(str(tmp_path / "deploy.json"))
    assert list(tmp_path.iterdir()) == []
    for path, why in ((tmp_path / "none" / "deploy.json", "there is no folder"), (tmp_path, "it is a folder")):
        with pytest.raises(ReconcileError, match=why):
            services.check_report(str(path))


@pytest.mark.parametrize(("delegated", "looked_at"), [(None, True), ("bastion", False)])
def test_the_actions_look_where_the_report_is_written(tmp_path, monkeypatch, delegated, looked_at):
    monkeypatch.setattr(InProcessAction, "_answer", lambda _self, _variables: {"changed": False})
    action = ServiceAction.__new__(ServiceAction)
    action._task = SimpleNamespace(args={"report": str(tmp_path / "none" / "deploy.json")}, delegate_to=delegated)
    action._connection = SimpleNamespace(transport="ssh")
    answer = action._answer({})
    assert ("failed" in answer) == looked_at
    assert not looked_at or f"there is no folder {tmp_path}/none" in answer["msg"]
