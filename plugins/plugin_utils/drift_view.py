# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift as lines for people. Pure: from the result of the module drift to text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from ansible_collections.dockyard.aws.plugins.plugin_utils.plan_view import Paint, change_lines, plain

# What was found -> the sign and colour of the like change in a plan, and why in words.
LOOKS = {
    "changed": ("update", ""),
    "gone": ("delete", "gone: deleted, or not found under its name any more"),
    "recreated": ("replace", "made anew by somebody else"),
    "pending": ("create", "half made: a run was ended while it made this"),
}
NAMED = 5


def drift_lines(result: Mapping[str, Any], paint: Paint = plain) -> Iterator[str]:
    """By layer and host, each resource with its fields; then what is no drift and worth knowing; then the summary."""
    if result["findings"]:
        yield ""
        yield "Changed in AWS since it was applied (applied → now):"
    order = {layer: number for number, layer in enumerate(result["layers"])}
    findings = sorted(result["findings"], key=lambda item: (order[item["layer"]], item["host"]))
    for (layer, host), group in groupby(findings, key=lambda item: (item["layer"], item["host"])):
        yield ""
        yield paint(f"{layer} · {host}", "bold")
        for address, found in groupby(group, key=lambda item: item["address"]):
            yield from change_lines(_change(address, list(found)), paint)
    yield from _others(result, paint)
    yield ""
    yield result["summary"]


def _change(address: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    kind, _slash, name = address.partition("/")
    action, reason = LOOKS[found[0]["what"]]
    if found[0]["what"] == "pending":
        reason += f"; it exists as {found[0]['now']}" if found[0]["now"] else "; it does not exist"
    fields = [item for item in found if item["path"]]
    differences = [{"path": item["path"], "before": item["applied"], "after": item["now"]} for item in fields]
    return {"action": action, "kind": kind, "name": name, "differences": differences} | (
        {"reason": reason} if reason else {}
    )


def _others(result: Mapping[str, Any], paint: Paint) -> Iterator[str]:
    if result["untracked"]:
        yield ""
        yield "Untracked: tagged as this environment's, and in no state document:"
        yield from (f"  ? {arn}" for arn in result["untracked"])
    if result["old_copies"]:
        yield ""
        yield "Old copies, which go in the next run:"
        yield from (f"  - {arn}" for arn in result["old_copies"])
    if changed := result["changed_in_inventory"]:
        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        noun = "resource" if len(changed) == 1 else "resources"
        yield ""
        yield f"Changed in the inventory since: {len(changed)} {noun}; site.yml --check shows them"
        yield f"  {', '.join(changed[:NAMED])}{more}"
    if result["notes"]:
        yield ""
        yield from (paint(f"Note: {note}", "bright purple") for note in result["notes"])
