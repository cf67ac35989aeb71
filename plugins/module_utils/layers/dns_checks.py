# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong, or will not work as expected, with declarations of the layer `dns`; before AWS is asked."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import names
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration, Environment
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import canonical_name
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_targets import (
    CLOUDFRONT_ZONE,
    WEBSITE_ZONES,
)

Found = Iterator[tuple[str, str]]
ROUTING = ("weight", "latency_region", "failover", "multi_value_answer")
TARGETS = ("load_balancer", "s3_website", "cloudfront", "dns_name")
ALIAS_TYPES = ("A", "AAAA", "HTTPS")
# How many parts the values of a type have, and what they are.
PARTS = {
    "MX": (2, "a priority and a name: 10 mail.example.org"),
    "SRV": (4, "priority, weight, port and name: 10 5 5060 sip.example.org"),
}
CLOUDFRONT_DOMAIN = ".cloudfront.net"
MOST_SECONDS = 2147483647


def problems(declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
    for declaration in declarations:
        for zone in declaration.options["zones"]:
            for path, message in _zone(zone):
                yield Problem(declaration.host, f"dns.zones[{zone['name']}].{path}", message)
        for record in declaration.options["records"]:
            for path, message in _record(record, environment):
                yield Problem(declaration.host, f"dns.records[{record['name']}/{record['type']}].{path}", message)
    yield from _together(declarations)
    yield from _groups(declarations)


def warnings(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """A TTL of 0 costs time and money; what is never found unhealthy is never failed over from."""
    for declaration in declarations:
        for record in declaration.options["records"]:
            alias = record["alias"]
            checked = record["health_check_id"] or (alias and alias["evaluate_target_health"])
            if record["failover"] == "PRIMARY" and alias and not checked:
                where = f"dns.records[{record['name']}/{record['type']}].failover"
                message = "is PRIMARY with neither alias.evaluate_target_health nor health_check_id"
                yield Problem(declaration.host, where, f"{message}, so that the SECONDARY never answers")
            if record["ttl"] == 0:
                where = f"dns.records[{record['name']}/{record['type']}].ttl"
                yield Problem(declaration.host, where, "is 0: every request of every client is asked for anew")


def _zone(options: Mapping[str, Any]) -> Found:
    if message := names.problem(options["name"]):
        yield "name", message
    if len(set(options["vpcs"] or ())) < len(options["vpcs"] or ()):
        yield "vpcs", f"names a VPC twice: {', '.join(options['vpcs'])}"


def _record(options: Mapping[str, Any], environment: Environment) -> Found:
    if message := names.problem(options["name"], wildcard=True):
        yield "name", message
    yield from _place(options)
    if options["alias"] and options["values"]:
        yield "alias", "is given beside values; give one of them"
    elif options["alias"]:
        yield from _alias(options, environment)
    elif not options["values"]:
        yield "values", "is not given; a record needs values or alias"
    else:
        yield from _values(options)
    if options["ttl"] is not None and not 0 <= options["ttl"] <= MOST_SECONDS:
        yield "ttl", f"is {options['ttl']}, it must be from 0 to {MOST_SECONDS}"
    yield from _routing(options)
    if options["by_hand"]:
        yield from _by_hand(options)


def _by_hand(options: Mapping[str, Any]) -> Found:
    alias = options["alias"] or {}
    named = alias.get("cloudfront") and not alias["cloudfront"].rstrip(".").lower().endswith(CLOUDFRONT_DOMAIN)
    if not (alias.get("load_balancer") or alias.get("s3_website") or named):
        yield "by_hand", "is for an alias of load_balancer, s3_website, or cloudfront with a site's name"
    for name in ("zone", "private", "set_identifier", "wait", "protect"):
        if options[name]:
            yield "by_hand", f"is given beside {name}, which is for records that a run makes"
    if options["type"] != "A":
        yield "type", f"is {options['type']}; what is made by hand is a CNAME: leave the type out"


def _place(options: Mapping[str, Any]) -> Found:
    name, zone = canonical_name(options["name"]), canonical_name(options["zone"] or "")
    if options["private"] and not zone:
        yield "zone", "is not given; a record in a private zone needs it"
    if zone and name != zone and not name.endswith(f".{zone}"):
        yield "zone", f"is {zone!r}, in which the name {name!r} cannot be"
    if zone and name == zone and options["type"] in ("NS", "CNAME"):
        what = {"NS": "Route 53 sets the name servers of a zone itself", "CNAME": "use alias"}[options["type"]]
        yield "type", f"is {options['type']} for the name of the zone itself: {what}"


def _alias(options: Mapping[str, Any], environment: Environment) -> Found:
    alias = options["alias"]
    given = [name for name in TARGETS if alias[name]]
    if len(given) != 1:
        yield "alias", f"needs one of {', '.join(TARGETS)}; got {' and '.join(given) or 'none'}"
    if bool(alias["dns_name"]) != bool(alias["hosted_zone_id"]):
        yield "alias", "dns_name and hosted_zone_id go together"
    if options["ttl"] is not None:
        yield "ttl", "is given beside alias: Route 53 takes the TTL of the target"
    if not alias["dns_name"] and options["type"] not in ALIAS_TYPES:
        yield "type", f"is {options['type']}; an alias of this kind has type {', '.join(ALIAS_TYPES)}"
    if alias["s3_website"] and environment.region and environment.region not in WEBSITE_ZONES:
        yield "alias.s3_website", f"there is no known endpoint for S3 websites in {environment.region}: give dns_name"
    if alias["evaluate_target_health"] and _is_cloudfront(alias):
        yield "alias.evaluate_target_health", "is true; Route 53 does not evaluate CloudFront distributions"
    if alias["s3_website"] and options["type"] == "AAAA":
        yield "type", "is AAAA, but S3 websites answer over IPv4 only"


def _is_cloudfront(alias: Mapping[str, Any]) -> bool:
    return bool(alias["cloudfront"]) or alias["hosted_zone_id"] == CLOUDFRONT_ZONE


def _values(options: Mapping[str, Any]) -> Found:
    record_type, values = options["type"], options["values"]
    if record_type == "CNAME" and len(values) > 1:
        yield "values", f"has {len(values)} values, a CNAME has one"
    for value in values:
        if message := _value(record_type, str(value)):
            yield "values", f"has {value!r}, {message}"


def _value(record_type: str, value: str) -> str:
    if record_type in ("A", "AAAA"):
        version = 4 if record_type == "A" else 6
        try:
            fits = ipaddress.ip_address(value.strip()).version == version
        except ValueError:
            fits = False
        return "" if fits else f"which is no IPv{version} address"
    if record_type in ("CNAME", "NS", "PTR"):
        return f"which {message}" if (message := names.problem(value)) else ""
    if record_type in PARTS:
        count, what = PARTS[record_type]
        parts = value.split()
        fits = len(parts) == count and all(part.isdigit() for part in parts[:-1])
        return "" if fits else f"it must be {what}"
    if record_type == "CAA":
        parts = value.split(None, 2)
        fits = len(parts) == 3 and parts[0].isdigit() and parts[2].startswith('"') and parts[2].endswith('"')
        return "" if fits else 'it must be flags, tag and quoted value: 0 issue "amazon.com"'
    return ""


def _routing(options: Mapping[str, Any]) -> Found:
    given = [name for name in ROUTING if options[name] is not None]
    if len(given) > 1:
        yield given[1], f"is given beside {given[0]}; a record has one of {', '.join(ROUTING)}"
    if given and not options["set_identifier"]:
        yield "set_identifier", f"is not given; {given[0]} needs it"
    if options["set_identifier"] and not given:
        yield "set_identifier", f"is given; it needs one of {', '.join(ROUTING)}"
    if options["weight"] is not None and not 0 <= options["weight"] <= 255:
        yield "weight", f"is {options['weight']}, it must be from 0 to 255"
    if options["multi_value_answer"] and options["alias"]:
        yield "multi_value_answer", "is not for alias records"
    if options["failover"] == "PRIMARY" and not options["alias"] and not options["health_check_id"]:
        yield "health_check_id", "is not given; Route 53 wants one for a PRIMARY record with values"


def _groups(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """Records with identifiers, of one name and type: chosen from in one way, and each failover role once."""
    groups: dict[tuple[bool, str, str], list[tuple[str, str]]] = defaultdict(list)
    for declaration in declarations:
        for record in declaration.options["records"]:
            key = (record["private"], canonical_name(record["name"]), record["type"])
            ways = [name for name in ROUTING if record[name] is not None][:1]
            groups[key] += [(declaration.host, f"failover {record[way]}" if way == "failover" else way) for way in ways]
    for (_private, name, record_type), found in groups.items():
        where, ways = f"dns.records[{name}/{record_type}]", sorted({way for _host, way in found})
        if len({way.split(" ")[0] for way in ways}) > 1:
            yield Problem(found[-1][0], where, f"is declared with {' and '.join(ways)}; all records of a name use one")
        for way in ways:
            hosts = [host for host, other in found if other == way]
            if way.startswith("failover") and len(hosts) > 1:
                message = f"is declared {len(hosts)} times ({', '.join(hosts)}) with {way}; there can be one"
                yield Problem(hosts[-1], where, message)


def _together(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """A name with a CNAME has nothing else; a simple record has no others of its name and type beside it."""
    types: dict[tuple[bool, str], dict[str, list[tuple[str, bool]]]] = defaultdict(lambda: defaultdict(list))
    for declaration in declarations:
        for record in declaration.options["records"]:
            key = (record["private"], canonical_name(record["name"]))
            types[key][record["type"]].append((declaration.host, bool(record["set_identifier"])))
    for (_private, name), by_type in types.items():
        if "CNAME" in by_type and len(by_type) > 1:
            others = ", ".join(sorted(by_type.keys() - {"CNAME"}))
            message = f"has a CNAME and {others}; beside a CNAME a name may have nothing else"
            yield Problem(by_type["CNAME"][0][0], f"dns.records[{name}]", message)
        for record_type, found in by_type.items():
            if len(found) > 1 and not all(with_identifier for _host, with_identifier in found):
                hosts = ", ".join(sorted({host for host, _with_identifier in found}))
                message = (
                    f"is declared {len(found)} times ({hosts}); give each a set_identifier and a weight, or join them"
                )
                yield Problem(found[-1][0], f"dns.records[{name}/{record_type}]", message)
