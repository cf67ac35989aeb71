#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module network."""

from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: VPC, subnets, routes, security groups
version_added: 0.1.0
description:
  - Creates and updates a VPC with internet gateway, subnets, NAT gateways, route tables and security groups.
  - In the default VPC it makes security groups only.
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
  dockyard.aws.network:

- name: See what would be done
  dockyard.aws.network:
  check_mode: true
  diff: true

- name: A VPC with public and private subnets, a NAT gateway in each zone, and groups that name each other
  dockyard.aws.network:
    environment_name: shop
    region: eu-central-1
    declared:
      platform:
        vpc:
          name: shop
          cidr_block: 10.20.0.0/16
        internet_gateway:
          name: shop
        subnets:
          - {name: shop-public-a, cidr_block: 10.20.0.0/24, availability_zone: eu-central-1a, public: true}
          - {name: shop-public-b, cidr_block: 10.20.1.0/24, availability_zone: eu-central-1b, public: true}
          - {name: shop-private-a, cidr_block: 10.20.10.0/24, availability_zone: eu-central-1a}
          - {name: shop-private-b, cidr_block: 10.20.11.0/24, availability_zone: eu-central-1b}
        nat: one_per_zone
        security_groups:
          - name: shop-load-balancer
            description: HTTPS from the internet to the load balancer
            ingress:
              - from_port: 443
                cidr_blocks: [0.0.0.0/0]
                ipv6_cidr_blocks: ["::/0"]
                description: HTTPS
            egress:
              - {from_port: 8080, security_groups: [shop-tasks], description: to the tasks}
          - name: shop-tasks
            description: The load balancer to the tasks, and the tasks among each other
            ingress:
              - {from_port: 8080, security_groups: [shop-load-balancer], description: from the load balancer}
              - {protocol: all, security_groups: [shop-tasks], description: among each other}

- name: A security group in a VPC that is there already
  dockyard.aws.network:
    environment_name: shop
    region: eu-central-1
    declared:
      reports:
        vpc: {name: shop, existing: true}
        security_groups:
          - name: shop-reports
            description: Reports
            ingress:
              - {from_port: 8081, cidr_blocks: [10.20.0.0/16]}
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
    run_layer("network")


if __name__ == "__main__":
    main()
