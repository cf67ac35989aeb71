# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer dns: what a declaration becomes, and what it refuses."""

from __future__ import annotations

import re

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import base
from ansible_collections.dockyard.aws.plugins.module_utils.layers.dns import Dns
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Resource

ENVIRONMENT = base.Environment("test", "eu-central-1", "123456789012", tags={"Project": "lms"})
A = {"name": "api.example.org", "values": ["192.0.2.1"]}


def parse(*records, zones=(), host="platform"):
    declaration, problems = base.parse(Dns(), host, {"records": list(records), "zones": list(zones)})
    assert problems == []
    return declaration


def only(record):
    [resource] = Dns().resources(parse(record), ENVIRONMENT)
    return resource


def problems(*declarations):
    return [str(item) for item in Dns().validate(declarations, ENVIRONMENT)]


def alias(**options):
    return only({"name": "www.example.org", "alias": options}).properties["AliasTarget"]


def test_a_record_is_called_by_name_type_and_set():
    assert only({**A, "name": "API.Example.org."}).name == "api.example.org/A"
    assert only({**A, "set_identifier": "blue", "weight": 0}).name == "api.example.org/A/blue"
    assert only({**A, "zone": "example.org", "private": True}).name == "private:api.example.org/A"


def test_the_zone_is_that_of_the_name_unless_one_is_given():
    assert only(A).scope["HostedZoneId"].address == ("route53_zone_of", "api.example.org")
    assert only({**A, "zone": "Example.org"}).scope["HostedZoneId"].address == ("route53_zone", "example.org")
    private = only({**A, "zone": "example.org", "private": True})
    assert private.scope["HostedZoneId"].address == ("route53_zone", "private:example.org")


def test_a_declared_zone_owns_its_names():
    record, zone = only(A), Resource("route53_zone", "example.org", {})
    Dns().connect({item.address: item for item in (record, zone)})
    assert record.scope["HostedZoneId"].address == Address("route53_zone", "example.org")


def test_targets_of_aliases():
    balancer = alias(load_balancer="web", evaluate_target_health=True)
    assert isinstance(balancer["DNSName"], Ref) and balancer["DNSName"].attribute == "dns_name"
    assert balancer["HostedZoneId"].attribute == "canonical_hosted_zone_id" and balancer["EvaluateTargetHealth"]
    assert alias(s3_website=True) == {
        "DNSName": "s3-website.eu-central-1.amazonaws.com",
        "HostedZoneId": "Z21DNDUVLTQW6Q",
        "EvaluateTargetHealth": False,
    }
    assert alias(cloudfront="d1.cloudfront.net")["HostedZoneId"] == "Z2FDTNDATAQYW2"
    assert alias(cloudfront="d1.cloudfront.net")["DNSName"] == "d1.cloudfront.net"
    assert alias(cloudfront="www.example.org")["DNSName"].address == ("cloudfront_distribution", "www.example.org")


def test_what_somebody_else_makes():
    balancer = only({"name": "API.example.org", "by_hand": True, "alias": {"load_balancer": "web"}})
    assert balancer.address == ("record_by_hand", "api.example.org")
    assert balancer.scope["Target"].address == ("load_balancer", "web")
    website = only({"name": "www.example.org", "by_hand": True, "alias": {"s3_website": True}})
    assert website.scope["Target"].address == ("s3_bucket", "www.example.org")
    assert website.properties == {"Endpoint": "s3-website.eu-central-1.amazonaws.com"}
    site = only({"name": "www.example.org", "by_hand": True, "alias": {"cloudfront": "www.example.org"}})
    assert site.scope["Target"].attribute == "domain_name"


