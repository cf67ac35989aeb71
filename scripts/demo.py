# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: both environments planned, created, deployed to, and found unchanged, all on a local emulator."""

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
from folding import folded
from pushed import push

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
ART, LMS = "inventories/art", "inventories/lms"
SERVICE, TAG = "lms-backend", "1.0"
START_SECONDS = 60
STOP_SECONDS = 10


class Step(NamedTuple):
    """One run of a playbook."""

    title: str
    inventory: str
    playbook: str = "site"
    arguments: tuple[str, ...] = ()
    may_change: bool = False

    @property
    def check(self) -> bool:
        return "--check" in self.arguments

    def command(self) -> list[str]:
        return ["ansible-playbook", f"playbooks/{self.playbook}.yml", "-i", self.inventory, *self.arguments]


DEPLOY = ("--limit", SERVICE, "-e", f"image_tag={TAG}")
STEPS = (
    Step("art: plan on an empty account", ART, arguments=("--check", "--diff")),
    Step("art: create it", ART, may_change=True),
    Step("art: run again, nothing may change", ART),
    Step("lms: create it", LMS, may_change=True),
    Step("lms: deploy an image", LMS, "deploy", DEPLOY, may_change=True),
    Step("lms: run again, nothing may change", LMS),
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
        ANSIBLE_DISPLAY_OK_HOSTS="false",
        ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".collections"),
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, ["127.0.0.1", environment.get(name)]))
    return environment


def read_inventory(inventory: str, environment: dict[str, str]) -> Inventory:
    """Read account, region and profiles from an inventory, so that the emulator can play them."""
    command = ["ansible-inventory", "-i", inventory, "--list"]
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


def run_step(number: int, step: Step, url: str, environment: dict[str, str]) -> str:
    """Run the playbook once and return the line of the summary about it."""
    print(f"\n== {number}/{len(STEPS)} {step.title}\n$ {' '.join(step.command())}\n", flush=True)
    before, started = calls(url), time.monotonic()
    code, changed = play(step, environment)
    seconds = time.monotonic() - started
    if code:
        raise DemoError(f"step {number} failed with exit code {code}", code)
    total, mutating = (after - earlier for after, earlier in zip(calls(url), before, strict=True))
    if not step.may_change and (mutating or (changed and not step.check)):
        raise DemoError(
            f"step {number} should change nothing, but changed={changed}, with {mutating} changing API calls"
        )
    return f"{step.title:<34}  {seconds:5.1f} s  {total:4} API calls, {mutating:3} of them changing"


def play(step: Step, environment: dict[str, str]) -> tuple[int, int]:
    """Run a playbook, show what is worth it of what it says; its exit code, and how many tasks changed something."""
    process = subprocess.Popen(
        step.command(), cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    changed = 0
    try:
        assert process.stdout is not None
        for line in folded(process.stdout, step.check):
            changed += sum(int(count) for count in re.findall(r"\bchanged=(\d+)", line))
            sys.stdout.write(line)
            sys.stdout.flush()
        code = process.wait()
    except KeyboardInterrupt:
        # The terminal sent it to the playbook too, which gets the time to give up its work in order.
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        raise
    finally:
        stop(process)
    return code, changed


def demo() -> None:
    """Run all steps on one emulator and sum up."""
    environment = isolated_environment()
    if sys.stdout.isatty() and "NO_COLOR" not in environment:
        environment["ANSIBLE_FORCE_COLOR"] = "1"
    inventories = {name: read_inventory(name, environment) for name in (ART, LMS)}
    with tempfile.TemporaryDirectory(prefix="dockyard-demo-") as temporary:
        folder = Path(temporary)
        configuration = folder / "aws-config"
        write_profiles(configuration, sorted({name for one in inventories.values() for name in one.profiles}))
        environment.update(AWS_CONFIG_FILE=str(configuration), ANSIBLE_HOME=str(folder / "ansible"))
        environment["DOCKYARD_DATA_DIR"] = str(folder / "dockyard")
        with emulator(folder, inventories[ART].account, environment) as url:
            print(f"An emulator of AWS answers at {url}. No AWS account is used.")
            print("To keep this short, fields of what is created are left out, and tasks that changed nothing.")
            environment["AWS_ENDPOINT_URL"] = url
            lines = []
            for number, step in enumerate(STEPS, 1):
                region = inventories[step.inventory].region
                if step.playbook == "deploy":
                    digest = push(url, region, SERVICE, TAG)
                    print(f"\nWhat a pipeline builds and pushes, an empty image: {SERVICE}:{TAG}, {digest[:19]}…")
                lines.append(run_step(number, step, url, {**environment, "AWS_DEFAULT_REGION": region}))
            print("\n== What happened\n")
            print("\n".join(f"  {line}" for line in lines))
            print("\n== What exists now\n")
            regions = (inventory.region for inventory in inventories.values())
            for kind, names in created.resources(url, *regions):
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

  Change something      edit {LMS}/host_vars/lms-backend/, or the website in {LMS}/files/
  Check what you wrote  make fmt && make check
  See it on AWS         set aws_account_id in {LMS}, sign in, then look at the plan; it changes nothing:
                        .venv/bin/ansible-playbook playbooks/site.yml -i {LMS} --check --diff
  Only one layer        add --tags ecr; only one service: add --limit {SERVICE}
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
