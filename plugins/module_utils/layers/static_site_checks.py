# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with declared websites, before AWS is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import documents, site_files
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration
from ansible_collections.dockyard.aws.plugins.module_utils.layers.s3_buckets import name_problems
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem

DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])", re.IGNORECASE)
CERTIFICATE = re.compile(r"arn:[\w-]+:acm:([\w-]+):\d{12}:certificate/[\w-]+")
CERTIFICATE_REGION = "us-east-1"
OWN_SIDS = ("PublicRead", "CloudFrontRead", "DenyInsecureTransport", "ManifestStaysPrivate")
# What the website endpoint of S3 does, and CloudFront in front of a private bucket does not.
WEBSITE_ONLY = ("redirect_all_requests_to", "routing_rules")
ERROR_CODES = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
RESPONSE_CODES = (200, *ERROR_CODES)
MOST_ROUTING_RULES = 50

Found = Iterator[tuple[str, str]]


def problems(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for declaration in declarations:
        for site in declaration.options["sites"]:
            name, where = site["name"], f"static_site.sites[{site['name']}]"
            for option, message in _of_site(site, declaration.base_dir):
                yield Problem(declaration.host, f"{where}.{option}" if option else where, message)
            if name in seen:
                yield Problem(declaration.host, where, f"the site {name!r} is declared already by {seen[name]}")
            seen[name] = declaration.host


def warnings(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    for declaration in declarations:
        for site in declaration.options["sites"]:
            where = f"static_site.sites[{site['name']}]"
            if not site["cloudfront"] and not DOMAIN.fullmatch(site["name"]):
                message = "is no domain: the website answers under the endpoint of S3 alone"
                yield Problem(declaration.host, f"{where}.name", message)
            if site["files"]:
                for option, message in _files_warnings(site["files"], declaration.base_dir):
                    yield Problem(declaration.host, f"{where}.files.{option}", message)


def _files_warnings(files: Mapping[str, Any], base_dir: str) -> Found:
    if files["remove"] == "all":
        yield "remove", "all deletes from the bucket whatever the folder does not have, whoever put it there"
    source, inventory = site_files.folder(files, base_dir).resolve(), Path(base_dir).resolve()
    if source.is_relative_to(inventory) and source.relative_to(inventory).parts[:1] != ("files",):
        message = f"{source} lies in the folder of the inventory, all of which Ansible takes for inventory, but for"
        yield "source", f"{message} the folder files: move the site there, or elsewhere"


def _of_site(site: Mapping[str, Any], base_dir: str) -> Found:
    yield from (("name", message) for message in name_problems(site["name"], dots=True))
    yield from _redirect_problems(site)
    yield from _routing_problems(site["routing_rules"])
    if "/" in site["index_document"] or not site["index_document"]:
        yield "index_document", f"is the name of a file, without a folder, got {site['index_document']!r}"
    yield from _statement_problems(site["policy_statements"])
    if site["cloudfront"]:
        yield from ((f"cloudfront.{option}", message) for option, message in _cloudfront_problems(site))
    if site["files"]:
        yield from ((f"files.{option}", message) for option, message in site_files.problems(site, base_dir))


def _redirect_problems(site: Mapping[str, Any]) -> Found:
    if site["cloudfront"]:
        for option in WEBSITE_ONLY:
            if site[option]:
                yield option, "is done by the website endpoint of S3, which cloudfront does not use; use a function"
    redirect = site["redirect_all_requests_to"]
    if not redirect:
        return
    for option in ("files", "routing_rules", "error_document"):
        if site[option]:
            yield option, "has no effect with redirect_all_requests_to, which answers every request"
    if not DOMAIN.fullmatch(redirect["host_name"]):
        yield "redirect_all_requests_to.host_name", f"must be a domain, got {redirect['host_name']!r}"


def _routing_problems(rules: Sequence[Mapping[str, Any]]) -> Found:
    if len(rules) > MOST_ROUTING_RULES:
        yield "routing_rules", f"has {len(rules)} rules, S3 allows {MOST_ROUTING_RULES}"
    for number, rule in enumerate(rules):
        where, redirect, condition = f"routing_rules[{number}]", rule["redirect"], rule["condition"]
        if not any(redirect.values()):
            yield f"{where}.redirect", "says nothing; give host_name, protocol, or what replaces the path"
        if redirect["replace_key_with"] is not None and redirect["replace_key_prefix_with"] is not None:
            yield f"{where}.redirect", "replace_key_with and replace_key_prefix_with cannot both be given"
        code = redirect["http_redirect_code"]
        if code is not None and not re.fullmatch(r"3\d\d", code):
            yield f"{where}.redirect.http_redirect_code", f"must be a redirect such as 301 or 302, got {code!r}"
        if condition is not None and not any(condition.values()):
            yield f"{where}.condition", "says nothing; leave it out for a rule that always holds"
        error = (condition or {}).get("http_error_code_returned_equals")
        if error and not re.fullmatch(r"[45]\d\d", error):
            yield f"{where}.condition.http_error_code_returned_equals", f"must be an error such as 404, got {error!r}"


def _statement_problems(statements: Sequence[Any]) -> Found:
    for number, statement in enumerate(statements):
        where = f"policy_statements[{number}]"
        yield from ((where, message) for message in documents.statement_problems(statement, "resource"))
        if isinstance(statement, Mapping) and statement.get("Sid") in OWN_SIDS:
            yield where, f"Sid {statement['Sid']} belongs to a statement that this role writes"


def _cloudfront_problems(site: Mapping[str, Any]) -> Found:
    cloudfront = site["cloudfront"]
    certificate, names = cloudfront["certificate"], cloudfront["aliases"] or ()
    if names and not certificate:
        yield "certificate", f"is needed for the aliases {', '.join(names)}"
    if certificate and certificate.startswith("arn:"):
        found = CERTIFICATE.fullmatch(certificate)
        if not found:
            yield "certificate", f"must be the ARN of an ACM certificate (arn:aws:acm:us-east-1:…), got {certificate!r}"
        elif found[1] != CERTIFICATE_REGION and "-cn" not in certificate:
            yield "certificate", f"must lie in {CERTIFICATE_REGION}, where CloudFront looks, got one in {found[1]}"
    for name in names:
        if not DOMAIN.fullmatch(name):
            yield "aliases", f"must be domains, got {name!r}"
    seen: set[int] = set()
    for number, item in enumerate(cloudfront["custom_error_responses"] or ()):
        yield from _error_problems(f"custom_error_responses[{number}]", item, seen)


def _error_problems(where: str, item: Mapping[str, Any], seen: set[int]) -> Found:
    code, page, answer = item["error_code"], item["response_page_path"], item["response_code"]
    if code not in ERROR_CODES:
        yield f"{where}.error_code", f"must be one of {', '.join(map(str, ERROR_CODES))}, got {code}"
    if code in seen:
        yield f"{where}.error_code", f"{code} is declared twice"
    seen.add(code)
    if (page is None) != (answer is None):
        yield where, "response_page_path and response_code go together"
    if page is not None and not page.startswith("/"):
        yield f"{where}.response_page_path", f"must begin with a slash, got {page!r}"
    if answer is not None and answer not in RESPONSE_CODES:
        yield f"{where}.response_code", f"must be one of {', '.join(map(str, RESPONSE_CODES))}, got {answer}"
