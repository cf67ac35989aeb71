# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether tasks on Fargate reach Amazon ECR: by what is declared, and by what AWS has."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import base
from ansible_collections.dockyard.aws.plugins.module_utils.layers import ecs_reachability as reachability
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs import Ecs
from ansible_collections.dockyard.aws.plugins.module_utils.layers.network import Network
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address

ENVIRONMENT = base.Environment("test", "us-east-1", "123456789012")
NETWORK = {
    "vpc": {"name": "net", "cidr_block": "10.0.0.0/16"},
    "internet_gateway": {"name": "net"},
    "subnets": [
        {"name": "public", "cidr_block": "10.0.0.0/24", "availability_zone": "us-east-1a", "public": True},
        {"name": "private", "cidr_block": "10.0.1.0/24", "availability_zone": "us-east-1a"},
    ],
}
ENDPOINTS = [f"com.amazonaws.us-east-1.{name}" for name in ("ecr.api", "ecr.dkr", "s3")]
NO_WAY = "no task can reach ECR, so none would start"


def resources(layer, value):
    declaration, problems = base.parse(layer, "web", value)
    assert problems == []
    return {item.address: item for item in layer.resources(declaration, ENVIRONMENT)}


def service(subnet, public, cluster=None, **more):
    options = {
        "name": "web",
        "cluster": "main",
        "task_definition": "web",
        "desired_count": 1,
        "launch_type": "FARGATE",
        "network_configuration": {"subnets": [subnet], "security_groups": ["sg-1"], "assign_public_ip": public},
    }
    given = {name: value for name, value in {**options, **more}.items() if value is not None}
    return resources(Ecs(), {"services": [given], "clusters": [cluster] if cluster else []})


def warnings(declared, attributes=None):
    Ecs().connect(declared)
    found = [str(problem) for problem in Ecs().warn_of_what_is_there(declared, attributes or {})]
    return [text.removeprefix("ecs.services[web]: network_configuration: ") for text in found]


@pytest.mark.parametrize(
    ("subnet", "public", "nat", "message"),
    [
        ("public", True, "none", None),
        ("private", False, "single", None),
        (
            "public",
            False,
            "none",
            f"in the subnet 'public' {NO_WAY}: tasks have no public address and the subnet's default",
        ),
        (
            "private",
            False,
            "none",
            f"in the subnet 'private' {NO_WAY}: tasks have no public address and the subnet has no",
        ),
        (
            "private",
            True,
            "none",
            f"in the subnet 'private' {NO_WAY}: assign_public_ip is true, and the subnet's route",
        ),
        ("private", True, "single", "in the subnet 'private' the public addresses of tasks have no use: its default"),
    ],
)
def test_by_declared_subnets(subnet, public, nat, message):
    found = warnings({**resources(Network(), {**NETWORK, "nat": nat}), **service(subnet, public)})
    assert len(found) == bool(message)
    assert all(text.startswith(message) for text in found), found
    if message and NO_WAY in message:
        assert "unless VPC endpoints that are not declared here lead to ECR" in found[0]


def test_a_declared_table_with_another_target_is_taken_for_a_way():
    table = {
        "name": "own",
        "subnets": ["private"],
        "routes": [{"destination_cidr_block": "0.0.0.0/0", "transit_gateway_id": "tgw-1"}],
    }
    network = resources(Network(), {**NETWORK, "route_tables": [table]})
    assert warnings({**network, **service("private", False)}) == []
    assert warnings({**network, **service("private", True)}) == []


@pytest.mark.parametrize(
    ("route", "endpoints", "public", "message"),
    [
        ("igw-1", [], True, None),
        ("igw-1", [], False, "Set assign_public_ip: true, or make VPC endpoints for ECR"),
        ("nat-1", [], False, None),
        ("nat-1", [], True, "have no use"),
        ("eni-1", [], False, None),
        ("tgw-1", [], True, None),
        ("", [], False, "the subnet has no default route, and its VPC has no endpoints for ecr.api, ecr.dkr, s3. Add"),
        ("", ENDPOINTS, False, None),
        ("", ENDPOINTS, True, None),
        ("igw-1", ENDPOINTS, False, None),
        ("", ENDPOINTS[:2], False, "its VPC has no endpoints for s3"),
    ],
)
def test_by_what_aws_has(route, endpoints, public, message):
    attributes = {Address("subnet_route", "default-1"): {"default_route": route, "endpoints": endpoints}}
    found = warnings(service("default-1", public), attributes)
    assert len(found) == bool(message)
    assert all(message in text for text in found), found


def test_only_subnets_that_are_not_declared_are_looked_up():
    declared = {**resources(Network(), NETWORK), **service("public", True)}
    Ecs().connect(declared)
    assert not [ref for ref in declared["ecs_service", "main/web"].looked_at if ref.kind == "subnet_route"]
    declared = service("default-1", True)
    Ecs().connect(declared)
    assert not [ref for ref in declared["ecs_service", "main/web"].depends_on if ref.kind == "subnet_route"]
    ref = next(ref for ref in declared["ecs_service", "main/web"].looked_at if ref.kind == "subnet_route")
    assert [(name, inner.address, inner.attribute) for name, inner in ref.scope] == [
        ("SubnetId", Address("subnet", "default-1"), "id"),
        ("VpcId", Address("subnet", "default-1"), "vpc_id"),
    ]


@pytest.mark.parametrize(
    ("more", "cluster", "expected"),
    [
        ({}, None, True),
        ({"launch_type": "EC2"}, None, False),
        ({"launch_type": None}, None, False),
        (
            {"launch_type": None, "capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT", "weight": 1}]},
            None,
            True,
        ),
        (
            {"launch_type": None},
            {
                "name": "main",
                "capacity_providers": ["FARGATE"],
                "default_capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1}],
            },
            True,
        ),
    ],
)
def test_where_a_service_runs(more, cluster, expected):
    declared = service("default-1", True, cluster, **more)
    assert reachability.on_fargate(declared["ecs_service", "main/web"], declared) is expected
