# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input is refused before the first write to any layer, with the host, the variable, the value and what is allowed.

Each case changes one place of the art environment. The account is empty, so everything else would be created.
"""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from tests.integration.art import PLATFORM, SERVICE, changed

P, S = PLATFORM, SERVICE
SECOND_RULE = {
    "name": "other",
    "load_balancer": "art-service-load-balancer",
    "port": 80,
    "priority": 100,
    "conditions": [{"field": "path-pattern", "values": ["/other"]}],
    "actions": [{"type": "forward", "target_groups": [{"name": "art-sourcing-data-service"}]}],
}
FARGATE = {
    "family": "worker",
    "definition": [{"name": "worker", "image": "nginx:1", "essential": True}],
    "network_mode": "awsvpc",
    "requires_compatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "8192",
}

# id: (layer, host, place, value, what the message says, in this order)
CASES = {
    # Shapes that the argument spec refuses.
    "wrong type": ("ecs", S, "services.0.desired_count", "many", ["ecs", "desired_count", "many", "int"]),
    "unknown field": ("ecs", S, "services.0.desired_cuont", 1, ["ecs", "desired_cuont", "desired_count"]),
    "unknown field in depth": ("alb", S, "target_groups.0.health_check.paht", "/", ["alb", "paht", "path"]),
    "missing field": ("ecr", S, "repositories.+", {"keep_images": 3}, ["ecr", "name", "repositories"]),
    "not a list": ("network", P, "subnets", {"a": 1}, ["network", "subnets"]),
    "value that is not allowed": (
        "ecr",
        S,
        "repositories.0.image_tag_mutability",
        "SOMETIMES",
        ["ecr", "image_tag_mutability", "MUTABLE", "IMMUTABLE", "SOMETIMES"],
    ),
    # network
    "CIDR block that is none": ("network", P, "vpc.cidr_block", "10.0.0.0/33", ["vpc", "10.0.0.0/33"]),
    "VPC that is too large": ("network", P, "vpc.cidr_block", "10.0.0.0/8", ["vpc", "10.0.0.0/8", "/16"]),
    "subnet outside the VPC": (
        "network",
        P,
        "subnets.0.cidr_block",
        "10.1.0.0/24",
        ["subnets", "10.1.0.0/24", "10.0.0.0/16"],
    ),
    "subnets that overlap": ("network", P, "subnets.1.cidr_block", "10.0.0.0/25", ["subnets", "10.0.0.0/2", "overlap"]),
    "zone of another region": (
        "network",
        P,
        "subnets.0.availability_zone",
        "eu-west-1a",
        ["subnets", "eu-west-1a", "us-east-1"],
    ),
    "subnet twice": ("network", P, "subnets.1.name", "art-public-a", ["subnet", "art-public-a"]),
    "port out of range": ("network", P, "security_groups.0.ingress.0.to_port", 70000, ["ingress", "70000", "65535"]),
    "ports the wrong way round": ("network", P, "security_groups.0.ingress.0.to_port", 79, ["ingress", "80", "79"]),
    "protocol that is none": ("network", P, "security_groups.0.ingress.0.protocol", "tpc", ["ingress", "tpc"]),
    "rule without a source": ("network", P, "security_groups.0.ingress.0.cidr_blocks", [], ["ingress"]),
    "security group that nothing declares": (
        "network",
        P,
        "security_groups.1.ingress.0.security_groups",
        ["art-nowhere"],
        ["security_groups", "art-nowhere", "neither declared"],
    ),
    # ecr
    "repository name with capitals": ("ecr", S, "repositories.0.name", "ArtService", ["repositories", "ArtService"]),
    "exclusions without the setting": (
        "ecr",
        S,
        "repositories.0.image_tag_mutability",
        "IMMUTABLE",
        ["repositories", "image_tag_mutability_exclusion_filters", "IMMUTABLE_WITH_EXCLUSION", "IMMUTABLE"],
    ),
    "images kept that are none": ("ecr", S, "repositories.0.keep_images", 0, ["keep_images", "1", "0"]),
    "the same repository on two hosts": (
        "ecr",
        P,
        "repositories",
        [{"name": "artservicesourcingdataservice"}],
        ["artservicesourcingdataservice", "already"],
    ),
    # iam
    "preset that is none": ("iam", S, "roles.0.preset", "ecs_tasks", ["preset", "ecs_task_execution", "ecs_tasks"]),
    "role name with a space": ("iam", S, "roles.0.name", "art role", ["roles", "art role"]),
    "session that is too long": (
        "iam",
        S,
        "roles.1.max_session_duration",
        90000,
        ["max_session_duration", "43200", "90000"],
    ),
    "administrator of no layer": ("iam", P, "administrators.0.layer", "rds", ["administrators", "rds"]),
    "policy without statements": (
        "iam",
        S,
        "roles.1.inline_policies",
        {"read": {"Version": "2012-10-17"}},
        ["inline_policies", "Statement"],
    ),
    # state_bucket
    "bucket name with capitals": ("state_bucket", P, "bucket.name", "Art-State", ["bucket", "Art-State"]),
    "bucket name that is an address": ("state_bucket", P, "bucket.name", "192.168.0.1", ["bucket", "192.168.0.1"]),
    "days that are none": ("state_bucket", P, "bucket.noncurrent_version_expiration_days", 0, ["expiration_days", "0"]),
    # alb
    "load balancer in one subnet": (
        "alb",
        P,
        "load_balancers.0.subnets",
        ["art-public-a"],
        ["subnets", "art-public-a"],
    ),
    "load balancer name that is too long": (
        "alb",
        P,
        "load_balancers.0.name",
        "a" * 33,
        ["load_balancers", "a" * 33, "32"],
    ),
    "two services with one priority": ("alb", S, "rules.+", SECOND_RULE, ["rules", "100"]),
    "priority out of range": ("alb", S, "rules.0.priority", 50001, ["priority", "50000"]),
    "HTTPS without a certificate": (
        "alb",
        P,
        "load_balancers.0.listeners.0.protocol",
        "HTTPS",
        ["listeners", "certificate"],
    ),
    "health check interval out of range": (
        "alb",
        S,
        "target_groups.0.health_check.interval_seconds",
        301,
        ["301", "300"],
    ),
    "health check path without a slash": (
        "alb",
        S,
        "target_groups.0.health_check.path",
        "health",
        ["path", "health", "/"],
    ),
    "target group port out of range": ("alb", S, "target_groups.0.port", 0, ["port", "0", "65535"]),
    "fixed response that is no answer": (
        "alb",
        P,
        "load_balancers.0.listeners.0.default_action.status_code",
        "999",
        ["status_code", "999"],
    ),
    "rule on a load balancer that nothing has": (
        "alb",
        S,
        "rules.0.load_balancer",
        "nowhere",
        ["nowhere", "neither declared"],
    ),
    "rule to a target group that nothing has": (
        "alb",
        S,
        "rules.0.actions.0.target_groups.0.name",
        "nowhere",
        ["nowhere", "neither declared"],
    ),
    # autoscaling
    "instance type that is none": (
        "autoscaling",
        P,
        "launch_templates.0.instance_type",
        "large",
        ["instance_type", "large"],
    ),
    "sizes the wrong way round": ("autoscaling", P, "auto_scaling_groups.0.min_size", 9, ["min_size", "9", "4"]),
    "target capacity out of range": (
        "autoscaling",
        P,
        "auto_scaling_groups.0.capacity_provider.target_capacity",
        101,
        ["target_capacity", "100", "101"],
    ),
    "capacity provider name that AWS keeps": (
        "autoscaling",
        P,
        "auto_scaling_groups.0.capacity_provider.name",
        "fargate-own",
        ["capacity_provider", "fargate-own"],
    ),
    "launch template that nothing declares": (
        "autoscaling",
        P,
        "auto_scaling_groups.0.launch_template",
        "nowhere",
        ["launch_template", "nowhere", "neither declared"],
    ),
    "instance profile that nothing declares": (
        "autoscaling",
        P,
        "launch_templates.0.instance_profile",
        "nowhere",
        ["instance_profile", "nowhere", "neither declared"],
    ),
    # ecs
    "port that is not in the task definition": (
        "ecs",
        S,
        "services.0.load_balancers.0.container_port",
        8083,
        ["load_balancers", "8083", "8082"],
    ),
    "container that is not in the task definition": (
        "ecs",
        S,
        "services.0.load_balancers.0.container_name",
        "web",
        ["load_balancers", "web", "sourcing-data-service"],
    ),
    "cpu and memory that Fargate refuses": (
        "ecs",
        S,
        "task_definitions.+",
        FARGATE,
        ["task_definitions", "memory", "8192"],
    ),
    "task definition file that is not there": (
        "ecs",
        S,
        "task_definitions.0.file",
        "no.json",
        ["task_definitions", "no.json"],
    ),
    "override of a container that is not there": (
        "ecs",
        S,
        "task_definitions.0.containers",
        {"web": {"image": "nginx"}},
        ["containers", "web", "sourcing-data-service"],
    ),
    "negative desired count": ("ecs", S, "services.0.desired_count", -1, ["desired_count", "-1"]),
    "launch type beside a strategy": (
        "ecs",
        S,
        "services.0.launch_type",
        "EC2",
        ["launch_type", "capacity_provider_strategy"],
    ),
    "cluster that nothing declares": (
        "ecs",
        S,
        "services.0.cluster",
        "nowhere",
        ["cluster", "nowhere", "neither declared"],
    ),
    "role that nothing declares": (
        "ecs",
        S,
        "task_definitions.0.execution_role",
        "nowhere",
        ["execution_role", "nowhere", "neither declared"],
    ),
    "strategy with a capacity provider that the cluster has not": (
        "ecs",
        P,
        "clusters.0.capacity_providers",
        ["nowhere"],
        ["default_capacity_provider_strategy", "art-container-instances", "not in capacity_providers", "nowhere"],
    ),
    "target type that does not fit the network mode": (
        "alb",
        S,
        "target_groups.0.target_type",
        "ip",
        ["target", "ip", "instance"],
    ),
    "days that CloudWatch Logs does not know": (
        "ecs",
        S,
        "task_definitions.0.log_group.retention_in_days",
        31,
        ["retention_in_days", "31", "30"],
    ),
    "container insights that are none": (
        "ecs",
        P,
        "clusters.0.container_insights",
        "on",
        ["container_insights", "enabled"],
    ),
}


@pytest.mark.parametrize(("layer", "host", "place", "value", "words"), CASES.values(), ids=CASES)
def test_it_is_refused_before_the_first_write(runner, emulator, layer, host, place, value, words):
    with pytest.raises(PlanError) as caught:
        runner.plan(changed(layer, host, place, value), base_dir="inventories/art")
    text = str(caught.value)
    lines = [line for line in text.splitlines() if all(word in line for word in words)]
    assert lines, f"no line has all of {words} in:\n{text}"
    assert host in lines[0] or host in text
    assert emulator.calls()["mutating"] == 0


def test_there_are_enough_cases():
    assert len(CASES) >= 40


def test_all_problems_are_told_at_once(runner):
    declared = changed("ecs", S, "services.0.desired_count", -1)
    declared["ecr"][S]["repositories"][0]["keep_images"] = 0
    declared["network"][P]["subnets"][0]["cidr_block"] = "10.1.0.0/24"
    with pytest.raises(PlanError) as caught:
        runner.plan(declared, base_dir="inventories/art")
    assert len(caught.value.problems) >= 3
