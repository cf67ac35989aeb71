# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of listener rules: one canonical form, and as people read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
# AWS compares these without regard to case.
CASELESS = ("host-header",)


def canonical_conditions(conditions: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Neither the conditions nor the values of one have an order; AWS returns some values in two places."""
    return sorted((_canonical(item) for item in conditions or ()), key=lambda item: json.dumps(item, sort_keys=True))


def _canonical(condition: Mapping[str, Any]) -> dict[str, Any]:
    field = condition["Field"]
    config = dict(condition.get(CONFIGS[field]) or {})
    result: dict[str, Any] = {}
    if config.get("HttpHeaderName"):
        result["HttpHeaderName"] = str(config["HttpHeaderName"]).lower()
    for name in ("Values", "RegexValues"):
        values = config.get(name) or condition.get(name) or []
        if values:
            result[name] = sorted((_value(field, value) for value in values), key=str)
    return {"Field": field, CONFIGS[field]: result}


def _value(field: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: text for name, text in value.items() if text not in (None, "")}
    return str(value).lower() if field in CASELESS else str(value)


def conditions_in_words(conditions: Any) -> Any:
    """Conditions as people read them, one text each."""
    return [_in_words(item) for item in conditions] if isinstance(conditions, list) else conditions


def _in_words(condition: Mapping[str, Any]) -> str:
    field = condition["Field"]
    config = condition[CONFIGS[field]]
    named = f"{field} {config['HttpHeaderName']}" if "HttpHeaderName" in config else field
    values = [_value_in_words(value) for value in config.get("Values", [])]
    values += [f"matches {value}" for value in config.get("RegexValues", [])]
    return f"{named}: {' or '.join(values)}"


def _value_in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['Key']}={value['Value']}" if "Key" in value else str(value["Value"])
    return str(value)
