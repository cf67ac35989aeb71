# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check with ansible-doc that every module, lookup, callback and role of the collection is documented."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# What each kind of plugin has to document beside its options.
SECTIONS = {"module": ("doc", "examples", "return"), "lookup": ("doc", "examples", "return"), "callback": ("doc",)}
FOLDERS = {"module": "modules", "lookup": "lookup", "callback": "callback"}


def main() -> int:
    """Ask ansible-doc for everything there is and print what is missing."""
    problems: list[str] = []
    for kind, folder in FOLDERS.items():
        names = sorted(path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py"))
        problems += _plugin_problems(kind, [f"dockyard.aws.{name}" for name in names])
    roles = sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())
    problems += _role_problems([f"dockyard.aws.{name}" for name in roles])
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


def _plugin_problems(kind: str, names: list[str]) -> list[str]:
    documented = _ansible_doc(kind, names)
    return [
        f"{kind} {name}: ansible-doc gives no {section}"
        for name in names
        for section in SECTIONS[kind]
        if not documented.get(name, {}).get(section)
    ]


def _role_problems(names: list[str]) -> list[str]:
    documented = _ansible_doc("role", names)
    problems = []
    for name in names:
        entry = documented.get(name, {}).get("entry_points", {}).get("main", {})
        if not entry.get("options") or not entry.get("short_description"):
            problems.append(f"role {name}: meta/argument_specs.yml gives no options or no short_description for main")
        if not (ROOT / "roles" / name.rpartition(".")[2] / "README.md").is_file():
            problems.append(f"role {name}: has no README.md")
    return problems


def _ansible_doc(kind: str, names: list[str]) -> dict[str, Any]:
    if not names:
        return {}
    result = subprocess.run(
        ["ansible-doc", "--json", "--type", kind, *names], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if result.returncode or "[WARNING]" in result.stderr:
        raise SystemExit(f"ansible-doc of {kind} {', '.join(names)}:\n{result.stderr.rstrip()}")
    documented: dict[str, Any] = json.loads(result.stdout)
    return documented


if __name__ == "__main__":
    sys.exit(main())
