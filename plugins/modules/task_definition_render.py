#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module task_definition_render."""

from __future__ import annotations

DOCUMENTATION = r"""
module: task_definition_render
short_description: Render and validate an ECS task definition
version_added: 0.1.0
description:
  - Takes a task definition from a file, from data, or from AWS, applies overrides, and validates the result against the
    rules of Amazon ECS.
  - Every problem is reported at once, each with the path of the field.
  - Writes the result to a file where O(dest) is given, as a step of a pipeline would; M(dockyard.aws.task_definition)
    registers it.
  - Makes no call to AWS, unless O(from_family) is given.
options:
  dest:
    description:
      - File that gets the task definition as JSON. It appears whole or not at all.
    type: path
extends_documentation_fragment:
  - dockyard.aws.task_definition
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Can run in check mode, and does not write the file then.
    support: full
  diff_mode:
    description: Shows the change of the file, without what looks like a secret.
    support: full
  idempotent:
    description: The same source and overrides give the same file.
    support: full
"""

EXAMPLES = r"""
- name: Put a new image into the task definition, as a pipeline does
  dockyard.aws.task_definition_render:
    file: task-definitions/web.json
    family: web
    containers:
      web:
        image: "{{ repository }}:{{ version }}"
        environment:
          VERSION: "{{ version }}"
          DEBUG:
    dest: "{{ build_dir }}/task-definition.json"

- name: The revision that runs today, with more memory
  dockyard.aws.task_definition_render:
    from_family: web
    memory: 1 GB
  register: rendered

- name: Only check a file, for Fargate
  dockyard.aws.task_definition_render:
    file: task-definitions/worker.yml
    family: worker
    launch_types: [FARGATE]
"""

RETURN = r"""
task_definition:
  description:
    - The task definition, as RegisterTaskDefinition takes it, with the values of all environment variables.
    - Set C(no_log=true) on the task where they may hold secrets, or keep these in C(secrets), where they are safe.
  returned: success
  type: dict
  sample: {family: web, containerDefinitions: [{name: web, image: "nginx:1.27"}]}
dest:
  description: The file.
  returned: when O(dest) is given
  type: str
  sample: build/task-definition.json
"""

from ansible_collections.dockyard.aws.plugins.module_utils.layers.task_definition_modules import render_module


def main() -> None:
    render_module()


if __name__ == "__main__":
    main()
