# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validation: sound definitions pass, each fault is found where it is, and all faults come at once."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_file
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sizes import cpu_units, memory_mib
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.validate import Problem, validate
from tests.unit.task_definition.bad_definitions import ALL, GOOD, Bad, art, good

CASES = [pytest.param(bad, id=f"{group}-{bad.name}") for group, cases in ALL.items() for bad in cases]


@pytest.mark.parametrize("path", sorted(GOOD.glob("*-*.*")), ids=lambda path: path.stem)
def test_sound_definitions_pass(path: Path) -> None:
    assert validate({"family": "sourcing-data-service", **load_file(path)}) == []


@pytest.mark.parametrize("bad", CASES)
def test_each_fault_is_found_where_it_is(bad: Bad) -> None:
    definition = bad.definition()
    before = copy.deepcopy(definition)
    problems = validate(definition, launch_types=bad.launch_types)
    assert [one for one in problems if one.path == bad.path and bad.message in one.message], problems
    assert definition == before


def test_the_table_is_large_enough() -> None:
    assert len(CASES) >= 60
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "change",
    [
        {"networkMode": "bridge", "requiresCompatibilities": ["EC2"]},
        {"networkMode": "awsvpc"},
        {"networkMode": "host"},
        {"requiresCompatibilities": ["EXTERNAL"]},
        {"cpu": "0.125 vCPU", "memory": "0.5GB"},
    ],
)
def test_the_ec2_service_passes_in_other_network_modes_and_sizes(change: dict[str, Any]) -> None:
    assert validate({**art(), **change}, launch_types=["EC2"]) == []


@pytest.mark.parametrize(
    ("cpu", "memory"),
    [
        ("256", "512"),
        (".25 vCPU", "0.5 GB"),
        ("0.25 vcpu", "2GB"),
        ("512", "4096"),
        ("1024", "8192"),
        ("2048", "16384"),
        ("4 vCPU", "30 GB"),
        ("8192", "20480"),
        ("16384", "122880"),
        ("32768", "249856"),
    ],
)
def test_fargate_sizes(cpu: str, memory: str) -> None:
    definition = good("fargate-web.json")
    definition["containerDefinitions"] = [{"name": "web", "image": "nginx"}]
    definition |= {"cpu": cpu, "memory": memory, "volumes": []}
    assert validate(definition) == []


@pytest.mark.parametrize(
    ("text", "cpu", "memory"),
    [
        ("256", 256, 256),
        ("1 vCPU", 1024, None),
        (".5vcpu", 512, None),
        ("1 GB", None, 1024),
        ("0.5gb", None, 512),
        ("1.5", None, None),
        ("", None, None),
        ("0.0001 vCPU", None, None),
    ],
)
def test_size_forms(text: str, cpu: int | None, memory: int | None) -> None:
    assert (cpu_units(text), memory_mib(text)) == (cpu, memory)


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "nginx:1.27-alpine",
        "library/nginx@sha256:" + "a" * 64,
        "registry.example.org:5000/team/app_x/y--z:v1",
        "public.ecr.aws/docker/library/redis:7",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b:c@sha256:" + "0" * 64,
        "(known after apply: ecr_repository/web.uri):latest",
    ],
)
def test_image_references(image: str) -> None:
    definition = art()
    definition["containerDefinitions"][0]["image"] = image
    assert validate(definition) == []


@pytest.mark.parametrize(
    "source", ["db-password", "/app/db", "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/app/db"]
)
def test_secret_sources(source: str) -> None:
    definition = good("fargate-web.json")
    definition["containerDefinitions"][1]["secrets"][0]["valueFrom"] = source
    assert validate(definition) == []


def test_all_faults_come_at_once() -> None:
    definition = art()
    definition["family"] = "a b"
    definition["containerDefinitions"][0] |= {"imag": "x", "memory": "1", "healthCheck": {"command": []}}
    definition["containerDefinitions"].append({"name": "side", "image": "X", "memory": 8})
    assert {problem.path for problem in validate(definition)} == {
        "family",
        "containerDefinitions[sourcing-data-service].imag",
        "containerDefinitions[sourcing-data-service].memory",
        "containerDefinitions[sourcing-data-service].healthCheck.command",
        "containerDefinitions[side].image",
    }


def test_a_wrong_type_is_said_once() -> None:
    definition = good("fargate-web.json") | {"cpu": 512}
    assert [problem.path for problem in validate(definition)] == ["cpu"]


def test_the_values_of_variables_are_never_shown() -> None:
    definition = art()
    definition["containerDefinitions"][0]["environment"] = [{"name": "PASSWORD", "value": 918273}]
    assert "918273" not in str(validate(definition))


def test_a_problem_reads_as_path_and_message() -> None:
    assert str(Problem("cpu", "is required")) == "cpu: is required"
    assert str(Problem("", "too large")) == "too large"


class Reference:
    """Stands for an object that the plan resolves later."""


def test_what_is_known_after_apply_fits_everywhere() -> None:
    definition = good("fargate-web.json") | {
        "executionRoleArn": Reference(),
        "taskRoleArn": "(known after apply: iam_role/web.arn)",
    }
    definition["containerDefinitions"][1]["image"] = Reference()
    assert validate(definition) == []


GARBAGE: list[Any] = [
    None,
    True,
    0,
    -1,
    "",
    "x",
    [],
    [None],
    ["x"],
    [[]],
    {},
    {"a": None},
    {"name": 3},
    [{"name": None}],
    [{}],
]


@pytest.mark.parametrize("name", ["fargate-web.json", "fargate-worker-firelens.yml", "ec2-gpu-batch.json"])
def test_no_input_makes_it_fall_over(name: str) -> None:
    """Every value of a definition replaced by each kind of nonsense gives problems or none, never an exception."""
    sound = good(name)
    for path in _paths(sound):
        for nonsense in GARBAGE:
            definition = copy.deepcopy(sound)
            target: Any = definition
            for part in path[:-1]:
                target = target[part]
            target[path[-1]] = copy.deepcopy(nonsense)
            problems = validate(definition, launch_types=["FARGATE"])
            assert all(isinstance(problem, Problem) for problem in problems)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in [(*path, key), *_paths(item, (*path, key))]]


@pytest.mark.parametrize("value", [["hunter2"], {"a": "hunter2"}, "hunter2" * 10])
def test_values_of_environment_variables_are_in_no_message(value: Any) -> None:
    container = {"name": "web", "image": "web:1", "memory": 8, "environment": [{"name": "A", "value": value}]}
    found = validate({"family": "web", "containerDefinitions": [container]})
    assert "hunter2" not in str(found)
    assert bool(found) is not isinstance(value, str)
