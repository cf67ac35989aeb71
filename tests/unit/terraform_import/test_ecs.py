# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of clusters, services, task definitions and log groups, and which host gets what."""

from __future__ import annotations

import json

import pytest

from .stack import ACCOUNT, REGION, Imported, arn, group, resource, subnet, vpc

CLUSTER = arn("ecs", "cluster/shop")
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
EXECUTION = arn("iam", "role/web-execution")


def cluster(**more):
    return resource("aws_ecs_cluster", "shop", {"id": CLUSTER, "arn": CLUSTER, "name": "shop", **more})


def container(name="web", **more):
    return {"name": name, "image": "nginx:1", "essential": True, "memory": 128, "mountPoints": [], **more}


def task(*containers, family="web", **more):
    head = arn("ecs", f"task-definition/{family}")
    attributes = {"id": family, "family": family, "arn": f"{head}:3", "arn_without_revision": head, "revision": 3}
    attributes |= {"container_definitions": json.dumps(containers or [container()])}
    sensitive = more.pop("sensitive", ())
    return resource("aws_ecs_task_definition", family, attributes | more, sensitive=sensitive)


def service(name="web", **more):
    identity = arn("ecs", f"service/shop/{name}")
    attributes = {"id": identity, "arn": identity, "name": name, "cluster": CLUSTER, "desired_count": 2}
    attributes |= {"task_definition": arn("ecs", "task-definition/web:3"), "deployment_controller": [{"type": "ECS"}]}
    breaker = [{"enable": True, "rollback": True}]
    attributes |= {"deployment_minimum_healthy_percent": 100, "deployment_maximum_percent": 200}
    return resource("aws_ecs_service", name, {**attributes, "deployment_circuit_breaker": breaker, **more})


def log_group(name="/ecs/web", **more):
    attributes = {"id": name, "name": name, "arn": arn("logs", f"log-group:{name}"), "retention_in_days": 0}
    return resource("aws_cloudwatch_log_group", name.strip("/").replace("/", "-"), attributes | more)


