# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a builder's commands: steps as progress, the end of the output where one fails, secrets never."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import SHORTEST_SECRET
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.heartbeat import heartbeat

TAIL = 30
# Seconds without a word, after which one is due.
SILENCE = 30.0
HIDDEN = "********"
_STEP = re.compile(r"STEP \d+/\d+: |Step \d+/\d+ : |#\d+ \[[^\]]*\d+/\d+\] ")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# What a builder's words mean, and what to do then.
HINTS = (
    (
        r"exec format error|exec user process caused.*format|no such file.*ld-linux",
        "a program of another processor architecture was to be run: install QEMU's binfmt handlers (qemu-user-static), "
        "or build on a machine of that platform",
    ),
    (
        r"no basic auth credentials|denied|unauthorized|403 Forbidden|authentication required",
        "the registry refused the login: the credentials of the layer 'ecr' need the actions that the README of the "
        "role image lists, and base images of other registries need a login of their own",
    ),
    (
        r"tag.*(already exists|immutable)",
        "somebody else has pushed this tag meanwhile, and the repository's tags are immutable: run again, it takes "
        "the image that is there",
    ),
    (
        r"server gave HTTP response to HTTPS client|certificate signed by unknown|x509:",
        "the registry's certificate is not trusted here: add its authority to this machine, or, for a registry of "
        "tests, set validate_certs: false",
    ),
    (
        r"no space left on device",
        "the disk is full: remove images that nobody needs (buildah or podman or docker prune)",
    ),
    (r"dial tcp|no such host|i/o timeout|TLS handshake timeout", "the registry could not be reached from this machine"),
    (
        r"newuidmap|subuid|uid_map|/proc/sys/user|unshare|operation not permitted",
        "the builder may not make namespaces here: set BUILDAH_ISOLATION=chroot in the environment, or see "
        "/etc/subuid for builds without root",
    ),
)


class BuilderFailed(ReconcileError):
    """A builder's command that failed."""


class Shell:
    """Runs commands. environment: added to that of the process. secrets: never in what is shown."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        secrets: Collection[str] = (),
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._environment = {**os.environ, **(environment or {})}
        found = {part for value in secrets for part in (value, *value.splitlines()) if len(part) >= SHORTEST_SECRET}
        self._secrets = sorted(found, key=len, reverse=True)
        self._progress = progress
        self._said_at = 0.0

    def run(self, command: Sequence[str], doing: str, timeout: float, folder: Path | None = None) -> list[str]:
        """The lines of what a command says, on either channel. Raises BuilderFailed with the last of them."""
        process = self._started(command, doing, folder)
        over = threading.Event()

        def stop() -> None:
            over.set()
            _kill(process.pid)

        watch = threading.Timer(timeout, stop)
        watch.daemon = True
        watch.start()
        try:
            with heartbeat(self._progress, self._sign_of_life(doing)):
                lines = self._followed(process)
                code = process.wait()
        finally:
            watch.cancel()
            if process.poll() is None:
                _kill(process.pid)
                process.wait()
        if over.is_set():
            raise BuilderFailed(_failure(doing, f"took longer than {timeout:.0f} seconds and was stopped", lines))
        if code:
            raise BuilderFailed(_failure(doing, f"failed ({Path(command[0]).name} exited with {code})", lines))
        return lines

    def _started(self, command: Sequence[str], doing: str, folder: Path | None) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                list(command),
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                # So that what it starts can be ended with it.
                start_new_session=True,
            )
        except OSError as error:
            raise BuilderFailed(f"{doing}: {command[0]} cannot be run: {error.strerror}") from error

    def _sign_of_life(self, doing: str) -> Callable[[], str]:
        """Says that it goes on, where nothing was said for long: a step may take minutes, and so may a push."""
        started = self._said_at = time.monotonic()

        def said() -> str:
            now = time.monotonic()
            if now - self._said_at < SILENCE:
                return ""
            self._said_at = now
            return f"{doing} goes on, for {now - started:.0f} s so far"

        return said

    def _followed(self, process: subprocess.Popen[str]) -> list[str]:
        lines = []
        for line in process.stdout or ():
            shown = self.masked(_COLOUR.sub("", line).rstrip())
            if shown:
                lines.append(shown)
            if _STEP.match(shown):
                self._said_at = time.monotonic()
                self._progress(shown)
        return lines

    def masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def _kill(group: int) -> None:
    """End a command with everything that it started, which may have outlived it."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _failure(doing: str, what: str, lines: Sequence[str]) -> str:
    said = [f"{doing} {what}"]
    if lines:
        head = f"the last {TAIL} of {len(lines)} lines" if len(lines) > TAIL else "what it said"
        said += [f"  {head}:", *(f"      {line}" for line in lines[-TAIL:])]
    text = "\n".join(lines[-TAIL:])
    advice = next((advice for pattern, advice in HINTS if re.search(pattern, text, re.I)), "")
    return "\n".join([*said, f"  {advice[0].upper()}{advice[1:]}."] if advice else said)
