# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the real ansible-playbook, and reading what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import WeakKeyDictionary

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Played:
    """One ansible-playbook run. results: (action, host, result) in order. text: what a person would have read."""

    code: int
    text: str
    results: list[tuple[str, str, dict[str, Any]]]
    stats: dict[str, dict[str, int]]

    def plan(self) -> list[tuple[str, str, str]]:
        return _keys(result for action, _host, result in self.results if action == "dockyard.aws.plan")

    def done(self) -> list[tuple[str, str, str]]:
        layers = [r for action, _host, r in self.results if action != "dockyard.aws.plan" and "changes" in r]
        return _keys(layers)

    @property
    def changed(self) -> int:
        return sum(stats["changed"] for stats in self.stats.values())

    def failed_messages(self) -> str:
        return "\n".join(str(result.get("msg")) for _action, _host, result in self.results if result.get("failed"))


def _keys(results: Any) -> list[tuple[str, str, str]]:
    return [(item["action"], item["kind"], item["name"]) for result in results for item in result["changes"]]


_FOLDERS: WeakKeyDictionary[Any, TemporaryDirectory[str]] = WeakKeyDictionary()


def data_folder(emulator: Any) -> str:
    """Where the state of an emulator's account is kept until there is a bucket: not in the inventory."""
    if emulator not in _FOLDERS:
        _FOLDERS[emulator] = TemporaryDirectory(prefix="dockyard-test-")
    return _FOLDERS[emulator].name


def forget(emulator: Any) -> None:
    """The account is empty again, and nothing is remembered of it."""
    if emulator in _FOLDERS:
        _FOLDERS.pop(emulator).cleanup()


def play(
    emulator: Any,
    playbook: str | Path,
    *arguments: str,
    inventory: str | Path = "inventories/art",
    environment: dict[str, str] | None = None,
    stdin: str | None = None,
) -> Played:
    """Run a playbook against the emulator. Its results come through ansible's own JSON callback."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook), "-i", str(inventory), *arguments]
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
    variables = {
        **keep,
        **emulator.environment(),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "DOCKYARD_DATA_DIR": data_folder(emulator),
        "NO_COLOR": "1",
        **(environment or {}),
    }
    done = subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, input=stdin, timeout=300, check=False
    )
    return _read(done.returncode, done.stdout, done.stderr)


def _read(code: int, output: str, errors: str) -> Played:
    start = output.find("\n{\n") + 1
    if not output[start:].startswith("{"):
        return Played(code, output + errors, [], {})
    report = json.JSONDecoder().raw_decode(output[start:])[0]
    results = [
        (task["task"].get("action", ""), host, result)
        for one in report["plays"]
        for task in one["tasks"]
        for host, result in task["hosts"].items()
    ]
    results = [(result.get("action", action), host, result) for action, host, result in results]
    return Played(code, output + errors, results, report["stats"])
