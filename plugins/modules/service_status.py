#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module service_status."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service_status
short_description: Show what ECS services run and how they are
version_added: 0.1.0
description:
  - One row for each declared service, with its revision, images, tasks, last deployment, target health and last events.
  - Changes nothing.
options:
  events:
    description: How many of the last events to return.
    type: int
    default: 3
extends_documentation_fragment:
  - dockyard.aws.service
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: It only looks.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: It only looks.
    support: full
"""

EXAMPLES = r"""
- name: Look at the services
  dockyard.aws.service_status:
  run_once: true
  register: status_result

- name: Fail where one is not as it should be
  ansible.builtin.assert:
    that: status_result['healthy']
  run_once: true
"""

RETURN = r"""
services:
  description: One row for each service.
  returned: always
  type: list
  elements: dict
  sample:
    - host: web
      service: shop/web
      status: ACTIVE
      task_definition: shop-web:7
      images: {web: {image: "…@sha256:…", tags: ["1.5"]}}
      running: 2
      pending: 0
      desired: 2
      deployment: {id: ecs-svc/1, state: COMPLETED, reason: "", started: "2026-01-01T00:00:00Z", updated: ""}
      targets: ["shop-web: 2 healthy"]
      events: [{at: "2026-01-01T00:01:00Z", message: has reached a steady state.}]
      problems: []
healthy:
  description: Whether no service has a problem.
  returned: always
  type: bool
"""

from ansible_collections.dockyard.aws.plugins.module_utils.deploy.module import service_status


def main() -> None:
    service_status()


if __name__ == "__main__":
    main()
