# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the layer `autoscaling`."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.scaling_options import SCALABLE_TARGET

METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
    "GroupInServiceCapacity",
    "GroupPendingCapacity",
    "GroupStandbyCapacity",
    "GroupTerminatingCapacity",
    "GroupTotalCapacity",
    "WarmPoolDesiredCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)
PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)
TERMINATION_POLICIES = (
    "Default",
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
)
HEALTH_CHECKS = ("EC2", "EBS", "ELB", "VPC_LATTICE")


def _range(description: str) -> dict[str, Any]:
    limits = {
        "min": {"type": "int", "required": True, "description": "At least this much."},
        "max": {"type": "int", "description": "At most this much; no limit where it is not given."},
    }
    return {"type": "dict", "options": limits, "description": description}


def _names(description: str) -> dict[str, Any]:
    return {"type": "list", "elements": "str", "description": description}


AMI: dict[str, Any] = {
    "image_id": {"type": "str", "description": "Id of the AMI. Either this or O(ssm_parameter)."},
    "ssm_parameter": {
        "type": "str",
        "description": (
            "Path of the SSM parameter that has the AMI's id, such as AWS's public ones of the ECS-optimised AMIs: "
            "V(/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id)."
        ),
    },
    "follow": {
        "type": "bool",
        "default": False,
        "description": (
            "With O(ssm_parameter): whether a run brings in the AMI that the parameter names by then, with new "
            "instances as the consequence. Otherwise the AMI stays the one that the launch template was made with, "
            "and the plan says so."
        ),
    },
}

METADATA: dict[str, Any] = {
    "http_tokens": {
        "type": "str",
        "choices": ["required", "optional"],
        "default": "required",
        "description": "V(required) allows IMDSv2 only.",
    },
    "http_put_response_hop_limit": {
        "type": "int",
        "default": 1,
        "description": (
            "How many network hops the answer may take. The ECS agent runs in the host's network and needs one; tasks "
            "get credentials and metadata from the agent. With 2, every container in the bridge network reaches the "
            "credentials of the instance role."
        ),
    },
    "http_endpoint": {
        "type": "str",
        "choices": ["enabled", "disabled"],
        "default": "enabled",
        "description": "The instance metadata service as a whole. The ECS agent needs it.",
    },
    "instance_metadata_tags": {
        "type": "str",
        "choices": ["enabled", "disabled"],
        "description": "Whether the instance's tags can be read there.",
    },
}

EBS: dict[str, Any] = {
    "volume_size": {"type": "int", "description": "GiB. AMI's size where it is not given."},
    "volume_type": {
        "type": "str",
        "choices": ["gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"],
        "default": "gp3",
        "description": "Type of the volume.",
    },
    "encrypted": {"type": "bool", "default": True, "description": "Encrypt the volume."},
    "kms_key_id": {
        "type": "str",
        "description": "ARN, id or alias of the KMS key, where it is not the account's default one.",
    },
    "iops": {"type": "int", "description": "Operations per second, with V(gp3), V(io1) and V(io2)."},
    "throughput": {"type": "int", "description": "MiB/s, with V(gp3): 125 to 2000."},
    "delete_on_termination": {"type": "bool", "default": True, "description": "Delete it with the instance."},
    "snapshot_id": {"type": "str", "description": "Snapshot that the volume is made from."},
}

INSTANCE_REQUIREMENTS: dict[str, Any] = {
    "vcpu_count": {**_range("Number of vCPUs."), "required": True},
    "memory_mib": {**_range("Memory in MiB."), "required": True},
    "cpu_manufacturers": _names("V(intel), V(amd), V(amazon-web-services)."),
    "instance_generations": _names("V(current), V(previous)."),
    "burstable_performance": {
        "type": "str",
        "choices": ["included", "excluded", "required"],
        "description": "Burstable types (T families). AWS's default is V(excluded).",
    },
    "bare_metal": {
        "type": "str",
        "choices": ["included", "excluded", "required"],
        "description": "Bare metal types. AWS's default is V(excluded).",
    },
    "allowed_instance_types": _names("Only these types, with V(*) as wildcard."),
    "excluded_instance_types": _names("None of these types, with V(*) as wildcard."),
}

