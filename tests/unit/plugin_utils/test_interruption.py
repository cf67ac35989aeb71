# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and SIGTERM end what the main thread waits for, whichever thread they come to."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from ansible_collections.dockyard.aws.plugins.plugin_utils import interruption


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals need the main thread")
@pytest.mark.parametrize("number", interruption.SIGNALS)
def test_a_signal_that_another_thread_takes_ends_the_wait(number):
    (reader, writer), over = os.pipe(), threading.Event()
    late = []

    def take():
        over.wait(0.2)
        signal.pthread_kill(threading.get_ident(), number)
        if not over.wait(10):
            late.append("the main thread slept on")
            os.write(writer, b".")

    before = [signal.getsignal(one) for one in interruption.SIGNALS]
    thread = threading.Thread(target=take)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt, match=signal.Signals(number).name), interruption.handled():
            os.read(reader, 1)
    finally:
        over.set()
        thread.join()
        os.close(reader)
        os.close(writer)
    assert late == []
    assert [signal.getsignal(one) for one in interruption.SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1
