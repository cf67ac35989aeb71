# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading task definitions from text, files and parsed data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_file, load_source

CONTAINER = {"name": "web", "image": "nginx"}
TAGS = [{"key": "Team", "value": "art"}]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ([CONTAINER], {"containerDefinitions": [CONTAINER]}),
        ({"family": "web", "cpu": "256"}, {"family": "web", "cpu": "256"}),
        ({"taskDefinition": {"family": "web", "revision": 3}}, {"family": "web", "revision": 3}),
        ({"taskDefinition": {"family": "web"}, "tags": TAGS}, {"family": "web", "tags": TAGS}),
        ({"taskDefinition": {"family": "web"}, "tags": []}, {"family": "web"}),
        ('[{"name": "web", "image": "nginx"}]', {"containerDefinitions": [CONTAINER]}),
        ("- name: web\n  image: nginx\n", {"containerDefinitions": [CONTAINER]}),
        ("{family: web, cpu: '256'}", {"family": "web", "cpu": "256"}),
        ("family: web\nreleased: 2026-11-22\n", {"family": "web", "released": "2026-11-22"}),
    ],
)
def test_every_form_becomes_a_registration_input(source: Any, expected: dict[str, Any]) -> None:
    assert load_source(source) == expected


def test_the_source_is_not_shared() -> None:
    source = [{"name": "web", "environment": [{"name": "A", "value": "1"}]}]
    load_source(source)["containerDefinitions"][0]["environment"].append("x")
    assert source == [{"name": "web", "environment": [{"name": "A", "value": "1"}]}]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("bad.json", '{\n  "family": "web",\n  "cpu": }\n', "line 3, column 10"),
        ("twice.json", '{"family": "a", "cpu": "1", "family": "b"}', "the key 'family' is there 2 times"),
        ("deep.json", '[{"name": "a", "name": "b"}]', "the key 'name' is there 2 times"),
        ("yaml.json", "family: web", "not valid JSON at line 1, column 1"),
        ("bad.yml", "family: web\ncpu: [", "not valid YAML at line 2, column 7"),
        ("twice.yml", "family: a\ncpu: 1\nfamily: b\n", "the key 'family' is there twice (line 3, column 1)"),
        ("text.yml", "just a text", "expected a list of container definitions or a task definition, got a string"),
        ("empty.yml", "", "got null"),
        ("items.json", '[{"name": "a"}, "b"]', "container definition 1 must be an object, got a string"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, name: str, text: str, expected: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TaskDefinitionError) as caught:
        load_file(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskDefinitionError, match=r"nowhere\.json: cannot be read: No such file or directory"):
        load_file(tmp_path / "nowhere.json")
