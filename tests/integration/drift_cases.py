# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody may change in art behind the collection's back, and how drift is to tell it."""

from __future__ import annotations

import json
from typing import Any

from tests.integration import art
from tests.integration.drifting import Case, World

BUCKET, TABLE = "art-service-terraform-state", "art-service-terraform-locks"
CLUSTER, SERVICE = "art-service-ecs-cluster", "art-service-sourcing-data-ecs-service"
REPOSITORY, FAMILY = "artservicesourcingdataservice", art.SERVICE
GROUP, LOG_GROUP = "art-container-instances", f"/ecs/{art.SERVICE}"
EXECUTION = "art-sourcing-data-service-execution"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
TASK_EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
POWER = "arn:aws:iam::aws:policy/PowerUserAccess"
BLOCKED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
CANONICAL = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

LOAD_BALANCER = "load_balancer/art-service-load-balancer"
LISTENER = "listener/art-service-load-balancer:80"
RULE = f"listener_rule/art-service-load-balancer:80/{'sourcing-data-service'}"
TARGETS = "target_group/art-sourcing-data-service"
TEMPLATE, SCALING = f"launch_template/{GROUP}", f"auto_scaling_group/{GROUP}"
TASKS, RUNNING = f"ecs_task_definition/{FAMILY}", f"ecs_service/{CLUSTER}/{SERVICE}"
DEPLOYMENT = {
    "maximumPercent": 100,
    "minimumHealthyPercent": 0,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}


def new_revision(world: World, **changes: Any) -> str:
    """Register a revision as somebody would by hand: the latest one with a container changed."""
    latest = world.ecs.describe_task_definition(taskDefinition=FAMILY, include=["TAGS"])
    names = ("family", "networkMode", "requiresCompatibilities", "executionRoleArn", "taskRoleArn")
    definition = {name: latest["taskDefinition"][name] for name in names}
    containers = [{**latest["taskDefinition"]["containerDefinitions"][0], **changes}]
    answer = world.ecs.register_task_definition(**definition, containerDefinitions=containers, tags=latest["tags"])
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def new_template_version(world: World, **data: Any) -> None:
    identity = world.id(TEMPLATE)
    answer = world.ec2.create_launch_template_version(
        LaunchTemplateId=identity, SourceVersion="1", LaunchTemplateData=data
    )
    number = str(answer["LaunchTemplateVersion"]["VersionNumber"])
    world.ec2.modify_launch_template(LaunchTemplateId=identity, DefaultVersion=number)


def ingress(world: World, group: str, verb: str, port: int, description: str) -> None:
    ranges = [{"CidrIp": "0.0.0.0/0", "Description": description}]
    permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}
    getattr(world.ec2, f"{verb}_security_group_ingress")(GroupId=world.id(group), IpPermissions=[permission])


def service(world: World, **changes: Any) -> None:
    world.ecs.update_service(cluster=CLUSTER, service=SERVICE, **changes)


def table(world: World, **changes: Any) -> None:
    world.dynamodb.update_table(TableName=TABLE, **changes)


