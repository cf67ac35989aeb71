# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pipelines of docs/ci, which people copy: playbooks, options and variables in them exist, and nothing is open."""

from __future__ import annotations

import importlib.util
import json
import posixpath
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import Images
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment, parse
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam import Iam
from ansible_collections.dockyard.aws.plugins.module_utils.layers.plan_file import CHANGE_MEMBERS, MEMBERS

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "docs" / "ci"
GITHUB = sorted((CI / "github").glob("*.yml"))
GITLAB = sorted((CI / "gitlab").glob("*.yml"))
README = (CI / "README.md").read_text(encoding="utf-8")
PLAYBOOKS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").glob("*.yml")}
# Variables that the plan's action reads itself.
READ_BY_PLAN = {"plan_file"}
OPTIONS = {"--inventory", "--limit", "--check", "--diff", "-e"}
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}")


def name_of(path):
    return f"{path.parent.name}-{path.stem}"


def content(path):
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 takes GitHub's `on` for a truth value.
    return {"on" if key is True else key: value for key, value in loaded.items()}


def scripts(value):
    """All the texts of a pipeline."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)
    elif isinstance(value, str):
        yield value


def commands(path):
    lines = [line for text in scripts(content(path)) for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("ansible-playbook ")]


def jobs():
    return [(path, name, job) for path in GITHUB for name, job in content(path)["jobs"].items()]


@pytest.mark.parametrize("path", GITHUB + GITLAB, ids=name_of)
def test_playbooks_and_variables_exist(path):
    found = commands(path)
    assert found
    for command in found:
        playbook = command[1].removeprefix("dockyard.aws.")
        assert playbook in PLAYBOOKS, command
        assert {word for word in command if word.startswith("-")} <= OPTIONS
        for before, word in zip(command, command[1:], strict=False):
            if before == "-e":
                variable = word.split("=", 1)[0]
                assert variable in READ_BY_PLAN or re.search(rf"\b{variable}\b", PLAYBOOKS[playbook]), word


def test_every_report_of_the_readme_exists():
    rows = re.findall(r"^\| (`dockyard\.aws\.\w+`.*?) \| (`.*?`) \|", README, re.MULTILINE)
    found = [
        (name, variable)
        for names, settings in rows
        for name in re.findall(r"aws\.(\w+)", names)
        for variable in re.findall(r"-e (\w+)=", settings)
    ]
    assert len(found) == 8
    for playbook, variable in found:
        assert variable in PLAYBOOKS[playbook], (playbook, variable)


@pytest.mark.parametrize("path", GITHUB + GITLAB, ids=name_of)
def test_the_files_fit_the_schemas(path):
    pytest.importorskip("check_jsonschema", reason="needs check-jsonschema (make setup)")
    schema = ["vendor.github-workflows"] if path in GITHUB else ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", *schema, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("path", "name", "job"), jobs(), ids=lambda item: name_of(item) if isinstance(item, Path) else ""
)
def test_jobs_on_github_may_do_little_and_take_nothing_unseen(path, name, job):
    assert content(path)["permissions"] == {}
    assert job["permissions"].items() <= {"contents": "read", "id-token": "write", "pull-requests": "write"}.items()
    assert ("pull-requests" in job["permissions"]) == (path.stem == "plan")
    assert job["timeout-minutes"] and content(path)["concurrency"]["group"]
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(PINNED.fullmatch(item) for item in uses), uses
    # What people type or name gets into a shell only as an environment variable.
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]


def test_what_writes_to_aws_waits_its_turn_and_is_not_ended_halfway():
    for path in GITHUB:
        writes = [
            command for command in commands(path) if "--check" not in command and command[1] != "dockyard.aws.drift"
        ]
        assert content(path)["concurrency"]["cancel-in-progress"] == (not writes)
    groups = {path.stem: content(path)["concurrency"]["group"] for path in GITHUB}
    assert groups["deploy"] == groups["rollback"]
    service = content(CI / "gitlab" / "service.yml")
    assert service["deploy"]["extends"] == service["rollback"]["extends"] == ".ansible"
    assert service[".ansible"]["resource_group"] and not service[".ansible"]["interruptible"]


def test_no_pipeline_has_a_key():
    for path in GITHUB + GITLAB:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?i)aws_access_key|aws_secret|secret_access", text)
        assert ("id-token: write" in text) or ("id_tokens:" in text)


def test_every_variable_to_set_is_explained():
    used = {
        name for path in GITHUB for name in re.findall(r"(?:vars|secrets)\.(\w+)", path.read_text(encoding="utf-8"))
    }
    used |= {"PLAN_ROLE", "APPLY_ROLE", "DEPLOY_ROLE", "INVENTORY_PROJECT"}
    assert [name for name in sorted(used) if f"`{name}`" not in README] == []
    for path in [*GITHUB, *GITLAB]:
        assert f"({path.parent.name}/{path.name})" in README


def declarations_of_readme():
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]


def test_what_is_built_is_what_the_job_has_checked_out():
    """And nothing of the inventory lies in the folder that the image is made of."""
    (declared,) = (block for block in declarations_of_readme() if "image" in block)
    declaration, problems = parse(Images(), "lms-backend", declared["image"])
    assert not problems and list(Images().validate([declaration], Environment("lms"))) == []
    deploy = content(CI / "github" / "deploy.yml")
    checkouts = [step["with"] for step in deploy["jobs"]["deploy"]["steps"] if "checkout" in step.get("uses", "")]
    service, inventory = (given["path"] for given in checkouts)
    folder = Path(deploy["env"]["INVENTORY"]).parent
    assert folder.is_relative_to(inventory)
    assert posixpath.normpath(folder / declaration.options["builds"][0]["context"]) == service
    assert not Path(inventory).is_relative_to(service)


def test_the_roles_of_the_readme_are_right():
    """What they declare is accepted, and they trust what the pipelines say."""
    blocks = [block for block in declarations_of_readme() if "iam" in block]
    environment = Environment("lms", "eu-central-1", "123456789012")
    declarations = []
    for host, block in zip(("lms", "lms-backend"), blocks, strict=True):
        for role in block["iam"].get("deploy_roles", ()):
            role["remote_state"] = {"bucket": "lms-terraform-state"}
        declared, problems = parse(Iam(), host, block["iam"])
        assert not problems
        declarations.append(declared)
    assert list(Iam().validate(declarations, environment)) == []
    made = {
        item.name: item for one in declarations for item in Iam().resources(one, environment) if item.kind == "iam_role"
    }
    subjects = {
        name: role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["StringEquals"]
        for name, role in made.items()
    }
    ends = {
        name: [one.split(":", 2)[2] for one in value["token.actions.githubusercontent.com:sub"]]
        for name, value in subjects.items()
    }
    assert ends == {
        "lms-plan": ["ref:refs/heads/main", "pull_request"],
        "lms-apply": ["environment:production"],
        "lms-backend-deploy": ["environment:production"],
    }
    environments = {(path.stem, name): job.get("environment") for path, name, job in jobs()}
    assert environments == {
        ("apply", "plan"): None,
        ("apply", "apply"): "production",
        ("deploy", "deploy"): "production",
        ("drift", "drift"): None,
        ("plan", "plan"): None,
        ("rollback", "rollback"): "production",
    }


@pytest.fixture(scope="module")
def summary():
    spec = importlib.util.spec_from_file_location("ci_summary", CI / "ci" / "summary.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHANGE = {
    **dict.fromkeys(CHANGE_MEMBERS, ""),
    "action": "replace",
    "kind": "target_group",
    "name": "web",
    "layer": "alb",
    "host": "shop",
    "differences": [{"path": "Port", "before": 8080, "after": 8081, "replaces": True}],
}
PLAN = {
    **{name: kind() for name, kind in MEMBERS.items()},
    "status": "changes",
    "environment": "shop",
    "counts": {"create": 0, "update": 0, "replace": 1, "delete": 0, "adopt": 0, "unchanged": 7},
    "changes": [CHANGE],
    "warnings": ["web: cannot reach ECR"],
    "would_remove": [{"kind": "ecr_repository", "name": "old"}],
}
DEPLOYED = {
    "service": "shop/web",
    "status": "failed",
    "task_definition": "web:7",
    "previous_task_definition": "web:6",
    "images": {"web": {"image": "web@sha256:0"}},
    "error": "tasks keep dying\n  exit code 1",
}
LONG = {"Statement": [{"Action": ["x"] * 60, "Condition": {"StringEquals": {"sub": "the end"}}}]}
TRUST = {"Statement": [{"Principal": "*", **LONG["Statement"][0]}]}


def creating(document):
    change = {**CHANGE, "differences": [{"path": "Document", "before": None, "after": document, "replaces": False}]}
    return {**PLAN, "changes": [change]}


SUMMARIES = {
    "who gets in": (creating(TRUST), ["the end"]),
    "plan": (PLAN, ["**1 to replace**, 7 unchanged", "± target_group/web (alb, shop)", "Port: 8080 → 8081   # forces"]),
    "warnings": (PLAN, ["web: cannot reach ECR", "- ecr_repository/old"]),
    "nothing to do": ({**PLAN, "counts": {"unchanged": 3}, "changes": []}, ["**Nothing to do**, 3 unchanged"]),
    "no plan": ({**PLAN, "status": "error", "messages": ["web: ecr: no such layer"]}, ["No plan", "web: ecr: no such"]),
    "deploy": ({"services": [DEPLOYED]}, ["### shop/web: failed", "web:6 → web:7", "- web: `web@", "  exit code 1"]),
    "no deploy": ({"services": [], "msg": "no such image"}, ["Nothing was deployed", "no such image"]),
}


@pytest.mark.parametrize(("document", "expected"), SUMMARIES.values(), ids=SUMMARIES)
def test_the_summary(summary, tmp_path, document, expected):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document))
    text = summary.summary(path)
    assert [part for part in expected if part not in text] == []
    assert text.count("````") % 2 == 0


def test_what_is_long_is_cut_where_it_says_not_who_gets_in(summary, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(creating(LONG)))
    text = summary.summary(path)
    assert "…" in text and "the end" not in text


def test_the_summary_without_a_file_and_of_a_huge_plan(summary, tmp_path):
    assert "the log says why" in summary.summary(tmp_path / "none.json")
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**PLAN, "changes": [CHANGE] * 2000}))
    text = summary.summary(path)
    assert len(text) < 65536 and text.count("````") == 2
