# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer static_site: what a declaration becomes, which files with which headers, and what is refused."""

from __future__ import annotations

import errno
import os

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import site_files
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment, parse
from ansible_collections.dockyard.aws.plugins.module_utils.layers.content_types import content_type
from ansible_collections.dockyard.aws.plugins.module_utils.layers.static_site import StaticSite
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref

LAYER = StaticSite()
LMS = Environment("lms", "eu-central-1", "123456789012", tags={"Project": "lms"})
NAME = "www.example.org"
ACM = "arn:aws:acm:{}:123456789012:certificate/00000000-0000-0000-0000-000000000001"
CERTIFICATE = ACM.format("us-east-1")


@pytest.fixture
def folder(tmp_path):
    for name in ("index.html", "404.html", "assets/app.js", "assets/app.js.map", ".git/config", "deep/.DS_Store"):
        path = tmp_path / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "dist"


def declaration(host="web", base_dir=".", **options):
    result, problems = parse(LAYER, host, {"sites": [{"name": NAME, **options}]}, str(base_dir))
    assert not problems, problems
    return result


def resources(**options):
    return {resource.kind: resource for resource in LAYER.resources(declaration(**options), LMS)}


def messages(*declarations):
    return [str(problem) for problem in LAYER.validate(declarations, LMS)]


def files(folder, **options):
    return declaration(base_dir=folder.parent, files={"source": "dist", **options})


def sids(made):
    return [item["Sid"] for item in made["s3_bucket_policy"].properties["Policy"]["Statement"]]


