# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a saved plan, or the report of a deploy, as Markdown: python summary.py plan.json."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SIGNS = {"create": "+", "update": "~", "replace": "±", "adopt": ">", "delete": "-"}
# A comment on GitHub has 65,536 characters at most.
LONGEST = 60000


def plan(content: dict[str, Any]) -> Iterator[str]:
    """The plan that `-e plan_file=…` saved."""
    where = " · ".join(str(content[name]) for name in ("environment", "region", "account_id") if content.get(name))
    yield f"### Plan: {where}"
    yield ""
    if content["status"] == "error":
        yield "**No plan could be made:**"
        yield from block(content.get("messages") or ())
        return
    counts = content["counts"]
    numbers = [f"{counts[action]} to {action}" for action in SIGNS if counts.get(action)]
    yield f"**{', '.join(numbers) or 'Nothing to do'}**, {counts.get('unchanged', 0)} unchanged"
    yield from block(line for change in content["changes"] for line in of_change(change))
    for title, name in (("Warnings", "warnings"), ("Left alone", "left_alone")):
        if content.get(name):
            yield f"**{title}**"
            yield from block(map(str, content[name]))
    if content.get("would_remove"):
        yield "**Declared no more: only `-e prune=true` deletes it**"
        yield from block(f"- {item['kind']}/{item['name']}" for item in content["would_remove"])


def of_change(change: dict[str, Any]) -> Iterator[str]:
    yield f"{SIGNS[change['action']]} {change['kind']}/{change['name']} ({change['layer']}, {change['host']})"
    for item in change.get("differences") or ():
        forced = "   # forces replacement" if item.get("replaces") else ""
        yield f"    {item['path']}: {shown(item['before'])} → {shown(item['after'])}{forced}"


def deploy(content: dict[str, Any]) -> Iterator[str]:
    """The report that `-e deploy_report=…` wrote."""
    for service in content["services"]:
        yield f"### {service['service']}: {service['status']}"
        yield ""
        revision, previous = service.get("task_definition"), service.get("previous_task_definition")
        yield f"{previous or 'none'} → {revision or 'none'}"
        for name, image in (service.get("images") or {}).items():
            yield f"- {name}: `{image.get('image')}`"
        if service.get("error"):
            yield from block(service["error"].splitlines())
    if content.get("msg"):
        yield "### Nothing was deployed"
        yield from block(content["msg"].splitlines())


def block(lines: Any) -> Iterator[str]:
    """Lines as they are, in a fence that none of them can end."""
    found = [line.replace("````", "```") for line in lines]
    if found:
        yield from ("", "````", *found, "````", "")


def shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Who gets in is shown whole: policies of roles, buckets and repositories.
    whole = isinstance(value, dict) and '"Principal":' in text
    return text if whole or len(text) <= 200 else f"{text[:200]}…"


def summary(path: Path) -> str:
    if not path.is_file():
        return "Nothing was reported: the log says why.\n"
    content = json.loads(path.read_text(encoding="utf-8"))
    text = "\n".join(plan(content) if "checksum" in content else deploy(content))
    return text + "\n" if len(text) <= LONGEST else f"{text[:LONGEST]}\n````\n\n… the rest is in the log.\n"


if __name__ == "__main__":
    sys.stdout.write(summary(Path(sys.argv[1])))
