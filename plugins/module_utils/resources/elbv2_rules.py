# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listener rules of application load balancers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    OWN_NAME_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import elbv2_handover as handover
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_actions import (
    canonical_actions,
    ordered_actions,
    shown_differences,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_common import TaggedKind, tags_of
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_conditions import (
    canonical_conditions,
    conditions_in_words,
)

GONE = ("RuleNotFound", "ListenerNotFound", "LoadBalancerNotFound")
PRIORITY_IN_USE = "PriorityInUse"
PRIORITY_TIMEOUT = 60.0
# Not declared by anybody: what read tells update, and no comparison sees.
MOVES = "PriorityMoves"


class ListenerRule(TaggedKind):
    """A listener rule. Its name is `<load balancer>:<port>/<rule>`, its scope the listener.

    Within the listener it is known by its Name tag; a rule that others made without one is known by its priority and
    conditions together. All other rules are left alone.
    """

    kind = "listener_rule"
    label = "listener rule"
    named_by_tag = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        elbv2 = aws.client("elbv2")
        by_listener: dict[str, dict[str, Wanted]] = defaultdict(dict)
        for item in wanted:
            by_listener[item.scope["ListenerArn"]][_tag_of(item.name)] = item
        answers = each(lambda arn: _rules(elbv2, arn), by_listener)
        rules = dict(zip(by_listener, answers, strict=True))
        labels = tags_of(aws, (rule["RuleArn"] for some in rules.values() for rule in some))
        result: dict[str, Observed] = {}
        for arn, names in by_listener.items():
            result |= _choose(aws, names, rules[arn], labels)
        return result

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if "Priority" in result:
            result["Priority"] = int(result["Priority"])
        if "Conditions" in result:
            result["Conditions"] = canonical_conditions(result["Conditions"])
        if "Actions" in result:
            result["Actions"] = canonical_actions(result["Actions"])
        if "Transforms" in result:
            result["Transforms"] = sorted(result["Transforms"], key=lambda transform: str(transform["Type"]))
        return result

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        return [
            (
                item._replace(before=conditions_in_words(item.before), after=conditions_in_words(item.after))
                if item.path == "Conditions"
                else item
            )
            for item in shown_differences(differences, ("Actions",))
        ]

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        elbv2 = aws.once("elbv2")
        arguments = {**resource.properties, "Actions": ordered_actions(resource.properties["Actions"])}
        made: list[dict[str, Any]] = []

        def attempt() -> bool:
            try:
                answer = elbv2.create_rule(
                    ListenerArn=resource.scope["ListenerArn"], Tags=tags.to_list(resource.tags), **arguments
                )
            except exceptions.ClientError as error:
                if code_of(error) != PRIORITY_IN_USE:
                    raise
                _refuse_unless_it_moves(aws, resource, error)
                return False
            made.extend(answer["Rules"])
            return True

        wait_for(attempt, f"priority {resource.properties['Priority']} to be free", PRIORITY_TIMEOUT)
        return _attributes(made[0])

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        elbv2, declared, changed = aws.client("elbv2"), resource.properties, top_level(differences)
        arn = observed.attributes["arn"]
        if "Priority" in changed:
            _set_priorities(aws, {**observed.properties[MOVES], arn: declared["Priority"]})
        changes: dict[str, Any] = {name: declared[name] for name in ("Conditions", "Transforms") if name in changed}
        if "Transforms" in changes and not changes["Transforms"]:
            changes = {**changes, "ResetTransforms": True}
            del changes["Transforms"]
        if "Actions" in changed:
            actions = handover.first_step(aws, observed.properties["Actions"], declared["Actions"])
            changes["Actions"] = ordered_actions(actions)
        if changes:
            elbv2.modify_rule(RuleArn=arn, **changes)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        unless(GONE, aws.client("elbv2").delete_rule, RuleArn=observed.attributes["arn"])


def _tag_of(name: str) -> str:
    """The rule's own name, which its Name tag has."""
    return name.split("/", 1)[1]


def _rules(elbv2: Any, listener_arn: str) -> list[dict[str, Any]]:
    found = unless(GONE, pages, elbv2, "describe_rules", "Rules", ListenerArn=listener_arn) or []
    return [rule for rule in found if not rule.get("IsDefault")]


def _choose(
    aws: Aws,
    names: Mapping[str, Wanted],
    rules: Sequence[Mapping[str, Any]],
    labels: Mapping[str, dict[str, str]],
) -> dict[str, Observed]:
    """The rules of one listener that the names mean. All others are other people's."""
    tagged = [_tagged_name(labels.get(rule["RuleArn"], {})) for rule in rules]
    others = {name: item.properties for name, item in names.items() if name not in tagged}
    candidates = [
        Observed(names[name].name, _properties(rule), _attributes(rule), labels.get(rule["RuleArn"], {}))
        for rule, known in zip(rules, tagged, strict=True)
        if (name := known or _namesake(rule, others)) in names
    ]
    chosen = tags.by_name(candidates, aws.environment, ListenerRule.label)
    declared = {item.name: item.properties.get("Priority") for item in names.values()}
    moves = {
        item.attributes["arn"]: declared[name]
        for name, item in chosen.items()
        if declared[name] is not None and item.properties["Priority"] != str(declared[name])
    }
    for item in chosen.values():
        item.properties[MOVES] = moves
    return chosen


def _tagged_name(labels: Mapping[str, str]) -> str:
    return labels.get(tags.NAME_TAG) or labels.get(OWN_NAME_TAG, "")


def _namesake(rule: Mapping[str, Any], declared: Mapping[str, Mapping[str, Any]]) -> str:
    """The declared name of a rule that has none itself."""
    conditions = canonical_conditions(rule["Conditions"])
    for name, properties in declared.items():
        if str(properties.get("Priority")) == rule["Priority"]:
            return name if canonical_conditions(properties["Conditions"]) == conditions else ""
    return ""


def _properties(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Priority": rule["Priority"],
        "Conditions": rule["Conditions"],
        "Actions": rule["Actions"],
        "Transforms": rule.get("Transforms", []),
    }


def _attributes(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": rule["RuleArn"], "arn": rule["RuleArn"]}


def _set_priorities(aws: Aws, priorities: Mapping[str, int]) -> None:
    """All moves of the listener's rules in one call, because two of them may change places.

    Each rule that moves asks for all of them, and all calls but the first change nothing.
    """
    aws.client("elbv2").set_rule_priorities(
        RulePriorities=[{"RuleArn": arn, "Priority": int(priority)} for arn, priority in sorted(priorities.items())]
    )


def _refuse_unless_it_moves(aws: Aws, resource: Resource, error: exceptions.ClientError) -> None:
    """A rule of this environment may be about to leave the priority in the same run; anybody else's never does."""
    elbv2, wanted = aws.client("elbv2"), str(resource.properties["Priority"])
    for rule in _rules(elbv2, str(resource.scope["ListenerArn"])):
        if rule["Priority"] == wanted:
            labels = tags_of(aws, [rule["RuleArn"]]).get(rule["RuleArn"], {})
            if labels.get(ENVIRONMENT_TAG) == aws.environment:
                return
            name = labels.get(tags.NAME_TAG, rule["RuleArn"])
            raise AwsError(
                f"priority {wanted} is in use by the listener rule {name!r}, which is not this environment's: "
                "declare another priority, or give that rule the declared name as its Name tag to take it over"
            ) from error
