# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Terraform marks as sensitive is in no file, whatever it is."""

from __future__ import annotations

import json

import pytest

from .stack import Imported, arn, group, resource, vpc

TOPIC = "arn:aws:s3:::hidden-bucket/*"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": TOPIC}]}


def policy(*sensitive, **more):
    attributes = {"id": "p", "name": "p", "arn": arn("iam", "policy/p"), "path": "/", "policy": json.dumps(DOCUMENT)}
    return resource("aws_iam_policy", "p", attributes | more, sensitive=sensitive)


def texts(imported):
    return [path for path, text in imported.files.items() if "hidden" in text]


@pytest.mark.parametrize(
    ("item", "option", "variable"),
    [
        (policy("policy"), "document", "vault_shop_p_policy"),
        (policy("policy", "description", description="hidden"), "description", "vault_shop_p_description"),
        (policy("policy", "tags_all", tags_all={"Owner": "hidden"}), "tags", "vault_shop_p_tags_all_owner"),
    ],
)
def test_marked_values_are_variables_to_define(item, option, variable):
    imported = Imported(vpc(), item)
    found = imported.declared("iam")["policies"][0][option]
    assert found in (f"{{{{ {variable} }}}}", {"Owner": f"{{{{ {variable} }}}}"})
    assert texts(imported) == []
    assert sum(variable in remark.message for remark in imported.report.secrets) == 1


def test_a_part_of_a_text_is_hidden_too_unless_it_is_short():
    rules = [{"from_port": 80, "to_port": 80, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"], "description": "tcp"}]
    item = group("web", ingress=rules, description="for hidden-customer")
    path = [{"type": "get_attr", "value": "description"}]
    item["instances"][0]["sensitive_attributes"] = [path]
    imported = Imported(vpc(), item)
    assert imported.declared("network")["security_groups"][0]["description"] == "{{ vault_shop_web_description }}"
    assert texts(imported) == []


def test_marked_blocks_are_written_and_told_of():
    rules = [{"from_port": 80, "to_port": 80, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}]
    item = group("web", ingress=rules)
    item["instances"][0]["sensitive_attributes"] = [[{"type": "get_attr", "value": "ingress"}]]
    imported = Imported(vpc(), item)
    assert imported.declared("network")["security_groups"][0]["ingress"][0]["from_port"] == 80
    assert [(remark.address, remark.about) for remark in imported.report.secrets] == [
        ("aws_security_group.web", "ingress")
    ]


def test_a_path_of_terraform_leads_into_blocks():
    rules = [
        {"from_port": 80, "to_port": 80, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"], "description": "hidden"}
    ]
    item = group("web", ingress=rules)
    item["instances"][0]["sensitive_attributes"] = [
        [
            {"type": "get_attr", "value": "ingress"},
            {"type": "index", "value": {"value": 0, "type": "number"}},
            {"type": "get_attr", "value": "description"},
        ]
    ]
    imported = Imported(vpc(), item)
    assert texts(imported) == []
    assert imported.declared("network")["security_groups"][0]["ingress"][0]["description"] == (
        "{{ vault_shop_web_ingress_0_description }}"
    )
