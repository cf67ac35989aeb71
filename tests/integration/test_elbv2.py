# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load balancing where several things move: traffic handed over, rules that change places, other people's rules."""

from __future__ import annotations

import copy
import threading
import time

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.resources import elbv2_handover as handover
from tests.integration import deploys
from tests.integration.kinds import elbv2 as kinds

FIXED = {"type": "fixed-response", "status_code": "200"}


def declared(change=lambda declaration: None):
    return kinds.changed(change, kinds.BASE)


def with_ip_targets(port):
    return declared(lambda item: kinds.group(item).update(target_type="ip", port=port))


def groups(elbv2):
    """Port -> ARN of the target groups."""
    return {item["Port"]: item["TargetGroupArn"] for item in elbv2.describe_target_groups()["TargetGroups"]}


def rules(elbv2):
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listener = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"][0]["ListenerArn"]
    return [rule for rule in elbv2.describe_rules(ListenerArn=listener)["Rules"] if not rule["IsDefault"]]


def weights(elbv2):
    """Port -> weight in the only rule's action."""
    ports = {arn: port for port, arn in groups(elbv2).items()}
    forward = rules(elbv2)[0]["Actions"][0]["ForwardConfig"]
    return {ports[item["TargetGroupArn"]]: item["Weight"] for item in forward["TargetGroups"]}


@pytest.fixture
def elbv2(emulator):
    return emulator.client("elbv2")


@pytest.fixture
def serving(runner, elbv2):
    """A target group on port 8080 with a healthy target."""
    runner.make(with_ip_targets(8080))
    elbv2.register_targets(TargetGroupArn=groups(elbv2)[8080], Targets=[{"Id": "10.0.0.10"}])


def test_the_old_group_serves_until_the_new_one_can(runner, elbv2, serving, monkeypatch):
    monkeypatch.setattr(handover, "FIRST_TARGET_TIMEOUT", 0.5)
    run = runner.run(with_ip_targets(9090))
    assert not run.failures
    assert weights(elbv2) == {8080: 1, 9090: 0}
    both = groups(elbv2)
    elbv2.register_targets(TargetGroupArn=both[9090], Targets=[{"Id": "10.0.0.11"}])
    elbv2.deregister_targets(TargetGroupArn=both[8080], Targets=[{"Id": "10.0.0.10"}])
    runner.run(with_ip_targets(9090))
    assert weights(elbv2) == {9090: 1}
    assert set(groups(elbv2)) == {9090}
    runner.assert_nothing_to_do(with_ip_targets(9090))


def test_one_run_hands_over_when_a_service_moves_meanwhile(runner, elbv2, serving):
    seen = []

    def service():
        while 9090 not in groups(elbv2) or 9090 not in weights(elbv2):
            time.sleep(0.05)
        seen.append(weights(elbv2))
        both = groups(elbv2)
        elbv2.register_targets(TargetGroupArn=both[9090], Targets=[{"Id": "10.0.0.11"}])
        while weights(elbv2) != {9090: 1}:
            time.sleep(0.05)
        elbv2.deregister_targets(TargetGroupArn=both[8080], Targets=[{"Id": "10.0.0.10"}])

    mover = threading.Thread(target=service, daemon=True)
    mover.start()
    run = runner.make(with_ip_targets(9090))
    mover.join(10)
    assert seen == [{8080: 1, 9090: 0}]
    assert ("update", "listener_rule", "web:80/web") in run.done
    assert set(groups(elbv2)) == {9090}
    runner.assert_nothing_to_do(with_ip_targets(9090))


def test_a_group_without_targets_is_replaced_at_once(runner, elbv2):
    runner.make(with_ip_targets(8080))
    runner.make(with_ip_targets(9090))
    assert weights(elbv2) == {9090: 1}


