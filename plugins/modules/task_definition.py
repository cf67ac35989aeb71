#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module task_definition."""

from __future__ import annotations

DOCUMENTATION = r"""
module: task_definition
short_description: Register a revision of an ECS task definition
version_added: 0.1.0
description:
  - Takes a task definition from a file, from data, or from AWS, applies overrides, validates the result, and registers
    it where it differs from the latest active revision of its family.
  - Says which fields make the new revision necessary. What AWS fills in by itself, the order of lists that have none,
    and other spellings of the same value are no differences.
  - Tags of the latest revision are kept; O(tags) are set in addition.
extends_documentation_fragment:
  - dockyard.aws.task_definition
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Can run in check mode, and says exactly whether a revision would be registered and why.
    support: full
  diff_mode:
    description: Returns the differences, field by field, without what looks like a secret.
    support: full
  idempotent:
    description: A second run with the same source and overrides registers nothing.
    support: full
"""

EXAMPLES = r"""
- name: Register what a pipeline has rendered
  dockyard.aws.task_definition:
    file: "{{ build_dir }}/task-definition.json"
  register: registered

- name: Say why there is a new revision
  ansible.builtin.debug:
    msg: "{{ registered.differences }}"
  when: registered is changed

- name: Register the current revision with another image
  dockyard.aws.task_definition:
    from_family: web
    containers:
      web: {image: "{{ repository }}:{{ version }}"}
"""

RETURN = r"""
task_definition_arn:
  description: ARN of the revision. In check mode, of the latest one so far.
  returned: success
  type: str
  sample: arn:aws:ecs:us-east-1:123456789012:task-definition/web:7
revision:
  description: Number of the revision. In check mode, of the latest one so far.
  returned: success
  type: int
  sample: 7
registers:
  description: Whether a new revision was registered, or would be in check mode. New tags alone need none.
  returned: success
  type: bool
differences:
  description: The fields that differ from the latest revision, with their value before and after.
  returned: success
  type: list
  elements: dict
  sample: [{path: "containerDefinitions[web].image", before: "web:1", after: "web:2"}]
"""

from ansible_collections.dockyard.aws.plugins.module_utils.layers.task_definition_modules import register_module


def main() -> None:
    register_module()


if __name__ == "__main__":
    main()
