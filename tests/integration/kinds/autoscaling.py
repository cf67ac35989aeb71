# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates, Auto Scaling groups and capacity providers: every change that AWS lets one make, alone."""

from __future__ import annotations

import copy
from typing import Any

TEMPLATE, GROUP, PROVIDER = "launch_template/web", "auto_scaling_group/web", "ecs_capacity_provider/web"
BATCH = "auto_scaling_group/batch"
AMI = {"ssm_parameter": "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"}

NETWORK: dict[str, Any] = {
    "vpc": {"name": "main", "cidr_block": "10.0.0.0/16"},
    "subnets": [
        {"name": "a", "cidr_block": "10.0.0.0/24", "availability_zone": "us-east-1a"},
        {"name": "b", "cidr_block": "10.0.1.0/24", "availability_zone": "us-east-1b"},
        {"name": "c", "cidr_block": "10.0.2.0/24", "availability_zone": "us-east-1c"},
    ],
    "security_groups": [
        {"name": "web", "description": "Web instances"},
        {"name": "ssh", "description": "Administrators"},
    ],
}
BASE: dict[str, Any] = {
    "iam": {"web": {"roles": [{"name": name, "preset": "ecs_instance", "instance_profile": True} for name in "xy"]}},
    "network": {"web": NETWORK},
    "autoscaling": {
        "web": {
            "launch_templates": [
                {
                    "name": "web",
                    "ami": AMI,
                    "instance_type": "t3.small",
                    "cluster": "main",
                    "instance_profile": "x",
                    "security_groups": ["web"],
                    "associate_public_ip_address": True,
                }
            ],
            "auto_scaling_groups": [
                {
                    "name": "web",
                    "launch_template": "web",
                    "subnets": ["a", "b"],
                    "min_size": 1,
                    "max_size": 4,
                    "capacity_provider": {"name": "web"},
                }
            ],
        }
    },
    "ecs": {"web": {"clusters": [{"name": "main"}]}},
}
# The same with every optional field that a later declaration can change.
FULL_GROUP: dict[str, Any] = {
    "health_check_type": ["EC2"],
    "health_check_grace_period": 60,
    "default_cooldown": 300,
    "default_instance_warmup": 60,
    "termination_policies": ["Default"],
    "capacity_rebalance": False,
    "max_instance_lifetime": 0,
    "suspended_processes": ["AZRebalance"],
    "enabled_metrics": ["GroupMinSize"],
    "instance_maintenance_policy": {"min_healthy_percentage": 90, "max_healthy_percentage": 120},
}
CLUSTERLESS_GROUP = {"name": "batch", "launch_template": "batch", "subnets": ["a"], "min_size": 0, "max_size": 4}
CLUSTERLESS_TEMPLATE = {
    "name": "batch",
    "ami": {"image_id": "ami-0123456789abcdef0"},
    "instance_type": "m5.large",
    "security_groups": ["web"],
    "block_device_mappings": [{"device_name": "/dev/xvda", "ebs": {"volume_size": 30}}],
}


