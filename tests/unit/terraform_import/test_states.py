# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading states: what is one, what is in it."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import (
    Block,
    ImportRefused,
    parse,
    read_all,
)

from .stack import Imported, resource, state, vpc


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "not valid JSON"),
        ("[]", "has no `version`"),
        ('{"format_version": "1.0"}', "use `terraform state pull`"),
        ('{"version": 3, "modules": []}', "has the state format 3; only 4 can be read"),
        ('{"version": 5}', "has the state format 5"),
        ('{"version": 4, "resources": [{"mode": "managed"}]}', None),
        ('{"version": 4, "resources": [{"instances": [{}]}]}', "is damaged: a resource has no 'mode'"),
    ],
)
def test_what_is_no_state_is_refused_with_what_to_do(text, said):
    if said is None:
        assert parse(text, "x.tfstate") == []
        return
    with pytest.raises(ImportRefused, match="x.tfstate: ") as caught:
        parse(text, "x.tfstate")
    assert said in str(caught.value)


def test_a_state_without_resources_is_refused():
    data = resource("aws_vpc", "x", {"id": "vpc-1"}, mode="data")
    with pytest.raises(ImportRefused, match="x.tfstate: has no resources"):
        read_all({"x.tfstate": state(data)})


def test_instances_of_modules_count_and_for_each_have_terraforms_addresses():
    resources = [
        resource("aws_vpc", "a", {"id": "vpc-1"}),
        resource("aws_vpc", "b", {"id": "vpc-2"}, index_key=0),
        resource("aws_vpc", "c", {"id": "vpc-3"}, index_key="x", module='module.net["eu"].module.vpc[1]'),
        resource("aws_vpc", "d", {"id": "vpc-4"}, mode="data"),
    ]
    found = {thing.address: thing.managed for thing in parse(state(*resources), "x")}
    assert found == {
        "aws_vpc.a": True,
        "aws_vpc.b[0]": True,
        'module.net["eu"].module.vpc[1].aws_vpc.c["x"]': True,
        "data.aws_vpc.d": False,
    }


def test_deposed_objects_are_left_out():
    text = json.loads(state(resource("aws_vpc", "a", {"id": "vpc-1"})))
    text["resources"][0]["instances"].append({"deposed": "abc", "attributes": {"id": "vpc-0"}})
    assert [thing.id for thing in parse(json.dumps(text), "x")] == ["vpc-1"]


def test_a_block_tells_what_nobody_read():
    block = Block({"a": 1, "b": [], "c": False, "d": [{"e": 2, "f": 3}], "g": [{"h": 0}], "i": "x"})
    block.get("a")
    block.block("d").get("e")
    assert list(block.left()) == ["d.f", "i"]
    block.skip("i")
    assert list(block.left()) == ["d.f"]


def test_several_states_are_one_environment():
    repository = {"id": "web", "name": "web", "image_tag_mutability": "IMMUTABLE", "tags_all": {}}
    imported = Imported(
        states={
            "s3://state/vpc/main/terraform.tstate": state(vpc()),
            "s3://state/ecs/ecr/terraform.tstate": state(resource("aws_ecr_repository", "this", repository)),
            "s3://state/empty/terraform.tstate": state(),
        }
    )
    assert [(item.address, item.file) for item in imported.report.mapped] == [
        ("vpc/main/terraform.tstate: aws_vpc.main", "host_vars/shop/network.yml"),
        ("ecs/ecr/terraform.tstate: aws_ecr_repository.this", "host_vars/shop/ecr.yml"),
    ]
    assert imported.files["files/import-report.txt"].startswith(
        "Import of 2 states: 2 resources imported, 0 not, 0 attributes not, 0 secrets to define.\n"
        "  s3://state/vpc/main/terraform.tstate\n  s3://state/ecs/ecr/terraform.tstate\n"
    )
    assert "to = aws_vpc.main\n" in imported.files["files/terraform/vpc-main-terraform/import.tf"]
    assert "to = aws_ecr_repository.this\n" in imported.files["files/terraform/ecs-ecr-terraform/import.tf"]
