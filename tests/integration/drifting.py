# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An environment that a run made and recorded, and what drift tells once somebody has changed it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.layers import drift_run
from tests.integration.test_state_runs import PATHS, read


class World:
    """The environment on the emulator: clients, and what was made, by its address."""

    def __init__(self, emulator: Any, attributes: dict[str, dict[str, Any]]) -> None:
        self.emulator = emulator
        self.attributes = attributes
        self._clients: dict[str, Any] = {}

    def __getattr__(self, service: str) -> Any:
        return self.client(service)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.emulator.client(service)
        return self._clients[service]

    def id(self, address: str) -> str:
        return str(self.attributes[address]["id"])

    def arn(self, address: str) -> str:
        return str(self.attributes[address]["arn"])


class Case(NamedTuple):
    """expected: path -> (applied, now); a function of the world where ids are in it; `...` where it is long."""

    change: Callable[[World], Any]
    address: str
    expected: dict[str, tuple[Any, Any]] | Callable[[World], dict[str, tuple[Any, Any]]]


class Applied:
    """An environment, made by a run that remembers."""

    def __init__(self, runner: Any, folder: Any, declared: Any, setting: Any) -> None:
        self.runner = runner
        self.declared = declared
        self.options = {"base_dir": str(folder), "remote_state": setting}
        self.runner.make(self.declared, **self.options)
        self.changed: set[str] = set()
        self._told: dict[str, dict[tuple[str, str], tuple[Any, Any]]] = {}
        memories = [self._read(PATHS.memory(layer)).memory for layer in declared]
        self.layers = {str(address): memory.layer for memory in memories for address in memory.resources}
        self.world = World(
            runner.emulator,
            {str(address): dict(entry.attributes) for item in memories for address, entry in item.resources.items()},
        )

    def _read(self, key: str) -> Any:
        return read(self.runner.emulator, key, self.options["remote_state"]["bucket"])

    def drift(self, declared: Any = None, **options: Any) -> dict[str, Any]:
        limits = {"hosts": None, "layers": None, "report": None, "junit": None}
        declared = self.declared if declared is None else declared
        params = {**self.runner.params(declared, **self.options), **limits, **options}
        return drift_run.run(params, self.runner.progress.append)

    def assert_told(self, case: Case) -> None:
        """Change what the case changes: that is told, and nothing else."""
        layer = self.layers[case.address]
        # What was told after the last change of this layer still is.
        before = self._told[layer] if layer in self._told else fields(self.drift(layers=[layer]))
        case.change(self.world)
        after = self._told[layer] = fields(self.drift(layers=[layer]))
        assert before.items() <= after.items()
        same({key: values for key, values in after.items() if key not in before}, expected(case, self.world))


def fields(result):
    return {(item["address"], item["path"]): (item["applied"], item["now"]) for item in result["findings"]}


def expected(case, world):
    by_path = case.expected(world) if callable(case.expected) else case.expected
    return {(case.address, path): values for path, values in by_path.items()}


def same(found, wanted):
    """`...` stands for any value that is there."""
    assert found.keys() == wanted.keys(), f"{found} and not {wanted}"
    for key, values in wanted.items():
        for got, value in zip(found[key], values, strict=True):
            assert got is not None if value is ... else got == value, f"{key}: {got} and not {value}"
