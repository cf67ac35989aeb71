#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module drift."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drift
short_description: Find what changed in AWS since it was applied
version_added: 0.1.0
description:
  - Compares what the shared state remembers as applied last with what AWS has now, field by field.
  - Finds what is gone, what somebody else made anew, and what a run that was ended left half made.
  - Lists what carries the environment's ownership tag and is in no state document.
  - Only what was declared is compared. What is owned elsewhere (an image by the pipeline, a count by the autoscaler) is
    no drift, and neither is a change of the inventory, which is only counted.
  - Reads the documents of O(remote_state), which has to be set here or in the inventory.
  - Writes nothing in AWS and takes no lock. Drift is no failure of the module, see RV(status).
options:
  declared:
    description:
      - The declarations, as a dictionary from layer to host to the value of the layer's variable on that host.
      - They are only needed to tell what changed in the inventory since the last run.
      - Without it, the declarations are taken from the variables of all hosts in the play's batch.
    type: dict
  tags:
    description:
      - Tags for everything that can be tagged. Defaults to the inventory's C(dockyard_tags).
    type: dict
  ownership_tags:
    description:
      - Expect the ownership tag, and look for untracked resources by it.
      - Defaults to the inventory's C(dockyard_ownership_tags).
    type: bool
    default: true
  parallelism:
    description:
      - How many AWS resources are read at a time. Defaults to the inventory's C(dockyard_parallelism).
    type: int
    default: 16
  layers:
    description:
      - Which layers to look at. Defaults to those that the tags of the run select.
    type: list
    elements: str
    choices: [state_bucket, iam, network, ecr, certificate, alb, dns, autoscaling, ecs, static_site]
  hosts:
    description:
      - Look only at what these hosts declared.
      - Defaults to the hosts of the play's batch where that is not the whole inventory, else to everything recorded,
        which includes what hosts declared that have left the inventory.
    type: list
    elements: str
  report:
    description:
      - Write the result into this file as JSON, also where an error ends the look.
    type: path
  junit:
    description:
      - Write the result into this file as JUnit XML, with one test case for each recorded resource.
    type: path
extends_documentation_fragment:
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Does the same in check mode.
    support: full
  diff_mode:
    description: The differences are in RV(findings), with and without C(--diff).
    support: none
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""

EXAMPLES = r"""
- name: Look for drift
  dockyard.aws.drift:
    report: drift.json
    junit: drift.xml
  register: drift

- name: Fail on drift
  ansible.builtin.fail:
    msg: "{{ drift.summary }}"
  when: drift.status == 'drift'
"""

RETURN = r"""
status:
  description: V(unchanged), V(drift), or V(error) where the look did not come to an end.
  returned: always
  type: str
summary:
  description: What was found, in one line.
  returned: success
  type: str
counts:
  description:
    - How many resources are recorded, unchanged, changed, gone, recreated and pending.
    - How many others are untracked, and how many are old copies that the next run deletes.
  returned: success
  type: dict
  sample: {recorded: 44, unchanged: 43, changed: 1, gone: 0, recreated: 0, pending: 0, untracked: 0, old_copies: 0}
findings:
  description:
    - What is not as it was applied, one entry for each field. Secrets are masked.
    - C(what) is V(changed), V(gone), V(recreated) or V(pending).
  returned: success
  type: list
  elements: dict
  sample:
    - address: ecs_service/platform/web
      host: web
      layer: ecs
      what: changed
      path: desiredCount
      applied: 2
      now: 5
untracked:
  description: ARNs of what carries the environment's ownership tag and is in no state document.
  returned: success
  type: list
  elements: str
untracked_searched:
  description: Whether untracked resources were looked for, which is so where neither tags nor hosts limit the look.
  returned: success
  type: bool
old_copies:
  description: ARNs of copies that a replacement left behind. They go in the next run.
  returned: success
  type: list
  elements: str
changed_in_inventory:
  description: Addresses of what is declared otherwise than it was applied, which is no drift.
  returned: success
  type: list
  elements: str
recorded:
  description: Address, host and layer of each resource that was compared.
  returned: success
  type: list
  elements: dict
notes:
  description: What could not be looked at, and what else is worth knowing.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.dockyard.aws.plugins.module_utils.layers.module import run_drift


def main() -> None:
    run_drift()


if __name__ == "__main__":
    main()
