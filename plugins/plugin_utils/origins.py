# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in an inventory a variable is set, for messages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem

SUFFIXES = (".yml", ".yaml", ".json", "")


def with_origin(problem: Problem, folders: Sequence[str], groups: Iterable[str]) -> Problem:
    """The problem, with the file and line that set its variable, where they can be found."""
    variable = re.split(r"[.\[]", problem.variable, maxsplit=1)[0]
    origin = find(variable, problem.host, folders, groups) if variable else None
    return problem._replace(message=f"{problem.message} (set in {origin})") if origin else problem


def find(variable: str, host: str, folders: Sequence[str], groups: Iterable[str]) -> str | None:
    """`file:line` of the place with the highest precedence that sets a variable for a host."""
    key = re.compile(rf"^(?:{re.escape(variable)}|\"{re.escape(variable)}\")\s*:")
    names = [("host_vars", host)] if host else []
    names += [("group_vars", group) for group in [*groups, "all"]]
    for kind, name in names:
        for folder in folders:
            for path in _files(Path(folder) / kind / name):
                for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                    if key.match(line):
                        return f"{os.path.relpath(path)}:{number}"
    return None


def _files(base: Path) -> Iterator[Path]:
    for suffix in SUFFIXES:
        path = base.with_name(base.name + suffix)
        if path.is_file():
            yield path
    if base.is_dir():
        yield from sorted(path for path in base.rglob("*") if path.is_file() and path.suffix in SUFFIXES)
