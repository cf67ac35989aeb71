#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module state_bucket."""

from __future__ import annotations

DOCUMENTATION = r"""
module: state_bucket
short_description: S3 bucket and DynamoDB table for shared state
version_added: 0.1.0
description:
  - Creates and updates the S3 bucket that keeps shared state, and the DynamoDB table that locks it.
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
  dockyard.aws.state_bucket:

- name: See what would be done
  dockyard.aws.state_bucket:
  check_mode: true
  diff: true

- name: Carry out a declaration given here
  dockyard.aws.state_bucket:
    environment_name: shop
    region: us-east-1
    declared:
      platform:
        bucket:
          name: shop-terraform-state
          sse_algorithm: aws:kms
          noncurrent_version_expiration_days: 180
          newer_noncurrent_versions: 10
        lock_table:
          name: shop-terraform-locks
          sse_specification: {enabled: true}
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
    run_layer("state_bucket")


if __name__ == "__main__":
    main()
