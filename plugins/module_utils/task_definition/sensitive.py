# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that look like secrets, which belong into `secrets` and are found elsewhere: never shown to anybody."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

Difference = tuple[str, Any, Any]

SENSITIVE = "(sensitive)"

_WORDS = r"PASS(?:WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|KEY|CREDENTIAL|PRIVATE|AUTH|SIGNATURE|SALT"
_SECRET_NAME = re.compile(_WORDS + r"|DSN|CONNECTION_?STR|WEBHOOK", re.I)
_FLAG = re.compile(rf"-[\w-]*(?:{_WORDS})[\w-]*", re.I)
_SECRET_VALUE = re.compile(
    r"://[^/@\s]*:[^/@\s]+@"  # a URL with a password
    r"|(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|signature|api[_-]?key|access[_-]?key|account[_-]?key)"
    r"[\"']?\s*[=:]\s*[\"']?[^\s\"'$]"  # password=..., "token": "..."; not where it names a variable
    r"|\bBearer\s+\S"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # AWS
    r"|\b(?:gh[opsu]_|github_pat_|glpat-|xox[abps]-|sk_live_|sk-)[\w-]{10}"  # GitHub, GitLab, Slack, Stripe, OpenAI
    r"|hooks\.slack\.com/services/\S"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.",  # a JSON web token
    re.I,
)
# What nobody would remember: one long word of letters and digits, as generators make them.
_RANDOM = re.compile(r"(?!/)(?=.*\d)(?=.*[a-z])[A-Za-z0-9+/]{24,}={0,2}", re.I)
# Mappings by name: of a variable, of a log driver's option, of a label.
_BY_NAME = ("options", "driverOpts", "dockerLabels", "log_options", "docker_labels", "environment")
_SENSITIVE_PATH = re.compile(r"\.(environment|options|driverOpts|dockerLabels)(?:\[([^\]]*)\]|\.([^.\[\]]+))$")


def redact(found: Collection[Difference]) -> list[Difference]:
    """The differences with every value that looks like a secret replaced, also inside whole containers."""
    result = []
    for path, before, after in found:
        match = _SENSITIVE_PATH.search(path)
        name = (match[2] or match[3]) if match else None
        variable = match is not None and match[1] == "environment"
        result.append((path, _hidden(name, before, variable), _hidden(name, after, variable)))
    return result


def redacted(value: Any) -> Any:
    """A copy of a task definition, or a part of one, with every value that looks like a secret replaced."""
    if isinstance(value, Mapping):
        return {key: _redacted_member(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [
            # The word after an option like --password.
            SENSITIVE if number and _is_flag(value[number - 1]) and isinstance(item, str) else redacted(item)
            for number, item in enumerate(value)
        ]
    return SENSITIVE if _looks_secret(value) else value


def secrets_in(value: Any) -> Iterator[str]:
    """What `redacted` hides of a task definition, or of overrides."""
    yield from _hidden_in(value, redacted(value))


def _hidden_in(value: Any, shown: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _hidden_in(item, shown[key])
    elif isinstance(value, list):
        for item, seen in zip(value, shown, strict=True):
            yield from _hidden_in(item, seen)
    elif shown == SENSITIVE:
        yield str(value)


def _redacted_member(key: str, value: Any) -> Any:
    if key in _BY_NAME and isinstance(value, Mapping):
        return {name: _hidden(str(name), item, key == "environment") for name, item in value.items()}
    if key == "environment" and isinstance(value, list):
        return [
            (
                {**item, "value": _hidden(str(item.get("name")), item.get("value"), True)}
                if isinstance(item, Mapping)
                else item
            )
            for item in value
        ]
    return redacted(value)


def _hidden(name: str | None, value: Any, variable: bool = False) -> Any:
    """variable: an environment variable, whose value is a secret where it looks as if a generator had made it."""
    if name is None or value is None or isinstance(value, (Mapping, list)):
        return redacted(value)
    random = variable and isinstance(value, str) and _RANDOM.fullmatch(value)
    return SENSITIVE if random or _SECRET_NAME.search(name) or _looks_secret(value) else value


def _looks_secret(value: Any) -> bool:
    """An ARN of a secret is none."""
    return isinstance(value, str) and not value.startswith("arn:") and bool(_SECRET_VALUE.search(value))


def _is_flag(value: Any) -> bool:
    return isinstance(value, str) and bool(_FLAG.fullmatch(value))
