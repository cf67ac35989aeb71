# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generic comparison of declared with observed properties. Only declared fields are compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference

IDENTITY = ("id", "arn")


def differences(
    desired: Mapping[str, Any],
    observed: Mapping[str, Any],
    last_applied: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> list[Difference]:
    """Compare canonical forms, declared fields only.

    A field of `last_applied` that is declared no more goes back to AWS's default, which `defaults` gives.
    """
    found = list(_compare("", desired, observed))
    for name in last_applied or {}:
        if name in desired or defaults is None or name not in defaults:
            continue
        if observed.get(name) != defaults[name]:
            found.append(Difference(name, observed.get(name), defaults[name]))
    return found


def _compare(path: str, desired: Any, observed: Any) -> Iterator[Difference]:
    if isinstance(desired, Mapping) and isinstance(observed, Mapping):
        for name, value in desired.items():
            yield from _compare(f"{path}.{name}" if path else str(name), value, observed.get(name))
    elif desired != observed:
        if _is_empty(desired) and _is_empty(observed):
            return
        yield Difference(path, observed, desired)


def _is_empty(value: Any) -> bool:
    return value is None or value == [] or value == {} or value == ""


def without_absent(found: Sequence[Difference]) -> list[Difference]:
    """For people: of what is made anew, only what it has, and not what its declaration says is absent."""
    return [
        (
            item._replace(after={name: value for name, value in item.after.items() if not _is_empty(value)})
            if item.before is None and isinstance(item.after, Mapping)
            else item
        )
        for item in found
    ]


def tag_differences(
    desired: Mapping[str, str], observed: Mapping[str, str], last_applied: Mapping[str, str]
) -> list[Difference]:
    """Tags are compared key by key; a key that was declared last time and is no more is taken away."""
    found = [
        Difference(f"tags.{key}", observed.get(key), value)
        for key, value in sorted(desired.items())
        if observed.get(key) != value
    ]
    gone = [key for key in sorted(last_applied) if key not in desired and key in observed]
    return found + [Difference(f"tags.{key}", observed[key], None) for key in gone]


def other_thing(
    volatile: Collection[str], recorded: Mapping[str, Any], observed: Mapping[str, Any]
) -> tuple[str, Any, Any] | None:
    """The attribute that tells a thing from a namesake, as it was and is. What an update moves does not tell."""
    moving = [recorded.get(name) for name in volatile]
    for name in IDENTITY:
        before, now = recorded.get(name), observed.get(name)
        if name not in volatile and before not in moving and before and now and before != now:
            return name, before, now
    return None


def under(path: str, prefixes: Mapping[str, Any] | frozenset[str]) -> str | None:
    """The prefix among `prefixes` that is `path` itself or one of its parents."""
    for prefix in prefixes:
        if path == prefix or path.startswith((prefix + ".", prefix + "[")):
            return prefix
    return None
