# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test sanity on the staged checkout, with a home folder of its own under build/."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ansible_test._internal import python_requirements  # type: ignore[import-untyped]
from stage import ROOT, stage

HOME = ROOT / "build" / "home"


def main() -> int:
    """Stage, prepare the home folder, run every sanity test; arguments are passed on to ansible-test."""
    folder = stage()
    _prepare_home()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ["ansible-test", "sanity", "--venv", "--requirements", "--python", version, "--color", "no"]
    environment = {**os.environ, "HOME": str(HOME)}
    result = subprocess.run(
        [*command, *sys.argv[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        errors = [line for line in result.stdout.splitlines() if line.startswith("ERROR: ")]
        print("\n".join(errors) or result.stdout)
    return result.returncode


def _prepare_home() -> None:
    """Give ansible-test our pip bootstrap script and the user's pip settings, which it otherwise does not see."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    bootstrap = cache / f"get_pip_{_pip_version().replace('.', '_')}.py"
    bootstrap.unlink(missing_ok=True)
    bootstrap.symlink_to(ROOT / "scripts" / "ansible_test_pip.py")
    settings = HOME / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.touch(mode=0o600)
    settings.write_text(_pip_settings())


def _pip_version() -> str:
    match = re.search(r"pip='([0-9.]+)'", Path(python_requirements.__file__).read_text())
    if not match:
        raise SystemExit("cannot tell which pip this ansible-test wants; see scripts/sanity.py")
    return match.group(1)


def _pip_settings() -> str:
    """Write `pip config list` (files and environment together) as one pip.conf."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    )
    sections: dict[str, dict[str, str]] = {}
    for line in listing.stdout.splitlines():
        name, value = line.split("=", 1)
        section, key = name.rsplit(".", 1)
        if key not in ("require-virtualenv", "user"):
            # The environment is listed first and wins, as it does for pip.
            sections.setdefault("global" if section == ":env:" else section, {}).setdefault(key, value.strip("'"))
    lines = []
    for section, values in sections.items():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
