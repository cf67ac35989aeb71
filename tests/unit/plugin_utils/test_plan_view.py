# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as people read it."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.plugin_utils import plan_view


def change(action="update", kind="ecs_service", name="web", layer="ecs", host="web", differences=(), **more):
    return {
        "action": action,
        "kind": kind,
        "name": name,
        "layer": layer,
        "host": host,
        "differences": [{"path": path, "before": before, "after": after} for path, before, after in differences],
        "reason": "configuration",
        "notes": [],
        **more,
    }


def result(*changes, unchanged=0, **more):
    return {"changes": list(changes), "unchanged": unchanged, **more}


def lines(*changes, **more):
    return list(plan_view.plan_lines(result(*changes, **more)))


def test_an_update_shows_each_field_before_and_after():
    assert lines(change(differences=[("desiredCount", 1, 2)])) == [
        "",
        "ecs · web",
        "  ~ ecs_service/web",
        "        desiredCount  1 → 2",
        "",
        "Plan: 0 to add, 1 to change, 0 to destroy",
    ]


def test_changes_are_grouped_by_layer_and_host():
    shown = lines(change(name="a"), change(name="b", layer="ecr"), change(name="c"), change(name="d", host="api"))
    assert [line for line in shown if "·" in line] == ["ecs · web", "ecs · api", "ecr · web"]
    assert shown.index("  ~ ecs_service/c") < shown.index("ecr · web")


def test_a_replacement_names_the_field_that_forces_it_and_counts_twice():
    item = change("replace", "target_group", differences=[("Port", 80, 81)])
    item["differences"][0]["replaces"] = True
    shown = lines(item, unchanged=3)
    assert "        Port  80 → 81   # forces replacement" in shown
    assert shown[-1] == "Plan: 1 to add, 0 to change, 1 to destroy (3 unchanged)"


def test_a_list_shows_only_what_differs():
    shown = lines(change(differences=[("subnets", ["a", "b"], ["a", "c"])]))
    assert shown[3:6] == ["        subnets", "          - b", "          + c"]


def test_long_texts_are_shown_as_small_differences():
    before = "\n".join(f"line {number}" for number in range(50))
    shown = lines(change(differences=[("UserData", before, before.replace("line 20", "line x"))]))
    assert "          -line 20" in shown
    assert "          +line x" in shown
    assert len(shown) < 15


