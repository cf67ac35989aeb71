# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer ecs: from declarations to resources, every bad input refused, what cannot work warned of."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import base
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs import Ecs
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Resource, Text

LAYER = Ecs()
ENVIRONMENT = base.Environment("test", "us-east-1", "123456789012", tags={"Project": "test"})
LOGS = {"awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}
CONTAINER = {
    "name": "web",
    "image": "nginx:1.27",
    "memory": 256,
    "portMappings": [{"containerPort": 8080, "hostPort": 8080}],
    "logConfiguration": {"logDriver": "awslogs", "options": LOGS},
}
TASK = {
    "family": "web",
    "definition": [CONTAINER],
    "execution_role": "web-execution",
    "task_role": "web-task",
    "network_mode": "bridge",
    "log_group": {"name": "/ecs/web", "retention_in_days": 30},
}
SERVICE = {
    "name": "web",
    "cluster": "main",
    "task_definition": "web",
    "desired_count": 1,
    "capacity_provider_strategy": [{"capacity_provider": "instances", "weight": 1}],
    "load_balancers": [{"target_group": "web", "container_name": "web", "container_port": 8080}],
}
CLUSTER = {
    "name": "main",
    "capacity_providers": ["instances"],
    "default_capacity_provider_strategy": [{"capacity_provider": "instances", "weight": 1}],
}
FARGATE_TASK = {"network_mode": "awsvpc", "requires_compatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}
FARGATE_SERVICE = {
    "launch_type": "FARGATE",
    "capacity_provider_strategy": None,
    "network_configuration": {"subnets": ["a"]},
}
AWSVPC_CONTAINERS = {"containers": {"web": {"ports": [8080]}}}
WEB = Address("ecs_service", "main/web")


def options(task=None, service=None, cluster=None):
    return copy.deepcopy(
        {
            "clusters": [{**CLUSTER, **(cluster or {})}],
            "task_definitions": [{**TASK, **(task or {})}],
            "services": [{**SERVICE, **(service or {})}],
        }
    )


def parsed(value, host="web"):
    declaration, problems = base.parse(LAYER, host, value)
    assert problems == []
    return declaration


def problems_of(*values):
    declarations = [parsed(value, f"host{number}") for number, value in enumerate(values)]
    return list(LAYER.validate(declarations, ENVIRONMENT))


def made(*values, more=()):
    """All resources of the declarations and some of other layers, connected."""
    resources = [item for value in values for item in LAYER.resources(parsed(value), ENVIRONMENT)]
    declared = {item.address: item for item in [*resources, *more]}
    LAYER.connect(declared)
    return declared


def fargate(**service):
    return options({**FARGATE_TASK, **AWSVPC_CONTAINERS}, {**FARGATE_SERVICE, **service})


@pytest.mark.parametrize("value", [options(), fargate()], ids=["EC2", "Fargate"])
def test_a_plain_declaration_has_no_problem(value):
    assert problems_of(value) == []


def test_a_declaration_becomes_resources():
    assert set(made(options())) == {
        Address("ecs_cluster", "main"),
        Address("ecs_cluster_capacity_providers", "main"),
        Address("log_group", "/ecs/web"),
        Address("ecs_task_definition", "web"),
        WEB,
    }


def test_names_become_references_that_say_where_they_stand():
    declared = made(options({"containers": {"web": {"image": {"repository": "web", "tag": "v1"}}}}))
    task, service = declared[Address("ecs_task_definition", "web")], declared[WEB]
    where = "ecs.task_definitions[web]"
    assert task.properties["containerDefinitions"][0]["image"] == Text(
        "{}:v1", (Ref("ecr_repository", "web", "uri", where=f"{where}.containers[web].image"),)
    )
    assert task.properties["taskRoleArn"] == Ref("iam_role", "web-task", "arn", where=f"{where}.task_role")
    assert service.properties["taskDefinition"] == Ref(
        "ecs_task_definition", "web", "arn", where="ecs.services[web].task_definition"
    )
    assert service.properties["loadBalancers"][0]["targetGroupArn"].address == Address("target_group", "web")
    assert service.properties["capacityProviderStrategy"][0]["capacityProvider"].kind == "ecs_capacity_provider"


def test_a_digest_makes_an_image_by_digest():
    digest = "sha256:" + "a" * 64
    declared = made(options({"containers": {"web": {"image": {"repository": "web", "digest": digest}}}}))
    task = declared[Address("ecs_task_definition", "web")]
    assert task.properties["containerDefinitions"][0]["image"].template == "{}@" + digest


def test_arns_and_single_revisions_stand_for_themselves():
    arn = "arn:aws:iam::123456789012:role/web"
    declared = made(options({"task_role": arn}, {"task_definition": "web:7"}))
    assert declared[Address("ecs_task_definition", "web")].properties["taskRoleArn"] == arn
    assert declared[WEB].properties["taskDefinition"].name == "web:7"


def test_subnets_and_security_groups_become_references():
    service = made(fargate(network_configuration={"subnets": ["a", "b"], "security_groups": ["web"]}))[WEB]
    awsvpc = service.properties["networkConfiguration"]["awsvpcConfiguration"]
    assert [ref.address for ref in awsvpc["subnets"]] == [Address("subnet", "a"), Address("subnet", "b")]
    assert awsvpc["securityGroups"][0].attribute == "id"
    assert awsvpc["assignPublicIp"] == "DISABLED"


def test_what_is_not_declared_is_not_managed():
    properties = made(options())[WEB].properties
    assert set(properties) == {
        "taskDefinition",
        "desiredCount",
        "capacityProviderStrategy",
        "loadBalancers",
        "deploymentConfiguration",
    }


def test_rolling_deployments_have_a_circuit_breaker_unless_it_is_declared_otherwise():
    breaker = made(options())[WEB].properties["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert breaker == {"enable": True, "rollback": True}
    off = {"deployment_configuration": {"deployment_circuit_breaker": {"enable": False, "rollback": False}}}
    breaker = made(options(None, off))[WEB].properties["deploymentConfiguration"]["deploymentCircuitBreaker"]
    assert breaker == {"enable": False, "rollback": False}
    assert "deploymentConfiguration" not in made(options(None, {"deployment_controller": "EXTERNAL"}))[WEB].properties


def test_zone_rebalancing_is_off_where_no_task_may_start_first():
    rollout = {"deployment_configuration": {"minimum_healthy_percent": 0, "maximum_percent": 100}}
    assert made(options(None, rollout))[WEB].properties["availabilityZoneRebalancing"] == "DISABLED"


def test_every_field_of_a_service_has_the_spelling_of_the_api():
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.validate import ParamValidator

    options_of_all = yaml.safe_load((Path(__file__).parent / "whole_service.yml").read_text())
    properties = made(fargate(**options_of_all))[WEB].properties
    model = ServiceModel(Loader().load_service_model("ecs", "service-2"))
    shape = model.operation_model("CreateService").input_shape
    report = ParamValidator().validate({"serviceName": "web", **properties}, shape)
    assert not report.has_errors(), report.generate_report()
    logs = {"delivery_stream": "x", "Name": "firehose"}
    assert properties["serviceConnectConfiguration"]["logConfiguration"]["options"] == logs
    missing = set(shape.members) - set(properties) - {"serviceName", "cluster", "clientToken", "tags"}
    assert missing <= {"capacityProviderStrategy", "networkConfiguration", "monitoring", "gatewayConnectors"}


def test_the_source_may_be_a_file_of_the_inventory(tmp_path):
    (tmp_path / "web.json").write_text(json.dumps([CONTAINER]))
    declaration = replace(parsed(options({"definition": None, "file": "web.json"})), base_dir=str(tmp_path))
    environment = base.Environment("test")
    task = next(item for item in LAYER.resources(declaration, environment) if item.kind == "ecs_task_definition")
    assert task.properties["containerDefinitions"][0]["image"] == "nginx:1.27"
    assert list(LAYER.validate([declaration], environment)) == []


def test_tags_of_the_source_and_of_the_declaration_become_the_familys_tags():
    source = {
        "containerDefinitions": [CONTAINER],
        "tags": [{"key": "Team", "value": "a"}, {"key": "Cost", "value": "1"}],
    }
    task = made(options({"definition": source, "tags": {"Team": "b"}}))[Address("ecs_task_definition", "web")]
    assert task.tags == {"Project": "test", "Team": "b", "Cost": "1"}
    assert "tags" not in task.properties


def test_the_pipeline_owns_images_unless_the_declaration_does():
    image = "containerDefinitions[web].image"
    task = Address("ecs_task_definition", "web")
    assert made(options())[task].create_only == {image: "the pipeline"}
    assert made(options(None, {"image_owner": "declaration"}))[task].create_only == {}
    alone = {"task_definitions": [TASK]}
    assert made(alone)[task].create_only == {}
    assert made({"task_definitions": [{**TASK, "image_owner": "pipeline"}]})[task].create_only == {
        image: "the pipeline"
    }


def test_things_wait_for_what_they_do_not_refer_to():
    group = Ref("target_group", "web", "arn")
    rule = Resource("listener_rule", "lb:80/web", {"Actions": [{"TargetGroupArn": group}]})
    other = Resource("listener", "lb:80", {"DefaultActions": []})
    declared = made(options(), more=[rule, other])
    waits = {address: {ref.address for ref in item.depends_on} for address, item in declared.items()}
    assert waits[WEB] == {Address("listener_rule", "lb:80/web"), Address("ecs_cluster_capacity_providers", "main")}
    assert waits[Address("ecs_task_definition", "web")] == {Address("log_group", "/ecs/web")}


def task_of(**container):
    return {"containers": {"web": container}}


BAD = [
    ("no source", options({"definition": None}), "needs exactly one of file, definition, from_latest: got none"),
    ("two sources", options({"file": "x.json"}), "got file, definition"),
    ("missing file", options({"definition": None, "file": "nowhere.json"}), "nowhere.json: cannot be read"),
    ("unknown override", options(task_of(imag="x")), "containers[web].imag: unknown override (did you mean image?)"),
    ("unknown container", options({"containers": {"wbe": {"cpu": 1}}}), "containers[wbe]"),
    ("image without tag", options(task_of(image={"repository": "web"})), "image: needs either tag or digest"),
    ("image with both", options(task_of(image={"repository": "w", "tag": "a", "digest": "b"})), "either tag or digest"),
    ("image with typo", options(task_of(image={"repo": "web", "tag": "a"})), "unknown repo; allowed: repository"),
    ("bad tag", options(task_of(image={"repository": "web", "tag": "a b"})), "tag: got 'a b'"),
    ("bad digest", options(task_of(image={"repository": "web", "digest": "sha256:1"})), "64 hexadecimal digits"),
    ("container memory", options(task_of(memory=2)), "memory"),
    (
        "Fargate sizes of the service's launch type",
        options({**AWSVPC_CONTAINERS, "network_mode": "awsvpc", "cpu": "256", "memory": "4096"}, FARGATE_SERVICE),
        "memory: got 4096 MiB, allowed on Fargate with cpu 256",
    ),
    (
        "image never used",
        options(
            {"definition": None, "from_latest": True, "image_owner": "pipeline", **task_of(image="x")},
            {"task_definition": "other", "load_balancers": None},
        ),
        "never used",
    ),
    (
        "misspelt override of the latest revision",
        options({"definition": None, "from_latest": True, "containers": {"web": {"imag": "x"}}}),
        "containers[web].imag: unknown override",
    ),
    ("log group not used", options({"log_group": {"name": "/ecs/other"}}), "no container logs to '/ecs/other'"),
    (
        "log group in another region",
        options(task_of(log_options={"awslogs-region": "eu-west-1"})),
        "got 'eu-west-1', but the log group is made in 'us-east-1'",
    ),
    ("log group name", options({"log_group": {"name": "bad name"}}), "name: got 'bad name'"),
    ("log group key", options({"log_group": {"name": "/ecs/web", "kms_key_id": "alias/x"}}), "wants the ARN of a key"),
    ("service name", options(None, {"name": "we b"}), "name: got 'we b'"),
    ("cluster name", options(None, None, {"name": "ma/in"}), "name: got 'ma/in'"),
    ("launch type and strategy", options(None, {"launch_type": "EC2"}), "cannot both be given"),
    ("negative count", options(None, {"desired_count": -1}), "desired_count: got -1, allowed: 0.."),
    ("no count", options(None, {"desired_count": None}), "desired_count: is required"),
    ("count of a daemon", options(None, {"scheduling_strategy": "DAEMON"}), "runs one task on each instance"),
    (
        "port",
        options(None, {"load_balancers": [{**SERVICE["load_balancers"][0], "container_port": 80}]}),
        "got 80, the container 'web' has the ports: 8080",
    ),
    (
        "container",
        options(None, {"load_balancers": [{**SERVICE["load_balancers"][0], "container_name": "api"}]}),
        "got 'api', the task definition has: web",
    ),
    (
        "no target group",
        options(None, {"load_balancers": [{"container_name": "web", "container_port": 8080}]}),
        "needs either target_group or load_balancer_name",
    ),
    ("target group twice", options(None, {"load_balancers": SERVICE["load_balancers"] * 2}), "'web' is there 2 times"),
    (
        "grace period",
        options(None, {"load_balancers": None, "health_check_grace_period_seconds": 5}),
        "needs load_balancers",
    ),
    ("no network", fargate(network_configuration=None), "network_configuration: is required"),
    (
        "needless network",
        options(None, {"network_configuration": {"subnets": ["a"]}}),
        "needs the network mode awsvpc, the task definition has bridge",
    ),
    ("no subnets", fargate(network_configuration={"subnets": []}), "subnets: has 0 entries"),
    ("placement on Fargate", fargate(placement_strategy=[{"type": "random"}]), "is not possible on Fargate"),
    (
        "daemon on Fargate",
        fargate(scheduling_strategy="DAEMON", desired_count=None),
        "DAEMON is not possible on Fargate",
    ),
    ("platform version on EC2", options(None, {"platform_version": "LATEST"}), "is for Fargate only"),
    (
        "percent",
        options(None, {"deployment_configuration": {"minimum_healthy_percent": 101}}),
        "got 101, allowed: 0..100",
    ),
    (
        "percents that block",
        options(None, {"deployment_configuration": {"maximum_percent": 100}}),
        "block every deployment",
    ),
    (
        "breaker of CodeDeploy",
        options(
            None,
            {"deployment_controller": "CODE_DEPLOY", "deployment_configuration": {"deployment_circuit_breaker": {}}},
        ),
        "needs the deployment_controller ECS",
    ),
    (
        "threshold",
        options(
            None,
            {
                "deployment_configuration": {
                    "deployment_circuit_breaker": {"threshold_configuration": {"type": "COUNT", "value": 0}}
                }
            },
        ),
        "must be at least 1",
    ),
    (
        "canary without CANARY",
        options(None, {"deployment_configuration": {"canary_configuration": {"canary_percent": 5}}}),
        "needs strategy CANARY, got ROLLING",
    ),
    (
        "blue/green without second group",
        options(None, {"deployment_configuration": {"strategy": "BLUE_GREEN"}}),
        "needs advanced_configuration: web:8080 has none",
    ),
    (
        "hook without function",
        options(None, {"deployment_configuration": {"lifecycle_hooks": [{"lifecycle_stages": ["PRE_SCALE_UP"]}]}}),
        "needs hook_target_arn and role",
    ),
    (
        "provider twice",
        options(None, {"capacity_provider_strategy": SERVICE["capacity_provider_strategy"] * 2}),
        "'instances' is there 2 times",
    ),
    (
        "provider not of the cluster",
        options(None, {"capacity_provider_strategy": [{"capacity_provider": "spot", "weight": 1}]}),
        "not among the capacity_providers of the cluster 'main': instances",
    ),
    (
        "mixed providers",
        options(
            None,
            {
                "capacity_provider_strategy": [
                    {"capacity_provider": "FARGATE", "weight": 1},
                    {"capacity_provider": "instances"},
                ]
            },
            {"capacity_providers": ["instances", "FARGATE"]},
        ),
        "cannot be mixed",
    ),
    (
        "no weight",
        options(None, {"capacity_provider_strategy": [{"capacity_provider": "instances"}]}),
        "needs a weight above 0",
    ),
    (
        "weight",
        options(None, {"capacity_provider_strategy": [{"capacity_provider": "instances", "weight": 1001}]}),
        "weight: got 1001, allowed: 0..1000",
    ),
    (
        "rebalancing",
        options(
            None,
            {"availability_zone_rebalancing": "ENABLED", "placement_strategy": [{"type": "binpack", "field": "cpu"}]},
        ),
        "as the first placement_strategy, got binpack",
    ),
    ("expression", options(None, {"placement_constraints": [{"type": "memberOf"}]}), "memberOf needs an expression"),
    (
        "binpack",
        options(None, {"placement_strategy": [{"type": "binpack", "field": "host"}]}),
        "got 'host', binpack allows: cpu, memory",
    ),
    ("exec without role", options({"task_role": None}, {"enable_execute_command": True}), "needs a task_role"),
    (
        "public ip on EC2",
        options({"network_mode": "awsvpc"}, {"network_configuration": {"subnets": ["a"], "assign_public_ip": True}}),
        "is possible on Fargate only",
    ),
    ("timeout", options(None, {"wait_timeout": 0}), "wait_timeout: got 0"),
    (
        "default strategy",
        options(None, None, {"default_capacity_provider_strategy": [{"capacity_provider": "x", "weight": 1}]}),
        "'x' is not in capacity_providers, which has: instances",
    ),
    ("exec logging", options(None, None, {"execute_command_configuration": {"logging": "OVERRIDE"}}), "go together"),
    ("cluster twice", {"clusters": [CLUSTER, CLUSTER]}, "is there 2 times"),
]


@pytest.mark.parametrize(("value", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_input_is_refused(value, message):
    found = [str(problem) for problem in problems_of(value)]
    assert any(message in text for text in found), found
    assert all(text.startswith("host0: ecs.") for text in found)


def test_all_problems_are_told_at_once():
    value = options({"task_role": None, "cpu": "x"}, {"desired_count": -1, "enable_execute_command": True})
    assert len(problems_of(value)) >= 3


def checked(*values, more=()):
    declared = made(*values, more=more)
    declarations = [parsed(value) for value in values]
    return [problem.message for problem in LAYER.check(declarations, declared)]


def test_services_that_share_a_family_agree_on_who_owns_the_image():
    second = {"services": [{**SERVICE, "name": "api", "image_owner": "declaration"}]}
    (message,) = checked(options(), second)
    assert message == (
        "image_owner: must be the same for all that use one family: main/api says declaration, main/web says pipeline"
    )


@pytest.mark.parametrize(
    ("value", "kind", "fits"),
    [(options(), "instance", True), (options(), "ip", False), (fargate(), "ip", True), (fargate(), "instance", False)],
)
def test_target_groups_fit_the_network_mode(value, kind, fits):
    messages = checked(value, more=[Resource("target_group", "web", {"TargetType": kind})])
    assert (messages == []) == fits
    assert all(f"has the target type {kind}" in message for message in messages)


def platform(size):
    """An Auto Scaling group of some size, and its capacity provider."""
    group = Ref("auto_scaling_group", "instances", "arn")
    return [
        Resource("auto_scaling_group", "instances", {"MaxSize": size}),
        Resource("ecs_capacity_provider", "instances", {"autoScalingGroupProvider": {"autoScalingGroupArn": group}}),
    ]


def warnings(value, size):
    declared = made(value, more=platform(size))
    return [problem.message for problem in LAYER.warn([parsed(value)], declared)]


ROLLOUT = {"deployment_configuration": {"minimum_healthy_percent": 0, "maximum_percent": 100}}
BY_DEFAULT = {"capacity_provider_strategy": None}


@pytest.mark.parametrize(
    ("task", "service", "size", "words"),
    [
        ({}, {}, 1, "no deployment can ever finish: the host port 8080 is fixed"),
        ({}, BY_DEFAULT, 1, "no deployment can ever finish"),
        ({}, {}, 2, None),
        ({}, ROLLOUT, 1, None),
        (task_of(ports=["0:8080"]), {}, 1, None),
        ({"network_mode": "host", **task_of(ports=[8080])}, {}, 1, "no deployment can ever finish"),
        ({}, {"desired_count": 3}, 2, "3 tasks with the fixed host port 8080 need 3 container instances"),
        ({}, {"desired_count": 0}, 1, None),
    ],
)
def test_a_service_that_could_never_deploy_is_warned_of(task, service, size, words):
    found = warnings(options(task, service), size)
    assert found == [] if words is None else words in found[0]


def test_a_target_group_that_nothing_forwards_to_is_warned_of():
    value = options()
    more = [Resource("target_group", "web", {}), Resource("listener", "lb:80", {"DefaultActions": []})]
    declared = made(value, more=more)
    (warning,) = LAYER.warn([parsed(value)], declared)
    assert "no declared listener or rule forwards to the target group 'web'" in warning.message
