# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which things of the states are imported at all: those of one account and region, each once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.names import common_type
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.report import Remark
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing

# CloudFront takes its certificates from one region.
AT_THE_EDGE = {"aws_acm_certificate": "us-east-1"}
ARN = re.compile(r"arn:([\w-]+):[\w-]+:([\w-]*):(\d{12}):")


def place_of(things: Iterable[Thing]) -> tuple[str, str, str]:
    """Partition, region and account, where most of what Terraform manages is."""
    managed = [match for thing in things if thing.managed and (match := _arn(thing))]
    return _most(match[1] for match in managed) or "aws", _most(_regions(managed)), _most(match[3] for match in managed)


def select(things: Sequence[Thing], region: str, account: str) -> tuple[list[Thing], list[Remark]]:
    """What is imported, and what not, with why."""
    kept: list[Thing] = []
    refused: list[Remark] = []
    first: dict[tuple[str, str], Thing] = {}
    for thing in sorted(things, key=_newest_first):
        if not thing.managed:
            kept.append(thing)
        elif reason := _elsewhere(thing, region, account) or _again(thing, first):
            refused.append(Remark(thing.address, "", reason))
        else:
            kept.append(thing)
    chosen = {id(thing) for thing in kept}
    return [thing for thing in things if id(thing) in chosen], refused


def _elsewhere(thing: Thing, region: str, account: str) -> str | None:
    match = _arn(thing)
    # Since version 6, the provider says the region of everything, also of what has no ARN.
    there = (match[2] if match else "") or ("" if match else str(thing.attributes.get("region") or ""))
    if match and match[3] != account:
        return f"it is in the account {match[3]}, most of this in {account}: give each account an inventory of its own"
    if there and region and there not in (region, AT_THE_EDGE.get(thing.type)) and thing.type != "aws_s3_bucket":
        return f"it is in {there}, most of this in {region}: give each region an inventory of its own"
    return None


def _again(thing: Thing, first: dict[tuple[str, str], Thing]) -> str | None:
    """What several states have, or several revisions of a family, is one thing in AWS."""
    identity = str(thing.attributes.get("arn") or "")
    if thing.type == "aws_ecs_task_definition":
        identity = str(thing.attributes.get("family") or "")
    other = first.setdefault((common_type(thing.type), identity), thing) if identity else thing
    if other is thing:
        return None
    return f"{other.address} is the same in AWS, and imported: only one of them can be right"


def _newest_first(thing: Thing) -> int:
    return -int(thing.attributes.get("revision") or 0) if thing.type == "aws_ecs_task_definition" else 0


def _arn(thing: Thing) -> re.Match[str] | None:
    return ARN.match(str(thing.attributes.get("arn") or ""))


def _regions(matches: Iterable[re.Match[str]]) -> list[str]:
    return [match[2] for match in matches if match[2]]


def _most(values: Iterable[str]) -> str:
    return next((value for value, _count in Counter(values).most_common(1)), "")
