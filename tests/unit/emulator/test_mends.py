# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mends: what AWS refuses is refused, in AWS's words; what AWS keeps is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]})
BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"
BUCKET = "emulator-bucket"


@pytest.fixture(name="art")
def fixture_art(world: Any) -> Any:
    """A network, a cluster, a task definition, a load balancer with its target group, an attached service."""
    world.network()
    world.ecs.create_cluster(clusterName="art")
    world.definition()
    world.group_arn = world.load_balancer()
    return world


def balancers(art: Any, **options: Any) -> list[dict[str, Any]]:
    """The loadBalancers of a service."""
    return [{"targetGroupArn": art.group_arn, "containerName": "web", "containerPort": 8082, **options}]


Refusal = tuple[Callable[[Any], Any], str]

SERVICE_REFUSALS: dict[str, Refusal] = {
    "duplicate": (lambda art: (art.service(), art.service()), "Creation of service was not idempotent"),
    "unattached target group": (
        lambda art: art.service(loadBalancers=balancers(art, targetGroupArn=art.load_balancer(attach=False))),
        "does not have an associated load balancer",
    ),
    "unknown target group": (
        lambda art: art.service(loadBalancers=balancers(art, targetGroupArn=art.group_arn[:-1] + "x")),
        "does not exist",
    ),
    "unknown container": (
        lambda art: art.service(loadBalancers=balancers(art, containerName="x")),
        "The container x does not exist in the task definition",
    ),
    "unknown port": (
        lambda art: art.service(loadBalancers=balancers(art, containerPort=1)),
        "did not have a container port 1 defined",
    ),
    "unknown role": (
        lambda art: art.service(loadBalancers=balancers(art), role="nobody"),
        "Unable to assume role and validate",
    ),
    "grace without load balancer": (
        lambda art: art.service(healthCheckGracePeriodSeconds=5),
        "Health check grace period is only valid",
    ),
    "both launch type and strategy": (
        lambda art: art.service(launchType="EC2", capacityProviderStrategy=[{"capacityProvider": "FARGATE"}]),
        "not both",
    ),
    "capacity provider not in the cluster": (
        lambda art: art.service(capacityProviderStrategy=[{"capacityProvider": "FARGATE"}]),
        "was not found",
    ),
    "bridge on fargate": (lambda art: art.service(launchType="FARGATE"), "does not support launch_type FARGATE"),
    "network without awsvpc": (
        lambda art: art.service(networkConfiguration={"awsvpcConfiguration": {"subnets": art.subnets}}),
        "not valid for the given networkMode",
    ),
    "no room for a deployment": (
        lambda art: art.service(deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 100}),
        "will block deployments",
    ),
    "deleted cluster": (
        lambda art: (art.ecs.delete_cluster(cluster="art"), art.service()),
        "ClusterNotFoundException",
    ),
    "update of a deleted service": (
        lambda art: (
            art.service(desiredCount=0),
            art.ecs.delete_service(cluster="art", service="art"),
            art.ecs.update_service(cluster="art", service="art", desiredCount=1),
        ),
        "ServiceNot(Found|Active)Exception",
    ),
}


