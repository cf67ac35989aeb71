#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module bootstrap."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bootstrap
short_description: Check what runs need before the first one
version_added: 0.1.0
description:
  - Checks the versions of what runs use, the credentials, account, region and clock, the settings of the shared state,
    and what may be done with its bucket and table. No check changes anything.
  - Each check that fails says what to do.
  - Afterwards it looks at how the bucket is set up, and moves documents that were kept locally into it.
options:
  stage:
    description:
      - V(before) is for before bucket and table are made, V(after) for afterwards.
    type: str
    choices: [before, after]
    default: before
  declared:
    description:
      - What hosts declare in the variable C(state_bucket), as a dictionary from host to declaration.
      - Without it, the declarations are taken from the variables of all hosts in the play's batch.
    type: dict
  base_dir:
    description:
      - The folder below which documents are kept in C(.dockyard/state) for as long as there is no bucket.
      - Defaults to the folder of the inventory.
    type: path
  base_dirs:
    description: The same by hosts.
    type: dict
attributes:
  check_mode:
    description: Can run in check mode; documents are then not moved.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
  idempotent:
    description: Documents are moved once.
    support: full
extends_documentation_fragment:
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""

EXAMPLES = r"""
- name: Check versions, credentials, settings and access
  dockyard.aws.bootstrap:

- name: Look at the bucket once it is made
  dockyard.aws.bootstrap:
    stage: after
"""

RETURN = r"""
checks:
  description: What was looked at, each with its name, its status, what was found, and what to do about it.
  returned: success
  type: list
  elements: dict
  sample:
    - name: account
      status: failed
      said: the credentials belong to 111111111111, and aws_account_id is 222222222222
      todo: use credentials of that account (aws_profile), or correct aws_account_id
moved:
  description: The documents that were moved into the bucket, or would be in check mode.
  returned: success
  type: list
  elements: str
next_steps:
  description: What to run next.
  returned: success
  type: list
  elements: str
"""

from ansible_collections.dockyard.aws.plugins.module_utils.layers.module import run_bootstrap


def main() -> None:
    run_bootstrap()


if __name__ == "__main__":
    main()
