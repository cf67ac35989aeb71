# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A website in the shared state: what is remembered of it, its drift, its end; and its saved plan."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import drift_run, saved_plan
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.plan_file import PlanFileError
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art
from tests.integration.test_state_runs import BUCKET, SETTING

NAME = "www.dockyard.example"
KINDS = (
    "cloudfront_distribution",
    "cloudfront_origin_access_control",
    "s3_bucket",
    "s3_bucket_policy",
    "s3_site_files",
)
DECLARED = {"static_site": {"front-end": {"sites": [{"name": NAME, "files": {"source": "site"}, "cloudfront": {}}]}}}
SITE = Path(__file__).parent / "files" / "site"


@pytest.fixture
def inventory(tmp_path):
    shutil.copytree(SITE, tmp_path / "one" / "site")
    return tmp_path / "one"


@pytest.fixture
def options(runner, inventory):
    """The site, made and recorded."""
    runner.make(art.declared("state_bucket"))
    options = {"base_dir": str(inventory), "remote_state": SETTING}
    runner.make(DECLARED, **options)
    return options


@pytest.fixture
def s3(emulator):
    return emulator.client("s3")


def writes(runner):
    return [item["action"] for item in runner.emulator.calls()["calls"] if item["mutating"]]


def memory(s3):
    return s3.get_object(Bucket=BUCKET, Key=Paths().memory("static_site"))["Body"].read().decode()


def test_all_of_it_is_remembered_but_not_where_the_folder_lies(s3, options, inventory):
    text = memory(s3)
    assert sorted(address.split("/")[0] for address in json.loads(text)["dockyard"]["resources"]) == sorted(KINDS)
    assert "assets/app.js" in text
    assert str(inventory) not in text


def test_the_same_folder_in_another_place_changes_nothing(runner, options, inventory, tmp_path):
    options["base_dir"] = str(shutil.copytree(inventory, tmp_path / "two"))
    runner.emulator.reset_calls()
    assert runner.run(DECLARED, **options).planned == []
    assert writes(runner) == []


def drift(runner, options):
    limits = {"hosts": None, "layers": ["static_site"], "report": None, "junit": None}
    params = {**runner.params(DECLARED, **options), **limits}
    found = drift_run.run(params, runner.progress.append)["findings"]
    return [(item["address"].split("/")[0], item["what"], item["path"]) for item in found]


def test_no_drift_where_nobody_did_anything(runner, options):
    assert drift(runner, options) == []


def test_what_others_did_to_the_files_is_drift(runner, s3, options):
    s3.put_object(Bucket=NAME, Key="index.html", Body=b"else", ContentType="text/html; charset=utf-8")
    s3.delete_object(Bucket=NAME, Key="404.html")
    assert sorted(drift(runner, options)) == [
        ("s3_site_files", "changed", "Files[404.html]"),
        ("s3_site_files", "changed", "Files[index.html].SHA256"),
        ("s3_site_files", "changed", "Manifest"),
    ]
    (change,) = runner.make(DECLARED, **options).changes
    assert change["reason"] == "drift"
    assert drift(runner, options) == []


def test_it_is_destroyed_from_the_memory_alone(runner, s3, options):
    destroyed = runner.make({"static_site": {}}, state="absent", **options)
    assert sorted(kind for _action, kind, _name in destroyed.done) == sorted(KINDS)
    assert NAME not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}


def test_a_host_that_left_the_inventory_is_pruned(runner, options):
    pruned = runner.make({"static_site": {}}, prune=True, **options)
    assert {(action, kind) for action, kind, _name in pruned.done} == {("delete", kind) for kind in KINDS}


def test_what_is_declared_no_more_goes_back(runner, options):
    changed = copy.deepcopy(DECLARED)
    site = changed["static_site"]["front-end"]["sites"][0]
    site["files"]["headers"] = [{"pattern": "*", "cache_control": "no-cache"}]
    runner.make(changed, **options)
    back = runner.make(DECLARED, **options).change(f"s3_site_files/{NAME}")
    assert {item["after"] for item in back["differences"]} == {None}
    assert len(back["differences"]) == 5


def saved(runner, path, base_dir, check_mode):
    params = runner.params(DECLARED, base_dir=str(base_dir), plan_file=str(path), strict=False, prune=False)
    return saved_plan.plan(params, check_mode, runner.progress.append)


def test_a_saved_plan_is_carried_out_from_another_place(runner, inventory, tmp_path):
    saved(runner, tmp_path / "plan.json", inventory, True)
    elsewhere = shutil.copytree(inventory, tmp_path / "two")
    planned = saved(runner, tmp_path / "plan.json", elsewhere, False)
    assert running.carry_out(planned, "static_site", planned.hosts, runner.progress.append)["failures"] == {}
    assert runner.plan(DECLARED, base_dir=str(inventory)).plan.pending() == []


def test_a_saved_plan_is_refused_where_a_file_is_another(runner, inventory, tmp_path):
    saved(runner, tmp_path / "plan.json", inventory, True)
    (inventory / "site" / "index.html").write_text("else")
    with pytest.raises(PlanFileError, match=f"declares s3_site_files/{NAME} differently"):
        saved(runner, tmp_path / "plan.json", inventory, False)
