# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data that makes an EC2 instance join an ECS cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CONFIG = "/etc/ecs/ecs.config"
# Tasks leave a Spot instance before it is taken; the instance's tags are those of the container instance; tasks with
# a network interface of their own cannot take the credentials of the instance role.
AGENT_SETTINGS = {
    "ECS_ENABLE_SPOT_INSTANCE_DRAINING": True,
    "ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM": "ec2_instance",
    "ECS_AWSVPC_BLOCK_IMDS": True,
}


def user_data(cluster: str | None, ecs_config: Mapping[str, Any] | None, own: str | None) -> str | None:
    """The user data as text: the settings of the ECS agent first, where there is a cluster, then what is given."""
    if not cluster:
        return own
    settings = {"ECS_CLUSTER": cluster, **AGENT_SETTINGS, **(ecs_config or {})}
    lines = [f"{name}={_text(value)}" for name, value in settings.items() if value not in (None, "")]
    script = "\n".join(["#!/bin/bash", f"cat <<'END' >> {CONFIG}", *lines, "END", ""])
    return script + (own if own.endswith("\n") else own + "\n") if own else script


def _text(value: Any) -> str:
    """As the agent reads it: booleans in small letters, structures in JSON."""
    if isinstance(value, (bool, Mapping, list)):
        return json.dumps(value, separators=(",", ":"), sort_keys=True)
    return str(value)