def test_long_nested_values_are_shown_as_small_differences():
    def policy(action):
        return {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", action], "Resource": ["x" * 60]}]}

    shown = lines(change(differences=[("Document", policy("s3:PutObject"), policy("s3:DeleteObject"))]))
    assert [line.split() for line in shown if line.strip()[:1] in "+-" and "s3:" in line] == [
        ["-", "s3:PutObject"],
        ["+", "s3:DeleteObject"],
    ]
    assert len(shown) < 15


def test_long_items_of_a_list_are_shown_as_small_differences():
    def mappings(port):
        return [{"containerPort": port, "targetGroupArn": "arn:" + "x" * 80}]

    shown = lines(change(differences=[("loadBalancers", mappings(80), mappings(81))]))
    assert [line.split() for line in shown if "containerPort" in line] == [
        ["-", "containerPort:", "80"],
        ["+", "containerPort:", "81"],
    ]


def test_long_nested_values_of_a_creation_are_shown_in_parts():
    value = {"name": "x" * 50, "rules": [{"id": "y" * 50, "days": number} for number in range(9)]}
    shown = lines(change("create", differences=[("Rules", None, value)]))
    assert shown[3:6] == ["        Rules", f"          name: {'x' * 50}", "          rules:"]
    assert f"            - {{id: {'y' * 50}, days: 0}}" in shown
    assert "          … 3 more lines" in shown


PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
SUBJECTS = [f"repo:{'acme' * 15}/web:ref:refs/heads/{name}" for name in ("main", "stable", "next")]


def trust(subjects, **more):
    condition = {"StringEquals": {"gh:aud": "sts.amazonaws.com", "gh:sub": subjects}}
    allowed = {"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return {"Version": "2012-10-17", "Statement": [{**allowed, "Condition": condition, **more}]}


def test_who_gets_in_is_shown_whole():
    shown = lines(change("create", differences=[("AssumeRolePolicyDocument", None, trust(SUBJECTS))]))
    assert not [line for line in shown if "…" in line]
    assert [line.strip() for line in shown if "repo:" in line] == [f"- {subject}" for subject in SUBJECTS]
    assert f"                Federated: {PROVIDER}" in shown


def test_who_gets_in_from_now_on_is_shown_whole():
    before, after = trust(SUBJECTS[:1]), trust([f"{subject}/*" for subject in SUBJECTS * 5], Sid="all")
    shown = lines(change(differences=[("AssumeRolePolicyDocument", before, after)]))
    assert not [line for line in shown if "more lines" in line]
    assert sum("repo:" in line and line.strip().startswith("+") for line in shown) == 15


def test_long_values_are_cut():
    assert all(len(line) < 130 for line in lines(change("create", differences=[("Policy", None, {"a": "x" * 500})])))


def test_the_reason_of_a_consequence_is_shown():
    assert "  ~ ecs_service/web   (consequence of security_group/web)" in lines(
        change(reason="consequence of security_group/web")
    )


def test_notes_and_warnings_are_shown_once():
    shown = lines(
        change(notes=["desiredCount is owned by the autoscaler"]),
        left_to_others=["ecs_service/web: desiredCount is owned by the autoscaler", "ecs_service/api: image is owned"],
        plan_warnings=["web: ecs: it could never deploy"],
    )
    assert shown.count("        # desiredCount is owned by the autoscaler") == 1
    assert "Left to others: ecs_service/api: image is owned" in shown
    assert "Warning: web: ecs: it could never deploy" in shown


def test_an_empty_plan_is_one_line():
    assert lines(unchanged=41) == ["", "Plan: 0 to add, 0 to change, 0 to destroy (41 unchanged)"]


def test_what_was_done():
    assert list(plan_view.done_lines(result(change("create"), change("replace", name="b")))) == [
        "  + created   ecs_service/web",
        "  ± replaced  ecs_service/b",
    ]
    assert plan_view.done_line([change("create"), change("replace")], 0) == "Done: 2 added, 0 changed, 1 destroyed"
    assert plan_view.done_line([], 2).endswith(", 2 failed")


@pytest.mark.parametrize(
    ("use", "changes", "line"),
    [
        (
            "saved",
            [change()],
            "Saved in p.json. The same command without --check carries out exactly this, or nothing.",
        ),
        ("saved", [], "Saved in p.json."),
        ("followed", [change()], "As saved in p.json at 2026-05-04T10:00:00Z."),
    ],
)
def test_a_saved_plan_says_where_it_is(use, changes, line):
    saved = {"path": "p.json", "made_at": "2026-05-04T10:00:00Z", "use": use}
    assert lines(*changes, plan_file=saved)[-1] == line


def test_what_is_declared_no_more_is_shown_apart_and_counted_apart():
    held = {**change("delete"), "layer": "ecr", "host": "web", "notes": ["it is protected"]}
    shown = lines(would_remove=[held], unchanged=2)
    assert shown == [
        "",
        "declared no more · would be removed with -e prune=true",
        f"  - {held['kind']}/{held['name']}   (ecr · web)",
        "        # it is protected",
        "",
        "Plan: 0 to add, 0 to change, 0 to destroy, 1 would be removed (2 unchanged)",
    ]


def test_of_many_fields_the_rest_is_counted():
    fields = [(f"Files[{number:04}]", None, "text/html") for number in range(1020)]
    fields += [("Files[a].SHA256", "1", "2"), ("Files[b]", "text/html", None)]
    shown = lines(change(kind="s3_site_files", differences=fields))
    assert len([line for line in shown if "Files[" in line]) == plan_view.FIELDS - 1
    assert f"        … {1022 - plan_view.FIELDS + 1:,} more: 996 to add, 1 to change, 1 to remove" in shown