def logging(to="/ecs/web"):
    options = {"awslogs-group": to, "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
    return {"logConfiguration": {"logDriver": "awslogs", "options": options}}


SHORT = {"name": "web", "cluster": "shop", "task_definition": "web", "desired_count": 2}
SUBNETS = {"subnets": ["subnet-a"], "security_groups": ["sg-web"], "assign_public_ip": True}
SERVICES = {
    "as the layer makes it": ({}, {}),
    "no circuit breaker": (
        {"deployment_circuit_breaker": []},
        {"deployment_configuration": {"deployment_circuit_breaker": {"enable": False, "rollback": False}}},
    ),
    "percentages": (
        {"deployment_minimum_healthy_percent": 0, "deployment_maximum_percent": 100},
        {"deployment_configuration": {"minimum_healthy_percent": 0, "maximum_percent": 100}},
    ),
    "on Fargate": (
        {"launch_type": "FARGATE", "platform_version": "LATEST", "network_configuration": [SUBNETS]},
        {
            "launch_type": "FARGATE",
            "network_configuration": {"subnets": ["main-a"], "security_groups": ["web"], "assign_public_ip": True},
        },
    ),
    "a strategy": (
        {"capacity_provider_strategy": [{"capacity_provider": "ec2", "weight": 1, "base": None}]},
        {"capacity_provider_strategy": [{"capacity_provider": "ec2", "weight": 1}]},
    ),
    "zones left alone": ({"availability_zone_rebalancing": "DISABLED"}, {"availability_zone_rebalancing": "DISABLED"}),
    "odds and ends": (
        {"enable_execute_command": True, "propagate_tags": "SERVICE", "wait_for_steady_state": True},
        {"enable_execute_command": True, "propagate_tags": "SERVICE"},
    ),
    "placement": (
        {"ordered_placement_strategy": [{"type": "binpack", "field": "memory"}]},
        {"placement_strategy": [{"type": "binpack", "field": "memory"}]},
    ),
    "the role that AWS takes by itself": ({"iam_role": "/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"}, {}),
}


@pytest.mark.parametrize(("attributes", "expected"), SERVICES.values(), ids=SERVICES)
def test_services(attributes, expected, tmp_path):
    mode = "awsvpc" if "network_configuration" in attributes else ""
    definition = task(network_mode=mode, cpu="256", memory="512", task_role_arn=arn("iam", "role/far"))
    imported = Imported(vpc(), subnet("a"), group("web"), cluster(), definition, service(**attributes))
    found = imported.declared("ecs", "web")["services"]
    assert found == [{**SHORT, **expected}]
    assert (imported.left(), imported.unmapped()) == (set(), {})
    if attributes.get("launch_type") != "FARGATE":
        assert "ecs_service/shop/web" in imported.validate(tmp_path)


def test_what_only_one_service_uses_belongs_to_it(tmp_path):
    url = f"{REGISTRY}/web"
    images = {"id": "web", "name": "web", "repository_url": url, "image_tag_mutability": "IMMUTABLE"}
    trust = {"Version": "2012-10-17", "Statement": []}
    role = {"id": "web-execution", "name": "web-execution", "arn": EXECUTION, "path": "/"}
    role["assume_role_policy"] = json.dumps(trust)
    imported = Imported(
        cluster(),
        resource("aws_ecr_repository", "web", images),
        resource("aws_iam_role", "execution", role),
        task(container(image=f"{url}:v1", **logging()), execution_role_arn=EXECUTION),
        log_group(retention_in_days=14),
        log_group("/ecs/shared"),
        service(),
    )
    assert imported.hosts() == ["shop", "web"]
    assert imported.declared("ecs")["log_groups"] == [{"name": "/ecs/shared"}]
    assert imported.declared("ecs", "web")["task_definitions"] == [
        {
            "family": "web",
            "file": "task-definitions/web.json",
            "execution_role": "web-execution",
            "containers": {"web": {"image": {"repository": "web", "tag": "v1"}}},
            "log_group": {"name": "/ecs/web", "retention_in_days": 14},
        }
    ]
    assert imported.declared("ecr", "web")["repositories"][0]["name"] == "web"
    assert imported.declared("iam", "web")["roles"][0]["name"] == "web-execution"


def test_what_two_services_use_belongs_to_the_platform():
    imported = Imported(cluster(), task(container(**logging())), log_group(), service(), service("web-2"))
    assert imported.hosts() == ["shop", "web", "web-2"]
    assert [item["family"] for item in imported.declared("ecs")["task_definitions"]] == ["web"]
    assert list(imported.declared("ecs", "web-2")) == ["services"]


def test_services_of_one_name_in_two_clusters_are_two_hosts():
    other = arn("ecs", "cluster/other")
    second = service(cluster=other, id="x", arn="x")
    second["name"] = "second"
    assert Imported(cluster(), task(), service(), second).hosts() == ["shop", "other-web", "shop-web"]


def test_a_task_definition_is_a_file_without_what_nobody_declared():
    imported = Imported(task(container(environment=[{"name": "A", "value": "1"}], cpu=0)))
    definitions = json.loads(imported.files["task-definitions/web.json"])
    assert definitions == [
        {"name": "web", "image": "nginx:1", "essential": True, "memory": 128, "cpu": 0}
        | {"environment": [{"name": "A", "value": "1"}]}
    ]
    assert list(definitions[0])[:2] == ["name", "image"]


SECRETS = {
    "by its name": ({"name": "DB_PASSWORD", "value": "hidden"}, ()),
    "by its value": ({"name": "DB", "value": "postgres://user:hidden@db"}, ()),
    "marked by Terraform": ({"name": "COLOUR", "value": "hidden"}, ("container_definitions",)),
}


@pytest.mark.parametrize(("variable", "sensitive"), SECRETS.values(), ids=SECRETS)
def test_secrets_are_not_written(variable, sensitive, tmp_path):
    imported = Imported(cluster(), task(container(environment=[variable]), sensitive=sensitive), service())
    name = f"vault_web_web_{variable['name'].lower()}"
    containers = imported.declared("ecs", "web")["task_definitions"][0]["containers"]
    assert containers == {"web": {"environment": {variable["name"]: f"{{{{ {name} }}}}"}}}
    assert [path for path, text in imported.files.items() if "hidden" in text] == []
    assert name in imported.report.secrets[0].message
    assert f'{variable["name"]}: "{{{{ {name} }}}}"' in imported.files["host_vars/web/ecs.yml"]
    imported.validate(tmp_path)


FIELDS = {
    "looks like one": ({"command": ["run", "--password", "hidden"]}, ()),
    "marked by Terraform": ({"command": ["hidden"]}, ("container_definitions",)),
}


@pytest.mark.parametrize(("fields", "sensitive"), FIELDS.values(), ids=FIELDS)
def test_a_field_with_a_secret_in_it_is_left_out_and_told(fields, sensitive):
    imported = Imported(task(container(**fields), sensitive=sensitive))
    assert json.loads(imported.files["task-definitions/web.json"])[0].keys() == {"name", "image", "essential", "memory"}
    assert [item.about for item in imported.report.secrets] == ["container_definitions: command of web"]
    assert [path for path, text in imported.files.items() if "hidden" in text] == []


def test_task_definitions_with_everything(tmp_path):
    efs = {"file_system_id": "fs-12345678", "root_directory": "/", "transit_encryption": "ENABLED"}
    imported = Imported(
        task(
            network_mode="bridge",
            requires_compatibilities=["EC2"],
            cpu="256",
            volume=[{"name": "data", "efs_volume_configuration": [efs]}, {"name": "tmp", "host_path": "/tmp"}],
            runtime_platform=[{"cpu_architecture": "ARM64", "operating_system_family": "LINUX"}],
            placement_constraints=[{"type": "memberOf", "expression": "attribute:x exists"}],
        )
    )
    volume = {"fileSystemId": "fs-12345678", "rootDirectory": "/", "transitEncryption": "ENABLED"}
    assert imported.declared("ecs")["task_definitions"] == [
        {
            "family": "web",
            "file": "task-definitions/web.json",
            "network_mode": "bridge",
            "requires_compatibilities": ["EC2"],
            "cpu": "256",
            "volumes": [
                {"name": "data", "efsVolumeConfiguration": volume},
                {"name": "tmp", "host": {"sourcePath": "/tmp"}},
            ],
            "runtime_platform": {"cpu_architecture": "ARM64", "operating_system_family": "LINUX"},
            "placement_constraints": [{"type": "memberOf", "expression": "attribute:x exists"}],
        }
    ]
    assert imported.left() == set()
    imported.validate(tmp_path)


def test_clusters(tmp_path):
    command = {"logging": "OVERRIDE", "log_configuration": [{"cloud_watch_log_group_name": "/exec"}]}
    providers = resource(
        "aws_ecs_cluster_capacity_providers",
        "x",
        {
            "id": "shop",
            "cluster_name": "shop",
            "capacity_providers": ["FARGATE_SPOT", "FARGATE"],
            "default_capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1, "base": 1}],
        },
    )
    imported = Imported(
        cluster(
            setting=[{"name": "containerInsights", "value": "enhanced"}],
            configuration=[{"execute_command_configuration": [command]}],
        ),
        providers,
    )
    assert imported.declared("ecs")["clusters"] == [
        {
            "name": "shop",
            "container_insights": "enhanced",
            "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
            "default_capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1, "base": 1}],
            "execute_command_configuration": {
                "logging": "OVERRIDE",
                "log_configuration": {"cloud_watch_log_group_name": "/exec"},
            },
        }
    ]
    assert (imported.left(), imported.unmapped()) == (set(), {})
    imported.validate(tmp_path)


def test_secrets_of_two_families_are_two_variables():
    variable = [{"name": "DB_PASSWORD", "value": "hidden"}]
    tasks = [task(container("app", environment=variable), family=family) for family in ("jobs", "mails")]
    found = Imported(cluster(), *tasks).declared("ecs")["task_definitions"]
    assert [item["containers"]["app"]["environment"]["DB_PASSWORD"] for item in found] == [
        "{{ vault_shop_jobs_app_db_password }}",
        "{{ vault_shop_mails_app_db_password }}",
    ]


def test_variables_that_would_be_spelled_alike_get_a_number():
    variables = [{"name": name, "value": "hidden"} for name in ("DB_TOKEN", "DB.TOKEN")]
    imported = Imported(cluster(), task(container(environment=variables)), service())
    found = imported.declared("ecs", "web")["task_definitions"][0]["containers"]["web"]["environment"]
    assert found == {"DB_TOKEN": "{{ vault_web_web_db_token }}", "DB.TOKEN": "{{ vault_web_web_db_token_2 }}"}


@pytest.mark.parametrize(("running", "told"), [("web:3", False), ("web:15", True), ("web", False)])
def test_a_service_that_runs_another_revision_than_terraforms_is_told(running, told):
    """As with pipelines that deploy, which Terraform is told to ignore: its image is an old one."""
    item = service(task_definition=arn("ecs", f"task-definition/{running}"))
    assert (("aws_ecs_service.web", "task_definition") in Imported(cluster(), task(), item).changes()) is told


@pytest.mark.parametrize("name", ["all", "services", "platform", "localhost", "shop"])
def test_a_service_that_is_called_like_a_group_is_another_host(name):
    assert Imported(cluster(), task(), service(name)).hosts() == ["shop", f"shop-{name}"]
