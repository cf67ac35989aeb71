# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Destroying the art environment."""

from __future__ import annotations

import shutil

import pytest
import yaml

from tests.integration.playbooks import ROOT, play

DESTROY = "playbooks/destroy.yml"
UNPROTECTED = {
    "state_bucket": {
        "bucket": {"protect": False, "force_delete": True},
        "lock_table": {"protect": False, "deletion_protection_enabled": False},
    },
}


@pytest.fixture
def inventory(tmp_path):
    """art, with its state bucket unprotected."""
    copy = shutil.copytree(ROOT / "inventories" / "art", tmp_path / "art")
    for layer, changes in UNPROTECTED.items():
        path = copy / "host_vars" / "art" / f"{layer}.yml"
        declared = yaml.safe_load(path.read_text())
        for thing, options in changes.items():
            declared[layer][thing].update(options)
        path.write_text(yaml.safe_dump(declared))
    return copy


def test_destroy_deletes_what_the_plan_lists_and_leaves_nothing(emulator, inventory):
    made = play(emulator, "playbooks/site.yml", inventory=inventory)
    assert made.code == 0, made.failed_messages()
    checked = play(emulator, DESTROY, "--check", inventory=inventory)
    assert checked.code == 0, checked.failed_messages()
    destroyed = play(emulator, DESTROY, "-e", "destroy_environment=art", inventory=inventory)
    assert destroyed.code == 0, destroyed.failed_messages()
    assert destroyed.plan() == checked.plan()
    assert sorted(destroyed.done()) == sorted(checked.plan())
    assert sorted(key[1:] for key in destroyed.done()) == sorted(key[1:] for key in made.done())
    again = play(emulator, DESTROY, "-e", "destroy_environment=art", inventory=inventory)
    assert again.code == 0
    assert again.plan() == []


def test_what_is_protected_stops_destroy_before_the_first_deletion(emulator):
    made = play(emulator, "playbooks/site.yml", "--tags", "state_bucket,ecr")
    assert made.code == 0, made.failed_messages()
    emulator.reset_calls()
    refused = play(emulator, DESTROY, "-e", "destroy_environment=art", "--tags", "state_bucket,ecr")
    assert refused.code != 0
    assert "protect" in refused.failed_messages()
    assert emulator.calls()["mutating"] == 0
