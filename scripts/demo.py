# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: the art environment planned on an empty account, created, and found unchanged, all on a local emulator."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import created

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
INVENTORY = "inventories/art"
PLAYBOOK = ["ansible-playbook", "playbooks/site.yml", "-i", INVENTORY]
START_SECONDS = 60
STOP_SECONDS = 10


class Step(NamedTuple):
    """One run of the playbook."""

    title: str
    arguments: list[str]
    may_change: bool = False


STEPS = (
    Step("Plan on an empty account", ["--check", "--diff"]),
    Step("Create what was planned", [], may_change=True),
    Step("Run again: nothing may change", []),
)


class DemoError(Exception):
    """What ended the demo, and its exit code."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Inventory(NamedTuple):
    """What the demo has to know of the inventory."""

    account: str
    region: str
    profiles: list[str]


def isolated_environment() -> dict[str, str]:
    """Return the environment without anything that could lead to a real account."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment.update(
        PATH=f"{BIN}{os.pathsep}{environment.get('PATH', os.defpath)}",
        ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"),
        ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".collections"),
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, ["127.0.0.1", environment.get(name)]))
    return environment


def read_inventory(environment: dict[str, str]) -> Inventory:
    """Read account, region and profiles from the inventory, so that the emulator can play them."""
    command = ["ansible-inventory", "-i", INVENTORY, "--list"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise DemoError(f"{' '.join(command)} failed:\n{result.stderr.rstrip()}", result.returncode)
    hosts: dict[str, dict[str, Any]] = json.loads(result.stdout)["_meta"]["hostvars"]
    profiles: set[str] = set()
    for variables in hosts.values():
        profiles |= {*(variables.get("aws_profiles") or {}).values(), variables.get("aws_profile")} - {None, "default"}
    return Inventory(
        account=_first(hosts, "aws_account_id", "123456789012"),
        region=_first(hosts, "aws_region", "us-east-1"),
        profiles=sorted(profiles),
    )


def _first(hosts: dict[str, dict[str, Any]], variable: str, otherwise: str) -> str:
    return next((str(variables[variable]) for variables in hosts.values() if variables.get(variable)), otherwise)


def write_profiles(path: Path, profiles: list[str]) -> None:
    """Write an AWS configuration in which the inventory's profiles, and the default one, have made-up credentials.

    They are not in the environment, because modules of amazon.aws refuse a profile beside credentials from there.
    """
    keys = "aws_access_key_id = testing\naws_secret_access_key = testing\n"
    sections = ["default", *(f"profile {name}" for name in profiles)]
    path.write_text("".join(f"[{section}]\n{keys}" for section in sections), encoding="utf-8")


@contextmanager
def emulator(folder: Path, account: str, environment: dict[str, str]) -> Iterator[str]:
    """Start the emulator on a free loopback port, give its URL, and stop it whatever happens."""
    ready_file = folder / "emulator.url"
    command = [sys.executable, "tests/emulator/server.py", "--port", "0", "--ready-file", str(ready_file)]
    command += ["--account", account, "--parent", str(os.getpid())]
    log = (folder / "emulator.log").open("w+", encoding="utf-8")
    # A session of its own, so that Ctrl-C does not stop it before the playbook that uses it.
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise DemoError(f"the emulator did not start:\n{log.read().rstrip()}")
            time.sleep(0.05)
        yield ready_file.read_text(encoding="utf-8").strip()
    finally:
        stop(process)
        log.close()


def stop(process: subprocess.Popen[Any]) -> None:
    """End a process: politely first, by force when it does not go."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def calls(url: str) -> tuple[int, int]:
    """Return how many API calls the emulator has seen, and how many of them change something."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        f"{url}/_emulator/calls", timeout=30
    ) as answer:
        summary = json.load(answer)
    return summary["total"], summary["mutating"]


def run_step(number: int, step: Step, url: str, environment: dict[str, str], folder: Path) -> str:
    """Run the playbook once, in the foreground, and return the line of the summary about it."""
    command = [*PLAYBOOK, *step.arguments]
    print(f"\n== {number}/{len(STEPS)} {step.title}\n$ {' '.join(command)}\n", flush=True)
    log = folder / f"step-{number}.log"
    total_before, mutating_before = calls(url)
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env={**environment, "ANSIBLE_LOG_PATH": str(log)})
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # The terminal sent it to the playbook too, which gets the time to give up its work in order.
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        raise
    finally:
        stop(process)
    seconds = time.monotonic() - started
    if code:
        raise DemoError(f"step {number} failed with exit code {code}", code)
    total, mutating = (
        after - before for after, before in zip(calls(url), (total_before, mutating_before), strict=True)
    )
    changed = sum(int(count) for count in re.findall(r"\bchanged=(\d+)", log.read_text(encoding="utf-8")))
    expected = step.may_change or (mutating == 0 and ("--check" in step.arguments or changed == 0))
    if not expected:
        raise DemoError(
            f"step {number} should change nothing, but changed={changed}, with {mutating} changing API calls"
        )
    return f"{step.title:<32} {seconds:5.1f} s  {total:4} API calls, {mutating} of them changing  changed={changed}"


def demo() -> None:
    """Run all steps on one emulator and sum up."""
    environment = isolated_environment()
    inventory = read_inventory(environment)
    with tempfile.TemporaryDirectory(prefix="dockyard-demo-") as temporary:
        folder = Path(temporary)
        configuration = folder / "aws-config"
        write_profiles(configuration, inventory.profiles)
        environment.update(AWS_CONFIG_FILE=str(configuration), AWS_DEFAULT_REGION=inventory.region)
        environment["ANSIBLE_HOME"] = str(folder / "ansible")
        environment["DOCKYARD_DATA_DIR"] = str(folder / "dockyard")
        with emulator(folder, inventory.account, environment) as url:
            print(f"An emulator of AWS answers at {url}. No AWS account is used.")
            environment["AWS_ENDPOINT_URL"] = url
            lines = [run_step(number, step, url, environment, folder) for number, step in enumerate(STEPS, 1)]
            print("\n== What happened\n")
            print("\n".join(f"  {line}" for line in lines))
            print("\n== What exists now\n")
            for kind, names in created.resources(url, inventory.region):
                print(f"  {kind:<22} {len(names):3}  {shorten(names)}")
    print(NEXT)


def shorten(names: list[str], width: int = 90) -> str:
    """Join names up to a width and count the rest."""
    shown: list[str] = []
    for name in names:
        if shown and len(", ".join([*shown, name])) > width:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(name)
    return ", ".join(shown)


NEXT = f"""
The emulator is stopped and everything above is gone with it. What to try next:

  Change something     edit {INVENTORY}/host_vars/art-service-sourcing-data-service/, then `make demo` again
  Check what you wrote make fmt && make check
  See it on AWS        set aws_account_id in {INVENTORY}, sign in, then look at the plan; it changes nothing:
                       .venv/bin/ansible-playbook playbooks/site.yml -i {INVENTORY} --check --diff
  Only one layer       add --tags ecr; only one service: add --limit art-service-sourcing-data-service
"""


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def main() -> int:
    """Run the demo; always clean up, also on Ctrl-C and SIGTERM."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    # Also where it was started in the background by a shell, which then has SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        demo()
    except DemoError as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("\nInterrupted; the emulator is stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
