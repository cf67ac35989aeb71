#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module deploy."""

from __future__ import annotations

DOCUMENTATION = r"""
module: deploy
short_description: Bring an image to an ECS service, or go back to an earlier revision
version_added: 0.1.0
description:
  - Resolves the image's tag to its digest in ECR, checks that it is for the platform of the tasks, and renders the
    declared task definition with it. What cannot be deployed stops here, before anything is changed.
  - Registers a revision where it differs from what runs, runs the declared one-off tasks (C(deploy_tasks)) with it,
    updates the service and follows this deployment to its end, whatever other deployments do.
  - Where the deployment fails, says why (stop reasons, exit codes, target health, the last log lines), sees to it that
    the old revision runs again, and deregisters the revision that failed. Where ECS does not go back by itself, the
    module does.
  - Afterwards keeps the newest revisions (C(keep_revisions)) and deregisters older ones, but none that is in use.
  - A run of C(site.yml) leaves all of this as it is. Services with C(image_owner=declaration) are refused.
options:
  image_tag:
    description:
      - Tag or digest of the image in the service's ECR repository, or a whole reference to an image in ECR.
      - With neither O(image_tag) nor O(images), the declared tags are resolved again.
    type: str
  images:
    description:
      - The same by container, where a task has images of several repositories. The others keep what they run.
    type: dict
  built:
    description:
      - Images that M(dockyard.aws.image) has built, as it returns them. They go to the containers whose image is of the
        same repository, by the digest that the registry has computed. The others keep what they run, or get what
        O(images) names.
    type: list
    elements: dict
  revision:
    description:
      - Go back to an earlier revision instead, V(previous), a number, or C(family:number).
      - Revisions newer than that are deregistered afterwards, unless they are in use.
    type: str
  all_services:
    description:
      - Deploy all services that the hosts of the play declare. Without it, there may be only one.
    type: bool
    default: false
  force:
    description:
      - Start a new deployment although nothing differs.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds the deployment may take. Defaults to the service's C(wait_timeout), and the time that its
        deployment strategy bakes.
    type: int
  unhealthy_timeout:
    description:
      - How many seconds targets may be unhealthy without a break.
      - Defaults to the service's C(health_check_grace_period_seconds) and 240 seconds more.
    type: int
extends_documentation_fragment:
  - dockyard.aws.service
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Can run in check mode, looks for the image and says what would be deployed.
    support: full
  diff_mode:
    description: Returns the differences, field by field.
    support: full
  idempotent:
    description: A second run with the same image changes nothing.
    support: full
"""

EXAMPLES = r"""
- name: Deploy a tag
  dockyard.aws.deploy:
    image_tag: "{{ version }}"
  run_once: true
  register: deploy_result

- name: Fail where it failed
  ansible.builtin.fail:
    msg: "{{ deploy_result['failures'].values() | join('\n') }}"
  run_once: true
  when: deploy_result['failures'] | length > 0

- name: Go back
  dockyard.aws.deploy:
    revision: previous
  run_once: true
"""

RETURN = r"""
services:
  description:
    - What happened to each service. C(status) is V(deployed), V(unchanged), V(rolled back) or V(failed).
    - In check mode, what would happen.
  returned: success
  type: list
  elements: dict
  sample:
    - host: web
      service: shop/web
      status: deployed
      previous_task_definition: shop-web:6
      task_definition: shop-web:7
      registers: true
      differences: [{path: "containerDefinitions[web].image", before: "…:1.4", after: "…@sha256:…"}]
      images: {web: {image: "…@sha256:…", tag: "1.5", digest: "sha256:…"}}
      tasks: [{name: migrate, exit_code: 0, task_definition: "shop-web:7", lines: ["done"]}]
      deployment: ecs-svc/1234567890123456789
      events: ["has reached a steady state."]
      reasons: []
      logs: {}
      deregistered: ["shop-web:2"]
      running: shop-web:7 runs with 2 of 2 tasks
      seconds: 74.3
      error: ""
      notes: []
failures:
  description: What went wrong, by host. The module itself succeeds, so that a following task can fail these hosts.
  returned: success
  type: dict
notes:
  description: What was done and could not be recorded.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.dockyard.aws.plugins.module_utils.deploy.module import deploy


def main() -> None:
    deploy()


if __name__ == "__main__":
    main()
