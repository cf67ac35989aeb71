# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon ECS: task definitions. A family is the resource; its revisions never change."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import compare as comparing
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_cluster import retag
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition import canonical as canonical_form
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition import compare, sensitive
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import DESCRIBE_ONLY
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.render import render

# AWS's answer where a family has no active revision.
GONE = "ClientException"
# IAM is eventually consistent: a role that was just made is not seen everywhere yet.
# A pipeline may register a revision of the same family at the same moment.
NOT_NOW = ("Role is not valid", "Too many concurrent attempts")
ATTEMPTS = 6
# Among how many revisions, newest and oldest, to look for the one that carries the tags of the family.
REVISIONS_SEARCHED = 100
ASKED_AT_ONCE = 5
# On a revision that a deploy has registered and no service runs yet: everybody else passes it by.
CANDIDATE_TAG = "dockyard:candidate"
# A declaration that is made on top of the family's current revision: the overrides, instead of a whole definition.
ON_LATEST = "overridesOfLatest"


class EcsTaskDefinition(Kind):
    """A family of task definitions, as its latest active revision shows it.

    What is declared is a whole task definition, or overrides of the latest revision under `overridesOfLatest`.
    An update registers a new revision; the paths of its differences say which fields made that necessary.
    """

    kind = "ecs_task_definition"
    label = "ECS task definition"
    volatile = frozenset({"arn", "revision"})

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = each(lambda item: _family(aws, item.name), wanted)
        return {item.name: item for item in found if item is not None}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        if ON_LATEST in properties:
            return dict(properties)
        return canonical_form.canonical(properties)

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        found = compare.differences(whole(desired, observed), observed)
        return [Difference(path, before, after) for path, before, after in found]

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        hidden = sensitive.redact([(item.path, item.before, item.after) for item in differences])
        pairs = zip(differences, hidden, strict=True)
        return [item._replace(before=before, after=after) for item, (_path, before, after) in pairs]

    def refuses_create(self, resource: Resource) -> str | None:
        if ON_LATEST in resource.properties:
            return "from_latest needs an active revision of the family in AWS, and there is none"
        return None

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        return register(aws, resource.properties, resource.tags, 0)

    def update(
        self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]
    ) -> dict[str, Any]:
        # A pipeline may have registered an image since this was read: what it owns is taken from the latest revision.
        current = latest(aws, observed.attributes["family"]) or observed
        definition = keeping(whole(resource.properties, current.properties), current.properties, resource.create_only)
        return register(aws, definition, resource.tags, int(current.attributes["revision"]))

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        # An update may just have registered a revision: the family's tags are those of the latest.
        current = latest(aws, observed.attributes["family"]) or observed
        retag(aws, current.attributes["arn"], add, remove)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        """Deregister the active revisions that are this environment's, and what was registered on top without a tag."""
        ecs, environments = aws.client("ecs"), _environments(aws, observed.name)
        ours = [revision for revision, owner in environments.items() if owner == aws.environment]
        going = [
            revision
            for revision, owner in environments.items()
            if owner == aws.environment or (owner is None and ours and revision > min(ours))
        ]

        def deregister(revision: int) -> None:
            unless(GONE, ecs.deregister_task_definition, taskDefinition=f"{observed.name}:{revision}")

        each(deregister, going)


def _family(aws: Aws, name: str) -> Observed | None:
    """The latest revision. Where a pipeline registered it without tags, the tags are those of the one it followed."""
    found = latest(aws, name)
    if found is None or name != found.attributes["family"] or ENVIRONMENT_TAG in (found.tags or {}):
        return found
    for some in chunks(_likely_tagged(revisions(aws, name)[1:]), ASKED_AT_ONCE):
        tagged = [labels for labels in each(lambda arn: _labels(aws, arn), some) if ENVIRONMENT_TAG in labels]
        if tagged:
            found.tags = {**tagged[0], **(found.tags or {})}
            break
    return found


def _likely_tagged(arns: Sequence[str]) -> list[str]:
    """The newest revisions and the oldest by turns: ours is among the last few, or the one that began the family."""
    by_turns = [arn for pair in zip(arns, reversed(arns), strict=True) for arn in pair]
    return list(dict.fromkeys(by_turns))[:REVISIONS_SEARCHED]


