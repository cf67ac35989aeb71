#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module import_terraform."""

from __future__ import annotations

DOCUMENTATION = r"""
module: import_terraform
short_description: Write an inventory from Terraform states
version_added: 0.1.0
description:
  - Reads Terraform states, format version 4, and writes an inventory that declares what they have made. One host for
    the platform, and one for each ECS service with what only that service uses.
  - Things refer to each other by name, and only what is not a default is written.
  - Writes a report of what it could not say, as text and as JSON, and C(import) blocks for Terraform as the way back.
  - Changes nothing in AWS and nothing in the states. The plan of the new inventory shows how well it fits.
options:
  source:
    description:
      - The states that make up one environment. Each is a file, a folder with files V(*.tfstate) or V(*.tstate), an
        object V(s3://bucket/key), or a prefix V(s3://bucket/prefix/) with such objects below it.
    type: list
    elements: str
    required: true
  dest:
    description: The folder of the inventory.
    type: path
    required: true
  environment_name:
    description: Name of the environment. Defaults to the name of the folder.
    type: str
  platform:
    description: Name of the host that declares what no single service has. Defaults to the environment's name.
    type: str
  overwrite:
    description: Replace files that are there already with other contents. Vaults are never replaced.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Can run in check mode, and writes nothing then.
    support: full
  diff_mode:
    description: Shows the contents of every file.
    support: full
  idempotent:
    description: The same states give the same files.
    support: full
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""

EXAMPLES = r"""
- name: One state
  dockyard.aws.import_terraform:
    source: terraform.tfstate
    dest: inventories/shop

- name: All states of an environment, from its bucket
  dockyard.aws.import_terraform:
    source: s3://shop-terraform-state/
    dest: inventories/shop
    region: us-east-1
"""

RETURN = r"""
files:
  description: The files that were written, or would be in check mode; relative to O(dest).
  returned: success
  type: list
  elements: str
  sample: [hosts.yml, group_vars/all.yml, host_vars/shop/network.yml]
report:
  description:
    - What became of each resource. C(mapped) has its file and variable; C(unmapped), C(attributes), C(changes) and
      C(secrets) have what somebody has to look at, and C(notes) the rest.
  returned: success
  type: dict
summary:
  description: The lines of the report that somebody has to look at.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.module import run_import


def main() -> None:
    run_import()


if __name__ == "__main__":
    main()
