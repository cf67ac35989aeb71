# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosted zones and records: every change that AWS lets one make, alone."""

from __future__ import annotations

from typing import Any

from tests.integration.kinds import elbv2

Client = Any
ZONE = "example.org"
BALANCED = {"set_identifier": "blue", "weight": 10}
TARGET = {"dns_name": "dualstack.Web-1.us-east-1.elb.amazonaws.com.", "hosted_zone_id": "Z35SXDOTRQ7X7K"}
OTHER_TARGET = {**TARGET, "dns_name": "web-2.us-east-1.elb.amazonaws.com"}


def declared(*records: dict[str, Any], **zone: Any) -> dict[str, Any]:
    return {"dns": {"platform": {"zones": [{"name": ZONE, **zone}], "records": list(records)}}}


def record(name: str = "api.example.org", **options: Any) -> dict[str, Any]:
    return {"name": name, **({} if "alias" in options else {"values": ["192.0.2.1"]}), **options}


def update(title: str, before: dict[str, Any], path: str, **changes: Any) -> dict[str, Any]:
    kept = {key: value for key, value in {**before, **changes}.items() if value is not None}
    address = f"route53_record/{before['name']}/{before.get('type', 'A')}"
    if "set_identifier" in before:
        address += f"/{before['set_identifier']}"
    return {"id": f"record {title}", "declared": declared(kept), "address": address, "paths": path.split()}


def case(title: str, *updates: dict[str, Any], **options: Any) -> dict[str, Any]:
    base = record(**options)
    return {
        "id": f"record {title}",
        "kind": "route53_record",
        "also": ["route53_zone"],
        "declared": declared(base),
        "updates": [update(f"{title}: {number}", base, **change) for number, change in enumerate(updates)],
    }


VPC = {"vpc": {"name": "web", "cidr_block": "10.0.0.0/16"}}
PRIVATE = {"name": "db.internal.example", "zone": "internal.example", "private": True, "values": ["10.0.0.9"]}


def private(*vpcs: str) -> dict[str, Any]:
    networks = {name: {"vpc": {**VPC["vpc"], "name": name}} for name in ("web", "back")}
    zone = {"name": "internal.example", "vpcs": list(vpcs)}
    return {"network": networks, "dns": {"platform": {"zones": [zone], "records": [PRIVATE]}}}


def by_hand(load_balancer: str) -> dict[str, Any]:
    return {"name": "api.example.net", "by_hand": True, "alias": {"load_balancer": load_balancer}}


CASES: list[dict[str, Any]] = [
    {
        "id": "hosted zone",
        "kind": "route53_zone",
        "declared": declared(comment="Ours", tags={"Team": "web"}),
        "updates": [
            {
                "id": "zone comment",
                "declared": declared(comment="Theirs", tags={"Team": "web"}),
                "address": f"route53_zone/{ZONE}",
                "paths": ["Comment"],
            },
            {
                "id": "zone tags",
                "declared": declared(comment="Ours", tags={"Team": "platform"}),
                "address": f"route53_zone/{ZONE}",
                "paths": ["tags.Team"],
            },
        ],
    },
    {
        "id": "private hosted zone",
        "kind": "route53_zone",
        "declared": private("web"),
        "updates": [
            {
                "id": "VPCs of a private zone",
                "declared": private("web", "back"),
                "address": "route53_zone/private:internal.example",
                "paths": ["VPCs"],
            }
        ],
    },
    case(
        "A",
        {"values": ["192.0.2.2", "192.0.2.1"], "path": "ResourceRecords"},
        {"ttl": 60, "path": "TTL"},
        {"values": None, "alias": TARGET, "path": "AliasTarget"},
    ),
    case("wildcard", {"ttl": 60, "path": "TTL"}, name="*.example.org"),
    case(
        "alias",
        {"alias": OTHER_TARGET, "path": "AliasTarget.DNSName"},
        {"alias": {**TARGET, "evaluate_target_health": True}, "path": "AliasTarget.EvaluateTargetHealth"},
        {"alias": None, "values": ["192.0.2.1"], "path": "ResourceRecords TTL"},
        alias=TARGET,
    ),
    case("AAAA", {"values": ["2001:db8::2"], "path": "ResourceRecords"}, type="AAAA", values=["2001:DB8:0::1"]),
    case("CNAME", {"values": ["b.example.com"], "path": "ResourceRecords"}, type="CNAME", values=["A.Example.com."]),
    case(
        "TXT",
        {"values": ["v=spf1 -all", 'a "quoted" one'], "path": "ResourceRecords"},
        type="TXT",
        values=["v=spf1 -all", "k" * 300, '"already" "quoted"'],
    ),
    case(
        "MX",
        {"values": ["20 mail.example.org"], "path": "ResourceRecords"},
        type="MX",
        values=["10 Mail.example.org."],
    ),
    case("SRV", {"values": ["1 2 443 b.example.org"], "path": "ResourceRecords"}, type="SRV", values=["1 2 443 a.org"]),
    case(
        "CAA",
        {"values": ['0 issue "letsencrypt.org"'], "path": "ResourceRecords"},
        type="CAA",
        values=['0 Issue "amazon.com"'],
    ),
    case("NS", {"values": ["ns3.example.net"], "path": "ResourceRecords"}, type="NS", values=["ns1.example.net"]),
    case("weighted", {"weight": 20, "path": "Weight"}, **BALANCED),
    case(
        "failover",
        {"failover": "SECONDARY", "path": "Failover"},
        set_identifier="one",
        failover="PRIMARY",
        health_check_id="11111111-2222-3333-4444-555555555555",
    ),
    case(
        "latency", {"latency_region": "eu-west-1", "path": "Region"}, set_identifier="one", latency_region="us-east-1"
    ),
    {
        "id": "record made by hand",
        "kind": "record_by_hand",
        "declared": {**elbv2.BASE, "dns": {"web": {"records": [by_hand("web")]}}},
    },
]
