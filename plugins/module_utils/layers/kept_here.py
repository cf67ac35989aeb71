# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The warning that state stays on this machine: a misspelt bucket or table would otherwise never be noticed."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.dockyard.aws.plugins.module_utils.layers.recording import Documents
from ansible_collections.dockyard.aws.plugins.module_utils.layers.remote_state import RemoteState
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address

BUCKET, TABLE = "s3_bucket", "dynamodb_table"


def warnings(setting: RemoteState, documents: Documents, declared: Collection[Address]) -> list[str]:
    """Of documents that lie in the folder, where nothing in the plan makes what they are to move into."""
    missing = _missing(setting, documents, declared)
    if not missing:
        return []
    bucket, table = setting.backend.bucket, setting.backend.table
    both = f"the bucket {bucket!r}" + (f" and the lock table {table!r}" if table else "")
    return [
        f"until there is {both}, state and locks are in {setting.folder}, which nobody else sees; nothing in this plan "
        f"makes {missing}: check the name, or run bootstrap.yml first"
    ]


def _missing(setting: RemoteState, documents: Documents, declared: Collection[Address]) -> str:
    bucket, table = setting.backend.bucket, setting.backend.table
    if documents.local and Address(BUCKET, bucket) not in declared:
        return "that bucket"
    tables = {address.name for address in declared if address.kind == TABLE}
    # A table that nobody declares is somebody else's, and is there before the bucket is.
    expected = documents.left_behind or (documents.local and tables)
    return "that table" if table and expected and table not in tables else ""
