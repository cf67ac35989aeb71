# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift, from what is recorded and observed to findings, lines and files."""

from __future__ import annotations

import json
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import (
    drift,
    drift_report,
    drift_run,
    module,
    untracked,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.drift import Comparison, Finding, Recorded
from ansible_collections.dockyard.aws.plugins.module_utils.layers.untracked import Tagged, Untracked
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Observed, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry
from ansible_collections.dockyard.aws.plugins.plugin_utils.drift_view import drift_lines

WEB = Address("thing", "web")
ARN = "arn:aws:thing:eu-west-1:1:web"


class Thing(Kind):
    kind, label = "thing", "thing"
    defaults = {"Note": ""}

    def canonical(self, properties):
        return {name: sorted(value) if name == "Groups" else value for name, value in properties.items()}

    def shown(self, differences):
        return [item._replace(after="(sensitive)") if item.path == "Password" else item for item in differences]


class Family(Kind):
    kind, label = "family", "family"
    volatile = frozenset({"arn", "revision"})


class Untaggable(Kind):
    kind, label, taggable = "part", "part", False


class Named(Kind):
    kind, label, named_by_tag = "named", "named", True


KINDS = {kind.kind: kind() for kind in (Thing, Family, Untaggable, Named)}


def entry(**values):
    return Entry(**{"host": "h", "attributes": {"id": "i-1", "arn": ARN}, "properties": {"Size": 1}, **values})


def observed(address=WEB, **values):
    whole = {"properties": {"Size": 1}, "attributes": {"id": "i-1", "arn": ARN}, "tags": {}, **values}
    return Observed(address.name, **whole)


def compare(recorded, found, environment=""):
    recorded = {address: Recorded("layer", item) for address, item in recorded.items()}
    findings = Comparison(KINDS, recorded, found, environment).findings(recorded)
    return [(item.what, item.path, item.applied, item.now) for item in findings]


@pytest.mark.parametrize(
    ("applied", "now", "expected"),
    [
        ({}, {}, []),
        ({}, {"properties": {"Size": 2}}, [("changed", "Size", 1, 2)]),
        ({}, {"properties": {"Size": 1, "Colour": "red"}}, []),
        ({}, {"properties": {}}, [("changed", "Size", 1, None)]),
        ({"properties": {"Groups": ["a", "b"]}}, {"properties": {"Groups": ["b", "a"]}}, []),
        ({"properties": {"Password": "old"}}, {"properties": {"Password": "x"}}, [
            ("changed", "Password", "(sensitive)", "x")
        ]),
        ({"create_only": {"Size": "the autoscaler"}}, {"properties": {"Size": 2}}, []),
        ({"create_only": {"Siz": "nobody"}}, {"properties": {"Size": 2}}, [("changed", "Size", 1, 2)]),
        ({"tags": {"Team": "a"}}, {"tags": {"Team": "b", "More": "c"}}, [("changed", "tags.Team", "a", "b")]),
        ({"tags": {"Team": "a"}}, {"tags": None}, []),
        ({}, {"attributes": {"id": "i-2", "arn": ARN}}, [("recreated", "id", "i-1", "i-2")]),
        ({}, {"attributes": {"id": "i-1", "arn": f"{ARN}2"}}, [("recreated", "arn", ARN, f"{ARN}2")]),
        ({"pending": "create", "attributes": {}}, {"properties": {"Size": 9}}, [("pending", "", None, "i-1")]),
        ({}, {"exists": False}, [("gone", "", "i-1", None)]),
    ],
)  # fmt: skip
def test_a_thing(applied, now, expected):
    assert compare({WEB: entry(**applied)}, {WEB: observed(**now)}) == expected


def test_a_thing_that_is_not_there():
    assert compare({WEB: entry()}, {}) == [("gone", "", "i-1", None)]
    assert compare({WEB: entry(pending="create", attributes={})}, {}) == [("pending", "", None, None)]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"dockyard:name": "web", "dockyard:environment": "art"}, []),
        ({"dockyard:name": "web", "dockyard:environment": "art", "Name": "theirs"}, []),
        ({"dockyard:environment": "art", "Name": "other"}, [("changed", "tags.Name", "web", "other")]),
    ],
)
def test_what_was_adopted_keeps_the_name_tag_that_it_has(tags, expected):
    named = Address("named", "web")
    recorded = entry(tags={"Name": "web"})
    assert compare({named: recorded}, {named: observed(named, tags=tags)}, "art") == expected


