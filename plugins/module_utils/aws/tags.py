# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags in the forms of the AWS APIs, and finding things by their Name tag."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    NAME_TAG,
    SUPERSEDED_TAG,
    Observed,
)

__all__ = ["NAME_TAG", "by_name", "from_list", "to_list"]


def from_list(tags: Iterable[Mapping[str, str]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """[{Key, Value}] -> mapping, without AWS's own tags (`aws:…`), which nobody can set."""
    return {tag[key]: tag.get(value, "") for tag in tags or () if not tag[key].startswith("aws:")}


def to_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in sorted(tags.items())]


def by_name(candidates: Iterable[Observed], environment: str, label: str) -> dict[str, Observed]:
    """Choose, among candidates that carry Name tags, the one that each name means.

    Ours (by the ownership tag) go before unowned ones; other environments' are none of ours. Copies marked as
    superseded are kept aside. Two equally good candidates are an error: a name must mean one thing.
    """
    groups: dict[str, list[Observed]] = defaultdict(list)
    for item in candidates:
        groups[item.name].append(item)
    chosen = {name: _choose(name, items, environment, label) for name, items in groups.items()}
    return {name: item for name, item in chosen.items() if item is not None}


def _choose(name: str, items: Sequence[Observed], environment: str, label: str) -> Observed | None:
    ours = [item for item in items if (item.tags or {}).get(ENVIRONMENT_TAG) == environment]
    superseded = [item for item in ours if SUPERSEDED_TAG in (item.tags or {})]
    current = [item for item in ours if SUPERSEDED_TAG not in (item.tags or {})]
    current = current or [item for item in items if ENVIRONMENT_TAG not in (item.tags or {})]
    if len(current) > 1:
        ids: list[Any] = sorted(str(item.attributes.get("id")) for item in current)
        raise AwsError(f"{label} {name!r} is ambiguous: {', '.join(ids)} all carry this name")
    if current:
        current[0].superseded = superseded
        return current[0]
    return Observed(name, {}, {}, {}, superseded, exists=False) if superseded else None
