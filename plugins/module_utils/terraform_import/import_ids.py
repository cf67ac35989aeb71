# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks for Terraform: `removed`, with which it lets go of resources, and `import`, with which it takes them back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.names import common_type
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing

Attributes = Mapping[str, Any]
# The key of one of several instances, which may be any text.
INSTANCE = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')


def _route(route: Attributes) -> str:
    names = ("destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id")
    return f"{route['route_table_id']}_{next(route[name] for name in names if route.get(name))}"


# Those that are not imported by their id.
IDS: dict[str, Callable[[Attributes], str]] = {
    "aws_appautoscaling_policy": lambda item: "/".join(
        str(item[name]) for name in ("service_namespace", "resource_id", "scalable_dimension", "name")
    ),
    "aws_appautoscaling_target": lambda item: "/".join(
        str(item[name]) for name in ("service_namespace", "resource_id", "scalable_dimension")
    ),
    "aws_ecs_capacity_provider": lambda item: str(item["name"]),
    "aws_ecs_cluster": lambda item: str(item["name"]),
    "aws_ecs_service": lambda item: f"{str(item['cluster']).rsplit('/', 1)[-1]}/{item['name']}",
    "aws_ecs_task_definition": lambda item: str(item["arn"]),
    "aws_iam_role_policy_attachment": lambda item: f"{item['role']}/{item['policy_arn']}",
    "aws_iam_user_policy_attachment": lambda item: f"{item['user']}/{item['policy_arn']}",
    "aws_lb_listener_certificate": lambda item: f"{item['listener_arn']}_{item['certificate_arn']}",
    "aws_s3_bucket_object": lambda item: f"{item['bucket']}/{item['key']}",
    "aws_s3_object": lambda item: f"{item['bucket']}/{item['key']}",
    "aws_route": _route,
    "aws_route_table_association": lambda item: f"{item['subnet_id']}/{item['route_table_id']}",
}
# Those that the provider cannot import, and one whose id is better looked up in its documentation.
WITHOUT = (
    *("aws_acm_certificate_validation", "aws_appautoscaling_scheduled_action"),
    *("aws_security_group_rule", "aws_iam_policy_attachment", "aws_iam_access_key"),
)


def import_blocks(things: Iterable[Thing]) -> str:
    """Import blocks for everything that these are."""
    blocks = [
        f"import {{\n  to = {thing.in_state}\n  id = {json.dumps(identity(thing))}\n}}\n"
        for thing in things
        if thing.managed and thing.type.startswith("aws_") and thing.type not in WITHOUT
    ]
    return "\n".join(blocks)


def removed_blocks(things: Iterable[Thing], imported: Callable[[Thing], bool]) -> str:
    """Removed blocks for what is imported: Terraform keeps the rest. They name resources, not single instances."""
    addresses = [resource for resource, which in _instances(things, imported).items() if all(which)]
    return "\n".join(
        f"removed {{\n  from = {address}\n\n  lifecycle {{\n    destroy = false\n  }}\n}}\n" for address in addresses
    )


def partly(things: Iterable[Thing], imported: Callable[[Thing], bool]) -> list[str]:
    """Resources of which some instances are imported."""
    return [resource for resource, which in _instances(things, imported).items() if any(which) and not all(which)]


def _instances(things: Iterable[Thing], imported: Callable[[Thing], bool]) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for thing in things:
        found.setdefault(INSTANCE.sub("", thing.in_state), []).append(imported(thing))
    return found


def identity(thing: Thing) -> str:
    make = IDS.get(common_type(thing.type))
    try:
        return make(thing.attributes) if make else thing.id
    except (KeyError, StopIteration):
        return thing.id
