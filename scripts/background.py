# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the emulator in the background, and stops it: start PID_FILE PORT, stop PID_FILE.

Where the environment variable EMULATOR_PARENT names a process, the emulator ends with that one at the latest.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

SERVER = Path(__file__).resolve().parent.parent / "tests" / "emulator" / "server.py"
STOP_SECONDS = 10


def start(pid_file: Path, port: str) -> None:
    ready = pid_file.with_suffix(".ready")
    ready.unlink(missing_ok=True)
    command = [sys.executable, str(SERVER), "--port", port, "--ready-file", str(ready)]
    if parent := os.environ.get("EMULATOR_PARENT"):
        command += ["--parent", parent]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    pid_file.write_text(str(process.pid))


def stop(pid_file: Path) -> None:
    """Ends the process and waits for its end; none is running where there is no file."""
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    with suppress(ProcessLookupError):
        _expect_emulator(pid)
        os.kill(pid, signal.SIGTERM)
        for _try in range(STOP_SECONDS * 10):
            os.kill(pid, 0)
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
    pid_file.unlink()


def _expect_emulator(pid: int) -> None:
    """The file may be an old one, and its number another process by now: that one is left alone."""
    listing = subprocess.run(["ps", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False)
    if SERVER.name not in listing.stdout:
        raise ProcessLookupError(pid)


if __name__ == "__main__":
    verb, path, *rest = sys.argv[1:]
    if verb == "start":
        start(Path(path), *rest)
    else:
        stop(Path(path))
