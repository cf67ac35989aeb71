#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module plan."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Plan all layers of an environment
version_added: 0.1.0
description:
  - Collects the declarations of all hosts in the selected layers, validates everything, reads AWS once, makes one plan.
  - Changes nothing. The layers that follow in the same run carry out their part of this plan.
  - Belongs at the head of a playbook, with the tag C(always); it plans the layers that the run's tags select.
options:
  offline:
    description:
      - Only validate the declarations, without AWS and without credentials.
    type: bool
    default: false
  plan_file:
    description:
      - In check mode, the file that the plan is saved in. It is written when planning fails, too, with the status
        V(error) and the messages.
      - Otherwise, the file of a saved plan. The task fails, and says what moved, where the plan would be another one
        now. Every layer then stops where AWS moves before it is carried out, as with O(strict).
      - A relative path starts from the folder in which ansible-playbook is started.
      - Defaults to the variable C(plan_file), which is best given with C(-e).
    type: path
extends_documentation_fragment:
  - dockyard.aws.layer
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - dockyard.aws.environment
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Plan the environment
  dockyard.aws.plan:
  tags: [always]

- name: Validate the declarations without AWS
  dockyard.aws.plan:
    offline: true

- name: Save the plan in check mode, and carry out exactly that otherwise
  dockyard.aws.plan:
    plan_file: plan.json
  tags: [always]
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
status:
  description: V(changes) where there is something to do, else V(unchanged).
  returned: always
  type: str
counts:
  description: How many changes of each action there are, and how many resources are as declared.
  returned: always
  type: dict
  sample: {create: 0, update: 1, replace: 0, delete: 0, adopt: 0, unchanged: 42}
plan_file:
  description: Where the plan is saved (C(path)), when it was made, and whether it was C(saved) or C(followed) just now.
  returned: with O(plan_file)
  type: dict
  sample: {path: plan.json, made_at: "2026-05-04T10:00:00Z", use: saved}
would_remove:
  description: What the state remembers and nothing declares any more, as in RV(changes). Deleted with O(prune=true).
  returned: always
  type: list
  elements: dict
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

from ansible_collections.dockyard.aws.plugins.module_utils.layers.module import run_plan


def main() -> None:
    run_plan()


if __name__ == "__main__":
    main()