LAUNCH_TEMPLATE: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the launch template."},
    "ami": {"type": "dict", "required": True, "options": AMI, "description": "The AMI of the instances."},
    "instance_type": {
        "type": "str",
        "description": "Type of the instances. Either this or O(instance_requirements).",
    },
    "instance_requirements": {
        "type": "dict",
        "options": INSTANCE_REQUIREMENTS,
        "description": "What the instances must have; EC2 chooses the types.",
    },
    "cluster": {
        "type": "str",
        "description": (
            "Name of the ECS cluster that the instances join. It exists before the first instance starts. Writes "
            "V(/etc/ecs/ecs.config) in the user data."
        ),
    },
    "ecs_config": {
        "type": "dict",
        "description": (
            "Settings of the ECS agent for V(/etc/ecs/ecs.config), with O(cluster). In addition to V(ECS_CLUSTER), "
            "V(ECS_ENABLE_SPOT_INSTANCE_DRAINING=true), V(ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM=ec2_instance) and "
            "V(ECS_AWSVPC_BLOCK_IMDS=true), which can be set otherwise here; an empty value takes one away."
        ),
    },
    "user_data": {
        "type": "str",
        "description": "Your own user data, not in base64. With O(cluster) a shell script, run after the ECS settings.",
    },
    "instance_profile": {
        "type": "str",
        "description": "Name or ARN of the instance profile. Instances of an ECS cluster need one.",
    },
    "security_groups": {**_names("Security groups of the instances, by name or id."), "required": True},
    "associate_public_ip_address": {
        "type": "bool",
        "description": "Give the instances public addresses, or not, whatever the subnet's own setting is.",
    },
    "key_name": {"type": "str", "description": "Name of the EC2 key pair for SSH."},
    "metadata_options": {
        "type": "dict",
        "options": METADATA,
        "apply_defaults": True,
        "description": "The instance metadata service.",
    },
    "block_device_mappings": {
        "type": "list",
        "elements": "dict",
        "options": {
            "device_name": {"type": "str", "required": True, "description": "Device, such as V(/dev/xvda)."},
            "ebs": {"type": "dict", "required": True, "options": EBS, "description": "The EBS volume."},
        },
        "description": (
            "Volumes. Where they are not given and O(ami.ssm_parameter) is an ECS-optimised Amazon Linux AMI, the root "
            "volume V(/dev/xvda) is an encrypted gp3 volume of 30 GiB."
        ),
    },
    "monitoring": {"type": "bool", "description": "Detailed monitoring: metrics every minute."},
    "ebs_optimized": {"type": "bool", "description": "Dedicated throughput to EBS, where the type leaves the choice."},
    "credit_specification": {
        "type": "dict",
        "options": {
            "cpu_credits": {
                "type": "str",
                "choices": ["standard", "unlimited"],
                "required": True,
                "description": "What happens when the CPU credits of a T instance are used up.",
            }
        },
        "description": "CPU credits of burstable instances.",
    },
    "instance_market_options": {
        "type": "dict",
        "options": {
            "market_type": {"type": "str", "choices": ["spot"], "default": "spot", "description": "Spot instances."},
            "max_price": {"type": "str", "description": "The most to pay per hour; the On-Demand price otherwise."},
        },
        "description": "Spot instances only. For a mix use O(auto_scaling_groups[].mixed_instances_policy).",
    },
    "instance_tags": {
        "type": "dict",
        "description": "Tags of the instances and their volumes, in addition to O(dockyard_tags) and V(Name).",
    },
    "tags": {"type": "dict", "description": "Tags of the launch template, in addition to O(dockyard_tags)."},
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete it."},
}

DISTRIBUTION: dict[str, Any] = {
    "on_demand_base_capacity": {"type": "int", "description": "So much of the capacity is On-Demand in any case."},
    "on_demand_percentage_above_base_capacity": {
        "type": "int",
        "description": "Percentage of On-Demand instances in the rest. AWS's default is 100: no Spot.",
    },
    "on_demand_allocation_strategy": {
        "type": "str",
        "choices": ["prioritized", "lowest-price"],
        "description": "How On-Demand types are chosen.",
    },
    "spot_allocation_strategy": {
        "type": "str",
        "choices": [
            "price-capacity-optimized",
            "capacity-optimized",
            "capacity-optimized-prioritized",
            "lowest-price",
        ],
        "default": "price-capacity-optimized",
        "description": "How Spot types are chosen.",
    },
    "spot_instance_pools": {"type": "int", "description": "Number of Spot pools, with V(lowest-price) only: 1 to 20."},
    "spot_max_price": {"type": "str", "description": "The most to pay per hour for Spot."},
}

