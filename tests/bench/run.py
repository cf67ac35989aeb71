# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark: what environments and websites cost with dockyard.aws, and with plain modules, on an emulator."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

import table  # noqa: E402
from created import resources  # noqa: E402
from measure import Cost, RunFailed, Side, measure  # noqa: E402
from publishing import Publishing  # noqa: E402

from emulator.client import Emulator  # noqa: E402

OURS = Side("dockyard.aws", "playbooks/site.yml", "inventories/art", "ansible.cfg")
PLAIN = Side(
    "plain modules", "tests/bench/plain/site.yml", "tests/bench/plain/inventory.yml", "tests/bench/plain/ansible.cfg"
)
SIDES = (OURS, PLAIN)
# There is no plain playbook of it.
LMS = Side(OURS.name, OURS.playbook, "inventories/lms", OURS.config)
PARTS = ("art", "lms", "publishing")
NAMES = [side.name for side in SIDES]
REGION = "us-east-1"


class Bench:
    """All runs of one environment: each side has an emulator of its own, and the runs of the two take turns."""

    def __init__(
        self, emulators: dict[str, Any], folder: Path, latency: float, sides: tuple[Side, ...] = SIDES
    ) -> None:
        self.emulators = emulators
        for emulator in emulators.values():
            emulator.reset()
        folder.mkdir()
        self.folder = folder
        self.sides = sides
        self.latency = latency
        self.first: dict[str, list[Cost]] = {}
        self.idle: dict[str, list[Cost]] = {name: [] for name in NAMES}
        self.existing: dict[str, dict[str, list[str]]] = {}
        self.failures: dict[str, str] = {}

    def bring_up(self) -> None:
        """The first run of each side, on an empty account."""
        for side in self.sides:
            cost = self.run(side, "from empty")
            if cost:
                emulator = self.emulators[side.name]
                self.first[side.name] = [cost]
                self.existing[side.name] = dict(resources(emulator.url, REGION))

    def repeat(self, runs: int) -> None:
        """The runs that have nothing to do, the two sides in turns."""
        for number in range(1, runs + 1):
            for side in self.sides:
                cost = None if side.name in self.failures else self.run(side, f"no change, {number} of {runs}")
                if cost:
                    self.idle[side.name].append(cost)

    def run(self, side: Side, title: str) -> Cost | None:
        """One measured run; a playbook that fails is told at once and ends the measuring of its side."""
        emulator = self.emulators[side.name]
        emulator.faults()
        if self.latency:
            emulator.faults({"fault": "latency", "seconds": self.latency, "times": sys.maxsize})
        try:
            cost = measure(side, emulator, self.folder)
        except RunFailed as error:
            self.failures[side.name] = str(error)
            tell(f"{side.name}, {title}: FAILED\n{error}")
            return None
        finally:
            emulator.faults()
        tell(f"{side.name}, {title}: {cost.calls} API calls, {cost.cpu_seconds:.1f} CPU s, {cost.wall_seconds:.1f} s")
        return cost

    def report(self, machine: dict[str, Any], runs: int) -> str:
        """The table and what has to be said about it."""
        heading = "".join(f"{name:>14}" for name in NAMES)
        lines = [
            "",
            f"{'':<24}{heading}{'plain : dockyard':>18}",
            *table.block("First run, from empty", self.first, NAMES),
            *table.block(f"Run without changes, median of {runs}", self.idle, NAMES),
            "",
            table.MEANING,
            "",
            "Measured on " + ", ".join(f"{name} {value}" for name, value in machine.items()),
            "Latency added to each API call: " + (f"{self.latency * 1000:.0f} ms" if self.latency else "none"),
            "Each run without changes",
            *table.spread(self.idle),
            "Most called in a run without changes",
            *table.busiest(self.idle),
        ]
        lines += [
            "Left out of the plain playbook, because the modules cannot do it",
            *table.left_out(ROOT / PLAIN.playbook),
        ]
        if len(self.existing) == len(NAMES):
            apart = [*table.differences(self.existing, NAMES)] or ["  nothing"]
            lines += ["What exists in other numbers after the first run", *apart]
        return "\n".join(lines)

    def report_alone(self, title: str, runs: int) -> str:
        """What there is to say where nothing is compared."""
        names = [side.name for side in self.sides]
        lines = [
            "",
            f"{title:<24}" + "".join(f"{name:>14}" for name in names),
            *table.block("First run, from empty", self.first, names),
            *table.block(f"Run without changes, median of {runs}", self.idle, names),
            "Most called in a run without changes",
            *table.busiest(self.idle),
        ]
        return "\n".join(lines)

    def as_json(self, machine: dict[str, Any]) -> dict[str, Any]:
        """Everything that was measured."""
        sides = {
            name: {
                "first": asdict(self.first[name][0]) if name in self.first else None,
                "no_change": [asdict(cost) for cost in self.idle[name]],
                "no_change_median": table.medians(self.idle[name]) if self.idle[name] else None,
                "exists": self.existing.get(name),
                "failure": self.failures.get(name),
            }
            for name in (side.name for side in self.sides)
        }
        return {"machine": machine, "latency_seconds": self.latency, "sides": sides}


def tell(text: str) -> None:
    """Progress, beside the result on standard output."""
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """What can be chosen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs without changes, default %(default)s")
    parser.add_argument("--latency", type=float, default=0, metavar="MS", help="milliseconds added to each API call")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single measure to this file as well")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure, default all")
    chosen = parser.parse_args()
    if chosen.runs < 1 or chosen.latency < 0:
        parser.error("--runs is at least 1, --latency at least 0")
    return chosen


def main() -> int:
    """Measure and report; only a playbook that fails makes the exit code other than 0."""
    chosen = arguments()
    machine, latency, failures = table.machine(), chosen.latency / 1000, []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dockyard-bench-")))
        emulators = {name: stack.enter_context(Emulator()) for name in NAMES}
        reports, measured = [], {}
        for part in chosen.parts:
            bench = Bench(emulators, folder / part, latency, (LMS,) if part == "lms" else SIDES)
            text, measured[part] = MEASURED[part](bench, machine, chosen.runs)
            reports.append(text)
            failures += [f"{part}, {name} FAILED: see above" for name in bench.failures]
    print("\n".join([*reports, *failures]))
    if chosen.json:
        chosen.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    return 1 if failures else 0


def art(bench: Bench, machine: dict[str, Any], runs: int) -> tuple[str, Any]:
    bench.bring_up()
    bench.repeat(runs)
    return bench.report(machine, runs), bench.as_json(machine)


def lms(bench: Bench, machine: dict[str, Any], runs: int) -> tuple[str, Any]:
    bench.bring_up()
    bench.repeat(runs)
    return bench.report_alone("lms", runs), bench.as_json(machine)


def publishing(bench: Bench, machine: dict[str, Any], runs: int) -> tuple[str, Any]:
    published = Publishing(bench.folder, bench.run)
    published.measure()
    return "\n".join(published.report()), published.as_json()


MEASURED = {"art": art, "lms": lms, "publishing": publishing}


if __name__ == "__main__":
    sys.exit(main())
