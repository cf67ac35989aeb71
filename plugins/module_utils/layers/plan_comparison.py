# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moved between a saved plan and the plan that would be made now. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import plan_file
from ansible_collections.dockyard.aws.plugins.module_utils.layers.plan_file import SETTINGS

Document = Mapping[str, Any]
Changes = Mapping[str, Mapping[str, Any]]

SCOPE = {
    "collection_version": "version of the collection",
    "environment": "dockyard_environment",
    "account_id": "AWS account",
    "region": "region",
}
SELECTIONS = {"layers": "select the same with --tags and --skip-tags", "hosts": "select the same with --limit"}
VALUE_WIDTH = 72


def moved(saved: Document, now: Document) -> list[str]:
    """All that is not as it was planned, for people; empty where both are the same plan."""
    if found := list(_scope(saved, now)):
        return found
    if saved["changes"] and not now["changes"] and saved["resources"] == now["resources"]:
        return ["nothing of it is left to do: it was carried out already"]
    return [*_inventory(saved, now), *_changes(saved, now)] or list(_rest(saved, now))


def _scope(saved: Document, now: Document) -> Iterator[str]:
    """Where the plan is for, and with which options."""
    for name, label in SCOPE.items():
        if saved[name] != now[name]:
            yield f"{label}: planned for {saved[name]}, this run is for {now[name]}"
    for name, hint in SELECTIONS.items():
        if saved[name] != now[name]:
            less = [item for item in saved[name] if item not in now[name]]
            more = [item for item in now[name] if item not in saved[name]]
            parts = [f"planned with {_names(less)}"] if less else []
            parts += [f"planned without {_names(more)}"] if more else []
            yield f"{name}: {' and '.join(parts) or 'planned in another order'} ({hint})"
    for variable in SETTINGS.values():
        yield from _setting(variable, saved["settings"].get(variable), now["settings"][variable])


def _setting(name: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for option in dict.fromkeys([*before, *after]):
            yield from _setting(f"{name}.{option}", before.get(option), after.get(option))
    elif before != after:
        yield f"{name}: planned with {_value(before)}, now {_value(after)}"


def _inventory(saved: Document, now: Document) -> Iterator[str]:
    before, after = saved["resources"], now["resources"]
    for address in sorted(after.keys() - before):
        yield f"inventory: {after[address]['host']} declares {address}, which it did not when planned"
    for address in sorted(before.keys() - after):
        yield f"inventory: {before[address].get('host')} declares {address} no more"
    other = [address for address in after if before.get(address, after[address]) != after[address]]
    if len(other) > 1 and len(other) == len(after):
        yield f"inventory: all {len(other)} resources are declared differently (dockyard_tags?)"
        return
    for address in other:
        yield f"inventory: {after[address]['host']} declares {address} differently"


def _changes(saved: Document, now: Document) -> Iterator[str]:
    before, after = _by_address(saved["changes"]), _by_address(now["changes"])
    for address in dict.fromkeys([*before, *after]):
        old, new = before.get(address), after.get(address)
        if old is None and new is not None:
            yield f"{address}: nothing planned, now {_in_words(new)}"
        elif old is not None and new is None:
            yield f"{address}: planned {_in_words(old)}, now nothing to do"
        elif old is not None and new is not None and _steering(old) != _steering(new):
            yield from (f"{address}: {text}" for text in _change(old, new))
    before, after = _by_address(saved["would_remove"]), _by_address(now["would_remove"])
    for address in sorted(after.keys() - before):
        yield f"{address}: now would be removed with prune, which was not so when planned"
    for address in sorted(before.keys() - after):
        yield f"{address}: shown as removable when planned, now not"


def _change(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """How one change is another one now."""
    if old["action"] != new["action"]:
        yield f"planned {_in_words(old)}, now {_in_words(new)}"
        return
    found = [*_fields(old, new)]
    for name in ("id", "reason", "layer", "host"):
        if old.get(name) != new.get(name):
            found.append(f"{name} was {_value(old.get(name))} when planned, now {_value(new.get(name))}")
    yield from found or [f"planned {old['action']}, now {new['action']} with another value that is not shown"]


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before = {item["path"]: item for item in old["differences"]}
    after = {item["path"]: item for item in new["differences"]}
    for path in dict.fromkeys([*before, *after]):
        if path not in after:
            yield f"{path} was planned {_arrow(before[path])}, now nothing to do"
        elif path not in before:
            yield f"{path} was as declared when planned, now {_arrow(after[path])}"
        elif before[path] != after[path]:
            if before[path]["before"] != after[path]["before"]:
                was, found = before[path]["before"], after[path]["before"]
                yield f"{path} was {_value(was)} in AWS when planned, now {_value(found)}"
            if before[path]["after"] != after[path]["after"]:
                wanted, wants = before[path]["after"], after[path]["after"]
                yield f"{path} was planned to become {_value(wanted)}, now {_value(wants)}"


def _rest(saved: Document, now: Document) -> Iterator[str]:
    """What cannot differ unless somebody wrote into the file."""
    for name in sorted(now.keys() - plan_file.free(now).keys() - {"checksum"}):
        if _canonical(name, saved[name]) != _canonical(name, now[name]):
            yield f"the file's member {name!r} does not fit the rest of it: it was changed after it was made"


def _canonical(name: str, value: Any) -> str:
    """As text, as 1 and true are equal in Python. The order of changes is not what the run follows."""
    if name in ("changes", "would_remove"):
        value = sorted(json.dumps(_steering(item), sort_keys=True) for item in value)
    return json.dumps(value, sort_keys=True)


def _steering(change: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in change.items() if name != "notes"}


def _by_address(changes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {f"{item['kind']}/{item['name']}": item for item in changes}


def _in_words(change: Mapping[str, Any]) -> str:
    if change["action"] in ("create", "delete"):
        return str(change["action"])
    fields = [f"{item['path']} {_arrow(item)}" for item in change["differences"]]
    more = f" and {len(fields) - 3} more" if len(fields) > 3 else ""
    return f"{change['action']} ({', '.join(fields[:3])}{more})" if fields else str(change["action"])


def _arrow(item: Mapping[str, Any]) -> str:
    return f"{_value(item['before'])} → {_value(item['after'])}"


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    text = " ".join(value.split()) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_WIDTH else f"{text[: VALUE_WIDTH - 1]}…"


def _names(names: list[Any]) -> str:
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(map(str, names[:6])) + more
