# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and SIGTERM at every stage of a real run, on every ansible-core at hand: nothing stays locked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art
from tests.integration.playbooks import ROOT, data_folder, play
from tests.integration.state_helpers import connect

BUCKET, TABLE = "art-service-terraform-state", "art-service-terraform-locks"
KEY = Paths().memory("ecr")
CORES = {
    "2.19": Path(sys.executable).with_name("ansible-playbook"),
    "2.20": ROOT / ".venv-2.20" / "bin" / "ansible-playbook",
}
HOW_TO = (
    "there is no .venv-2.20: python3.12 -m venv .venv-2.20 && "
    ".venv-2.20/bin/pip install 'ansible-core==2.20.*' 'boto3>=1.40'"
)
# SIGINT to the whole group, as a terminal sends it; SIGTERM to ansible-playbook alone, as a pipeline sends it.
STOPS = {"Ctrl-C": (signal.SIGINT,), "SIGTERM": (signal.SIGTERM,), "Ctrl-C twice": (signal.SIGINT, signal.SIGINT)}


@pytest.fixture(params=list(CORES))
def core(request):
    if not CORES[request.param].exists():
        pytest.skip(HOW_TO)
    return CORES[request.param]


@pytest.fixture
def inventory(emulator, tmp_path):
    """art with its bucket, and a layer that has something to do."""
    folder = shutil.copytree(art.INVENTORY, tmp_path / "art")
    made = play(emulator, "playbooks/site.yml", "--tags", "state_bucket", inventory=folder)
    assert made.code == 0, made.failed_messages()
    emulator.reset_calls()
    return folder


class Playing:
    """A real run in the background."""

    def __init__(self, emulator, core, inventory, tmp_path, **setting):
        self._emulator = emulator
        self.output = tmp_path / "output"
        state = {"dockyard_remote_state": {"bucket": BUCKET, "lock_table": TABLE, **setting}}
        keep = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_", "PYTHON"))
        }
        collections = [ROOT / ".collections", *ROOT.glob(".venv/lib/python3*/site-packages")]
        variables = {
            **keep,
            **emulator.environment(),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, collections)),
            "DOCKYARD_DATA_DIR": data_folder(emulator),
            # What it says is read while it runs.
            "PYTHONUNBUFFERED": "1",
        }
        command = [str(core), "playbooks/site.yml", "-i", str(inventory), "--tags", "ecr", "-e", json.dumps(state)]
        with self.output.open("w", encoding="utf-8") as stream:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=variables, stdout=stream, stderr=stream, start_new_session=True
            )

    def until(self, condition):
        deadline = time.monotonic() + 90
        while not condition():
            assert time.monotonic() < deadline and self.process.poll() is None, self.output.read_text()
            time.sleep(0.1)

    def until_called(self, call):
        self.until(lambda: call in self._emulator.calls()["log"])

    def stop(self, signals):
        """Send them half a second apart; it has to end soon, and not well."""
        for number in signals:
            if self.process.poll() is None:
                if number == signal.SIGINT:
                    os.killpg(self.process.pid, number)
                else:
                    self.process.send_signal(number)
                time.sleep(0.5)
        assert self.process.wait(60) != 0, self.output.read_text()


def held(emulator):
    items = emulator.client("dynamodb").scan(TableName=TABLE)["Items"]
    return [item["LockID"]["S"] for item in items if "Info" in item]


def ends_unlocked(emulator):
    """Also where a worker still unlocks after ansible-playbook has ended."""
    deadline = time.monotonic() + 30
    while held(emulator):
        assert time.monotonic() < deadline, held(emulator)
        time.sleep(0.1)


def completed(emulator, inventory):
    """The next run, with the ansible-core of all other tests, finds nothing in its way."""
    emulator.faults()
    done = play(emulator, "playbooks/site.yml", "--tags", "ecr", inventory=inventory)
    assert done.code == 0, done.failed_messages()
    body = emulator.client("s3").get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    entries = document.parse(body, KEY).memory.resources
    assert entries and not [entry for entry in entries.values() if entry.pending]
    assert len(emulator.client("ecr").describe_repositories()["repositories"]) == 1


@pytest.mark.parametrize("stop", STOPS)
def test_while_it_plans(emulator, core, inventory, tmp_path, stop):
    emulator.faults({"fault": "latency", "service": "ecr", "action": "DescribeRepositories", "seconds": 8})
    playing = Playing(emulator, core, inventory, tmp_path)
    playing.until_called("ecr:DescribeRepositories")
    playing.stop(STOPS[stop])
    assert held(emulator) == [] and emulator.calls()["mutating"] == 0
    completed(emulator, inventory)


@pytest.mark.parametrize("stop", STOPS)
def test_while_it_waits_for_a_lock(emulator, core, inventory, tmp_path, stop):
    lock = Backend(BUCKET, TABLE).lock(connect(emulator), KEY)
    with lock.held("something else") as info:
        playing = Playing(emulator, core, inventory, tmp_path, lock_timeout=600)
        playing.until(lambda: "waiting for the lock of" in playing.output.read_text())
        playing.stop(STOPS[stop])
        assert [holder.id for holder in lock.holders().values()] == [info.id], "the lock of others stays"
    assert emulator.client("ecr").describe_repositories()["repositories"] == []
    completed(emulator, inventory)


@pytest.mark.parametrize("stop", STOPS)
def test_while_it_carries_out(emulator, core, inventory, tmp_path, stop):
    emulator.faults({"fault": "latency", "service": "ecr", "action": "CreateRepository", "seconds": 5})
    playing = Playing(emulator, core, inventory, tmp_path)
    playing.until_called("ecr:CreateRepository")
    assert held(emulator) == [f"{BUCKET}/{KEY}"]
    playing.stop(STOPS[stop])
    ends_unlocked(emulator)
    completed(emulator, inventory)


@pytest.mark.parametrize("stop", STOPS)
def test_while_it_writes_what_it_did(emulator, core, inventory, tmp_path, stop):
    """The documents come after the things: PutObject is slow from the second one on."""
    emulator.faults({"fault": "latency", "service": "s3", "action": "PutObject", "seconds": 3, "skip": 1, "times": 9})
    playing = Playing(emulator, core, inventory, tmp_path)
    playing.until(lambda: emulator.calls()["log"].count("s3:PutObject") > 1)
    playing.stop(STOPS[stop])
    ends_unlocked(emulator)
    completed(emulator, inventory)
