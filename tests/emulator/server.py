# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the project's emulator of AWS: moto in server mode, mended, with a call counter, faults, simulated ECS."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

DEFAULT_ACCOUNT = "123456789012"


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--ready-file", type=Path, help="file that gets the URL once the emulator answers")
    parser.add_argument("--account", default=DEFAULT_ACCOUNT, help="AWS account id that the emulator plays")
    parser.add_argument("--log", type=Path, help="file that gets one line per call")
    parser.add_argument("--parent", type=int, help="process id; the emulator ends when this process ends")
    return parser.parse_args(argv)


def set_environment(account: str) -> None:
    """moto reads these when it is imported, so this comes before every import of it."""
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    os.environ["MOTO_ACM_VALIDATION_WAIT"] = "0"
    # The 1285 stock AMIs and their snapshots only slow everything down; the SSM parameters of the ECS-optimised
    # AMIs are a table of their own and stay.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    for name in ("MOTO_ECS_SERVICE_RUNNING", "MOTO_ECS_SERVICE_FAILED_TASKS", "MOTO_ACCOUNT_ID"):
        os.environ.pop(name, None)
    if account != DEFAULT_ACCOUNT:
        os.environ["MOTO_ACCOUNT_ID"] = account


def quiet() -> None:
    """Nothing but real errors goes to standard error."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("botocore").setLevel(logging.ERROR)


def watch_parent(pid: int) -> None:
    """End this process as soon as process `pid` is gone, so that no emulator outlives its user."""

    def poll() -> None:
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                os._exit(0)
            except PermissionError:
                pass
            time.sleep(0.5)

    threading.Thread(target=poll, name="watch-parent", daemon=True).start()


def stop(signum: int, frame: Any) -> None:
    """Signal handler: there is nothing to save, and taking the interpreter down in order would take half a second."""
    os._exit(0)


def write_ready_file(path: Path, url: str) -> None:
    """A reader never sees half of the URL: the file appears whole."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(url + "\n", encoding="utf-8")
    partial.replace(path)


def main(argv: list[str] | None = None) -> None:
    """Serve until a signal comes or the parent ends."""
    args = arguments(argv)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if args.parent:
        watch_parent(args.parent)
    set_environment(args.account)
    quiet()
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    # Imported here and not above: moto reads its settings from the environment on import.
    from emulator.application import EmulatorApplication, make_server

    application = EmulatorApplication(log=args.log)
    server = make_server(args.port, application)
    url = f"http://127.0.0.1:{server.port}"
    os.environ["MOTO_PORT"] = str(server.port)
    if args.ready_file:
        write_ready_file(args.ready_file, url)
    else:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
