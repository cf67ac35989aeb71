# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run molecule scenarios, each with an emulator on a free loopback port: NAME... [-- arguments of molecule test].

The scenario state_bucket runs a second time against LocalStack, where one answers on its usual port.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import urllib.request

from step import run

LOCALSTACK = "http://127.0.0.1:4566"
ALSO_ON_LOCALSTACK = ("state_bucket",)


def free_url() -> str:
    """An address on loopback where nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def localstack_version(url: str = LOCALSTACK) -> str | None:
    """The version of the LocalStack that answers there, None where none does."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/_localstack/health", timeout=5) as answer:
            return str(json.load(answer)["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def scenario(name: str, arguments: list[str], title: str, endpoint: str | None = None) -> int:
    """Run one scenario, on its own emulator or, for all services that it can play, on the given endpoint."""
    emulator = free_url()
    os.environ.update(MOLECULE_EMULATOR_URL=emulator, MOLECULE_AWS_ENDPOINT_URL=endpoint or emulator)
    return run(title, ["molecule", "test", "-s", name, *arguments])


def main(names: list[str], arguments: list[str]) -> int:
    """Run all scenarios, also after a failure."""
    os.environ.update(EMULATOR_PARENT=str(os.getpid()), NO_COLOR="1")
    codes = []
    for name in names:
        codes.append(scenario(name, arguments, f"molecule {name}"))
        if name not in ALSO_ON_LOCALSTACK:
            continue
        if version := localstack_version():
            codes.append(scenario(name, arguments, f"{name}, LocalStack {version}", LOCALSTACK))
        else:
            print(f"  molecule {name}, LocalStack skipped: none answers at {LOCALSTACK}", flush=True)
    return 1 if any(codes) else 0


if __name__ == "__main__":
    given = sys.argv[1:]
    border = given.index("--") if "--" in given else len(given)
    try:
        sys.exit(main(given[:border], given[border + 1 :]))
    except KeyboardInterrupt:
        sys.exit(130)