def test_the_ownership_tag_belongs_to_what_was_applied():
    assert compare({WEB: entry()}, {WEB: observed(tags={"dockyard:environment": "art"})}, "art") == []
    expected = [("changed", "tags.dockyard:environment", "art", None)]
    assert compare({WEB: entry()}, {WEB: observed()}, "art") == expected
    part = Address("part", "web")
    assert compare({part: entry()}, {part: observed(part)}, "art") == []


def family(revision):
    return {"id": f"{ARN}:{revision}", "arn": f"{ARN}:{revision}", "revision": revision}


@pytest.mark.parametrize(
    ("recorded", "runs", "latest", "expected"),
    [
        (1, 1, 1, []),
        (1, 2, 2, []),
        (1, 1, 2, []),
        (2, 1, 2, [("changed", "Task", f"{ARN}:2", f"{ARN}:1")]),
        (1, 2, 3, [("changed", "Task", f"{ARN}:1", f"{ARN}:2")]),
    ],
)
def test_what_follows_the_newest_revision(recorded, runs, latest, expected):
    tasks = Address("family", "web")
    entries = {
        tasks: entry(attributes=family(recorded), properties={}),
        WEB: entry(properties={"Task": f"{ARN}:{recorded}"}, needs=(tasks,)),
    }
    now = {tasks: observed(tasks, attributes=family(latest)), WEB: observed(properties={"Task": f"{ARN}:{runs}"})}
    assert compare(entries, now) == expected


def test_a_number_is_no_revision():
    tasks = Address("family", "web")
    entries = {tasks: entry(attributes=family(1), properties={}), WEB: entry(needs=(tasks,))}
    now = {tasks: observed(tasks, attributes=family(2)), WEB: observed(properties={"Size": 2})}
    assert compare(entries, now) == [("changed", "Size", 1, 2)]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({}, []),
        ({"properties": {"Size": 2}}, [WEB]),
        ({"properties": {"Size": 2}, "create_only": {"Size": "somebody"}}, []),
        ({"tags": {"a": "b"}}, [WEB]),
        ({"properties": {"Size": 1, "Of": Ref("part", "p")}}, [WEB]),
        ({"properties": {"Size": 1, "Of": Ref("part", "elsewhere")}}, []),
        ({"name": "new"}, [Address("thing", "new"), WEB]),
    ],
)
def test_what_changed_in_the_inventory(declared, expected):
    recorded = {
        WEB: Recorded("layer", entry(properties={"Size": 1, "Note": "x"} if "Note" in declared else {"Size": 1})),
        Address("part", "p"): Recorded("layer", entry(pending="create")),
    }
    resources = [Resource("thing", **{"name": "web", "properties": {"Size": 1}, **declared}), Resource("part", "p", {})]
    assert drift.changed_in_inventory(resources, recorded, KINDS, whole=True) == expected


def test_a_field_that_is_declared_no_more_changed_in_the_inventory():
    recorded = {WEB: Recorded("layer", entry(properties={"Size": 1, "Note": "x"}))}
    resources = [Resource("thing", "web", {"Size": 1})]
    assert drift.changed_in_inventory(resources, recorded, KINDS, whole=True) == [WEB]
    assert drift.changed_in_inventory([], recorded, KINDS, whole=True) == [WEB]
    assert drift.changed_in_inventory([], recorded, KINDS, whole=False) == []


def recorded_things():
    things = {
        WEB: {"id": "i-1", "arn": ARN},
        Address("vpc", "art"): {"id": "vpc-1"},
        Address("ecs_task_definition", "web"): {"id": "x", "arn": "x"},
        Address("auto_scaling_group", "web"): {"id": "web", "name": "web"},
        Address("launch_template", "web"): {"id": "lt-1", "name": "web"},
        Address("ecs_cluster", "main"): {"name": "main"},
    }
    return {address: Recorded("layer", entry(attributes=attributes)) for address, attributes in things.items()}


EC2, ECS = "arn:aws:ec2:eu-west-1:1", "arn:aws:ecs:eu-west-1:1"


