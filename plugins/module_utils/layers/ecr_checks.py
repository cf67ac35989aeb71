# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a declared ECR repository, before AWS is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import documents

NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
NAME_LENGTH = (2, 256)
FILTER = re.compile(r"[0-9a-zA-Z._*-]{1,128}")
MOST_FILTERS = 5
MOST_WILDCARDS = 2
KMS_KEY_ARN = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+")
EXCLUDING = ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
TAG_STATUS = ("tagged", "untagged", "any")


def problems(repository: Mapping[str, Any]) -> Iterator[str]:
    yield from _name_problems(repository["name"])
    yield from _filter_problems(repository)
    yield from _encryption_problems(repository)
    if repository["keep_images"] is not None and repository["lifecycle_policy"] is not None:
        yield "keep_images and lifecycle_policy cannot both be given"
    if repository["keep_images"] is not None and repository["keep_images"] < 1:
        yield f"keep_images must be at least 1, got {repository['keep_images']}"
    if repository["repository_policy"]:
        for message in documents.problems(repository["repository_policy"], "repository"):
            yield f"repository_policy {message}"
    if repository["lifecycle_policy"]:
        yield from (f"lifecycle_policy {message}" for message in _lifecycle_problems(repository["lifecycle_policy"]))


def _name_problems(name: str) -> Iterator[str]:
    shortest, longest = NAME_LENGTH
    if not NAME.fullmatch(name) or not shortest <= len(name) <= longest:
        yield (
            f"a repository's name has {shortest} to {longest} lower-case letters and digits, "
            f"with single . _ - or / between them, got {name!r}"
        )


def _filter_problems(repository: Mapping[str, Any]) -> Iterator[str]:
    filters, mutability = repository["image_tag_mutability_exclusion_filters"], repository["image_tag_mutability"]
    if filters and mutability not in EXCLUDING:
        allowed = " or ".join(EXCLUDING)
        yield f"image_tag_mutability_exclusion_filters need image_tag_mutability {allowed}, got {mutability}"
    if mutability in EXCLUDING and not filters:
        yield f"image_tag_mutability {mutability} needs image_tag_mutability_exclusion_filters"
    if len(filters or ()) > MOST_FILTERS:
        yield f"image_tag_mutability_exclusion_filters has {len(filters)} filters, ECR allows {MOST_FILTERS}"
    for item in filters or ():
        if not FILTER.fullmatch(item) or item.count("*") > MOST_WILDCARDS:
            allowed = f"1 to 128 letters, digits and . _ - with at most {MOST_WILDCARDS} *"
            yield f"image_tag_mutability_exclusion_filters must be {allowed}, got {item!r}"


def _encryption_problems(repository: Mapping[str, Any]) -> Iterator[str]:
    key, sort = repository["kms_key"], str(repository["encryption_type"])
    if key and not sort.startswith("KMS"):
        yield f"kms_key needs encryption_type KMS or KMS_DSSE, got {repository['encryption_type']}"
    if key and not KMS_KEY_ARN.fullmatch(key):
        # ECR answers with the key's ARN, and cannot change the key: anything else would never look the same again.
        yield f"kms_key must be the ARN of a key (arn:aws:kms:…:key/…), got {key!r}"


def _lifecycle_problems(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError as error:
            yield f"is not valid JSON: {error}"
            return
    rules = document.get("rules") if isinstance(document, Mapping) else None
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, Mapping) for rule in rules):
        yield f"must have a list of rules, got {document!r}"
        return
    priorities = [rule.get("rulePriority") for rule in rules]
    for priority in sorted({str(item) for item in priorities if priorities.count(item) > 1}):
        yield f"has two rules with rulePriority {priority}"
    for number, rule in enumerate(rules):
        yield from (f"rules[{number}] {message}" for message in _rule_problems(rule))


def _rule_problems(rule: Mapping[str, Any]) -> Iterator[str]:
    if not _positive(rule.get("rulePriority")):
        yield f"rulePriority must be a whole number from 1 on, got {rule.get('rulePriority')!r}"
    selection, action = rule.get("selection"), rule.get("action")
    if not isinstance(action, Mapping) or not action.get("type"):
        yield f"needs action with a type, such as expire, got {action!r}"
    if not isinstance(selection, Mapping):
        yield f"needs selection, got {selection!r}"
        return
    status = selection.get("tagStatus")
    tagged = bool(selection.get("tagPrefixList")) + bool(selection.get("tagPatternList"))
    if status not in TAG_STATUS:
        yield f"selection.tagStatus must be one of {', '.join(TAG_STATUS)}, got {status!r}"
    elif (status == "tagged") != (tagged == 1):
        yield "selection with tagStatus tagged, and only that, needs either tagPrefixList or tagPatternList"
    if not selection.get("countType"):
        yield "selection needs countType, such as imageCountMoreThan or sinceImagePushed"
    if not _positive(selection.get("countNumber")):
        yield f"selection.countNumber must be a whole number from 1 on, got {selection.get('countNumber')!r}"


def _positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