@pytest.mark.parametrize(("call", "message"), SERVICE_REFUSALS.values(), ids=SERVICE_REFUSALS)
def test_service_refusals(art: Any, call: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        call(art)


REFUSALS: dict[str, Refusal] = {
    "group named by a rule": (
        lambda art: (
            art.ec2.authorize_security_group_ingress(
                GroupId=art.ec2.create_security_group(GroupName="b", Description="b", VpcId=art.vpc)["GroupId"],
                IpPermissions=[
                    {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [{"GroupId": art.group}]}
                ],
            ),
            art.elbv2.delete_load_balancer(LoadBalancerArn=art.balancer),
            art.ec2.delete_security_group(GroupId=art.group),
        ),
        "DependencyViolation",
    ),
    "group of a load balancer": (lambda art: art.ec2.delete_security_group(GroupId=art.group), "DependencyViolation"),
    "subnet of a load balancer": (lambda art: art.ec2.delete_subnet(SubnetId=art.subnets[0]), "DependencyViolation"),
    "vpc": (lambda art: art.ec2.delete_vpc(VpcId=art.vpc), "DependencyViolation"),
    "attached gateway": (
        lambda art: art.ec2.delete_internet_gateway(
            InternetGatewayId=[
                one
                for one in art.ec2.describe_internet_gateways()["InternetGateways"]
                if one["Attachments"][0]["VpcId"] == art.vpc
            ][0]["InternetGatewayId"]
        ),
        "DependencyViolation",
    ),
    "target group in use": (
        lambda art: art.elbv2.delete_target_group(TargetGroupArn=art.group_arn),
        "ResourceInUse",
    ),
    "second listener on a port": (
        lambda art: art.elbv2.create_listener(
            LoadBalancerArn=art.balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": art.group_arn}],
        ),
        "DuplicateListener",
    ),
    "deletion protection": (
        lambda art: (
            art.elbv2.modify_load_balancer_attributes(
                LoadBalancerArn=art.balancer, Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}]
            ),
            art.elbv2.delete_load_balancer(LoadBalancerArn=art.balancer),
        ),
        "OperationNotPermitted",
    ),
    "another load balancer of the name": (
        lambda art: art.elbv2.create_load_balancer(Name="art", Subnets=art.subnets, Scheme="internal"),
        "DuplicateLoadBalancerName",
    ),
    "target group of another load balancer": (
        lambda art: art.elbv2.create_listener(
            LoadBalancerArn=art.elbv2.create_load_balancer(Name="other", Subnets=art.subnets)["LoadBalancers"][0][
                "LoadBalancerArn"
            ],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": art.group_arn}],
        ),
        "TargetGroupAssociationLimit",
    ),
    "autoscaling group with instances": (
        lambda art: (art.instances(1), art.autoscaling.delete_auto_scaling_group(AutoScalingGroupName="art")),
        "ResourceInUse",
    ),
    "sizes that do not fit": (lambda art: art.instances(3, maximum=2), "must be between"),
    "cluster with instances": (
        lambda art: (art.instances(1), art.ecs.delete_cluster(cluster="art")),
        "ClusterContainsContainerInstancesException",
    ),
    "capacity provider in use": (
        lambda art: (
            art.ecs.create_capacity_provider(
                name="art", autoScalingGroupProvider={"autoScalingGroupArn": art.instances(0, maximum=1)}
            ),
            art.ecs.put_cluster_capacity_providers(
                cluster="art", capacityProviders=["art"], defaultCapacityProviderStrategy=[]
            ),
            art.ecs.delete_capacity_provider(capacityProvider="art"),
        ),
        "in use",
    ),
    "attached policy": (
        lambda art: (
            art.iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST),
            art.iam.create_policy(PolicyName="p", PolicyDocument=POLICY),
            art.iam.attach_role_policy(RoleName="r", PolicyArn="arn:aws:iam::123456789012:policy/p"),
            art.iam.delete_policy(PolicyArn="arn:aws:iam::123456789012:policy/p"),
        ),
        "DeleteConflict",
    ),
    "role of an instance profile": (
        lambda art: (
            art.iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST),
            art.iam.create_instance_profile(InstanceProfileName="p"),
            art.iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r"),
            art.iam.delete_role(RoleName="r"),
        ),
        "DeleteConflict",
    ),
    "trust policy without principal": (
        lambda art: art.iam.create_role(RoleName="r", AssumeRolePolicyDocument=POLICY),
        "MalformedPolicyDocument",
    ),
    "ACL that lets others in": (
        lambda art: art.s3.create_bucket(Bucket=BUCKET, ACL="public-read"),
        "AccessControlListNotSupported",
    ),
    "ACL of an existing bucket": (
        lambda art: (art.s3.create_bucket(Bucket=BUCKET), art.s3.put_bucket_acl(Bucket=BUCKET, ACL="private")),
        "AccessControlListNotSupported",
    ),
    "public bucket policy": (
        lambda art: (
            art.s3.create_bucket(Bucket=BUCKET),
            art.s3.put_bucket_policy(
                Bucket=BUCKET,
                Policy=json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Principal": "*",
                                "Action": "s3:GetObject",
                                "Resource": f"arn:aws:s3:::{BUCKET}/*",
                            }
                        ],
                    }
                ),
            ),
        ),
        "AccessDenied",
    ),
    "table under deletion protection": (
        lambda art: (
            art.dynamodb.create_table(
                TableName="locks",
                AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
                DeletionProtectionEnabled=True,
            ),
            art.dynamodb.delete_table(TableName="locks"),
        ),
        "ValidationException",
    ),
}