@pytest.mark.parametrize(
    ("arn", "tags", "stray"),
    [
        (ARN, {}, False),
        (f"{ARN}:*", {}, False),
        (f"{ARN}er", {}, True),
        (f"{EC2}:vpc/vpc-1", {}, False),
        (f"{EC2}:vpc/vpc-12", {}, True),
        (f"{EC2}:security-group-rule/sgr-1", {}, False),
        (f"{EC2}:instance/i-9", {}, True),
        (f"{EC2}:instance/i-9", {"aws:autoscaling:groupName": "web"}, False),
        (f"{EC2}:instance/i-9", {"aws:autoscaling:groupName": "other"}, True),
        (f"{EC2}:instance/i-9", {"aws:ec2launchtemplate:id": "lt-1"}, False),
        (f"{EC2}:network-interface/eni-9", {"aws:ecs:clusterName": "main"}, False),
        (f"{ECS}:task-definition/web:3", {}, False),
        (f"{ECS}:task-definition/web-2:3", {}, True),
        (f"{ECS}:task/main/0123", {}, False),
        (f"{ECS}:service/main/web", {}, True),
        ("arn:aws:s3:::bucket", {}, True),
        ("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/new/1", {}, False),
    ],
)
def test_what_is_untracked(arn, tags, stray):
    now = {WEB: observed(attributes={"id": "n", "arn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/new/1"})}
    found = untracked.untracked([Tagged(arn, tags), Tagged(arn, tags)], recorded_things(), now)
    assert found == Untracked([arn] if stray else [], [])


def test_old_copies_have_a_list_of_their_own():
    copy = Tagged(f"{EC2}:vpc/vpc-9", {"dockyard:superseded": "true"})
    assert untracked.untracked([copy], recorded_things(), {}) == Untracked([], [copy.arn])


@pytest.mark.parametrize(
    ("arn", "name", "found"),
    [(f"{EC2}:vpc/vpc-1", "other", True), (f"{EC2}:vpc/vpc-1", "art", False), (f"{EC2}:vpc/vpc-2", "other", False)],
)
def test_what_is_there_under_another_name(arn, name, found):
    address = Address("vpc", "art")
    recorded = {address: Recorded("network", entry(attributes={"id": "vpc-1"}, tags={"Name": "art"}))}
    renamed = untracked.renamed([Tagged(arn, {"Name": name})], recorded, [address])
    assert list(renamed) == ([(address, arn, name)] if found else [])


class Client:
    """Answers paginated calls and keeps what was asked."""

    def __init__(self, asked, service, region):
        self.asked, self.place = asked, (service, region)

    def get_paginator(self, operation):
        def paginate(**arguments):
            self.asked.append((*self.place, operation, arguments.get("ResourceTypeFilters")))
            return []

        return SimpleNamespace(paginate=paginate)


@pytest.mark.parametrize(
    ("partition", "region", "elsewhere"),
    [("aws", "us-east-1", None), ("aws", "eu-west-1", "us-east-1"), ("aws-cn", "cn-north-1", None)],
)
def test_global_things_are_listed_in_their_region(partition, region, elsewhere):
    asked = []
    aws = SimpleNamespace(
        partition=partition,
        region=region,
        environment="art",
        answers=None,
        client=lambda service, region=None: Client(asked, service, region),
    )
    assert untracked.find_tagged(aws, aws, aws) == ([], [])
    tagging = [(place, kinds) for service, place, _call, kinds in asked if service == "resourcegroupstaggingapi"]
    assert sorted(tagging, key=str) == sorted(
        [(region, None)] + ([(elsewhere, list(untracked.GLOBAL_SERVICES))] if elsewhere else []), key=str
    )
    assert {service for service, *_rest in asked} == {"resourcegroupstaggingapi", "iam", "autoscaling"}


def result(*findings, strays=None, changed=None, notes=(), names=("web", "db")):
    recorded = {Address("thing", name): Recorded("ecs", entry()) for name in names}
    looked = drift_run.Looked(recorded, list(findings), strays, changed, list(notes))
    return drift_run.result_of(looked, Environment("art", "eu-west-1", "1"), ["ecr", "ecs"])


ODD = 'ü < & " ]]> \x00\x1b\ud800'
SIZE = Finding(WEB, "h", "ecs", "changed", "Size", 1, 2)
GONE = Finding(Address("thing", "db"), "h", "ecs", "gone", "", "i-1", None)


@pytest.mark.parametrize(
    ("findings", "summary"),
    [
        ([], "No drift in art: 2 resources are as they were applied"),
        ([SIZE], "Drift in art: 1 changed, 1 of 2 as applied"),
        ([SIZE, SIZE, GONE], "Drift in art: 1 changed, 1 gone, 0 of 2 as applied"),
    ],
)
def test_the_summary_counts_resources(findings, summary):
    assert result(*findings)["summary"] == summary
    assert result(*findings)["status"] == ("drift" if findings else "unchanged")


