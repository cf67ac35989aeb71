# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs and their types, as Terraform derives and writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import is_unknown
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import DocumentError


@dataclass(frozen=True)
class Output:
    """One output. type: Terraform's type expression; derived from the value where it is None."""

    value: Any
    sensitive: bool = False
    type: Any = None

    def as_json(self, path: str) -> dict[str, Any]:
        """As it stands in a document; raises DocumentError where Terraform has no such value."""
        derived = type_of(self.value, path)
        result = {"value": plain(self.value), "type": derived if self.type is None else self.type}
        return {**result, "sensitive": True} if self.sensitive else result


def type_of(value: Any, path: str = "value") -> Any:
    """The type expression of a value, as Terraform derives it from a literal: lists are tuples, mappings objects."""
    if value is None:
        return "dynamic"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        if is_unknown(value):
            raise DocumentError(f"{path} is not known yet: {value}")
        return "string"
    if isinstance(value, (int, float)) and math.isfinite(value):
        return "number"
    if isinstance(value, (list, tuple)):
        return ["tuple", [type_of(inner, f"{path}[{number}]") for number, inner in enumerate(value)]]
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise DocumentError(f"{path} has the key {wrong[0]!r}; the keys of an output are texts")
        return ["object", {str(key): type_of(value[key], f"{path}.{key}") for key in sorted(value)}]
    kind = type(value).__name__
    raise DocumentError(f"{path} is {value!r} ({kind}); allowed are texts, numbers, booleans, lists and dictionaries")


def plain(value: Any) -> Any:
    """A copy in plain containers with sorted keys: what JSON keeps, so that before and after can be compared."""
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(inner) for inner in value), key=str)
    return str(value) if isinstance(value, str) else value
