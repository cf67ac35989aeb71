# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The setting dockyard_remote_state: where runs remember what they did, and how they lock it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import FILE_NAME, Paths

VARIABLE = "dockyard_remote_state"
# Below the inventory's folder, for as long as there is no bucket; or the folder that the environment variable names.
FOLDER = ".dockyard"
FOLDER_VARIABLE = "DOCKYARD_DATA_DIR"
ACCOUNT = re.compile(r"[0-9]{12}")
ARGUMENT_SPEC: dict[str, Any] = {
    "type": "dict",
    "options": {
        "bucket": {"type": "str", "required": True},
        "lock_table": {"type": "str"},
        "lock": {"type": "str", "choices": ["dynamodb", "s3", "both"]},
        "prefix": {"type": "str", "default": ""},
        "file_name": {"type": "str", "default": FILE_NAME},
        "lock_timeout": {"type": "int", "default": 0},
        "encrypt": {"type": "bool", "default": False},
        "kms_key_id": {"type": "str", "no_log": False},
        "bucket_owner": {"type": "str"},
        "region": {"type": "str"},
    },
}


@dataclass(frozen=True)
class RemoteState:
    """The setting, checked. folder: where documents are kept until the bucket exists."""

    backend: Backend
    paths: Paths
    lock_timeout: int
    folder: Path


def of(params: Mapping[str, Any]) -> RemoteState | None:
    """The setting of a run, or None where it is not given; raises PlanError with all that is wrong with it."""
    given = params.get("remote_state")
    if given is None:
        return None
    wrong = [Problem("", VARIABLE, message) for message in problems(given)]
    paths = Paths()
    try:
        paths = Paths(given.get("prefix") or "", given.get("file_name") or FILE_NAME)
    except StateError as error:
        wrong.append(Problem("", VARIABLE, str(error)))
    if wrong:
        raise PlanError(wrong)
    return RemoteState(backend(given), paths, given.get("lock_timeout") or 0, _folder(params))


def backend(given: Mapping[str, Any]) -> Backend:
    """The bucket and its locks, of a setting in which nothing is wrong."""
    return Backend(
        given["bucket"],
        given.get("lock_table"),
        use_lockfile=_lock(given) in ("s3", "both"),
        owner=given.get("bucket_owner") or None,
        encrypt=bool(given.get("encrypt")),
        kms_key_id=given.get("kms_key_id") or None,
        region=given.get("region") or None,
    )


def made_elsewhere(setting: RemoteState, region: str) -> str:
    """What is wrong where an inventory that works in this region itself declares the bucket, or nothing."""
    there = setting.backend.region or region
    if there == region or not region:
        return ""
    return f"region is {there!r}, and state_bucket makes {setting.backend.bucket} in {region}: leave region out"


def check_region(setting: RemoteState | None, region: str, declared: Collection[Address]) -> None:
    """Raises PlanError where the inventory makes the bucket in another region than the setting looks for it."""
    declares_it = setting and Address("s3_bucket", setting.backend.bucket) in declared
    if setting and declares_it and (wrong := made_elsewhere(setting, region)):
        raise PlanError([Problem("", VARIABLE, wrong)])


def _lock(given: Mapping[str, Any]) -> str:
    return given.get("lock") or ("dynamodb" if given.get("lock_table") else "s3")


def problems(given: Mapping[str, Any]) -> list[str]:
    """What is wrong with bucket and locks."""
    found, lock = [], _lock(given)
    if not given["bucket"]:
        found.append("bucket must not be empty: name the bucket that keeps the state")
    if lock in ("dynamodb", "both") and not given.get("lock_table"):
        found.append(f"lock is {lock!r} and needs lock_table, the name of a DynamoDB table")
    if lock == "s3" and given.get("lock_table"):
        table = given["lock_table"]
        found.append(f"lock is 's3' and does not use lock_table ({table!r}): leave it out, or set lock to 'both'")
    if (timeout := given.get("lock_timeout") or 0) < 0:
        found.append(f"lock_timeout is {timeout}; it is the number of seconds to wait for a lock, 0 or more")
    return found + _wrong_headers(given)


def _wrong_headers(given: Mapping[str, Any]) -> list[str]:
    found, key, owner = [], given.get("kms_key_id"), given.get("bucket_owner")
    if key and not given.get("encrypt"):
        found.append(f"kms_key_id ({key!r}) has no effect without encrypt: set encrypt to true")
    if owner and not ACCOUNT.fullmatch(owner):
        found.append(f"bucket_owner is {owner!r}; it is the id of an AWS account, 12 digits in quotes")
    return found


def _folder(params: Mapping[str, Any]) -> Path:
    """In the inventory's folder; of several inventories in the first one's."""
    folders = [*sorted(set((params.get("base_dirs") or {}).values())), params.get("base_dir") or "."]
    named = os.environ.get(FOLDER_VARIABLE)
    return (Path(named) if named else Path(folders[0]) / FOLDER) / "state"
