#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module autoscaling."""

from __future__ import annotations

DOCUMENTATION = r"""
module: autoscaling
short_description: Auto Scaling groups, capacity providers, scaling of services
version_added: 0.1.0
description:
  - Creates and updates launch templates, Auto Scaling groups and ECS capacity providers.
  - Creates and updates scalable targets of ECS services, with their scaling policies, alarms and scheduled actions.
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
  dockyard.aws.autoscaling:

- name: See what would be done
  dockyard.aws.autoscaling:
  check_mode: true
  diff: true

- name: Carry out a declaration given here
  dockyard.aws.autoscaling:
    environment_name: art
    region: us-east-1
    declared:
      platform:
        launch_templates:
          - name: container-instances
            instance_type: t3.small
            ami:
              ssm_parameter: /aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id
            cluster: main
            instance_profile: container-instance-role
            security_groups: [container-instances]
            associate_public_ip_address: true
        auto_scaling_groups:
          - name: container-instances
            launch_template: container-instances
            subnets: [public-a, public-b]
            min_size: 1
            max_size: 6
            instance_refresh:
              wait: true
            capacity_provider:
              name: container-instances
              target_capacity: 90

- name: Keep the requests in a minute for each task at 1000
  dockyard.aws.autoscaling:
    environment_name: shop
    region: eu-central-1
    declared:
      shop-front:
        scalable_targets:
          - cluster: main
            service: shop-front
            min_capacity: 2
            max_capacity: 10
            scaling_policies:
              - name: requests
                target_tracking:
                  target_value: 1000
                  predefined_metric_type: ALBRequestCountPerTarget
                  load_balancer: shop
                  target_group: shop-front
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
    run_layer("autoscaling")


if __name__ == "__main__":
    main()
