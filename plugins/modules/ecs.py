#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ecs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs
short_description: ECS clusters, task definitions, services
version_added: 0.1.0
description:
  - Creates and updates ECS clusters, log groups, task definitions and services.
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
  dockyard.aws.ecs:

- name: See what would be done
  dockyard.aws.ecs:
  check_mode: true
  diff: true

- name: A cluster on Fargate, and a service behind a load balancer that exists already
  dockyard.aws.ecs:
    environment_name: shop
    region: eu-central-1
    declared:
      platform:
        clusters:
          - name: shop
            container_insights: enhanced
            capacity_providers: [FARGATE, FARGATE_SPOT]
            default_capacity_provider_strategy:
              - {capacity_provider: FARGATE, weight: 1}
      web:
        task_definitions:
          - family: shop-web
            network_mode: awsvpc
            requires_compatibilities: [FARGATE]
            cpu: "512"
            memory: "1024"
            execution_role: shop-web-execution
            task_role: shop-web-task
            log_group: {name: /ecs/shop-web, retention_in_days: 30}
            definition:
              - name: web
                image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop-web:latest
                portMappings: [{containerPort: 8080}]
                logConfiguration:
                  logDriver: awslogs
                  options:
                    awslogs-group: /ecs/shop-web
                    awslogs-region: eu-central-1
                    awslogs-stream-prefix: ecs
            containers:
              web:
                image: {repository: shop-web, tag: latest}
                environment: {LOG_LEVEL: info}
        services:
          - name: web
            cluster: shop
            task_definition: shop-web
            desired_count: 2
            launch_type: FARGATE
            network_configuration:
              subnets: [shop-private-a, shop-private-b]
              security_groups: [shop-tasks]
            load_balancers:
              - {target_group: shop-web, container_name: web, container_port: 8080}
            health_check_grace_period_seconds: 60

- name: A worker whose count the autoscaler sets, on the capacity provider of an Auto Scaling group
  dockyard.aws.ecs:
    environment_name: shop
    region: eu-central-1
    declared:
      worker:
        task_definitions:
          - family: shop-worker
            file: task-definitions/worker.yml
        services:
          - name: worker
            cluster: shop
            task_definition: shop-worker
            image_owner: declaration
            desired_count: 1
            desired_count_owner: autoscaling
            capacity_provider_strategy:
              - {capacity_provider: shop-instances, weight: 1}
            placement_strategy:
              - {type: spread, field: "attribute:ecs.availability-zone"}
              - {type: binpack, field: memory}
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
    run_layer("ecs")


if __name__ == "__main__":
    main()
