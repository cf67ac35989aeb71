# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kinds of Elastic Load Balancing share: tags, attributes, ARNs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference, Observed

GONE = ("LoadBalancerNotFound", "TargetGroupNotFound", "ListenerNotFound", "RuleNotFound")
TAGS = "tags in Elastic Load Balancing"
TAGS_AT_ONCE = 20
ATTRIBUTES_AT_ONCE = 20
REPORT_EVERY = 5.0


def tags_of(aws: Aws, arns: Iterable[str]) -> dict[str, dict[str, str]]:
    """The tags of many things, 20 a call; and those that others of this reading have left to be asked with them."""
    left = {} if aws.answers is None else aws.answers.left(TAGS)
    elbv2, wanted = aws.client("elbv2"), sorted({*arns, *left})
    answers = each(lambda some: _described(elbv2, some), chunks(wanted, TAGS_AT_ONCE))
    found = {item["ResourceArn"]: tags.from_list(item["Tags"]) for answer in answers for item in answer}
    for arn, labels in left.items():
        labels.update(found.get(arn, {}))
    return found


def later_tags_of(aws: Aws, arns: Iterable[str]) -> dict[str, dict[str, str]]:
    """The same for what is not identified by tags: filled in until the reading ends, with the next call."""
    if aws.answers is None:
        return tags_of(aws, arns)
    return {arn: aws.answers.leave(TAGS, arn) for arn in arns}


def _described(elbv2: Any, arns: list[str]) -> list[dict[str, Any]]:
    """AWS refuses the whole call where one of the things is gone: somebody else's rule, deleted a moment ago."""
    refused = (*GONE, "ValidationError") if len(arns) > 1 else GONE
    answer = unless(refused, elbv2.describe_tags, ResourceArns=arns)
    if answer is not None:
        return list(answer["TagDescriptions"])
    return [item for arn in arns if len(arns) > 1 for item in _described(elbv2, [arn])]


def attributes_from(answer: Mapping[str, Any]) -> dict[str, str]:
    """Attributes as Elastic Load Balancing lists them, as a mapping."""
    return {item["Key"]: item.get("Value", "") for item in answer["Attributes"]}


def attribute_text(value: Any) -> str:
    """An attribute's value as Elastic Load Balancing writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def canonical_attributes(attributes: Mapping[str, Any] | None) -> dict[str, str]:
    return {key: attribute_text(value) for key, value in (attributes or {}).items()}


def attribute_lists(attributes: Mapping[str, Any]) -> list[list[dict[str, str]]]:
    """Attributes in the form of the modify calls, as many a call as AWS takes."""
    items = [{"Key": key, "Value": attribute_text(value)} for key, value in sorted(attributes.items())]
    return list(chunks(items, ATTRIBUTES_AT_ONCE))


def changed_attributes(attributes: Mapping[str, Any], differences: Sequence[Difference]) -> dict[str, Any]:
    """The attributes to send: those that differ, with their siblings, which AWS checks together (a log's bucket)."""
    paths = [item.path.removeprefix("Attributes.") for item in differences if item.path.startswith("Attributes.")]
    if any(item.path == "Attributes" for item in differences):
        return dict(attributes)
    groups = {_group(path) for path in paths}
    return {key: value for key, value in attributes.items() if _group(key) in groups}


def _group(key: str) -> str:
    """Keys of one feature begin alike: `access_logs.s3.bucket`, `stickiness.type`."""
    return key.split(".", 1)[0] if not key.startswith("routing.") else key


def full_name(arn: str) -> str:
    """The part of an ARN that CloudWatch and scaling policies name: `app/web/50dc6c495c0c9188`, `targetgroup/web/…`."""
    last = arn.split(":", 5)[-1]
    return last.removeprefix("loadbalancer/")


class TaggedKind(Kind):
    """A kind whose tags are set by AddTags and RemoveTags."""

    def read_rest(self, aws: Aws) -> None:
        tags_of(aws, ())

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        elbv2, arn = aws.client("elbv2"), observed.attributes["arn"]
        if add:
            elbv2.add_tags(ResourceArns=[arn], Tags=tags.to_list(add))
        if remove:
            elbv2.remove_tags(ResourceArns=[arn], TagKeys=list(remove))


class Reporter:
    """Says every few seconds that something is still going on."""

    def __init__(self, aws: Aws, line: str) -> None:
        self._aws, self._line, self._last = aws, line, time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._last >= REPORT_EVERY:
            self._aws.progress(self._line)
            self._last = time.monotonic()
