# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of websites: buckets with their settings, their files, distributions in front of them."""

from __future__ import annotations

import json

import pytest

from .stack import ACCOUNT, Imported, arn, resource, state

NAME = "www.example.org"
ENDPOINT = f"{NAME}.s3.us-east-1.amazonaws.com"
PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{NAME}/*"]}
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"


def bucket(name=NAME, **more):
    attributes = {"id": name, "bucket": name, "arn": arn("s3", name), "bucket_regional_domain_name": ENDPOINT}
    return resource("aws_s3_bucket", name.partition(".")[0], attributes | more)


def part(kind, of=NAME, **attributes):
    return resource(f"aws_s3_bucket_{kind}", "x", {"id": of, "bucket": of, **attributes})


def access(public, of=NAME):
    acls = {"block_public_acls": True, "ignore_public_acls": True}
    return part("public_access_block", of, **acls, block_public_policy=not public, restrict_public_buckets=not public)


def policy(*statements):
    return part("policy", policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


OWNED = part("ownership_controls", rule=[{"object_ownership": "BucketOwnerEnforced"}])
WEBSITE = part("website_configuration", index_document=[{"suffix": "index.html"}], error_document=[{"key": "404.html"}])
SID = {**PUBLIC, "Sid": "PublicRead"}
SITE = (bucket(), OWNED, access(True), policy(SID))


def sites(found):
    return found.declared("static_site")["sites"]


def test_a_website_that_the_layer_could_have_made(tmp_path):
    encryption = {"apply_server_side_encryption_by_default": [{"sse_algorithm": "AES256"}]}
    found = Imported(*SITE, WEBSITE, part("server_side_encryption_configuration", rule=[encryption]))
    assert sites(found) == [{"name": NAME, "error_document": "404.html"}]
    assert (found.unmapped(), found.left(), found.changes()) == ({}, set(), set())
    assert f"s3_bucket_policy/{NAME}" in found.validate(tmp_path)


@pytest.mark.parametrize(
    ("website", "expected"),
    [
        (
            {"redirect_all_requests_to": [{"host_name": "example.org", "protocol": ""}]},
            {"redirect_all_requests_to": {"host_name": "example.org"}},
        ),
        (
            {
                "index_document": [{"suffix": "main.html"}],
                "routing_rule": [
                    {"condition": [{"key_prefix_equals": "a/"}], "redirect": [{"replace_key_prefix_with": "b/"}]},
                    {"condition": [], "redirect": [{"host_name": "example.net", "http_redirect_code": "302"}]},
                ],
                "routing_rules": "[what the provider makes of them]",
            },
            {
                "index_document": "main.html",
                "routing_rules": [
                    {"condition": {"key_prefix_equals": "a/"}, "redirect": {"replace_key_prefix_with": "b/"}},
                    {"redirect": {"host_name": "example.net", "http_redirect_code": "302"}},
                ],
            },
        ),
        (
            {
                "index_document": [{"suffix": "index.html"}],
                "routing_rules": json.dumps(
                    [{"Condition": {"HttpErrorCodeReturnedEquals": "404"}, "Redirect": {"ReplaceKeyWith": "x"}}]
                ),
            },
            {
                "routing_rules": [
                    {
                        "condition": {"http_error_code_returned_equals": "404"},
                        "redirect": {"replace_key_with": "x"},
                    }
                ]
            },
        ),
    ],
)
def test_what_the_website_configuration_says(tmp_path, website, expected):
    private = "redirect_all_requests_to" in expected
    parts = [bucket(), OWNED, access(not private), *([] if private else [policy(SID)])]
    found = Imported(*parts, part("website_configuration", **website))
    assert sites(found) == [{"name": NAME, **expected}]
    assert (found.unmapped(), found.left(), found.changes()) == ({}, set(), set())
    assert f"s3_bucket/{NAME}" in found.validate(tmp_path)


@pytest.mark.parametrize(
    ("website", "expected"),
    [
        (
            {"index_document": "a.html", "error_document": "b.html"},
            {"index_document": "a.html", "error_document": "b.html"},
        ),
        (
            {"redirect_all_requests_to": "https://example.org"},
            {"redirect_all_requests_to": {"host_name": "example.org", "protocol": "https"}},
        ),
    ],
)
def test_a_website_in_the_bucket_itself_as_old_providers_have_it(website, expected):
    assert sites(Imported(bucket(website=[website]))) == [{"name": NAME, **expected}]


def test_options_of_the_bucket():
    enabled = part("versioning", versioning_configuration=[{"status": "Enabled"}])
    other = {"Sid": "More", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "x"}
    bucket_ = bucket(force_destroy=True, tags_all={"Team": "web"})
    repository = resource("aws_ecr_repository", "r", {"name": "r", "arn": arn("ecr", "repository/r"), "tags_all": {}})
    found = Imported(repository, bucket_, OWNED, access(True), policy(SID, other), WEBSITE, enabled)
    [site] = sites(found)
    assert (site["versioning"], site["force_delete"], site["tags"]) == (True, True, {"Team": "web"})
    assert site["policy_statements"] == [other] and found.changes() == set()


@pytest.mark.parametrize(
    ("parts", "about"),
    [
        ((access(True), policy(SID)), "ownership_controls"),
        ((OWNED, policy(SID)), "public_access_block"),
        ((OWNED, access(False), policy(SID)), "public_access_block"),
        ((OWNED, access(True)), "policy"),
        ((OWNED, access(True), policy({**PUBLIC, "Sid": "AllowAll"})), "policy"),
    ],
)
def test_what_the_first_run_would_change_is_said(parts, about):
    found = Imported(bucket(), *parts, WEBSITE)
    assert found.changes() == {("aws_s3_bucket.www", about)}
    assert sites(found) == [{"name": NAME, "error_document": "404.html"}], "no statement twice"


def test_files_and_what_the_layer_leaves_alone_stay():
    instances = [
        {"attributes": {"id": key, "bucket": NAME, "key": key}, "index_key": key} for key in ("a/b.html", "index.html")
    ]
    objects = {"mode": "managed", "type": "aws_s3_object", "name": "files", "instances": instances}
    rule = part("lifecycle_configuration", rule=[{"id": "x"}])
    found = Imported(*SITE, WEBSITE, objects, rule, part("acl", acl="public-read"))
    assert found.unmapped()["aws_s3_object.files"].startswith("2 instances: the files stay")
    assert "stays with Terraform" in found.unmapped()["aws_s3_bucket_lifecycle_configuration.x"]
    assert "disables ACLs" in found.unmapped()["aws_s3_bucket_acl.x"]
    assert len(found.unmapped()) == 3
    [imports] = [text for path, text in found.files.items() if path.endswith("import.tf")]
    assert f'id = "{NAME}/a/b.html"' in imports
    [removed] = [text for path, text in found.files.items() if path.endswith("removed.tf")]
    assert "aws_s3_bucket.www" in removed and "aws_s3_object" not in removed


CONTROL = {
    "id": "C1",
    "name": NAME,
    "description": f"Reads the bucket {NAME}",
    "signing_behavior": "always",
    "signing_protocol": "sigv4",
    "origin_access_control_origin_type": "s3",
}
BEHAVIOR = {
    "target_origin_id": "s3",
    "viewer_protocol_policy": "redirect-to-https",
    "cache_policy_id": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "compress": True,
    "allowed_methods": ["HEAD", "GET"],
    "cached_methods": ["GET", "HEAD"],
}
FRONT = {
    "id": "E1",
    "arn": DISTRIBUTION,
    "domain_name": "d1.cloudfront.net",
    "comment": NAME,
    "enabled": True,
    "is_ipv6_enabled": True,
    "http_version": "http2and3",
    "price_class": "PriceClass_100",
    "default_root_object": "index.html",
    "aliases": [NAME],
    "staging": False,
    "origin": [
        {"origin_id": "s3", "domain_name": ENDPOINT, "origin_access_control_id": "C1", "connection_attempts": 3}
    ],
    "default_cache_behavior": [BEHAVIOR],
    "custom_error_response": [{"error_code": 403, "response_page_path": "/index.html", "response_code": 200}],
    "restrictions": [{"geo_restriction": [{"restriction_type": "none", "locations": []}]}],
    "viewer_certificate": [
        {
            "acm_certificate_arn": CERTIFICATE,
            "minimum_protocol_version": "TLSv1.2_2021",
            "ssl_support_method": "sni-only",
        }
    ],
}
READ = {
    "Sid": "CloudFrontRead",
    "Effect": "Allow",
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{NAME}/*",
    "Condition": {"StringEquals": {"AWS:SourceArn": DISTRIBUTION}},
}
TLS = {
    "Sid": "DenyInsecureTransport",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
PRIVATE = (bucket(), OWNED, access(False), policy(READ, TLS))


def front(**more):
    return resource("aws_cloudfront_distribution", "front", FRONT | more)


def control(**more):
    return resource("aws_cloudfront_origin_access_control", "front", CONTROL | more)


def test_a_site_behind_cloudfront(tmp_path):
    zone = resource("aws_route53_zone", "z", {"id": "Z1", "zone_id": "Z1", "name": "example.org"})
    alias = [{"name": "d1.cloudfront.net", "zone_id": "Z2FDTNDATAQYW2", "evaluate_target_health": False}]
    record = {"id": "r", "zone_id": "Z1", "name": NAME, "fqdn": NAME, "type": "A", "alias": alias}
    found = Imported(*PRIVATE, front(), control(), zone, resource("aws_route53_record", "r", record))
    assert sites(found) == [
        {
            "name": NAME,
            "cloudfront": {
                "certificate": CERTIFICATE,
                "price_class": "PriceClass_100",
                "custom_error_responses": [
                    {"error_code": 403, "response_page_path": "/index.html", "response_code": 200}
                ],
            },
        }
    ]
    assert (found.unmapped(), found.left(), found.changes()) == ({}, set(), set())
    assert found.declared("dns")["records"][0]["alias"] == {"cloudfront": NAME}
    assert f"cloudfront_distribution/{NAME}" in found.validate(tmp_path)


@pytest.mark.parametrize(
    ("distribution", "its_control", "about"),
    [
        ({"comment": "The website"}, {}, "comment"),
        ({"origin": [{**FRONT["origin"][0], "origin_id": "bucket"}]}, {}, "origin"),
        ({"default_root_object": ""}, {}, "default_root_object"),
        ({}, {"name": "oac"}, "origin_access_control"),
        ({}, {"description": "Managed by Terraform"}, "origin_access_control.description"),
        (
            {"viewer_certificate": [{**FRONT["viewer_certificate"][0], "minimum_protocol_version": "TLSv1.1_2016"}]},
            {},
            None,
        ),
    ],
)
def test_what_the_layer_would_have_otherwise_is_said(distribution, its_control, about):
    found = Imported(*PRIVATE, front(**distribution), control(**its_control))
    assert ("aws_cloudfront_distribution.front", about or "minimum_protocol_version") in found.changes()


@pytest.mark.parametrize(
    "distribution",
    [
        {"origin": [*FRONT["origin"], {"origin_id": "api", "domain_name": "api.example.org"}]},
        {"ordered_cache_behavior": [{"path_pattern": "/api/*"}]},
        {"enabled": False},
        {"default_cache_behavior": [{**BEHAVIOR, "cache_policy_id": ""}]},
    ],
)
def test_a_distribution_that_does_more_stays_with_terraform(distribution):
    found = Imported(*PRIVATE, front(**distribution), control())
    assert {"aws_cloudfront_distribution.front", "aws_s3_bucket.www"} <= found.unmapped().keys()


def test_a_certificate_for_cloudfront_comes_along_from_its_region():
    here = {"id": "v", "arn": f"arn:aws:ec2:eu-central-1:{ACCOUNT}:vpc/v", "cidr_block": "10.0.0.0/16"}
    certificate = {
        "id": CERTIFICATE,
        "arn": CERTIFICATE,
        "domain_name": NAME,
        "validation_method": "DNS",
        "options": [],
    }
    found = Imported(
        states={
            "terraform.tfstate": state(
                *(resource("aws_vpc", name, {**here, "id": name, "arn": here["arn"] + name}) for name in "ab"),
                resource("aws_acm_certificate", "front", certificate),
            )
        }
    )
    assert found.declared("certificate")["certificates"][0]["region"] == "us-east-1"
