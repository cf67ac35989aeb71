#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module scale."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scale
short_description: Set the desired count of an ECS service now
version_added: 0.1.0
description:
  - Sets the desired count and waits until as many tasks run.
  - Says who sets it back, C(site.yml) where the inventory declares another count, or the autoscaler. A count that the
    autoscaler does not allow is refused.
options:
  desired_count:
    description: How many tasks are to run.
    type: int
    required: true
  wait:
    description: Wait until they run.
    type: bool
    default: true
  timeout:
    description: How many seconds to wait. Defaults to the service's C(wait_timeout).
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
    description: Can run in check mode and say what would be changed.
    support: full
  diff_mode:
    description: The result has the count before and after.
    support: none
  idempotent:
    description: A second run changes nothing.
    support: full
"""

EXAMPLES = r"""
- name: Six tasks for tonight
  dockyard.aws.scale:
    desired_count: 6
  run_once: true
"""

RETURN = r"""
service:
  description: The service, as C(cluster/service).
  returned: always
  type: str
  sample: shop/web
before:
  description: The desired count so far.
  returned: always
  type: int
  sample: 2
after:
  description: The desired count now.
  returned: always
  type: int
  sample: 6
notes:
  description: Who sets it back.
  returned: always
  type: list
  elements: str
"""

from ansible_collections.dockyard.aws.plugins.module_utils.deploy.module import scale


def main() -> None:
    scale()


if __name__ == "__main__":
    main()