@pytest.mark.parametrize(("call", "code"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(art: Any, call: Callable[[Any], Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        call(art)


UPDATES: dict[str, dict[str, Any]] = {
    "deploymentConfiguration": {
        "maximumPercent": 150,
        "minimumHealthyPercent": 50,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
    },
    "healthCheckGracePeriodSeconds": 90,
    "enableExecuteCommand": True,
    "enableECSManagedTags": True,
    "propagateTags": "SERVICE",
    "placementConstraints": [{"type": "distinctInstance"}],
    "placementStrategy": [{"type": "binpack", "field": "memory"}],
    "availabilityZoneRebalancing": "DISABLED",
    "desiredCount": 3,
}


@pytest.mark.parametrize("field", UPDATES)
@pytest.mark.parametrize("how", ["create", "update"])
def test_service_fields_are_kept(art: Any, field: str, how: str) -> None:
    value = UPDATES[field]
    if how == "create":
        art.service(loadBalancers=balancers(art), **{field: value})
    else:
        art.service(loadBalancers=balancers(art))
        art.ecs.update_service(cluster="art", service="art", **{field: value})
    found = art.steps()
    wanted = {**found[field], **value} if isinstance(value, dict) else value
    assert found[field] == wanted
    assert len(found["deployments"]) == 1


def test_service_answers_as_aws_does(art: Any) -> None:
    art.iam.create_role(RoleName="ecs", AssumeRolePolicyDocument=TRUST)
    tags = [{"key": "a", "value": "b"}]
    art.service(loadBalancers=balancers(art), role="ecs", tags=tags)
    found = art.steps()
    assert found["roleArn"] == "arn:aws:iam::123456789012:role/ecs"
    assert "networkConfiguration" not in found and "tags" not in found
    assert found["availabilityZoneRebalancing"] == "ENABLED"
    assert found["taskDefinition"].endswith("task-definition/art:1")
    assert found["deploymentConfiguration"]["maximumPercent"] == 200
    shown = art.ecs.describe_services(cluster="art", services=["art", "other"], include=["TAGS"])
    assert shown["services"][0]["tags"] == tags
    assert [one["reason"] for one in shown["failures"]] == ["MISSING"]


def test_cluster_settings_and_capacity_providers(world: Any) -> None:
    world.network()
    ecs = world.ecs
    ecs.create_cluster(clusterName="art")
    ecs.update_cluster(
        cluster="art",
        settings=[{"name": "containerInsights", "value": "enhanced"}],
        configuration={"executeCommandConfiguration": {"logging": "DEFAULT"}},
        serviceConnectDefaults={"namespace": "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-1"},
    )
    found = ecs.describe_clusters(clusters=["art"], include=["SETTINGS", "CONFIGURATIONS", "TAGS"])["clusters"][0]
    assert found["settings"] == [{"name": "containerInsights", "value": "enhanced"}]
    assert found["configuration"] == {"executeCommandConfiguration": {"logging": "DEFAULT"}}
    assert found["serviceConnectDefaults"]["namespace"].endswith("ns-1")
    assert found["capacityProviders"] == [] and found["defaultCapacityProviderStrategy"] == []
    made = ecs.create_capacity_provider(
        name="art", autoScalingGroupProvider={"autoScalingGroupArn": world.instances(0, maximum=1)}
    )["capacityProvider"]
    assert made["autoScalingGroupProvider"]["managedDraining"] == "ENABLED"
    ecs.update_capacity_provider(name="art", autoScalingGroupProvider={"managedDraining": "DISABLED"})
    shown = ecs.describe_capacity_providers(capacityProviders=["art"])["capacityProviders"][0]
    assert shown["autoScalingGroupProvider"]["managedDraining"] == "DISABLED"
    assert shown["autoScalingGroupProvider"]["managedScaling"]["targetCapacity"] == 100
    ecs.delete_capacity_provider(capacityProvider="art")
    gone = ecs.describe_capacity_providers(capacityProviders=["art"])["capacityProviders"][0]
    assert gone["status"] == "INACTIVE"
    every = {one["name"] for one in ecs.describe_capacity_providers()["capacityProviders"]}
    assert every == {"FARGATE", "FARGATE_SPOT"}


def test_task_definitions(world: Any) -> None:
    first = world.definition("v1")
    second = world.definition("v2", host_port=0)
    found = world.ecs.describe_task_definition(taskDefinition="art")["taskDefinition"]
    assert found["taskDefinitionArn"] == second
    assert found["registeredAt"] and found["registeredBy"].endswith(":root")
    assert found["containerDefinitions"][0]["portMappings"] == [
        {"containerPort": 8082, "hostPort": 0, "protocol": "tcp"}
    ]
    world.ecs.deregister_task_definition(taskDefinition=second)
    assert world.ecs.describe_task_definition(taskDefinition="art")["taskDefinition"]["taskDefinitionArn"] == first
    assert world.definition("v3").endswith(":3")
    arns = world.ecs.list_task_definitions(familyPrefix="art", sort="DESC")["taskDefinitionArns"]
    assert [one.rsplit(":", 1)[-1] for one in arns] == ["3", "1"]


def test_rules_come_back_whole(art: Any) -> None:
    made = art.elbv2.create_rule(
        ListenerArn=art.listener,
        Priority=5,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["a.example"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": art.group_arn}],
    )["Rules"][0]
    assert made["Conditions"][0]["Values"] == ["a.example"]
    assert made["Actions"][0]["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": art.group_arn, "Weight": 1}]
    attributes = art.elbv2.describe_target_group_attributes(TargetGroupArn=art.group_arn)["Attributes"]
    assert {"Key": "stickiness.lb_cookie.duration_seconds", "Value": "86400"} in attributes
    attributes = art.elbv2.describe_load_balancer_attributes(LoadBalancerArn=art.balancer)["Attributes"]
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "60"} in attributes
    group = art.elbv2.describe_target_groups(TargetGroupArns=[art.group_arn])["TargetGroups"][0]
    assert group["LoadBalancerArns"] == [art.balancer]
    assert art.elbv2.describe_load_balancers()["LoadBalancers"][0]["Scheme"] == "internet-facing"


def test_security_group_rules_keep_their_description(world: Any) -> None:
    world.network()
    pair = {"GroupId": world.group, "Description": "itself"}
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [pair]}
    world.ec2.authorize_security_group_ingress(GroupId=world.group, IpPermissions=[permission])
    with pytest.raises(ClientError, match="InvalidPermission.Duplicate"):
        bare = {**permission, "UserIdGroupPairs": [{"GroupId": world.group}]}
        world.ec2.authorize_security_group_ingress(GroupId=world.group, IpPermissions=[bare])
    filters = [{"Name": "group-id", "Values": [world.group]}]
    rules = world.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    assert [one["Description"] for one in rules if not one["IsEgress"]] == ["itself"]
    world.ec2.delete_security_group(GroupId=world.group)


def test_autoscaling_keeps_fields_and_refreshes(world: Any) -> None:
    world.network()
    world.instances(2)
    group = {"AutoScalingGroupName": "art"}
    wanted = {
        "MaxInstanceLifetime": 604800,
        "DefaultInstanceWarmup": 30,
        "CapacityRebalance": True,
        "TerminationPolicies": ["OldestInstance"],
        "NewInstancesProtectedFromScaleIn": True,
        "DefaultCooldown": 60,
        "HealthCheckGracePeriod": 0,
    }
    world.autoscaling.update_auto_scaling_group(**group, **wanted)
    world.autoscaling.enable_metrics_collection(**group, Granularity="1Minute")
    found = world.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert {name: found[name] for name in wanted} == wanted
    assert len(found["EnabledMetrics"]) == 20
    before = {one["InstanceId"] for one in found["Instances"]}
    assert len({one["AvailabilityZone"] for one in found["Instances"]}) == 2
    world.autoscaling.start_instance_refresh(**group)
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        world.autoscaling.start_instance_refresh(**group)
    states = [
        world.autoscaling.describe_instance_refreshes(**group)["InstanceRefreshes"][0]["Status"] for _one in range(2)
    ]
    assert states == ["InProgress", "Successful"]
    found = world.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert before.isdisjoint(one["InstanceId"] for one in found["Instances"])


def test_launch_template_versions(world: Any) -> None:
    world.network()
    world.instances(0, maximum=1)
    data = {"InstanceType": "t3.medium"}
    world.ec2.create_launch_template_version(LaunchTemplateName="art", SourceVersion="1", LaunchTemplateData=data)
    world.ec2.modify_launch_template(LaunchTemplateName="art", DefaultVersion="2")
    world.ec2.delete_launch_template_versions(LaunchTemplateName="art", Versions=["1"])
    found = world.ec2.describe_launch_template_versions(LaunchTemplateName="art")["LaunchTemplateVersions"]
    assert [(one["VersionNumber"], one["LaunchTemplateData"]["ImageId"]) for one in found] == [(2, "ami-12345678")]


def test_buckets_have_the_defaults_of_2023(world: Any) -> None:
    s3 = world.s3
    s3.create_bucket(Bucket=BUCKET, ACL="private", CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "b"}]})
    rule = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    block = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    owner = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert owner == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == [{"Key": "a", "Value": "b"}]
    expiration = {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3}
    rules = [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": expiration}]
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"] == rules
    s3.delete_bucket_encryption(Bucket=BUCKET)
    assert s3.get_bucket_encryption(Bucket=BUCKET)


def test_tables(world: Any) -> None:
    table = world.dynamodb.create_table(
        TableName="locks",
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True},
    )["TableDescription"]
    assert table["TableId"]
    world.dynamodb.update_table(TableName="locks", SSESpecification={"Enabled": False})
    world.dynamodb.update_table(TableName="locks", TableClass="STANDARD_INFREQUENT_ACCESS")
    found = world.dynamodb.describe_table(TableName="locks")["Table"]
    assert "SSEDescription" not in found and found["TableId"] == table["TableId"]
    assert found["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}


def test_images(world: Any) -> None:
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifests = [json.dumps({"schemaVersion": 2, "mediaType": kind, "number": number}) for number in range(2)]
    world.ecr.create_repository(
        repositoryName="app",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "latest*"}],
    )
    image = world.ecr.put_image(repositoryName="app", imageManifest=manifests[0], imageTag="v1")["image"]
    assert image["imageId"]["imageDigest"] == "sha256:" + hashlib.sha256(manifests[0].encode()).hexdigest()
    with pytest.raises(ClientError, match="ImageTagAlreadyExistsException"):
        world.ecr.put_image(repositoryName="app", imageManifest=manifests[1], imageTag="v1")
    for manifest in manifests:
        world.ecr.put_image(repositoryName="app", imageManifest=manifest, imageTag="latest-a")
    details = world.ecr.describe_images(repositoryName="app")["imageDetails"]
    assert sorted(one.get("imageTags", []) for one in details) == [["latest-a"], ["v1"]]


