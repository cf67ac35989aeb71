# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Terraform marks as sensitive stays unwritten, wherever a mapper has put it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.report import Remark
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import (
    Template,
    policy_document,
    statement,
)

# Their mappers look after them.
DONE = ("container_definitions", "user_data")
# What is short is hidden only where it is all there is, not in the middle of something.
SHORT = 8
LOOK = "Terraform marks it as sensitive, and it is written: look whether there is a secret in it"


def hide(stack: Stack) -> None:
    for thing in stack.things:
        options = stack.options_of(thing)
        if options is None:
            continue
        for path, value in thing.marked:
            if path[0] in DONE:
                continue
            if isinstance(value, str):
                _hide(stack, thing, options, path, value)
            elif isinstance(value, Mapping) and all(isinstance(inner, str) for inner in value.values()):
                for key, inner in value.items():
                    _hide(stack, thing, options, (*path, key), inner)
            elif value and thing.was_read(path[0]):
                stack.report.secrets.append(Remark(thing.address, path[0], LOOK))


def _hide(stack: Stack, thing: Thing, options: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    """Names are none: AWS shows them to everybody, and they say what is meant."""
    if not value:
        return
    forms = list(_forms(value))

    def reference() -> Template:
        return stack.secret_option(thing, options, path)

    for name in [name for name in options if name not in ("name", "family")]:
        options[name] = _without(options[name], value, forms, reference)


def _forms(text: str) -> Iterator[Any]:
    """What a policy looks like in an inventory."""
    try:
        document = json.loads(text)
    except ValueError:
        return
    if isinstance(document, dict):
        yield document
        yield policy_document(document)
        statements = document.get("Statement")
        yield from (statement(item) for item in statements or () if isinstance(item, dict))


def _without(value: Any, secret: str, forms: list[Any], reference: Callable[[], Template]) -> Any:
    if isinstance(value, Template):
        return value
    if isinstance(value, str):
        return reference() if value == secret or (len(secret) >= SHORT and secret in value) else value
    if isinstance(value, Mapping):
        if value in forms:
            return reference()
        return {name: _without(inner, secret, forms, reference) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, secret, forms, reference) for inner in value]
    return value
