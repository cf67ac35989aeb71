# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make fmt` and `make check`: the form that files get, and that their meaning stays."""

from __future__ import annotations

import re
from pathlib import Path

import format as formatter
import pytest

YAML_CASES = {
    "indentation": ("a:\n    b:\n    - 1\n", "---\na:\n  b:\n    - 1\n"),
    "spaces": ("x:   1\n", "---\nx: 1\n"),
    "comment kept": ("# why\nx: 1   # here\n", "---\n# why\nx: 1 # here\n"),
    "quotes kept": ('---\nmode: "0644"\n', '---\nmode: "0644"\n'),
    "jinja kept": ('---\nimage: "{{ tag }}"\n', '---\nimage: "{{ tag }}"\n'),
    "braces kept": ("---\ngroups: [{name: web}]\n", "---\ngroups: [{ name: web }]\n"),
    "vault kept": (
        "---\npassword: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6132\n",
        "---\npassword: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6132\n",
    ),
    "only comments": ("# nothing yet\n", "# nothing yet\n"),
}


@pytest.mark.parametrize(("text", "expected"), YAML_CASES.values(), ids=YAML_CASES.keys())
def test_yaml_form_is_stable(text: str, expected: str) -> None:
    assert formatter.format_yaml(text) == expected
    assert formatter.format_yaml(expected) == expected


JSON_CASES = {
    "two spaces, order kept": ('[{"name":"web","cpu": 10}]', '[\n  {\n    "name": "web",\n    "cpu": 10\n  }\n]\n'),
    "letters kept": ('{"a": "ü"}\n\n', '{\n  "a": "ü"\n}\n'),
    "empty list": ("[ ]", "[]\n"),
}


@pytest.mark.parametrize(("text", "expected"), JSON_CASES.values(), ids=JSON_CASES.keys())
def test_json_form_is_stable(text: str, expected: str) -> None:
    assert formatter.format_json(text) == expected
    assert formatter.format_json(expected) == expected


REFUSED = {
    "octal": ("vars.yml", "ports:\n  - mode: 010\n", r"ports\[0\]\.mode: 8 would become '010'"),
    "bad yaml": ("vars.yml", "a: [1\n", "not valid YAML"),
    "two documents": ("vars.yml", "a: 1\n---\nb: 2\n", "more than one YAML document"),
    "bad json": ("web.json", '{"a": 1,}', "not valid JSON: line 1 column"),
    "repeated key": ("web.json", '{"a": 1, "a": 2}', "key given twice in one object: a"),
}


@pytest.mark.parametrize(("name", "text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_file_whose_meaning_is_in_doubt_is_left_alone(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    problem = formatter.handle(path, check=False)
    assert problem is not None
    assert problem.startswith(str(path))
    assert re.search(message, problem)
    assert path.read_text(encoding="utf-8") == text


def test_check_shows_the_difference_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "vars.yml"
    path.write_text("x:   1\n", encoding="utf-8")
    problem = formatter.handle(path, check=True)
    assert problem is not None
    assert "-x:   1\n" in problem
    assert "+x: 1\n" in problem
    assert path.read_text(encoding="utf-8") == "x:   1\n"


def test_encrypted_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets.yml"
    path.write_text("$ANSIBLE_VAULT;1.1;AES256\n6132\n", encoding="utf-8")
    assert formatter.handle(path, check=True) is None
