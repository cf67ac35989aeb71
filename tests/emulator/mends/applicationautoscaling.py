# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of Application Auto Scaling."""

from __future__ import annotations

import json
from typing import Any

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeScalableTarget
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.exceptions import JsonRESTError
from moto.ecs.models import ecs_backends

from emulator.patching import replace


def target_of(self: Any) -> FakeScalableTarget:
    """The scalable target whose ARN the request names."""
    arn = self._get_param("ResourceARN")
    for dimensions in self.applicationautoscaling_backend.targets.values():
        for target in dimensions.values():
            if target.arn == arn:
                found: FakeScalableTarget = target
                return found
    raise JsonRESTError("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")


def tags_of(target: Any) -> dict[str, str]:
    """The tags kept on a target."""
    if not hasattr(target, "tags"):
        target.tags = {}
    tags: dict[str, str] = target.tags
    return tags


@replace(ApplicationAutoScalingResponse, "list_tags_for_resource")
def list_tags_for_resource(_original: Any, self: Any) -> str:
    """moto answered 500."""
    return json.dumps({"Tags": tags_of(target_of(self))})


@replace(ApplicationAutoScalingResponse, "tag_resource")
def tag_resource(_original: Any, self: Any) -> str:
    """moto answered 500."""
    tags_of(target_of(self)).update(self._get_param("Tags") or {})
    return json.dumps({})


@replace(ApplicationAutoScalingResponse, "untag_resource")
def untag_resource(_original: Any, self: Any) -> str:
    """moto answered 500."""
    for key in self._get_param("TagKeys") or []:
        tags_of(target_of(self)).pop(key, None)
    return json.dumps({})


@replace(ApplicationAutoScalingResponse, "register_scalable_target")
def register_scalable_target(original: Any, self: Any) -> str:
    """Tags given with the registration are kept: moto dropped them."""
    answer: str = original(self)
    tags = self._get_param("Tags")
    if tags:
        for dimensions in self.applicationautoscaling_backend.targets.values():
            for target in dimensions.values():
                if target.arn == json.loads(answer)["ScalableTargetARN"]:
                    tags_of(target).update(tags)
    return answer


@replace(ApplicationAutoscalingBackend, "_ecs_service_exists_for_target")
def ecs_service_exists(_original: Any, self: Any, r_id: str) -> bool:
    """Only an ACTIVE service can be registered."""
    _kind, cluster, name = r_id.split("/")
    service = ecs_backends[self.account_id][self.region_name].services.get(f"{cluster}:{name}")
    return service is not None and service.status == "ACTIVE"
