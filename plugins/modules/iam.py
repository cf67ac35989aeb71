#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module iam."""

from __future__ import annotations

DOCUMENTATION = r"""
module: iam
short_description: IAM roles, instance profiles, administrators
version_added: 0.1.0
description:
  - Creates and updates IAM roles, instance profiles, policies, and one administrator per AWS service type.
  - Makes OpenID Connect providers, and roles for pipelines that deploy services and may do nothing else.
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
  dockyard.aws.iam:

- name: See what would be done
  dockyard.aws.iam:
  check_mode: true
  diff: true

- name: Carry out a declaration given here
  dockyard.aws.iam:
    environment_name: shop
    region: us-east-1
    declared:
      platform:
        policies:
          - name: shop-boundary
            document:
              Version: "2012-10-17"
              Statement:
                - {Effect: Allow, Action: ["ecr:*", "ecs:*", "logs:*"], Resource: "*"}
        roles:
          - name: shop-container-instances
            preset: ecs_instance
            instance_profile: true
            permissions_boundary: shop-boundary
        administrators:
          - {name: shop-ecr-administrator, layer: ecr}
          - {name: shop-iam-administrator, layer: iam, required_boundary: shop-boundary}
        openid_connect_providers:
          - {url: "https://token.actions.githubusercontent.com", protect: true}
      web:
        deploy_roles:
          - name: shop-web-deploy
            github: {repository: acme@1234567/shop-web@34567890, environments: [production]}
            services:
              - cluster: shop
                service: web
                repositories: [shop-web]
                roles: [shop-web-execution, shop-web-task]
                log_groups: [/ecs/shop-web]
        roles:
          - name: shop-web-execution
            preset: ecs_task_execution
            secrets:
              - arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/web-AbCdEf
          - name: shop-web-task
            preset: ecs_task
            inline_policies:
              pictures:
                Version: "2012-10-17"
                Statement:
                  - {Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::shop-pictures/*"}
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
    run_layer("iam")


if __name__ == "__main__":
    main()