def test_a_website_is_public_by_its_policy_and_never_by_acls():
    made = resources()
    assert made["s3_bucket"].properties["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    assert sids(made) == ["PublicRead"]
    assert set(made) == {"s3_bucket", "s3_bucket_policy"}


def test_behind_cloudfront_the_bucket_is_private_and_only_the_distribution_reads_it():
    made = resources(cloudfront={})
    assert set(made["s3_bucket"].properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert made["s3_bucket"].properties["WebsiteConfiguration"] is None
    assert sids(made) == ["DenyInsecureTransport", "CloudFrontRead"]
    (read,) = [
        one for one in made["s3_bucket_policy"].properties["Policy"]["Statement"] if one["Sid"] == "CloudFrontRead"
    ]
    source = read["Condition"]["StringEquals"]["AWS:SourceArn"]
    assert isinstance(source, Ref)
    assert source.address == ("cloudfront_distribution", NAME)
    (origin,) = made["cloudfront_distribution"].properties["Origins"].values()
    assert origin["DomainName"] == f"{NAME}.s3.eu-central-1.amazonaws.com"


def test_a_redirect_needs_no_public_bucket_and_no_policy():
    made = resources(redirect_all_requests_to={"host_name": "example.org"})
    assert set(made) == {"s3_bucket"}
    assert set(made["s3_bucket"].properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_the_manifest_is_for_the_account_alone(folder):
    made = resources(base_dir=folder.parent, files={"source": "dist"})
    closed = made["s3_bucket_policy"].properties["Policy"]["Statement"][-1]
    assert closed["Effect"] == "Deny"
    assert closed["Resource"] == f"arn:aws:s3:::{NAME}/.dockyard/*"
    assert closed["Condition"] == {"StringNotEquals": {"aws:PrincipalAccount": "123456789012"}}


@pytest.mark.parametrize(
    ("cloudfront", "aliases"),
    [
        ({}, []),
        ({"certificate": CERTIFICATE}, [NAME]),
        ({"certificate": CERTIFICATE, "aliases": ["a.example.org"]}, ["a.example.org"]),
    ],
)
def test_the_name_is_the_alias_where_there_is_a_certificate(cloudfront, aliases):
    assert resources(cloudfront=cloudfront)["cloudfront_distribution"].properties["Aliases"] == aliases


@pytest.mark.parametrize(("region", "name"), [("us-east-1", "site"), ("eu-central-1", "us-east-1:site")])
def test_a_certificate_by_name_is_that_of_us_east_1_and_is_waited_for(region, name):
    there = Environment("lms", region, "123456789012")
    made = {item.kind: item for item in LAYER.resources(declaration(cloudfront={"certificate": "site"}), there)}
    distribution = made["cloudfront_distribution"]
    assert distribution.properties["ViewerCertificate"]["ACMCertificateArn"].address == ("acm_certificate", name)
    assert ("acm_certificate_validation", name) in {ref.address for ref in distribution.depends_on}


def test_the_error_document_answers_for_what_is_missing():
    found = resources(cloudfront={}, error_document="404.html")["cloudfront_distribution"]
    assert found.properties["CustomErrorResponses"] == [
        {"ErrorCode": 403, "ResponsePagePath": "/404.html", "ResponseCode": 404},
        {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": 404},
    ]


def test_the_same_files_elsewhere_are_the_same_declaration(folder, tmp_path):
    other = tmp_path / "else"
    os.rename(folder.parent / "dist", tmp_path / "moved")
    other.mkdir()
    os.rename(tmp_path / "moved", other / "dist")
    found = resources(base_dir=other, files={"source": "dist"})["s3_site_files"].properties["Source"]
    assert (str(found), found.path) == ("dist", str(other / "dist"))


def test_files_are_found_but_for_the_excluded(folder):
    assert list(site_files.found({"source": "dist", "exclude": [".git/*", "*/.DS_Store"]}, str(folder.parent))) == [
        "404.html",
        "assets/app.js",
        "assets/app.js.map",
        "index.html",
    ]


def test_a_linked_folder_is_followed_but_not_in_a_circle(folder):
    (folder / "assets" / "loop").symlink_to(folder)
    (folder / "current").symlink_to(folder / "assets")
    found = site_files.found({"source": "dist", "exclude": []}, str(folder.parent))
    assert {"assets/app.js", "current/app.js"} <= found.keys()
    assert not [key for key in found if "loop/index.html" in key]


def test_a_folder_that_cannot_be_read_is_no_empty_one(folder, monkeypatch):
    original = os.scandir

    def refused(path):
        if str(path).endswith("assets"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(site_files.os, "scandir", refused)
    assert [f"{folder / 'assets'} cannot be read: Permission denied" in item for item in messages(files(folder))] == [
        True
    ]


RULES = [
    {"pattern": "assets/*.js", "cache_control": "immutable"},
    {"pattern": "*.js", "cache_control": "no-store", "content_type": "text/plain", "metadata": {"Team": 7}},
    {"pattern": "*", "cache_control": "no-cache"},
]
HEADERS = {
    "assets/app.js": {"ContentType": "text/plain", "CacheControl": "immutable", "Metadata": {"team": "7"}},
    "sw.js": {"ContentType": "text/plain", "CacheControl": "no-store", "Metadata": {"team": "7"}},
    "index.html": {"ContentType": "text/html; charset=utf-8", "CacheControl": "no-cache"},
}


@pytest.mark.parametrize("key", HEADERS)
def test_of_each_header_the_first_rule_counts(key):
    assert site_files.headers(key, RULES) == HEADERS[key]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a/b.JS", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("data.json", "application/json"),
        ("logo.svg", "image/svg+xml"),
        ("font.woff2", "font/woff2"),
        ("app.wasm", "application/wasm"),
        ("site.webmanifest", "application/manifest+json"),
        ("LICENSE", "application/octet-stream"),
        (".htaccess", "application/octet-stream"),
        ("backup.tar.gz", "application/gzip"),
        ("a.unknown-ending", "application/octet-stream"),
    ],
)
def test_content_types_are_those_of_the_web(key, expected):
    assert content_type(key) == expected


RULE = {"redirect": {"host_name": "example.org"}}
BAD = {
    "capitals in the name": ({"name": "WWW"}, "'WWW'"),
    "name that is an address": ({"name": "10.0.0.1"}, "IP address"),
    "reserved name": ({"name": "xn--a.example.org"}, "'xn--'"),
    "index in a folder": ({"index_document": "a/index.html"}, "without a folder"),
    "redirect to a URL": ({"redirect_all_requests_to": {"host_name": "https://example.org/"}}, "must be a domain"),
    "redirect and rules": (
        {"redirect_all_requests_to": {"host_name": "example.org"}, "routing_rules": [RULE]},
        "has no effect",
    ),
    "rule without effect": ({"routing_rules": [{"redirect": {}}]}, "says nothing"),
    "rule with two paths": (
        {"routing_rules": [{"redirect": {"replace_key_with": "a", "replace_key_prefix_with": "b"}}]},
        "cannot both be given",
    ),
    "code that is no redirect": ({"routing_rules": [{"redirect": {"http_redirect_code": "200"}}]}, "'200'"),
    "empty condition": ({"routing_rules": [{**RULE, "condition": {}}]}, "leave it out"),
    "condition that is no error": (
        {"routing_rules": [{**RULE, "condition": {"http_error_code_returned_equals": "200"}}]},
        "such as 404",
    ),
    "too many rules": ({"routing_rules": [RULE] * 51}, "51 rules, S3 allows 50"),
    "statement without effect": (
        {"policy_statements": [{"Principal": "*", "Action": "a", "Resource": "b"}]},
        "Effect must be",
    ),
    "statement of our own": (
        {
            "policy_statements": [
                {"Sid": "PublicRead", "Effect": "Allow", "Principal": "*", "Action": "a", "Resource": "b"}
            ]
        },
        "Sid PublicRead belongs",
    ),
    "routing rules with cloudfront": ({"cloudfront": {}, "routing_rules": [RULE]}, "website endpoint of S3"),
    "alias without certificate": ({"cloudfront": {"aliases": ["a.example.org"]}}, "is needed for the aliases"),
    "alias that is none": ({"cloudfront": {"aliases": ["a"], "certificate": CERTIFICATE}}, "must be domains, got 'a'"),
    "certificate elsewhere": ({"cloudfront": {"certificate": ACM.format("eu-central-1")}}, "got one in eu-central-1"),
    "certificate of IAM": ({"cloudfront": {"certificate": "arn:aws:iam::1:server-certificate/a"}}, "must be the ARN"),
    "error that is none": ({"cloudfront": {"custom_error_responses": [{"error_code": 200}]}}, "got 200"),
    "error twice": ({"cloudfront": {"custom_error_responses": [{"error_code": 404}] * 2}}, "404 is declared twice"),
    "page without code": (
        {"cloudfront": {"custom_error_responses": [{"error_code": 404, "response_page_path": "/a"}]}},
        "go together",
    ),
    "page without slash": (
        {
            "cloudfront": {
                "custom_error_responses": [{"error_code": 404, "response_page_path": "a", "response_code": 200}]
            }
        },
        "must begin with a slash",
    ),
    "code that none can be": (
        {
            "cloudfront": {
                "custom_error_responses": [{"error_code": 404, "response_page_path": "/a", "response_code": 302}]
            }
        },
        "got 302",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_work_is_refused(name):
    options, expected = BAD[name]
    found = messages(declaration(**options))
    assert len(found) == 1, found
    assert expected in found[0]
    assert "static_site.sites[" in found[0]


BAD_FILES = {
    "no folder": ({"source": "build"}, "does not exist; build the site first"),
    "a file": ({"source": "dist/index.html"}, "is a file"),
    "everything excluded": ({"exclude": ["*"]}, "everything that was published would be removed"),
    "no index document": ({"exclude": ["index.html"]}, "no index.html"),
    "rule without header": ({"headers": [{"pattern": "*"}]}, "sets no header"),
    "rule without pattern": ({"headers": [{"pattern": "", "cache_control": "a"}]}, "must not be empty"),
    "header with a line break": ({"headers": [{"pattern": "*", "cache_control": "a\nb"}]}, "printable ASCII"),
    "metadata that is no ASCII": ({"headers": [{"pattern": "*", "metadata": {"a": "ü"}}]}, "printable ASCII"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_cannot_be_published_are_refused(folder, name):
    options, expected = BAD_FILES[name]
    found = messages(files(folder, **options))
    assert len(found) == 1, found
    assert expected in found[0]


def test_our_own_folder_and_names_that_are_too_long_are_refused(folder):
    (folder / ".dockyard").mkdir()
    (folder / ".dockyard" / "manifest.json").write_text("{}")
    deep = folder.joinpath(*["d" * 200] * 6)
    deep.mkdir(parents=True)
    (deep / "a").write_text("a")
    found = messages(files(folder))
    assert ["where the list of what was published is kept" in found[0], "S3 allows 1024" in found[1]] == [True, True]


def test_many_bad_files_are_counted(folder):
    (folder / ".dockyard").mkdir()
    for number in range(9):
        (folder / ".dockyard" / str(number)).write_text("a")
    found = messages(files(folder))
    assert len(found) == 6
    assert "4 more files" in found[-1]


def test_a_site_is_declared_once():
    assert "declared already by a" in messages(declaration("a"), declaration("b"))[0]


def test_what_may_surprise_is_warned_of(folder):
    odd = declaration(base_dir=folder.parent, name="bucket", files={"source": "dist", "remove": "all"})
    found = [str(item) for item in LAYER.warn([odd], {})]
    expected = ["no domain", "whoever put it there", "takes for inventory"]
    assert [text in line for text, line in zip(expected, found, strict=True)] == [True] * 3


def test_a_site_in_the_files_of_the_inventory_or_outside_is_no_surprise(folder):
    os.rename(folder, folder.parent / "files")
    inside = declaration(base_dir=folder.parent, files={"source": "files"})
    outside = declaration(base_dir=folder.parent / "inventory", files={"source": "../files"})
    assert list(LAYER.warn([inside, outside], {})) == []
