# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `autoscaling`: launch templates, Auto Scaling groups, capacity providers; how services are scaled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import autoscaling_checks as checks
from ansible_collections.dockyard.aws.plugins.module_utils.layers import scaling, scaling_checks
from ansible_collections.dockyard.aws.plugins.module_utils.layers.autoscaling_options import ARGUMENT_SPEC, METRICS
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Declaration,
    Environment,
    Layer,
    api_names,
    declared_only,
    refer,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.user_data import user_data
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource

# Irregular spellings of the API.
SPELLING = {"vcpu_count": "VCpuCount", "memory_mib": "MemoryMiB"}
ROOT_VOLUME = {
    "DeviceName": "/dev/xvda",
    "Ebs": {"VolumeSize": 30, "VolumeType": "gp3", "Encrypted": True, "DeleteOnTermination": True},
}
REFRESH_PREFERENCES = (
    "min_healthy_percentage",
    "max_healthy_percentage",
    "instance_warmup",
    "skip_matching",
    "scale_in_protected_instances",
    "standby_instances",
    "auto_rollback",
    "checkpoint_percentages",
    "checkpoint_delay",
    "bake_time",
)
LAUNCH_BEFORE_TERMINATE = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110}
# ECS looks for this tag on the groups that it scales and on their instances.
ECS_MANAGED = {"AmazonECSManaged": ""}


