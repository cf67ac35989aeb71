# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the states is not imported: what is elsewhere, what is there twice; and what is not finished."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import ImportRefused, parse

from .stack import ACCOUNT, Imported, resource, state, vpc


def repository(name, place="us-east-1", account=ACCOUNT, **more):
    attributes = {"id": name, "name": name, "arn": f"arn:aws:ecr:{place}:{account}:repository/{name}"}
    return resource("aws_ecr_repository", name, {**attributes, "tags_all": {}, **more})


def names(imported):
    return [item["name"] for item in imported.declared("ecr")["repositories"]]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (repository("far", place="eu-west-1"), "it is in eu-west-1, most of this in us-east-1"),
        (repository("far", arn=None, region="eu-west-1"), "it is in eu-west-1, most of this in us-east-1"),
        (repository("far", account="210987654321"), "it is in the account 210987654321, most of this in 123456789012"),
    ],
)
def test_what_is_elsewhere_is_not_imported(other, said):
    imported = Imported(other, repository("near"), repository("here"))
    assert names(imported) == ["near", "here"]
    assert imported.unmapped()["aws_ecr_repository.far"].startswith(said)
    assert imported.yaml("group_vars/all.yml")["aws_region"] == "us-east-1"


def test_what_two_states_have_is_imported_once():
    imported = Imported(
        states={"a/terraform.tfstate": state(repository("web")), "b/before.tfstate": state(repository("web"))}
    )
    assert names(imported) == ["web"]
    assert imported.unmapped() == {
        "b/before.tfstate: aws_ecr_repository.web": (
            "a/terraform.tfstate: aws_ecr_repository.web is the same in AWS, and imported: "
            "only one of them can be right"
        )
    }


def test_of_several_revisions_of_a_family_the_newest_is_imported():
    tasks = [
        resource(
            "aws_ecs_task_definition",
            label,
            {
                "family": "web",
                "revision": revision,
                "arn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/web:{revision}",
                "container_definitions": json.dumps([{"name": "web", "image": f"web:{revision}"}]),
            },
        )
        for label, revision in (("blue", 3), ("green", 12))
    ]
    imported = Imported(*tasks)
    assert json.loads(imported.files["task-definitions/web.json"])[0]["image"] == "web:12"
    assert list(imported.unmapped()) == ["aws_ecs_task_definition.blue"]


def test_what_terraform_has_not_finished_is_told():
    item = vpc()
    item["instances"][0]["status"] = "tainted"
    item["instances"].append({"deposed": "1a2b", "attributes": {"id": "vpc-0"}})
    notes = "\n".join(Imported(item).report.notes)
    assert "aws_vpc.main is tainted: Terraform would replace it" in notes
    assert "aws_vpc.main has a copy that was replaced and not destroyed yet (vpc-0)" in notes


def test_the_oldest_form_of_attributes_is_refused_with_what_to_do():
    item = vpc()
    item["instances"] = [{"attributes_flat": {"id": "vpc-1"}}]
    with pytest.raises(ImportRefused, match="aws_vpc.main is in the form of Terraform before 0.12. Run"):
        parse(state(item), "x.tfstate")
