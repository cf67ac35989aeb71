# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of a document: what each of them is, and how people name one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions.homes import Home, Target
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import Version

# How far back a version is looked for by its serial or the beginning of its id.
FAR = 200
# Ids of versions are long; a number this short is a serial.
SERIAL = re.compile(r"[0-9]{1,9}")
SHORTEST_ID = 4


@dataclass(frozen=True)
class Read:
    """One version, read. problem: why it has no document."""

    version: Version
    document: Document | None = None
    who: str = ""
    operation: str = ""
    problem: str = ""

    def as_result(self) -> dict[str, Any]:
        found, at = self.document, self.version.modified
        return {
            "version": self.version.version_id,
            "modified": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "latest": self.version.latest,
            "deleted": self.version.deleted,
            "size": self.version.size,
            "serial": found.serial if found else None,
            "lineage": found.lineage if found else "",
            "resources": resources_in(found),
            "outputs": len(found.outputs) if found else 0,
            "operation": self.operation,
            "who": self.who,
            "problem": self.problem,
        }


def read_all(home: Home, target: Target, limit: int) -> list[Read]:
    """The latest versions, newest first, each read."""
    return each(lambda version: read(home, target, version), home.bare.versions(target.key, limit))


def read(home: Home, target: Target, version: Version) -> Read:
    if version.deleted:
        return Read(version)
    try:
        written = home.bare.written(target.key, version.version_id)
        parsed = document.parse(written.body, f"version {version.version_id}")
    except StateError as error:
        return Read(version, problem=str(error))
    return Read(version, parsed, written.who, written.operation)


def named(home: Home, target: Target, name: str) -> Read:
    """The version with this id, with an id that begins so, or the latest with this serial."""
    known = home.bare.versions(target.key, FAR)
    exact = [version for version in known if version.version_id == name]
    if not exact and SERIAL.fullmatch(name):
        found = list(each(lambda version: read(home, target, version), known))
        by_serial = [item for item in found if item.document is not None and item.document.serial == int(name)]
        if by_serial:
            return by_serial[0]
    begun = exact or [version for version in known if version.version_id.startswith(name) and len(name) >= SHORTEST_ID]
    if len(begun) == 1:
        return _whole(home, target, begun[0])
    place = home.store.place(target.key)
    if begun:
        ids = ", ".join(version.version_id for version in begun)
        raise StateError(f"version {name!r} of {place} is not unique: {ids}")
    raise StateError(
        f"{place} has no version {name!r} among its latest {len(known)}: give an id, the beginning of one or a serial, "
        "as state_action=history lists them"
    )


def _whole(home: Home, target: Target, version: Version) -> Read:
    found = read(home, target, version)
    if found.document is None:
        reason = found.problem or "is the mark of a deletion and has no contents"
        raise StateError(f"version {version.version_id} of {home.store.place(target.key)}: {reason}")
    return found


def resources_in(found: Document | None) -> int:
    """How many resources a document has: those that are remembered here, and Terraform's own."""
    if found is None:
        return 0
    theirs = sum(len(item.get("instances") or ()) for item in found.resources if isinstance(item, dict))
    return theirs + (len(found.memory.resources) if found.memory else 0)
