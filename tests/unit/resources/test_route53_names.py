# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values of records: one form for equal ones, the form that Route 53 takes, the zone that owns a name."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.resources import route53_names as names
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_records import Key
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_targets import (
    website_endpoint,
    website_zone,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("API.Example.org.", "api.example.org"),
        ("\\052.example.org", "*.example.org"),
        ("0\\05725.2.0.192.in-addr.arpa.", "0/25.2.0.192.in-addr.arpa"),
    ],
)
def test_names_have_one_form(given, expected):
    assert names.canonical_name(given) == expected
    assert names.canonical_name(names.api_name(given)) == expected


def test_other_characters_are_escaped():
    assert names.api_name("a/b.Example.org") == "a\\057b.example.org."
    assert names.api_name("*._dmarc.example.org") == "*._dmarc.example.org."


@pytest.mark.parametrize(
    ("name", "zones", "expected"),
    [
        ("a.b.example.org", ["example.org", "b.example.org"], "b.example.org"),
        ("b.example.org", ["example.org", "b.example.org"], "b.example.org"),
        ("notexample.org", ["example.org"], None),
        ("*.Example.org.", ["example.org", "org"], "example.org"),
    ],
)
def test_the_longest_zone_owns_a_name(name, zones, expected):
    assert names.owner_of(name, zones) == expected


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("A", ["192.0.2.2", "192.0.2.1"], ["192.0.2.1", "192.0.2.2"]),
        ("AAAA", ["2001:DB8::1"], ["2001:0db8:0:0:0:0:0:1"]),
        ("MX", ["10 Mail.Example.org."], ["10  mail.example.org"]),
        ("SRV", ["1 2 443 A.org."], ["1 2 443 a.org"]),
        ("CAA", ['0 ISSUE "amazon.com"'], ["0 issue amazon.com"]),
        ("TXT", ['"a\\"b" "c"'], ['a"bc']),
        ("TXT", ['"\\303\\244"'], ['"\\303" "\\244"']),
        ("TXT", ['"\\303\\244\\012"'], ["ä\n"]),
        ("TXT", ['"ä"'], ['"\\303\\244"']),
        ("HTTPS", ["1  .  alpn=h2"], ["1 . alpn=h2"]),
    ],
)
def test_equal_values_have_one_form(kind, one, other):
    assert names.canonical_values(kind, one) == names.canonical_values(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("TXT", ["Case Counts"], ["case counts"]),
        ("TXT", ["two  spaces"], ["two spaces"]),
        ("CAA", ['0 issue "amazon.com"'], ['0 issuewild "amazon.com"']),
        ("MX", ["10 mail.example.org"], ["20 mail.example.org"]),
    ],
)
def test_other_values_differ(kind, one, other):
    assert names.canonical_values(kind, one) != names.canonical_values(kind, other)


def test_long_texts_are_cut_and_read_as_one():
    [value] = names.api_values("TXT", ["k" * 300])
    assert value == f'"{"k" * 255}" "{"k" * 45}"'
    assert names.canonical_values("TXT", [value]) == ["k" * 300]
    assert names.api_values("TXT", ['"as it is" "in parts"']) == ['"as it is" "in parts"']
    assert names.api_values("TXT", ['say "hi" \\o/']) == ['"say \\"hi\\" \\\\o/"']


def test_characters_that_route_53_does_not_take_are_escaped():
    assert names.api_values("TXT", ["ä\t"]) == ['"\\303\\244\\011"']
    assert names.api_values("TXT", ['"ä" "\\303\\244"']) == ['"\\303\\244" "\\303\\244"']
    [value] = names.api_values("TXT", ["ä" * 200])
    assert value.count('" "') == 1 and names.canonical_values("TXT", [value]) == ["ä" * 200]


def test_a_value_is_sent_once():
    assert names.api_values("A", ["192.0.2.1", "192.0.2.1"]) == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("api.example.org/A", ("api.example.org", "A", "")),
        ("api.example.org/A/blue/green", ("api.example.org", "A", "blue/green")),
        ("0/25.2.0.192.in-addr.arpa/PTR", ("0/25.2.0.192.in-addr.arpa", "PTR", "")),
        ("private:db.internal/A", ("db.internal", "A", "")),
    ],
)
def test_a_record_is_found_by_its_name(name, expected):
    assert Key.of(name) == expected


def test_endpoints_of_websites():
    assert website_endpoint("eu-west-1") == "s3-website-eu-west-1.amazonaws.com"
    assert website_endpoint("eu-central-1") == "s3-website.eu-central-1.amazonaws.com"
    assert website_zone("eu-central-1") == "Z21DNDUVLTQW6Q" and website_zone("nowhere") == ""
