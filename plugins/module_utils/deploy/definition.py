# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task definition that a deploy brings: what is declared, with pinned images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.deploy.images import Reference, chosen, parse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref, Unknown, unknown_sources
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.resolve import resolve
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_task_definition import (
    image_path,
    keeping,
    whole,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS


class NotBuilt(str):
    """An image that only a run would build, so that nobody knows its digest yet."""


def declared(plan: Plan, properties: Mapping[str, Any], running: Mapping[str, Any]) -> dict[str, Any]:
    """The whole definition that a declaration means, with every name resolved."""
    resolved = resolved_in(plan, properties)
    if missing := sorted(set(unknown_sources(resolved))):
        listed = ", ".join(missing)
        raise ReconcileError(f"the task definition refers to {listed}, which does not exist yet: site.yml makes it")
    return whole(resolved, running)


def resolved_in(plan: Plan, value: Any) -> Any:
    """A value with the references that a plan knows resolved."""

    def lookup(ref: Ref) -> Any:
        if ref.attribute in KINDS[ref.kind].named:
            return ref.name
        return plan.attributes.get(ref.address, {}).get(ref.attribute, Unknown.of(ref))

    return resolve(value, lookup)


def with_images(definition: Mapping[str, Any], running: Mapping[str, Any], pinned: Mapping[str, str]) -> dict[str, Any]:
    """The images that are deployed in their containers; the others stay as they run."""
    names = [item["name"] for item in definition["containerDefinitions"]]
    kept = keeping(definition, running, {image_path(name): "the pipeline" for name in names})
    containers = [
        {**item, "image": pinned[item["name"]]} if item["name"] in pinned else item
        for item in kept["containerDefinitions"]
    ]
    return {**kept, "containerDefinitions": containers}


def images_of(definition: Mapping[str, Any]) -> dict[str, str]:
    """The image of each container."""
    return {item["name"]: str(item.get("image", "")) for item in definition.get("containerDefinitions") or ()}


def wanted_images(
    definition: Mapping[str, Any], running: Mapping[str, Any], tag: str | None, images: Mapping[str, Any] | None
) -> dict[str, Reference | str]:
    """Which image each container is to get: a reference to ECR, or a text that is taken as it is.

    Containers that are not in it keep what they run.
    """
    there = images_of(definition)
    before = images_of(running)
    bases = {name: parse(image) or parse(before.get(name, "")) for name, image in there.items()}
    if images and tag:
        raise ReconcileError("image_tag and images cannot both be given")
    if images:
        return {name: _named(name, _text(name, value), bases, there) for name, value in images.items()}
    in_ecr = {name: base for name, base in bases.items() if base is not None}
    if not tag:
        return {name: parse(there[name]) or base for name, base in in_ecr.items()}
    repositories = {base.repository for base in in_ecr.values()}
    if len(repositories) != 1:
        found = ", ".join(f"{name} ({base.repository})" for name, base in sorted(in_ecr.items())) or "none"
        raise ReconcileError(
            f"image_tag: got {tag!r}, and it is not clear which image is meant. Containers with an image in ECR: "
            f'{found}. Say it with -e \'{{"deploy_images": {{"<container>": "<tag>"}}}}\''
        )
    return {name: chosen(base, tag) for name, base in in_ecr.items()}


def built_images(
    definition: Mapping[str, Any], running: Mapping[str, Any], built: Sequence[Mapping[str, Any]]
) -> dict[str, Reference | str]:
    """The containers that get an image that was built just now; those of other repositories are not among them.

    built: as the module image returns them. In check mode they have no digest yet.
    """
    before, repositories = images_of(running), {
        item["repository"]: item for item in built if item.get("status") != "failed"
    }
    found: dict[str, Reference | str] = {}
    for name, image in images_of(definition).items():
        base = parse(image) or parse(before.get(name, ""))
        if base is not None and (item := repositories.get(base.repository)):
            reference = replace(base, tag=str(item["tag"]), digest=str(item.get("digest") or ""))
            found[name] = reference if reference.digest else NotBuilt(reference)
    if not found:
        raise ReconcileError(
            f"no container has an image of {', '.join(repositories) or 'what was built'}: the task definition has "
            f"{', '.join(f'{name} ({image})' for name, image in images_of(definition).items())}"
        )
    return found


def _text(name: str, value: Any) -> str:
    """A tag as it was meant: of a number 1.10 nothing is left but 1.1."""
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ReconcileError(f'images: got {value!r} for {name!r}: give the tag as text, in quotes: {{"{name}": "1.10"}}')


def _named(name: str, value: str, bases: Mapping[str, Reference | None], there: Mapping[str, str]) -> Reference | str:
    if name not in there:
        raise ReconcileError(f"images: got the container {name!r}, the task definition has: {', '.join(there)}")
    base = bases[name]
    if base is not None and ("/" not in value or parse(value) is not None):
        return chosen(base, value)
    if (whole_reference := parse(value)) is not None:
        return whole_reference
    if "/" not in value and ":" not in value:
        raise ReconcileError(
            f"images: the image of {name!r} is {there[name]}, which is not in ECR, so a tag alone is not enough: give "
            f"the whole reference instead of {value!r}"
        )
    return value
