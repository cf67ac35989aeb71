# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer autoscaling: from declarations to resources, and every bad input refused."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import base
from ansible_collections.dockyard.aws.plugins.module_utils.layers.autoscaling import Autoscaling
from ansible_collections.dockyard.aws.plugins.module_utils.layers.user_data import user_data
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Resource

LAYER = Autoscaling()
ENVIRONMENT = base.Environment("test", "us-east-1", "123456789012", tags={"Project": "test"})
AMI = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
TEMPLATE = {
    "name": "web",
    "ami": {"ssm_parameter": AMI},
    "instance_type": "t3.small",
    "cluster": "main",
    "instance_profile": "instances",
    "security_groups": ["web"],
}
GROUP = {
    "name": "web",
    "launch_template": "web",
    "subnets": ["a", "b"],
    "min_size": 1,
    "max_size": 4,
    "capacity_provider": {"name": "web"},
}
T, G = "autoscaling.launch_templates[web]", "autoscaling.auto_scaling_groups[web]"


def options(template=None, group=None):
    made = {"launch_templates": [{**TEMPLATE, **(template or {})}], "auto_scaling_groups": [{**GROUP, **(group or {})}]}
    return copy.deepcopy(made)


def parsed(value, host="platform"):
    declaration, problems = base.parse(LAYER, host, value)
    assert problems == []
    return declaration


def made(template=None, group=None):
    return {item.kind: item for item in LAYER.resources(parsed(options(template, group)), ENVIRONMENT)}


def problems_of(*values):
    declarations = [parsed(value, f"host{number}") for number, value in enumerate(values)]
    return list(LAYER.validate(declarations, ENVIRONMENT))


def test_a_plain_declaration_has_no_problem():
    assert problems_of(options()) == []


def test_the_cluster_comes_before_the_instances():
    template = made()["launch_template"]
    assert [ref.address for ref in template.depends_on] == [Address("ecs_cluster", "main")]
    assert template.depends_on[0].where == f"{T}.cluster"
    assert "ECS_CLUSTER=main\n" in template.properties["UserData"]


def test_the_group_is_pinned_to_the_latest_version():
    properties = made()["auto_scaling_group"].properties
    assert properties["LaunchTemplate"]["Version"] == Ref(
        "launch_template", "web", "latest_version", where=f"{G}.launch_template"
    )
    assert properties["MixedInstancesPolicy"] is None


@pytest.mark.parametrize(
    ("ami", "owned"),
    [
        ({"ssm_parameter": AMI}, True),
        ({"ssm_parameter": AMI, "follow": True}, False),
        ({"image_id": "ami-0123456789abcdef0"}, False),
    ],
)
def test_the_image_stays_unless_it_is_followed(ami, owned):
    assert ("ImageId" in made({"ami": ami})["launch_template"].create_only) is owned


@pytest.mark.parametrize(
    ("scaling", "owned"), [({"managed_scaling": "ENABLED"}, True), ({"managed_scaling": "DISABLED"}, False)]
)
def test_managed_scaling_owns_the_desired_capacity(scaling, owned):
    group = made(group={"desired_capacity": 2, "capacity_provider": {"name": "web", **scaling}})["auto_scaling_group"]
    assert group.properties["DesiredCapacity"] == 2
    assert ("DesiredCapacity" in group.create_only) is owned


@pytest.mark.parametrize(
    ("provider", "protection", "protected"),
    [
        ({}, "ENABLED", True),
        ({"managed_termination_protection": "DISABLED"}, "DISABLED", None),
        ({"managed_scaling": "DISABLED"}, "DISABLED", None),
    ],
)
def test_termination_protection_goes_with_managed_scaling_and_protects_new_instances(provider, protection, protected):
    resources = made(group={"capacity_provider": {"name": "web", **provider}})
    found = resources["ecs_capacity_provider"].properties["autoScalingGroupProvider"]
    assert found["managedTerminationProtection"] == protection
    assert resources["auto_scaling_group"].properties.get("NewInstancesProtectedFromScaleIn") is protected


