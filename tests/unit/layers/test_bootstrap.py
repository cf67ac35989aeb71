# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of bootstrap that need no AWS."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap import access, identity, versions

ROOT = Path(__file__).resolve().parents[3]


def test_the_least_versions_are_those_that_the_collection_names_elsewhere():
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    assert {name: f">={least},<{below}" for name, (least, below) in versions.COLLECTIONS.items()} == galaxy[
        "dependencies"
    ]
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())
    assert runtime["requires_ansible"] == f">={versions.ANSIBLE}"
    assert f"boto3>={versions.SDK}" in (ROOT / "requirements.txt").read_text()
    assert versions.version_of("dockyard.aws") == galaxy["version"]
    assert re.fullmatch(r"10\.\d+\.\d+", versions.version_of("amazon.aws"))
    assert versions.version_of("no.such") == ""


@pytest.mark.parametrize(
    ("name", "value", "check", "todo"),
    [
        ("ANSIBLE", "9.0", "ansible-core", "pip install 'ansible-core>=9.0'"),
        ("SDK", "9.0", "boto3", "pip install 'boto3>=9.0'"),
        ("PYTHON", "9.0", "Python", "Python 9.0 or newer"),
        ("COLLECTIONS", {"amazon.aws": ("1.0.0", "2.0.0")}, "amazon.aws", "'amazon.aws:>=1.0.0,<2.0.0'"),
    ],
)
def test_what_is_too_old_says_how_to_renew_it(monkeypatch, name, value, check, todo):
    assert {item.status for item in versions.check()} == {"ok"}
    monkeypatch.setattr(versions, name, value)
    [wrong] = [item for item in versions.check() if item.status != "ok"]
    assert (wrong.name, wrong.status) == (check, "failed") and todo in wrong.todo


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Sun, 22 Nov 2026 12:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 11:50:00 GMT", 600),
        ("Sun, 22 Nov 2026 12:00:40 GMT", -40),
        ("nonsense", None),
        (None, None),
    ],
)
def test_the_clock_is_compared_with_the_answers_date(date, skew):
    answer = {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}
    assert identity._skew(answer, datetime(2026, 11, 22, 12, tzinfo=UTC)) == skew


@pytest.mark.parametrize(("skew", "status"), [(3, "ok"), (-45, "note"), (900, "failed")])
def test_a_clock_that_is_wrong_is_said(skew, status):
    [check] = identity._clock(skew)
    assert check.status == status and (status == "ok" or "NTP" in check.todo)


@pytest.mark.parametrize("ignores", [True, False])
def test_a_store_that_does_not_look_at_conditions_is_refused(ignores):
    """Some stores that speak S3 write whatever the condition is; documents and locks would be worth nothing there."""

    def refused(**arguments):
        raise exceptions.ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")

    calls = []
    names = ("list_objects_v2", "list_object_versions", "get_object", "delete_object", "put_object")
    client = SimpleNamespace(**{name: lambda name=name, **arguments: calls.append(name) for name in names})
    if not ignores:
        client.put_object = refused
    found = access.bucket_access(SimpleNamespace(client=lambda service: client, layer="state_bucket"), "b", "k")
    assert found.status == ("failed" if ignores else "ok")
    if ignores:
        assert "conditional writes" in found.todo and calls[-2:] == ["put_object", "delete_object"]
