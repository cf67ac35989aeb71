# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations as YAML: what is written is what is read, and the formatter leaves it as it is."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import import inventory_yaml
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import Secret
from scripts.format import format_yaml

VALUES = [
    *("plain", "with space", "/ecs/web", "10.0.0.0/8", "a:b", "arn:aws:iam::1:role/x", "web-1"),
    *("404", "0123", "1e3", "true", "yes", "off", "null", "~", "", "2012-10-17", "-1", "1.5", "12:30"),
    *("a: b", "a #b", "#a", "*", "&a", "!a", "- a", "[a]", "{a}", "it's", 'say "x"', "back\\slash", "tab\there"),
    *("ends with:", " leading", "trailing ", "größe", "50%", "@x", "`x`", "a, b", "<<", "="),
    *(1, 0, -1, 1.5, True, False, None, [], {}),
    ["a", "b"],
    [1, True, "1"],
    ["a, b", "c]", "*"],
    [["a"], []],
    [{"a": 1, "b": {"c": ["d"]}}, {"e": None}],
    ["x" * 200],
    ["word " * 5] * 12,
    {"404": "x", "a b": 1, "true": 2},
    "#!/bin/bash\necho hello\n",
    "one\ntwo",
    "a\n\nb\n",
    "  indented\nfirst\n",
    "trailing \nspace\n",
    "tab\tin\nit\n",
    "a\n\n",
    ("long " * 60).strip(),
    f"short\n{'long ' * 60}end\n",
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("place", ["value", "item"])
def test_what_is_written_is_what_is_read(value, place):
    data = {"key": value} if place == "value" else {"key": [{"inner": value, "next": "x"}]}
    text = inventory_yaml.document(data)
    assert yaml.safe_load(text) == data
    assert format_yaml(text) == text


def test_what_looks_like_a_template_is_marked_for_ansible_to_leave_alone():
    text = inventory_yaml.document({"key": "{{ x }}", "list": ["{% if %}"], "block": "a\n{{ b }}\nc\n"})
    assert text.count("!unsafe ") == 3
    assert format_yaml(text) == text


def test_a_reference_to_a_secret_is_a_template():
    reference = Secret.of("web", "DB_PASSWORD", "x-y")
    assert reference.variable == "vault_web_db_password_x_y"
    assert inventory_yaml.document({"a": reference}) == '---\na: "{{ vault_web_db_password_x_y }}"\n'


def test_it_reads_like_a_person_wrote_it():
    data = {"a": {"name": "web", "tags": ["x", "y"], "rules": [{"port": 80, "from": []}], "script": "a\nb\nc\n"}}
    assert inventory_yaml.document(data, "A comment.") == (
        "---\n# A comment.\na:\n  name: web\n  tags: [x, y]\n  rules:\n    - port: 80\n      from: []\n"
        "  script: |\n    a\n    b\n    c\n"
    )
