# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of security groups: one form for declared and described ones, their differences in words; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference

PROTOCOL_NAMES = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
WITH_PORTS = ("tcp", "udp")
WITH_TYPES = ("icmp", "icmpv6")
SOURCES = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")


def protocol_of(value: Any) -> str:
    """A protocol as AWS writes it: tcp, udp, icmp, icmpv6, -1 for all, else its number."""
    text = str(value).lower()
    return PROTOCOL_NAMES.get(text, text)


def canonical(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with one source; ports are -1 where the protocol has none."""
    protocol = protocol_of(rule["IpProtocol"])
    with_ports = protocol in WITH_PORTS + WITH_TYPES
    result: dict[str, Any] = {"IpProtocol": protocol}
    for name in ("FromPort", "ToPort"):
        value = rule.get(name)
        result[name] = int(value) if with_ports and value is not None else -1
    for name in SOURCES:
        if rule.get(name):
            result[name] = str(ip_network(rule[name], strict=False)) if name.startswith("Cidr") else rule[name]
    for name in ("Description", "ReferencedGroupName"):
        if rule.get(name) is not None:
            result[name] = rule[name]
    return result


def identity(rule: Mapping[str, Any]) -> tuple[str, ...]:
    """What makes a rule that rule for AWS: everything but its description."""
    return tuple(str(rule.get(name, "")) for name in ("IpProtocol", "FromPort", "ToPort", *SOURCES))


def words(rule: Mapping[str, Any], direction: str) -> str:
    """A rule as people say it: `tcp 80 from 0.0.0.0/0`."""
    source = next(rule[name] for name in SOURCES if name in rule)
    source = rule.get("ReferencedGroupName", source)
    return f"{_traffic(rule)} {'from' if direction == 'ingress' else 'to'} {source}"


def _traffic(rule: Mapping[str, Any]) -> str:
    protocol, first, last = rule["IpProtocol"], rule["FromPort"], rule["ToPort"]
    if protocol == "-1":
        return "all traffic"
    if protocol in WITH_TYPES:
        parts = [protocol]
        parts += [f"type {first}"] if first != -1 else []
        parts += [f"code {last}"] if last != -1 else []
        return " ".join(parts)
    if protocol not in WITH_PORTS:
        return f"protocol {protocol}"
    if (first, last) == (0, 65535):
        return f"{protocol} all ports"
    return f"{protocol} {first}" if first == last else f"{protocol} {first}-{last}"


def permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule in the shape that the authorize calls take."""
    result: dict[str, Any] = {"IpProtocol": rule["IpProtocol"]}
    if rule["IpProtocol"] in WITH_PORTS + WITH_TYPES:
        result |= {"FromPort": rule["FromPort"], "ToPort": rule["ToPort"]}
    description = {"Description": rule["Description"]} if rule.get("Description") else {}
    shapes = {
        "CidrIpv4": ("IpRanges", "CidrIp"),
        "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        "PrefixListId": ("PrefixListIds", "PrefixListId"),
        "ReferencedGroupId": ("UserIdGroupPairs", "GroupId"),
    }
    for name, (key, inner) in shapes.items():
        if name in rule:
            result[key] = [{inner: rule[name], **description}]
    return result


def differences(
    direction: str, desired: Sequence[Mapping[str, Any]], observed: Sequence[Mapping[str, Any]]
) -> list[Difference]:
    """Rules to add, to remove and to describe anew, between canonical rules.

    A rule whose group is replaced is one difference: the old id before, the new one after.
    """
    there = {identity(rule): rule for rule in observed}
    found: dict[str, Difference] = {}
    for rule in desired:
        path = f"{direction}[{words(rule, direction)}]"
        known = there.pop(identity(rule), None)
        if known is None:
            found[path] = Difference(path, None, _value(rule))
        elif rule.get("Description") is not None and rule["Description"] != (known.get("Description") or ""):
            path = f"{path}.Description"
            found[path] = Difference(path, known.get("Description") or None, rule["Description"] or None)
    for rule in there.values():
        path = f"{direction}[{words(rule, direction)}]"
        after = found[path].after if path in found else None
        found[path] = Difference(path, _value(rule), after)
    return list(found.values())


def _value(rule: Mapping[str, Any]) -> str:
    """What stands before or after the arrow: the group's id, the description, or that it is allowed."""
    parts = [rule.get("ReferencedGroupId"), rule.get("Description")]
    return ": ".join(part for part in parts if part) or "allowed"
