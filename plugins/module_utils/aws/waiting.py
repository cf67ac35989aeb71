# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for AWS to finish: a short first delay that grows, never a fixed long one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.stopping import pause

Value = TypeVar("Value")

FIRST_DELAY = 0.2
GROWTH = 1.6
LONGEST_DELAY = 10.0


def wait_for(
    look: Callable[[], Value | None], what: str, timeout: float, state: Callable[[], str] = lambda: ""
) -> Value:
    """Call `look` until it gives something other than None or False, and return that.

    what: e.g. "load balancer art to become active"; `state` says at a timeout what was seen last. timeout: seconds.
    """
    deadline = time.monotonic() + timeout
    delay = FIRST_DELAY
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        left = deadline - time.monotonic()
        if left <= 0:
            seen = state()
            raise AwsError(f"waited {timeout:.0f} s for {what}" + (f"; last seen: {seen}" if seen else "") + ".")
        pause(min(delay, left))
        delay = min(delay * GROWTH, LONGEST_DELAY)
