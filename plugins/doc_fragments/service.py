# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules for running services share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  declared:
    description:
      - The declarations, as a dictionary with the key C(ecs), from host to the value of the variable C(ecs) there.
      - Without it, the declarations are taken from the variables of all hosts in the play's batch.
    type: dict
  service:
    description:
      - Name of the service, or C(cluster/service), where the hosts of the play declare several.
    type: str
  report:
    description:
      - File that gets the result as JSON, for pipelines.
    type: path
  tags:
    description:
      - Tags for everything that can be tagged. Defaults to the inventory's C(dockyard_tags).
    type: dict
  adopt:
    description:
      - As for M(dockyard.aws.ecs). Defaults to the inventory's C(dockyard_adopt).
    type: bool
    default: true
  ownership_tags:
    description:
      - As for M(dockyard.aws.ecs). Defaults to the inventory's C(dockyard_ownership_tags).
    type: bool
    default: true
  parallelism:
    description:
      - How many AWS resources are read at a time. Defaults to the inventory's C(dockyard_parallelism).
    type: int
    default: 16
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""
