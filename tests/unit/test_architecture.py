# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports run one way, and what one place says twice is equal."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ansible_collections.dockyard.aws.plugins."
# Who may import whom (besides itself).
ALLOWED = {
    "module_utils.reconcile": set(),
    "module_utils.task_definition": set(),
    "module_utils.aws": {"module_utils.reconcile"},
    "module_utils.state": {"module_utils.reconcile", "module_utils.aws"},
    "module_utils.resources": {"module_utils.reconcile", "module_utils.aws", "module_utils.task_definition"},
    "module_utils.layers": {
        "module_utils.reconcile",
        "module_utils.aws",
        "module_utils.resources",
        "module_utils.state",
        "module_utils.task_definition",
    },
    "module_utils.terraform_import": {
        "module_utils.reconcile",
        "module_utils.aws",
        "module_utils.resources",
        "module_utils.layers",
        "module_utils.task_definition",
    },
    "module_utils.deploy": {
        "module_utils.reconcile",
        "module_utils.aws",
        "module_utils.resources",
        "module_utils.layers",
    },
    "module_utils.image": {
        "module_utils.reconcile",
        "module_utils.aws",
        "module_utils.layers",
        "module_utils.deploy",
        "module_utils.task_definition",
    },
    "modules": {
        "module_utils.image",
        "module_utils.deploy",
        "module_utils.layers",
        "module_utils.task_definition",
        "module_utils.resources",
        "module_utils.aws",
        "module_utils.terraform_import",
    },
    "plugin_utils": {"module_utils.layers", "module_utils.deploy", "module_utils.reconcile", "module_utils.aws"},
    "action": {
        "plugin_utils",
        "module_utils.layers",
        "module_utils.deploy",
        "module_utils.image",
        "module_utils.terraform_import",
    },
    "callback": {"plugin_utils"},
    "lookup": {"plugin_utils", "module_utils.reconcile"},
    "doc_fragments": set(),
}
# Packages that must not know Ansible or AWS.
PURE = {
    "module_utils.reconcile": ("ansible.", "boto"),
    "module_utils.task_definition": ("ansible.", "boto3"),
    "module_utils.aws": ("ansible.",),
    "module_utils.state": ("ansible.",),
    "module_utils.resources": ("ansible.",),
    "module_utils.terraform_import": ("boto",),
}


def place_of(module: str) -> str:
    parts = module.removeprefix(PREFIX).split(".")
    return ".".join(parts[:2]) if parts[0] == "module_utils" else parts[0]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


FILES = sorted((ROOT / "plugins").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path):
    place = place_of(PREFIX + ".".join(path.relative_to(ROOT / "plugins").with_suffix("").parts))
    ours = {place_of(name) for name in imports(path) if name.startswith(PREFIX)} - {place}
    assert ours <= ALLOWED[place]
    outside = [name for name in imports(path) for forbidden in PURE.get(place, ()) if name.startswith(forbidden)]
    assert outside == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_sdk_is_imported_in_one_place(path):
    """Ansible looks at modules where there is no SDK: ansible-doc, ansible-test."""
    if path == ROOT / "plugins" / "module_utils" / "aws" / "sdk.py":
        return
    at_the_top = [ast.unparse(node) for node in ast.parse(path.read_text()).body]
    assert [line for line in at_the_top if line.startswith(("import boto", "from boto"))] == []


def test_the_modules_roles_actions_and_tags_of_layers_have_the_same_names():
    from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS

    site = yaml.safe_load((ROOT / "playbooks" / "site.yml").read_text())
    tasks = [task for play in site for task in play["tasks"] if "ansible.builtin.import_role" in task]
    roles = {task["ansible.builtin.import_role"]["name"]: task["tags"] for task in tasks}
    assert roles == {f"dockyard.aws.{name}": [name] for name in LAYERS}
    for name in LAYERS:
        assert (ROOT / "plugins" / "modules" / f"{name}.py").exists()
        assert (ROOT / "plugins" / "action" / f"{name}.py").exists()
        assert (ROOT / "roles" / name / "README.md").exists()
    group = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]["aws"]
    assert set(LAYERS) | {"plan", "remove"} <= {item for item in group if isinstance(item, str)}


def test_the_layers_that_modules_offer_are_those_that_exist():
    from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS

    text = (ROOT / "plugins" / "doc_fragments" / "environment.py").read_text()
    options = yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0])["options"]
    assert options["layers"]["choices"] == list(LAYERS)