@pytest.mark.parametrize(("public", "interfaces"), [(None, 0), (True, 1), (False, 1)])
def test_groups_are_in_the_interface_where_it_says_whether_addresses_are_public(public, interfaces):
    data = made({"associate_public_ip_address": public})["launch_template"].properties
    assert len(data["NetworkInterfaces"]) == interfaces
    assert len(data["SecurityGroupIds"]) == 1 - interfaces
    if interfaces:
        assert data["NetworkInterfaces"][0]["AssociatePublicIpAddress"] is public
        assert data["NetworkInterfaces"][0]["Groups"][0].address == Address("security_group", "web")


def test_safe_by_default():
    data = made()["launch_template"].properties
    assert data["MetadataOptions"] == {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
        "HttpEndpoint": "enabled",
    }
    assert data["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True


def test_no_root_volume_is_made_up_for_an_unknown_ami():
    assert (
        "BlockDeviceMappings" not in made({"ami": {"image_id": "ami-0123456789abcdef0"}})["launch_template"].properties
    )


def test_tags_reach_instances_and_volumes():
    specifications = made({"instance_tags": {"Team": "web"}})["launch_template"].properties["TagSpecifications"]
    assert [item["ResourceType"] for item in specifications] == ["instance", "volume"]
    found = {tag["Key"]: tag["Value"] for tag in specifications[1]["Tags"]}
    assert found == {"Name": "web", "Project": "test", "Team": "web"}


@pytest.mark.parametrize(
    ("group", "managed"), [({}, True), ({"capacity_provider": None}, False)], ids=["with provider", "without"]
)
def test_ecs_finds_its_groups_by_a_tag(group, managed):
    assert ("AmazonECSManaged" in made(group=group)["auto_scaling_group"].tags) is managed


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({}, (100, 110)),
        ({"instance_refresh": {"min_healthy_percentage": 50, "max_healthy_percentage": 100}}, (50, 100)),
        (
            {"instance_maintenance_policy": {"min_healthy_percentage": 90, "max_healthy_percentage": 120}},
            (None, None),
        ),
    ],
    ids=["new instances first", "as given", "as the maintenance policy says"],
)
def test_percentages_of_the_instance_refresh(group, expected):
    preferences = made(group=group)["auto_scaling_group"].options["instance_refresh"]["preferences"]
    assert (preferences.get("MinHealthyPercentage"), preferences.get("MaxHealthyPercentage")) == expected
    assert preferences["ScaleInProtectedInstances"] == "Refresh"
    assert preferences["AutoRollback"] is True


def test_no_refresh_where_it_is_not_wanted():
    group = made(group={"instance_refresh": {"enabled": False}})["auto_scaling_group"]
    assert group.options["instance_refresh"] is None


def test_mixed_instances_policy_in_the_form_of_the_api():
    policy = {
        "overrides": [{"instance_type": "t3.small", "weighted_capacity": 2}, {"instance_type": "t3a.small"}],
        "instances_distribution": {"on_demand_base_capacity": 1, "on_demand_percentage_above_base_capacity": 20},
    }
    properties = made(group={"mixed_instances_policy": policy})["auto_scaling_group"].properties
    assert properties["LaunchTemplate"] is None
    mixed = properties["MixedInstancesPolicy"]
    assert mixed["LaunchTemplate"]["Overrides"] == [
        {"InstanceType": "t3.small", "WeightedCapacity": 2},
        {"InstanceType": "t3a.small"},
    ]
    assert mixed["InstancesDistribution"] == {
        "OnDemandBaseCapacity": 1,
        "OnDemandPercentageAboveBaseCapacity": 20,
        "SpotAllocationStrategy": "price-capacity-optimized",
    }


