# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load a task definition from JSON or YAML text, a file, or data that is parsed already."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import copied, kind_of


def load_source(source: str | list[Any] | Mapping[str, Any], name: str = "task definition") -> dict[str, Any]:
    """Bring any form in which a task definition comes into one: the input of RegisterTaskDefinition.

    source: JSON or YAML text, a bare list of container definitions, a whole task definition, or the answer of
        describe-task-definition, whose tags are merged in.
    name: what messages call it, e.g. the file's path.
    """
    data = _parsed(source, name) if isinstance(source, str) else source
    if isinstance(data, (list, tuple)):
        _require_objects(data, name)
        return {"containerDefinitions": copied(data)}
    if not isinstance(data, Mapping):
        raise TaskDefinitionError(
            f"{name}: expected a list of container definitions or a task definition, got {kind_of(data)}"
        )
    if isinstance(data.get("taskDefinition"), Mapping):
        return _described(data)
    return dict(copied(data))


def load_file(path: str | Path) -> dict[str, Any]:
    """Load a JSON or YAML file; a `.json` file must be JSON."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TaskDefinitionError(f"{path}: cannot be read: {reason}") from error
    parse = _json if Path(path).suffix == ".json" else _parsed
    return load_source(parse(text, str(path)), str(path))


def _described(answer: Mapping[str, Any]) -> dict[str, Any]:
    definition = dict(copied(answer["taskDefinition"]))
    if answer.get("tags") and "tags" not in definition:
        definition["tags"] = copied(answer["tags"])
    return definition


def _require_objects(containers: list[Any] | tuple[Any, ...], name: str) -> None:
    problems = [
        f"{name}: container definition {index} must be an object, got {kind_of(item)}"
        for index, item in enumerate(containers)
        if not isinstance(item, Mapping)
    ]
    if problems:
        raise TaskDefinitionError(problems)


def _parsed(text: str, name: str) -> Any:
    return _json(text, name) if text.lstrip()[:1] in ("{", "[") and not _is_flow_yaml(text) else _yaml(text, name)


def _is_flow_yaml(text: str) -> bool:
    """True for YAML that begins like JSON: what is no JSON but reads as YAML with unquoted keys."""
    first = text.lstrip()[1:].lstrip()[:1]
    return first.isalpha()


def _json(text: str, name: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _unused in pairs]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            duplicates.append(f"{name}: the key {key!r} is there {keys.count(key)} times in one object: {shown(keys)}")
        return dict(pairs)

    def shown(keys: list[str]) -> str:
        return ", ".join(dict.fromkeys(keys))

    duplicates: list[str] = []
    try:
        data = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise TaskDefinitionError(
            f"{name}: not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    if duplicates:
        raise TaskDefinitionError(duplicates)
    return data


def _yaml(text: str, name: str) -> Any:
    # PyYAML comes with ansible-core; where a module runs on its own, only this path needs it.
    import yaml

    duplicates: list[str] = []

    class Loader(yaml.SafeLoader):
        """A safe loader that refuses duplicate keys and leaves dates as the text they are in a task definition."""

        yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, _unused in node.value:
                if key.value in seen:
                    mark = key.start_mark
                    duplicates.append(
                        f"{name}: the key {key.value!r} is there twice (line {mark.line + 1}, column {mark.column + 1})"
                    )
                elif isinstance(key.value, str):
                    seen.add(key.value)
            return super().construct_mapping(node, deep=deep)

    try:
        data = yaml.load(text, Loader=Loader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        raise TaskDefinitionError(f"{name}: not valid YAML{_position(error)}") from error
    if duplicates:
        raise TaskDefinitionError(duplicates)
    return data


def _position(error: Any) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
    return f" at line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else f": {problem}"
