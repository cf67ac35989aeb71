# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing as the module does it: sources, files, and what is refused."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import import run as importing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import ImportRefused

from .stack import group, resource, state, vpc


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop.tfstate").write_text(state(vpc(), group("web")))
    return tmp_path


def run(folder, *sources, check_mode=False, **more):
    params = {"source": [str(folder / item) for item in sources or ("shop.tfstate",)], "dest": str(folder / "shop")}
    params |= {"environment_name": None, "platform": None, "overwrite": False}
    return importing.run({**params, **more}, check_mode, lambda line: None)


def test_a_first_import_writes_everything_and_a_second_nothing(folder):
    first = run(folder)
    assert first["changed"]
    assert {"hosts.yml", "group_vars/all.yml", "host_vars/shop/network.yml"} <= set(first["files"])
    assert "dockyard_environment: shop\n" in (folder / "shop/group_vars/all.yml").read_text()
    report = json.loads((folder / "shop/files/import-report.json").read_text())
    assert report == first["report"]
    assert (folder / "shop/files/import-report.txt").read_text().startswith("Import of ")
    second = run(folder)
    assert (second["changed"], second["files"], second["diff"]) == (False, [], [])


def test_check_mode_shows_what_would_be_written(folder):
    checked = run(folder, check_mode=True)
    assert checked["changed"] and not (folder / "shop").exists()
    shown = {item["after_header"].removeprefix(f"{folder}/shop/"): item["after"] for item in checked["diff"]}
    assert "name: main\n" in shown["host_vars/shop/network.yml"]


def test_names_of_environment_and_platform_may_be_others(folder):
    run(folder, environment_name="production", platform="main")
    assert "dockyard_environment: production" in (folder / "shop/group_vars/all.yml").read_text()
    assert (folder / "shop/host_vars/main/network.yml").exists()


def test_files_with_other_contents_are_kept_unless_it_is_said_otherwise(folder):
    run(folder)
    hosts = folder / "shop/hosts.yml"
    before = hosts.read_text()
    hosts.write_text("mine\n")
    (folder / "shop.tfstate").write_text(state(vpc(), group("web"), group("other")))
    with pytest.raises(ImportRefused, match="has files/import-report.json, .*hosts.yml already") as caught:
        run(folder)
    assert "import_overwrite=true" in str(caught.value)
    assert hosts.read_text() == "mine\n"
    assert "other" not in (folder / "shop/host_vars/shop/network.yml").read_text()
    assert "hosts.yml" in run(folder, overwrite=True)["files"]
    assert hosts.read_text() == before


@pytest.mark.parametrize(
    "text", ["$ANSIBLE_VAULT;1.1;AES256\n00\n", "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00\n"]
)
def test_a_vault_is_never_overwritten(folder, text):
    run(folder)
    (folder / "shop/host_vars/shop/network.yml").write_text(text)
    with pytest.raises(ImportRefused, match="network.yml has a vault in it, which is never overwritten"):
        run(folder, overwrite=True)


def test_a_folder_means_all_states_in_it(folder):
    repository = {"id": "web", "name": "web", "image_tag_mutability": "IMMUTABLE"}
    for name, item in {"vpc/main": vpc(), "ecr/web": resource("aws_ecr_repository", "web", repository)}.items():
        (folder / "states" / name).mkdir(parents=True)
        (folder / "states" / name / "terraform.tstate").write_text(state(item))
    run(folder, "states")
    assert (folder / "shop/host_vars/shop/ecr.yml").exists()
    assert (folder / "shop/host_vars/shop/network.yml").exists()
    assert (folder / "shop/files/terraform/vpc-main-terraform/import.tf").exists()


@pytest.mark.parametrize(
    ("source", "said"), [("nowhere.tfstate", "cannot be read: No such file"), ("empty", "has no file *.tfstate")]
)
def test_what_cannot_be_read_is_refused(folder, source, said):
    (folder / "empty").mkdir()
    with pytest.raises(ImportRefused) as caught:
        run(folder, source)
    assert said in str(caught.value) and str(folder / source) in str(caught.value)


def test_what_terraform_notes_in_hidden_folders_is_no_state(folder):
    (folder / "live/.terraform").mkdir(parents=True)
    (folder / "live/.terraform/terraform.tfstate").write_text('{"version": 3, "backend": {}}')
    (folder / "live/terraform.tfstate").write_text(state(vpc()))
    assert run(folder, "live")["changed"]


def test_workspaces_are_not_mixed(folder):
    for name in ("dev", "prod"):
        (folder / "live/terraform.tfstate.d" / name).mkdir(parents=True)
        (folder / "live/terraform.tfstate.d" / name / "terraform.tfstate").write_text(state(vpc()))
    with pytest.raises(ImportRefused, match="several workspaces: dev, prod"):
        run(folder, "live")
    assert run(folder, "live/terraform.tfstate.d/prod")["changed"]


def test_nothing_is_written_outside_of_the_folder(folder):
    task = {"id": "x", "family": "../../../x", "arn": "x", "container_definitions": "[]"}
    (folder / "shop.tfstate").write_text(state(resource("aws_ecs_task_definition", "x", task)))
    with pytest.raises(ImportRefused, match="names that lead out of it, nothing was written"):
        run(folder)
    assert not (folder / "shop").exists()
