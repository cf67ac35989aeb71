# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of the inventory declares what: one for each ECS service, and the platform for the rest."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.names import Names, common_type
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing

# Groups of the inventory, and what Ansible has names for already.
TAKEN = ("all", "ungrouped", "localhost", "platform", "services")


class Hosts:
    """What only one service uses belongs to it; everything else to the platform."""

    def __init__(self, things: Sequence[Thing], names: Names, platform: str) -> None:
        self.platform = platform
        self._further: dict[str, str] = {}
        self.services: set[str] = set()
        self._names = names
        self._claims: dict[str, set[str]] = defaultdict(set)
        services = [thing for thing in things if thing.type == "aws_ecs_service"]
        often = Counter(service.attributes["name"] for service in services)
        self._repositories = [thing for thing in things if thing.type == "aws_ecr_repository"]
        for service in services:
            name = str(service.attributes["name"])
            cluster = str(service.attributes.get("cluster") or "").rsplit("/", 1)[-1]
            host = name if often[name] == 1 and name not in (platform, *TAKEN) else f"{cluster}-{name}"
            self.services.add(host)
            for used in (service, *self._used_by(service)):
                self._claims[used.address].add(host)
        for rule in things:
            if common_type(rule.type) == "aws_lb_listener_rule":
                self._claims[rule.address] = self._of_rule(rule)

    def further(self, name: str, identity: str) -> str:
        """A host for one more VPC; its name is also that of a folder, and a tag may say anything."""
        host = f"{self.platform}-{re.sub(r'[^A-Za-z0-9_-]+', '-', name).strip('-')}"
        host = f"{self.platform}-{identity}" if self._further.setdefault(host, identity) != identity else host
        return host if host not in self.services else f"{host}-{identity}"

    def of(self, thing: Thing) -> str:
        claims = self._claims.get(thing.address, set())
        return next(iter(claims)) if len(claims) == 1 else self.platform

    def _used_by(self, service: Thing) -> Iterator[Thing]:
        for balancer in service.attributes.get("load_balancer") or ():
            yield from self._found("aws_lb_target_group", balancer.get("target_group_arn"))
        for task in self._found("aws_ecs_task_definition", task_definition(service)):
            yield task
            for attribute in ("execution_role_arn", "task_role_arn"):
                yield from self._found("aws_iam_role", task.attributes.get(attribute))
            for container in containers(task):
                image = str(container.get("image") or "")
                yield from (item for item in self._repositories if is_of(image, item))
                for group in log_groups(container):
                    yield from self._found("aws_cloudwatch_log_group", group)

    def _found(self, kind: str, reference: Any) -> Iterator[Thing]:
        found = self._names.find(kind, reference)
        if found is not None:
            yield found

    def _of_rule(self, rule: Thing) -> set[str]:
        groups = [self._names.find("aws_lb_target_group", arn) for arn in forwarded_to(rule.attributes.get("action"))]
        return {host for group in groups if group for host in self._claims.get(group.address) or {self.platform}}


def task_definition(service: Thing) -> str:
    """The family's ARN without the revision, or the family: whatever the service names it by."""
    name = str(service.attributes.get("task_definition") or "")
    head, colon, revision = name.rpartition(":")
    return head if colon and revision.isdigit() else name


def containers(task: Thing) -> list[dict[str, Any]]:
    found = json.loads(task.attributes.get("container_definitions") or "[]")
    return [item for item in found if isinstance(item, dict)]


def log_groups(container: Mapping[str, Any]) -> list[str]:
    options = (container.get("logConfiguration") or {}).get("options") or {}
    return [options["awslogs-group"]] if options.get("awslogs-group") else []


def is_of(image: str, repository: Thing) -> bool:
    url = repository.attributes.get("repository_url") or "?"
    return image.startswith((f"{url}:", f"{url}@"))


def forwarded_to(actions: Iterable[Mapping[str, Any]] | None) -> Iterator[str]:
    """The target groups of a listener's or rule's actions."""
    for action in actions or ():
        if action.get("target_group_arn"):
            yield str(action["target_group_arn"])
        for forward in action.get("forward") or ():
            yield from (str(group["arn"]) for group in forward.get("target_group") or ())
