# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""import.yml on the states of a bucket, laid out as teams that work with Terraform do."""

from __future__ import annotations

import pytest
import yaml

from tests.integration.playbooks import play
from tests.unit.terraform_import.stack import group, resource, state, vpc

IMPORT = "playbooks/import.yml"
REPOSITORY = resource("aws_ecr_repository", "this", {"id": "web", "name": "web", "image_tag_mutability": "IMMUTABLE"})


@pytest.fixture
def bucket(emulator):
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="shop-state")
    keys = {
        "vpc/networks/main/terraform.tstate": state(vpc(), group("web")),
        "ecs/ecr-repositories/web/terraform.tstate": state(REPOSITORY),
        "ecs/ecr-repositories/gone/terraform.tstate": state(),
        "notes.txt": "not a state",
    }
    for key, body in keys.items():
        s3.put_object(Bucket="shop-state", Key=key, Body=body.encode())
    return "s3://shop-state/"


def imported(emulator, source, folder, *more):
    arguments = ("-e", f"import_from={source}", "-e", f"import_to={folder}", *more)
    return play(emulator, IMPORT, *arguments, inventory="localhost,")


def test_all_states_of_a_bucket_make_one_inventory(emulator, bucket, tmp_path):
    emulator.reset_calls()
    played = imported(emulator, bucket, tmp_path / "shop", "-e", "import_environment=production")
    assert played.code == 0, played.failed_messages()
    assert emulator.calls()["mutating"] == 0
    variables = yaml.safe_load((tmp_path / "shop/group_vars/all.yml").read_text())
    assert variables["dockyard_environment"] == "production"
    declared = {path.stem for path in (tmp_path / "shop/host_vars/production").iterdir()}
    assert declared == {"network", "ecr"}
    for line in (
        "Import of 2 states: 3 resources imported, 0 not, 0 attributes not, 0 secrets to define.",
        f"10 files written to {tmp_path}/shop.",
        f"Next: ansible-playbook playbooks/site.yml -i {tmp_path}/shop/hosts.yml --check --diff",
    ):
        assert line in played.text.splitlines()


def test_what_is_missing_or_not_there_is_said(emulator, tmp_path):
    nothing = play(emulator, IMPORT, inventory="localhost,")
    assert "-e import_from=terraform.tfstate -e import_to=inventories/shop" in nothing.failed_messages()
    gone = imported(emulator, "s3://nowhere/", tmp_path / "shop")
    assert "cannot read s3://nowhere/" in gone.failed_messages() and "NoSuchBucket" in gone.failed_messages()
