# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real Terraform and this collection on one state: each reads the other's, and waits for the other's locks."""

from __future__ import annotations

import time

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import LockHeld
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry, Memory
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import ABSENT
from tests.integration import terraform
from tests.integration.state_helpers import BACKENDS, KEY, PATH, connect, item, make, md5
from tests.integration.terraform import Terraform, backend, s3_settings

pytestmark = terraform.needed

VALUES = {
    "url": "http://x/?a=1&b=<2>",
    "count": 3,
    "ratio": 1.5,
    "on": True,
    "names": ["a", "b"],
    "nothing_in_it": [],
    "mixed": ["a", 1, None, {"deep": [True]}],
    "network": {"vpc": "vpc-1", "subnets": ["s-1", "s-2"]},
    "ümlaut": "größe",
}
MEMORY = Memory("art", "ecr", resources={Address("ecr_repository", "web"): Entry(host="web", attributes={"id": "web"})})


@pytest.fixture(scope="module")
def _aws(emulator_process):
    return connect(emulator_process)


@pytest.fixture
def aws(_aws, emulator):
    make(emulator)
    return _aws


@pytest.fixture(params=list(BACKENDS))
def kind(request):
    return request.param


def write(aws, kind="dynamodb"):
    """A document of ours, with everything that an output can be."""
    outputs = {name: Output(value) for name, value in VALUES.items()}
    made = document.successor(None, {**outputs, "password": Output("secret", sensitive=True)}, MEMORY)
    return BACKENDS[kind].store(aws).write(KEY, document.render(made), ABSENT)


def read(aws, kind="dynamodb"):
    return document.parse(BACKENDS[kind].store(aws).read(KEY).body, KEY)


def configuration(emulator, kind, value="x"):
    """A stack with one resource and one output."""
    stack = (
        f'resource "terraform_data" "x" {{\n  input = "{value}"\n}}\n'
        'output "x" {\n  value = terraform_data.x.output\n}\n'
    )
    return backend(emulator.url, kind) + stack


def test_terraform_remote_state_reads_our_outputs(aws, emulator, tmp_path):
    write(aws)
    ours, config = "data.terraform_remote_state.ours.outputs", s3_settings(emulator.url)
    names = "".join(f'output "{name}" {{\n value = {ours}["{name}"]\n}}\n' for name in VALUES)
    reader = Terraform(
        tmp_path,
        f'data "terraform_remote_state" "ours" {{\n backend = "s3"\n config = {{ {config} }}\n}}\n{names}'
        f'output "password" {{\n value = {ours}.password\n sensitive = true\n}}\n'
        f'output "first" {{\n value = [for one in {ours}.network.subnets : upper(one)][0]\n}}\n',
    ).init()
    reader.apply()
    assert reader.outputs() == {**VALUES, "password": "secret", "first": "S-1"}


def test_types_and_bytes_are_those_of_terraform(tmp_path):
    """Terraform's own state of the same outputs, read and written again by us, is the same, byte by byte."""
    stack = Terraform(
        tmp_path,
        "".join(
            f'output "{name}" {{\n value = {value}\n}}\n'
            for name, value in {
                "text": '"<a> & b\\u2028 ü"',
                "count": "3",
                "ratio": "1.5",
                "on": "true",
                "names": '["a", "b"]',
                "empty": "[]",
                "mixed": '["a", 1, null, { deep = [true] }]',
                "network": '{ vpc = "v", subnets = ["s"] }',
            }.items()
        )
        + 'output "secret" {\n value = "x"\n sensitive = true\n}\n',
    ).init()
    stack.apply()
    theirs = (tmp_path / "terraform.tfstate").read_bytes()
    parsed = document.parse(theirs, "x")
    assert document.render(parsed) == theirs
    derived = {name: Output(output.value, output.sensitive) for name, output in parsed.outputs.items()}
    assert document.successor(parsed, derived) is None


