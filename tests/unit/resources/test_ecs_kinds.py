# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS clusters, task definitions and log groups: one form for both sides, differences, what goes into a revision."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_cluster
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_cluster import (
    EcsCluster,
    EcsClusterCapacityProviders,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_task_definition import (
    ON_LATEST,
    EcsTaskDefinition,
    image_path,
    keeping,
    whole,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.logs import LogGroup

TASK = EcsTaskDefinition()


def container(name="web", **fields):
    return {"name": name, "image": "web:1", "memory": 128, **fields}


def family(*containers, **fields):
    return {"family": "web", "containerDefinitions": list(containers or [container()]), **fields}


def differences(kind, declared, observed):
    return kind.differences(kind.canonical(declared), kind.canonical(observed), {})


def test_what_aws_fills_in_is_no_difference():
    described = container(cpu=0, essential=True, environment=[], portMappings=[], mountPoints=[], volumesFrom=[])
    observed = family(described, networkMode="bridge", placementConstraints=[], volumes=[])
    assert differences(TASK, family(), observed) == []


def test_a_difference_says_which_field_makes_a_revision_necessary():
    observed = family(container(environment=[{"name": "MODE", "value": "a"}]))
    found = differences(TASK, family(container(environment=[{"name": "MODE", "value": "b"}])), observed)
    assert found == [("containerDefinitions[web].environment[MODE]", "a", "b", False)]


def test_secrets_are_not_shown():
    observed = family(container(environment=[{"name": "DB_PASSWORD", "value": "old"}]))
    found = differences(TASK, family(container(environment=[{"name": "DB_PASSWORD", "value": "new"}])), observed)
    assert "old" not in str(TASK.shown(found)) and "new" not in str(TASK.shown(found))


def test_overrides_of_the_latest_revision_are_compared_as_the_whole_that_they_make():
    overrides = {ON_LATEST: {"containers": {"web": {"image": "web:2"}}}}
    found = differences(TASK, overrides, family(cpu="256"))
    assert [item.path for item in found] == ["containerDefinitions[web].image"]
    assert differences(TASK, overrides, family(container(image="web:2"), cpu="256")) == []


def test_overrides_of_a_container_that_the_latest_revision_lacks_are_an_error():
    with pytest.raises(AwsError, match=r"containers\[api\]"):
        whole({ON_LATEST: {"containers": {"api": {"image": "x"}}}}, family())


def test_overrides_need_a_revision():
    assert TASK.refuses_create(Resource("ecs_task_definition", "web", family())) is None
    assert TASK.refuses_create(Resource("ecs_task_definition", "web", {ON_LATEST: {}}))


def test_images_that_are_owned_elsewhere_are_kept_and_others_are_not():
    declared = family(container(), container("log"), container("new"))
    observed = family(container(image="web:9"), container("log", image="log:9"))
    kept = keeping(declared, observed, {image_path("web"): "the pipeline", image_path("new"): "the pipeline"})
    assert [item["image"] for item in kept["containerDefinitions"]] == ["web:9", "web:1", "web:1"]
    assert declared["containerDefinitions"][0]["image"] == "web:1"


class Revisions:
    """A family in AWS: the tags and the image of each revision, the first first; takes what is registered."""

    environment = "art"

    def __init__(self, *revisions):
        self.revisions = list(revisions)
        self.refusals = []
        self.asked = 0

    def client(self, _service):
        return self

    once = client

    @staticmethod
    def is_lost_answer(_error):
        return False

    def describe_task_definition(self, taskDefinition, include=()):
        number = len(self.revisions)
        labels, image = self.revisions[-1]
        described = {"family": "web", "revision": number, "taskDefinitionArn": f"x/web:{number}", "status": "ACTIVE"}
        described["containerDefinitions"] = [container(image=image)]
        return {"taskDefinition": described, "tags": [{"key": k, "value": v} for k, v in labels.items()]}

    def get_paginator(self, _operation):
        return self

    def paginate(self, **_arguments):
        return [{"taskDefinitionArns": [f"x/web:{number}" for number in range(len(self.revisions), 0, -1)]}]

    def list_tags_for_resource(self, resourceArn):
        self.asked += 1
        labels = self.revisions[int(resourceArn.rsplit(":", 1)[1]) - 1][0]
        return {"tags": [{"key": k, "value": v} for k, v in labels.items()]}

    def register_task_definition(self, **definition):
        if self.refusals:
            raise ClientError({"Error": {"Code": "ClientException", "Message": self.refusals.pop()}}, "Register")
        self.revisions.append(({}, definition["containerDefinitions"][0]["image"]))
        return self.describe_task_definition("web")


OURS = ({ENVIRONMENT_TAG: "art"}, "web:1")


@pytest.mark.parametrize(("before", "after"), [(0, 10), (0, 400), (3, 30), (400, 0)])
def test_a_family_stays_ours_however_often_a_pipeline_deploys_without_tags(before, after):
    pipeline = ({}, "web:2")
    aws = Revisions(*[pipeline] * before, OURS, *[pipeline] * after)
    assert TASK.read(aws, [Wanted("web")])["web"].tags[ENVIRONMENT_TAG] == "art"
    assert aws.asked <= 10


def test_an_image_that_the_pipeline_registers_between_the_plan_and_its_carrying_out_is_kept():
    aws = Revisions(OURS)
    observed = TASK.read(aws, [Wanted("web")])["web"]
    aws.revisions.append(({}, "web:2"))
    owned = {image_path("web"): "the pipeline"}
    declared = Resource("ecs_task_definition", "web", family(container(command=["run"])), create_only=owned)
    made = TASK.update(aws, declared, observed, [])
    assert made["revision"] == 3 and aws.revisions[-1][1] == "web:2"


def test_a_revision_that_somebody_else_registers_at_the_same_moment_is_no_error(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    aws = Revisions(OURS)
    aws.refusals = ["Too many concurrent attempts to create a new revision of the specified family."]
    declared = Resource("ecs_task_definition", "web", family(container(command=["run"])))
    assert TASK.update(aws, declared, TASK.read(aws, [Wanted("web")])["web"], [])["revision"] == 2


def test_cluster_configuration_is_laid_over_what_is_there():
    base = {"executeCommandConfiguration": {"logging": "DEFAULT", "kmsKeyId": "a"}, "managedStorageConfiguration": {}}
    changes = {"executeCommandConfiguration": {"kmsKeyId": "b"}}
    assert ecs_cluster.merged(base, changes) == {
        "executeCommandConfiguration": {"logging": "DEFAULT", "kmsKeyId": "b"},
        "managedStorageConfiguration": {},
    }


def test_only_declared_settings_of_a_cluster_are_compared():
    observed = {"settings": {"containerInsights": "enabled"}, "configuration": {}}
    assert differences(EcsCluster(), {}, observed) == []
    found = differences(EcsCluster(), {"settings": {"containerInsights": "enhanced"}}, observed)
    assert [item.path for item in found] == ["settings.containerInsights"]


def test_capacity_providers_have_no_order():
    kind = EcsClusterCapacityProviders()
    declared = {
        "capacityProviders": ["b", "a"],
        "defaultCapacityProviderStrategy": [{"capacityProvider": "b"}, {"capacityProvider": "a", "weight": 1}],
    }
    observed = {
        "capacityProviders": ["a", "b"],
        "defaultCapacityProviderStrategy": [
            {"capacityProvider": "a", "weight": 1, "base": 0},
            {"capacityProvider": "b", "weight": 0, "base": 0},
        ],
    }
    assert differences(kind, declared, observed) == []


class Cloud:
    """A Cloud Map that knows one namespace."""

    def client(self, _service):
        return self

    def get_namespace(self, Id):
        return {"Namespace": {"Name": {"ns-a": "internal"}[Id]}}


ARN = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-a"


@pytest.mark.parametrize(
    ("observed", "declared", "expected"),
    [(ARN, "internal", "internal"), (ARN, "other", "internal"), (ARN, ARN, ARN), (ARN, None, ARN), ("", "x", "")],
)
def test_namespaces_are_compared_in_the_form_in_which_they_are_declared(observed, declared, expected):
    assert ecs_cluster.as_declared(Cloud(), observed, declared) == expected


@pytest.mark.parametrize(
    ("code", "message", "passes"),
    [
        ("UpdateInProgressException", "", True),
        ("ResourceInUseException", "The specified cluster is in a busy state.", True),
        ("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.", False),
        ("ClientException", "Cluster was not ACTIVE.", True),
        ("ClientException", "", False),
        ("InvalidParameterException", "", False),
    ],
)
def test_only_what_passes_by_itself_is_tried_again(code, message, passes):
    error = ClientError({"Error": {"Code": code, "Message": message}}, "PutClusterCapacityProviders")
    assert ecs_cluster._is_busy(error) is passes


class Providers:
    """A cluster whose capacity provider is in use twice."""

    def __init__(self):
        self.answers = ["in use", "in use", ""]

    def client(self, _service):
        return self

    def put_cluster_capacity_providers(self, **_arguments):
        if text := self.answers.pop(0):
            error = {
                "Error": {"Code": "ResourceInUseException", "Message": f"The specified capacity provider is {text}"}
            }
            raise ClientError(error, "PutClusterCapacityProviders")


def test_capacity_providers_go_when_the_last_tasks_have_stopped_and_are_not_waited_for_otherwise():
    aws, kind = Providers(), EcsClusterCapacityProviders()
    kind.delete(aws, None, Observed("main", {}, {}))
    assert aws.answers == []
    with pytest.raises(ClientError, match="in use"):
        kind.update(Providers(), Resource(kind.kind, "main", {}), Observed("main", {}, {}), [])


def test_a_log_group_keeps_its_class():
    (found,) = differences(LogGroup(), {"logGroupClass": "INFREQUENT_ACCESS"}, {"logGroupClass": "STANDARD"})
    assert found.replaces and LogGroup.holds_data


def test_no_retention_is_for_ever():
    assert differences(LogGroup(), {}, {"retentionInDays": 30}) == []
    gone = LogGroup().differences({}, {"retentionInDays": 30}, {"retentionInDays": 30})
    assert [(item.path, item.after) for item in gone] == [("retentionInDays", None)]