LONG = f"{'a' * 64}.example.org"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({**A, "name": "a..b"}, r"name: is 'a..b'"),
        ({**A, "name": LONG}, r"name: is 'a+.example.org'; a name has labels of 1 to 63"),
        ({"name": "api.example.org"}, r"values: is not given; a record needs values or alias"),
        ({**A, "alias": {"load_balancer": "web"}}, r"alias: is given beside values"),
        ({**A, "values": ["300.1.1.1"]}, r"values: has '300.1.1.1', which is no IPv4 address"),
        ({**A, "type": "AAAA"}, r"which is no IPv6 address"),
        ({**A, "type": "CNAME", "values": ["a.org", "b.org"]}, r"values: has 2 values, a CNAME has one"),
        ({**A, "type": "CNAME", "values": ["a b"]}, r"values: has 'a b', which is 'a b'"),
        ({**A, "type": "MX", "values": ["mail.org"]}, r"it must be a priority and a name"),
        ({**A, "type": "SRV", "values": ["1 2 a.org"]}, r"it must be priority, weight, port and name"),
        ({**A, "type": "CAA", "values": ["0 issue amazon.com"]}, r"it must be flags, tag and quoted value"),
        ({**A, "ttl": -1}, r"ttl: is -1"),
        ({**A, "zone": "example.com"}, r"zone: is 'example.com', in which the name 'api.example.org' cannot be"),
        ({**A, "private": True}, r"zone: is not given; a record in a private zone needs it"),
        (
            {"name": "example.org", "zone": "example.org", "type": "CNAME", "values": ["a.org"]},
            r"type: is CNAME for the name of the zone itself: use alias",
        ),
        (
            {"name": "a.org", "alias": {"load_balancer": "a", "cloudfront": "b"}},
            r"alias: needs one of .*; got load_bal",
        ),
        ({"name": "a.org", "alias": {"dns_name": "b.org"}}, r"alias: dns_name and hosted_zone_id go together"),
        ({"name": "a.org", "ttl": 5, "alias": {"load_balancer": "a"}}, r"ttl: is given beside alias"),
        ({"name": "a.org", "type": "MX", "alias": {"load_balancer": "a"}}, r"type: is MX; an alias of this kind has"),
        ({"name": "a.org", "type": "AAAA", "alias": {"s3_website": True}}, r"S3 websites answer over IPv4 only"),
        ({**A, "weight": 1}, r"set_identifier: is not given; weight needs it"),
        ({**A, "set_identifier": "a"}, r"set_identifier: is given; it needs one of"),
        ({**A, "set_identifier": "a", "weight": 300}, r"weight: is 300, it must be from 0 to 255"),
        ({**A, "set_identifier": "a", "weight": 3, "failover": "SECONDARY"}, r"failover: is given beside weight"),
        ({**A, "by_hand": True}, r"by_hand: is for an alias of load_balancer"),
        ({"name": "a.org", "by_hand": True, "alias": {"cloudfront": "d1.cloudfront.net"}}, r"by_hand: is for an alias"),
        (
            {"name": "a.org", "by_hand": True, "zone": "a.org", "alias": {"load_balancer": "a"}},
            r"by_hand: is given beside zone",
        ),
        (
            {"name": "a.org", "by_hand": True, "type": "AAAA", "alias": {"load_balancer": "a"}},
            r"type: is AAAA; what is made by hand is a CNAME",
        ),
        ({**A, "set_identifier": "a", "failover": "PRIMARY"}, r"health_check_id: is not given; .*PRIMARY record with"),
        (
            {"name": "a.org", "alias": {"cloudfront": "www.a.org", "evaluate_target_health": True}},
            r"alias.evaluate_target_health: is true; Route 53 does not evaluate CloudFront",
        ),
        (
            {
                "name": "a.org",
                "alias": {"dns_name": "b.org", "hosted_zone_id": "Z2FDTNDATAQYW2", "evaluate_target_health": True},
            },
            r"alias.evaluate_target_health: is true",
        ),
    ],
)
def test_bad_input_is_refused(record, message):
    [found] = problems(parse(record))
    assert re.search(message, found), found


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([A, {**A, "type": "CNAME", "values": ["b.org"]}], r"has a CNAME and A"),
        (
            [{**A, "set_identifier": "a", "weight": 1}, {**A, "set_identifier": "b", "latency_region": "eu-west-1"}],
            r"is declared with latency_region and weight; all records of a name use one",
        ),
        (
            [{**A, "set_identifier": name, "failover": "SECONDARY"} for name in "ab"],
            r"is declared 2 times \(platform, platform\) with failover SECONDARY; there can be one",
        ),
        ([A, {**A, "name": "API.example.org."}], r"is declared 2 times \(platform\); give each a set_identifier"),
    ],
)
def test_records_that_exclude_each_other(records, message):
    [found] = problems(parse(*records))
    assert re.search(message, found), found


def test_records_that_go_together():
    blue, green = ({**A, "set_identifier": name, "weight": 1} for name in ("blue", "green"))
    assert problems(parse(blue), parse(green, host="other")) == []
    checked = {**A, "failover": "PRIMARY", "set_identifier": "a", "health_check_id": "h"}
    assert problems(parse(checked, {**A, "failover": "SECONDARY", "set_identifier": "b"})) == []
    private = {**A, "zone": "example.org", "private": True}
    assert problems(parse(A, private, {**A, "type": "TXT"})) == []


def test_an_unknown_region_has_no_endpoint_for_websites():
    nowhere = base.Environment("test", "xx-north-1")
    [found] = Dns().validate([parse({"name": "a.org", "alias": {"s3_website": True}})], nowhere)
    assert "no known endpoint for S3 websites in xx-north-1" in found.message


def test_a_vpc_is_named_once():
    [found] = problems(parse(zones=[{"name": "internal", "vpcs": ["a", "a"]}]))
    assert "names a VPC twice" in found


def test_a_primary_record_that_is_always_healthy_is_warned_of():
    options = {"name": "a.org", "set_identifier": "a", "failover": "PRIMARY"}
    [found] = Dns().warn([parse({**options, "alias": {"load_balancer": "web"}})], {})
    assert found.variable == "dns.records[a.org/A].failover" and "the SECONDARY never answers" in found.message
    healthy = {"load_balancer": "web", "evaluate_target_health": True}
    assert not list(Dns().warn([parse({**options, "alias": healthy})], {}))


def test_no_ttl_is_warned_of():
    [found] = Dns().warn([parse({**A, "ttl": 0})], {})
    assert "is 0" in found.message
