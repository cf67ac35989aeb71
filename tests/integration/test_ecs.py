# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who owns what in ECS, waiting for services, lost answers. On the project's own simulation of the ECS scheduler."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from tests.integration.kinds.ecs import FAMILY, FARGATE, ON_INSTANCES, SERVICE, TASK, item

IMAGE = "public.ecr.aws/nginx/nginx:{}"


def declaration(base=FARGATE, **options):
    """The base with options of its service changed."""
    declared = copy.deepcopy(base)
    item(declared, "services").update(options)
    return declared


def with_images_of_the_pipeline(**options):
    declared = declaration(ON_INSTANCES, image_owner="pipeline", **options)
    del item(declared, "task_definitions")["image_owner"]
    return declared


def override(declared, **container):
    changed = copy.deepcopy(declared)
    item(changed, "task_definitions")["containers"] = {"web": container}
    return changed


@pytest.fixture
def ecs(emulator):
    return emulator.client("ecs")


def deploy(ecs, image, **more):
    """What a pipeline does: register the current revision with another image, and nothing else."""
    current = ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]
    container = {**current["containerDefinitions"][0], "image": image}
    names = ("family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn", "taskRoleArn")
    kept = {name: current[name] for name in names if name in current}
    return ecs.register_task_definition(**kept, containerDefinitions=[container], **more)["taskDefinition"]


def running(ecs):
    """What the service runs: revision and image."""
    service = ecs.describe_services(cluster="web", services=["web"])["services"][0]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    return task["revision"], task["containerDefinitions"][0]["image"].rsplit(":", 1)[1]


def test_a_pipelines_image_is_never_reverted_and_its_newest_revision_is_used(runner, ecs):
    declared = with_images_of_the_pipeline()
    runner.make(declared)
    assert running(ecs) == (1, "1.27")
    deploy(ecs, IMAGE.format("1.30"))
    changed = runner.make(declared)
    assert [item["path"] for item in changed.change(SERVICE)["differences"]] == ["taskDefinition"]
    assert running(ecs) == (2, "1.30")
    runner.assert_nothing_to_do(declared)


def test_the_plan_says_who_owns_the_image(runner, ecs):
    declared = with_images_of_the_pipeline()
    runner.make(declared)
    deploy(ecs, IMAGE.format("1.30"))
    plan = runner.plan(declared).plan
    notes = [note for change in plan.changes for note in change.notes]
    assert notes == [
        f"containerDefinitions[web].image is owned by the pipeline: {IMAGE.format('1.30')} in AWS, left alone"
    ]


def test_other_changes_make_a_revision_on_top_of_the_pipelines_image(runner, ecs):
    declared = with_images_of_the_pipeline()
    runner.make(declared)
    deploy(ecs, IMAGE.format("1.30"))
    declared = override(declared, environment={"MODE": "fast"})
    changed = runner.make(declared)
    paths = [item["path"] for item in changed.change(TASK)["differences"]]
    assert "containerDefinitions[web].environment[MODE]" in paths
    assert "containerDefinitions[web].image" not in paths
    assert running(ecs) == (3, "1.30")
    runner.assert_nothing_to_do(declared)


def test_a_declared_image_comes_back_where_the_declaration_owns_it(runner, ecs):
    declared = declaration(ON_INSTANCES)
    runner.make(declared)
    deploy(ecs, IMAGE.format("1.30"))
    runner.make(declared)
    assert running(ecs) == (3, "1.27")


def test_a_pipelines_revision_without_tags_still_belongs_to_the_environment(runner, ecs):
    declared = with_images_of_the_pipeline()
    runner.make(declared)
    deploy(ecs, IMAGE.format("1.30"))
    changed = runner.make(declared)
    assert changed.done == [("update", "ecs_service", "web/web")]
    runner.make(declared, state="absent")
    assert ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"] == []


def test_overrides_of_the_latest_revision(runner, ecs):
    runner.make(FAMILY)
    declared = copy.deepcopy(FAMILY)
    options = {"family": "web", "from_latest": True, "containers": {"web": {"environment": {"MODE": "fast"}}}}
    declared["ecs"]["web"]["task_definitions"] = [options]
    changed = runner.make(declared)
    paths = [item["path"] for item in changed.change(TASK)["differences"]]
    assert paths == ["containerDefinitions[web].environment[MODE]"]
    runner.assert_nothing_to_do(declared)