def test_account_details_are_complete(world: Any) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    world.iam.create_role(
        RoleName="r", AssumeRolePolicyDocument=TRUST, Description="d", MaxSessionDuration=7200, Tags=tags
    )
    world.iam.create_user(UserName="u", Tags=tags, PermissionsBoundary=BOUNDARY)
    world.iam.create_policy(PolicyName="p", PolicyDocument=POLICY)
    world.iam.attach_user_policy(UserName="u", PolicyArn="arn:aws:iam::123456789012:policy/p")
    details = world.iam.get_account_authorization_details()
    user, role = details["UserDetailList"][0], details["RoleDetailList"][0]
    assert user["Tags"] == tags and role["Tags"] == tags
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert sorted(one["PolicyName"] for one in details["Policies"]) == ["PowerUserAccess", "p"]
    listed = world.iam.list_roles()["Roles"][0]
    assert (listed["Description"], listed["MaxSessionDuration"]) == ("d", 7200)
    made = world.iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForECS"


def test_scalable_targets_have_tags(world: Any) -> None:
    world.ecs.create_cluster(clusterName="art")
    world.definition()
    world.service()
    scaling = world.client("application-autoscaling")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/art/art",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    arn = scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2, Tags={"a": "b"})["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"c": "d"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"c": "d"}


