# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the real Terraform against the emulator. Only providers that are built into it are needed here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.state_helpers import BUCKET, KEY, TABLE

BINARY = shutil.which("terraform")
needed = pytest.mark.skipif(BINARY is None, reason="there is no terraform on the PATH: this shows how both get along")

LOCKS = {
    "dynamodb": f'dynamodb_table = "{TABLE}"',
    "s3": "use_lockfile = true",
    "both": f'dynamodb_table = "{TABLE}"\n  use_lockfile = true',
}


def s3_settings(url: str, key: str = KEY) -> str:
    """What the S3 backend needs to talk to the emulator."""
    return f"""
  bucket = "{BUCKET}"
  key = "{key}"
  region = "us-east-1"
  access_key = "test"
  secret_key = "test"
  use_path_style = true
  skip_credentials_validation = true
  skip_metadata_api_check = true
  skip_requesting_account_id = true
  skip_region_validation = true
  endpoints = {{ s3 = "{url}", dynamodb = "{url}" }}
"""


def backend(url: str, kind: str, key: str = KEY) -> str:
    return f'terraform {{\n backend "s3" {{ {s3_settings(url, key)}  {LOCKS[kind]}\n }}\n}}\n'


class Terraform:
    """One configuration in a folder of its own."""

    def __init__(self, folder: Path, configuration: str) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "terraformrc").write_text("disable_checkpoint = true\n")
        self.configure(configuration)

    def configure(self, configuration: str) -> None:
        (self._folder / "main.tf").write_text(configuration)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        environment = {
            **kept,
            "TF_CLI_CONFIG_FILE": str(self._folder / "terraformrc"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return subprocess.Popen(
            [str(BINARY), *arguments],
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, fails: bool = False, timeout: float = 120) -> str:
        """Its output, when it ends as it should."""
        process = self.start(*arguments)
        output, _errors = process.communicate(timeout=timeout)
        assert (process.returncode != 0) == fails, output
        return output

    def init(self) -> Terraform:
        self.run("init", "-no-color")
        return self

    def apply(self, *more: str, fails: bool = False, timeout: float = 120) -> str:
        return self.run("apply", "-auto-approve", "-no-color", *more, fails=fails, timeout=timeout)

    def outputs(self) -> dict[str, Any]:
        found = json.loads(self.run("output", "-json"))
        return {name: output["value"] for name, output in found.items()}
