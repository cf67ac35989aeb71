# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling the threads that carry out a plan that the run is to end, so that whoever waits in one stops waiting."""

from __future__ import annotations

import threading
import time

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

_OF_THIS_THREAD = threading.local()


class Stopped(ReconcileError):
    """The run was ended while something was waited for."""


def listen(ended: threading.Event) -> None:
    """Let this thread stop waiting when the event is set."""
    _OF_THIS_THREAD.ended = ended


def pause(seconds: float) -> None:
    """Sleep; raises Stopped as soon as the run is to end."""
    ended: threading.Event | None = getattr(_OF_THIS_THREAD, "ended", None)
    if ended is None:
        time.sleep(seconds)
    elif ended.wait(seconds):
        raise Stopped("the run was ended")
