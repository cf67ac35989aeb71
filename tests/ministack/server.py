# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ministack with stub containers. Its own Python starts this; settings are environment variables of ministack."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path

SDK = Path(__file__).resolve().parent / "sdk"


def watch_parent(pid: int) -> None:
    """End this process as soon as process `pid` is gone, so that no ministack outlives its user."""

    def poll() -> None:
        while os.getppid() == pid:
            time.sleep(0.5)
        os._exit(0)

    threading.Thread(target=poll, name="watch-parent", daemon=True).start()


def main() -> None:
    """Serve until the parent ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parent", type=int, required=True, help="process id; ministack ends when this process ends")
    watch_parent(parser.parse_args().parent)
    sys.argv = sys.argv[:1]
    sys.path.insert(0, str(SDK))
    sys.path.insert(0, str(SDK.parent))
    import mends
    from ministack.app import main as serve

    mends.install()
    serve()


if __name__ == "__main__":
    main()
