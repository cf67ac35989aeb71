#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module run_task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: run_task
short_description: Run a one-off task as an ECS service runs its tasks
version_added: 0.1.0
description:
  - Runs a task with the task definition, network, capacity and roles that the service has now, with another command if
    wanted, and waits for its end.
  - Shows its log lines as they come, and fails where the container's exit code is not 0.
options:
  name:
    description: Name for people, shown with each line.
    type: str
    default: task
  command:
    description: Command instead of the container's own.
    type: list
    elements: str
  container:
    description:
      - Container that the command is for, and whose exit code counts. The first essential one without it.
    type: str
  environment:
    description: Environment variables in addition to the container's own.
    type: dict
  cpu:
    description: CPU of the task instead of the task definition's.
    type: str
  memory:
    description: Memory of the task instead of the task definition's.
    type: str
  task_definition:
    description:
      - Family, or C(family:revision), instead of the revision that the service runs.
    type: str
  timeout:
    description: How many seconds it may take. Then it is stopped.
    type: int
    default: 1800
extends_documentation_fragment:
  - dockyard.aws.service
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: In check mode checks what would be run, and runs nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: Each run runs a task.
    support: none
"""

EXAMPLES = r"""
- name: Migrate the database
  dockyard.aws.run_task:
    name: migrate
    command: [python, manage.py, migrate]
  run_once: true
"""

RETURN = r"""
service:
  description: The service, as C(cluster/service).
  returned: always
  type: str
  sample: shop/web
task_definition:
  description: What the task runs.
  returned: always
  type: str
  sample: shop-web:7
container:
  description: The container whose exit code counts.
  returned: always
  type: str
  sample: web
task:
  description: ARN of the task.
  returned: when it was run
  type: str
exit_code:
  description: Exit code of the container. Null where it never ran.
  returned: when it was run
  type: int
  sample: 0
reason:
  description: Why the task stopped.
  returned: when it was run
  type: str
lines:
  description: The last 500 lines that the container wrote to CloudWatch Logs.
  returned: when it was run
  type: list
  elements: str
log_group:
  description: Where its whole log is; empty where it does not log to CloudWatch.
  returned: when it was run
  type: str
log_stream:
  description: The stream there.
  returned: when it was run
  type: str
seconds:
  description: How long it took.
  returned: when it was run
  type: float
"""

from ansible_collections.dockyard.aws.plugins.module_utils.deploy.module import run_task


def main() -> None:
    run_task()


if __name__ == "__main__":
    main()
