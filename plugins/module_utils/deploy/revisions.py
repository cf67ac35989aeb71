# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The revisions of a family: which came before, which may go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_task_definition as resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_rollout import primary_of, revision

SERVICES_PER_CALL = 10
TASKS_PER_CALL = 100
SHOWN = 10


def active(aws: Aws, family: str) -> list[str]:
    """The ARNs of the active revisions, the newest first."""
    return resource.revisions(aws, family)


def target(aws: Aws, family: str, running: str, wanted: str) -> str:
    """The ARN of the revision to go back to: `previous`, a number, `family:number` or an ARN."""
    there = active(aws, family)
    if wanted == "previous":
        older = (arn for arn in there if revision(arn) < revision(running) and not _is_candidate(aws, arn))
        if (found := next(older, None)) is not None:
            return found
        raise ReconcileError(
            f"{_short(running)} runs, and {family} has no older active revision to go back to{_listed(there)}"
        )
    number = wanted.rsplit(":", 1)[-1]
    named = wanted.rsplit("/", 1)[-1].rpartition(":")[0]
    if not number.isdecimal() or named not in ("", family):
        raise ReconcileError(f"revision: got {wanted!r}, allowed: previous, a number, or {family}:<number>")
    found = next((arn for arn in there if revision(arn) == int(number)), None)
    if found is None:
        raise ReconcileError(f"revision: {family}:{number} is not an active revision{_listed(there)}")
    return found


def _is_candidate(aws: Aws, arn: str) -> bool:
    found = resource.newest(aws, arn)
    return found is None or resource.CANDIDATE_TAG in (found.tags or {})


def _listed(arns: Iterable[str]) -> str:
    numbers = [str(revision(arn)) for arn in arns]
    more = f" … ({len(numbers)} in all)" if len(numbers) > SHOWN else ""
    return f"; active revisions: {', '.join(numbers[:SHOWN]) or 'none'}{more}"


def deregister(aws: Aws, family: str, going: Collection[str]) -> list[str]:
    """Deregister revisions, but for those that something uses. Returns those that went, as family:revision."""
    if not going:
        return []
    used = in_use(aws, family)
    ecs = aws.client("ecs")
    gone = [arn for arn in going if arn not in used]
    each(lambda arn: unless(resource.GONE, ecs.deregister_task_definition, taskDefinition=arn), gone)
    return [_short(arn) for arn in gone]


def deregister_when_free(aws: Aws, family: str, going: Collection[str], seconds: float) -> list[str]:
    """The same, with some patience: what ends may use a revision for a moment still."""
    gone: list[str] = []

    def done() -> bool:
        gone.extend(deregister(aws, family, [arn for arn in going if _short(arn) not in gone]))
        return len(gone) == len(going)

    try:
        wait_for(done, f"revisions of {family} to be in use no more", seconds)
    except AwsError:
        return gone
    return gone


def surplus(arns: Iterable[str], keep: int, running: str) -> list[str]:
    """The active revisions beyond the newest ones that are kept. keep: 0 keeps all."""
    ordered = sorted(arns, key=revision, reverse=True)
    return [arn for arn in ordered[keep:] if arn != running] if keep else []


def in_use(aws: Aws, family: str) -> set[str]:
    """The ARNs of revisions of a family that a service, a deployment or a task uses, in any cluster."""
    clusters = pages(aws.client("ecs"), "list_clusters", "clusterArns")
    found = each(lambda cluster: _in_use(aws, cluster, family), clusters)
    return set().union(*found)


def _in_use(aws: Aws, cluster: str, family: str) -> set[str]:
    ecs = aws.client("ecs")
    used: set[str] = set()
    services = pages(ecs, "list_services", "serviceArns", cluster=cluster, PaginationConfig={"PageSize": 100})
    for some in chunks(services, SERVICES_PER_CALL):
        for service in ecs.describe_services(cluster=cluster, services=some)["services"]:
            used |= of_service(service)
    # Tasks that are to stop are none that need it: ECS leaves them to end as they are.
    tasks = pages(ecs, "list_tasks", "taskArns", cluster=cluster, family=family, desiredStatus="RUNNING")
    for some in chunks(tasks, TASKS_PER_CALL):
        described = ecs.describe_tasks(cluster=cluster, tasks=some)["tasks"]
        used |= {task["taskDefinitionArn"] for task in described if task.get("lastStatus") != "STOPPED"}
    return used


def of_service(service: Mapping[str, Any]) -> set[str]:
    """What a service names, what its deployments bring, and what they may go back to."""
    over = (primary_of(service) or {}).get("rolloutState") == "COMPLETED"
    needed = [item for item in service.get("deployments") or () if not _only_ends(item, over)]
    parts = [service, *needed, *(service.get("taskSets") or ())]
    return {part["taskDefinition"] for part in parts if part.get("taskDefinition")}


def _only_ends(deployment: Mapping[str, Any], over: bool) -> bool:
    """Whether nothing of a deployment is left but tasks that are on their way out."""
    if deployment["status"] == "PRIMARY":
        return False
    return deployment.get("rolloutState") == "FAILED" or (over and deployment.get("desiredCount") == 0)


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