def declared(
    template: dict[str, Any] | None = None, group: dict[str, Any] | None = None, provider: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The base with some fields of the launch template, the group or the capacity provider set; None takes one away."""
    result = copy.deepcopy(BASE)
    layer = result["autoscaling"]["web"]
    for target, changes in (
        (layer["launch_templates"][0], template),
        (layer["auto_scaling_groups"][0], group),
        (layer["auto_scaling_groups"][0]["capacity_provider"], provider),
    ):
        target.update(copy.deepcopy(changes or {}))
        for name in [name for name, value in target.items() if value is None]:
            del target[name]
    return result


def batch(template: dict[str, Any] | None = None, group: dict[str, Any] | None = None) -> dict[str, Any]:
    """Instances that are no container instances."""
    options = {
        "launch_templates": [{**CLUSTERLESS_TEMPLATE, **(template or {})}],
        "auto_scaling_groups": [{**CLUSTERLESS_GROUP, **(group or {})}],
    }
    return {"network": {"web": NETWORK}, "autoscaling": {"web": copy.deepcopy(options)}}


def of_template(name: str, value: Any, *paths: str, of: Any = None) -> dict[str, Any]:
    """A changed launch template: a new version, which reaches the group, where there are instances by a refresh."""
    template, group = (TEMPLATE, GROUP) if of is None else ("launch_template/batch", BATCH)
    return {
        "id": f"launch_template.{name}",
        "declared": (of or declared)(template={name: value}),
        "address": template,
        "paths": list(paths),
        "consequences": [group],
        "back": False,
    }


def of_group(name: str, value: Any, *paths: str) -> dict[str, Any]:
    return {
        "id": f"group.{name}",
        "declared": declared(group={**FULL_GROUP, name: value}),
        "address": GROUP,
        "paths": list(paths),
    }


def of_provider(name: str, value: Any, path: str) -> dict[str, Any]:
    return {
        "id": f"capacity_provider.{name}",
        "declared": declared(provider={name: value}),
        "address": PROVIDER,
        "paths": [f"autoScalingGroupProvider.{path}"],
    }


def volume(**ebs: Any) -> list[dict[str, Any]]:
    return [{"device_name": "/dev/xvda", "ebs": {"volume_size": 30, **ebs}}]


REFRESHED = [
    of_template("instance_type", "t3.medium", "InstanceType") | {"back": True},
    of_template("instance_profile", "y", "IamInstanceProfile.Name"),
    of_template("security_groups", ["web", "ssh"], "NetworkInterfaces"),
    of_template("ecs_config", {"ECS_LOGLEVEL": "warn"}, "UserData"),
    of_template("user_data", "echo hello\n", "UserData"),
    of_template("tags", {"Team": "web"}, "tags.Team") | {"consequences": []},
]
TEMPLATE_UPDATES = [
    of_template("ami", {"image_id": "ami-0fedcba9876543210"}, "ImageId", of=batch),
    of_template("security_groups", ["web", "ssh"], "SecurityGroupIds", of=batch),
    of_template("associate_public_ip_address", False, "NetworkInterfaces", "SecurityGroupIds", of=batch)
    | {"back": True},
    of_template("user_data", "echo hello\n", "UserData", of=batch),
    of_template("block_device_mappings", volume(volume_size=50), "BlockDeviceMappings", of=batch) | {"back": True},
    of_template("block_device_mappings", volume(iops=4000, throughput=250), "BlockDeviceMappings", of=batch)
    | {"id": "launch_template.volume_performance"},
    of_template(
        "metadata_options",
        {"http_put_response_hop_limit": 2},
        "MetadataOptions.HttpPutResponseHopLimit",
        of=batch,
    ),
    of_template("metadata_options", {"http_tokens": "optional"}, "MetadataOptions.HttpTokens", of=batch)
    | {"id": "launch_template.http_tokens"},
    of_template("instance_tags", {"Team": "web"}, "TagSpecifications", of=batch),
    of_template("key_name", "administrators", "KeyName", of=batch),
    of_template("monitoring", True, "Monitoring", of=batch),
    of_template("ebs_optimized", True, "EbsOptimized", of=batch),
    of_template("ebs_optimized", False, "EbsOptimized", of=batch) | {"id": "launch_template.not_ebs_optimized"},
    of_template("instance_market_options", {"market_type": "spot"}, "InstanceMarketOptions", of=batch),
]
GROUP_UPDATES = [
    of_group("min_size", 2, "MinSize"),
    of_group("max_size", 5, "MaxSize"),
    of_group("subnets", ["a", "b", "c"], "VPCZoneIdentifier"),
    of_group("health_check_type", ["EC2", "EBS"], "HealthCheckType"),
    of_group("health_check_grace_period", 120, "HealthCheckGracePeriod"),
    of_group("default_cooldown", 120, "DefaultCooldown"),
    of_group("default_instance_warmup", -1, "DefaultInstanceWarmup"),
    of_group("termination_policies", ["OldestLaunchTemplate", "Default"], "TerminationPolicies"),
    of_group("capacity_rebalance", True, "CapacityRebalance"),
    of_group("max_instance_lifetime", 604800, "MaxInstanceLifetime"),
    of_group("suspended_processes", ["ScheduledActions"], "SuspendedProcesses"),
    of_group("enabled_metrics", ["GroupMaxSize"], "EnabledMetrics"),
    of_group(
        "instance_maintenance_policy",
        {"min_healthy_percentage": 80, "max_healthy_percentage": 110},
        "InstanceMaintenancePolicy.MinHealthyPercentage",
        "InstanceMaintenancePolicy.MaxHealthyPercentage",
    ),
    of_group("tags", {"Team": "web"}, "tags.Team") | {"back": False},
]
PROVIDER_UPDATES = [
    of_provider("target_capacity", 80, "managedScaling.targetCapacity"),
    of_provider("minimum_scaling_step_size", 2, "managedScaling.minimumScalingStepSize") | {"back": False},
    of_provider("maximum_scaling_step_size", 3, "managedScaling.maximumScalingStepSize") | {"back": False},
    of_provider("instance_warmup_period", 60, "managedScaling.instanceWarmupPeriod") | {"back": False},
    of_provider("managed_draining", "DISABLED", "managedDraining"),
    of_provider("managed_termination_protection", "DISABLED", "managedTerminationProtection"),
    of_provider("tags", {"Team": "web"}, "") | {"paths": ["tags.Team"], "back": False},
]
MIXED = {
    "overrides": [{"instance_type": "m5.large"}, {"instance_type": "m5a.large"}],
    "instances_distribution": {"on_demand_base_capacity": 1, "on_demand_percentage_above_base_capacity": 0},
}
BATCH_UPDATES = [
    {
        "id": "group.desired_capacity",
        "declared": batch(group={"desired_capacity": 2}),
        "address": BATCH,
        "paths": ["DesiredCapacity"],
        "back": False,
    },
    {
        "id": "group.new_instances_protected_from_scale_in",
        "declared": batch(group={"new_instances_protected_from_scale_in": True}),
        "address": BATCH,
        "paths": ["NewInstancesProtectedFromScaleIn"],
        "back": False,
    },
    {
        "id": "group.mixed_instances_policy",
        "declared": batch(group={"mixed_instances_policy": MIXED}),
        "address": BATCH,
        "paths": ["LaunchTemplate", "MixedInstancesPolicy"],
    },
    {
        "id": "group.launch_template",
        "declared": {
            **batch(),
            "autoscaling": {
                "web": {
                    "launch_templates": [CLUSTERLESS_TEMPLATE, {**CLUSTERLESS_TEMPLATE, "name": "other"}],
                    "auto_scaling_groups": [{**CLUSTERLESS_GROUP, "launch_template": "other"}],
                }
            },
        },
        "address": BATCH,
        "paths": ["LaunchTemplate.LaunchTemplateId", "LaunchTemplate.Version"],
        "consequences": ["launch_template/other"],
        "back": False,
    },
]


def in_use(base: dict[str, Any]) -> dict[str, Any]:
    """A cluster takes its capacity from the provider."""
    base["ecs"]["web"]["clusters"][0] |= {
        "capacity_providers": ["web"],
        "default_capacity_provider_strategy": [{"capacity_provider": "web", "weight": 1}],
    }
    return base


def another_security_group(base: dict[str, Any]) -> dict[str, Any]:
    base["network"]["web"] = copy.deepcopy(NETWORK)
    base["network"]["web"]["security_groups"][0]["description"] = "Other words"
    return base


REPLACEMENTS = [
    {
        "id": "capacity_provider.auto_scaling_group",
        "declared": in_use(declared(group={"name": "other"})),
        "address": PROVIDER,
        "action": "replace",
        "paths": ["autoScalingGroupProvider.autoScalingGroupArn"],
        "consequences": ["auto_scaling_group/other", "ecs_cluster_capacity_providers/main"],
        "back": False,
    },
]
BATCH_UPDATES.append(
    {
        "id": "security_group.description",
        "declared": another_security_group(batch()),
        "address": "security_group/web",
        "action": "replace",
        "paths": ["Description"],
        "consequences": ["launch_template/batch", BATCH],
        "back": False,
    }
)

CASES = [
    {
        "id": "container instances",
        "kind": "auto_scaling_group",
        "also": ["launch_template", "ecs_capacity_provider"],
        "declared": declared(),
        "updates": [*REFRESHED, *PROVIDER_UPDATES],
    },
    {
        "id": "group with every option",
        "kind": "auto_scaling_group",
        "declared": declared(group=FULL_GROUP),
        "updates": GROUP_UPDATES,
    },
    {
        "id": "instances without a cluster",
        "kind": "launch_template",
        "declared": batch(),
        "updates": [*TEMPLATE_UPDATES, *BATCH_UPDATES],
    },
    {
        "id": "cluster that uses a capacity provider",
        "kind": "ecs_capacity_provider",
        "declared": in_use(declared()),
        "updates": REPLACEMENTS,
    },
]
