# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of records, gathered into one batch for each hosted zone."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for

# Route 53 takes five calls a second from an account and one batch of a zone at a time.
GATHER_SECONDS = 0.05
MOST_CHANGES = 200
INSYNC_TIMEOUT = 600.0
REFUSED = "InvalidChangeBatch"

Change = Mapping[str, Any]


@dataclass
class _Item:
    change: Change
    change_id: str = ""
    error: Exception | None = None
    done: bool = False


class Batcher:
    """The changes of one hosted zone that are waiting to be sent. Whoever comes first sends them for all."""

    def __init__(self, route53: Any, zone_id: str) -> None:
        self._route53, self._zone_id = route53, zone_id
        self._waiting: list[_Item] = []
        self._adding, self._sending = threading.Lock(), threading.Lock()

    def submit(self, change: Change) -> str:
        """Make one change, and return the id by which it can be waited for."""
        item = _Item(change)
        with self._adding:
            self._waiting.append(item)
        while not item.done:
            with self._sending:
                if not item.done:
                    self._send_next()
        if item.error is not None:
            raise item.error
        return item.change_id

    def _send_next(self) -> None:
        time.sleep(GATHER_SECONDS)
        with self._adding:
            items, self._waiting = self._waiting[:MOST_CHANGES], self._waiting[MOST_CHANGES:]
        try:
            self._send(items)
        finally:
            for item in items:
                item.done = True

    def _send(self, items: Sequence[_Item]) -> None:
        """A batch that is refused is refused whole: sent one by one, each learns what is wrong with itself."""
        try:
            change_id = self._call([item.change for item in items])
        except exceptions.ClientError as error:
            if code_of(error) == REFUSED and len(items) > 1:
                for item in items:
                    self._send([item])
                return
            self._fail(items, error)
        except Exception as error:
            self._fail(items, error)
        else:
            for item in items:
                item.change_id = change_id

    @staticmethod
    def _fail(items: Sequence[_Item], error: Exception) -> None:
        for item in items:
            item.error = error

    def _call(self, changes: Sequence[Change]) -> str:
        """Two certificates may want the same record at once; a batch may have it once."""
        distinct: list[Change] = []
        for change in changes:
            if change not in distinct:
                distinct.append(change)
        answer = self._route53.change_resource_record_sets(
            HostedZoneId=self._zone_id, ChangeBatch={"Changes": distinct}
        )
        return str(answer["ChangeInfo"]["Id"])


_LOCK = threading.Lock()
_BATCHERS: WeakKeyDictionary[Any, dict[str, Batcher]] = WeakKeyDictionary()


def change(aws: Aws, zone_id: str, action: str, record_set: Mapping[str, Any]) -> str:
    """Make a change to a zone, together with those that others make at the same time; returns the change's id."""
    route53 = aws.client("route53")
    with _LOCK:
        zones = _BATCHERS.setdefault(route53, {})
        batcher = zones.setdefault(zone_id, Batcher(route53, zone_id))
    return batcher.submit({"Action": action, "ResourceRecordSet": dict(record_set)})


def wait_insync(aws: Aws, change_id: str, what: str) -> None:
    """Wait until all name servers of Route 53 know a change."""
    route53 = aws.client("route53")
    wait_for(
        lambda: route53.get_change(Id=change_id)["ChangeInfo"]["Status"] == "INSYNC",
        f"{what} to reach all name servers of Route 53",
        INSYNC_TIMEOUT,
    )
