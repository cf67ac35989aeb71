# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts by the real playbooks on ministack, whose scheduler, circuit breaker and load balancer others wrote."""

from __future__ import annotations

import pytest

from tests.integration.engine import Runner
from tests.integration.playbooks import forget
from tests.integration.rollouts import TAGS, Shop, declarations, push, visitors

pytestmark = pytest.mark.xdist_group("rollouts")


@pytest.fixture(scope="module")
def shop(ministack_process, tmp_path_factory):
    """One environment for all: each test takes what runs before it for the old revision."""
    ministack_process.reset()
    forget(ministack_process)
    runner, given = Runner(ministack_process), declarations()
    given["ecs"]["worker"]["services"][0]["deploy_tasks"] = None
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ministack_process.environment().items():
            patch.setenv(name, value)
        runner.patch(patch)
        runner.make({"ecr": given["ecr"]})
        for tag in TAGS:
            push(ministack_process, tag)
        runner.make(given)
    return Shop(ministack_process, tmp_path_factory.mktemp("shop"))


def test_no_request_fails_in_a_deploy_and_in_the_way_back(ministack_process, shop):
    before, digest = shop.running(), push(ministack_process, "v2")
    with visitors(ministack_process) as seen:
        deployed = shop.deploy("v2")
        assert deployed.code == 0, deployed.text
        after = shop.running()
        assert (after != before, shop.image(after)) == (True, digest)
        assert f"web/web: deployed\n  {before} → {after}" in deployed.text
        assert f"{after} runs with 2 of 2 tasks" in deployed.text
        back = shop.play("rollback")
        assert back.code == 0, back.text
        assert f"web/web: rolled back\n  {after} → {before}" in back.text
    assert seen.failures == []
    assert (shop.running(), seen.answers[0], seen.answers[-1]) == (before, "v1", "v1")
    assert "v2" in seen.answers and len(seen.answers) > 100
    assert [item["rolloutState"] for item in shop.service()["deployments"]] == ["COMPLETED"]


FAILING = [
    ("crash", "web", (), "circuit breaker", ("container web exited with 1", "fatal: cannot go on"), "ECS went back"),
    ("nopull", "web", (), "circuit breaker", ("CannotPullContainerError", "TaskFailedToStart"), "ECS went back"),
    ("exit0", "worker", (), "its tasks keep dying: ", ("container worker exited with 0",), "It was taken back"),
    ("slow", "web", ("-e", "deploy_timeout=2"), "time limit: it did not end within 2 s", (), "It was taken back"),
]


@pytest.mark.parametrize(("tag", "host", "arguments", "why", "causes", "back"), FAILING)
def test_a_deployment_that_fails_is_told_and_the_old_revision_runs_on(
    ministack_process, shop, tag, host, arguments, why, causes, back
):
    before, revisions = shop.running(host), shop.revisions(host)
    with visitors(ministack_process) as seen:
        played = shop.deploy(tag, *arguments, host=host)
    message = played.failed_messages()
    assert played.code == 2 and why in message, played.text
    for cause in causes:
        assert cause in message
    assert f"{back}: {before} runs with 2 of 2 tasks." in message
    assert (shop.running(host), shop.revisions(host)) == (before, revisions)
    assert shop.service(host)["runningCount"] == 2
    assert (seen.failures, set(seen.answers) - {"slow"}) == ([], {"v1"})
    report = shop.report()
    assert report["services"][0]["status"] == "failed" and why in report["failures"][host]


def test_an_image_that_is_not_there_is_refused_before_anything_changes(shop):
    before = shop.seen()
    played = shop.deploy("v9")
    assert played.code == 2
    assert "has no image with the tag 'v9'; nearest tags: v" in played.failed_messages()
    assert shop.seen() == before


def test_a_migration_that_fails_stops_the_deploy_before_the_service_is_touched(shop):
    _tasks, *before = shop.seen()
    played = shop.deploy("v3", "-e", "migration_code=3", host="worker")
    message = played.failed_messages()
    assert played.code == 2
    assert "the one-off task 'migrate' failed: container worker exited with 3" in message
    assert "the work is done, exit code 3" in message
    assert f"The service was not touched: {shop.running('worker')} runs on." in message
    _tasks, *after = shop.seen()
    assert after == before


def test_a_migration_runs_with_the_new_revision_before_the_service_does(shop):
    played = shop.deploy("v3", host="worker")
    assert played.code == 0, played.text
    task = shop.report()["services"][0]["tasks"][0]
    assert (task["exit_code"], task["task_definition"]) == (0, shop.running("worker"))
    assert "deploy: worker: migrate: | the work is done, exit code 0" in played.text


@pytest.mark.parametrize(("code", "ends"), [("0", 0), ("4", 2)])
def test_a_task_with_the_exit_code_and_the_log(shop, code, ends):
    played = shop.play("run_task", "-e", f'{{"task_command": ["exit", "{code}"]}}')
    assert played.code == ends, played.text
    assert f"| the work is done, exit code {code}" in played.text
    report = shop.report()
    assert (report["exit_code"], report["task_definition"]) == (int(code), shop.running())
