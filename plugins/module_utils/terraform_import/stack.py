# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mappers of all layers work on: the state's things, their names and hosts, and the inventory that grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.attributes import says_nothing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.hosts import Hosts
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.import_ids import INSTANCE
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.names import NAME_TAG, Names, common_type
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.report import Mapped, Remark, Report
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import (
    Secret,
    given,
    without_defaults,
)

# By what the items of a list are known, where it is not their name.
KEYS = {"task_definitions": "family", "scalable_targets": "service", "openid_connect_providers": "url"}


class Stack:
    """files: further files of the inventory, by path, such as task definitions."""

    def __init__(self, things: Sequence[Thing], environment: Environment, platform: str, report: Report) -> None:
        self.things = [thing for thing in things if thing.managed]
        self.data = [thing for thing in things if not thing.managed]
        self.names = Names(self.things)
        self.environment = environment
        self.hosts = Hosts(self.things, self.names, platform)
        self.report = report
        self.inventory: dict[str, dict[str, dict[str, Any]]] = {}
        self.files: dict[str, Any] = {}
        self._done: dict[str, Thing] = {}
        self._options: dict[str, tuple[str, str, dict[str, Any]]] = {}
        self._secrets: dict[str, str] = {}
        self._refused: set[str] = set()

    def of(self, *kinds: str) -> list[Thing]:
        return [thing for thing in self.things if common_type(thing.type) in kinds]

    def belonging(self, kind: str, attribute: str, owner: Thing) -> list[Thing]:
        """Resources that say something about another one, such as a bucket's policy."""
        ours = {str(owner.attributes.get(name)) for name in ("id", "arn", "name")} - {"None", ""}
        found = [item for item in self.of(kind) if str(item.attributes.get(attribute)) in ours]
        for item in found:
            item.skip(attribute)
        return found

    def add(self, layer: str, part: str, options: Mapping[str, Any], *things: Thing, host: str = "") -> None:
        """Declare something: an item of the list `part`, or the dictionary `part`."""
        host = host or self.hosts.of(things[0])
        spec = LAYERS[layer].ARGUMENT_SPEC[part]
        short = without_defaults(given(options), spec["options"])
        declared = self.inventory.setdefault(host, {}).setdefault(layer, {})
        if spec["type"] == "list":
            declared.setdefault(part, []).append(short)
            variable = f"{layer}.{part}[{options[KEYS.get(part, 'name')]}]"
        else:
            declared[part] = short
            variable = f"{layer}.{part}"
        self._options |= {thing.address: (host, variable, short) for thing in things}
        self.done(host, variable, *things)

    def done(self, host: str, variable: str, *things: Thing) -> None:
        """These resources are in the inventory."""
        layer = variable.split(".", 1)[0]
        for thing in things:
            self._done[thing.address] = thing
            self.report.mapped.append(Mapped(thing.address, path_of(host, layer), variable))

    def is_done(self, thing: Thing) -> bool:
        return thing.address in self._done

    def tags(self, thing: Thing, *implied: str) -> dict[str, str] | None:
        """Those that are not the environment's, nor set by the layer itself."""
        common = self.environment.tags
        own = {key: value for key, value in thing.tags.items() if common.get(key) != value and key not in implied}
        return own or None

    def named_tags(self, thing: Thing) -> dict[str, str] | None:
        """Of things whose Name tag is their name."""
        return self.tags(thing, NAME_TAG)

    def options_of(self, thing: Thing) -> dict[str, Any] | None:
        """The declaration that stands for it, also as a part of something."""
        found = self._options.get(thing.address)
        return found[2] if found else None

    def secret_option(self, thing: Thing, options: Mapping[str, Any], path: Sequence[str]) -> Secret:
        """A reference in place of what Terraform marks in a declaration."""
        host, variable, _options = self._options[thing.address]
        name = str(options.get("name") or options.get("family") or thing.label)
        return self.secret(thing, ".".join(path), host, variable, name, *path)

    def secret(self, thing: Thing, attribute: str, host: str, variable: str, *parts: str) -> Secret:
        """Something that stays unwritten: a reference to a variable that is to be defined, and means nothing else."""
        place, number = f"{thing.address} {attribute} {variable}", 1
        reference = Secret.of(host, *parts)
        while self._secrets.setdefault(reference.variable, place) != place:
            number += 1
            reference = Secret.of(host, *parts, str(number))
        message = f"{path_of(host, variable.split('.', 1)[0])} refers to {reference.variable}: define it, vaulted"
        remark = Remark(thing.address, attribute, f"{message} ({variable})")
        self.report.secrets += [] if remark in self.report.secrets else [remark]
        return reference

    def will_change(self, thing: Thing, about: str, message: str) -> None:
        self.report.changes.append(Remark(thing.address, about, message))

    def refuse(self, message: str, *things: Thing) -> None:
        """Resources of a kind that has a layer, but not like this."""
        for thing in things:
            if not self.is_done(thing) and not self.is_refused(thing):
                self.report.unmapped.append(Remark(thing.address, "", message))

    def refuse_together(self, message: str, things: Iterable[Thing]) -> None:
        """The same for things of which there are many: one remark for all instances of a resource."""
        counts: Counter[str] = Counter()
        for thing in things:
            self._refused.add(thing.address)
            counts[INSTANCE.sub("", thing.address)] += 1
        for address, count in counts.items():
            number = f"{count} instances: " if count > 1 else ""
            self.report.unmapped.append(Remark(address, "", f"{number}{message}"))

    def is_refused(self, thing: Thing) -> bool:
        """Whether the report has it already among what stays."""
        return thing.address in self._refused or thing.address in {item.address for item in self.report.unmapped}

    def left(self) -> Iterator[tuple[Thing, str]]:
        """The attributes that nobody read, of things that are in the inventory."""
        for thing in self._done.values():
            yield from ((thing, path) for path in thing.left() if not says_nothing(thing, path))


def path_of(host: str, layer: str) -> str:
    return f"host_vars/{host}/{layer}.yml"


def common_tags(things: Iterable[Thing], kinds: Iterable[str]) -> dict[str, str]:
    """The tags that everything taggable has alike."""
    wanted = set(kinds)
    sets = [thing.tags for thing in things if thing.managed and common_type(thing.type) in wanted]
    for thing in things:
        for specification in thing.attributes.get("tag_specifications") or () if thing.managed else ():
            sets.append(dict(specification.get("tags") or {}))
    if not sets:
        return {}
    first, *others = sets
    return {
        key: value
        for key, value in first.items()
        if key != NAME_TAG and all(other.get(key) == value for other in others)
    }
