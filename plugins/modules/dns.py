#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module dns."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dns
short_description: Route 53 hosted zones and records
version_added: 0.1.0
description:
  - Creates and updates hosted zones and records of Amazon Route 53, plain and alias.
  - A zone is found by the name of the record; names are compared without regard to case and trailing dots.
  - Takes part in the plan that M(dockyard.aws.plan) made, or plans this layer itself where no plan was made.
  - One call serves all hosts of the batch.
extends_documentation_fragment:
  - dockyard.aws.layer
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Carry out the layer for all hosts, as their variables declare it
  dockyard.aws.dns:

- name: See what would be done
  dockyard.aws.dns:
  check_mode: true
  diff: true

- name: Carry out a declaration given here
  dockyard.aws.dns:
    environment_name: shop
    region: eu-central-1
    declared:
      web:
        records:
          - name: api.example.org
            alias: {load_balancer: web, evaluate_target_health: true}
          - name: example.org
            type: MX
            values: [10 mail.example.org]
"""

RETURN = r"""
changes:
  description:
    - The changes, in the order in which they are carried out.
    - Each has its action, kind, name, layer and host, its differences (path, before, after), its reason, and notes.
  returned: always
  type: list
  elements: dict
  sample:
    - action: update
      kind: ecs_service
      name: platform/web
      layer: ecs
      host: web
      differences:
        - {path: desiredCount, before: 1, after: 2}
      reason: configuration
      notes: []
unchanged:
  description: How many resources are as declared.
  returned: always
  type: int
resources:
  description: Id and ARN of each resource, by its address (kind and name).
  returned: always
  type: dict
outputs:
  description: What other layers and people want of each resource, by its address.
  returned: always
  type: dict
failures:
  description: What went wrong, by host.
  returned: always
  type: dict
"""

from ansible_collections.dockyard.aws.plugins.module_utils.layers.module import run_layer


def main() -> None:
    run_layer("dns")


if __name__ == "__main__":
    main()
