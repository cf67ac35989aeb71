# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with state; the texts are for people."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError


class StateError(ReconcileError):
    """The base of all errors of state documents and locks."""


class DocumentError(StateError):
    """What lies at a key is no state document that can be read."""


class ImportRefused(StateError):
    """A document may not take the place of another: the rules of lineage and serial."""


class StateConflict(StateError):
    """Somebody else wrote a document after it was read; nothing was overwritten."""


class DigestMismatch(StateError):
    """A document is not the one that was written last, according to its digest."""


class DigestNotWritten(StateError):
    """A document was written, its digest was not. The next run puts that right."""


class NotThere(StateError):
    """The bucket or the lock table does not exist."""


class LockHeld(StateError):
    """Somebody holds the lock; `holders` are the LockInfos found, one for each place."""

    def __init__(self, message: str, holders: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.holders = holders


class NoSuchLock(StateError):
    """There is no lock of this id to break."""
