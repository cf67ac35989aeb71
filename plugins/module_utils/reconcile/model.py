# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine works on: resources as declared and as observed, references, differences, changes, plans."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

KNOWN_AFTER_APPLY = "(known after apply)"

ENVIRONMENT_TAG = "dockyard:environment"
SUPERSEDED_TAG = "dockyard:superseded"
NAME_TAG = "Name"
# Takes the place of the Name tag on what others made under another one, or without.
OWN_NAME_TAG = "dockyard:name"

SUPERSEDED = "superseded"
REPLACED_COPY = "copy that was replaced"

CREATE, UPDATE, REPLACE, DELETE, ADOPT, NONE = "create", "update", "replace", "delete", "adopt", "none"


class Address(NamedTuple):
    """A resource's address: its kind and the name its declaration gives it."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Unknown(str):
    """A value that only the run will know. It reads as a text, so that it can stand wherever a value stands."""

    @classmethod
    def of(cls, reference: Ref) -> Unknown:
        return cls(f"(known after apply: {reference.address}.{reference.attribute})")


UNKNOWN_TEXT = re.compile(r"\(known after apply(?:: ([^)]*)\.\w+)?\)")


def is_unknown(value: Any) -> bool:
    """True for an unknown value, also where a canonical form has made a plain text of it or put it inside one."""
    return isinstance(value, str) and bool(UNKNOWN_TEXT.search(value))


def unknown_sources(value: Any) -> Iterator[str]:
    """The addresses that the unknown parts of a nested value come from."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from unknown_sources(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from unknown_sources(inner)
    elif isinstance(value, str):
        yield from (match[1] or "" for match in UNKNOWN_TEXT.finditer(value))


@dataclass(frozen=True)
class Ref:
    """A reference to an attribute of another resource, by name; resolved in the plan first, then in AWS."""

    kind: str
    name: str
    attribute: str = "id"
    scope: tuple[tuple[str, Ref], ...] = ()
    where: str = ""

    @property
    def address(self) -> Address:
        return Address(self.kind, self.name)


@dataclass(frozen=True)
class Text:
    """A text with references in it: `Text("{}:latest", (Ref("ecr_repository", "web", "uri"),))`."""

    template: str
    references: tuple[Ref, ...]


class Difference(NamedTuple):
    """One field in which the declaration and AWS differ; None stands for absent."""

    path: str
    before: Any
    after: Any
    replaces: bool = False


@dataclass
class Resource:
    """A resource as declared.

    properties: in the shape of the AWS API, with Ref and Text where other resources are named.
    scope: what must be known before it can be read (a listener's load balancer). It orders like any reference.
    create_only: property paths owned elsewhere once it exists, each with who owns it.
    derived: properties that other declarations give it, where they are selected; they are not remembered.
    looked_at: what the plan also reads for it, only to tell of it; not remembered.
    options: what steers handling but is no property of the thing (force_delete, wait).
    """

    kind: str
    name: str
    properties: dict[str, Any]
    layer: str = ""
    host: str = ""
    where: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    scope: dict[str, Ref] = field(default_factory=dict)
    depends_on: tuple[Ref, ...] = ()
    create_only: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    protect: bool = False
    derived: tuple[str, ...] = ()
    looked_at: tuple[Ref, ...] = ()

    @property
    def address(self) -> Address:
        return Address(self.kind, self.name)

    @property
    def own(self) -> dict[str, Any]:
        """The properties without those that other declarations give it: what is remembered."""
        return {name: value for name, value in self.properties.items() if name not in self.derived}

    def references(self) -> Iterator[Ref]:
        yield from self.scope.values()
        yield from self.depends_on
        yield from self.looked_at
        yield from references_in(self.properties)


class Wanted(NamedTuple):
    """A request to read one resource: its name and the resolved values of its scope."""

    name: str
    scope: Mapping[str, Any] = {}
    properties: Mapping[str, Any] = {}


@dataclass
class Observed:
    """A resource as AWS has it.

    properties: the fields its kind manages, in the shape of the AWS API.
    attributes: what others may refer to (id, arn, url …).
    tags: None where the kind has no tags in AWS.
    superseded: earlier copies that a replacement left behind, to be deleted when nothing refers to them.
    exists: False where nothing but superseded copies is there.
    remarks: what is wrong with it as it is now, although it is as declared; the plan warns of it. Of what does not
    exist: why it does not.
    owned: property paths that something else in AWS sets, each with what; they are left alone like `create_only`.
    notes: what is left to others about it; the plan says so.
    """

    name: str
    properties: dict[str, Any]
    attributes: dict[str, Any]
    tags: dict[str, str] | None = None
    superseded: list[Observed] = field(default_factory=list)
    exists: bool = True
    remarks: list[str] = field(default_factory=list)
    owned: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Problem(NamedTuple):
    """Something that stops a plan: whose declaration, which variable, and what is wrong with it."""

    host: str
    variable: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.host, self.variable, self.message) if part)


@dataclass
class Change:
    """What the plan says about one resource, and later what became of it.

    done: there is nothing more to do about it in this run. still_there: an old copy that somebody still uses.
    """

    action: str
    resource: Resource
    name: str = ""
    differences: list[Difference] = field(default_factory=list)
    reason: str = "configuration"
    notes: list[str] = field(default_factory=list)
    observed: Observed | None = None
    done: bool = False
    still_there: bool = False

    def __post_init__(self) -> None:
        self.name = self.name or self.resource.name

    @property
    def kind(self) -> str:
        return self.resource.kind

    @property
    def layer(self) -> str:
        return self.resource.layer

    @property
    def host(self) -> str:
        return self.resource.host

    @property
    def address(self) -> Address:
        return Address(self.kind, self.name)

    @property
    def existing(self) -> Observed:
        """What AWS has; only of changes to things that exist."""
        if self.observed is None:
            raise LookupError(f"{self.address} does not exist")
        return self.observed

    @property
    def clean_up(self) -> bool:
        """The deletion of an old copy, once nothing refers to it any more."""
        return self.reason in (SUPERSEDED, REPLACED_COPY)

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.action, self.kind, self.name)


def references_in(value: Any) -> Iterator[Ref]:
    """Every reference in a nested value."""
    if isinstance(value, Ref):
        yield value
        for _name, inner in value.scope:
            yield from references_in(inner)
    elif isinstance(value, Text):
        for reference in value.references:
            yield from references_in(reference)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from references_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from references_in(inner)
