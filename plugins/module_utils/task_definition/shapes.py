# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a task definition with the service model: types, required and unknown members, enums, lengths, ranges."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import did_you_mean
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import (
    DESCRIBE_ONLY,
    fitted_scalar,
    input_shape,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import (
    is_integer,
    is_open,
    kind_of,
    shown,
)

_EXPECTED = {
    "structure": "an object",
    "map": "an object",
    "list": "a list",
    "string": "a string",
    "integer": "an integer",
    "long": "an integer",
    "boolean": "true or false",
}
_MISSING = object()


class Problem(NamedTuple):
    """Something that AWS would refuse: where it is, and what is wrong with it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


@dataclass
class Checked:
    """What the walk found: the problems, and a copy that holds only values of the right type, for further rules."""

    problems: list[Problem] = field(default_factory=list)
    clean: Any = None


def check_shapes(definition: Mapping[str, Any]) -> Checked:
    """Check a task definition against the input shape of RegisterTaskDefinition."""
    checked = Checked()
    clean = _check(definition, input_shape(), "", False, checked.problems)
    checked.clean = {} if clean is _MISSING else clean
    return checked


def item_paths(path: str, items: list[Any]) -> list[str]:
    """The paths of a list's items: by name where every name is there once, otherwise by index."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    counts = Counter(name for name in names if isinstance(name, str))
    return [
        f"{path}[{name}]" if isinstance(name, str) and name and _by_name(path) and counts[name] == 1 else f"{path}[{i}]"
        for i, name in enumerate(names)
    ]


def _by_name(path: str) -> bool:
    return path.rpartition(".")[2] in ("containerDefinitions", "volumes", "environment", "secrets", "ulimits")


def _check(value: Any, shape: Any, path: str, sensitive: bool, problems: list[Problem]) -> Any:
    """Report what is wrong with the value; return its clean copy, or _MISSING where nothing usable is left."""
    sensitive = sensitive or bool(shape.metadata.get("sensitive")) or ".environment[" in path
    if is_open(value):
        return value
    if shape.type_name == "structure" and isinstance(value, Mapping):
        return _check_structure(value, shape, path, sensitive, problems)
    if shape.type_name == "map" and isinstance(value, Mapping):
        items = {key: _check(item, shape.value, f"{path}[{key}]", sensitive, problems) for key, item in value.items()}
        return {str(key): item for key, item in items.items() if item is not _MISSING}
    if shape.type_name == "list" and isinstance(value, (list, tuple)):
        problems += _range_problems(len(value), shape.metadata, path, "items")
        paths = item_paths(path, list(value))
        kept = [_check(item, shape.member, at, sensitive, problems) for at, item in zip(paths, value, strict=True)]
        # Items keep their index for the paths of later rules, so an unusable one leaves a gap.
        return [None if item is _MISSING else item for item in kept]
    return _check_scalar(value, shape, path, sensitive, problems)


def _check_structure(
    value: Mapping[str, Any], shape: Any, path: str, sensitive: bool, problems: list[Problem]
) -> dict[str, Any]:
    prefix = f"{path}." if path else ""
    clean = {}
    for name in shape.required_members:
        if name not in value:
            problems.append(Problem(f"{prefix}{name}", "is required"))
    for key, item in value.items():
        if key not in shape.members:
            problems.append(Problem(f"{prefix}{key}", _unknown(key, shape, path)))
            continue
        checked = _check(item, shape.members[key], f"{prefix}{key}", sensitive, problems)
        if checked is not _MISSING:
            clean[key] = checked
    return clean


def _unknown(key: str, shape: Any, path: str) -> str:
    if not path and key in DESCRIBE_ONLY:
        return "is only in the answer of DescribeTaskDefinition and cannot be registered"
    return f"unknown field{did_you_mean(key, shape.members)}; allowed: {', '.join(sorted(shape.members))}"


def _check_scalar(value: Any, shape: Any, path: str, sensitive: bool, problems: list[Problem]) -> Any:
    if not _has_type(value, shape.type_name):
        got = kind_of(value) if sensitive or value is None else f"{kind_of(value)} ({shown(value)})"
        problems.append(Problem(path, f"must be {_EXPECTED.get(shape.type_name, shape.type_name)}, got {got}"))
        coerced = fitted_scalar(value, shape.type_name)
        return coerced if _has_type(coerced, shape.type_name) else _MISSING
    got = "a value" if sensitive else shown(value)
    if enum := getattr(shape, "enum", None):
        if value not in enum:
            problems.append(Problem(path, f"got {got}, allowed: {', '.join(enum)}{did_you_mean(value, enum)}"))
            return _MISSING
        return value
    size, unit = (len(value), "characters") if isinstance(value, str) else (value, "")
    if not isinstance(value, bool):
        problems += _range_problems(size, shape.metadata, path, unit)
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not re.fullmatch(_python_pattern(pattern), value):
        problems.append(Problem(path, f"got {got}, which does not match {pattern}"))
    return value


def _has_type(value: Any, type_name: str) -> bool:
    if type_name in ("integer", "long"):
        return is_integer(value)
    return isinstance(value, {"string": str, "boolean": bool}.get(type_name, ()))


def _range_problems(size: int, metadata: Mapping[str, Any], path: str, unit: str) -> Iterator[Problem]:
    low, high = metadata.get("min"), metadata.get("max")
    if (low is not None and size < low) or (high is not None and size > high):
        limits = f"{low if low is not None else ''}..{high if high is not None else ''}"
        yield Problem(path, f"got {size}{' ' if unit else ''}{unit}, allowed: {limits}")


def _python_pattern(pattern: str) -> str:
    """A pattern of the service model for Python's engine, which knows no Unicode categories."""
    return pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\w").replace(r"\p{Z}", r"\s")
