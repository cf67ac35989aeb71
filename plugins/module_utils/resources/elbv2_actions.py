# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions of listeners and rules: one canonical form, and as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference

REDIRECT_DEFAULTS = {
    "Protocol": "#{protocol}",
    "Port": "#{port}",
    "Host": "#{host}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
AUTHENTICATE_DEFAULTS = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}
# AWS never returns the secret, and how it came to AWS is no property of the action.
NEVER_RETURNED = ("ClientSecret", "UseExistingClientSecret")


def canonical_actions(actions: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """In order, with AWS's defaults filled in, without what only repeats something else."""
    ordered = sorted(actions or (), key=lambda action: int(action.get("Order") or 0))
    return [_canonical_action(action) for action in ordered]


def _canonical_action(action: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"Type": action["Type"]}
    if action["Type"] == "forward":
        result["ForwardConfig"] = _forward(action)
    if action.get("RedirectConfig"):
        result["RedirectConfig"] = {**REDIRECT_DEFAULTS, **_given(action["RedirectConfig"])}
    if action.get("FixedResponseConfig"):
        config = _given(action["FixedResponseConfig"])
        result["FixedResponseConfig"] = {"ContentType": "text/plain", **config, "StatusCode": str(config["StatusCode"])}
    for name in ("AuthenticateOidcConfig", "AuthenticateCognitoConfig"):
        if action.get(name):
            config = {**AUTHENTICATE_DEFAULTS, **_given(action[name])}
            config["SessionTimeout"] = int(config["SessionTimeout"])
            result[name] = {key: value for key, value in config.items() if key not in NEVER_RETURNED}
    return result


def _given(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if value not in (None, "", {})}


def _forward(action: Mapping[str, Any]) -> dict[str, Any]:
    """AWS also accepts and returns a bare TargetGroupArn; the weight of an only group means nothing."""
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
    weighted = [
        {
            "TargetGroupArn": group["TargetGroupArn"],
            "Weight": int(group["Weight"]) if group.get("Weight") is not None else 1,
        }
        for group in groups
    ]
    if len(weighted) == 1:
        weighted[0]["Weight"] = 1
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    result: dict[str, Any] = {
        "TargetGroups": sorted(weighted, key=lambda group: str(group["TargetGroupArn"])),
        "TargetGroupStickinessConfig": {"Enabled": bool(stickiness.get("Enabled"))},
    }
    if stickiness.get("Enabled"):
        result["TargetGroupStickinessConfig"]["DurationSeconds"] = int(stickiness["DurationSeconds"])
    return result


def ordered_actions(actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As the API takes them: where there are several, each says its place."""
    if len(actions) < 2:
        return [dict(action) for action in actions]
    return [{**action, "Order": number} for number, action in enumerate(actions, start=1)]


def forward_weights(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The target groups that the actions forward to, with their weights."""
    groups = [
        group
        for action in canonical_actions(actions)
        if action["Type"] == "forward"
        for group in action["ForwardConfig"]["TargetGroups"]
    ]
    return {group["TargetGroupArn"]: group["Weight"] for group in groups}


def shown_differences(differences: Sequence[Difference], names: Sequence[str]) -> list[Difference]:
    """The differences with the actions as short texts."""
    return [
        item._replace(before=in_words(item.before), after=in_words(item.after)) if item.path in names else item
        for item in differences
    ]


def in_words(actions: Any) -> Any:
    """Actions as people read them, one text each."""
    return [_in_words(action) for action in actions] if isinstance(actions, list) else actions


def _in_words(action: Mapping[str, Any]) -> str:
    if action["Type"] == "forward":
        groups = action["ForwardConfig"]["TargetGroups"]
        names = [_group_name(group["TargetGroupArn"]) for group in groups]
        if len(groups) > 1:
            names = [f"{name} (weight {group['Weight']})" for name, group in zip(names, groups, strict=True)]
        stickiness = action["ForwardConfig"]["TargetGroupStickinessConfig"]
        sticky = f", sticky for {stickiness['DurationSeconds']} s" if stickiness["Enabled"] else ""
        return f"forward to {', '.join(names)}{sticky}"
    if action["Type"] == "redirect":
        config = action["RedirectConfig"]
        target = f"{config['Protocol']}://{config['Host']}:{config['Port']}{config['Path']}?{config['Query']}"
        return f"redirect to {target} ({config['StatusCode']})"
    if action["Type"] == "fixed-response":
        config = action["FixedResponseConfig"]
        return f"fixed response {config['StatusCode']} {config['ContentType']}: {config.get('MessageBody', '')}"
    config = action.get("AuthenticateOidcConfig") or action.get("AuthenticateCognitoConfig") or {}
    settings = ", ".join(f"{name}={value}" for name, value in sorted(config.items()))
    return f"{action['Type']}: {settings}"


def _group_name(arn: str) -> str:
    return arn.split(":targetgroup/", 1)[1].split("/", 1)[0] if ":targetgroup/" in arn else arn
