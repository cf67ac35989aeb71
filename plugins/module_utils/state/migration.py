# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking documents from one store to another: from a folder into a bucket, to another bucket or prefix."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import Store


def migrate(source: Store, source_key: str, target: Store, target_key: str, force: bool = False) -> bool:
    """Copy one document as it is, with its lineage and serial; True where something was written.

    Raises ImportRefused by Terraform's rules, DocumentError where one of both cannot be read, StateConflict where
    the target was written meanwhile. A copy that is there already is left alone, so a migration that was interrupted
    can be run again. The source stays; `source.delete(key, source.read(key))` removes it. Hold the locks of both.
    """
    from_there, there = source.read(source_key), target.read(target_key)
    if from_there.body is None or from_there.body == there.body:
        return False
    new = document.parse(from_there.body, source.place(source_key))
    place = target.place(target_key)
    # What is to be overwritten by force need not be readable.
    existing = None if there.body is None or force else document.parse(there.body, place)
    document.check_import(new, existing, place, force)
    target.write(target_key, from_there.body, there)
    return True


def was_moved(source: Store, source_key: str, target: Store, target_key: str) -> bool:
    """Whether one of the target's versions is this document: then its move was interrupted before the source went."""
    body = source.read(source_key).body
    if body is None:
        return False
    versions = target.versions(target_key)
    alike = [version for version in versions if version.size == len(body) and not version.deleted]
    return any(target.read_version(target_key, version.version_id) == body for version in alike)
