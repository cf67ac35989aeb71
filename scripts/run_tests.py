# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the test targets of the Makefile one after the other and end with a summary of all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import NamedTuple

# Cheap first, so that a slip shows early.
TARGETS = ("lint", "units", "docs-check", "build-check", "sanity", "integration", "molecule")
PYTEST_CLOSING = re.compile(r"^[= ]*(\d+ (?:passed|failed|error|skipped|xfailed|deselected).* in [0-9.]+s.*?)[= ]*$")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Result(NamedTuple):
    """What one target gave."""

    target: str
    code: int
    seconds: float
    closing: str


def run(target: str) -> Result:
    """Run one target, pass its output on as it comes, and keep pytest's closing line."""
    print(f"\n== {target}", flush=True)
    started = time.monotonic()
    environment = {**os.environ, **({"PY_COLORS": "1"} if sys.stdout.isatty() else {})}
    command = ["make", "--no-print-directory", target]
    reader, writer = os.pipe()
    with subprocess.Popen(command, stdout=writer, stderr=writer, env=environment) as process:
        os.close(writer)
        tail = b""
        while chunk := os.read(reader, 65536):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            tail = (tail + chunk)[-20000:]
        os.close(reader)
    closing = [match[1] for line in _plain(tail) if (match := PYTEST_CLOSING.match(line))]
    return Result(target, process.returncode, time.monotonic() - started, closing[-1] if closing else "")


def _plain(output: bytes) -> list[str]:
    return COLOUR.sub("", output.decode("utf-8", "replace")).splitlines()


def main() -> int:
    """Run all targets, also after a failure, and print one line for each."""
    started = time.monotonic()
    results = [run(target) for target in sys.argv[1:] or TARGETS]
    failed = [result.target for result in results if result.code]
    print(f"\n== summary ({time.monotonic() - started:.0f} s)")
    for result in results:
        word = "failed" if result.code else "ok"
        print(f"  {result.target:<12} {word:<6} {result.seconds:6.1f} s  {result.closing}".rstrip())
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