class Autoscaling(Layer):
    NAME = "autoscaling"
    DESCRIPTION = "Launch templates, Auto Scaling groups, ECS capacity providers, and how ECS services are scaled"
    ARGUMENT_SPEC = ARGUMENT_SPEC

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        for template in declaration.options["launch_templates"]:
            yield _launch_template(template, environment)
        for group in declaration.options["auto_scaling_groups"]:
            yield _group(group, environment)
            if group["capacity_provider"]:
                yield _capacity_provider(group, environment)
        for target in declaration.options["scalable_targets"]:
            yield scaling.resource(target, environment)

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        yield from checks.problems(declarations)

    def check(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        for target in (item for item in declared.values() if item.kind == "scalable_target"):
            for message in scaling_checks.against_declared(target, declared):
                yield Problem(target.host, target.where, message)

    def warn(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        yield from checks.warnings(declarations, declared)


def _launch_template(template: Mapping[str, Any], environment: Environment) -> Resource:
    where = checks.template_path(template)
    cluster = template["cluster"]
    return Resource(
        "launch_template",
        template["name"],
        _data(template, environment, where),
        where=where,
        tags={**environment.tags, **(template["tags"] or {})},
        depends_on=(Ref("ecs_cluster", cluster, "name", where=f"{where}.cluster"),) if cluster else (),
        create_only={} if template["ami"]["follow"] else _kept_image(template),
        protect=template["protect"],
    )


def _kept_image(template: Mapping[str, Any]) -> dict[str, str]:
    if not template["ami"]["ssm_parameter"]:
        return {}
    return {"ImageId": "ami.follow: false, which keeps the AMI that the launch template was made with"}


def _data(template: Mapping[str, Any], environment: Environment, where: str) -> dict[str, Any]:
    """The launch template's data. What excludes something else declares that to be absent."""
    plain = ("instance_type", "key_name", "ebs_optimized", "metadata_options", "credit_specification")
    data = api_names({name: template[name] for name in plain}, capital=True)
    data["ImageId"] = _image(template["ami"], where)
    data["DefaultVersion"] = "$Latest"
    if template["instance_requirements"]:
        requirements = template["instance_requirements"]
        data["InstanceRequirements"] = api_names(requirements, SPELLING, capital=True)
        data["InstanceType"] = None
    elif template["instance_type"]:
        data["InstanceRequirements"] = None
    if template["instance_profile"]:
        data["IamInstanceProfile"] = _profile(template["instance_profile"], f"{where}.instance_profile")
    data |= _network(template, where)
    if template["monitoring"] is not None:
        data["Monitoring"] = {"Enabled": template["monitoring"]}
    if template["instance_market_options"]:
        data["InstanceMarketOptions"] = _market(template["instance_market_options"])
    mappings = _block_devices(template)
    if mappings:
        data["BlockDeviceMappings"] = mappings
    text = user_data(template["cluster"], template["ecs_config"], template["user_data"])
    if text:
        data["UserData"] = text
    labels = {"Name": template["name"], **environment.tags, **(template["instance_tags"] or {})}
    listed = [{"Key": key, "Value": str(value)} for key, value in sorted(labels.items())]
    data["TagSpecifications"] = [{"ResourceType": kind, "Tags": listed} for kind in ("instance", "volume")]
    return data


def _image(ami: Mapping[str, Any], where: str) -> Any:
    if ami["image_id"]:
        return ami["image_id"]
    return Ref("ssm_parameter", ami["ssm_parameter"], "value", where=f"{where}.ami.ssm_parameter")


def _profile(profile: str, where: str) -> dict[str, Any]:
    if profile.startswith("arn:"):
        return {"Arn": profile}
    return {"Name": refer("iam_instance_profile", profile, "name", where)}


def _network(template: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Whether instances get public addresses is a matter of the network interface, which then has the groups too."""
    groups = [refer("security_group", name, "id", f"{where}.security_groups") for name in template["security_groups"]]
    public = template["associate_public_ip_address"]
    if public is None:
        return {"SecurityGroupIds": groups, "NetworkInterfaces": []}
    interface = {
        "DeviceIndex": 0,
        "AssociatePublicIpAddress": public,
        "DeleteOnTermination": True,
        "Groups": groups,
    }
    return {"SecurityGroupIds": [], "NetworkInterfaces": [interface]}


def _market(options: Mapping[str, Any]) -> dict[str, Any]:
    market: dict[str, Any] = {"MarketType": options["market_type"]}
    if options["max_price"]:
        market["SpotOptions"] = {"MaxPrice": options["max_price"]}
    return market


def _block_devices(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    if template["block_device_mappings"] is not None:
        return [api_names(item, capital=True) for item in template["block_device_mappings"]]
    path = template["ami"]["ssm_parameter"] or ""
    return [ROOT_VOLUME] if checks.ECS_AMAZON_LINUX.match(path) else []


def _group(group: Mapping[str, Any], environment: Environment) -> Resource:
    where, provider = checks.group_path(group), group["capacity_provider"]
    scaled = bool(provider) and provider["managed_scaling"] == "ENABLED"
    owner = f"the managed scaling of capacity provider {provider['name']}" if scaled else ""
    return Resource(
        "auto_scaling_group",
        group["name"],
        _group_properties(group, where),
        where=where,
        tags={**environment.tags, **(group["tags"] or {}), **(ECS_MANAGED if provider else {})},
        create_only={"DesiredCapacity": owner} if scaled else {},
        options={"instance_refresh": _refresh(group) if group["instance_refresh"]["enabled"] else None},
        protect=group["protect"],
    )


def _group_properties(group: Mapping[str, Any], where: str) -> dict[str, Any]:
    plain = (
        "min_size",
        "max_size",
        "desired_capacity",
        "health_check_grace_period",
        "default_cooldown",
        "default_instance_warmup",
        "termination_policies",
        "capacity_rebalance",
        "max_instance_lifetime",
        "suspended_processes",
        "instance_maintenance_policy",
        "deletion_protection",
    )
    properties = api_names({name: group[name] for name in plain}, capital=True)
    properties["Status"] = None
    properties["VPCZoneIdentifier"] = [refer("subnet", name, "id", f"{where}.subnets") for name in group["subnets"]]
    if group["health_check_type"]:
        properties["HealthCheckType"] = ",".join(group["health_check_type"])
    if group["enabled_metrics"] is not None:
        metrics = group["enabled_metrics"]
        properties["EnabledMetrics"] = list(METRICS) if "all" in metrics else list(metrics)
    protected = checks.protected_from_scale_in(group)
    if protected is not None:
        properties["NewInstancesProtectedFromScaleIn"] = protected
    return properties | _launch(group, where)


def _launch(group: Mapping[str, Any], where: str) -> dict[str, Any]:
    template = _specification(group["launch_template"], f"{where}.launch_template")
    policy = group["mixed_instances_policy"]
    if not policy:
        return {"LaunchTemplate": template, "MixedInstancesPolicy": None}
    overrides = []
    for override in policy["overrides"] or ():
        one = api_names({key: override[key] for key in ("instance_type", "weighted_capacity")}, capital=True)
        if override["launch_template"]:
            path = f"{where}.mixed_instances_policy.overrides[{override['instance_type']}].launch_template"
            one["LaunchTemplateSpecification"] = _specification(override["launch_template"], path)
        overrides.append(one)
    mixed: dict[str, Any] = {"LaunchTemplate": {"LaunchTemplateSpecification": template, "Overrides": overrides}}
    if policy["instances_distribution"]:
        mixed["InstancesDistribution"] = api_names(policy["instances_distribution"], capital=True)
    return {"LaunchTemplate": None, "MixedInstancesPolicy": mixed}


def _specification(name: str, where: str) -> dict[str, Any]:
    return {
        "LaunchTemplateId": Ref("launch_template", name, "id", where=where),
        "Version": Ref("launch_template", name, "latest_version", where=where),
    }


def _refresh(group: Mapping[str, Any]) -> dict[str, Any]:
    options = group["instance_refresh"]
    preferences = api_names({name: options[name] for name in REFRESH_PREFERENCES}, capital=True)
    if "MinHealthyPercentage" not in preferences and not group["instance_maintenance_policy"]:
        preferences |= LAUNCH_BEFORE_TERMINATE
    return {"preferences": preferences, "wait": options["wait"], "wait_timeout": options["wait_timeout"]}


def _capacity_provider(group: Mapping[str, Any], environment: Environment) -> Resource:
    provider, where = group["capacity_provider"], f"{checks.group_path(group)}.capacity_provider"
    steps = ("target_capacity", "minimum_scaling_step_size", "maximum_scaling_step_size", "instance_warmup_period")
    properties = {
        "autoScalingGroupArn": refer("auto_scaling_group", group["name"], "arn", where),
        "managedScaling": {
            "status": provider["managed_scaling"],
            **declared_only(api_names({name: provider[name] for name in steps})),
        },
        "managedTerminationProtection": checks.termination_protection(provider),
        "managedDraining": provider["managed_draining"],
    }
    return Resource(
        "ecs_capacity_provider",
        provider["name"],
        {"autoScalingGroupProvider": properties},
        where=where,
        tags={**environment.tags, **(provider["tags"] or {}), "Name": provider["name"]},
        protect=group["protect"],
    )
