# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the container instances of a cluster are."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws

ATTRIBUTE = "ecs.cpu-architecture"
IN_DOCKERS_WORDS = {"x86_64": "amd64", "arm64": "arm64", "aarch64": "arm64"}
LOOKED_AT = 100


def architectures(aws: Aws, cluster: str) -> list[str]:
    """Their CPU architectures in Docker's words; empty where there are none, or where they cannot be read."""
    ecs = aws.client("ecs")
    try:
        arns = ecs.list_container_instances(cluster=cluster, maxResults=LOOKED_AT)["containerInstanceArns"]
        if not arns:
            return []
        described = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)["containerInstances"]
    except Exception:  # only a check more: ECS itself tells it too, later
        return []
    values = {
        attribute.get("value")
        for instance in described
        for attribute in instance.get("attributes") or ()
        if attribute["name"] == ATTRIBUTE
    }
    return sorted({IN_DOCKERS_WORDS[value] for value in values if value in IN_DOCKERS_WORDS})
