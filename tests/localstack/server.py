# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts LocalStack on loopback, in its own virtual environment; it ends with the process that is named: PARENT."""

from __future__ import annotations

import functools
import os
import sys
import threading
import time

from localstack.runtime.main import main
from twisted.internet import endpoints


def end_with(parent: int) -> None:
    """End this process as soon as the other is gone."""
    while True:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            os._exit(0)
        time.sleep(0.5)


if __name__ == "__main__":
    # LocalStack's own gateway listens on every address, whatever GATEWAY_LISTEN says.
    endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
    threading.Thread(target=end_with, args=(int(sys.argv[1]),), daemon=True).start()
    main()
