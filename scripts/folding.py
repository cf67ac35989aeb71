# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a run of site.yml in little space: of a plan what it has without fields, of a run what it did."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
GROUP = re.compile(r"\w+ · \S")
SUM = "Plan: "
FIELD = " " * 8


def folded(lines: Iterable[str], check: bool) -> Iterator[str]:
    """The lines, each with its end. check: the plan counts, and what comes after it does not; else the run counts."""
    in_plan, ended, left_out, blank = False, False, 0, True
    for line in lines:
        text = COLOUR.sub("", line).rstrip()
        if text[:1].strip():
            in_plan = bool(GROUP.match(text))
        if ended or (in_plan and (text.startswith(FIELD) or not check)):
            left_out += bool(text)
            continue
        if text.startswith(SUM) and left_out:
            yield f"({left_out} lines are left out here)\n"
        ended = check and text.startswith(SUM)
        if text or not blank:
            yield line
        blank = not text
