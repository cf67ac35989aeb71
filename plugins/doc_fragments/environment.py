# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules for all layers share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  declared:
    description:
      - The declarations, as a dictionary from layer to host to the value of the layer's variable on that host.
    type: dict
  layers:
    description:
      - Which layers. Defaults to those that the tags of the run select.
    type: list
    elements: str
    choices: [state_bucket, iam, network, ecr, certificate, alb, dns, autoscaling, ecs, static_site]
  prune:
    description:
      - Delete what the state remembers of these layers and the inventory declares no more.
      - Without it, that is only shown as C(would be removed). Needs O(remote_state) and O(whole_inventory).
      - Defaults to the variable C(prune), which is meant to be given on the command line.
    type: bool
    default: false
  destroy_only:
    description:
      - With O(state=absent), only these resources, each as C(kind/name), as plans show them.
      - Defaults to the variable C(destroy_only), which is meant to be given on the command line.
    type: list
    elements: str
  whole_inventory:
    description:
      - Whether the declarations are those of all hosts of the inventory, so that what is missing is declared no more.
      - Found out by itself where O(declared) is not given.
    type: bool
    default: false
"""