CASES: dict[str, Case] = {
    "bucket versioning": Case(
        lambda world: world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
        f"s3_bucket/{BUCKET}",
        {"VersioningConfiguration.Status": ("Enabled", "Suspended")},
    ),
    "bucket public access": Case(
        lambda world: world.s3.delete_public_access_block(Bucket=BUCKET),
        f"s3_bucket/{BUCKET}",
        {"PublicAccessBlockConfiguration": (dict.fromkeys(BLOCKED, True), None)},
    ),
    "bucket encryption": Case(
        lambda world: world.s3.put_bucket_encryption(
            Bucket=BUCKET,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            },
        ),
        f"s3_bucket/{BUCKET}",
        {"ServerSideEncryption.SSEAlgorithm": ("AES256", "aws:kms")},
    ),
    "bucket lifecycle": Case(
        lambda world: world.s3.delete_bucket_lifecycle(Bucket=BUCKET),
        f"s3_bucket/{BUCKET}",
        {"LifecycleRules": (..., None)},
    ),
    "bucket policy": Case(
        lambda world: world.s3.delete_bucket_policy(Bucket=BUCKET), f"s3_bucket/{BUCKET}", {"Policy": (..., None)}
    ),
    "bucket tag": Case(
        lambda world: world.s3.put_bucket_tagging(
            Bucket=BUCKET, Tagging={"TagSet": [{"Key": "dockyard:environment", "Value": "test"}]}
        ),
        f"s3_bucket/{BUCKET}",
        {"tags.Project": ("test", None)},
    ),
    "table recovery": Case(
        lambda world: world.dynamodb.update_continuous_backups(
            TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
        ),
        f"dynamodb_table/{TABLE}",
        {"PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled": (True, False)},
    ),
    "table protection": Case(
        lambda world: table(world, DeletionProtectionEnabled=False),
        f"dynamodb_table/{TABLE}",
        {"DeletionProtectionEnabled": (True, False)},
    ),
    "role trust": Case(
        lambda world: world.iam.update_assume_role_policy(RoleName=EXECUTION, PolicyDocument=json.dumps(TRUST)),
        f"iam_role/{EXECUTION}",
        {
            "AssumeRolePolicyDocument.Statement": (
                [
                    {
                        "Action": ["sts:AssumeRole"],
                        "Condition": {"StringEquals": {"aws:SourceAccount": ["123456789012"]}},
                        "Effect": "Allow",
                        "Principal": {"Service": ["ecs-tasks.amazonaws.com"]},
                    }
                ],
                [{"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com"]}}],
            )
        },
    ),
    "role policies": Case(
        lambda world: world.iam.attach_role_policy(RoleName=EXECUTION, PolicyArn=POWER),
        f"iam_role/{EXECUTION}",
        {"ManagedPolicyArns": ([TASK_EXECUTION], [POWER, TASK_EXECUTION])},
    ),
    "role boundary": Case(
        lambda world: world.iam.delete_role_permissions_boundary(RoleName=EXECUTION),
        f"iam_role/{EXECUTION}",
        lambda world: {"PermissionsBoundary": (world.arn("iam_policy/art-boundary"), None)},
    ),
    "user inline policy": Case(
        lambda world: world.iam.put_user_policy(
            UserName="art-ecr-administrator", PolicyName="more", PolicyDocument=json.dumps(ANYTHING)
        ),
        "iam_user/art-ecr-administrator",
        {"InlinePolicies[more]": (None, {"Version": "2012-10-17", "Statement": [CANONICAL]})},
    ),
    "managed policy": Case(
        lambda world: world.iam.create_policy_version(
            PolicyArn=world.arn("iam_policy/art-boundary"), PolicyDocument=json.dumps(ANYTHING), SetAsDefault=True
        ),
        "iam_policy/art-boundary",
        {"Document.Statement": (..., [CANONICAL])},
    ),
    "instance profile": Case(
        lambda world: world.iam.remove_role_from_instance_profile(
            InstanceProfileName="art-ecs-instance-role", RoleName="art-ecs-instance-role"
        ),
        "iam_instance_profile/art-ecs-instance-role",
        lambda world: {
            "Roles": (
                [{"RoleId": world.id("iam_role/art-ecs-instance-role"), "RoleName": "art-ecs-instance-role"}],
                [],
            )
        },
    ),
    "VPC host names": Case(
        lambda world: world.ec2.modify_vpc_attribute(VpcId=world.id("vpc/art"), EnableDnsHostnames={"Value": False}),
        "vpc/art",
        {"EnableDnsHostnames": (True, False)},
    ),
    "subnet addresses": Case(
        lambda world: world.ec2.modify_subnet_attribute(
            SubnetId=world.id("subnet/art-public-a"), MapPublicIpOnLaunch={"Value": False}
        ),
        "subnet/art-public-a",
        {"MapPublicIpOnLaunch": (True, False)},
    ),
    "route": Case(
        lambda world: world.ec2.delete_route(
            RouteTableId=world.id("route_table/art-public"), DestinationCidrBlock="0.0.0.0/0"
        ),
        "route_table/art-public",
        lambda world: {"Routes[0.0.0.0/0]": (world.id("internet_gateway/art"), None)},
    ),
    "rule that is more": Case(
        lambda world: ingress(world, "security_group/art-load-balancer", "authorize", 22, "by hand"),
        "security_group_rules/art-load-balancer",
        {"ingress[tcp 22 from 0.0.0.0/0]": (None, "by hand")},
    ),
    "rule that is less": Case(
        lambda world: ingress(world, "security_group/art-load-balancer", "revoke", 80, "HTTP"),
        "security_group_rules/art-load-balancer",
        {"ingress[tcp 80 from 0.0.0.0/0]": ("HTTP", None)},
    ),
    "ownership tag": Case(
        lambda world: world.ec2.delete_tags(
            Resources=[world.id("subnet/art-public-b")], Tags=[{"Key": "dockyard:environment"}]
        ),
        "subnet/art-public-b",
        {"tags.dockyard:environment": ("test", None)},
    ),
    "tag mutability": Case(
        lambda world: world.ecr.put_image_tag_mutability(repositoryName=REPOSITORY, imageTagMutability="MUTABLE"),
        f"ecr_repository/{REPOSITORY}",
        {
            "imageTagMutability": ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE"),
            "imageTagMutabilityExclusionFilters": ([{"filter": "latest", "filterType": "WILDCARD"}], []),
        },
    ),
    "image scanning": Case(
        lambda world: world.ecr.put_image_scanning_configuration(
            repositoryName=REPOSITORY, imageScanningConfiguration={"scanOnPush": False}
        ),
        f"ecr_repository/{REPOSITORY}",
        {"imageScanningConfiguration.scanOnPush": (True, False)},
    ),
    "image lifecycle": Case(
        lambda world: world.ecr.delete_lifecycle_policy(repositoryName=REPOSITORY),
        f"ecr_repository/{REPOSITORY}",
        {"lifecyclePolicy": (..., None)},
    ),
    "repository tag": Case(
        lambda world: world.ecr.tag_resource(
            resourceArn=world.arn(f"ecr_repository/{REPOSITORY}"), tags=[{"Key": "Project", "Value": "other"}]
        ),
        f"ecr_repository/{REPOSITORY}",
        {"tags.Project": ("test", "other")},
    ),
    "load balancer attribute": Case(
        lambda world: world.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=world.arn(LOAD_BALANCER),
            Attributes=[{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "false"}],
        ),
        LOAD_BALANCER,
        {"Attributes.routing.http.drop_invalid_header_fields.enabled": ("true", "false")},
    ),
    "load balancer security groups": Case(
        lambda world: world.elbv2.set_security_groups(
            LoadBalancerArn=world.arn(LOAD_BALANCER),
            SecurityGroups=[world.id("security_group/art-container-instances")],
        ),
        LOAD_BALANCER,
        lambda world: {
            "SecurityGroups": (
                [world.id("security_group/art-load-balancer")],
                [world.id("security_group/art-container-instances")],
            )
        },
    ),
    "listener action": Case(
        lambda world: world.elbv2.modify_listener(
            ListenerArn=world.arn(LISTENER),
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
        ),
        LISTENER,
        {
            "DefaultActions": (
                ["fixed response 404 text/plain: No service has this path."],
                ["fixed response 503 text/plain: "],
            )
        },
    ),
    "rule condition": Case(
        lambda world: world.elbv2.modify_rule(
            RuleArn=world.arn(RULE), Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/v1/*"]}}]
        ),
        RULE,
        {"Conditions": (["path-pattern: /*"], ["path-pattern: /v1/*"])},
    ),
    "rule priority": Case(
        lambda world: world.elbv2.set_rule_priorities(RulePriorities=[{"RuleArn": world.arn(RULE), "Priority": 7}]),
        RULE,
        {"Priority": (100, 7)},
    ),
    "health check": Case(
        lambda world: world.elbv2.modify_target_group(
            TargetGroupArn=world.arn(TARGETS), HealthCheckPath="/health", Matcher={"HttpCode": "200"}
        ),
        TARGETS,
        {"HealthCheckPath": ("/", "/health"), "Matcher.HttpCode": ("200-399", "200")},
    ),
    "target group attribute": Case(
        lambda world: world.elbv2.modify_target_group_attributes(
            TargetGroupArn=world.arn(TARGETS),
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}],
        ),
        TARGETS,
        {"Attributes.deregistration_delay.timeout_seconds": ("30", "300")},
    ),
    "launch template": Case(
        lambda world: new_template_version(world, InstanceType="m5.large"),
        TEMPLATE,
        {"InstanceType": ("t3.small", "m5.large")},
    ),
    "group size": Case(
        lambda world: world.autoscaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, MaxSize=9),
        SCALING,
        {"MaxSize": (4, 9)},
    ),
    "group tag": Case(
        lambda world: world.autoscaling.create_or_update_tags(
            Tags=[
                {
                    "ResourceId": GROUP,
                    "ResourceType": "auto-scaling-group",
                    "Key": "Project",
                    "Value": "other",
                    "PropagateAtLaunch": True,
                }
            ]
        ),
        SCALING,
        {"tags.Project": ("test", "other")},
    ),
    "capacity provider": Case(
        lambda world: world.ecs.update_capacity_provider(
            name=GROUP, autoScalingGroupProvider={"managedScaling": {"status": "ENABLED", "targetCapacity": 50}}
        ),
        f"ecs_capacity_provider/{GROUP}",
        {"autoScalingGroupProvider.managedScaling.targetCapacity": (100, 50)},
    ),
    "cluster settings": Case(
        lambda world: world.ecs.update_cluster(
            cluster=CLUSTER, settings=[{"name": "containerInsights", "value": "disabled"}]
        ),
        f"ecs_cluster/{CLUSTER}",
        {"settings.containerInsights": ("enabled", "disabled")},
    ),
    "cluster strategy": Case(
        lambda world: world.ecs.put_cluster_capacity_providers(
            cluster=CLUSTER, capacityProviders=[GROUP], defaultCapacityProviderStrategy=[]
        ),
        f"ecs_cluster_capacity_providers/{CLUSTER}",
        {"defaultCapacityProviderStrategy": ([{"base": 0, "capacityProvider": GROUP, "weight": 1}], [])},
    ),
    "service count": Case(lambda world: service(world, desiredCount=0), RUNNING, {"desiredCount": (1, 0)}),
    "service deployment": Case(
        lambda world: service(world, deploymentConfiguration={**DEPLOYMENT, "maximumPercent": 200}),
        RUNNING,
        {"deploymentConfiguration.maximumPercent": (100, 200)},
    ),
    "service grace period": Case(
        lambda world: service(world, healthCheckGracePeriodSeconds=5),
        RUNNING,
        {"healthCheckGracePeriodSeconds": (60, 5)},
    ),
    "task definition": Case(
        lambda world: new_revision(world, memory=250),
        TASKS,
        {"containerDefinitions[sourcing-data-service].memory": (500, 250)},
    ),
    "environment variable": Case(
        lambda world: new_revision(world, environment=[{"name": "DB_PASSWORD", "value": "hunter2-secret"}]),
        TASKS,
        {"containerDefinitions[sourcing-data-service].environment[DB_PASSWORD]": (None, "(sensitive)")},
    ),
    "log retention": Case(
        lambda world: world.logs.put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=7),
        f"log_group/{LOG_GROUP}",
        {"retentionInDays": (30, 7)},
    ),
}
