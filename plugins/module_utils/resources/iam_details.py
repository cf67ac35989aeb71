# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All roles, users and customer managed policies of the account, read with one call."""

from __future__ import annotations

import threading
import time
from typing import Any
from weakref import WeakKeyDictionary

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws, Session

FILTERS = ["User", "Role", "LocalManagedPolicy"]
LISTS = ("UserDetailList", "RoleDetailList", "Policies")
# Long enough for the three kinds that are read side by side, short enough for who looks again after a change.
FRESH_SECONDS = 2.0

Details = dict[str, list[dict[str, Any]]]

_lock = threading.Lock()
_remembered: WeakKeyDictionary[Session, tuple[float, Details]] = WeakKeyDictionary()


def account_details(aws: Aws) -> Details:
    """UserDetailList, RoleDetailList and Policies; reads at the same time share one answer."""
    with _lock:
        when, details = _remembered.get(aws.session, (0.0, {}))
        if not details or time.monotonic() - when > FRESH_SECONDS:
            details = _read(aws.client("iam"))
            _remembered[aws.session] = (time.monotonic(), details)
        return details


def _read(iam: Any) -> Details:
    paginator = iam.get_paginator("get_account_authorization_details")
    found: Details = {name: [] for name in LISTS}
    for page in paginator.paginate(Filter=FILTERS, PaginationConfig={"PageSize": 1000}):
        for name in LISTS:
            found[name].extend(page.get(name, ()))
    return found
