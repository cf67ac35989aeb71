# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists what exists at an endpoint, by kind, with plain boto3: a witness that shares no code with the collection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import boto3

Client = Callable[[str], Any]
# These lie in no region, and are found from each.
WORLDWIDE = {"S3 bucket", "hosted zone", "record", "IAM role", "instance profile", "IAM user", "IAM policy"}


def resources(url: str, *regions: str) -> list[tuple[str, list[str]]]:
    """Return (kind, names) for every kind of which something exists, in these regions."""
    session = boto3.Session("testing", "testing")
    found: dict[str, list[str]] = {}
    for region in regions:

        def client(service: str, region: str = region) -> Any:
            return session.client(service, region_name=region, endpoint_url=url)

        parts = (_network, _storage, _dns, _iam, _containers, _load_balancing)
        for kind, names in (item for part in parts for item in part(client)):
            if region == regions[0] or kind not in WORLDWIDE:
                found.setdefault(kind, []).extend(names)
    return [(kind, sorted(names)) for kind, names in found.items() if names]


def _all(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    pages = client.get_paginator(operation).paginate(**arguments)
    return [item for page in pages for item in page.get(key, [])]


def _tagged(items: Iterable[dict[str, Any]], identifier: str) -> list[str]:
    names = ({tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}.get("Name") for item in items)
    return [name or item[identifier] for name, item in zip(names, items, strict=True)]


def _network(client: Client) -> Iterable[tuple[str, list[str]]]:
    """What lies in VPCs other than the default one, which every account has, and security groups in all of them."""
    ec2 = client("ec2")
    vpcs = _all(ec2, "describe_vpcs", "Vpcs", Filters=[{"Name": "is-default", "Values": ["false"]}])
    yield "VPC", _tagged(vpcs, "VpcId")
    ours = [vpc["VpcId"] for vpc in vpcs] or ["none"]
    inside = [{"Name": "vpc-id", "Values": ours}]
    attached = [{"Name": "attachment.vpc-id", "Values": ours}]
    yield "subnet", _tagged(_all(ec2, "describe_subnets", "Subnets", Filters=inside), "SubnetId")
    gateways = _all(ec2, "describe_internet_gateways", "InternetGateways", Filters=attached)
    yield "internet gateway", _tagged(gateways, "InternetGatewayId")
    nat_gateways = _all(ec2, "describe_nat_gateways", "NatGateways", Filters=inside)
    yield "NAT gateway", _tagged(nat_gateways, "NatGatewayId")
    tables = _all(ec2, "describe_route_tables", "RouteTables", Filters=inside)
    main = [table for table in tables if any(link.get("Main") for link in table["Associations"])]
    yield "route table", _tagged([table for table in tables if table not in main], "RouteTableId")
    groups = _all(ec2, "describe_security_groups", "SecurityGroups")
    yield "security group", [group["GroupName"] for group in groups if group["GroupName"] != "default"]
    templates = _all(ec2, "describe_launch_templates", "LaunchTemplates")
    yield "launch template", [template["LaunchTemplateName"] for template in templates]


def _storage(client: Client) -> Iterable[tuple[str, list[str]]]:
    yield "S3 bucket", [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]
    yield "DynamoDB table", _all(client("dynamodb"), "list_tables", "TableNames")
    secrets = _all(client("secretsmanager"), "list_secrets", "SecretList")
    yield "secret", [secret["Name"] for secret in secrets]
    groups = _all(client("logs"), "describe_log_groups", "logGroups")
    yield "log group", [group["logGroupName"] for group in groups]


def _dns(client: Client) -> Iterable[tuple[str, list[str]]]:
    certificates = _all(client("acm"), "list_certificates", "CertificateSummaryList")
    yield "certificate", [certificate["DomainName"] for certificate in certificates]
    route53 = client("route53")
    zones = _all(route53, "list_hosted_zones", "HostedZones")
    yield "hosted zone", [zone["Name"].rstrip(".") for zone in zones]
    records: list[dict[str, Any]] = []
    for zone in zones:
        records += _all(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"])
    # Every zone has two records of its own.
    made = [record for record in records if record["Type"] not in ("NS", "SOA")]
    yield "record", [f"{record['Name'].rstrip('.')} {record['Type']}" for record in made]


def _iam(client: Client) -> Iterable[tuple[str, list[str]]]:
    iam = client("iam")
    yield "IAM role", [role["RoleName"] for role in _all(iam, "list_roles", "Roles")]
    profiles = _all(iam, "list_instance_profiles", "InstanceProfiles")
    yield "instance profile", [profile["InstanceProfileName"] for profile in profiles]
    yield "IAM user", [user["UserName"] for user in _all(iam, "list_users", "Users")]
    policies = _all(iam, "list_policies", "Policies", Scope="Local")
    yield "IAM policy", [policy["PolicyName"] for policy in policies]


def _containers(client: Client) -> Iterable[tuple[str, list[str]]]:
    repositories = _all(client("ecr"), "describe_repositories", "repositories")
    yield "ECR repository", [repository["repositoryName"] for repository in repositories]
    ecs = client("ecs")
    clusters = _all(ecs, "list_clusters", "clusterArns")
    yield "ECS cluster", _last(clusters)
    yield "task definition", _last(_all(ecs, "list_task_definitions", "taskDefinitionArns"))
    services = (_all(ecs, "list_services", "serviceArns", cluster=cluster) for cluster in clusters)
    yield "ECS service", [name for arns in services for name in _last(arns)]
    described = ecs.describe_clusters(clusters=clusters)["clusters"] if clusters else []
    providers = [name for cluster in described for name in cluster.get("capacityProviders", [])]
    yield "capacity provider", [name for name in providers if not name.startswith("FARGATE")]
    groups = _all(client("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups")
    yield "autoscaling group", [group["AutoScalingGroupName"] for group in groups]
    scaling = client("application-autoscaling")
    targets = _all(scaling, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs")
    yield "scalable target", [target["ResourceId"].removeprefix("service/") for target in targets]
    policies = _all(scaling, "describe_scaling_policies", "ScalingPolicies", ServiceNamespace="ecs")
    yield "scaling policy", [policy["PolicyName"] for policy in policies]


def _load_balancing(client: Client) -> Iterable[tuple[str, list[str]]]:
    elbv2 = client("elbv2")
    balancers = _all(elbv2, "describe_load_balancers", "LoadBalancers")
    yield "load balancer", [balancer["LoadBalancerName"] for balancer in balancers]
    groups = _all(elbv2, "describe_target_groups", "TargetGroups")
    yield "target group", [group["TargetGroupName"] for group in groups]
    listeners: list[dict[str, Any]] = []
    for balancer in balancers:
        listeners += _all(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer["LoadBalancerArn"])
    yield "listener", [f"{listener['Protocol']} {listener['Port']}" for listener in listeners]
    rules: list[dict[str, Any]] = []
    for listener in listeners:
        rules += _all(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])
    yield "listener rule", [f"priority {rule['Priority']}" for rule in rules if not rule["IsDefault"]]


def _last(arns: Iterable[str]) -> list[str]:
    return [arn.rpartition("/")[2] for arn in arns]