def test_instance_requirements_in_the_form_of_the_api():
    requirements = {"vcpu_count": {"min": 2}, "memory_mib": {"min": 4096, "max": 8192}}
    data = made({"instance_type": None, "instance_requirements": requirements})["launch_template"].properties
    assert data["InstanceRequirements"] == {"VCpuCount": {"Min": 2}, "MemoryMiB": {"Min": 4096, "Max": 8192}}
    assert data["InstanceType"] is None


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"ECS_LOGLEVEL": "warn"}, "ECS_LOGLEVEL=warn"),
        ({"ECS_INSTANCE_ATTRIBUTES": {"stack": "web"}}, 'ECS_INSTANCE_ATTRIBUTES={"stack":"web"}'),
        ({"ECS_AVAILABLE_LOGGING_DRIVERS": ["awslogs"]}, 'ECS_AVAILABLE_LOGGING_DRIVERS=["awslogs"]'),
        ({"ECS_ENABLE_SPOT_INSTANCE_DRAINING": False}, "ECS_ENABLE_SPOT_INSTANCE_DRAINING=false"),
    ],
)
def test_settings_of_the_agent(config, line):
    assert line in user_data("main", config, None).splitlines()


def test_a_setting_can_be_taken_away_and_own_user_data_comes_last():
    text = user_data("main", {"ECS_AWSVPC_BLOCK_IMDS": None}, "echo hello")
    assert "ECS_AWSVPC_BLOCK_IMDS" not in text
    assert text.endswith("END\necho hello\n")
    assert user_data(None, None, "echo hello") == "echo hello"


BAD_TEMPLATES = [
    ({"name": "w"}, "launch_templates[w].name", "3 to 128"),
    ({"name": "lt-web"}, "launch_templates[lt-web].name", "lt-"),
    ({"ami": {}}, f"{T}.ami", "neither is given"),
    ({"ami": {"image_id": "ami-01234567", "ssm_parameter": AMI}}, f"{T}.ami", "both are given"),
    ({"ami": {"image_id": "ami-XYZ"}}, f"{T}.ami.image_id", "'ami-XYZ'"),
    ({"ami": {"ssm_parameter": "not a path"}}, f"{T}.ami.ssm_parameter", "'not a path'"),
    ({"ami": {"ssm_parameter": AMI.removesuffix("/image_id")}}, f"{T}.ami.ssm_parameter", "/image_id"),
    ({"ami": {"image_id": "ami-01234567", "follow": True}}, f"{T}.ami.follow", "ssm_parameter"),
    ({"instance_type": "small"}, f"{T}.instance_type", "'small'"),
    ({"instance_type": "t4g.small"}, f"{T}.instance_type", "arm64"),
    ({"instance_type": None}, f"{T}.instance_type", "neither is given"),
    ({"security_groups": []}, f"{T}.security_groups", "at least one"),
    ({"cluster": "-main"}, f"{T}.cluster", "'-main'"),
    ({"instance_profile": None}, f"{T}.instance_profile", "needed"),
    ({"ecs_config": {"ECS_CLUSTER": "other"}}, f"{T}.ecs_config", "written from cluster"),
    ({"ecs_config": {"loglevel": "warn"}}, f"{T}.ecs_config", "'loglevel'"),
    ({"user_data": "#cloud-config\nx: y\n"}, f"{T}.user_data", "#cloud-config"),
    ({"user_data": "#!/usr/bin/python3\n"}, f"{T}.user_data", "python3"),
    ({"user_data": "x" * 17_000}, f"{T}.user_data", "16384"),
    ({"metadata_options": {"http_put_response_hop_limit": 65}}, f"{T}.metadata_options.http_put_response", "64"),
    ({"instance_market_options": {"max_price": "cheap"}}, f"{T}.instance_market_options.max_price", "'cheap'"),
    ({"instance_type": "m5.large", "credit_specification": {"cpu_credits": "standard"}}, f"{T}.credit_", "m5.large"),
]


def with_volume(**ebs):
    return {"block_device_mappings": [{"device_name": "/dev/xvda", "ebs": ebs}]}


