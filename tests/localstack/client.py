# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and stops LocalStack, an emulator of AWS that others wrote, which serves the websites of S3."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / "build" / "localstack" / "bin" / "python"
START_SECONDS = 90.0
STOP_SECONDS = 15.0
ACCOUNT = "123456789012"
SETTINGS = {
    "DNS_ADDRESS": "0",
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    "ACTIVATE_PRO": "0",
}
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def installed() -> bool:
    """Whether `make browser` was there already: LocalStack takes 500 MB, so nothing else installs it."""
    return (HERE.parents[1] / "build" / "localstack" / ".stamp").exists()


class LocalStack:
    """One LocalStack process of one's own on a free port of 127.0.0.1; a context manager."""

    def __init__(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        self._folder = TemporaryDirectory(prefix="dockyard-localstack-")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LocalStack:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        told = {"GATEWAY_LISTEN": self.address, "LOCALSTACK_VOLUME_DIR": f"{self._folder.name}/volume"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(PYTHON), str(HERE / "server.py"), str(os.getpid())],
                env={**kept, **SETTINGS, **told},
                stdout=log,
                stderr=log,
            )
        self._wait(self._process)
        return self

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "log"

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with _DIRECT.open(f"{self.url}/_localstack/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        said = self._log.read_text(encoding="utf-8", errors="replace")
        self._stop()
        raise RuntimeError(f"LocalStack did not start:\n{said}")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    def environment(self, region: str = "us-east-1") -> dict[str, str]:
        """Environment variables with which any AWS SDK talks to it. A key of twelve digits is the account."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A boto3 client."""
        import boto3

        session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="test", region_name=region)
        return session.client(service, endpoint_url=self.url)
