# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module bootstrap found, as lines for people. Pure: from its result to text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.plugin_utils import plan_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.plan_view import Paint

COLOURS = {"ok": "green", "note": "yellow", "failed": "red", "skipped": "bright gray"}


def lines(result: Mapping[str, Any], check_mode: bool = False, paint: Paint = plan_view.plain) -> Iterator[str]:
    """Each check with its status; what to do about it below."""
    yield ""
    width = max((len(check["name"]) for check in result["checks"]), default=0)
    for check in result["checks"]:
        status = f"{check['status']:<7}"
        yield f"  {paint(status, COLOURS[check['status']])}  {check['name']:<{width}}  {check['said']}"
        if check["todo"]:
            yield f"  {'':7}  {'':<{width}}  → {check['todo']}"
    if result["moved"]:
        yield f"  documents kept locally {'would be' if check_mode else 'were'} moved into the bucket:"
        yield from (f"    {place}" for place in result["moved"])
    if result["next_steps"]:
        yield ""
        yield paint("Next:", "bold")
        yield from (f"  {step}" for step in result["next_steps"])
