# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of what all modules that work on an environment need to know about it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  environment_name:
    description:
      - Name of the environment, kept in the ownership tag C(dockyard:environment) of everything that is made.
      - Defaults to the inventory's C(dockyard_environment).
    type: str
  account_id:
    description:
      - The AWS account that the run is meant for. With credentials of another account it stops before anything else.
      - Defaults to the inventory's C(aws_account_id).
    type: str
  profiles:
    description:
      - Profile of the AWS configuration for each layer, where not all layers use the same credentials.
      - Defaults to the inventory's C(aws_profiles).
    type: dict
  base_dir:
    description:
      - The folder that relative paths in declarations start from.
      - Defaults to the folder of the inventory that each host comes from.
    type: path
  base_dirs:
    description:
      - The same for single hosts, by their names.
    type: dict
"""
