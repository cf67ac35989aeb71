# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a layer is: one variable of the inventory, and how it becomes resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource


@dataclass(frozen=True)
class Environment:
    """Where and for what a plan is made. tags: those that every taggable resource gets."""

    name: str
    region: str = ""
    account_id: str = ""
    partition: str = "aws"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Declaration:
    """One host's declaration in one layer, validated and with defaults filled in. base_dir: of its relative paths."""

    host: str
    options: Mapping[str, Any]
    base_dir: str = "."


class Layer:
    """A layer. Its NAME is also that of its variable, module, role and tag.

    ARGUMENT_SPEC: of the variable, as an Ansible argument spec whose entries also carry a `description`.
    """

    NAME: ClassVar[str]
    DESCRIPTION: ClassVar[str]
    ARGUMENT_SPEC: ClassVar[dict[str, Any]]

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        """What the declaration means. Pure; refers to other things by Ref."""
        raise LookupError(f"the layer {self.NAME} makes no resources")

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        """What no argument spec can say, within a declaration and across hosts; without AWS."""
        return iter(())

    def connect(self, declared: Mapping[Address, Resource]) -> None:
        """Complete this layer's resources in the light of everything declared in the selected layers.

        For what a declaration alone cannot know: the order of things that do not refer to each other. Called once.
        """

    def check(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        """What is wrong with the declarations in the light of everything declared in the selected layers."""
        return iter(())

    def warn(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        """What is allowed and will not work as one would expect."""
        return iter(())

    def warn_of_what_is_there(
        self, declared: Mapping[Address, Resource], attributes: Mapping[Address, Mapping[str, Any]]
    ) -> Iterator[Problem]:
        """What will not work as one would expect, in the light of what AWS has. attributes: of all that exists."""
        return iter(())


def parse(layer: Layer, host: str, value: Any, base_dir: str = ".") -> tuple[Declaration | None, list[Problem]]:
    """Validate one host's variable against the layer's argument spec and fill in the defaults."""
    if not isinstance(value, Mapping):
        kind = type(value).__name__
        return None, [Problem(host, layer.NAME, f"must be a dictionary of options, got {kind}: {value!r}")]
    spec = {layer.NAME: {"type": "dict", "options": layer.ARGUMENT_SPEC}}
    result = ArgumentSpecValidator(spec).validate({layer.NAME: _plain(value)})
    if result.error_messages:
        return None, [Problem(host, layer.NAME, _message(text)) for text in result.error_messages]
    return Declaration(host, result.validated_parameters[layer.NAME], base_dir), []


def _plain(value: Any) -> Any:
    """A copy in plain containers, which the validator may fill with defaults."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


def _message(text: str) -> str:
    return text.strip().rstrip(".")


def declared_only(options: Mapping[str, Any]) -> dict[str, Any]:
    """Without the options that were not given, at every depth: what is not declared is not managed."""
    result: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, Mapping):
            result[name] = declared_only(value)
        elif isinstance(value, list):
            result[name] = [declared_only(item) if isinstance(item, Mapping) else item for item in value]
        elif value is not None:
            result[name] = value
    return result


def api_names(
    options: Mapping[str, Any], names: Mapping[str, str] | None = None, capital: bool = False
) -> dict[str, Any]:
    """snake_case options in the AWS API's own spelling, at every depth; `names` gives the irregular ones."""
    names = names or {}

    def spelled(name: str) -> str:
        first, *rest = name.split("_")
        return (first.capitalize() if capital else first) + "".join(part.capitalize() for part in rest)

    def convert(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {names.get(key, spelled(key)): convert(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [convert(item) for item in value]
        return value

    converted: dict[str, Any] = convert(declared_only(options))
    return converted


def refer(kind: str, name: str, attribute: str, where: str) -> Any:
    """A reference by name; a value that is an ARN already stands for itself where an ARN is wanted."""
    if attribute == "arn" and name.startswith("arn:"):
        return name
    return Ref(kind, name, attribute, where=where)
