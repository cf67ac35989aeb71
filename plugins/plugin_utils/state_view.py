# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module state found or did, as lines for people. Pure: from its result to text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.common.yaml import yaml_dump

from ansible_collections.dockyard.aws.plugins.plugin_utils import plan_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.plan_view import Paint

Result = Mapping[str, Any]
SENSITIVE = "(sensitive)"
SHORT_LINEAGE = 8


def lines(
    result: Result, check_mode: bool = False, paint: Paint = plan_view.plain, fields: bool = True
) -> Iterator[str]:
    """The result of any action. fields: without them where Ansible's own --diff shows what differs."""
    yield ""
    action = result["state_action"]
    if not fields and result.get("differences"):
        result = {**result, "differences": None}
    if action in _LOOKING:
        yield from _LOOKING[action](result, paint)
    else:
        yield from _CHANGING[action](result, check_mode, paint)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Columns as wide as they need to be; numbers to the right."""
    texts = [[_cell(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(heads))]
    numeric = [all(_is_number(row[column]) for row in texts[1:]) for column in range(len(heads))]
    for row in texts:
        cells = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ]
        yield "  " + "  ".join(cells).rstrip()


def _cell(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)


def _is_number(text: str) -> bool:
    return text == "-" or text.isdigit()


def _list(result: Result, paint: Paint) -> Iterator[str]:
    documents, others = result["documents"], result["others"]
    yield paint(f"State of {result['environment']} in {result['home']}", "bold")
    if documents:
        heads = ("layer", "host", "serial", "resources", "outputs", "bytes", "key")
        names = ("layer", "host", "serial", "resources", "outputs", "size", "key")
        yield from table(heads, ([item[name] for name in names] for item in documents))
    else:
        yield "  no documents yet: a run of site.yml writes them"
    for item in documents:
        yield from _trouble(item, paint)
        if item["environment"] not in ("", result["environment"]):
            yield paint(f"  ! {item['place']} belongs to the environment {item['environment']!r}", "bright purple")
    local = [item for item in documents if item["local"]]
    if local and len(local) < len(documents):
        yield paint(f"  ! {len(local)} of them lie in the folder still: the next run moves them", "bright purple")
    if others:
        yield f"  {len(others)} other objects below the same prefix; -e state_key=<key> looks at one:"
        yield from (f"    {place}" for place in others[:20])
        if len(others) > 20:
            yield f"    … {len(others) - 20} more"


def _trouble(item: Result, paint: Paint) -> Iterator[str]:
    if item["problem"]:
        yield paint(f"  ! {item['problem']}", "red")
    if item["warning"]:
        yield paint(f"  ! {item['place']} {item['warning']}", "bright purple")


def _show(result: Result, paint: Paint) -> Iterator[str]:
    yield paint(f"{result['label']}: {result['place']}", "bold")
    parts = [f"serial {result['serial']}", f"lineage {result['lineage'] or '(none)'}"]
    if result.get("version"):
        parts.append(f"version {result['version']['version']} of {_time(result['version'])}")
    parts += [f"environment {result['environment']}"] if result["environment"] else []
    yield f"  {', '.join(parts)}"
    if result["warning"]:
        yield paint(f"  ! {result['warning']}", "bright purple")
    if result["resources"]:
        yield f"  {plural(len(result['resources']), 'resource')}"
        rows = [(item["address"], item["host"], item["id"], _marks(item)) for item in result["resources"]]
        shown = 4 if any(row[-1] for row in rows) else 3
        heads = ("address", "host", "id", "notes")
        yield from (f"  {line}" for line in table(heads[:shown], [row[:shown] for row in rows]))
    if result["outputs"]:
        yield f"  {plural(len(result['outputs']), 'output')}"
        for name, output in result["outputs"].items():
            value = SENSITIVE if output["sensitive"] else output["value"]
            yield from (f"    {line}" for line in _value(name, value))


def _marks(item: Result) -> str:
    marks = ["protected"] if item["protect"] else []
    return ", ".join(marks + ([f"{item['pending']} was not finished"] if item["pending"] else []))


def _value(name: str, value: Any) -> Iterator[str]:
    """Short ones on the line of their name, others as YAML below it."""
    if not isinstance(value, (Mapping, list)) or not value:
        yield f"{name}: {plan_view.short(value)}"
        return
    yield f"{name}:"
    text = yaml_dump(value, default_flow_style=False, sort_keys=True)
    yield from (f"  {line}" for line in text.splitlines())


def _history(result: Result, paint: Paint) -> Iterator[str]:
    yield paint(f"{result['label']}: {result['place']}", "bold")
    heads = ("version", "modified (UTC)", "serial", "lineage", "resources", "bytes", "operation", "who")
    rows = []
    for item in result["versions"]:
        start = (item["version"], _time(item))
        if item["deleted"]:
            rows.append((*start, "deleted", "", "", "", "", ""))
        elif item["problem"]:
            rows.append((*start, "unreadable", "", "", item["size"], "", ""))
        else:
            counts = (item["resources"], item["size"], item["operation"], item["who"])
            rows.append((*start, item["serial"], item["lineage"][:SHORT_LINEAGE], *counts))
    yield from table(heads, rows)
    if result["local"]:
        yield "  a local folder keeps no earlier versions"


def _time(item: Result) -> str:
    return str(item["modified"]).replace("T", " ").removesuffix("Z")


def _diff(result: Result, paint: Paint) -> Iterator[str]:
    before, after = result["before"], result["after"]
    yield paint(f"{result['label']}: {result['place']}", "bold")
    yield f"  from serial {before['serial']} ({_time(before)}) to serial {after['serial']} ({_time(after)})"
    yield from _changes(result["differences"], paint)


def _changes(found: Sequence[Result] | None, paint: Paint) -> Iterator[str]:
    for item in found or ():
        yield from plan_view.change_lines(item, paint)
    if found is not None and not found:
        yield "  no differences"


def _locks(result: Result, paint: Paint) -> Iterator[str]:
    yield paint(f"Locks of {result['environment']} in {result['home']}", "bold")
    if not result["locks"]:
        yield "  nobody holds a lock"
    for item in result["locks"]:
        yield from _lock(item)
    if result["locks"]:
        yield "  Only when that run is certainly gone: -e state_action=unlock -e lock_id=<id>"


def _lock(item: Result) -> Iterator[str]:
    since = f"since {item['created']}" + (f" ({item['age']})" if item["age"] else "") if item["created"] else ""
    parts = [item["who"] or "unknown", since, f"for {item['operation']}" if item["operation"] else ""]
    yield f"  {item['id']}  {', '.join(part for part in parts if part)}"
    yield f"      {item['key']}, in {item['place']}"


def _unlock(result: Result, check_mode: bool, paint: Paint) -> Iterator[str]:
    yield paint("Would be broken:" if check_mode else "Broken:", "yellow")
    for item in result["broken"]:
        yield from _lock(item)


def _restore(result: Result, check_mode: bool, paint: Paint) -> Iterator[str]:
    old = result["restored"]
    yield paint(f"{result['label']}: {result['place']}", "bold")
    if result["warning"]:
        yield paint(f"  ! {result['warning']}", "bright purple")
    what = f"version {old['version']} (serial {old['serial']}, {_time(old)})"
    if not result["changed"]:
        yield f"  is as in {what} already; nothing {'would be' if check_mode else 'was'} written"
        return
    if result["serial"] != result["previous_serial"]:
        yield f"  {what} {'would be' if check_mode else 'was'} written as serial {result['serial']}"
        yield from _changes(result["differences"], paint)
    yield from (f"  {'would write' if check_mode else 'wrote'} {place}" for place in result["written"])
    yield "  AWS was not touched: the next plan shows how it differs from what is remembered now"
    if result["follows"]:
        yield "  Outputs follow from the layer's memory: the next run writes them anew where they differ from it"


def _forget(result: Result, check_mode: bool, paint: Paint) -> Iterator[str]:
    yield paint("Would be forgotten:" if check_mode else "Forgotten:", "yellow")
    names = ("address", "layer", "host", "id")
    yield from table(names, ([item[name] for name in names] for item in result["forgotten"]))
    for item in result["forgotten"]:
        for user in item["needed_by"]:
            yield paint(f"  ! {user} is remembered still and refers to {item['address']}", "bright purple")
    yield from (f"  {'would write' if check_mode else 'wrote'} {place}" for place in result["written"])
    yield "  AWS was not touched. What is declared still is taken over again by the next run; what is not is left alone"
    yield "  from now on, and drift.yml lists it as untracked while it carries the tag dockyard:environment"


def _migrate(result: Result, check_mode: bool, paint: Paint) -> Iterator[str]:
    yield paint(f"State of {result['environment']}: {result['from']} → {result['to']}", "bold")
    would = "would be " if check_mode else ""
    for name, text in (("copied", f"{would}copied"), ("deleted", "deleted from the source")):
        yield from (f"  {text}  {place}" for place in result[name])
    if result["same"]:
        yield f"  {plural(len(result['same']), 'document')} there already"
    if result["digests"]:
        yield f"  {plural(result['digests'], 'digest')} in the lock table put right"
    for item in result["left"]:
        yield f"  left    {item['key']}: {item['why']}"
    if result["setting"]:
        yield f"  {'Then' if check_mode else 'Now'} set in the inventory (group_vars/all.yml):"
        text = yaml_dump({"dockyard_remote_state": result["setting"]}, default_flow_style=False, sort_keys=False)
        yield from (f"    {line}" for line in text.splitlines())


def plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


_LOOKING = {"list": _list, "show": _show, "history": _history, "diff": _diff, "locks": _locks}
_CHANGING = {"restore": _restore, "forget": _forget, "unlock": _unlock, "migrate": _migrate}
