#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module remove."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remove
short_description: Delete what the plan lists for deletion
version_added: 0.1.0
description:
  - Deletes, in reverse dependency order over all layers, what the plan of the same run lists for deletion.
  - After M(dockyard.aws.plan) with O(prune=true), that is what the state remembers and nothing declares any more. With
    O(state=absent), it is everything that the state remembers of the selected layers and hosts, or, without
    O(remote_state), what is declared and carries the environment's ownership tag.
  - Without a plan in the same run it plans by itself, as with O(prune=true) or O(state=absent).
  - Belongs at the end of a playbook, with the tag C(always). Removes nothing where a host has failed before.
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
- name: Remove what is declared no more
  dockyard.aws.remove:
  run_once: true
  when: prune | default(false) | bool
  tags: [always]

- name: Destroy two resources and nothing else
  dockyard.aws.remove:
    state: absent
    destroy_only:
      - ecs_service/platform/web
      - ecr_repository/web
  run_once: true
"""

RETURN = r"""
changes:
  description:
    - What was deleted, in the order in which that was finished.
    - Each has its action, kind, name, layer and host, and its reason, V(prune) or V(destroy).
  returned: always
  type: list
  elements: dict
  sample:
    - action: delete
      kind: ecr_repository
      name: web
      layer: ecr
      host: web
      differences: []
      reason: prune
      notes: []
left_alone:
  description: What was found and not touched, each with why.
  returned: always
  type: list
  elements: str
failures:
  description: What went wrong, by the host that declared it. These hosts need not be in the inventory any more.
  returned: always
  type: dict
"""

from ansible_collections.dockyard.aws.plugins.module_utils.layers.module import run_remove


def main() -> None:
    run_remove()


if __name__ == "__main__":
    main()
