# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM decides about a call: an identity policy, an action, a resource, and the keys of conditions."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

OPERATORS = {
    "StringEquals": lambda given, wanted: given == wanted,
    "ArnEquals": fnmatch.fnmatchcase,
    "StringLike": fnmatch.fnmatchcase,
}


def texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def allows(document: Mapping[str, Any], action: str, resource: str, **context: str) -> bool:
    """Whether a statement allows it. A key that the call does not have fulfils no condition but ForAllValues."""
    return any(_applies(statement, action, resource, context) for statement in document["Statement"])


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    assert statement["Effect"] == "Allow", "a denial is more than this knows"
    named = any(fnmatch.fnmatchcase(action, pattern) for pattern in texts(statement["Action"]))
    meant = any(fnmatch.fnmatchcase(resource, pattern) for pattern in texts(statement["Resource"]))
    return named and meant and _holds(statement.get("Condition", {}), context)


def _holds(conditions: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    for name, keys in conditions.items():
        operator, every = OPERATORS[name.removeprefix("ForAllValues:")], name.startswith("ForAllValues:")
        for key, values in keys.items():
            given = context.get(key)
            if given is None and not every:
                return False
            if given is not None and not any(operator(given, wanted) for wanted in texts(values)):
                return False
    return True
