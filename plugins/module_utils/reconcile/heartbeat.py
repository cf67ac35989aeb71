# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long work is never silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

SECONDS = 4.0


@contextmanager
def heartbeat(progress: Callable[[str], None], doing: Callable[[], str]) -> Iterator[None]:
    """Says every few seconds what is still being done, until the block ends. `doing` may say nothing."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(SECONDS):
            if what := doing():
                progress(what)

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