def test_the_tagging_api_lists_what_aws_lists(art: Any) -> None:
    """Repositories, launch templates, capacity providers …; IAM's policies in one region; no roles and no groups."""
    label = {"Key": "team", "Value": "a"}
    art.ecr.create_repository(repositoryName="web", tags=[label])
    for kind in ("launch-template", "elastic-ip"):
        specification = [{"ResourceType": kind, "Tags": [label]}]
        if kind == "elastic-ip":
            art.ec2.allocate_address(Domain="vpc", TagSpecifications=specification)
        else:
            art.ec2.create_launch_template(
                LaunchTemplateName="web",
                LaunchTemplateData={"InstanceType": "t3.small"},
                TagSpecifications=specification,
            )
    art.elbv2.add_tags(ResourceArns=[art.listener], Tags=[label])
    art.iam.create_policy(PolicyName="web", PolicyDocument=POLICY, Tags=[label])
    art.iam.create_instance_profile(InstanceProfileName="web", Tags=[label])
    art.iam.create_role(RoleName="web", AssumeRolePolicyDocument=TRUST, Tags=[label])

    def listed(region: str, *kinds: str) -> list[str]:
        client = art.client("resourcegroupstaggingapi", region)
        answer = client.get_resources(TagFilters=[{"Key": "team", "Values": ["a"]}], ResourceTypeFilters=list(kinds))
        return sorted(item["ResourceARN"].split(":", 5)[5].split("/")[0] for item in answer["ResourceTagMappingList"])

    assert listed("us-east-1") == [
        "elastic-ip",
        "instance-profile",
        "launch-template",
        "listener",
        "policy",
        "repository",
    ]
    assert listed("us-east-1", "iam") == ["instance-profile", "policy"]
    assert listed("us-east-1", "ec2:elastic-ip") == ["elastic-ip"]
    assert listed("eu-west-1") == []
