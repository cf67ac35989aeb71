# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection, look into the tarball, install it elsewhere, and validate the art inventory from there."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("LICENSE", "README.md", "CHANGELOG.rst", "meta/runtime.yml", "playbooks/site.yml", "requirements.txt")
ALLOWED = {"plugins", "roles", "playbooks", "meta", "docs", "inventories", "changelogs"}


def main() -> int:
    """Build, check, install, use the playbooks by their full names."""
    with tempfile.TemporaryDirectory(prefix="dockyard-build-") as temporary:
        folder = Path(temporary)
        _run("ansible-galaxy", "collection", "build", "--output-path", str(folder), str(ROOT), cwd=folder)
        tarball = next(folder.glob("dockyard-aws-*.tar.gz"))
        problems = _content_problems(tarball)
        if problems:
            print("\n".join(problems))
            return 1
        collections = folder / "collections"
        no_settings = folder / "ansible.cfg"
        no_settings.touch()
        environment = {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_CONFIG": str(no_settings)}
        install = ["ansible-galaxy", "collection", "install", "--offline", "--no-deps", "-p", str(collections)]
        _run(*install, str(tarball), cwd=folder, environment=environment)
        inventory = collections / "ansible_collections" / "dockyard" / "aws" / "inventories" / "art" / "hosts.yml"
        for name, arguments in (("site", ["--list-tasks"]), ("destroy", ["--list-tasks"]), ("validate", [])):
            playbook = ["ansible-playbook", f"dockyard.aws.{name}", "-i", str(inventory), *arguments]
            _run(*playbook, cwd=folder, environment=environment)
    return 0


def _content_problems(tarball: Path) -> list[str]:
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("./") for name in archive.getnames()}
    missing = [f"{name} is not in the tarball" for name in NEEDED if name not in names]
    folders = {name.split("/")[0] for name in names if "/" in name}
    unwanted = [
        f"{name}/ is in the tarball; list it in build_ignore of galaxy.yml" for name in sorted(folders - ALLOWED)
    ]
    return missing + unwanted


def _run(*command: str, cwd: Path, environment: dict[str, str] | None = None) -> None:
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode or "[WARNING]" in result.stdout:
        raise SystemExit(f"$ {' '.join(command)}\n{result.stdout.rstrip()}")


if __name__ == "__main__":
    sys.exit(main())
