# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stage the checkout as ansible-test wants it: a real folder ansible_collections/dockyard/aws with its dependencies."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import ansible_collections

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ROOT / "build" / "stage" / "ansible_collections"
STAGE = COLLECTIONS / "dockyard" / "aws"
DEPENDENCIES = ("amazon", "community")


def stage() -> Path:
    """Copy what git knows or would add, link the dependencies beside it, and return the staged folder."""
    _clear()
    for name in _files():
        source, target = ROOT / name, STAGE / name
        if source.is_symlink() or source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    for namespace in DEPENDENCIES:
        link = COLLECTIONS / namespace
        link.unlink(missing_ok=True)
        link.symlink_to(_installed(namespace))
    for arguments in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *arguments], cwd=STAGE, check=True)
    return STAGE


def _clear() -> None:
    """Remove what was staged before, but keep tests/output, where ansible-test has its virtual environments."""
    STAGE.mkdir(parents=True, exist_ok=True)
    for path in [*STAGE.iterdir(), *STAGE.glob("tests/*")]:
        if path in (STAGE / "tests", STAGE / "tests" / "output"):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _files() -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listing.stdout.split("\0") if name]


def _installed(namespace: str) -> Path:
    for folder in map(Path, ansible_collections.__path__):
        if (folder / namespace).is_dir():
            return folder / namespace
    raise SystemExit(f"the collections of {namespace} are not installed; `make setup` installs them")


if __name__ == "__main__":
    print(stage())
