# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ours and of the real Terraform on the same key: they wait for each other, and each says who the other is."""

from __future__ import annotations

import time

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import terraform
from tests.integration.killing import Mortal
from tests.integration.state_helpers import BACKENDS, BUCKET, KEY, TABLE, connect, make
from tests.integration.terraform import Terraform, backend, s3_settings

pytestmark = terraform.needed

SETTINGS = {"dynamodb": {"bucket": BUCKET, "lock_table": TABLE}, "s3": {"bucket": BUCKET}}
ECR = {"ecr": {"web": {"repositories": [{"name": "alpha"}]}}}
STACK = 'resource "terraform_data" "x" {\n  input = "x"\n}\noutput "x" {\n  value = terraform_data.x.output\n}\n'
STALL = 'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 20"\n  }\n}\n'


@pytest.fixture(scope="module")
def mortal(emulator_process):
    return Mortal(emulator_process)


@pytest.fixture(params=list(SETTINGS))
def kind(request, emulator):
    make(emulator)
    return request.param


@pytest.fixture
def options(kind, tmp_path):
    return {"base_dir": str(tmp_path), "remote_state": SETTINGS[kind]}


def holders(emulator, kind, wait=0.0):
    """Who holds the lock; looked at until somebody does, for so many seconds."""
    lock, deadline = BACKENDS[kind].lock(connect(emulator), KEY), time.monotonic() + wait
    while not (found := list(lock.holders().values())) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_terraform_waits_for_a_run_and_says_what_it_does(runner, emulator, mortal, options, kind, tmp_path):
    stack = Terraform(tmp_path / "stack", backend(emulator.url, kind) + STACK).init()
    emulator.faults({"fault": "latency", "service": "ecr", "action": "CreateRepository", "seconds": 8})

    def carry_out(planned):
        return running.carry_out(planned, "ecr", planned.hosts, print)["failures"]

    run = mortal.start(runner, lambda: runner.plan(ECR, **options), carry_out)
    run.go()
    [info] = holders(emulator, kind, wait=30)
    said = stack.apply(fails=True)
    for part in ("Error acquiring the state lock", info.id, f"{BUCKET}/{KEY}", "apply ecr", info.who, "dockyard.aws"):
        assert part in said
    waiting = stack.start("apply", "-auto-approve", "-no-color", "-lock-timeout=90s")
    assert run.result() == {}
    assert "Apply complete" in waiting.communicate(timeout=120)[0]
    assert holders(emulator, kind) == []
    # Terraform has dropped our memory from the document; it comes back, and Terraform's part of it stays.
    assert runner.run(ECR, **options).changes == []
    found = document.parse(emulator.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read(), KEY)
    assert [address.name for address in found.memory.resources] == ["alpha"]
    assert [resource["type"] for resource in found.resources] == ["terraform_data"]
    assert "No changes" in stack.run("plan", "-detailed-exitcode", "-no-color")


def test_a_run_says_that_terraform_is_at_it(runner, emulator, options, kind, tmp_path):
    stack = Terraform(tmp_path / "stack", backend(emulator.url, kind) + STALL).init()
    running_apply = stack.start("apply", "-auto-approve", "-no-color")
    try:
        [info] = holders(emulator, kind, wait=60)
        refused = runner.run(ECR, **options)
    finally:
        running_apply.kill()
        running_apply.communicate()
    assert refused.done == []
    for part in ("OperationTypeApply", info.who, f"since {info.created}", f"remove lock {info.id}: "):
        assert part in refused.failures["web"]


def test_terraforms_force_unlock_frees_what_a_killed_run_left(runner, emulator, mortal, options, kind, tmp_path):
    stack = Terraform(tmp_path / "stack", backend(emulator.url, kind)).init()
    # The second reading is the one under the lock.
    call = {"service": "ecr", "action": "DescribeRepositories"}
    assert mortal.killed_at(2, runner, lambda _none: runner.run(ECR, **options) and None, **call)
    [info] = holders(emulator, kind)
    assert f"remove lock {info.id}" in runner.run(ECR, **options).failures["web"]
    stack.run("force-unlock", "-force", "-no-color", info.id)
    assert runner.make(ECR, **options).done == [("create", "ecr_repository", "alpha")]


def test_terraform_remote_state_reads_what_a_run_made(runner, emulator, options, tmp_path):
    runner.make(ECR, **options)
    config = s3_settings(emulator.url, Paths().outputs("ecr", "web"))
    reader = Terraform(
        tmp_path / "reader",
        f'data "terraform_remote_state" "ours" {{\n backend = "s3"\n config = {{ {config} }}\n}}\n'
        'output "arn" {\n value = data.terraform_remote_state.ours.outputs.ecr_repository.alpha.arn\n}\n',
    ).init()
    reader.apply()
    assert reader.outputs()["arn"].endswith(":repository/alpha")