def test_terraform_waits_for_our_lock_and_says_who_holds_it(aws, emulator, tmp_path, kind):
    stack = Terraform(tmp_path, configuration(emulator, kind)).init()
    with BACKENDS[kind].lock(aws, KEY, "dockyard.aws 1.0").held("apply ecr") as info:
        said = stack.apply(fails=True)
        for part in ("Error acquiring the state lock", info.id, PATH, "apply ecr", info.who, "dockyard.aws 1.0"):
            assert part in said
        assert info.created[:19].replace("T", " ") in said
        waiting = stack.start("apply", "-auto-approve", "-no-color", "-lock-timeout=60s")
        time.sleep(1)
        assert waiting.poll() is None
    assert "Apply complete" in waiting.communicate(timeout=90)[0]
    assert read(aws, kind).outputs["x"].value == "x"


def test_terraforms_force_unlock_works_on_ours(aws, emulator, tmp_path, kind):
    stack = Terraform(tmp_path, configuration(emulator, kind)).init()
    lock, said = BACKENDS[kind].lock(aws, KEY), []
    with lock.held("apply ecr", progress=said.append) as info:
        assert "does not match" in stack.run("force-unlock", "-force", "-no-color", "no-such-id", fails=True)
        stack.run("force-unlock", "-force", "-no-color", info.id)
        assert lock.holders() == {}
    assert said == []


def test_we_report_terraforms_lock_and_break_it(aws, emulator, tmp_path, kind):
    """Terraform sits in its apply while we look."""
    stall = backend(emulator.url, kind) + (
        'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 20"\n  }\n}\n'
    )
    stack = Terraform(tmp_path, stall).init()
    running = stack.start("apply", "-auto-approve", "-no-color")
    try:
        lock, deadline = BACKENDS[kind].lock(aws, KEY), time.monotonic() + 60
        while len(lock.holders()) < 1 + (kind == "both") and time.monotonic() < deadline:
            time.sleep(0.1)
        with pytest.raises(LockHeld, match="OperationTypeApply.*remove lock ") as caught:
            lock.acquire("x")
        holder = caught.value.holders[0]
        assert (holder.operation, holder.path) == ("OperationTypeApply", PATH)
        assert "@" in holder.who and holder.version.startswith("1.") and holder.created.endswith("Z")
        found = lock._places[0].holder()
        assert holder.as_text() == found  # byte by byte what Terraform wrote
        assert set(lock.force_unlock(holder.id)) == {holder}
        assert lock.holders() == {}
    finally:
        running.kill()
        running.communicate()


def test_we_read_terraforms_state_and_terraform_goes_on_from_ours(aws, emulator, tmp_path):
    stack = Terraform(tmp_path, configuration(emulator, "dynamodb")).init()
    stack.apply()
    store = BACKENDS["dynamodb"].store(aws)
    stored = store.read(KEY)
    assert not stored.warning and item(emulator, f"{PATH}-md5")["Digest"] == md5(stored.body)
    theirs = document.parse(stored.body, KEY)
    assert document.render(theirs) == stored.body
    assert theirs.memory is None and theirs.resources[0]["type"] == "terraform_data"
    ours = document.successor(theirs, {**theirs.outputs, "ours": Output(1)}, MEMORY)
    store.write(KEY, document.render(ours), stored)
    # It knows what it made, and nothing in our document bothers it.
    stack.configure(configuration(emulator, "dynamodb") + 'output "ours" {\n value = 1\n}\n')
    assert "No changes" in stack.run("plan", "-detailed-exitcode", "-no-color")
    # Once it writes, it drops our memory; that is then made anew from AWS.
    stack.configure(configuration(emulator, "dynamodb", "y"))
    stack.apply()
    after = read(aws)
    assert (after.serial > ours.serial, after.lineage, after.memory) == (True, ours.lineage, None)
    assert set(after.outputs) == {"x"}


def test_terraform_accepts_our_document_and_its_digest(aws, emulator, tmp_path):
    write(aws)
    stack = Terraform(tmp_path, backend(emulator.url, "dynamodb")).init()
    assert '"serial": 1' in stack.run("state", "pull")
