# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and stops ministack, an emulator of AWS that others wrote; it lives in a virtual environment of its own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
HOME = HERE.parents[1] / "build" / "ministack"
START_TIMEOUT = 60.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def installed() -> Path:
    """The Python of ministack's virtual environment, which is made where it is not there or not as it should be."""
    HOME.parent.mkdir(parents=True, exist_ok=True)
    python, stamp = HOME / "bin" / "python", HOME / ".stamp"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    with (HOME.parent / "ministack.lock").open("w") as lock:  # several test processes begin at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(HOME, ignore_errors=True)
            venv.create(HOME, with_pip=True, symlinks=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            done = subprocess.run([*pip, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"ministack could not be installed into {HOME}:\n{done.stderr}")
            stamp.write_text(wanted, encoding="utf-8")
    return python


class Ministack:
    """One ministack process of one's own, with stub containers; a context manager, or start() and stop().

    settings: environment variables of ministack, e.g. AUTH="true".
    """

    def __init__(self, region: str = "us-east-1", account: str = "123456789012", **settings: str) -> None:
        self.region, self.account, self.settings = region, account, settings
        self.url, self.port = "", 0
        self._folder: TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._session: Any = None

    def start(self) -> Ministack:
        """Start it on a free port of 127.0.0.1 and wait until it answers."""
        python = installed()
        self._folder = TemporaryDirectory(prefix="dockyard-ministack-")
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(python), str(HERE / "server.py"), "--parent", str(os.getpid())]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, env=self._variables(), stdout=log, stderr=log)
        self._wait()
        return self

    @property
    def log(self) -> Path:
        """What ministack printed."""
        assert self._folder is not None
        return Path(self._folder.name) / "log"

    def _variables(self) -> dict[str, str]:
        assert self._folder is not None
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        return {
            **keep,
            "MINISTACK_REGION": self.region,
            "MINISTACK_ACCOUNT_ID": self.account,
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
            "TMPDIR": self._folder.name,
            **self.settings,
        }

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"ministack ended at once:\n{self.log.read_text(encoding='utf-8')}")
            try:
                with _DIRECT.open(f"{self.url}/_ministack/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"ministack did not answer within {START_TIMEOUT:.0f} s.")

    def stop(self) -> None:
        """End the process; calling it twice does no harm."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()  # there is nothing to save
            process.wait()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> Ministack:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def reset(self) -> None:
        """An empty account; all containers end."""
        request = urllib.request.Request(f"{self.url}/_ministack/reset", method="POST")
        with _DIRECT.open(request, timeout=60):
            pass

    def environment(self, region: str = "") -> dict[str, str]:
        """Environment variables with which any AWS SDK talks to this ministack."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": region or self.region,
            "AWS_DEFAULT_REGION": region or self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = "", **options: Any) -> Any:
        """A boto3 client."""
        import boto3

        if self._session is None:  # one for all clients: each session parses the service models anew
            self._session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")
        return self._session.client(service, region_name=region or self.region, endpoint_url=self.url, **options)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
