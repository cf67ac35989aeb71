# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of Route 53: batches of changes and listings as AWS makes them."""

from __future__ import annotations

import re
from typing import Any

from moto.route53.exceptions import Route53ClientError
from moto.route53.models import RecordSet, Route53Backend, reverse_domain_name
from moto.route53.responses import Route53

from emulator.patching import replace

ESCAPED = re.compile(r"\\([0-7]{3})")
QUOTED = re.compile(r'\s*"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*\s*')
ROUTING = {"Weight": "weight", "Region": "region", "Failover": "failover", "MultiValueAnswer": "multi_value_answer"}


def stored_name(name: str) -> str:
    """A name as Route 53 keeps and returns it: lower case, with a dot at its end, and `*` as an escape."""
    plain = ESCAPED.sub(lambda found: chr(int(found[1], 8)), name).lower().rstrip(".")
    return "".join(char if re.match(r"[a-z0-9._-]", char) else f"\\{ord(char):03o}" for char in plain) + "."


def refused(*messages: str) -> Route53ClientError:
    return Route53ClientError("InvalidChangeBatch", f"[{', '.join(messages)}]")


def key_of(record: RecordSet) -> tuple[str, str, str]:
    return (stored_name(record.name), str(record.type), record.set_identifier or "")


def wanted(change: dict[str, Any]) -> RecordSet:
    record_set = dict(change["ResourceRecordSet"])
    record_set["Name"] = stored_name(record_set["Name"])
    record_set["ResourceRecords"] = [item["Value"] for item in record_set.get("ResourceRecords") or []]
    return RecordSet(record_set)


def contents(record: RecordSet) -> tuple[Any, ...]:
    """What a DELETE has to name in full."""
    target = record.alias_target or {}
    alias = (str(target.get("DNSName", "")).lower().rstrip("."), target.get("HostedZoneId", ""))
    routing = tuple(str(getattr(record, name) or "") for name in ROUTING.values())
    values = sorted(item["Value"] if isinstance(item, dict) else item for item in record.records or [])
    return (str(record.ttl or ""), values, alias, routing)


def check(zone: Any, record: RecordSet, records: dict[tuple[str, str, str], RecordSet]) -> None:
    """What AWS refuses to create."""
    name, kind, identifier = key_of(record)
    domain = stored_name(zone.name)
    if name != domain and not name.endswith(f".{domain}"):
        raise refused(f"RRSet with DNS name {name} is not permitted in zone {domain}")
    if bool(record.records) == bool(record.alias_target):
        raise refused(f"Expected exactly one of AliasTarget or ResourceRecords in Change with Name={name}, Type={kind}")
    if record.records and record.ttl is None:
        raise refused(f"Missing field 'TTL' in Change with Name={name}, Type={kind}")
    for value in record.records if kind in ("TXT", "SPF") else []:
        if not QUOTED.fullmatch(value):
            raise refused(
                "Invalid Resource Record: FATAL problem: InvalidCharacterString (Value should be enclosed in quotation "
                f"marks) encountered with '{value}'"
            )
    same_name = [other for other in records if other[0] == name and other != (name, kind, identifier)]
    if kind == "CNAME" and name == domain:
        raise refused(f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {domain}")
    if any((kind == "CNAME") != (other[1] == "CNAME") for other in same_name):
        raise refused(
            f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the "
            f"same DNS name in zone {domain}"
        )
    if any(other[1] == kind and bool(other[2]) != bool(identifier) for other in same_name):
        raise refused(f"RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier} cannot be created")


@replace(Route53Backend, "change_resource_record_sets")
def change_resource_record_sets(_original: Any, self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    """A batch is carried out whole or not at all; moto checked little, and deleted by name or identifier alone."""
    zone = self.get_hosted_zone(zoneid)
    records = {key_of(record): record for record in zone.rrsets}
    seen = set()
    for change in change_list:
        record = wanted(change)
        key, action = key_of(record), change["Action"]
        if (action, key) in seen:
            raise refused(
                f"The request contains an invalid set of changes for a resource record set '{key[1]} {key[0]}'"
            )
        seen.add((action, key))
        there = f"[name='{key[0]}', type='{key[1]}']"
        if action == "DELETE":
            if key not in records:
                raise refused(f"Tried to delete resource record set {there} but it was not found")
            if contents(records[key]) != contents(record):
                raise refused(
                    f"Tried to delete resource record set {there} but the values provided do not match the current "
                    "values"
                )
            del records[key]
            continue
        if action == "CREATE" and key in records:
            raise refused(f"Tried to create resource record set {there} but it already exists")
        check(zone, record, records)
        records[key] = record
    zone.rrsets = list(records.values())


@replace(Route53Backend, "list_resource_record_sets")
def list_resource_record_sets(
    _original: Any, self: Any, zone_id: str, start_type: str, start_name: str, max_items: int
) -> tuple[list[RecordSet], str | None, str | None, bool]:
    """Names come back in the form in which AWS keeps them, and a listing may begin at one in any form."""
    records = sorted(self.get_hosted_zone(zone_id).rrsets, key=place)
    for record in records:
        record.name = stored_name(record.name)
    if start_name:
        start = (reverse_domain_name(stored_name(start_name)), start_type or "")
        records = [record for record in records if place(record)[:2] >= start]
    page, further = records[:max_items], records[max_items:]
    return page, further[0].name if further else None, further[0].type if further else None, bool(further)


def place(record: RecordSet) -> tuple[str, str, str]:
    """Records are listed by name with its labels turned round, then by type."""
    name, kind, identifier = key_of(record)
    return (reverse_domain_name(name), kind, identifier)


@replace(Route53, "list_tags_for_resources")
def list_tags_for_resources(original: Any, self: Any) -> Any:
    """At most ten things a call."""
    if len(self._get_param("ResourceIds")) > 10:
        raise Route53ClientError("InvalidInput", "Member must have length less than or equal to 10")
    return original(self)