MIXED: dict[str, Any] = {
    "instances_distribution": {
        "type": "dict",
        "options": DISTRIBUTION,
        "description": "On-Demand and Spot.",
    },
    "overrides": {
        "type": "list",
        "elements": "dict",
        "options": {
            "instance_type": {"type": "str", "required": True, "description": "Instance type."},
            "weighted_capacity": {"type": "int", "description": "How many units of capacity it counts for: 1 to 999."},
            "launch_template": {
                "type": "str",
                "description": "Launch template of this type, such as one with an arm64 AMI.",
            },
        },
        "description": "The instance types, the preferred one first; at most 40.",
    },
}

REFRESH: dict[str, Any] = {
    "enabled": {
        "type": "bool",
        "default": True,
        "description": (
            "Replace the instances when the launch template changes. Otherwise the group gets the new version, and "
            "only instances launched later have it."
        ),
    },
    "min_healthy_percentage": {
        "type": "int",
        "description": (
            "So much of the desired capacity stays in service. 100, with a maximum of 110, where neither this nor "
            "O(auto_scaling_groups[].instance_maintenance_policy) is given: new instances start before old ones go."
        ),
    },
    "max_healthy_percentage": {
        "type": "int",
        "description": "So much of the desired capacity may be there meanwhile: 100 to 200, given with the minimum.",
    },
    "instance_warmup": {
        "type": "int",
        "description": "Seconds until the next instance is replaced, other than the group's own warmup.",
    },
    "skip_matching": {
        "type": "bool",
        "default": True,
        "description": "Leave instances alone that have the new configuration already.",
    },
    "scale_in_protected_instances": {
        "type": "str",
        "choices": ["Refresh", "Ignore", "Wait"],
        "default": "Refresh",
        "description": (
            "What is done with instances protected from scale-in. With managed termination protection all are, so "
            "that anything but V(Refresh) replaces none."
        ),
    },
    "standby_instances": {
        "type": "str",
        "choices": ["Terminate", "Ignore", "Wait"],
        "default": "Ignore",
        "description": "What is done with instances in standby.",
    },
    "auto_rollback": {
        "type": "bool",
        "default": True,
        "description": "Bring the old configuration back when the refresh fails.",
    },
    "checkpoint_percentages": {
        "type": "list",
        "elements": "int",
        "description": "Pause when so many percent are replaced; ascending, the last one 100.",
    },
    "checkpoint_delay": {"type": "int", "description": "Seconds of such a pause. AWS's default is an hour."},
    "bake_time": {
        "type": "int",
        "description": "Seconds to watch the new instances before the refresh counts as done.",
    },
    "wait": {
        "type": "bool",
        "default": False,
        "description": (
            "Wait until the refresh has succeeded, and fail when it does not. Otherwise the run goes on, and later "
            "runs count a refresh that is under way as done."
        ),
    },
    "wait_timeout": {"type": "int", "default": 3600, "description": "Seconds to wait."},
}

CAPACITY_PROVIDER: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the ECS capacity provider."},
    "managed_scaling": {
        "type": "str",
        "choices": ["ENABLED", "DISABLED"],
        "default": "ENABLED",
        "description": "Let ECS scale the group, which then owns its desired capacity.",
    },
    "target_capacity": {
        "type": "int",
        "default": 100,
        "description": "Percentage of the instances that should be in use: 1 to 100. Less keeps some in reserve.",
    },
    "minimum_scaling_step_size": {
        "type": "int",
        "description": "Instances to add at least at a time. AWS's default is 1.",
    },
    "maximum_scaling_step_size": {
        "type": "int",
        "description": "Instances to add at most at a time. AWS's default is 10000.",
    },
    "instance_warmup_period": {
        "type": "int",
        "description": "Seconds until a new instance counts. AWS's default is 300.",
    },
    "managed_termination_protection": {
        "type": "str",
        "choices": ["ENABLED", "DISABLED"],
        "description": (
            "Keep instances with tasks on them from being scaled in. Enabled with O(managed_scaling) where it is not "
            "given."
        ),
    },
    "managed_draining": {
        "type": "str",
        "choices": ["ENABLED", "DISABLED"],
        "default": "ENABLED",
        "description": "Let ECS move the tasks away before an instance is terminated.",
    },
    "tags": {"type": "dict", "description": "Tags of the capacity provider, in addition to O(dockyard_tags)."},
}

