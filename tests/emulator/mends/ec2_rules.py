# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of EC2 security group rules: descriptions of rules that name another group."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import SecurityGroupRule

from emulator.patching import replace


def description(rule: Any) -> str | None:
    """AWS keeps the description of every rule. moto lost it where the rule names another group."""
    text: str | None = rule.ip_range.get("Description") or rule.source_group.get("Description")
    return text


setattr(SecurityGroupRule, "description", property(description))  # noqa: B010 - it has no setter


@replace(SecurityGroupRule, "__eq__")
def same_rule(original: Any, self: Any, other: Any) -> bool:
    """The description is no part of a rule's identity: moto let a second, equal rule in."""
    if not isinstance(other, SecurityGroupRule):
        return False
    kept = self.source_group, other.source_group
    self.source_group, other.source_group = ({k: v for k, v in one.items() if k != "Description"} for one in kept)
    try:
        return bool(original(self, other))
    finally:
        self.source_group, other.source_group = kept


@replace(EC2Backend, "modify_security_group_rules")
def modify_rules(original: Any, self: Any, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
    """AWS replaces all of the rule. moto left the referenced group and the IPv6 range as they were."""
    original(self, group_id, rules)
    group = self.get_security_group_by_name_or_id(group_id)
    for identity, wanted in rules.items():
        rule, text = group.get_rule(identity), wanted.get("Description")
        words = {"Description": text} if text else {}
        if wanted.get("ReferencedGroupId"):
            account = {"UserId": self.account_id, "OwnerId": self.account_id}
            rule.source_group = {"GroupId": wanted["ReferencedGroupId"], **account, **words}
            rule.ip_range = {}
        elif wanted.get("CidrIpv6"):
            rule.ip_range = {"CidrIpv6": wanted["CidrIpv6"], **words}
        elif wanted.get("CidrIpv4"):
            rule.ip_range = {"CidrIp": wanted["CidrIpv4"], **words}
