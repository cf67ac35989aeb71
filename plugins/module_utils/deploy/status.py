# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module service_status: what runs, how the last deployment went, how the targets are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws, Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import images, reasons, services
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.definition import images_of
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.services import Service
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.verdict import moment, short
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_task_definition as resource

ARGUMENT_SPEC: dict[str, Any] = {**services.ARGUMENT_SPEC, "events": {"type": "int", "default": 3}}
SERVICES_PER_CALL = 10
TAGS_SHOWN = 2


def run(params: Mapping[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
    """One row for each declared service. healthy: whether all of them are as they should be."""
    if params["events"] < 0:
        raise ReconcileError(f"events: got {params['events']}, it is a number of events, 0 or more")
    full = {**params, "state": "present", "strict": False}
    sessions, _environment = running.connect(full, progress)
    declared = running.parsed(full)[services.LAYER]
    found = services.of(declared, params.get("service"))
    aws = sessions.aws(services.LAYER)
    live = _described(aws, found)
    with services.explained(aws, "look at the services"):
        rows = each(lambda item: _row(sessions, item, live.get(item.name), params["events"]), found)
    result = {"changed": False, "services": rows, "healthy": not any(row["problems"] for row in rows)}
    return result


def _described(aws: Aws, wanted: Sequence[Service]) -> dict[str, dict[str, Any]]:
    by_cluster: dict[str, list[str]] = {}
    for item in wanted:
        by_cluster.setdefault(item.cluster, []).append(item.short_name)
    batches = [(name, some) for name, names in by_cluster.items() for some in chunks(names, SERVICES_PER_CALL)]

    def described(batch: tuple[str, list[str]]) -> list[dict[str, Any]]:
        cluster, names = batch
        call = aws.client("ecs").describe_services
        answer = unless(ecs_rollout.GONE, call, cluster=cluster, services=names)
        found = (answer or {"services": []})["services"]
        return [{**service, "name": f"{cluster}/{service['serviceName']}"} for service in found]

    try:
        return {item["name"]: item for some in each(described, batches) for item in some}
    except Exception as error:
        raise aws.explained(error, "describe the services") from error


def _row(sessions: Sessions, service: Service, live: Mapping[str, Any] | None, events: int) -> dict[str, Any]:
    row: dict[str, Any] = {"host": service.host, "service": service.name, "status": "MISSING"}
    if live is None or live["status"] != "ACTIVE":
        problem = "does not exist" if live is None else f"is {live['status']}"
        return {**row, **_empty(), "status": (live or {}).get("status", "MISSING"), "problems": [problem]}
    aws, live = sessions.aws(services.LAYER), ecs_rollout.as_it_runs(live)
    definition = str(live.get("taskDefinition") or "")
    primary = ecs_rollout.primary_of(live) or {}
    targets, bad = _targets(aws, live)
    return {
        **row,
        "status": live["status"],
        "task_definition": short(definition),
        "images": _images(sessions, definition) if definition else {},
        "running": live["runningCount"],
        "pending": live["pendingCount"],
        "desired": live["desiredCount"],
        "deployment": {
            "id": primary.get("id", ""),
            "state": primary.get("rolloutState", ""),
            "reason": primary.get("rolloutStateReason", ""),
            "started": moment(primary.get("createdAt")),
            "updated": moment(primary.get("updatedAt")),
        },
        "targets": targets,
        "events": [_event(service, item) for item in (live.get("events") or ())[:events]],
        "problems": list(dict.fromkeys([*ecs_rollout.remarks(live), *_newer(aws, service, live), *bad])),
    }


def _newer(aws: Aws, service: Service, live: Mapping[str, Any]) -> list[str]:
    """A newer revision than the one that runs: left behind where ECS went back after nobody looked any more."""
    if (live.get("deploymentController") or {}).get("type", "ECS") != "ECS":
        return []
    newest = resource.latest(aws, service.family) if service.family else None
    running = ecs_rollout.revision(live["taskDefinition"])
    if newest is None or int(newest.attributes["revision"]) <= running:
        return []
    return [
        f"{short(newest.attributes['arn'])} is newer than what it runs, and the next run of site.yml brings it. "
        f"Where it failed: playbooks/rollback.yml -e rollback_revision={running} takes it out of the way"
    ]


def _empty() -> dict[str, Any]:
    names = ("running", "pending", "desired")
    return {
        **dict.fromkeys(names, 0),
        "task_definition": "",
        "images": {},
        "deployment": {},
        "targets": [],
        "events": [],
    }


def _event(service: Service, event: Mapping[str, Any]) -> dict[str, str]:
    return {"at": moment(event.get("createdAt")), "message": ecs_rollout.event_words(service.short_name, event)}


def _targets(aws: Aws, live: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Of each target group, how many targets are in which state; and those that are bad."""
    try:
        groups = reasons.targets(aws, live)
    except Exception as error:
        unread = [f"target health could not be read: {' '.join(str(error).split())}"]
        return unread, unread
    found = []
    for arn, items in groups.items():
        counted: dict[str, int] = {}
        for item in items:
            state = item["TargetHealth"]["State"]
            counted[state] = counted.get(state, 0) + 1
        words = ", ".join(f"{count} {state}" for state, count in sorted(counted.items())) or "no targets"
        found.append(f"{reasons.group_name(arn)}: {words}")
    return found, reasons.bad_targets(groups)


def _images(sessions: Sessions, task_definition: str) -> dict[str, dict[str, Any]]:
    """The image of each container with the tags that it has in ECR now."""
    found, _status = resource.described(sessions.aws(services.LAYER), task_definition)
    result = {}
    for name, image in images_of(found.properties if found else {}).items():
        reference = images.parse(image)
        tags = [reference.tag] if reference is not None and reference.tag else []
        if reference is not None and reference.digest:
            tags = _tags(sessions.aws("ecr"), reference) or tags
        result[name] = {"image": image, "tags": tags}
    return result


def _tags(aws: Aws, reference: images.Reference) -> list[str]:
    call = aws.client("ecr", region=reference.region).describe_images
    try:
        answer = call(
            registryId=reference.registry,
            repositoryName=reference.repository,
            imageIds=[{"imageDigest": reference.digest}],
        )
    except Exception:  # the digest says it too
        return []
    return [tag for item in answer["imageDetails"] for tag in item.get("imageTags") or ()]
