# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations as YAML, in the form in which people write inventories (and `make fmt` leaves alone)."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.common.yaml import yaml_load

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import Template

WIDTH = 110
STEP = "  "
# Everything else is quoted, which is never wrong.
PLAIN = re.compile(r"[A-Za-z0-9/_.][A-Za-z0-9/_.:@+=*()$-]*(?: [A-Za-z0-9/_.:@+=*()$-]+)*")
IN_FLOW = re.compile(r"[A-Za-z0-9/_.][A-Za-z0-9/_.:@+=*$-]*(?: [A-Za-z0-9/_.:@+=*()$-]+)*")
TEMPLATE = re.compile(r"\{[{%#]")


def document(value: Mapping[str, Any], *comments: str) -> str:
    lines = ["---", *(f"# {comment}" for comment in comments), *_mapping(value, "")]
    return "\n".join(lines) + "\n"


def _mapping(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, inner in value.items():
        yield from _entry(f"{indent}{scalar(str(key))}:", inner, indent)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    """What follows a key: on the same line where it is short."""
    if value is None:
        yield head
    elif isinstance(value, Template) or not isinstance(value, (Mapping, list, str)):
        yield f"{head} {scalar(value)}"
    elif isinstance(value, str):
        yield from _text(head, value, indent)
    elif (short := _flow(value)) is not None and len(head) + len(short) < WIDTH:
        yield f"{head} {short}"
    elif isinstance(value, Mapping):
        yield head
        yield from _mapping(value, indent + STEP)
    else:
        yield head
        yield from _sequence(value, indent + STEP)


def _sequence(value: Sequence[Any], indent: str) -> Iterator[str]:
    for item in value:
        if isinstance(item, Mapping) and item:
            first, *rest = _mapping(item, indent + STEP)
            yield f"{indent}- {first.strip()}"
            yield from rest
        else:
            yield from _entry(f"{indent}-", item, indent)


def _text(head: str, value: str, indent: str) -> Iterator[str]:
    """Several lines as a block, where a block can hold them; one long line folded."""
    lines = value.split("\n")
    holds = value.endswith("\n") and not value.endswith("\n\n") and not value.startswith((" ", "\n"))
    if len(lines) > 2 and holds and not TEMPLATE.search(value) and all(_fits_in_block(line) for line in lines):
        yield f"{head} |"
        yield from (f"{indent}{STEP}{line}" if line else "" for line in lines[:-1])
    elif len(head) + len(value) > WIDTH and _can_be_folded(value):
        yield f"{head} >-"
        folded = textwrap.wrap(value, WIDTH, break_on_hyphens=False, break_long_words=False)
        yield from (f"{indent}{STEP}{line}" for line in folded)
    else:
        yield f"{head} {scalar(value)}"


def _can_be_folded(value: str) -> bool:
    return " " in value and value == " ".join(value.split()) and not TEMPLATE.search(value) and value.isprintable()


def _fits_in_block(line: str) -> bool:
    return line == line.rstrip() and line.isprintable()


def _flow(value: Any) -> str | None:
    """A list of scalars, or a mapping of scalars in a list's place, on one line; None for what is deeper."""
    if isinstance(value, list) and all(_is_short(item) for item in value):
        return f"[{', '.join(_in_flow(item) for item in value)}]"
    if isinstance(value, Mapping) and not value:
        return "{}"
    return None


def _is_short(value: Any) -> bool:
    return not isinstance(value, (Mapping, list, Template)) and "\n" not in str(value)


def _in_flow(value: Any) -> str:
    text = scalar(value)
    return text if not isinstance(value, str) or text[0] in '"!' or IN_FLOW.fullmatch(text) else quoted(value)


def scalar(value: Any) -> str:
    if isinstance(value, str):
        return str(value) if _reads_as_itself(value) else quoted(value)
    return json.dumps(value)


def quoted(value: str) -> str:
    """What looks like a template is marked, so that Ansible leaves it alone; a reference to a secret is one."""
    text = json.dumps(str(value), ensure_ascii=False)
    return f"!unsafe {text}" if TEMPLATE.search(value) and not isinstance(value, Template) else text


def _reads_as_itself(value: str) -> bool:
    if not PLAIN.fullmatch(value) or value.endswith(":") or ": " in value or " #" in value:
        return False
    try:
        return bool(yaml_load(value) == value)
    except Exception:
        return False
