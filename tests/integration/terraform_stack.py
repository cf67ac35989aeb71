# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environments in real Terraform, applied to the emulator with the real AWS provider."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.resolve import resolve
from tests.integration import art
from tests.integration.terraform import BINARY, Terraform

STACK = Path(__file__).with_name("terraform_art")
LMS = art.INVENTORY.with_name("lms")
PROVIDER = "registry.terraform.io/hashicorp/aws"
VERSIONS = "5.1??.*"
# Where the AWS provider may lie, so that no registry is asked. The first is for people who keep it elsewhere.
MIRRORS = (
    os.environ.get("TERRAFORM_PROVIDER_MIRROR", ""),
    "/opt/tf-plugins",
    "~/.terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
)
APPLY_SECONDS = 600
SERVICES = (
    *("acm", "applicationautoscaling", "autoscaling", "cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "elbv2", "iam"),
    *("logs", "route53", "s3", "s3control", "ssm", "sts"),
)
# The way to the emulator, in a file that Terraform lays over the configuration.
OVERRIDE = """
provider "aws" {
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
  endpoints {
%s
  }
%s
}
"""


def mirror() -> Path | None:
    """The folder with the AWS provider, or None where there is none on this machine."""
    folders = [Path(folder).expanduser() for folder in MIRRORS if folder]
    return next((folder for folder in folders if list((folder / PROVIDER).glob(VERSIONS))), None)


needed = pytest.mark.skipif(
    BINARY is None or mirror() is None,
    reason="there is no terraform on the PATH, or no AWS provider 5.1xx in a local mirror: "
    "this shows what becomes of a stack of theirs",
)


class EnvironmentStack(Terraform):
    """An environment's folder of Terraform, with what it reads, in a folder of its own."""

    def __init__(self, folder: Path, url: str, stack: Path, inventory: Path) -> None:
        super().__init__(folder, "")
        self._url = url
        (folder / "main.tf").unlink()
        shutil.copytree(stack, folder, dirs_exist_ok=True)
        for name in ("task-definitions", "files"):
            if (inventory / name).is_dir():
                shutil.copytree(inventory / name, folder / name)
        (folder / "terraformrc").write_text(
            f'disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{ path = "{mirror()}" }}\n}}\n'
        )
        self.provider("")

    def provider(self, more: str) -> None:
        """Point the provider at the emulator, with further settings."""
        endpoints = "\n".join(f'    {service} = "{self._url}"' for service in SERVICES)
        (self._folder / "emulator_override.tf").write_text(OVERRIDE % (endpoints, more))

    def plan(self) -> str:
        """What its plan says; the run fails where it would change something."""
        return self.run("plan", "-detailed-exitcode", "-no-color", "-lock=false")

    def let_go(self, removed: Path) -> str:
        """Apply `removed` blocks in place of all resources."""
        (self._folder / "before").mkdir()
        for path in self._folder.glob("*.tf"):
            if path.name not in ("providers.tf", "emulator_override.tf"):
                path.rename(self._folder / "before" / path.name)
        shutil.copy(removed, self._folder / "removed.tf")
        said = self.apply(timeout=APPLY_SECONDS)
        return said + self.run("state", "list")

    def plan_to_take_back(self, imports: Path) -> str:
        """The configuration as it was before, with `import` blocks."""
        (self._folder / "removed.tf").unlink()
        for path in (self._folder / "before").iterdir():
            path.rename(self._folder / path.name)
        shutil.copy(imports, self._folder / "imports.tf")
        return self.run("plan", "-no-color", "-lock=false")

    @property
    def state(self) -> Path:
        return self._folder / "terraform.tfstate"


class ArtStack(EnvironmentStack):
    """The folder terraform_art, with the policies of its administrators."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url, STACK, art.INVENTORY)
        (folder / "policies").mkdir()
        for name, document in administrators().items():
            (folder / "policies" / f"{name}.json").write_text(json.dumps(document))


class LmsStack(EnvironmentStack):
    """The folder terraform_lms, with the policy of its deploy role."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url, STACK.with_name("terraform_lms"), LMS)
        (folder / "policies").mkdir()
        (folder / "policies" / "deploy.json").write_text(json.dumps(deploy_policy()))


def deploy_policy() -> Any:
    """The policy document of the back end's deploy role, as the layer iam makes it."""
    host = "lms-backend"
    declared = yaml.safe_load((LMS / "host_vars" / host / "iam.yml").read_text())["iam"]
    shared = yaml.safe_load((LMS / "group_vars" / "all.yml").read_text())
    for item in declared["deploy_roles"]:
        item["remote_state"] = shared["dockyard_remote_state"]
    place = {"environment_name": "lms", "account_id": shared["aws_account_id"], "region": shared["aws_region"]}
    made = {item.name: item for item in running.validate({"declared": {"iam": {host: declared}}, **place})}

    def arn(reference: Ref) -> str:
        return f"arn:aws:iam::{shared['aws_account_id']}:role/{reference.name}"

    return resolve(made[f"{host}-deploy"].properties["InlinePolicies"]["deploy"], arn)


def administrators() -> dict[str, Any]:
    """The policy documents of the administrators, as the layer iam makes them."""
    parameters = {
        "declared": art.declared("iam"),
        "environment_name": "art",
        "account_id": "123456789012",
        "region": "us-east-1",
    }
    policies = {item.name: item for item in running.validate(parameters) if item.kind == "iam_policy"}

    def arn(reference: Ref) -> str:
        return f"arn:aws:iam::123456789012:policy/{reference.name}"

    found: Mapping[str, Any] = {
        name: resolve(item.properties["Document"], arn)
        for name, item in policies.items()
        if item.properties.get("Path") == "/administrators/"
    }
    return dict(found)