V = f"{T}.block_device_mappings[/dev/xvda].ebs"
BAD_VOLUMES = [
    (with_volume(volume_size=8), f"{V}.volume_size", "at least 30 GiB"),
    (with_volume(volume_size=100_000), f"{V}.volume_size", "65536"),
    (with_volume(volume_size=30, iops=100), f"{V}.iops", "3000"),
    (with_volume(volume_size=30, volume_type="io2"), f"{V}.iops", "needed for io2"),
    (with_volume(volume_size=30, volume_type="gp2", throughput=200), f"{V}.throughput", "gp2"),
    (with_volume(volume_size=30, encrypted=False, kms_key_id="alias/x"), f"{V}.kms_key_id", "encrypted"),
]
BAD_GROUPS = [
    ({"name": "a/b"}, "auto_scaling_groups[a/b].name", "'a/b'"),
    ({"subnets": []}, f"{G}.subnets", "at least one"),
    ({"min_size": -1}, f"{G}.min_size", "-1"),
    ({"max_size": 0}, f"{G}.max_size", "min_size (1)"),
    ({"desired_capacity": 5}, f"{G}.desired_capacity", "between min_size (1) and max_size (4), got 5"),
    ({"health_check_type": ["TCP"]}, f"{G}.health_check_type", "'TCP'"),
    ({"termination_policies": ["Oldest"]}, f"{G}.termination_policies", "'Oldest'"),
    ({"suspended_processes": ["Sleep"]}, f"{G}.suspended_processes", "'Sleep'"),
    ({"enabled_metrics": ["CPU"]}, f"{G}.enabled_metrics", "'CPU'"),
    ({"max_instance_lifetime": 3600}, f"{G}.max_instance_lifetime", "86400"),
    ({"default_instance_warmup": -2}, f"{G}.default_instance_warmup", "-2"),
    ({"instance_refresh": {"min_healthy_percentage": 50}}, f"{G}.instance_refresh", "together"),
    (
        {"instance_refresh": {"min_healthy_percentage": 50, "max_healthy_percentage": 180}},
        f"{G}.instance_refresh",
        "at most 100 above",
    ),
    ({"instance_refresh": {"checkpoint_percentages": [50, 20]}}, f"{G}.instance_refresh.checkpoint", "ascend"),
    (
        {"instance_maintenance_policy": {"min_healthy_percentage": 101, "max_healthy_percentage": 110}},
        f"{G}.instance_maintenance_policy.min_healthy_percentage",
        "101",
    ),
    ({"new_instances_protected_from_scale_in": False}, f"{G}.new_instances_protected_from_scale_in", "must be true"),
]
P = f"{G}.capacity_provider"
BAD_PROVIDERS = [
    ({"name": "ecs-web"}, f"{P}.name", "'ecs-web'"),
    ({"name": "web provider"}, f"{P}.name", "'web provider'"),
    ({"target_capacity": 0}, f"{P}.target_capacity", "between 1 and 100, got 0"),
    ({"instance_warmup_period": 20_000}, f"{P}.instance_warmup_period", "10000"),
    ({"minimum_scaling_step_size": 5, "maximum_scaling_step_size": 2}, f"{P}.minimum_scaling_step_size", "more than"),
    (
        {"managed_scaling": "DISABLED", "managed_termination_protection": "ENABLED"},
        f"{P}.managed_termination_protection",
        "managed_scaling",
    ),
]
M = f"{G}.mixed_instances_policy"
BAD_MIXES = [
    ({"overrides": [{"instance_type": "small"}]}, f"{M}.overrides[small].instance_type", "'small'"),
    (
        {"overrides": [{"instance_type": "t3.small", "weighted_capacity": 1000}]},
        f"{M}.overrides[t3.small].weighted_capacity",
        "999",
    ),
    ({"overrides": [{"instance_type": "t3.small"}] * 41}, f"{M}.overrides", "40"),
    (
        {"instances_distribution": {"on_demand_percentage_above_base_capacity": 120}},
        f"{M}.instances_distribution.on_demand_percentage_above_base_capacity",
        "120",
    ),
    ({"instances_distribution": {"spot_instance_pools": 3}}, f"{M}.instances_distribution.spot_", "lowest-price"),
    ({"instances_distribution": {"spot_max_price": "free"}}, f"{M}.instances_distribution.spot_max_price", "'free'"),
]
BAD = [
    *[(template, None, path, text) for template, path, text in [*BAD_TEMPLATES, *BAD_VOLUMES]],
    *[(None, group, path, text) for group, path, text in BAD_GROUPS],
    *[(None, {"capacity_provider": {"name": "web", **provider}}, path, text) for provider, path, text in BAD_PROVIDERS],
    *[(None, {"mixed_instances_policy": policy}, path, text) for policy, path, text in BAD_MIXES],
    (
        {"instance_market_options": {}},
        {"mixed_instances_policy": {"overrides": [{"instance_type": "t3.small"}]}},
        M,
        "asks for Spot instances itself",
    ),
    ({"cluster": None}, None, f"{G}.launch_template", "names no cluster"),
    (
        {"ami": {"ssm_parameter": "/aws/service/bottlerocket/aws-ecs-2/x86_64/latest/image_id"}},
        None,
        f"{T}.cluster",
        "shell script",
    ),
]


