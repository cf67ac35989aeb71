# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deploy writes, it writes under the lock of the layer's state, and so that site.yml finds nothing to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.services import LAYER, Service
from ansible_collections.dockyard.aws.plugins.module_utils.layers import remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.recording import Documents, Recorder
from ansible_collections.dockyard.aws.plugins.module_utils.layers.run import STATE_LAYER, PlannedRun
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.executor import Outcome
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import NONE, Change


class Ledger:
    """Writes for all services of a run, one at a time: they share one lock and one document.

    notes: what could not be recorded.
    """

    def __init__(self, planned: PlannedRun, sessions: Sessions) -> None:
        self._planned = planned
        self._turn = threading.Lock()
        self.notes: list[str] = []
        self._recorder: Recorder | None = None
        setting = remote_state.of(planned.params)
        if setting is not None:
            name = planned.params["environment_name"]
            self._recorder = Recorder(setting, sessions.aws(STATE_LAYER), name, sessions.aws(STATE_LAYER).progress)

    def write(self, work: Callable[[], None]) -> None:
        """Work that the state does not remember."""
        self._apply([], work)

    def bring(self, service: Service, task_definition: Mapping[str, Any], work: Callable[[], None]) -> None:
        """Work that brings a revision to a service. task_definition: the attributes of the revision."""
        plan = self._planned.plan
        changes = [
            replace(change, done=False)
            for change in plan.changes
            if change.address in (service.address, service.task_address)
        ]

        def carried_out() -> None:
            work()
            plan.attributes[service.task_address] = dict(task_definition)
            for change in changes:
                change.done = _fulfilled(change, service)

        self._apply(changes, carried_out)

    def _apply(self, changes: list[Change], work: Callable[[], None]) -> None:
        if self._recorder is None:
            with self._turn:
                work()
            return
        did = False

        def apply(_last_applied: Mapping[Any, Any]) -> Outcome:
            nonlocal did
            work()
            did = True
            return Outcome()

        with self._turn:
            plan = replace(self._planned.plan, changes=changes, absent=frozenset())
            documents = self._planned.documents or Documents()
            _outcome, message = self._recorder.apply(plan, [LAYER], {LAYER: self._planned.hosts}, documents, apply)
        if message and not did:
            raise ReconcileError(message)
        if message:
            self.notes.append(f"this was carried out, but not recorded: {message}. The next run of site.yml records it")


def _fulfilled(change: Change, service: Service) -> bool:
    """Whether AWS is as declared then: of a service a deploy changes the revision and how it is rolled out."""
    if change.address == service.task_address or change.action == NONE:
        return True
    return all(item.path.split(".")[0] in ("taskDefinition", "deploymentConfiguration") for item in change.differences)