@pytest.mark.parametrize(("names", "words"), [((), "nothing is recorded"), (("web",), "1 resource is as it was")])
def test_the_summary_of_little(names, words):
    assert words in result(names=names)["summary"]


def test_the_lines():
    again = Finding(Address("thing", "anew"), "a", "ecr", "recreated", "id", "i-1", "i-2")
    half = Finding(Address("thing", "half"), "h", "ecs", "pending", "", None, "i-3")
    found = result(SIZE, GONE, again, half, strays=Untracked(["arn:a"], ["arn:b"]), changed=[WEB], notes=["look"])
    assert "\n".join(drift_lines(found)) == (
        "\nChanged in AWS since it was applied (applied → now):\n"
        "\necr · a\n  ± thing/anew   (made anew by somebody else)\n        id  i-1 → i-2\n"
        "\necs · h\n  ~ thing/web\n        Size  1 → 2\n"
        "  - thing/db   (gone: deleted, or not found under its name any more)\n"
        "  + thing/half   (half made: a run was ended while it made this; it exists as i-3)\n"
        "\nUntracked: tagged as this environment's, and in no state document:\n  ? arn:a\n"
        "\nOld copies, which go in the next run:\n  - arn:b\n"
        "\nChanged in the inventory since: 1 resource; site.yml --check shows them\n  thing/web\n"
        "\nNote: look\n"
        "\nDrift in art: 1 changed, 1 gone, 1 made anew by somebody else, 1 half made, -2 of 2 as applied"
    )


def test_the_files_take_any_character(tmp_path):
    odd = Finding(WEB, "h", "ecs", "changed", ODD[:-1], ODD[:-1], {"a": ODD[:-1]})
    found = result(odd, GONE, strays=Untracked(["arn:a"], []), notes=[ODD[:-1]])
    drift_report.write(found, str(tmp_path / "drift.json"), str(tmp_path / "drift.xml"))
    written = json.loads((tmp_path / "drift.json").read_text(encoding="utf-8"))
    assert written["findings"][0]["now"] == {"a": ODD[:-1]} and "changed" not in written
    suite = ElementTree.parse(tmp_path / "drift.xml").getroot().find("testsuite")
    assert suite.attrib == {"name": "drift of art", "tests": "2", "failures": "2", "errors": "0"}
    cases = suite.findall("testcase")
    assert [case.attrib for case in cases] == [
        {"classname": "ecs.h", "name": "thing/web"},
        {"classname": "ecs.h", "name": "thing/db"},
    ]
    assert 'ü < & " ]]>' in cases[0].find("failure").get("message") and cases[1].find("failure").get("type") == "gone"
    assert suite.find("system-out").text.startswith("untracked: arn:a\nü")


def test_an_error_is_a_test_case(tmp_path):
    drift_report.write(drift_report.failed(f"first {ODD}\nsecond"), None, str(tmp_path / "drift.xml"))
    error = ElementTree.parse(tmp_path / "drift.xml").getroot().find("testsuite/testcase/error")
    assert error.get("message").startswith("first ü") and "second" in error.text


class Ended(Exception):
    """What a module ended with."""


@pytest.mark.parametrize(
    ("files", "status", "message"),
    [
        (("drift.json", "drift.xml"), "error", "dockyard_remote_state: is not set"),
        (("nowhere/drift.json", None), "error", "cannot write"),
    ],
)
def test_the_module_writes_what_hindered_it(tmp_path, monkeypatch, files, status, message):
    report, junit = (name and str(tmp_path / name) for name in files)

    class Module:
        check_mode = False

        def __init__(self, argument_spec, supports_check_mode):
            self.params = {**dict.fromkeys(argument_spec), "report": report, "junit": junit}

        def debug(self, line):
            raise AssertionError(line)

        def fail_json(self, **answer):
            raise Ended(answer)

    monkeypatch.setattr(module, "AnsibleAWSModule", Module)
    with pytest.raises(Ended) as ended:
        module.run_drift()
    answer = ended.value.args[0]
    assert answer["status"] == status and message in answer["msg"]
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == (["drift.json", "drift.xml"] if junit else [])


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(drift_report.ReportError, match="cannot write .*nowhere/drift.json: No such file"):
        drift_report.write(result(), str(tmp_path / "nowhere" / "drift.json"), None)
