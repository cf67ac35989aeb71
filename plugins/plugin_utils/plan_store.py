# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the plan lies between the tasks of one ansible-playbook process."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

from ansible import constants

from ansible_collections.dockyard.aws.plugins.module_utils.layers.run import PlannedRun

_NAME = "dockyard-aws-plan"


def _path() -> Path:
    """In ansible-playbook's own temporary folder: its workers share it, nobody else may read it, ansible removes it."""
    return Path(constants.DEFAULT_LOCAL_TMP) / _NAME


def save(run: PlannedRun) -> None:
    partial = _path().with_suffix(".new")
    with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as stream:
        pickle.dump(run, stream)
    partial.replace(_path())


def load() -> PlannedRun | None:
    if not _path().exists():
        return None
    with _path().open("rb") as stream:
        run: PlannedRun = pickle.load(stream)
    return run
