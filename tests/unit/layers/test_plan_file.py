# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a saved plan: what it holds, what is refused, and in which words."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import plan_comparison, plan_file, saved_plan
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.plan_file import PlanFileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Change,
    Difference,
    Observed,
    Problem,
    Ref,
    Resource,
    Text,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan

ROOT = Path(__file__).resolve().parents[3]
PARAMS = {
    "environment_name": "art",
    "state": "present",
    "adopt": True,
    "ownership_tags": True,
    "remote_state": {"bucket": "states", "lock_table": "locks", "lock_timeout": 0},
    "parallelism": 16,
    "strict": False,
}
WHERE = Environment("art", "eu-west-1", "123456789012")
SECRET = "hunter2-hunter2"


def resource(name, layer="ecr", host="web", kind="ecr_repository", **more):
    image = Text("{}:latest", (Ref("ecr_repository", "base", "uri", where="ecr.repositories[0]"),))
    properties = {"imageTagMutability": "MUTABLE", "image": image, **more.pop("properties", {})}
    return Resource(kind, name, properties, layer, host, where=f"ecr.{name}", tags={"Team": "one"}, **more)


def update(item, *fields, action="update", **more):
    observed = Observed(item.name, {}, {"id": f"id-of-{item.name}"})
    return Change(action, item, differences=[Difference(*field) for field in fields], observed=observed, **more)


def planned(*changes, where=WHERE, layers=("ecr", "ecs"), hosts=("api", "web"), warnings=(), params=None):
    """A plan by its changes."""
    plan = Plan({change.resource.address: change.resource for change in changes}, list(changes))
    plan.warnings = [Problem("web", "ecr", text) for text in warnings]
    return running.PlannedRun(dict(params or PARAMS), list(layers), list(hosts), plan, where=where)


def example(**more):
    return planned(
        Change("create", resource("new")),
        update(resource("old"), ("imageTagMutability", "MUTABLE", "IMMUTABLE"), ("scan", None, True), notes=["kept"]),
        update(resource("gone", host="api"), action="delete", reason="destroy"),
        Change("none", resource("same"), observed=Observed("same", {}, {})),
        warnings=["is slow"],
        **more,
    )


def rendered(run, hidden=(), like=None):
    return plan_file.render(run, running.planned_result(run), hidden, like)


def moved(before, after, hidden=()):
    """What a run says that makes the plan `after`, with the file of the plan `before`."""
    saved = plan_file.parse(plan_file.dump(rendered(before, hidden)), "plan.json")
    return plan_comparison.moved(saved, rendered(after, hidden, like=saved))


SAVED = rendered(example())


def test_what_a_pipeline_reads():
    assert (SAVED["status"], SAVED["environment"], SAVED["account_id"]) == ("changes", "art", "123456789012")
    assert SAVED["counts"] == {"create": 1, "update": 1, "replace": 0, "delete": 1, "adopt": 0, "unchanged": 1}
    assert SAVED["warnings"] == ["web: ecr: is slow"]
    nothing = rendered(planned(Change("none", resource("same"), observed=Observed("same", {}, {}))))
    assert (nothing["status"], nothing["changes"], nothing["counts"]["unchanged"]) == ("unchanged", [], 1)
    assert SAVED["changes"][1]["differences"][0] == {
        "path": "imageTagMutability",
        "before": "MUTABLE",
        "after": "IMMUTABLE",
    }
    assert SAVED["changes"][2]["id"] == "id-of-gone"


def test_it_is_sorted_json_that_reads_back():
    text = plan_file.dump(SAVED)
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert plan_file.parse(text, "plan.json") == SAVED


def test_the_version_is_that_of_the_collection():
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert ("dockyard.aws", galaxy["version"]) == (plan_file.COLLECTION, plan_file.COLLECTION_VERSION)


def test_the_same_plan_is_followed():
    assert moved(example(), example()) == []


def test_what_moves_by_itself_is_no_other_plan():
    after = example(params={**PARAMS, "parallelism": 2, "strict": True})
    after.plan.warnings, after.plan.left_alone = [], ["vpc/other: not tagged as this environment's"]
    after.plan.changes[1].notes = ["7 in AWS"]
    after.params["remote_state"] = {**PARAMS["remote_state"], "lock_timeout": 60}
    for item in after.plan.resources.values():
        item.where = "elsewhere"
    assert moved(example(), after) == []


