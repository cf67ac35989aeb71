# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that loading and rendering a task definition raise."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TaskDefinitionError(ValueError):
    """A task definition or an override that cannot be used; carries every problem found, not only the first."""

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


def did_you_mean(word: object, allowed: Iterable[str]) -> str:
    """The end of a message about a misspelt name: ` (did you mean portMappings?)`, or nothing."""
    by_shape = {_shape(name): name for name in allowed}
    close = get_close_matches(_shape(str(word)), by_shape, n=1, cutoff=0.6)
    return f" (did you mean {by_shape[close[0]]}?)" if close else ""


def _shape(name: str) -> str:
    """A name without the differences between snake_case, camelCase and PascalCase."""
    return name.replace("_", "").replace("-", "").lower()
