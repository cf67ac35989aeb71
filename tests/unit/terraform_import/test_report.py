# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report, and the way back."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.import_ids import identity
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing

from .stack import Imported, arn, resource, state, subnet, vpc


def test_the_text_says_what_to_look_at_first_and_what_was_imported_last():
    acl = resource("aws_network_acl", "x", {"id": "acl-1"})
    imported = Imported(vpc(assign_generated_ipv6_cidr_block=True), acl)
    assert imported.files["files/import-report.txt"].splitlines() == [
        "Import of terraform.tfstate: 1 resources imported, 1 not, 1 attributes not, 0 secrets to define.",
        "",
        "Not imported",
        "  aws_network_acl.x",
        "      no layer of this collection manages it: it stays with Terraform",
        "",
        "Attributes that no option says: a plan leaves them alone",
        "  aws_vpc.main assign_generated_ipv6_cidr_block",
        "",
        "Imported",
        "  aws_vpc.main  host_vars/shop/network.yml: network.vpc",
    ]


def test_tags_that_everything_has_are_the_environments():
    common = {"Team": "web", "Stage": "production"}
    imported = Imported(
        vpc(tags_all={**common, "Name": "main", "Extra": "x"}),
        subnet("a", tags_all={**common, "Name": "a", "Stage": "other", "dockyard:environment": "old"}),
    )
    assert imported.yaml("group_vars/all.yml")["dockyard_tags"] == {"Team": "web"}
    assert imported.declared("network")["vpc"]["tags"] == {"Stage": "production", "Extra": "x"}
    assert imported.declared("network")["subnets"][0]["tags"] == {"Stage": "other"}


def test_region_and_account_are_those_of_the_arns():
    variables = Imported(vpc()).yaml("group_vars/all.yml")
    assert (variables["aws_region"], variables["aws_account_id"]) == ("us-east-1", "123456789012")


IDS = [
    ("aws_vpc", {"id": "vpc-1"}, "vpc-1"),
    ("aws_ecs_capacity_provider", {"id": arn("ecs", "capacity-provider/web"), "name": "web"}, "web"),
    ("aws_ecs_cluster", {"id": arn("ecs", "cluster/shop"), "name": "shop"}, "shop"),
    ("aws_ecs_service", {"id": "x", "cluster": arn("ecs", "cluster/shop"), "name": "web"}, "shop/web"),
    ("aws_iam_role_policy_attachment", {"id": "x", "role": "web", "policy_arn": "arn:p"}, "web/arn:p"),
    ("aws_route", {"id": "x", "route_table_id": "rtb-1", "destination_cidr_block": "0.0.0.0/0"}, "rtb-1_0.0.0.0/0"),
    ("aws_route", {"id": "x", "route_table_id": "rtb-1"}, "x"),
    ("aws_route_table_association", {"id": "x", "subnet_id": "s", "route_table_id": "r"}, "s/r"),
    ("aws_alb_listener_certificate", {"id": "x", "listener_arn": "l", "certificate_arn": "c"}, "l_c"),
]


@pytest.mark.parametrize(("kind", "attributes", "expected"), IDS)
def test_import_ids(kind, attributes, expected):
    assert identity(Thing("x", "x", "x", "x", kind, "x", attributes)) == expected


def test_import_blocks_have_terraforms_addresses():
    imported = Imported(resource("aws_vpc", "main", {"id": "vpc-1"}, module="module.net", index_key="eu"))
    assert imported.files["files/terraform/terraform/import.tf"] == (
        'import {\n  to = module.net.aws_vpc.main["eu"]\n  id = "vpc-1"\n}\n'
    )


def test_removed_blocks_name_each_resource_once():
    items = [
        resource(
            "aws_vpc", "main", {"id": key, "tags_all": {"Name": key * 2}}, module='module.net["a]b"]', index_key=key
        )
        for key in ("x", "y")
    ]
    assert Imported(*items).files["files/terraform/terraform/removed.tf"] == (
        "removed {\n  from = module.net.aws_vpc.main\n\n  lifecycle {\n    destroy = false\n  }\n}\n"
    )


def test_terraform_lets_go_only_of_what_is_imported():
    imported = Imported(vpc(), resource("aws_db_instance", "db", {"id": "db"}))
    assert "aws_db_instance" not in imported.files["files/terraform/terraform/removed.tf"]
    nothing = Imported(resource("aws_db_instance", "db", {"id": "db"}))
    assert "files/terraform/terraform/removed.tf" not in nothing.files


def test_terraform_keeps_a_resource_of_which_something_is_not_imported():
    item = resource(
        "aws_lb_target_group", "web", {"id": "w", "name": "web", "protocol": "HTTP", "port": 80}, index_key=0
    )
    other = {"index_key": 1, "attributes": {"id": "t", "name": "tcp", "protocol": "TCP", "port": 81}}
    item["instances"].append(other)
    imported = Imported(vpc(), item)
    assert "aws_lb_target_group" not in imported.files["files/terraform/terraform/removed.tf"]
    message = "aws_lb_target_group.web: not every instance is imported, so that no removed.tf lets go of it"
    assert message in imported.report.notes


def test_states_whose_names_are_spelled_alike_have_folders_of_their_own():
    other = resource("aws_ecr_repository", "web", {"id": "web", "name": "web", "image_tag_mutability": "MUTABLE"})
    files = Imported(states={"s/a-b.tfstate": state(vpc()), "s/a/b.tfstate": state(other)}).files
    assert "aws_vpc" in files["files/terraform/a-b/import.tf"]
    assert "aws_ecr_repository" in files["files/terraform/a-b-x/removed.tf"]