def test_overrides_of_a_revision_that_is_not_there_are_refused_in_the_plan(runner):
    declared = {"ecs": {"web": {"task_definitions": [{"family": "web", "from_latest": True}]}}}
    with pytest.raises(PlanError, match="from_latest needs an active revision of the family in AWS"):
        runner.plan(declared)


def test_the_desired_count_stays_with_the_autoscaler(runner, ecs):
    declared = declaration(ON_INSTANCES, desired_count_owner="autoscaling")
    runner.make(declared)
    ecs.update_service(cluster="web", service="web", desiredCount=3)
    runner.assert_nothing_to_do(declared)


def test_a_run_waits_until_the_tasks_run(runner):
    declared = declaration(desired_count=2, wait_for_steady_state=True, wait_timeout=60)
    runner.progress.clear()
    runner.make(declared)
    assert "web/web: 2 of 2 tasks running, 0 pending" in runner.progress
    assert any("has reached a steady state" in line for line in runner.progress)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("web:crash", "container web exited with 1"),
        ("web:nopull", "CannotPullContainerError"),
    ],
)
def test_a_service_that_does_not_start_fails_the_run_with_the_reasons(runner, image, reason):
    declared = declaration(desired_count=1, wait_for_steady_state=True, wait_timeout=60)
    result = runner.run(override(declared, image=image))
    message = result.failures["web"]
    assert "did not reach a steady state" in message and reason in message
    assert ("create", "ecs_service", "web/web") not in result.done


def test_a_deployment_that_ecs_rolls_back_fails_the_run_and_is_tried_again(runner, ecs):
    declared = declaration(desired_count=1, wait_for_steady_state=True, wait_timeout=60)
    runner.make(declared)
    result = runner.run(override(declared, image="web:crash"))
    assert "rolling back" in result.failures["web"]
    assert running(ecs)[1] == "1.27"
    again = runner.plan(override(declared, image="web:crash"))
    assert [str(change.address) for change in again.plan.pending()] == [SERVICE]


def test_a_lost_answer_registers_no_second_revision(runner, emulator, ecs):
    emulator.faults({"service": "ecs", "action": "RegisterTaskDefinition", "fault": "after", "times": 1})
    runner.make(FAMILY)
    arns = ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"]
    assert [arn.rsplit(":", 1)[1] for arn in arns] == ["1"]


def test_a_lost_answer_of_an_update_registers_no_second_revision(runner, emulator, ecs):
    runner.make(FAMILY)
    emulator.faults({"service": "ecs", "action": "RegisterTaskDefinition", "fault": "after", "times": 1})
    runner.make(override(FAMILY, image=IMAGE.format("1.28")))
    assert len(ecs.list_task_definitions(familyPrefix="web")["taskDefinitionArns"]) == 2


def test_destroy_leaves_other_families_and_revisions_from_before(runner, ecs):
    before = {"containerDefinitions": [{"name": "web", "image": "web", "memory": 64}]}
    for family in ("web", "web-other"):
        ecs.register_task_definition(family=family, **before)
    runner.run(FAMILY)
    deploy(ecs, IMAGE.format("1.31"))
    runner.make(FAMILY, state="absent")
    left = [arn.rsplit("/", 1)[1] for arn in ecs.list_task_definitions()["taskDefinitionArns"]]
    assert sorted(left) == ["web-other:1", "web:1"]


def test_a_service_that_still_drains_is_made_again(runner, ecs):
    declared = declaration(desired_count=1, wait_for_steady_state=True, wait_timeout=60)
    runner.make(declared)
    ecs.delete_service(cluster="web", service="web", force=True)
    result = runner.make(declared)
    assert result.done == [("create", "ecs_service", "web/web")]


def test_one_call_updates_everything_at_once(runner, emulator):
    runner.make(FARGATE)
    emulator.reset_calls()
    runner.make(declaration(desired_count=1, health_check_grace_period_seconds=90, propagate_tags="SERVICE"))
    assert [call["action"] for call in emulator.calls()["calls"] if call["mutating"]] == ["UpdateService"]
