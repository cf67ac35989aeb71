# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traffic handed over from a target group that was replaced to its successor, without an outage.

A listener or rule that forwarded to the old copy first gets the successor beside it, with weight 0: so it belongs to
the load balancer and its targets are checked, while the old one goes on serving. When the successor has healthy
targets, it gets the old one's weight, and the old one is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import SUPERSEDED_TAG, Observed
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_actions import (
    canonical_actions,
    forward_weights,
    ordered_actions,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_common import Reporter, tags_of

MOST_GROUPS = 5
# How long a successor may take to get its first target, its first healthy one, and the old copy to lose its last.
FIRST_TARGET_TIMEOUT = 60.0
HEALTHY_TIMEOUT = 600.0
EMPTY_TIMEOUT = 300.0


def first_step(
    aws: Aws, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The actions to set now: `after`, or, while the successor has no healthy target, the old copy with it beside."""
    wanted = [dict(action) for action in after]
    now, then = forward_weights(before), forward_weights(after)
    leaving, entering = now.keys() - then.keys(), {arn for arn in then if not now.get(arn)}
    if not leaving or not entering or len(now | then) > MOST_GROUPS:
        return wanted
    labels, elbv2 = tags_of(aws, leaving), aws.client("elbv2")
    serving = [arn for arn in sorted(leaving) if SUPERSEDED_TAG in labels.get(arn, {}) and _healthy(elbv2, arn)]
    if not serving or all(_healthy(elbv2, arn) for arn in entering):
        return wanted
    weights = {
        **dict.fromkeys(then, 0),
        **{arn: weight for arn, weight in now.items() if arn in then or arn in serving},
    }
    return [_forwarding(action, weights) if action["Type"] == "forward" else action for action in wanted]


def complete(aws: Aws, old: Observed, successor: Observed | None) -> None:
    """Finish what `first_step` began for an old copy, and wait until nothing is registered in it.

    Raises StillInUse where that cannot be finished now: the next run goes on.
    """
    elbv2, arn = aws.client("elbv2"), old.attributes["arn"]
    if successor is not None:
        waiting = [
            item for item in _users(elbv2, arn) if successor.attributes["arn"] in forward_weights(item["Actions"])
        ]
        if waiting:
            _wait_for_successor(aws, old, successor)
        for item in waiting:
            _modify(elbv2, item, _without(item["Actions"], arn, successor.attributes["arn"]))
    if _targets(elbv2, arn):
        _wait_until_empty(aws, old)


def _users(elbv2: Any, target_group_arn: str) -> Iterator[dict[str, Any]]:
    """The listeners and rules that forward to a target group."""
    groups = elbv2.describe_target_groups(TargetGroupArns=[target_group_arn])["TargetGroups"]
    balancers = [arn for group in groups for arn in group.get("LoadBalancerArns", [])]
    for listeners in each(lambda arn: pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn), balancers):
        for listener in listeners:
            own = {"ListenerArn": listener["ListenerArn"], "Actions": listener["DefaultActions"]}
            rules = pages(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
            for item in [own, *(rule for rule in rules if not rule["IsDefault"])]:
                if target_group_arn in forward_weights(item["Actions"]):
                    yield item


def _wait_for_successor(aws: Aws, old: Observed, successor: Observed) -> None:
    elbv2, arn = aws.client("elbv2"), successor.attributes["arn"]
    report = Reporter(aws, f"target group {old.name}: waiting for healthy targets in {successor.attributes['name']}")

    def idle_or(done: bool) -> bool:
        report()
        return done or not _healthy(elbv2, old.attributes["arn"])

    try:
        wait_for(lambda: idle_or(bool(_targets(elbv2, arn))), "its first target", FIRST_TARGET_TIMEOUT)
        wait_for(lambda: idle_or(_healthy(elbv2, arn)), "a healthy target", HEALTHY_TIMEOUT)
    except AwsError as error:
        name = successor.attributes["name"]
        raise StillInUse(f"it goes on serving, because its successor {name} has no healthy target yet") from error


def _wait_until_empty(aws: Aws, old: Observed) -> None:
    elbv2, arn = aws.client("elbv2"), old.attributes["arn"]
    report = Reporter(aws, f"target group {old.name}: waiting for the targets of {old.attributes['name']} to leave")

    def empty() -> bool:
        report()
        return not _targets(elbv2, arn)

    try:
        wait_for(empty, "its targets to leave", EMPTY_TIMEOUT)
    except AwsError as error:
        raise StillInUse("there are targets registered in it") from error


def _targets(elbv2: Any, arn: str) -> list[str]:
    """The states of the registered targets; those that are leaving count no more."""
    health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return [item["TargetHealth"]["State"] for item in health if item["TargetHealth"]["State"] != "draining"]


def _healthy(elbv2: Any, arn: str) -> bool:
    return "healthy" in _targets(elbv2, arn)


def _without(actions: Sequence[Mapping[str, Any]], old: str, successor: str) -> list[dict[str, Any]]:
    weights = forward_weights(actions)
    weight = weights.pop(old)
    weights[successor] = weights[successor] or weight
    return [_forwarding(action, weights) if action["Type"] == "forward" else dict(action) for action in actions]


def _forwarding(action: Mapping[str, Any], weights: Mapping[str, int]) -> dict[str, Any]:
    config = canonical_actions([action])[0]["ForwardConfig"]
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in sorted(weights.items())]
    return {"Type": "forward", "ForwardConfig": {**config, "TargetGroups": groups}}


def _modify(elbv2: Any, item: Mapping[str, Any], actions: list[dict[str, Any]]) -> None:
    kept = [_with_kept_secret(action) for action in ordered_actions(actions)]
    if "RuleArn" in item:
        elbv2.modify_rule(RuleArn=item["RuleArn"], Actions=kept)
    else:
        elbv2.modify_listener(ListenerArn=item["ListenerArn"], DefaultActions=kept)


def _with_kept_secret(action: dict[str, Any]) -> dict[str, Any]:
    """An authenticate action read from AWS lacks its secret; this says that it stays what it is."""
    if "AuthenticateOidcConfig" not in action:
        return action
    return {**action, "AuthenticateOidcConfig": {**action["AuthenticateOidcConfig"], "UseExistingClientSecret": True}}
