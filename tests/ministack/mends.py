# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ministack answers otherwise than AWS documents, as far as these tests meet it."""

from __future__ import annotations

import json
import os
from typing import Any

from ministack.services import alb, ec2, ecr, ecs

STEADY_SECONDS = 0.6
ATTEMPTS = 10


def install() -> None:
    """Put all of them in place."""
    # A second of real time for each deployment is more than a stub container needs to show that it goes on running.
    ecs._ECS_DEPLOYMENT_STEADY_DELAY = STEADY_SECONDS
    ecs._resolve_td_key = latest_active(ecs._resolve_td_key)
    ecs._sanitize = started_by_deployment(ecs._sanitize)
    ecs._refresh_service_state = without_failed(ecs._refresh_service_state)
    ecr._get_download_url_for_layer = from_here(ecr._get_download_url_for_layer)
    alb._parse_actions = forwarding(alb._parse_actions)
    alb._forward_to_tg = to_those_that_listen(alb._forward_to_tg)
    alb._ACTION_MAP["CreateLoadBalancer"] = in_its_vpc(alb._create_lb)


def latest_active(original: Any) -> Any:
    """A family alone means its latest ACTIVE revision; ministack took the latest of all."""

    def resolve(reference: Any) -> Any:
        key = original(reference)
        tail = str(reference or "").rsplit("/", 1)[-1]
        if ":" in tail or not isinstance(key, str):
            return key
        active = [
            one["revision"] for one in ecs._task_defs.values() if one["family"] == tail and one["status"] == "ACTIVE"
        ]
        return f"{tail}:{max(active)}" if active else tail

    return resolve


def started_by_deployment(original: Any) -> Any:
    """startedBy of a service's task is the deployment's id; ministack said the service's name."""

    def sanitized(item: Any) -> Any:
        found = original(item)
        deployment = item.get("_deployment_id") if isinstance(item, dict) else None
        if deployment and "taskArn" in found:
            found = {**found, "startedBy": deployment}
        return found

    return sanitized


def without_failed(original: Any) -> Any:
    """A failed deployment is gone once the service has gone back and none of its tasks is left; ministack kept it."""

    def refresh(cluster: Any, group: Any) -> None:
        original(cluster, group)
        service = ecs._services.get(f"{cluster}/{str(group).removeprefix('service:')}") or {}
        primary = ecs._primary_deployment(service) if service else None
        if primary and primary.get("rolloutState") == "COMPLETED":
            service["deployments"] = [
                one for one in service["deployments"] if one.get("rolloutState") != "FAILED" or one.get("runningCount")
            ]

    return refresh


def forwarding(original: Any) -> Any:
    """An action may name its one target group in ForwardConfig alone; ministack read TargetGroupArn only."""

    def parse(params: Any, prefix: str = "DefaultActions") -> Any:
        actions = original(params, prefix)
        for number, action in enumerate(actions, start=1):
            member = f"{prefix}.member.{number}.ForwardConfig.TargetGroups.member.1.TargetGroupArn"
            if alb._p(params, member):
                action.setdefault("TargetGroupArn", alb._p(params, member))
        return actions

    return parse


def in_its_vpc(original: Any) -> Any:
    """A load balancer is in the VPC of its subnets; ministack named a VPC that does not exist."""

    def create(params: Any) -> Any:
        first = next(iter(alb._parse_member_list(params, "Subnets")), "")
        vpc = (ec2._subnets.get(first) or {}).get("VpcId")
        return original({**params, "VpcId": [vpc]} if vpc else params)

    return create


def to_those_that_listen(original: Any) -> Any:
    """A target that takes no connections is unhealthy and gets no requests; ministack sent them to every target."""

    async def forward(*arguments: Any, **options: Any) -> Any:
        for _attempt in range(ATTEMPTS):
            status, headers, body = await original(*arguments, **options)
            if status != 502 or not isinstance(body, bytes) or b"Connection refused" not in body:
                break
        return status, headers, body

    return forward


def from_here(original: Any) -> Any:
    """A layer can be read under the URL that ECR gives; ministack's led out of it."""

    def url(data: Any) -> Any:
        status, headers, body = original(data)
        if status == 200:
            found = json.loads(body)
            path = found["downloadUrl"].split(".amazonaws.com", 1)[1]
            found["downloadUrl"] = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}{path}"
            body = json.dumps(found).encode()
        return status, headers, body

    return url
