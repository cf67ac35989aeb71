# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning and carrying out declarations on the emulator, as the modules do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS

Declared = dict[str, dict[str, Any]]
Key = tuple[str, str, str]


@dataclass
class Run:
    """What a plan said and what the run did."""

    planned: list[Key]
    changes: list[dict[str, Any]]
    done: list[Key] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    would_remove: list[Key] = field(default_factory=list)
    unchanged: int = 0

    def change(self, address: str) -> dict[str, Any]:
        found = [item for item in self.changes if f"{item['kind']}/{item['name']}" == address]
        assert found, f"{address} is not in the plan: {[item['kind'] + '/' + item['name'] for item in self.changes]}"
        return found[0]


def keys(changes: list[dict[str, Any]]) -> list[Key]:
    return [(item["action"], item["kind"], item["name"]) for item in changes]


class Runner:
    """Keeps its sessions, so that the service models are read once and not in every test."""

    def __init__(self, emulator: Any) -> None:
        self.emulator = emulator
        self.progress: list[str] = []
        self._sessions: Sessions | None = None

    def patch(self, monkeypatch: Any) -> None:
        original = running._sessions

        def sessions(params: Any, progress: Any) -> Sessions:
            if params["environment_name"] != "test" or params.get("profiles"):
                return original(params, progress)
            if self._sessions is None:
                self._sessions = original(params, self.progress.append)
            return self._sessions

        monkeypatch.setattr(running, "_sessions", sessions)

    def params(self, declared: Declared, **options: Any) -> dict[str, Any]:
        return {
            "declared": {layer: declared[layer] for layer in LAYERS if layer in declared},
            "environment_name": "test",
            "account_id": self.emulator.account,
            "profiles": None,
            "tags": {"Project": "test"},
            "state": "present",
            "adopt": True,
            "ownership_tags": True,
            "parallelism": 16,
            "strict": True,
            "whole_inventory": True,
            "base_dir": "tests/integration/files",
            "region": "us-east-1",
            "endpoint_url": self.emulator.url,
            "offline": False,
            **options,
        }

    def plan(self, declared: Declared, **options: Any) -> running.PlannedRun:
        return running.plan(self.params(declared, **options), self.progress.append)

    def run(self, declared: Declared, **options: Any) -> Run:
        """Plan, and carry out every layer of the plan."""
        planned = self.plan(declared, **options)
        said = running.planned_result(planned)
        result = Run(keys(said["changes"]), said["changes"], unchanged=said["unchanged"])
        result.would_remove = keys(said["would_remove"])
        layers = [] if options.get("state") == "absent" else planned.layers
        answers = [running.carry_out(planned, layer, planned.hosts, self.progress.append) for layer in layers]
        for answer in [*answers, running.remove(planned, planned.hosts, self.progress.append)]:
            result.done += keys(answer["changes"])
            result.failures.update(answer["failures"])
            result.moved += answer["moved"]
        return result

    def make(self, declared: Declared, **options: Any) -> Run:
        """A run that must do exactly what its plan says."""
        result = self.run(declared, **options)
        assert not result.failures, "\n".join(result.failures.values())
        assert not result.moved, result.moved
        assert sorted(result.done) == sorted(result.planned)
        return result

    def assert_nothing_to_do(self, declared: Declared) -> None:
        """A further run plans nothing and makes no mutating call."""
        self.emulator.reset_calls()
        result = self.run(declared)
        shown = [(item["kind"], item["name"], item["differences"]) for item in result.changes]
        assert shown == [], f"a second run would change {shown}"
        calls = self.emulator.calls()
        assert calls["mutating"] == 0, [item for item in calls["calls"] if item["mutating"]]
