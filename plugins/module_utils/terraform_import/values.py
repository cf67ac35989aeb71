# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options in the short form in which people write them: without what is a default anyway."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block

# attribute -> (option, the value that says nothing)
Fields = Mapping[str, tuple[str, Any]]


class Template(str):
    """Something for Ansible to evaluate. Every other text that looks like it is marked, so that it is left alone."""


class Secret(Template):
    """A reference to a variable that the user has to define."""

    @classmethod
    def of(cls, *parts: str) -> Secret:
        return cls("{{ vault_" + re.sub(r"\W+", "_", "_".join(parts)).strip("_").lower() + " }}")

    @property
    def variable(self) -> str:
        return self.strip("{} ")


def fields(block: Block, table: Fields) -> dict[str, Any]:
    """The options that attributes mean. False and 0 are values, unless they are what says nothing."""
    found = {option: block.get(attribute) for attribute, (option, _default) in table.items()}
    nothing = dict(table.values())
    return {
        option: value for option, value in found.items() if value is not None and str(value) != str(nothing[option])
    }


def number(value: Any) -> int | None:
    return int(value) if str(value or "").lstrip("-").isdigit() else None


def flag(value: Any) -> bool | None:
    """Terraform writes some switches as texts, to tell `false` from not given."""
    return {"true": True, "false": False}.get(str(value).lower())


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is None."""
    return {name: value for name, value in options.items() if value is not None}


def without_defaults(options: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the argument spec would fill in, at every depth."""
    result: dict[str, Any] = {}
    for name, value in options.items():
        entry = spec.get(name, {})
        inner = entry.get("options")
        if value is None or ("default" in entry and entry["default"] == value):
            continue
        if inner and isinstance(value, Mapping):
            value = without_defaults(value, inner)
            if not value:
                continue
        elif inner and isinstance(value, list):
            value = [without_defaults(item, inner) for item in value]
        result[name] = value
    return result


# What IAM takes where a document does not say it.
OLD_VERSION = "2008-10-17"
POLICY_ORDER = ("Version", "Id", "Statement")
STATEMENT_ORDER = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource")


def policy_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """A policy in the order in which people write it; Terraform writes all keys in that of the alphabet."""
    result = _ordered({"Version": OLD_VERSION, **document}, POLICY_ORDER)
    statements = result.get("Statement") or []
    items = [statements] if isinstance(statements, Mapping) else statements
    return {**result, "Statement": [statement(item) for item in items]}


def statement(item: Mapping[str, Any]) -> dict[str, Any]:
    return _ordered({key: value for key, value in item.items() if (key, value) != ("Sid", "")}, STATEMENT_ORDER)


def _ordered(mapping: Mapping[str, Any], order: tuple[str, ...]) -> dict[str, Any]:
    first = {key: mapping[key] for key in order if key in mapping}
    return {**first, **{key: value for key, value in mapping.items() if key not in first}}
