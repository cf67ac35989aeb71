# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting values in the place of references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    KNOWN_AFTER_APPLY,
    UNKNOWN_TEXT,
    Ref,
    Text,
    Unknown,
    is_unknown,
)

Lookup = Callable[[Ref], Any]


def resolve(value: Any, lookup: Lookup) -> Any:
    """A copy of a nested value with every Ref and Text resolved; the input is left as it is."""
    if isinstance(value, Ref):
        return lookup(value)
    if isinstance(value, Text):
        parts = [lookup(reference) for reference in value.references]
        if any(is_unknown(part) for part in parts):
            return Unknown(value.template.format(*parts))
        return value.template.format(*parts)
    if isinstance(value, Mapping):
        return {key: resolve(inner, lookup) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(inner, lookup) for inner in value]
    return value


def shown(value: Any) -> Any:
    """A nested value as people read it: what is not known yet reads `(known after apply)`."""
    if isinstance(value, Mapping):
        return {key: shown(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(inner) for inner in value]
    return UNKNOWN_TEXT.sub(KNOWN_AFTER_APPLY, value) if isinstance(value, str) else value
