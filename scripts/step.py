# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one command quietly: a line with its title, result and time; its output only when it fails."""

from __future__ import annotations

import subprocess
import sys
import time


def run(title: str, command: list[str]) -> int:
    """Run the command and print one line about it; on failure everything that it said follows."""
    print(f"  {title} ".ljust(34, "."), end=" ", flush=True)
    started = time.monotonic()
    try:
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        print(f"failed\n{command[0]} is not there; `make clean setup` installs everything anew")
        return 127
    elapsed = time.monotonic() - started
    print(f"{'ok' if result.returncode == 0 else 'failed'} {elapsed:6.1f} s", flush=True)
    if result.returncode:
        print(f"$ {' '.join(command)}\n{result.stdout.rstrip()}", flush=True)
    return result.returncode


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1], sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
