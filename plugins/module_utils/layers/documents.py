# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy documents in declarations: taken as YAML or JSON text, and looked at before AWS does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy

VERSIONS = ("2012-10-17", "2008-10-17")
EFFECTS = ("Allow", "Deny")
KNOWN = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)

# identity: what a principal may do. resource: who may do what with one thing. trust: who may assume a role.
# repository: a resource policy that may not name the resource, as in ECR.
Sort = Literal["identity", "resource", "trust", "repository"]


def parsed(document: Any) -> dict[str, Any]:
    """A document that `problems` finds no fault with, as a mapping."""
    return policy.parsed(json.loads(document) if isinstance(document, str) else _plain(document))


def _plain(value: Any) -> Any:
    """YAML takes an unquoted Version for a date."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def size(document: Any) -> int:
    """The length that AWS counts: characters without white space."""
    return sum(not character.isspace() for character in policy.text(parsed(document)))


def problems(document: Any, sort: Sort) -> Iterator[str]:
    """What is wrong with a policy document, each with the place in it."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError as error:
            yield f"is not valid JSON: {error}"
            return
    if not isinstance(document, Mapping):
        yield f"must be a policy document with Version and Statement, got {type(document).__name__}: {document!r}"
        return
    document = _plain(document)
    if document.get("Version") not in VERSIONS:
        yield f"Version must be {' or '.join(map(repr, VERSIONS))}, got {document.get('Version')!r}"
    unknown = sorted(str(key) for key in document.keys() - {"Version", "Id", "Statement"})
    if unknown:
        yield f"has unknown elements {', '.join(unknown)}; a policy document has Version, Id and Statement"
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, Mapping) else statements
    if not isinstance(statements, list) or not statements:
        yield f"Statement must be a list of at least one statement, got {statements!r}"
        return
    for number, statement in enumerate(statements):
        for message in statement_problems(statement, sort):
            yield f"Statement[{number}] {message}"


def statement_problems(statement: Any, sort: Sort) -> Iterator[str]:
    """What is wrong with one statement."""
    if not isinstance(statement, Mapping):
        yield f"must be a mapping, got {statement!r}"
        return
    if unknown := sorted(str(key) for key in statement.keys() - KNOWN):
        yield f"has unknown elements {', '.join(unknown)}; allowed: {', '.join(sorted(KNOWN))}"
    if statement.get("Effect") not in EFFECTS:
        yield f"Effect must be Allow or Deny, got {statement.get('Effect')!r}"
    yield from _exactly_one(statement, "Action", "NotAction")
    if sort in ("identity", "resource"):
        yield from _exactly_one(statement, "Resource", "NotResource")
    elif given := [name for name in ("Resource", "NotResource") if name in statement]:
        yield f"must not have {given[0]}: the policy belongs to one thing already"
    if sort == "identity":
        if given := [name for name in ("Principal", "NotPrincipal") if name in statement]:
            yield f"must not have {given[0]}: the policy belongs to a role, a user or a group"
    else:
        yield from _exactly_one(statement, "Principal", "NotPrincipal")
    if "Condition" in statement and not isinstance(statement["Condition"], Mapping):
        yield f"Condition must be a mapping of operators, got {statement['Condition']!r}"


def _exactly_one(statement: Mapping[str, Any], one: str, other: str) -> Iterator[str]:
    given = [name for name in (one, other) if statement.get(name)]
    if len(given) != 1:
        yield f"needs {one} or {other}, and not both; got {' and '.join(given) or 'neither'}"