def revisions(aws: Aws, family: str) -> list[str]:
    """The ARNs of a family's active revisions, the newest first."""
    arguments = {"familyPrefix": family, "status": "ACTIVE", "sort": "DESC"}
    arns = pages(aws.client("ecs"), "list_task_definitions", "taskDefinitionArns", **arguments)
    return [arn for arn in arns if arn.rsplit("/", 1)[-1].rsplit(":", 1)[0] == family]


def _labels(aws: Aws, arn: str) -> dict[str, str]:
    return tags.from_list(aws.client("ecs").list_tags_for_resource(resourceArn=arn)["tags"], "key", "value")


def _environments(aws: Aws, family: str) -> dict[int, str | None]:
    """Whose each active revision is, by its number."""
    arns = revisions(aws, family)
    owners = each(lambda arn: _labels(aws, arn).get(ENVIRONMENT_TAG), arns)
    return {int(arn.rsplit(":", 1)[1]): owner for arn, owner in zip(arns, owners, strict=True)}


def latest(aws: Aws, name: str) -> Observed | None:
    """A family's latest active revision (name: the family), or one revision (name: `family:revision` or an ARN).

    Of a family, candidates are passed by: what a deploy has not brought to the service yet is not what runs.
    """
    found = newest(aws, name)
    if found is None or ":" in name or CANDIDATE_TAG not in (found.tags or {}):
        return found
    for arn in revisions(aws, name)[1:]:
        found = newest(aws, arn)
        if found is not None and CANDIDATE_TAG not in (found.tags or {}):
            return replace(found, name=name)
    return None


def newest(aws: Aws, name: str) -> Observed | None:
    """The same, candidates too."""
    found, status = described(aws, name)
    return found if status == "ACTIVE" else None


def described(aws: Aws, name: str) -> tuple[Observed | None, str]:
    """A revision with its status: a service may run one that is INACTIVE by now."""
    answer = unless(GONE, aws.client("ecs").describe_task_definition, taskDefinition=name, include=["TAGS"])
    if answer is None:
        return None, ""
    task = answer["taskDefinition"]
    properties = {key: value for key, value in task.items() if key not in DESCRIBE_ONLY}
    labels = tags.from_list(answer.get("tags"), "key", "value")
    return Observed(name, properties, attributes(task), labels), task.get("status", "ACTIVE")


def attributes(described: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": described["taskDefinitionArn"],
        "arn": described["taskDefinitionArn"],
        "family": described["family"],
        "revision": described["revision"],
    }


def whole(declared: Mapping[str, Any], observed: Mapping[str, Any]) -> dict[str, Any]:
    """The whole definition that a declaration means, also where it is made on top of the latest revision."""
    if ON_LATEST not in declared:
        return dict(declared)
    try:
        return render(observed, declared[ON_LATEST])
    except TaskDefinitionError as error:
        raise AwsError("; ".join(error.problems)) from error


def keeping(definition: Mapping[str, Any], observed: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Any]:
    """The definition with the observed images where the images are owned elsewhere."""
    images = {item["name"]: item["image"] for item in observed.get("containerDefinitions", ())}
    containers = [
        (
            {**item, "image": images[item["name"]]}
            if item["name"] in images and comparing.under(image_path(item["name"]), dict(paths))
            else item
        )
        for item in definition["containerDefinitions"]
    ]
    return {**definition, "containerDefinitions": containers}


def image_path(container: str) -> str:
    return f"containerDefinitions[{container}].image"


def register(aws: Aws, definition: Mapping[str, Any], labels: Mapping[str, str], current: int) -> dict[str, Any]:
    """Register a revision. There is no idempotency token: after a lost answer, look for it before trying again.

    current: the number of the latest revision so far; 0 where there is none.
    """
    ecs = aws.once("ecs")
    sent = {key: value for key, value in definition.items() if key not in ("tags", *DESCRIBE_ONLY)}
    labels_sent = {"tags": tags.to_list(labels, "key", "value")} if labels else {}
    for attempt in range(ATTEMPTS):
        try:
            return attributes(ecs.register_task_definition(**sent, **labels_sent)["taskDefinition"])
        except Exception as error:
            passes = aws.is_lost_answer(error) or any(words in str(error) for words in NOT_NOW)
            if attempt + 1 == ATTEMPTS or not passes:
                raise
        time.sleep(2**attempt / 2)
        found = newest(aws, definition["family"])
        newer = found is not None and found.attributes["revision"] > current
        if found is not None and newer and not compare.differences(sent, found.properties):
            return found.attributes
    raise AssertionError("the loop above returns or raises")


KINDS = (EcsTaskDefinition,)
