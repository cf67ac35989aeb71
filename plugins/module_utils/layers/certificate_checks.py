# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with declarations of the layer `certificate`, before AWS is asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import names
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import base_name, canonical_name

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,127}")
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d")
LONGEST_DOMAIN = 64
# What a new account may have; AWS raises it to 100.
MOST_NAMES = 100


def problems(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for declaration in declarations:
        for options in declaration.options["certificates"]:
            where = f"certificate.certificates[{options['name']}]"
            for path, message in _of_one(options):
                yield Problem(declaration.host, f"{where}.{path}", message)
            key = (options["region"] or "", options["name"])
            if key in seen:
                message = f"the certificate {options['name']!r} is declared already by {seen[key]}"
                yield Problem(declaration.host, where, message)
            seen.setdefault(key, declaration.host)


def _of_one(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not NAME.fullmatch(options["name"]):
        yield "name", f"is {options['name']!r}; it may have letters, digits, spaces and . _ - and 128 characters"
    if options["region"] and not REGION.fullmatch(options["region"]):
        yield "region", f"is {options['region']!r}; it must be a region, such as us-east-1"
    yield from _names(options)
    yield from _validation(options)
    if options["wait_timeout"] < 0:
        yield "wait_timeout", f"is {options['wait_timeout']}, it must not be negative"


def _names(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    main, further = options["domain_name"], options["subject_alternative_names"]
    for path, name in [("domain_name", main), *(("subject_alternative_names", item) for item in further)]:
        if message := names.problem(name, wildcard=True, labels=2):
            yield path, message
    if len(canonical_name(main)) > LONGEST_DOMAIN:
        yield (
            "domain_name",
            f"has {len(canonical_name(main))} characters, ACM allows {LONGEST_DOMAIN}: put a shorter name here "
            "and this one into subject_alternative_names",
        )
    for name, count in Counter(map(canonical_name, further)).items():
        if count > 1:
            yield "subject_alternative_names", f"names {name!r} twice"
    if len(further) >= MOST_NAMES:
        yield "subject_alternative_names", f"has {len(further)} names, ACM allows {MOST_NAMES} with domain_name"


def _validation(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    own = set(map(base_name, [options["domain_name"], *options["subject_alternative_names"]]))
    for name in options["names_by_hand"]:
        if base_name(name) not in own:
            yield "names_by_hand", f"names {name!r}, which the certificate is not for: {', '.join(sorted(own))}"
    by_mail = options["validation_method"] == "EMAIL"
    if options["names_by_hand"] and (by_mail or options["validation_records"] == "by_hand"):
        yield "names_by_hand", "is for validation_method DNS and validation_records route53"
    if not 0 <= options["validation_record_ttl"] <= 2147483647:
        yield "validation_record_ttl", f"is {options['validation_record_ttl']}, it must be from 0 to 2147483647"
