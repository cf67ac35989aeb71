# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ministack answers otherwise than AWS documents, as far as these tests meet it."""

from __future__ import annotations

from typing import Any

from ministack.services import ecs

STEADY_SECONDS = 0.6


def install() -> None:
    """Put all of them in place."""
    # A second of real time for each deployment is more than a stub container needs to show that it goes on running.
    ecs._ECS_DEPLOYMENT_STEADY_DELAY = STEADY_SECONDS
    ecs._resolve_td_key = latest_active(ecs._resolve_td_key)
    ecs._sanitize = started_by_deployment(ecs._sanitize)


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
