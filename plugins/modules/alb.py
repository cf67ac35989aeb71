#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module alb."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alb
short_description: Application load balancers, target groups, listeners, rules
version_added: 0.1.0
description:
  - Creates and updates application load balancers, target groups, listeners and listener rules.
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
  dockyard.aws.alb:

- name: See what would be done
  dockyard.aws.alb:
  check_mode: true
  diff: true

- name: Carry out declarations given here
  dockyard.aws.alb:
    environment_name: art
    region: us-east-1
    declared:
      platform:
        load_balancers:
          - name: art-front
            subnets: [art-public-a, art-public-b]
            security_groups: [art-load-balancer]
            access_logs_s3_enabled: true
            access_logs_s3_bucket: art-load-balancer-logs
            listeners:
              - port: 80
                protocol: HTTP
                default_action: {type: redirect, protocol: HTTPS, port: "443"}
              - port: 443
                protocol: HTTPS
                certificate: arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000
                routing_http_response_strict_transport_security_header_value: max-age=31536000
                default_action: {type: fixed-response, status_code: "404", message_body: No service has this path.}
      web:
        target_groups:
          - name: web
            vpc: art
            target_type: ip
            protocol: HTTP
            port: 8080
            deregistration_delay_timeout_seconds: 30
            load_balancing_algorithm_type: least_outstanding_requests
            health_check: {path: /health, interval_seconds: 15, timeout_seconds: 5, matcher: "200"}
        rules:
          - name: web
            load_balancer: art-front
            port: 443
            priority: 100
            conditions:
              - {field: host-header, values: [www.example.com]}
              - {field: path-pattern, values: ["/shop/*", "/cart/*"]}
            actions:
              - {type: forward, target_groups: [{name: web}]}
          - name: web-moved
            load_balancer: art-front
            port: 443
            priority: 110
            conditions:
              - {field: path-pattern, values: ["/old/*"]}
            actions:
              - {type: redirect, path: "/shop/", status_code: HTTP_302}
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
    run_layer("alb")


if __name__ == "__main__":
    main()
