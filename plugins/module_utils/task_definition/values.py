# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small helpers for the values of a task definition: copies, kinds, values that only a run will know."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

UNKNOWN_MARK = "(known after apply"


def is_open(value: Any) -> bool:
    """True for a value that is not known yet: a placeholder text, or an object that stands for a reference.

    Such a value fits everywhere, because nobody can judge it before the run.
    """
    if isinstance(value, str):
        return UNKNOWN_MARK in value
    plain = (bool, int, float, list, tuple, Mapping, bytes, set, frozenset, datetime.date, datetime.time)
    return value is not None and not isinstance(value, plain)


def copied(value: Any) -> Any:
    """A copy of a tree of mappings and lists; leaves are shared, so that references stay the objects they are."""
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [copied(item) for item in value]
    return value


def is_integer(value: Any) -> bool:
    """True for a whole number; in Python a boolean would count as one."""
    return isinstance(value, int) and not isinstance(value, bool)


def as_text(value: Any) -> Any:
    """The text that AWS would get for a scalar: YAML's `true` is `true`, `8080` is `8080`. Others stay as they are."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return value


def kind_of(value: Any) -> str:
    """The JSON name of a value's type, with its article, as messages use it."""
    names = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a number"),
        (str, "a string"),
        (Mapping, "an object"),
        ((list, tuple), "a list"),
    )
    if value is None:
        return "null"
    return next((name for kind, name in names if isinstance(value, kind)), f"a {type(value).__name__}")


def shown(value: Any, limit: int = 80) -> str:
    """A value as a message quotes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
