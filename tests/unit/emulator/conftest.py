# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One emulator for all tests of it, empty at the start of each."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config

from ansible_collections.dockyard.aws.tests.emulator.client import Emulator

USER_DATA = "#!/bin/bash\necho ECS_CLUSTER=art >> /etc/ecs/ecs.config\n"


class World:
    """An emulated account with boto3 clients and the things that most tests need."""

    def __init__(self, emulator: Emulator, clients: dict[tuple[str, str], Any]) -> None:
        self.emulator = emulator
        self.clients = clients
        self.vpc = self.subnets = self.group = self.balancer = self.listener = None

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A client that does not retry, so that the first answer is what the test sees."""
        key = (service, region)
        if key not in self.clients:
            config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
            self.clients[key] = self.emulator.client(service, region, config=config)
        return self.clients[key]

    def __getattr__(self, service: str) -> Any:
        return self.client(service)

    def network(self) -> None:
        """A VPC with two subnets, an internet gateway and a security group."""
        ec2 = self.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        zones = {"10.0.0.0/24": "us-east-1a", "10.0.1.0/24": "us-east-1b"}
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for cidr, zone in zones.items()
        ]
        self.group = ec2.create_security_group(GroupName="art", Description="art", VpcId=self.vpc)["GroupId"]

    def load_balancer(self, target_type: str = "instance", attach: bool = True) -> str:
        """A load balancer with a listener, and a target group that the listener forwards to; its ARN."""
        elbv2 = self.client("elbv2")
        arn: str = elbv2.create_target_group(
            Name=f"art-{target_type}-{attach}".lower(), Protocol="HTTP", Port=80, VpcId=self.vpc, TargetType=target_type
        )["TargetGroups"][0]["TargetGroupArn"]
        if attach:
            made = elbv2.create_load_balancer(Name="art", Subnets=self.subnets, SecurityGroups=[self.group])
            self.balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
            self.listener = elbv2.create_listener(
                LoadBalancerArn=self.balancer,
                Protocol="HTTP",
                Port=80,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
            )["Listeners"][0]["ListenerArn"]
        return arn

    def instances(self, size: int, maximum: int | None = None) -> str:
        """An autoscaling group whose instances join the cluster art; its ARN."""
        data = {
            "InstanceType": "t3.small",
            "ImageId": "ami-12345678",
            "UserData": base64.b64encode(USER_DATA.encode()).decode(),
        }
        self.client("ec2").create_launch_template(LaunchTemplateName="art", LaunchTemplateData=data)
        self.client("autoscaling").create_auto_scaling_group(
            AutoScalingGroupName="art",
            LaunchTemplate={"LaunchTemplateName": "art", "Version": "$Latest"},
            MinSize=0,
            MaxSize=maximum or size,
            DesiredCapacity=size,
            VPCZoneIdentifier=",".join(self.subnets or []),
        )
        found = self.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0]
        arn: str = found["AutoScalingGroupARN"]
        return arn

    def definition(self, tag: str = "v1", **options: Any) -> str:
        """A revision of the family art; its ARN."""
        container = {
            "name": "web",
            "image": f"example/web:{tag}",
            "memory": 500,
            "portMappings": [{"containerPort": 8082, "hostPort": options.pop("host_port", 8082)}],
        }
        made = self.client("ecs").register_task_definition(family="art", containerDefinitions=[container], **options)
        arn: str = made["taskDefinition"]["taskDefinitionArn"]
        return arn

    def service(self, **options: Any) -> dict[str, Any]:
        """A service art in the cluster art."""
        wanted = {"cluster": "art", "serviceName": "art", "taskDefinition": "art", "desiredCount": 1, **options}
        made: dict[str, Any] = self.client("ecs").create_service(**wanted)["service"]
        return made

    def steps(self, number: int = 1) -> dict[str, Any]:
        """The service after so many DescribeServices."""
        for _one in range(number):
            found = self.client("ecs").describe_services(cluster="art", services=["art"])
        service: dict[str, Any] = found["services"][0]
        return service


@pytest.fixture(scope="session")
def running_emulator() -> Iterator[Emulator]:
    """The process."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def clients() -> dict[tuple[str, str], Any]:
    """The clients made so far: making one takes longer than most tests."""
    return {}


@pytest.fixture(name="world")
def fixture_world(running_emulator: Emulator, clients: dict[tuple[str, str], Any]) -> World:
    """An empty account."""
    running_emulator.reset()
    return World(running_emulator, clients)
