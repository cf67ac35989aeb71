# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read of the state and of bootstrap's checks."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.plugin_utils import bootstrap_view, state_view

PLACE = "s3://bucket/ecs/ecr-repositories/terraform.tstate"
VERSION = {
    "version": "3sL4kqtJ",
    "modified": "2026-11-22T10:00:00Z",
    "latest": True,
    "deleted": False,
    "size": 1834,
    "serial": 7,
    "lineage": "b0c1a2f4-1d3e",
    "resources": 2,
    "outputs": 0,
    "operation": "apply ecr",
    "who": "jane@build",
    "problem": "",
}
CHANGE = {
    "action": "update",
    "kind": "ecr_repository",
    "name": "web",
    "differences": [{"path": "tags.Team", "before": "one", "after": "two", "replaces": False}],
}
RESTORED = {
    "changed": True,
    "label": "ecr",
    "place": PLACE,
    "restored": VERSION,
    "serial": 9,
    "previous_serial": 8,
    "written": [PLACE],
    "differences": [CHANGE],
    "warning": "",
    "follows": False,
}
LOCK = {"key": "k", "place": "the table t", "id": "abc", "who": "jane", "operation": "apply ecr", "age": "2 days ago"}
LOCK |= {"created": "2026-11-20T10:00:00Z", "info": "", "software": "1.11.4"}
MIGRATED = {"from": "s3://a", "to": "s3://b", "copied": ["s3://b/x"], "same": [], "left": [], "deleted": []}
MIGRATED |= {"digests": 0, "setting": {"bucket": "b", "lock": "s3"}}


def text(action, check_mode=False, fields=True, **result):
    whole = {"state_action": action, "environment": "art", **result}
    return "\n".join(state_view.lines(whole, check_mode, fields=fields))


def test_columns_are_as_wide_as_they_need_to_be():
    rows = [("a", 1), ("longer", 234), ("", None)]
    assert list(state_view.table(("name", "number"), rows)) == [
        "  name    number",
        "  a            1",
        "  longer     234",
        "  -            -",
    ]


FORGOTTEN = {"address": "ecr_repository/web", "layer": "ecr", "host": "a", "id": "web", "needed_by": ["ecs_service/x"]}


@pytest.mark.parametrize(
    ("check_mode", "words"), [(True, ("Would be", "would write")), (False, ("Forgotten", "wrote"))]
)
def test_what_is_forgotten_is_named_with_what_follows(check_mode, words):
    shown = text("forget", check_mode, forgotten=[FORGOTTEN], written=[PLACE], diff=[])
    assert words[0] in shown and f"{words[1]} {PLACE}" in shown
    assert "  ecr_repository/web  ecr    a     web" in shown and "ecs_service/x is remembered still" in shown
    assert "AWS was not touched" in shown and "untracked" in shown


def test_history_is_a_table():
    gone = {**VERSION, "version": "gone", "deleted": True, "serial": None}
    broken = {**VERSION, "version": "broken", "problem": "is empty", "serial": None}
    shown = text("history", label="ecr", place=PLACE, versions=[gone, broken, VERSION], local=False)
    assert "3sL4kqtJ  2026-11-22 10:00:00" in shown and "b0c1a2f4  " in shown and "jane@build" in shown
    assert "deleted" in shown and "unreadable" in shown and "1d3e" not in shown


def test_a_restore_in_check_mode_is_told_from_one_that_was_done():
    assert "would be written as serial 9" in text("restore", True, **RESTORED)
    done = text("restore", **RESTORED)
    assert "was written as serial 9" in done and "tags.Team  one → two" in done and f"wrote {PLACE}" in done
    assert "tags.Team" not in text("restore", fields=False, **RESTORED)
    same = {**RESTORED, "changed": False, "serial": 8, "written": [], "differences": []}
    assert "nothing was written" in text("restore", **same)


def test_locks_say_who_and_how_to_break_them():
    shown = text("locks", locks=[LOCK], home="s3://bucket")
    assert (
        "abc  jane, since 2026-11-20T10:00:00Z (2 days ago), for apply ecr" in shown and "state_action=unlock" in shown
    )
    assert "nobody holds a lock" in text("locks", locks=[], home="s3://bucket")
    assert "Would be broken" in text("unlock", True, broken=[LOCK]) and "Broken:" in text("unlock", broken=[LOCK])


def test_a_migration_ends_with_the_setting():
    shown = text("migrate", **MIGRATED)
    assert "Now set in the inventory" in shown and "      bucket: b" in shown and "copied  s3://b/x" in shown
    assert "would be copied" in text("migrate", True, **MIGRATED)
    assert "inventory" not in text("migrate", **{**MIGRATED, "setting": None})


@pytest.mark.parametrize(
    ("sensitive", "expected"), [(True, "    password: (sensitive)"), (False, "    password: not so secret")]
)
def test_sensitive_outputs_are_hidden(sensitive, expected):
    outputs = {"password": {"value": "not so secret", "sensitive": sensitive}}
    result = {"label": "x", "place": PLACE, "serial": 1, "lineage": "", "environment": "", "warning": ""}
    assert expected in text("show", outputs=outputs, resources=[], **result).splitlines()


def test_each_check_has_its_line_and_what_to_do():
    checks = [
        {"name": "account", "status": "ok", "said": "1234", "todo": ""},
        {"name": "clock", "status": "failed", "said": "900 seconds behind AWS", "todo": "set it"},
    ]
    shown = list(bootstrap_view.lines({"checks": checks, "moved": [], "next_steps": ["site.yml"]}))
    assert shown == [
        "",
        "  ok       account  1234",
        "  failed   clock    900 seconds behind AWS",
        "                    → set it",
        "",
        "Next:",
        "  site.yml",
    ]
