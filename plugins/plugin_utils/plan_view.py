# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan, and what became of it, as lines for people. Pure: from a module's result to text."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

Change = Mapping[str, Any]
Paint = Callable[[str, str], str]

SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-", "adopt": ">"}
COLOURS = {"create": "green", "update": "yellow", "replace": "bright magenta", "delete": "red", "adopt": "cyan"}
PAST = {"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted", "adopt": "adopted"}
VALUE_WIDTH = 72
DIFF_LINES = 12
PART_LINES = 8
# Of a policy that says who gets in: whoever approves the plan has to see all of it.
POLICY_LINES = 100
# More fields than this are counted: a website has thousands of files.
FIELDS = 25


def plain(text: str, _colour: str) -> str:
    return text


def plan_lines(result: Mapping[str, Any], paint: Paint = plain) -> Iterator[str]:
    """The whole plan: by layer and host, each change with its fields, then the counts."""
    for (layer, host), changes in _groups(result["changes"], result.get("layers", ())):
        yield ""
        yield paint(f"{layer} · {host}", "bold")
        for change in changes:
            yield from change_lines(change, paint)
    yield from _would_remove(result.get("would_remove", ()), paint)
    yield from _remarks(result, paint)
    yield ""
    yield count_line(result)
    if saved := result.get("plan_file"):
        yield _saved_line(saved, result["changes"])


def _saved_line(saved: Mapping[str, Any], changes: Collection[Change]) -> str:
    if saved["use"] == "followed":
        return f"As saved in {saved['path']} at {saved['made_at']}."
    further = " The same command without --check carries out exactly this, or nothing." if changes else ""
    return f"Saved in {saved['path']}.{further}"


def change_lines(change: Change, paint: Paint = plain) -> Iterator[str]:
    """One change: its sign and address, why, and the fields."""
    action = change["action"]
    head = f"  {SIGNS[action]} {change['kind']}/{change['name']}"
    reason = change.get("reason", "configuration")
    if reason not in ("configuration", "destroy"):
        head += f"   ({reason})"
    yield paint(head, COLOURS[action])
    fields = change["differences"]
    listed = fields if len(fields) <= FIELDS else fields[: FIELDS - 1]
    width = max((len(item["path"]) for item in listed), default=0)
    for item in listed:
        yield from _field(action, item, min(width, 40), paint)
    if rest := fields[len(listed) :]:
        yield f"        … {_rest_line(rest)}"
    for note in change.get("notes", ()):
        yield f"        # {note}"


def _rest_line(fields: Collection[Mapping[str, Any]]) -> str:
    """How many fields are not shown, and what becomes of them."""
    parts = [
        (sum(item["before"] is None for item in fields), "to add"),
        (sum(None not in (item["before"], item["after"]) for item in fields), "to change"),
        (sum(item["after"] is None for item in fields), "to remove"),
    ]
    return f"{len(fields):,} more: " + ", ".join(f"{number:,} {what}" for number, what in parts if number)


def _would_remove(changes: Collection[Change], paint: Paint) -> Iterator[str]:
    """What is recorded and declared no more: a run without prune leaves it."""
    if not changes:
        return
    yield ""
    yield paint("declared no more · would be removed with -e prune=true", "bold")
    for change in changes:
        yield paint(f"  - {change['kind']}/{change['name']}   ({change['layer']} · {change['host']})", "red")
        yield from (f"        # {note}" for note in change["notes"])


def _field(action: str, item: Mapping[str, Any], width: int, paint: Paint) -> Iterator[str]:
    before, after, path = item["before"], item["after"], item["path"]
    name = f"        {path:<{width}}"
    if action == "create":
        yield from _value(name, after)
    elif _is_text(before) and _is_text(after):
        yield f"{name.rstrip()}:"
        yield from _text_diff(before, after, paint)
    else:
        forces = paint("   # forces replacement", "bright magenta") if item.get("replaces") else ""
        yield from _before_after(name, before, after, forces, paint)


def _value(name: str, value: Any) -> Iterator[str]:
    """A value on one line; where it is too long for one, its parts on a few."""
    if not _is_text(value) and (fits(value) or isinstance(value, str)):
        yield f"{name}  {short(value)}"
        return
    yield name.rstrip()
    most, shown = (POLICY_LINES, _one_line) if _lets_in(value) else (PART_LINES, short)
    lines = value.splitlines() if _is_text(value) else list(_parts(value, shown))
    yield from (f"          {line}" for line in lines[:most])
    if len(lines) > most:
        yield f"          … {len(lines) - most} more lines"


def _lets_in(value: Any) -> bool:
    """A policy of a role, a bucket, a repository: one that names who gets in."""
    statements = value.get("Statement") if isinstance(value, Mapping) else None
    listed = [statements] if isinstance(statements, Mapping) else statements
    return isinstance(listed, list) and any("Principal" in item for item in listed if isinstance(item, Mapping))


