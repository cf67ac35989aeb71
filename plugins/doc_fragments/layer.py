# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules of all layers share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  declared:
    description:
      - The declarations, as a dictionary from host to the value of the layer's variable on that host.
      - Without it, the declarations are taken from the variables of all hosts in the play's batch.
      - The role of the same name documents what a declaration may contain.
    type: dict
  tags:
    description:
      - Tags for everything that can be tagged. Defaults to the inventory's C(dockyard_tags).
    type: dict
  state:
    description:
      - V(present) creates and updates what is declared.
      - V(absent) deletes what is declared and carries the environment's ownership tag, in reverse order.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Take over resources that exist already without the ownership tag. With V(false) they stop the plan.
      - Defaults to the inventory's C(dockyard_adopt).
    type: bool
    default: true
  ownership_tags:
    description:
      - Set the ownership tag and expect it when deleting. Defaults to the inventory's C(dockyard_ownership_tags).
    type: bool
    default: true
  parallelism:
    description:
      - How many AWS resources are read or changed at a time. Defaults to the inventory's C(dockyard_parallelism).
    type: int
    default: 16
  strict:
    description:
      - Stop where AWS has changed between the plan and the moment of carrying it out, instead of following it.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode and say what would be done, exactly.
    support: full
  diff_mode:
    description: Returns the differences, field by field.
    support: full
  idempotent:
    description: A second run with the same declarations changes nothing.
    support: full
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""
