# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from measure import Cost

ROWS = (
    ("API calls", "calls", "{:.0f}"),
    ("  of them changing", "changing_calls", "{:.0f}"),
    ("CPU seconds", "cpu_seconds", "{:.1f}"),
    ("wall seconds", "wall_seconds", "{:.1f}"),
    ("tasks that changed", "changed", "{:.0f}"),
)
MEANING = """\
API calls     requests that the emulator received, and those of them whose action is not a read
CPU seconds   user and system time of ansible-playbook and every process under it; the emulator's own is not in it
wall seconds  from start to end of ansible-playbook, with the time that the emulator takes to answer, which is not AWS's
tasks         the sum of `changed=` in the play recap; one task of dockyard.aws is a whole layer"""


def medians(costs: list[Cost]) -> dict[str, float]:
    """The median of each measure over several runs."""
    return {name: median(getattr(cost, name) for cost in costs) for _title, name, _form in ROWS}


def machine() -> dict[str, Any]:
    """Where and with what the measuring happened."""
    versions = {name: version(name) for name in ("ansible-core", "ansible", "boto3", "moto")}
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **versions,
        "load_average": round(os.getloadavg()[0], 1),
    }


def processor() -> str:
    """The model of the processor, where the system tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


def block(title: str, costs: dict[str, list[Cost]], sides: list[str]) -> Iterator[str]:
    """One part of the table: a title, and a row for each measure."""
    yield title
    found = {side: medians(costs[side]) for side in sides if costs.get(side)}
    for name, key, form in ROWS:
        values = [found[side][key] if side in found else None for side in sides]
        cells = [f"{'failed' if value is None else form.format(value):>14}" for value in values]
        compared = "" if len(sides) < 2 else "-" if key == "changed" else ratio(values)
        yield (f"  {name:<22}" + "".join(cells) + f"{compared:>18}").rstrip()


def ratio(values: list[float | None]) -> str:
    """How many times the first the second is."""
    first, second = values
    return f"{second / first:.1f}" if first and second else "-"


def spread(costs: dict[str, list[Cost]]) -> Iterator[str]:
    """Every single measure of the runs that change nothing, so that noise can be seen."""
    for side, runs in costs.items():
        if runs:
            cpu = " ".join(f"{cost.cpu_seconds:.1f}" for cost in runs)
            wall = " ".join(f"{cost.wall_seconds:.1f}" for cost in runs)
            yield f"  {side:<14} CPU seconds {cpu}; wall seconds {wall}"


def busiest(costs: dict[str, list[Cost]], count: int = 6) -> Iterator[str]:
    """The actions that a run that changes nothing calls most."""
    for side, runs in costs.items():
        if runs:
            actions = sorted(runs[-1].actions.items(), key=lambda item: (-item[1], item[0]))[:count]
            yield f"  {side:<14} " + ", ".join(f"{action} {number}" for action, number in actions)


def differences(existing: dict[str, dict[str, list[str]]], sides: list[str]) -> Iterator[str]:
    """Kinds of which the two did not make the same number, which says what the comparison leaves out."""
    first, second = (existing.get(side, {}) for side in sides)
    for kind in sorted({*first, *second}):
        one, other = len(first.get(kind, [])), len(second.get(kind, []))
        if one != other:
            yield f"  {kind}: {sides[0]} {one}, {sides[1]} {other}"


def left_out(playbook: Path) -> list[str]:
    """What the plain playbook's own comment says that it cannot do."""
    comment = [line for line in playbook.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    start = next(number for number, line in enumerate(comment) if line.startswith("# Left out"))
    return [line.removeprefix("#").removeprefix(" ") for line in comment[start + 1 :]]
