# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark of publishing: a website of a thousand files, published, published again, and with ten changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import table
import yaml
from measure import ROOT, Cost, Side

FILES, CHANGED, PAGES = 1000, 10, 100
NEEDED = ("index.html", "404.html")
NAME = "www.example.org"
PLAYBOOK = "tests/bench/plain/publish.yml"
STEPS = ("first publish", "nothing changed", f"{CHANGED} files changed")
SHOWN = ("PutObject", "HeadObject", "ListObjectsV2", "ListObjects", "GetObject", "DeleteObjects")
ROWS = (
    ("API calls", "calls", "{:.0f}"),
    ("CPU seconds", "cpu_seconds", "{:.1f}"),
    ("wall seconds", "wall_seconds", "{:.1f}"),
)


class Publishing:
    """A folder with a site, and what publishing it cost each side, step by step."""

    def __init__(self, folder: Path, run: Callable[[Side, str], Cost | None]) -> None:
        self.site = folder / "site"
        self.run = run
        self.costs: dict[str, list[Cost | None]] = {}
        inventory = _inventory(folder / "inventory", self.site)
        self.sides = (
            Side("dockyard.aws", "playbooks/site.yml", str(inventory), "ansible.cfg", ("--tags", "static_site")),
            Side(
                "plain modules",
                PLAYBOOK,
                "tests/bench/plain/inventory.yml",
                "tests/bench/plain/ansible.cfg",
                ("-e", f"site_folder={self.site}"),
            ),
        )

    def measure(self) -> None:
        for number, step in enumerate(STEPS):
            if number != 1:
                _write(self.site, FILES - len(NEEDED) if number == 0 else CHANGED, number)
            for side in self.sides:
                self.costs.setdefault(side.name, []).append(self.run(side, f"a website of {FILES:,} files, {step}"))

    def report(self) -> Iterator[str]:
        names = [side.name for side in self.sides]
        yield ""
        yield f"{f'A website of {FILES:,} files':<30}" + "".join(
            f"{name:>14}" for name in names
        ) + f"{'plain : dockyard':>18}"
        for number, step in enumerate(STEPS):
            costs = [self.costs[name][number] for name in names]
            yield f"{step.capitalize()}"
            for title, key, form in ROWS:
                yield _row(title, [None if cost is None else getattr(cost, key) for cost in costs], form)
            for action in SHOWN:
                counts = [None if cost is None else float(cost.actions.get(f"s3:{action}", 0)) for cost in costs]
                if any(counts):
                    yield _row(f"  {action}", counts, "{:.0f}")
        yield "Left out of the plain playbook, because s3_sync cannot do it"
        yield from table.left_out(ROOT / PLAYBOOK)

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured."""
        return {
            name: {step: cost and asdict(cost) for step, cost in zip(STEPS, costs, strict=True)}
            for name, costs in self.costs.items()
        }


def _row(title: str, values: list[float | None], form: str) -> str:
    cells = "".join(f"{'failed' if value is None else form.format(value):>14}" for value in values)
    return f"  {title:<28}" + cells + f"{table.ratio(values):>18}"


def _write(site: Path, count: int, version: int) -> None:
    """Pages and what they refer to, with a content of its own for each file and version."""
    for number in range(count):
        page = number < PAGES
        path = site / (f"page-{number}.html" if page else f"assets/{number % 10}/chunk-{number}.js")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<!doctype html>{number} {version}" if page else f"// {number} {version}\n" * 200)
    for name in NEEDED:
        (site / name).write_text(f"<!doctype html>{name}")


def _inventory(folder: Path, site: Path) -> Path:
    folder.mkdir()
    headers = [
        {"pattern": "assets/*", "cache_control": "max-age=31536000"},
        {"pattern": "*", "cache_control": "no-cache"},
    ]
    one = {"name": NAME, "error_document": "404.html", "files": {"source": str(site), "headers": headers}}
    variables = {
        "dockyard_environment": "bench",
        "aws_region": "us-east-1",
        "ansible_connection": "local",
        "static_site": {"sites": [one]},
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"front-end": variables}}}))
    return folder / "hosts.yml"
