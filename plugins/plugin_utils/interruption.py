# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and SIGTERM as exceptions: a worker of ansible-playbook otherwise ends without undoing anything."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Seconds for the main thread to notice a signal by itself.
PAUSE = 0.1


@contextmanager
def handled() -> Iterator[None]:
    """The first signal raises KeyboardInterrupt, further ones are ignored: locks are released in peace."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in SIGNALS}
    try:
        with _passed_on():
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _passed_on() -> Iterator[None]:
    """The main thread gets each signal once more, whichever thread took it.

    It alone handles signals, and wakes up from what it waits for only where it takes the signal itself. Of several that
    come at once, as ansible-playbook sends them, other threads take some.
    """
    main, (reader, writer) = threading.get_ident(), os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def pass_on() -> None:
        while taken := os.read(reader, 1):
            if taken[0] in SIGNALS:
                time.sleep(PAUSE)
                signal.pthread_kill(main, taken[0])

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)
        thread.join()
        os.close(reader)


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(number).name)
