# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each resource of a Terraform state, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mapped:
    """A resource and the place of its declaration."""

    address: str
    file: str
    variable: str


@dataclass(frozen=True)
class Remark:
    """Something about a resource that somebody has to look at. about: an attribute, or empty."""

    address: str
    about: str
    message: str


@dataclass
class Report:
    """unmapped: resources that no declaration stands for. attributes: those of mapped resources that none says.

    changes: what a run would change, because a layer always has it so. secrets: values that were not written.
    """

    sources: list[str] = field(default_factory=list)
    mapped: list[Mapped] = field(default_factory=list)
    unmapped: list[Remark] = field(default_factory=list)
    attributes: list[Remark] = field(default_factory=list)
    changes: list[Remark] = field(default_factory=list)
    secrets: list[Remark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        return asdict(self)

    def as_json(self) -> str:
        return json.dumps(self.as_data(), indent=2, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        return "\n".join([*self.summary(), *self._imported()]) + "\n"

    def counts(self) -> str:
        return (
            f"{len(self.mapped)} resources imported, {len(self.unmapped)} not, {len(self.attributes)} attributes not, "
            f"{len(self.secrets)} secrets to define"
        )

    def summary(self) -> Iterator[str]:
        """All that somebody has to look at."""
        several = len(self.sources) > 1
        yield f"Import of {f'{len(self.sources)} states' if several else self.sources[0]}: {self.counts()}."
        yield from (f"  {source}" for source in self.sources if several)
        yield from self._part("Secrets to define, in a vault or by a lookup", self.secrets)
        yield from self._part("Not imported", self.unmapped)
        yield from self._part("Attributes that no option says: a plan leaves them alone", self.attributes)
        yield from self._part("What the first run would change", self.changes)
        if self.notes:
            yield from ("", "Notes", *(f"  {note}" for note in self.notes))

    def _imported(self) -> Iterator[str]:
        yield from ("", "Imported")
        width = max((len(item.address) for item in self.mapped), default=0)
        yield from (f"  {item.address:<{width}}  {item.file}: {item.variable}" for item in self.mapped)

    @staticmethod
    def _part(title: str, remarks: list[Remark]) -> Iterator[str]:
        if remarks:
            yield from ("", title)
        for item in remarks:
            yield f"  {item.address}{f' {item.about}' if item.about else ''}"
            if item.message:
                yield f"      {item.message}"
