# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module image did, as lines for people. Pure: from its result to text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.plugin_utils import plan_view
from ansible_collections.dockyard.aws.plugins.plugin_utils.plan_view import Paint

Result = Mapping[str, Any]
COLOURS = {"pushed": "green", "tagged": "yellow", "unchanged": "normal", "failed": "red"}
WORDS = {"tagged": "is in ECR, and was tagged", "unchanged": "is in ECR already"}
WOULD = {"pushed": "would be pushed", "tagged": "is in ECR, and would be tagged", "unchanged": "is in ECR already"}


def lines(result: Result, check_mode: bool = False, paint: Paint = plan_view.plain) -> Iterator[str]:
    """Each image with where it comes from and its digest."""
    for item in result["images"]:
        yield ""
        status = item["status"]
        words = WOULD[status] if check_mode else WORDS.get(status, status)
        yield paint(f"{item['host']}: {item['repository']}:{item['tag']} {words}", COLOURS[status])
        if item["status"] == "pushed":
            yield f"  {_source(item, check_mode)}"
        if item["image"]:
            yield f"  {item['image']}"
        if item["tags"] and item["status"] != "failed":
            yield f"  also tagged {', '.join(item['tags'])}"


def _source(item: Result, check_mode: bool) -> str:
    platform = f" for {item['platform']}" if item["platform"] else ""
    seconds = "" if check_mode else f", in {item['seconds']:.0f} s"
    return f"{item['source']}{platform}, with {item['builder']}{seconds}"
