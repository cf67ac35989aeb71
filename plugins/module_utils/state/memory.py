# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a document remembers: each resource's owner, attributes and what was applied last.

That is what was declared, as it was declared: plain secrets in a declaration (a container's environment) stand in the
document too, as they do in Terraform's. The bucket is encrypted and closed, and nothing of this is ever shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import plain

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One resource as remembered.

    host: whose declaration it was. where: the variable. name: how a later run finds it together with `scope`.
    attributes: id, arn and what else others refer to. properties, tags: as applied last, references resolved,
    in the canonical form of its kind. scope: what it lies in. needs: the addresses that it referred to; with scope,
    they order its deletion. protect, options: as declared last. create_only: paths that somebody else owns once it
    exists, each with who. pending: `create` from before its creation until it
    succeeded: it may exist or not, and what was applied is not known.
    """

    host: str = ""
    where: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    scope: Mapping[str, Ref] = field(default_factory=dict)
    needs: tuple[Address, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False
    create_only: Mapping[str, str] = field(default_factory=dict)
    pending: str = ""

    def as_json(self) -> dict[str, Any]:
        """Without what is empty, so that documents stay readable."""
        whole = {
            "host": self.host,
            "where": self.where,
            "attributes": plain(self.attributes),
            "properties": plain(self.properties),
            "tags": plain(self.tags),
            "scope": {name: _ref_as_json(self.scope[name]) for name in sorted(self.scope)},
            "needs": sorted(str(address) for address in self.needs),
            "options": plain(self.options),
            "protect": self.protect,
            "create_only": plain(self.create_only),
            "pending": self.pending,
        }
        return {name: value for name, value in whole.items() if value}


@dataclass(frozen=True)
class Memory:
    """Our part of a document. In the outputs document of a host (`host` is not empty) there are no resources.

    outputs: the MD5 of the outputs document of each host, as written last.
    """

    environment: str
    layer: str
    host: str = ""
    resources: Mapping[Address, Entry] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        result: dict[str, Any] = {"format": FORMAT, "environment": self.environment, "layer": self.layer}
        if self.host:
            return {**result, "host": self.host}
        if self.outputs:
            result["outputs"] = plain(self.outputs)
        resources = {str(address): self.resources[address].as_json() for address in sorted(self.resources)}
        return {**result, "resources": resources}


def address_of(text: str) -> Address:
    """The inverse of str(address): kinds have no slash, names may have some."""
    kind, _slash, name = text.partition("/")
    return Address(kind, name)


class Check:
    """Collects what is wrong with a nested JSON value, with the path of each."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def get(self, data: Mapping[str, Any], path: str, name: str, kind: type | tuple[type, ...], default: Any) -> Any:
        """A member of an object, or `default` where it is absent or has a wrong type (which is noted)."""
        value = data.get(name, default)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        fits = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        if not fits:
            allowed = " or ".join(_TYPES.get(item, item.__name__) for item in kinds)
            self.problems.append(f"{path}{name} must be {allowed}, got {_shown(value)}")
            return default
        return value


def parse(data: Any, check: Check, path: str = "dockyard.") -> Memory | None:
    """Our part of a document as read from JSON; the format was looked at before."""
    if not isinstance(data, Mapping):
        check.problems.append(f"{path[:-1]} must be an object, got {_shown(data)}")
        return None
    resources = check.get(data, path, "resources", dict, {})
    entries = {}
    for text, value in resources.items():
        where = f"{path}resources[{text}]."
        if "/" not in text or not all(address_of(text)):
            check.problems.append(f"{where[:-1]}: an address has the form kind/name")
        elif not isinstance(value, Mapping):
            check.problems.append(f"{where[:-1]} must be an object, got {_shown(value)}")
        else:
            entries[address_of(text)] = _entry(value, check, where)
    return Memory(
        check.get(data, path, "environment", str, ""),
        check.get(data, path, "layer", str, ""),
        check.get(data, path, "host", str, ""),
        entries,
        check.get(data, path, "outputs", dict, {}),
    )


def _entry(data: Mapping[str, Any], check: Check, path: str) -> Entry:
    scope = check.get(data, path, "scope", dict, {})
    needs = check.get(data, path, "needs", list, [])
    return Entry(
        host=check.get(data, path, "host", str, ""),
        where=check.get(data, path, "where", str, ""),
        attributes=check.get(data, path, "attributes", dict, {}),
        properties=check.get(data, path, "properties", dict, {}),
        tags=check.get(data, path, "tags", dict, {}),
        scope=dict(_refs(scope, check, f"{path}scope.")),
        needs=tuple(address_of(str(text)) for text in needs),
        options=check.get(data, path, "options", dict, {}),
        protect=check.get(data, path, "protect", bool, False),
        create_only=check.get(data, path, "create_only", dict, {}),
        pending=check.get(data, path, "pending", str, ""),
    )


def _refs(data: Mapping[str, Any], check: Check, path: str) -> Iterator[tuple[str, Ref]]:
    for name, value in data.items():
        if not isinstance(value, Mapping):
            check.problems.append(f"{path}{name} must be an object, got {_shown(value)}")
            continue
        where = f"{path}{name}."
        scope = tuple(_refs(check.get(value, where, "scope", dict, {}), check, f"{where}scope."))
        kind, named = (check.get(value, where, key, str, "") for key in ("kind", "name"))
        yield name, Ref(kind, named, check.get(value, where, "attribute", str, "id"), scope)


def _ref_as_json(ref: Ref) -> dict[str, Any]:
    result: dict[str, Any] = {"kind": ref.kind, "name": ref.name, "attribute": ref.attribute}
    return {**result, "scope": {name: _ref_as_json(inner) for name, inner in ref.scope}} if ref.scope else result


_TYPES = {dict: "an object", list: "a list", str: "a text", int: "a whole number", bool: "true or false"}


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