def test_a_group_that_somebody_else_uses_waits(runner, elbv2, monkeypatch):
    monkeypatch.setattr(
        "ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_target_groups.IN_USE_TIMEOUT", 0.5
    )
    runner.make(with_ip_targets(8080))
    listener = rules(elbv2)[0]["RuleArn"].replace(":listener-rule/", ":listener/").rsplit("/", 1)[0]
    elbv2.create_rule(
        ListenerArn=listener,
        Priority=500,
        Conditions=[{"Field": "path-pattern", "Values": ["/theirs"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": groups(elbv2)[8080]}],
    )
    run = runner.run(with_ip_targets(9090))
    assert not run.failures
    assert set(groups(elbv2)) == {8080, 9090}
    theirs = next(rule for rule in rules(elbv2) if rule["Priority"] == "500")
    assert theirs["Actions"][0]["TargetGroupArn"] == groups(elbv2)[8080]
    elbv2.delete_rule(RuleArn=theirs["RuleArn"])
    again = runner.run(with_ip_targets(9090))
    assert [key[0] for key in again.done] == ["delete"]
    assert set(groups(elbv2)) == {9090}


def several_rules(*priorities):
    def change(item):
        own = item["alb"]["web"]
        first = {**copy.deepcopy(kinds.rule(item)), "actions": [FIXED]}
        own["rules"] = [
            {**first, "name": f"rule-{number}", "priority": priority} for number, priority in enumerate(priorities)
        ]

    return declared(change)


@pytest.mark.parametrize(
    ("before", "after"),
    [((1, 2), (2, 1)), ((1, 2, 3), (2, 3, 1)), ((1, 2, 3), (2, 3, 4)), ((1, 2), (2, 3, 1))],
    ids=["two change places", "a circle", "a chain", "a new one takes a place that becomes free"],
)
def test_rules_change_places_in_one_run(runner, elbv2, before, after):
    runner.make(several_rules(*before))
    runner.make(several_rules(*after))
    assert sorted(int(rule["Priority"]) for rule in rules(elbv2)) == sorted(after)
    runner.assert_nothing_to_do(several_rules(*after))


def test_other_peoples_rules_are_left_alone(runner, elbv2):
    runner.make(declared())
    ours = rules(elbv2)[0]
    listener = ours["RuleArn"].replace(":listener-rule/", ":listener/").rsplit("/", 1)[0]
    conditions, response = [{"Field": "path-pattern", "Values": ["/x"]}], {"StatusCode": "200"}
    actions = [{"Type": "fixed-response", "FixedResponseConfig": response}]
    elbv2.create_rule(ListenerArn=listener, Priority=7, Conditions=conditions, Actions=actions)
    runner.assert_nothing_to_do(declared())
    run = runner.run(
        declared(lambda item: item["alb"]["web"]["rules"].append({**kinds.rule(item), "name": "b", "priority": 7}))
    )
    assert "priority 7 is in use" in run.failures["web"]
    assert "not this environment's" in run.failures["web"]


def test_a_rule_without_a_name_is_known_by_its_priority_and_conditions(runner, elbv2):
    runner.make(declared())
    arn = rules(elbv2)[0]["RuleArn"]
    elbv2.remove_tags(ResourceArns=[arn], TagKeys=["Name", "dockyard:environment"])
    run = runner.make(declared())
    assert [(action, kind) for action, kind, _name in run.planned] == [("adopt", "listener_rule")]
    assert {item["path"] for item in run.changes[0]["differences"]} == {
        "tags.dockyard:environment",
        "tags.dockyard:name",
    }
    # From now on it is known by its own tag, whatever changes.
    moved = declared(lambda item: kinds.rule(item).update(priority=77))
    assert [(action, kind) for action, kind, _name in runner.make(moved).planned] == [("update", "listener_rule")]
    assert rules(elbv2)[0]["RuleArn"] == arn


def test_a_rule_without_a_name_and_with_other_conditions_is_other_peoples(runner, elbv2):
    runner.make(declared())
    arn = rules(elbv2)[0]["RuleArn"]
    elbv2.remove_tags(ResourceArns=[arn], TagKeys=["Name", "dockyard:environment"])
    other = declared(lambda item: kinds.rule(item)["conditions"][0].update(values=["/other/*"]))
    run = runner.run(other)
    assert ("create", "listener_rule") in {(action, kind) for action, kind, _name in run.planned}
    assert "give that rule the declared name as its Name tag" in run.failures["web"]


def test_a_rule_finds_its_listener_in_aws(runner):
    whole = declared()
    runner.make(whole)
    alone = {"network": whole["network"], "alb": {"web": whole["alb"]["web"]}}
    runner.assert_nothing_to_do(alone)


def test_a_protected_load_balancer_is_neither_replaced_nor_deleted(runner):
    protected = declared(lambda item: kinds.balancer(item).update(deletion_protection_enabled=True))
    runner.make(protected)
    for options in ({"state": "absent"}, {}):
        changed = copy.deepcopy(protected)
        if not options:
            kinds.balancer(changed)["scheme"] = "internal"
        with pytest.raises(PlanError, match="deletion protection is on; declare deletion_protection_enabled: false"):
            runner.plan(changed, **options)
    runner.make(declared(), state="absent")


def test_a_target_group_is_replaced_under_a_service_that_nobody_waits_for(runner, emulator):
    declarations = deploys.declared(wait_for_steady_state=False)
    runner.make({"ecr": declarations["ecr"]})
    deploys.push(emulator.client("ecr"), "v1")
    runner.make(declarations)
    declarations["alb"]["platform"]["target_groups"][0]["port"] = 9090
    result = runner.make(declarations)
    assert ("replace", "target_group", "web") in result.done
    runner.assert_nothing_to_do(declarations)
