# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the pipeline, as people and pipelines run them."""

from __future__ import annotations

import json

import pytest

from tests.integration.deploys import declared, push, write_inventory
from tests.integration.playbooks import play


@pytest.fixture
def inventory(tmp_path):
    """An inventory with one service that logs where the emulator shows it."""
    declarations = declared(deploy_tasks=[{"name": "migrate", "command": ["exit", "0"]}])
    return write_inventory(tmp_path, declarations, "shop")


def test_a_day_of_a_service(emulator, inventory, tmp_path):
    def run(name, *arguments, limit="web"):
        return play(emulator, f"playbooks/{name}.yml", "--limit", limit, *arguments, inventory=inventory)

    made = run("site", limit="all")
    assert made.code == 0, made.text
    ecr = emulator.client("ecr")
    for tag in ("1.0", "unhealthy"):
        push(ecr, tag)

    report = tmp_path / "deploy.json"
    deployed = run("deploy", "-e", "image_tag=1.0", "-e", f"deploy_report={report}")
    assert deployed.code == 0, deployed.text
    assert "deploy: web: migrate: | the work is done, exit code 0" in deployed.text
    assert "web/web: deployed\n  web:1 → web:2" in deployed.text
    assert json.loads(report.read_text())["services"][0]["status"] == "deployed"

    failed = run("deploy", "-e", "image_tag=unhealthy", "-e", f"deploy_report={report}")
    assert failed.code == 2 and "ECS went back: web:2 runs with 2 of 2 tasks." in failed.failed_messages()
    written = json.loads(report.read_text())
    assert written["services"][0]["status"] == "failed" and "circuit breaker" in written["failures"]["web"]

    unset = run("deploy", "-e", "image_tag=")
    assert unset.code == 2 and "image_tag is empty" in unset.failed_messages()

    missing = run("deploy", "-e", "image_tag=2.0", "-e", f"deploy_report={report}")
    assert missing.code == 2 and "has no image with the tag '2.0'" in json.loads(report.read_text())["msg"]

    back = run("rollback")
    assert back.code == 0 and "web/web: rolled back\n  web:2 → web:1" in back.text

    shown = run("status", limit="all")
    assert shown.code == 0 and "web      web:1     web:v1" in shown.text

    task = run("run_task", "-e", '{"task_command": ["exit", "4"]}')
    assert task.code == 2 and "container web exited with 4" in task.failed_messages()

    scaled = run("scale", "-e", "desired_count=3")
    assert scaled.code == 0 and "web/web: desired count went from 2 to 3" in scaled.text

    assert run("site", limit="all").plan() == [("update", "ecs_service", "web/web")]