AUTO_SCALING_GROUP: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the group."},
    "launch_template": {
        "type": "str",
        "required": True,
        "description": "Name of the launch template; the group is pinned to its latest version.",
    },
    "subnets": {**_names("Subnets of the instances, by name or id."), "required": True},
    "min_size": {"type": "int", "required": True, "description": "Instances at least."},
    "max_size": {"type": "int", "required": True, "description": "Instances at most."},
    "desired_capacity": {
        "type": "int",
        "description": "Instances wanted. Only the first value where a capacity provider has managed scaling.",
    },
    "health_check_type": {
        "type": "list",
        "elements": "str",
        "description": "V(EC2), which is always on, and V(EBS), V(ELB), V(VPC_LATTICE).",
    },
    "health_check_grace_period": {
        "type": "int",
        "description": "Seconds after the launch before a failed health check counts.",
    },
    "default_cooldown": {"type": "int", "description": "Seconds between two simple scalings. AWS's default is 300."},
    "default_instance_warmup": {
        "type": "int",
        "description": "Seconds until a new instance counts; V(-1) takes a value away.",
    },
    "termination_policies": _names("Which instance goes first, in this order."),
    "capacity_rebalance": {
        "type": "bool",
        "description": "Replace Spot instances as soon as their interruption becomes likely.",
    },
    "max_instance_lifetime": {
        "type": "int",
        "description": "Seconds after which an instance is replaced: a day at least, or 0 for never.",
    },
    "new_instances_protected_from_scale_in": {
        "type": "bool",
        "description": (
            "Protect new instances from scale-in. On where it is not given and the capacity provider has managed "
            "termination protection, which needs it."
        ),
    },
    "suspended_processes": _names("Processes that are suspended; all others run."),
    "enabled_metrics": _names("Metrics that the group sends to CloudWatch, V(all) for all of them."),
    "instance_maintenance_policy": {
        "type": "dict",
        "options": {
            "min_healthy_percentage": {
                "type": "int",
                "required": True,
                "description": "So much of the desired capacity stays in service: 0 to 100.",
            },
            "max_healthy_percentage": {
                "type": "int",
                "required": True,
                "description": "So much of it may be there meanwhile: 100 to 200.",
            },
        },
        "description": "How AWS replaces instances, whatever the occasion.",
    },
    "deletion_protection": {
        "type": "str",
        "choices": ["none", "prevent-force-deletion", "prevent-all-deletion"],
        "description": "Protection that AWS itself gives. Destroy refuses before anything is deleted.",
    },
    "mixed_instances_policy": {
        "type": "dict",
        "options": MIXED,
        "description": "Several instance types, On-Demand and Spot, on top of the launch template.",
    },
    "instance_refresh": {
        "type": "dict",
        "options": REFRESH,
        "apply_defaults": True,
        "description": "How a changed launch template reaches the instances.",
    },
    "capacity_provider": {
        "type": "dict",
        "options": CAPACITY_PROVIDER,
        "description": "The ECS capacity provider on this group. A cluster uses it when it names it.",
    },
    "tags": {
        "type": "dict",
        "description": "Tags of the group and of its instances, in addition to O(dockyard_tags).",
    },
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete or replace it."},
}

ARGUMENT_SPEC: dict[str, Any] = {
    "launch_templates": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": LAUNCH_TEMPLATE,
        "description": "The launch templates of this host.",
    },
    "auto_scaling_groups": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": AUTO_SCALING_GROUP,
        "description": "The Auto Scaling groups of this host, with their capacity providers.",
    },
    "scalable_targets": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": SCALABLE_TARGET,
        "description": "How ECS services are scaled, each with its policies and scheduled actions.",
    },
}
