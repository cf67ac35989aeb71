# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of certificates, the records that validate them, hosted zones and records."""

from __future__ import annotations

import pytest

from .stack import Imported, arn, resource

DOMAIN = "api.example.org"


def certificate(**more):
    attributes = {
        "id": arn("acm", "certificate/1"),
        "arn": arn("acm", "certificate/1"),
        "domain_name": DOMAIN,
        "subject_alternative_names": [DOMAIN, "*.api.example.org", "b.example.com"],
        "key_algorithm": "RSA_2048",
        "validation_method": "DNS",
        "options": [{"certificate_transparency_logging_preference": "ENABLED", "export": "DISABLED"}],
        "status": "ISSUED",
        "type": "AMAZON_ISSUED",
        "tags_all": {},
    }
    return resource("aws_acm_certificate", "web", attributes | more)


def record(name, kind="A", label="x", **more):
    attributes = {"id": f"Z1_{name}_{kind}", "zone_id": "Z1", "name": name, "fqdn": name, "type": kind}
    return resource("aws_route53_record", label, attributes | more)


def validation(domain, label="v"):
    return record(f"_0a.{domain}", "CNAME", label, ttl=60, records=["_1b.jkddzztszm.acm-validations.aws."])


def zone(**more):
    attributes = {"id": "Z1", "zone_id": "Z1", "name": "example.org", "comment": "Managed by Terraform"}
    return resource("aws_route53_zone", "main", attributes | more)


def test_that_a_successor_cannot_be_exported_is_said():
    exported = certificate(options=[{"export": "ENABLED"}])
    assert ("aws_acm_certificate.web", "options.export") in Imported(exported).changes()


WAITING = resource("aws_acm_certificate_validation", "web", {"id": "x", "certificate_arn": arn("acm", "certificate/1")})


def test_a_certificate_takes_its_records_along(tmp_path):
    found = Imported(certificate(), validation(DOMAIN), validation("b.example.com", "w"), WAITING)
    assert found.declared("certificate")["certificates"] == [
        {
            "name": DOMAIN,
            "domain_name": DOMAIN,
            "subject_alternative_names": ["*.api.example.org", "b.example.com"],
            "validation_record_ttl": 60,
        }
    ]
    assert found.unmapped() == {} and found.left() == set()
    assert f"acm_certificate_validation/{DOMAIN}" in found.validate(tmp_path)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], {"validation_records": "by_hand"}),
        ([validation(DOMAIN)], {"names_by_hand": ["b.example.com"], "validation_record_ttl": 60}),
    ],
)
def test_records_that_terraform_did_not_make(records, expected):
    [options] = Imported(certificate(), *records).declared("certificate")["certificates"]
    assert expected.items() <= options.items()


def test_an_imported_certificate_stays_where_it_is():
    found = Imported(certificate(validation_method="NONE"), zone())
    assert "listeners name it by its ARN" in found.unmapped()["aws_acm_certificate.web"]


BALANCER = resource(
    "aws_lb",
    "web",
    {
        "id": arn("elasticloadbalancing", "loadbalancer/app/web/1"),
        "arn": arn("elasticloadbalancing", "loadbalancer/app/web/1"),
        "name": "web",
        "load_balancer_type": "application",
        "dns_name": "Web-1.us-east-1.elb.amazonaws.com",
        "subnets": ["subnet-a", "subnet-b"],
        "security_groups": ["sg-1"],
    },
)
LISTENER = resource(
    "aws_lb_listener",
    "https",
    {
        "id": arn("elasticloadbalancing", "listener/app/web/1/2"),
        "arn": arn("elasticloadbalancing", "listener/app/web/1/2"),
        "load_balancer_arn": arn("elasticloadbalancing", "loadbalancer/app/web/1"),
        "port": 443,
        "protocol": "HTTPS",
        "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificate_arn": arn("acm", "certificate/1"),
        "default_action": [
            {"type": "fixed-response", "fixed_response": [{"content_type": "text/plain", "status_code": "404"}]}
        ],
    },
)


def test_a_listener_names_its_certificate():
    found = Imported(certificate(tags_all={"Name": "front"}), BALANCER, LISTENER)
    [balancer] = found.declared("alb")["load_balancers"]
    assert balancer["listeners"][0]["certificate"] == "front"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            record(
                DOMAIN,
                alias=[
                    {
                        "name": "dualstack.web-1.us-east-1.elb.amazonaws.com",
                        "zone_id": "Z3",
                        "evaluate_target_health": True,
                    }
                ],
            ),
            {"name": DOMAIN, "alias": {"load_balancer": "web", "evaluate_target_health": True}},
        ),
        (
            record("example.org", alias=[{"name": "s3-website-us-east-1.amazonaws.com", "zone_id": "Z3"}]),
            {"name": "example.org", "alias": {"s3_website": True}},
        ),
        (
            record("example.org", alias=[{"name": "d1.cloudfront.net", "zone_id": "Z2FDTNDATAQYW2"}]),
            {"name": "example.org", "alias": {"cloudfront": "d1.cloudfront.net"}},
        ),
        (
            record("example.org", "TXT", ttl=300, records=["v=spf1 -all", 'aaa" "bbb']),
            {"name": "example.org", "type": "TXT", "ttl": 300, "values": ['"aaa" "bbb"', "v=spf1 -all"]},
        ),
        (
            record(DOMAIN, ttl=60, records=["192.0.2.1"], set_identifier="a", weighted_routing_policy=[{"weight": 0}]),
            {"name": DOMAIN, "ttl": 60, "values": ["192.0.2.1"], "set_identifier": "a", "weight": 0},
        ),
    ],
)
def test_records(tmp_path, given, expected):
    found = Imported(zone(), BALANCER, given)
    assert found.declared("dns") == {
        "zones": [{"name": "example.org", "comment": "Managed by Terraform"}],
        "records": [expected],
    }
    assert "aws_route53_record.x" not in found.unmapped()
    assert not [item for item in found.left() if item[0].startswith("aws_route53")]


def test_a_record_of_a_private_zone_says_so():
    private = zone(vpc=[{"vpc_id": "vpc-9", "vpc_region": "us-east-1"}])
    found = Imported(private, record("db.example.org", ttl=60, records=["10.0.0.1"])).declared("dns")
    assert found["zones"][0]["vpcs"] == ["vpc-9"]
    assert (found["records"][0]["zone"], found["records"][0]["private"]) == ("example.org", True)


def test_routing_without_an_option_stays_with_terraform():
    found = Imported(
        zone(), record(DOMAIN, ttl=60, records=["192.0.2.1"], geolocation_routing_policy=[{"country": "DE"}])
    )
    assert "stays with Terraform" in found.unmapped()["aws_route53_record.x"]
