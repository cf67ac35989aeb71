# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agreement with others: what a registered definition looks like in moto, and what cfn-lint refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.canonical import canonical
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.compare import differences
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_file, load_source
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import input_shape
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.render import render
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.validate import validate
from tests.unit.task_definition.bad_definitions import ALL, GOOD, Bad

FILES = sorted(GOOD.glob("*-*.*"))


@pytest.fixture
def ecs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield boto3.client("ecs", region_name="us-east-1")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_registered_definition_shows_no_difference(ecs: Any, path: Path) -> None:
    declared = render(load_file(path), {"family": "web"})
    ecs.register_task_definition(**declared)
    observed = load_source(ecs.describe_task_definition(taskDefinition="web", include=["TAGS"]))
    assert differences(declared, observed) == []
    assert canonical(declared) == canonical(observed)
    # What was read can be registered again, and is the same.
    again = render(observed, {})
    assert validate(again) == []
    ecs.register_task_definition(**again)
    assert differences(again, load_source(ecs.describe_task_definition(taskDefinition="web", include=["TAGS"]))) == []


def _cloudformation(value: Any, shape: Any) -> Any:
    """A task definition with CloudFormation's names: AWS's own, with a capital."""
    names = {"efsVolumeConfiguration": "EFSVolumeConfiguration", "fileSystemId": "FilesystemId", "iam": "IAM"}
    if shape is not None and shape.type_name == "structure" and isinstance(value, dict):
        return {
            names.get(key, key[:1].upper() + key[1:]): _cloudformation(item, shape.members.get(key))
            for key, item in value.items()
        }
    if shape is not None and shape.type_name == "list" and isinstance(value, list):
        return [_cloudformation(item, shape.member) for item in value]
    return value


def _refused(definitions: list[dict[str, Any]]) -> dict[int, list[str]]:
    """What cfn-lint says against each definition; all of them in one template, because a run is slow."""
    cfnlint = pytest.importorskip("cfnlint.api")
    resources = {
        f"T{index}": {"Type": "AWS::ECS::TaskDefinition", "Properties": _cloudformation(definition, input_shape())}
        for index, definition in enumerate(definitions)
    }
    found: dict[int, list[str]] = {}
    for match in cfnlint.lint(json.dumps({"Resources": resources}), config=cfnlint.ManualArgs(regions=["us-east-1"])):
        if match.rule.id.startswith("E") and len(match.path or []) > 1 and match.path[0] == "Resources":
            found.setdefault(int(str(match.path[1])[1:]), []).append(f"{match.rule.id} {match.message}")
    return found


def test_cfn_lint_refuses_no_more_than_we_do() -> None:
    good = [render(load_file(path), {"family": "web"}) for path in FILES]
    bad: list[Bad] = [case for cases in ALL.values() for case in cases if not case.launch_types]
    refused = _refused([*good, *(case.definition() for case in bad)])
    assert {FILES[index].stem: said for index, said in refused.items() if index < len(good)} == {}
    assert len(refused) >= 30
    for index in refused:
        assert validate(bad[index - len(good)].definition()), bad[index - len(good)].name
