# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Terraform states, format version 4: the instances of their resources, and what the mappers read of each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

FORMAT = 4
# What says nothing in a state: Terraform writes every attribute, given or not.
NOTHING: tuple[Any, ...] = (None, "", [], {}, False, 0, "0", "false")


class ImportRefused(ReconcileError):
    """Why a state cannot be imported."""


class Block:
    """Attributes of a resource, or of a block in it, which remember what was read."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._read: set[str] = set()
        self._inner: dict[str, list[Block]] = {}

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "", [], {})

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute as a whole; what is empty counts as not given."""
        self._read.add(name)
        return self._values[name] if name in self else default

    def peek(self, name: str) -> Any:
        """An attribute as it stands there; it does not count as read."""
        return self._values.get(name)

    def blocks(self, name: str) -> list[Block]:
        """Nested blocks, whose attributes count as read one by one."""
        if name not in self._inner:
            found = self._values.get(name) or []
            self._inner[name] = [Block(item or {}) for item in (found if isinstance(found, list) else [found])]
        return self._inner[name]

    def block(self, name: str) -> Block:
        """The one block of this name; an empty one where there is none."""
        return next(iter(self.blocks(name)), Block({}))

    def skip(self, *names: str) -> None:
        """Read, and found to say nothing."""
        self._read.update(names)

    def skip_all(self) -> None:
        self._read.update(self._values)

    def was_read(self, name: str) -> bool:
        return name in self._read or name in self._inner

    def left(self, path: str = "") -> Iterator[str]:
        """The paths of attributes that say something and were never read."""
        for name, value in self._values.items():
            here = f"{path}.{name}" if path else name
            if name in self._inner:
                for number, inner in enumerate(self._inner[name]):
                    yield from inner.left(f"{here}[{number}]" if len(self._inner[name]) > 1 else here)
            elif name not in self._read and not _says_nothing(value):
                yield here


@dataclass
class Thing(Block):
    """One instance of a resource.

    source: where its state was read from, state: the short name of that.
    address: unique over all states that are read, in_state: Terraform's own.
    marked: what Terraform marks as sensitive, by its path.
    """

    source: str
    state: str
    in_state: str
    address: str
    type: str
    label: str
    attributes: Mapping[str, Any]
    managed: bool = True
    marked: tuple[tuple[tuple[str, ...], Any], ...] = ()

    def __post_init__(self) -> None:
        super().__init__(self.attributes)

    def __hash__(self) -> int:
        return hash(self.address)

    @property
    def sensitive(self) -> frozenset[str]:
        """Attributes that Terraform marks, wholly or in part, such as `container_definitions`."""
        return frozenset(path[0] for path, _value in self.marked)

    @property
    def id(self) -> str:
        return str(self.attributes.get("id") or "")

    @property
    def tags(self) -> dict[str, str]:
        """With the provider's default tags; without AWS's own."""
        found = self.attributes.get("tags_all") or self.attributes.get("tags") or {}
        if self.type == "aws_autoscaling_group":
            found = {item["key"]: item["value"] for item in self.attributes.get("tag") or ()}
        return {key: str(value) for key, value in found.items() if not key.startswith(("aws:", "dockyard:"))}


def _says_nothing(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_says_nothing(inner) for inner in value.values())
    if isinstance(value, list):
        return all(_says_nothing(inner) for inner in value)
    return value in NOTHING


def read_all(states: Mapping[str, str]) -> list[Thing]:
    """The instances in several states (source -> text) that belong together."""
    parsed = {source: parse(text, source) for source, text in states.items()}
    # A folder or a bucket has empty ones too, and documents of this collection.
    found = {source: things for source, things in parsed.items() if any(thing.managed for thing in things)}
    if not found:
        raise ImportRefused(f"{', '.join(states)}: has no resources: name the states of what is there in AWS")
    common = os.path.commonprefix([f"{os.path.dirname(source)}/" for source in found])
    folder = common[: common.rfind("/") + 1]
    for source, things in found.items():
        short = source.removeprefix(folder)
        for thing in things:
            thing.state = short
            thing.address = f"{short}: {thing.in_state}" if len(found) > 1 else thing.in_state
    return [thing for things in found.values() for thing in things]


def parse(text: str, source: str) -> list[Thing]:
    """The instances in a state, those of data sources too. Raises ImportRefused for everything else than version 4."""
    try:
        state = json.loads(text)
    except ValueError as error:
        raise ImportRefused(f"{source}: is no Terraform state: not valid JSON: {error}{_hint(text)}") from error
    if not isinstance(state, dict) or "version" not in state:
        raise ImportRefused(f"{source}: is no Terraform state: it has no `version`{_hint(text)}")
    if state["version"] != FORMAT:
        raise ImportRefused(
            f"{source}: has the state format {state['version']!r}; only {FORMAT} can be read, which Terraform writes "
            "since 0.12. Run `terraform apply -refresh-only` with a newer Terraform, which brings the state up to date"
        )
    try:
        return [
            _thing(source, resource, instance)
            for resource in state.get("resources") or ()
            for instance in resource.get("instances") or ()
            if not instance.get("deposed")
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ImportRefused(f"{source}: is damaged: a resource has no {error}") from error


def unsettled(states: Mapping[str, str]) -> Iterator[str]:
    """What Terraform has not finished; letting go of it now would leave it behind in AWS."""
    for source, text in states.items():
        for resource in json.loads(text).get("resources") or ():
            for instance in resource.get("instances") or ():
                address = _address(resource, instance)
                if instance.get("deposed"):
                    identity = (instance.get("attributes") or {}).get("id", "")
                    yield (
                        f"{source}: {address} has a copy that was replaced and not destroyed yet ({identity}): "
                        "run `terraform apply` before Terraform lets go, or nobody knows of it"
                    )
                elif instance.get("status") == "tainted":
                    yield f"{source}: {address} is tainted: Terraform would replace it, here it is taken as it stands"


def _hint(text: str) -> str:
    if '"format_version"' in text or text.lstrip().startswith("PK"):
        return ". It is a plan or the output of `terraform show -json`; use `terraform state pull`"
    return ""


def _thing(source: str, resource: Mapping[str, Any], instance: Mapping[str, Any]) -> Thing:
    address = _address(resource, instance)
    if "attributes" not in instance and "attributes_flat" in instance:
        raise ImportRefused(
            f"{source}: {address} is in the form of Terraform before 0.12. Run `terraform apply -refresh-only`, which "
            "brings the state up to date"
        )
    attributes = instance["attributes"] or {}
    return Thing(
        source,
        source,
        address,
        address,
        resource["type"],
        _label(resource, instance),
        attributes,
        resource["mode"] == "managed",
        tuple(_marked(attributes, path) for path in instance.get("sensitive_attributes") or () if path),
    )


def _marked(attributes: Any, path: list[Mapping[str, Any]]) -> tuple[tuple[str, ...], Any]:
    """A path of Terraform, as far as it leads, with the value there."""
    taken: list[str] = []
    value = attributes
    for step in path:
        key = step["value"]["value"] if isinstance(step["value"], Mapping) else step["value"]
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            break
        taken.append(str(key))
    return tuple(taken) or (str(path[0]["value"]),), value if taken else None


def _label(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    key = instance.get("index_key")
    return str(resource["name"]) + ("" if key is None else f"[{json.dumps(key)}]")


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    data = "" if resource["mode"] == "managed" else "data"
    parts = [resource.get("module", ""), data, resource["type"], _label(resource, instance)]
    return ".".join(part for part in parts if part)
