# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a Terraform state to an inventory."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import import (
    from_alb,
    from_autoscaling,
    from_certificate,
    from_dns,
    from_ecr,
    from_ecs,
    from_iam,
    from_network,
    from_scaling,
    from_state_bucket,
    from_static_site,
    inventory_yaml,
    marked,
)
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.import_ids import (
    import_blocks,
    partly,
    removed_blocks,
)
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.report import Remark, Report
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.selection import place_of, select
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack, common_tags
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing, read_all, unsettled
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import Template

# What the layers tag.
TAGGED = (
    *(
        "aws_appautoscaling_target",
        "aws_autoscaling_group",
        "aws_cloudwatch_log_group",
        "aws_dynamodb_table",
        "aws_ecr_repository",
    ),
    *("aws_ecs_capacity_provider", "aws_ecs_cluster", "aws_ecs_service", "aws_ecs_task_definition"),
    *("aws_iam_instance_profile", "aws_iam_policy", "aws_iam_role", "aws_iam_user", "aws_internet_gateway"),
    *("aws_launch_template", "aws_lb", "aws_lb_listener", "aws_lb_listener_rule", "aws_lb_target_group"),
    *("aws_route_table", "aws_s3_bucket", "aws_security_group", "aws_subnet", "aws_vpc"),
    *("aws_acm_certificate", "aws_cloudfront_distribution", "aws_iam_openid_connect_provider", "aws_route53_zone"),
)
MAPPERS = (
    from_state_bucket,
    from_iam,
    from_network,
    from_ecr,
    from_certificate,
    from_alb,
    from_static_site,
    from_dns,
    from_autoscaling,
    from_scaling,
    from_ecs,
)

ARN = re.compile(r"arn:([\w-]+):[\w-]+:([\w-]*):(\d{12}):")
REPORT = "files/import-report"
BLOCKS = "files/terraform"
NO_LAYER = "no layer of this collection manages it: it stays with Terraform"


@dataclass(frozen=True)
class Conversion:
    """files: text by path in the inventory's folder."""

    files: dict[str, str]
    report: Report


def convert(states: Mapping[str, str], environment: str, platform: str = "") -> Conversion:
    """The inventory of an environment, from the texts of its Terraform states, by where they come from."""
    everything = read_all(states)
    partition, region, account = place_of(everything)
    things, refused = select(everything, region, account)
    place = Environment(environment, region, account, partition, common_tags(things, TAGGED))
    report = Report(list(dict.fromkeys(thing.source for thing in everything)), unmapped=refused)
    report.notes.extend(unsettled(states))
    stack = Stack(things, place, platform or environment, report)
    for mapper in MAPPERS:
        mapper.convert(stack)
    marked.hide(stack)
    managed = [thing for thing in everything if thing.managed]
    _finish(stack, managed)
    return Conversion({**_inventory(stack), **_blocks(stack, managed), **_report(report)}, report)


def _finish(stack: Stack, managed: Sequence[Thing]) -> None:
    """What is left over."""
    report = stack.report
    for thing in stack.things:
        if not stack.is_done(thing) and not stack.is_refused(thing):
            report.unmapped.append(Remark(thing.address, "", NO_LAYER))
    report.attributes.extend(Remark(thing.address, path, "") for thing, path in stack.left())
    for reference, users in sorted(stack.names.outside.items()):
        report.notes.append(f"{reference} is not in this state, and named as it is by {', '.join(sorted(users))}")
    for resource in partly(managed, stack.is_done):
        report.notes.append(f"{resource}: not every instance is imported, so that no removed.tf lets go of it")


def _inventory(stack: Stack) -> dict[str, str]:
    hosts = sorted(stack.inventory, key=lambda host: (host in stack.hosts.services, host))
    files = {"hosts.yml": _hosts(hosts, stack.hosts.services), "group_vars/all.yml": _everywhere(stack.environment)}
    for host in hosts:
        for layer in LAYERS:
            if layer in stack.inventory[host]:
                declared = _sorted(stack.inventory[host][layer], LAYERS[layer].ARGUMENT_SPEC)
                files[f"host_vars/{host}/{layer}.yml"] = inventory_yaml.document({layer: declared})
    for path, content in stack.files.items():
        files[path] = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return files


def _blocks(stack: Stack, managed: Sequence[Thing]) -> dict[str, str]:
    files: dict[str, str] = {}
    for state in sorted({thing.state for thing in managed}):
        short = re.sub(r"[^A-Za-z0-9]+", "-", os.path.splitext(state)[0]).strip("-")
        folder = f"{BLOCKS}/{short}"
        while f"{folder}/import.tf" in files:
            folder = f"{folder}-x"
        things = [thing for thing in managed if thing.state == state]
        files[f"{folder}/import.tf"] = import_blocks(things)
        if let_go := removed_blocks(things, stack.is_done):
            files[f"{folder}/removed.tf"] = let_go
    return files


def _report(report: Report) -> dict[str, str]:
    return {f"{REPORT}.json": report.as_json(), f"{REPORT}.txt": report.as_text()}


def _sorted(declared: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Parts in the order in which the layer documents them."""
    return {part: declared[part] for part in spec if part in declared}


def _hosts(hosts: Sequence[str], services: Collection[str]) -> str:
    groups: dict[str, Any] = {}
    for host in hosts:
        group = groups.setdefault("services" if host in services else "platform", {"hosts": {}})
        group["hosts"][host] = None
    return inventory_yaml.document(
        {"all": {"children": groups}},
        "Each host is one thing with a life of its own: the platform, or a service on it.",
    )


def _everywhere(environment: Environment) -> str:
    variables: dict[str, Any] = {
        "dockyard_environment": environment.name,
        "aws_region": environment.region,
        "aws_account_id": environment.account_id,
        "dockyard_tags": dict(environment.tags),
        "ansible_connection": "local",
        "ansible_python_interpreter": Template("{{ ansible_playbook_python }}"),
    }
    return inventory_yaml.document(
        {name: value for name, value in variables.items() if value}, "What holds for the whole environment."
    )