def places(value, path=()):
    """Every member at every depth."""
    if path:
        yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from places(inner, (*path, key))


def other(value):
    """Another value of the same type."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, dict):
        return {**value, "more": 1}
    return [*value, "more"] if isinstance(value, list) else value + 1 if isinstance(value, int) else f"{value}x"


def tampered(path, change):
    document = copy.deepcopy(SAVED)
    place = document
    for key in path[:-1]:
        place = place[key]
    change(place, path[-1])
    return document


def change_value(members, key):
    members[key] = other(members[key])


def remove(members, key):
    del members[key]


PLACES = list(places(SAVED))


@pytest.mark.parametrize("change", [change_value, remove])
@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_a_file_that_was_tampered_with_is_refused(path, change):
    text = plan_file.dump(tampered(path, change))
    with pytest.raises(PlanFileError, match=r"plan\.json .*(is no saved plan|has the format|was changed after)"):
        plan_file.parse(text, "plan.json")


@pytest.mark.parametrize("change", [change_value, remove])
@pytest.mark.parametrize(
    "path", [path for path in PLACES if path != ("checksum",)], ids=lambda p: ".".join(map(str, p))
)
def test_a_checksum_that_fits_does_not_help(path, change):
    document = tampered(path, change)
    document["checksum"] = plan_file._checksum(document)
    try:
        saved = plan_file.parse(plan_file.dump(document), "plan.json")
    except PlanFileError:
        return
    assert plan_comparison.moved(saved, rendered(example(), like=saved)) != []


@pytest.mark.parametrize(
    "path", [(name,) for name in SAVED] + [("changes", 1), ("changes", 1, "differences", 0, "path")]
)
@pytest.mark.parametrize("value", [None, 1, True, "x", [1], [[]], {"a": 1}], ids=repr)
def test_anything_in_any_place_is_an_error_and_no_crash(path, value):
    document = tampered(path, lambda place, key: place.update({key: value}) if isinstance(place, dict) else None)
    if path == ("changes", 1):
        document["changes"][1] = value
    document["checksum"] = plan_file._checksum(document)
    try:
        saved = plan_file.parse(plan_file.dump(document), "plan.json")
    except PlanFileError:
        return
    if path != ("checksum",) and plan_file.dump(document) != plan_file.dump(SAVED):
        assert plan_comparison.moved(saved, rendered(example(), like=saved)) != []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no saved plan"),
        ("[]", "is no saved plan"),
        ('{"version": 4}', "is no saved plan"),
        (plan_file.dump(SAVED)[:-20], "is no saved plan"),
        ("[" * 100_000, "is no saved plan"),
        (plan_file.dump({**SAVED, "format": 2}), "has the format 2, and this version of the collection knows format 1"),
        (plan_file.dump({**SAVED, "more": 1}), "was changed after it was made"),
        (
            plan_file.dump(plan_file.render_error(["vpc: is wrong"])),
            "holds no plan, because planning failed at 2.*\n  - vpc",
        ),
    ],
    ids=["empty", "list", "terraform", "truncated", "deep", "newer", "longer", "error"],
)
def test_what_is_no_plan_is_refused_with_what_to_do(text, message):
    with pytest.raises(PlanFileError, match=f"(?s)plan_file: p.json {message}.*--check -e plan_file=p.json"):
        plan_file.parse(text, "p.json")


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (
            {"where": replace(WHERE, account_id="999999999999")},
            "AWS account: planned for 123456789012, this run is for 9+",
        ),
        ({"where": replace(WHERE, region="us-east-1")}, "region: planned for eu-west-1, this run is for us-east-1"),
        (
            {"params": {**PARAMS, "environment_name": "lms"}},
            "dockyard_environment: planned for art, this run is for lms",
        ),
        ({"layers": ["ecr"]}, r"layers: planned with ecs \(select the same with --tags and --skip-tags\)"),
        ({"layers": ["ecr", "ecs", "alb"]}, r"layers: planned without alb \("),
        ({"hosts": ["web"]}, r"hosts: planned with api \(select the same with --limit\)"),
        ({"hosts": ["db", "web"]}, r"hosts: planned with api and planned without db \("),
        ({"params": {**PARAMS, "state": "absent"}}, "state: planned with present, now absent"),
        ({"params": {**PARAMS, "adopt": False}}, "dockyard_adopt: planned with true, now false"),
        ({"params": {**PARAMS, "ownership_tags": False}}, "dockyard_ownership_tags: planned with true, now false"),
        (
            {"params": {**PARAMS, "remote_state": {"bucket": "others", "lock_timeout": 1}}},
            "dockyard_remote_state.bucket: planned with states, now others",
        ),
        ({"params": {**PARAMS, "remote_state": None}}, r"dockyard_remote_state: planned with .*states.*, now \(none\)"),
    ],
)
def test_another_selection_is_another_plan(after, message):
    (said,) = moved(example(), example(**after))
    assert re.match(message, said), said


OLD = ("imageTagMutability", "MUTABLE", "IMMUTABLE")
SAME = Change("none", resource("same"), observed=Observed("same", {}, {}))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            [SAME],
            [SAME, Change("none", resource("b"))],
            ["inventory: web declares ecr_repository/b, which it did not when planned"],
        ),
        ([SAME, Change("none", resource("b"))], [SAME], ["inventory: web declares ecr_repository/b no more"]),
        (
            [SAME, update(resource("a"), OLD)],
            [SAME, update(resource("a", properties={"scan": True}), OLD)],
            ["inventory: web declares ecr_repository/a differently"],
        ),
        (
            [SAME, update(resource("a"), OLD)],
            [SAME, update(resource("a", options={"force_delete": True}), OLD)],
            ["inventory: web declares ecr_repository/a differently"],
        ),
        (
            [SAME, Change("none", resource("b"))],
            [Change("none", replace(item, tags={})) for item in (resource("same"), resource("b"))],
            ["inventory: all 2 resources are declared differently (dockyard_tags?)"],
        ),
        (
            [SAME],
            [update(SAME.resource, ("scan", False, True), ("x", None, [1]))],
            ["ecr_repository/same: nothing planned, now update (scan false → true, x (none) → [1])"],
        ),
        ([SAME], [Change("create", SAME.resource)], ["ecr_repository/same: nothing planned, now create"]),
        (
            [SAME, update(resource("a"), OLD), update(resource("b"), OLD)],
            [SAME, Change("none", resource("a")), update(resource("b"), OLD)],
            ["ecr_repository/a: planned update (imageTagMutability MUTABLE → IMMUTABLE), now nothing to do"],
        ),
        (
            [update(resource("a"), OLD), update(resource("b"), OLD)],
            [Change("none", resource("a")), Change("none", resource("b"))],
            ["nothing of it is left to do: it was carried out already"],
        ),
        (
            [update(resource("a"), OLD)],
            [Change("create", resource("a"))],
            ["ecr_repository/a: planned update (imageTagMutability MUTABLE → IMMUTABLE), now create"],
        ),
        (
            [update(resource("a"), ("count", 1, 2))],
            [update(resource("a"), ("count", 3, 2))],
            ["ecr_repository/a: count was 1 in AWS when planned, now 3"],
        ),
        (
            [update(resource("a"), ("count", 1, 2))],
            [update(resource("a"), ("count", 1, 4))],
            ["ecr_repository/a: count was planned to become 2, now 4"],
        ),
        (
            [update(resource("a"), ("count", 1, 2), OLD)],
            [update(resource("a"), OLD, ("scan", None, True))],
            [
                "ecr_repository/a: count was planned 1 → 2, now nothing to do",
                "ecr_repository/a: scan was as declared when planned, now (none) → true",
            ],
        ),
        (
            [update(resource("a"), OLD)],
            [update(resource("a"), OLD, reason="drift")],
            ["ecr_repository/a: reason was configuration when planned, now drift"],
        ),
        (
            [update(resource("a"), action="delete")],
            [Change("delete", resource("a"), observed=Observed("a", {}, {"id": "another"}))],
            ["ecr_repository/a: id was id-of-a when planned, now another"],
        ),
        (
            [update(resource("a"), OLD)],
            [update(resource("a"), OLD, action="adopt")],
            [
                "ecr_repository/a: planned update (imageTagMutability MUTABLE → IMMUTABLE), "
                "now adopt (imageTagMutability MUTABLE → IMMUTABLE)"
            ],
        ),
    ],
)
def test_what_moved_is_said(before, after, said):
    assert moved(planned(*before), planned(*after)) == said


def test_secrets_are_not_in_the_file_and_yet_compared():
    def run(secret):
        return planned(update(resource("a"), ("password", None, secret)), SAME)

    saved = rendered(run(SECRET), [SECRET])
    assert SECRET not in plan_file.dump(saved)
    assert plan_comparison.moved(saved, rendered(run(SECRET), [SECRET], like=saved)) == []
    said = plan_comparison.moved(saved, rendered(run("other-secret"), ["other-secret"], like=saved))
    assert said == ["ecr_repository/a: planned update, now update with another value that is not shown"]


def test_secrets_are_not_in_the_messages_of_a_file():
    saved = plan_file.render_error([f"is {SECRET}, wrong"], [SECRET])
    assert (saved["status"], len(saved["messages"])) == ("error", 1)
    assert SECRET not in plan_file.dump(saved)


def test_digests_are_salted():
    one, two = rendered(example()), rendered(example())
    pairs = [(one["resources"][name]["digest"], two["resources"][name]["digest"]) for name in one["resources"]]
    assert all(a != b for a, b in pairs)


def place(tmp_path, kind):
    path = tmp_path / "plan.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "missing folder":
        path = tmp_path / "no" / "plan.json"
    elif kind == "file for a folder":
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "plan.json"
    elif kind == "playbook":
        path.write_text("- hosts: all\n")
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("folder", "it is a folder"),
        ("missing folder", "there is no folder"),
        ("file for a folder", "there is no folder"),
        ("playbook", "there is a file that is no saved plan; it is left as it is"),
    ],
)
def test_a_place_where_no_plan_can_be_saved_is_refused(tmp_path, kind, message):
    path = place(tmp_path, kind)
    before = sorted(tmp_path.rglob("*")), path.read_text() if path.is_file() else None
    with pytest.raises(PlanFileError, match=f"the plan cannot be saved in {path}: {message}"):
        saved_plan.check_place(str(path))
    assert message in saved_plan.write_error(str(path), ["no"])
    assert before == (sorted(tmp_path.rglob("*")), path.read_text() if path.is_file() else None)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    saved_plan.write(str(path), SAVED)

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plan_file, "dump", full)
    with pytest.raises(PlanFileError, match="cannot be saved in .*: No space left on device"):
        saved_plan.write(str(path), SAVED)
    assert list(tmp_path.iterdir()) == [path] and json.loads(path.read_text()) == SAVED


@pytest.mark.parametrize("before", [None, "", "a plan", "an error"])
def test_it_is_written_for_nobody_else_and_over_older_ones(tmp_path, before):
    path = tmp_path / "plan.json"
    if before == "":
        path.touch(mode=0o644)
    elif before is not None:
        saved_plan.write(str(path), plan_file.render_error(["no"]) if before == "an error" else SAVED)
    saved_plan.write(str(path), SAVED)
    assert path.stat().st_mode & 0o777 == 0o600
    assert saved_plan.read(str(path)) == SAVED
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", " "])
def test_a_name_that_is_empty_is_no_run_without_a_file(name):
    for check_mode in (True, False):
        with pytest.raises(PlanFileError, match="plan_file is empty: name the file"):
            saved_plan.plan({**PARAMS, "plan_file": name}, check_mode, print)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("none", "does not exist"), ("folder", "cannot be read: Is a dir"), ("playbook", "is no saved plan")],
)
def test_a_file_that_cannot_be_read_stops_the_run_before_aws_is_asked(tmp_path, kind, message):
    path = place(tmp_path, kind)
    with pytest.raises(PlanFileError, match=f"plan_file: {path} {message}"):
        saved_plan.plan({**PARAMS, "plan_file": str(path)}, False, print)


def test_offline_makes_no_plan_to_save():
    with pytest.raises(PlanFileError, match="plan_file .'plan.json'. is of no use with offline"):
        saved_plan.run_plan({**PARAMS, "offline": True, "plan_file": "plan.json"}, True, print)


def test_the_module_saves_that_planning_failed(tmp_path, monkeypatch):
    def fail(*_arguments):
        raise RuntimeError("no network")

    monkeypatch.setattr(running, "plan", fail)
    path = tmp_path / "plan.json"
    for check_mode in (False, True):
        with pytest.raises((RuntimeError, PlanFileError)):
            saved_plan.run_plan({**PARAMS, "offline": False, "plan_file": str(path)}, check_mode, print)
        assert path.exists() == check_mode
    assert json.loads(path.read_text())["messages"] == ["no network"]
