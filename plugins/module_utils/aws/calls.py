# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small ways to say what every resource kind does with botocore."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions

Item = TypeVar("Item")


def pages(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """All items of a paginated call, with as few calls as there are pages."""
    paginator = client.get_paginator(operation)
    return [item for page in paginator.paginate(**arguments) for item in page.get(key, ())]


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of at most `size`: for calls that take only so many."""
    items = list(items)
    for start in range(0, len(items), size):
        yield items[start : start + size]


def unless(codes: str | Sequence[str], function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """The result of a call, or None where AWS answers with one of these error codes (not found, gone already)."""
    try:
        return function(*arguments, **named)
    except exceptions.ClientError as error:
        if code_of(error) in ((codes,) if isinstance(codes, str) else codes):
            return None
        raise
