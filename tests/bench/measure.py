# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook once and says what it cost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
RECAP = re.compile(r"\schanged=(\d+)")


class RunFailed(Exception):
    """A playbook ended with an error; the message is what a person needs to see of it."""


@dataclass(frozen=True)
class Side:
    """One of the two playbooks that are compared."""

    name: str
    playbook: str
    inventory: str
    config: str
    more: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """What follows ansible-playbook on the command line."""
        return [self.playbook, "-i", self.inventory, *self.more]


@dataclass
class Cost:
    """What one run of a playbook took."""

    calls: int
    changing_calls: int
    cpu_seconds: float
    wall_seconds: float
    changed: int
    actions: dict[str, int] = field(default_factory=dict)


def environment(emulator: Any, side: Side, home: Path) -> dict[str, str]:
    """The caller's environment without anything of AWS and Ansible, and with the emulator in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
    return {
        **kept,
        **emulator.environment(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "ANSIBLE_CONFIG": str(ROOT / side.config),
        "ANSIBLE_HOME": str(home),
        "DOCKYARD_DATA_DIR": str(home / "dockyard"),
        "NO_COLOR": "1",
    }


def measure(side: Side, emulator: Any, folder: Path) -> Cost:
    """Run the playbook of a side once, in the foreground."""
    emulator.reset_calls()
    output = folder / "output.log"
    variables = environment(emulator, side, folder / "ansible")
    started = time.monotonic()
    with output.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            [str(PLAYBOOK), *side.arguments()], cwd=ROOT, env=variables, stdout=file, stderr=subprocess.STDOUT
        )
        usage = wait(process)
    wall = time.monotonic() - started
    text = output.read_text(encoding="utf-8", errors="replace")
    if process.returncode:
        command = " ".join(["ansible-playbook", *side.arguments()])
        raise RunFailed(f"{command} ended with exit code {process.returncode}:\n{excerpt(text)}")
    calls = emulator.calls()
    return Cost(
        calls=calls["total"],
        changing_calls=calls["mutating"],
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        wall_seconds=wall,
        changed=sum(int(count) for count in RECAP.findall(text)),
        actions={f"{one['service']}:{one['action']}": one["count"] for one in calls["calls"]},
    )


def wait(process: subprocess.Popen[Any]) -> Any:
    """Wait for a process; the resources that it and all processes under it have used."""
    try:
        _pid, status, usage = os.wait4(process.pid, 0)
    except KeyboardInterrupt:
        # The terminal has interrupted the playbook too; it is left the time to clean up.
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def excerpt(text: str, lines: int = 40) -> str:
    """From the first error on, or else the end."""
    all_lines = text.rstrip().splitlines()
    first = next((n for n, line in enumerate(all_lines) if line.startswith(("[ERROR]", "fatal:", "failed:"))), None)
    shown = all_lines[-lines:] if first is None else all_lines[first : first + lines]
    return "\n".join(f"    {line[:400]}" for line in shown)