def _parts(value: Any, shown: Callable[[Any], str]) -> Iterator[str]:
    """The parts of a nested value, each on one line, or in parts itself."""
    named = value.items() if isinstance(value, Mapping) else [("-", item) for item in value]
    for key, part in named:
        head = "-" if key == "-" else f"{key}:"
        if fits(part) or not isinstance(part, (Mapping, list)):
            yield f"{head} {shown(part)}"
        elif head == "-":
            inner = list(_parts(part, shown))
            yield f"- {inner[0]}"
            yield from (f"  {line}" for line in inner[1:])
        else:
            yield head
            yield from (f"  {line}" for line in _parts(part, shown))


def _before_after(name: str, before: Any, after: Any, forces: str, paint: Paint) -> Iterator[str]:
    """On one line where that shows it all; a list by what differs in it; else a small difference of lines."""
    if isinstance(before, list) and isinstance(after, list) and before and after:
        marked = [("- ", "red", item) for item in before if item not in after]
        marked += [("+ ", "green", item) for item in after if item not in before]
        if marked and all(fits(item) for _sign, _colour, item in marked):
            yield f"{name.rstrip()}{forces}"
            yield from (paint(f"          {sign}{short(item)}", colour) for sign, colour, item in marked)
            return
    if (fits(before) and fits(after)) or before is None or after is None:
        yield f"{name}  {short(before)} → {short(after)}{forces}"
    else:
        yield f"{name.rstrip()}{forces}"
        most = POLICY_LINES if _lets_in(before) or _lets_in(after) else DIFF_LINES
        yield from _text_diff(_lines(before), _lines(after), paint, most)


def _lines(value: Any) -> str:
    """A nested value on many lines, without the punctuation that only computers need."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=str)
    bare = (line.rstrip(",").replace('"', "") for line in text.splitlines())
    return "\n".join(line for line in bare if line.strip(" []{}"))


def fits(value: Any) -> bool:
    return len(_one_line(value)) <= VALUE_WIDTH


def short(value: Any) -> str:
    """A value on one line, cut where it gets long."""
    text = _one_line(value)
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"


def _one_line(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, str):
        return " ".join(value.split()) or '""'
    return json.dumps(value, ensure_ascii=False, default=str).replace('"', "")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _text_diff(before: str, after: str, paint: Paint, most: int = DIFF_LINES) -> Iterator[str]:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1))[2:]
    for line in lines[:most]:
        colour = {"+": "green", "-": "red"}.get(line[:1], "normal")
        yield "          " + paint(line, colour)
    if len(lines) > most:
        yield f"          … {len(lines) - most} more lines"


def _remarks(result: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    active = {f"{change['kind']}/{change['name']}" for change in result["changes"]}
    notes = [note for note in result.get("left_to_others", ()) if note.split(": ", 1)[0] not in active]
    remarks = [f"Left to others: {note}" for note in notes]
    remarks += [f"Left alone: {text}" for text in result.get("left_alone", ())]
    if remarks:
        yield ""
        yield from remarks
    warnings = result.get("plan_warnings", ())
    if warnings:
        yield ""
        yield from (paint(f"Warning: {warning}", "bright purple") for warning in warnings)


def counts(changes: Iterable[Change]) -> tuple[int, int, int]:
    """How many things are added, changed and destroyed; a replacement adds one and destroys one."""
    number = Counter(change["action"] for change in changes)
    return (
        number["create"] + number["replace"],
        number["update"] + number["adopt"],
        number["delete"] + number["replace"],
    )


def count_line(result: Mapping[str, Any]) -> str:
    add, change, destroy = counts(result["changes"])
    unchanged = f" ({result['unchanged']} unchanged)" if result["unchanged"] else ""
    waiting = len(result.get("would_remove", ()))
    removable = f", {waiting} would be removed" if waiting else ""
    return f"Plan: {add} to add, {change} to change, {destroy} to destroy{removable}{unchanged}"


def done_lines(result: Mapping[str, Any], paint: Paint = plain) -> Iterator[str]:
    """What a layer did, a line for each thing."""
    width = max((len(PAST[change["action"]]) for change in result["changes"]), default=0)
    for change in result["changes"]:
        action = change["action"]
        address = f"{change['kind']}/{change['name']}"
        yield paint(f"  {SIGNS[action]} {PAST[action]:<{width}}  {address}", COLOURS[action])
    yield from (paint(f"  ! moved since the plan: {text}", "bright purple") for text in result.get("moved", ()))
    yield from (paint(f"  ! {text}", "bright purple") for text in result.get("notes", ()))


def done_line(changes: list[Change], failed: int) -> str:
    add, change, destroy = counts(changes)
    trouble = f", {failed} failed" if failed else ""
    return f"Done: {add} added, {change} changed, {destroy} destroyed{trouble}"


def _groups(changes: Iterable[Change], order: Iterable[str]) -> Iterator[tuple[tuple[str, str], list[Change]]]:
    """By layer in the order given, and in it by host in the order in which they come first."""
    layers: dict[str, int] = {layer: number for number, layer in enumerate(order)}
    hosts: dict[str, int] = {}
    for change in (changes := list(changes)):
        layers.setdefault(change["layer"], len(layers))
        hosts.setdefault(change["host"], len(hosts))
    ordered = sorted(changes, key=lambda change: (layers[change["layer"]], hosts[change["host"]]))
    for key, group in groupby(ordered, key=lambda change: (change["layer"], change["host"])):
        yield key, list(group)