@pytest.mark.parametrize(("template", "group", "path", "text"), BAD)
def test_bad_input_is_refused_with_host_path_and_what_is_allowed(template, group, path, text):
    found = problems_of(options(template, group))
    assert any(item.host == "host0" and path in item.variable and text in item.message for item in found), found


def test_all_problems_at_once():
    found = problems_of(options({"instance_type": "small"}, {"min_size": -1, "subnets": []}))
    assert {item.variable for item in found} == {f"{T}.instance_type", f"{G}.min_size", f"{G}.subnets"}


def test_a_name_means_one_thing_whichever_host_declares_it():
    found = problems_of(options(), options())
    assert {(item.host, item.variable) for item in found} == {("host1", T), ("host1", G), ("host1", P)}
    assert all("declared already by host0" in item.message for item in found)


@pytest.mark.parametrize(
    "value",
    [
        {"launch_templates": [{**TEMPLATE, "instance_typ": "t3.small"}]},
        {"auto_scaling_groups": [{**GROUP, "max_size": "many"}]},
        {"auto_scaling_groups": [{**GROUP, "capacity_provider": {"name": "web", "managed_draining": "SOMETIMES"}}]},
        {"auto_scaling_groups": [{name: value for name, value in GROUP.items() if name != "launch_template"}]},
    ],
    ids=["unknown option", "wrong type", "unknown choice", "missing option"],
)
def test_what_the_argument_spec_refuses(value):
    declaration, found = base.parse(LAYER, "platform", value)
    assert declaration is None
    assert found


def warnings_of(group, declared=None):
    return [item.variable for item in LAYER.warn([parsed(options(group=group))], declared or {})]


def cluster_using(*providers):
    names = [Ref("ecs_capacity_provider", name, "name") for name in providers]
    resource = Resource("ecs_cluster_capacity_providers", "main", {"capacityProviders": names})
    return {resource.address: resource}


@pytest.mark.parametrize(
    ("group", "declared", "expected"),
    [
        ({}, {}, []),
        ({}, cluster_using("web"), []),
        ({}, cluster_using("other"), [P]),
        ({"max_size": 1}, {}, [f"{G}.max_size"]),
        (
            {"instance_refresh": {"scale_in_protected_instances": "Ignore"}},
            {},
            [f"{G}.instance_refresh.scale_in_protected_instances"],
        ),
        ({"suspended_processes": ["InstanceRefresh"]}, {}, [f"{G}.suspended_processes"]),
        (
            {"mixed_instances_policy": {"instances_distribution": {"spot_max_price": "0.05"}}},
            {},
            [f"{M}.instances_distribution"],
        ),
    ],
)
def test_warnings(group, declared, expected):
    assert warnings_of(group, declared) == expected
