# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups with the rules that lie in them or beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_rules import protocol_of
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import given

SOURCES = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")
BESIDE = {"ingress": "aws_vpc_security_group_ingress_rule", "egress": "aws_vpc_security_group_egress_rule"}
ONE_SOURCE = {"cidr_ipv4": "cidr_blocks", "cidr_ipv6": "ipv6_cidr_blocks", "prefix_list_id": "prefix_list_ids"}
# The rule that every group of AWS starts with.
EVERYTHING_OUT = [{"protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}]

# A rule with one source: protocol, ports, description, sort of the source, the source.
Rule: TypeAlias = "tuple[str, int | None, int | None, str, str, str]"


def security_group(stack: Stack, group: Thing) -> tuple[dict[str, Any], list[Thing]]:
    """Its options, and the resources that are its rules."""
    options: dict[str, Any] = {"name": stack.names.of(group), "description": group.get("description")}
    parts: list[Thing] = []
    for direction, kind in BESIDE.items():
        beside = stack.belonging(kind, "security_group_id", group)
        older = [
            item
            for item in stack.belonging("aws_security_group_rule", "security_group_id", group)
            if item.get("type") == direction
        ]
        rules = [rule for block in [*group.blocks(direction), *older] for rule in _several(stack, group, block)]
        rules += [_one(stack, group, item) for item in beside]
        grouped = _grouped(list(dict.fromkeys(rules)))
        if grouped and not (direction == "egress" and grouped == EVERYTHING_OUT):
            options[direction] = grouped
        for item in [*beside, *older]:
            item.skip("type", "source_security_group_id", "self")
        parts += [*beside, *older]
    return {**options, "tags": stack.named_tags(group)}, parts


def _one(stack: Stack, group: Thing, rule: Block) -> Rule:
    """A rule of today: one resource, one source."""
    head = _head(rule, str(rule.get("ip_protocol", "-1")))
    for attribute, option in ONE_SOURCE.items():
        if attribute in rule:
            return (*head, option, str(rule.get(attribute)))
    reference = rule.get("referenced_security_group_id")
    return (*head, "security_groups", stack.names.ref("aws_security_group", reference, group))


def _several(stack: Stack, group: Thing, rule: Block) -> Iterator[Rule]:
    """A rule of old: lists of sources."""
    head = _head(rule, str(rule.get("protocol", "-1")))
    for option in SOURCES[:3]:
        yield from ((*head, option, str(value)) for value in rule.get(option) or ())
    named = list(rule.get("security_groups") or ())
    if source := rule.get("source_security_group_id"):
        named.append(source)
    named += [group.id] if rule.get("self") else []
    for value in named:
        yield (*head, "security_groups", stack.names.ref("aws_security_group", value, group))


def _head(rule: Block, protocol: str) -> tuple[str, int | None, int | None, str]:
    protocol = protocol_of(protocol)
    first, last = rule.get("from_port"), rule.get("to_port")
    if protocol == "-1":
        first = last = None
    return protocol, first, last, str(rule.get("description") or "")


def _grouped(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """One option for all sources of what is otherwise the same."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for protocol, first, last, description, option, source in rules:
        key = (protocol, first, last, description)
        ports = {"from_port": first, "to_port": last if last != first else None}
        same = given({"protocol": protocol, **ports, "description": description or None})
        found.setdefault(key, same).setdefault(option, []).append(source)
    return [
        {name: sorted(value) if isinstance(value, list) else value for name, value in item.items()}
        for item in found.values()
    ]
