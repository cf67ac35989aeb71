# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages name the file and line that set a variable."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem
from ansible_collections.dockyard.aws.plugins.plugin_utils import origins


@pytest.fixture
def inventory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "host_vars/web/ecr.yml": "---\n# the repositories\necr:\n  repositories: []\n",
        "host_vars/api.yml": "ecs: {}\n",
        "group_vars/all.yml": "aws_region: us-east-1\necr: {}\n",
        "group_vars/workers/ecs.json": '{\n"ecs": {}}\n',
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [str(tmp_path)]


@pytest.mark.parametrize(
    ("variable", "host", "groups", "expected"),
    [
        ("ecr.repositories[web].name", "web", [], "host_vars/web/ecr.yml:3"),
        ("ecs", "api", [], "host_vars/api.yml:1"),
        ("ecr", "api", [], "group_vars/all.yml:2"),
        ("ecs", "worker", ["workers"], "group_vars/workers/ecs.json:2"),
        ("aws_region", "", [], "group_vars/all.yml:1"),
    ],
)
def test_the_place_is_named(inventory, variable, host, groups, expected):
    problem = origins.with_origin(Problem(host, variable, "is wrong"), inventory, groups)
    assert problem.message == f"is wrong (set in {expected})"


def test_without_a_place_the_message_stays(inventory):
    problem = Problem("web", "nothing", "is wrong")
    assert origins.with_origin(problem, inventory, []) is problem
