# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collecting declarations and settings from variables of hosts."""

from __future__ import annotations

import pytest
from ansible.parsing.vault import VaultedValue

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.plugin_utils import declarations

HOSTVARS = {
    "web": {"ecr": {"repositories": [{"name": "web"}]}, "aws_region": "us-east-1", "dockyard_environment": "art"},
    "api": {"network": {}, "aws_region": "us-east-1", "dockyard_environment": "art"},
}


def test_each_layer_gets_the_hosts_that_declare_it():
    found = declarations.collect(["ecr", "ecs"], HOSTVARS, HOSTVARS, set())
    assert found == {"ecr": {"web": {"repositories": [{"name": "web"}]}}, "ecs": {}}


def test_relative_paths_start_from_the_inventory_of_each_host():
    hostvars = {"web": {"inventory_dir": "/a"}, "api": {"inventory_dir": "/b"}, "localhost": {"inventory_dir": None}}
    assert declarations.folders(hostvars, hostvars) == {"web": "/a", "api": "/b"}


def test_variables_of_the_last_inventory_win(tmp_path):
    first, second = tmp_path / "a", tmp_path / "b" / "hosts.yml"
    first.mkdir()
    second.parent.mkdir()
    second.touch()
    variables = {"ansible_inventory_sources": [str(first), str(second), "web,"], "playbook_dir": "/playbooks"}
    assert declarations.variable_folders(variables) == ["/playbooks", str(second.parent), str(first)]


def test_settings_are_taken_once():
    assert declarations.settings(HOSTVARS, HOSTVARS) == {"region": "us-east-1", "environment_name": "art"}


def test_settings_that_hosts_disagree_on_are_refused():
    other = {**HOSTVARS, "api": {"aws_region": "eu-central-1"}}
    with pytest.raises(PlanError, match="api: aws_region: is 'eu-central-1' here and 'us-east-1' on web"):
        declarations.settings(other, other)


def test_what_is_vaulted_is_found():
    secret = VaultedValue(ciphertext="$ANSIBLE_VAULT;1.1;AES256").tag("hunter2")
    found = set()
    declared = declarations.collect(["ecs"], ["web"], {"web": {"ecs": {"a": [{"b": secret}, "open"]}}}, found)
    assert found == {"hunter2"}
    assert declared["ecs"]["web"]["a"][0]["b"].__class__ is str


def test_what_cannot_be_evaluated_is_named():
    class Variables(dict):
        def __getitem__(self, name):
            raise ValueError("'nosuch' is undefined")

    hostvars = {"web": Variables(aws_region="", ecr="")}
    with pytest.raises(PlanError, match="web: aws_region: cannot be evaluated: 'nosuch' is undefined"):
        declarations.settings(hostvars, hostvars)
    with pytest.raises(PlanError, match="web: ecr: cannot be evaluated: 'nosuch' is undefined"):
        declarations.collect(["ecr"], hostvars, hostvars, set())


@pytest.mark.parametrize(("name", "meant"), [("ecss", "ecs"), ("autoscalling", "autoscaling"), ("Ecr", None)])
def test_a_misspelt_variable_is_refused(name, meant):
    hostvars = {"web": {name: {"clusters": []}}}
    if meant is None:
        declarations.collect(["ecs"], hostvars, hostvars, set())
        return
    with pytest.raises(PlanError, match=f"web: {name}: no layer has this variable; did you mean '{meant}'"):
        declarations.collect(["ecs"], hostvars, hostvars, set())


def test_variables_of_other_kinds_may_have_similar_names():
    hostvars = {"web": {"ecss": "a text", "ansible_ecs": {}}}
    assert declarations.collect(["ecs"], hostvars, hostvars, set()) == {"ecs": {}}


def test_what_cannot_be_templated_names_host_and_variable():
    class Broken(dict):
        def __getitem__(self, key):
            raise ValueError("'nothing' is undefined")

    hostvars = {"web": Broken(ecr=1)}
    with pytest.raises(PlanError, match="web: ecr: cannot be evaluated: 'nothing' is undefined"):
        declarations.collect(["ecr"], hostvars, hostvars, set())
