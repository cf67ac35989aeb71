# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several inventories in one run."""

from __future__ import annotations

import json

import yaml

from tests.integration.playbooks import play


def test_each_hosts_files_are_looked_for_beside_its_own_inventory(emulator, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "host_vars").mkdir(parents=True)
        (tmp_path / name / "hosts.yml").write_text(f"all: {{hosts: {{{name}: }}}}\n")
        (tmp_path / name / f"{name}.json").write_text(json.dumps([{"name": name, "image": "nginx", "memory": 128}]))
        family = {"family": name, "file": f"{name}.json", "requires_compatibilities": ["EC2"]}
        declared = {
            "dockyard_environment": "test",
            "ansible_connection": "local",
            "ecs": {"task_definitions": [family]},
        }
        (tmp_path / name / "host_vars" / f"{name}.yml").write_text(yaml.safe_dump(declared))
    second = ("-i", str(tmp_path / "b" / "hosts.yml"))
    played = play(emulator, "playbooks/validate.yml", *second, inventory=tmp_path / "a" / "hosts.yml")
    assert played.code == 0, played.failed_messages()
    (tmp_path / "b" / "b.json").unlink()
    played = play(emulator, "playbooks/validate.yml", *second, inventory=tmp_path / "a" / "hosts.yml")
    assert str(tmp_path / "b" / "b.json") in played.failed_messages()
    assert "b/host_vars/b.yml:" in played.failed_messages()
