# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policy documents in one canonical form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

_ROOT = re.compile(r"arn:[\w-]+:iam::(\d{12}):root")
_LISTS = ("Action", "NotAction", "Resource", "NotResource")


def parsed(document: Any) -> dict[str, Any]:
    """A policy document as a mapping; AWS returns it as JSON text, in IAM also URL-encoded."""
    if isinstance(document, str):
        text = unquote(document) if document.startswith("%7B") else document
        document = json.loads(text)
    return dict(document)


def canonical(document: Any) -> dict[str, Any]:
    """One form for equal policies: lists where one text may stand too, sorted; statements in a fixed order."""
    policy = parsed(document)
    statements = policy.get("Statement", [])
    statements = [statements] if isinstance(statements, Mapping) else statements
    result = {key: value for key, value in policy.items() if key != "Statement"}
    result.setdefault("Version", "2008-10-17")
    result["Statement"] = sorted(
        (_statement(item) for item in statements), key=lambda item: json.dumps(item, sort_keys=True)
    )
    return result


def text(document: Any) -> str:
    """The document as AWS takes it: compact JSON."""
    return json.dumps(parsed(document), separators=(",", ":"), sort_keys=True)


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    result = {key: value for key, value in statement.items() if not (key == "Sid" and value == "")}
    for name in _LISTS:
        if name in result:
            result[name] = _sorted(result[name])
    for name in ("Principal", "NotPrincipal"):
        if name in result:
            result[name] = _principal(result[name])
    if "Condition" in result:
        result["Condition"] = {
            operator: {key: _sorted(values) for key, values in keys.items()}
            for operator, keys in result["Condition"].items()
        }
    return result


def _principal(principal: Any) -> Any:
    if principal == "*":
        return {"AWS": ["*"]}
    return {kind: sorted({_as_account(item) for item in _sorted(names)}) for kind, names in principal.items()}


def _as_account(principal: str) -> str:
    """A bare account id means the account's root, and AWS answers with the root's ARN in whatever partition it is."""
    root = _ROOT.fullmatch(principal)
    return root[1] if root else principal


def _sorted(value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return sorted({str(item).lower() if isinstance(item, bool) else str(item) for item in values})
