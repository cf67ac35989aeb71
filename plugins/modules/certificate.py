#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module certificate."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate
short_description: ACM certificates
version_added: 0.1.0
description:
  - Requests certificates from AWS Certificate Manager, makes the records in Route 53 by which ACM validates them,
    and waits until they are issued.
  - A certificate whose names change is replaced; the new one is attached to its listeners before the old one goes.
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
  dockyard.aws.certificate:

- name: See what would be done
  dockyard.aws.certificate:
  check_mode: true
  diff: true

- name: Carry out a declaration given here
  dockyard.aws.certificate:
    environment_name: shop
    region: eu-central-1
    declared:
      web:
        certificates:
          - name: web
            domain_name: api.example.org
            subject_alternative_names: ["*.api.example.org", api.example.com]
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
    run_layer("certificate")


if __name__ == "__main__":
    main()
