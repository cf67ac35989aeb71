# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's errors."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem


class ReconcileError(Exception):
    """The base of what the engine and the resource kinds raise on purpose; its text is for people."""


class PlanError(ReconcileError):
    """The plan cannot stand; carries every problem found. Nothing was written."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(dict.fromkeys(problems))
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''}, nothing was changed:\n{lines}")


class PlanMoved(ReconcileError):
    """Under `strict`, AWS was found changed between the plan and the run."""


class StillInUse(ReconcileError):
    """AWS refuses to delete a thing because something else refers to it."""


class Postponed(ReconcileError):
    """Somebody else has to do something first, and nobody is to wait for it: the next run goes on."""


class Awaited(Postponed):
    """Something takes long: the run waits for it (`Kind.wait`) when it holds no locks, and goes on then."""
