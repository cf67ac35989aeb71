# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of load balancer rules: actions and conditions in the full form in which AWS answers them."""

from __future__ import annotations

import copy
from typing import Any

from moto.elbv2.exceptions import ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeAction, FakeListenerRule

from emulator.patching import replace

REDIRECT = {"Protocol": "#{protocol}", "Port": "#{port}", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
SIMPLE = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
}


def full_action(data: dict[str, Any]) -> dict[str, Any]:
    """AWS answers a forward to one group in both of its forms, and redirects with all their parts.

    moto answered what was sent.
    """
    action = copy.deepcopy(dict(data))
    if action.get("Type") == "forward":
        if action.get("TargetGroupArn") and not action.get("ForwardConfig"):
            action["ForwardConfig"] = {"TargetGroups": [{"TargetGroupArn": action["TargetGroupArn"]}]}
        forward = action["ForwardConfig"]
        groups = [{"Weight": 1, **one} for one in forward.get("TargetGroups") or []]
        forward["TargetGroups"] = groups
        forward["TargetGroupStickinessConfig"] = {
            "Enabled": False,
            **(forward.get("TargetGroupStickinessConfig") or {}),
        }
        if len(groups) == 1:
            action["TargetGroupArn"] = groups[0]["TargetGroupArn"]
    if action.get("Type") == "redirect":
        action["RedirectConfig"] = {**REDIRECT, **action["RedirectConfig"]}
    return action


def full_conditions(conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """AWS answers host and path conditions with their values in both places."""
    result = []
    for given in conditions:
        condition = copy.deepcopy(dict(given))
        name = SIMPLE.get(condition["Field"], "")
        if name and condition.get("Values") and not condition.get(name):
            condition[name] = {"Values": list(condition["Values"])}
        if condition["Field"] in ("host-header", "path-pattern") and condition.get(name):
            condition["Values"] = list(condition[name].get("Values") or [])
        result.append(condition)
    return result


@replace(FakeAction, "__init__")
def new_action(original: Any, self: Any, data: dict[str, Any]) -> None:
    """In full form."""
    original(self, full_action(data))


@replace(FakeListenerRule, "__init__")
def new_rule(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    """In full form."""
    original(self, *args, **kwargs)
    self.conditions = full_conditions(self.conditions)


@replace(ELBv2Backend, "modify_rule")
def modify_rule(original: Any, self: Any, rule_arn: str, conditions: Any, actions: Any) -> Any:
    """In full form; the default rule is changed on its listener only."""
    rule = original(self, rule_arn, conditions, actions)
    if rule.is_default:
        raise ELBClientError("OperationNotPermitted", f"Default rule '{rule_arn}' cannot be modified")
    rule.conditions = full_conditions(rule.conditions)
    return rule
