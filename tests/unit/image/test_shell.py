# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of builders: progress, failures, time limits, secrets."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.image import shell
from ansible_collections.dockyard.aws.plugins.module_utils.image.shell import BuilderFailed, Shell
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import heartbeat


def run(script, progress=None, secrets=(), environment=None, timeout=20):
    one = Shell(environment, secrets, (progress if progress is not None else []).append)
    return one.run(["/bin/sh", "-c", script], "the build", timeout)


@pytest.mark.parametrize(
    "line",
    ["STEP 2/5: COPY . /", "Step 2/5 : COPY . /", "#7 [build 2/5] COPY . /", "#7 [2/5] COPY . /"],
)
def test_steps_are_progress(line):
    progress = []
    lines = run(f"echo '{line}'; echo '#1 [internal] load'; echo ' ---> abc'", progress)
    assert progress == [line] and len(lines) == 3


def test_a_long_silence_is_broken(monkeypatch):
    monkeypatch.setattr(heartbeat, "SECONDS", 0.05)
    monkeypatch.setattr(shell, "SILENCE", 0.2)
    progress, started = [], time.monotonic()
    run("echo 'STEP 1/1: RUN make'; sleep 0.5", progress)
    assert progress[0] == "STEP 1/1: RUN make" and progress[1].startswith("the build goes on, for ")
    assert len(progress) <= 1 + (time.monotonic() - started) / 0.2


def test_a_failure_shows_the_end_of_the_output():
    with pytest.raises(BuilderFailed) as caught:
        run("i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); done; exit 3")
    text = str(caught.value)
    assert text.startswith("the build failed (sh exited with 3)\n  the last 30 of 40 lines:\n      line 10\n")
    assert text.endswith("line 39")


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("exec /bin/sh: exec format error", "install QEMU"),
        ("unexpected status: 403 Forbidden", "The registry refused the login"),
        (
            "tag invalid: The image tag already exists and cannot be overwritten because the tag is immutable",
            "run again",
        ),
        ("dial tcp: lookup registry: no such host", "could not be reached"),
        ("write /blob: no space left on device", "The disk is full"),
        ("http: server gave HTTP response to HTTPS client", "validate_certs: false"),
    ],
)
def test_what_is_known_of_a_failure_is_said(said, advice):
    with pytest.raises(BuilderFailed, match=advice):
        run(f"echo '{said}'; exit 1")


def test_secrets_are_shown_neither_as_progress_nor_in_failures():
    progress = []
    with pytest.raises(BuilderFailed) as caught:
        run(
            'echo "STEP 1/1: RUN $A"; echo "key $A"; echo second; exit 1',
            progress,
            ["s3cret", "first\nsecond"],
            {"A": "s3cret"},
        )
    assert progress == ["STEP 1/1: RUN ********"]
    assert "s3cret" not in str(caught.value) and "second" not in str(caught.value)


def runs(process):
    """Whether a process is there, and not only waits to be forgotten by its parent."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("end", ["wait", "exit 0"])
def test_what_takes_too_long_ends_with_everything_that_it_started(tmp_path, end):
    note = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(BuilderFailed, match="took longer than 1 seconds and was stopped"):
        run(f"sleep 60 & echo $! > {note}; {end}", timeout=1)
    assert time.monotonic() - started < 20
    deadline = time.monotonic() + 10
    while runs(int(note.read_text())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(int(note.read_text()))


def test_a_command_that_is_not_there_is_named():
    with pytest.raises(BuilderFailed, match="the build: /no/such/builder cannot be run: No such file"):
        Shell().run(["/no/such/builder"], "the build", 5)
