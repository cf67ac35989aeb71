# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer certificate: what a declaration becomes, and what it refuses."""

from __future__ import annotations

import re

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import base, certificate
from ansible_collections.dockyard.aws.plugins.module_utils.layers.certificate import Certificate
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Resource

ENVIRONMENT = base.Environment("test", "eu-central-1", "123456789012", tags={"Project": "lms"})
WEB = {
    "name": "web",
    "domain_name": "API.example.org",
    "subject_alternative_names": ["*.api.example.org", "b.example.com"],
}


def parse(*certificates, host="platform"):
    declaration, problems = base.parse(Certificate(), host, {"certificates": list(certificates)})
    assert problems == []
    return declaration


def resources(**options):
    found = list(Certificate().resources(parse({**WEB, **options}), ENVIRONMENT))
    return {str(item.address): item for item in found}


def problems(*declarations):
    return [str(item) for item in Certificate().validate(declarations, ENVIRONMENT)]


def test_a_certificate_its_records_and_its_issue():
    found = resources()
    assert list(found) == [
        "acm_certificate/web",
        "acm_validation_record/web/api.example.org",
        "acm_validation_record/web/b.example.com",
        "acm_certificate_validation/web",
    ]
    main, record, _other, validation = found.values()
    assert main.properties["SubjectAlternativeNames"] == ["*.api.example.org", "api.example.org", "b.example.com"]
    assert main.tags == {"Project": "lms", "Name": "web"}
    assert [ref.address for ref in record.looked_at] == [("route53_zone_of", "api.example.org")]
    assert record.depends_on == ()
    assert {ref.name for ref in validation.depends_on} == {"web/api.example.org", "web/b.example.com"}


@pytest.mark.parametrize(
    ("options", "records", "by_hand"),
    [
        ({"validation_records": "by_hand"}, [], ["api.example.org", "b.example.com"]),
        ({"names_by_hand": ["b.example.com"]}, ["web/api.example.org"], ["b.example.com"]),
        ({"validation_method": "EMAIL"}, [], []),
    ],
)
def test_records_of_others(options, records, by_hand):
    found = resources(**options)
    assert [item.name for item in found.values() if item.kind == "acm_validation_record"] == records
    assert found["acm_certificate_validation/web"].options["by_hand"] == by_hand


def test_another_region_is_a_part_of_the_name():
    assert "acm_certificate/us-east-1:web" in resources(region="us-east-1")
    assert "acm_certificate/web" in resources(region="eu-central-1")


def test_a_declared_zone_is_waited_for():
    record = resources()["acm_validation_record/web/api.example.org"]
    zones = [Resource("route53_zone", name, {}) for name in ("example.org", "private:api.example.org", "org")]
    declared = {item.address: item for item in (record, *zones)}
    Certificate().connect(declared)
    assert [ref.address for ref in record.depends_on] == [Address("route53_zone", "example.org")]
    assert record.looked_at == ()


def test_users_wait_until_it_is_issued():
    arn, waits_for = certificate.reference("web", "there")
    assert arn == Ref("acm_certificate", "web", "arn", where="there")
    assert [ref.address for ref in waits_for] == [("acm_certificate_validation", "web")]
    assert certificate.reference("arn:aws:acm:x", "there") == ("arn:aws:acm:x", ())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "a/b"}, r"name: is 'a/b'; it may have letters"),
        ({"domain_name": "localhost"}, r"domain_name: is 'localhost'; .* with a dot in between"),
        ({"domain_name": "a.*.example.org"}, r"domain_name: is 'a.\*.example.org'"),
        ({"domain_name": "bücher.example.org"}, r"domain_name: is 'bücher.example.org'; write it in its ASCII form"),
        ({"domain_name": f"{'a' * 60}.example.org"}, r"domain_name: has 72 characters, ACM allows 64"),
        ({"subject_alternative_names": ["b.org", "B.org."]}, r"subject_alternative_names: names 'b.org' twice"),
        (
            {"subject_alternative_names": [f"a{n}.org" for n in range(100)]},
            r"has 100 names, ACM allows 100 with domain",
        ),
        ({"region": "europe"}, r"region: is 'europe'; it must be a region"),
        ({"wait_timeout": -1}, r"wait_timeout: is -1"),
        ({"names_by_hand": ["x.org"]}, r"names_by_hand: names 'x.org', which the certificate is not for"),
        (
            {"names_by_hand": ["b.example.com"], "validation_records": "by_hand"},
            r"names_by_hand: is for validation_method DNS and validation_records route53",
        ),
        ({"validation_record_ttl": -5}, r"validation_record_ttl: is -5"),
    ],
)
def test_bad_input_is_refused(options, message):
    [found] = problems(parse({**WEB, **options}))
    assert re.search(message, found), found


def test_a_name_is_declared_once_in_a_region():
    elsewhere = {**WEB, "region": "us-east-1"}
    assert problems(parse(WEB, elsewhere)) == []
    [found] = problems(parse(WEB), parse(WEB, host="other"))
    assert found == "other: certificate.certificates[web]: the certificate 'web' is declared already by platform"
