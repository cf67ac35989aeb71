# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs that were read already, between the lookups of one ansible-playbook process."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from ansible import constants

_NAME = "dockyard-aws-state"


def _folder() -> Path:
    """In ansible-playbook's own temporary folder: its workers share it, nobody else may read it, ansible removes it."""
    return Path(constants.DEFAULT_LOCAL_TMP) / _NAME


def _path(name: str) -> Path:
    return _folder() / hashlib.sha256(name.encode()).hexdigest()


def load(name: str) -> Any:
    """What was kept under a name, or None."""
    try:
        return json.loads(_path(name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def save(name: str, value: Any) -> None:
    path = _path(name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        json.dump(value, stream)
    partial.replace(path)


def clear() -> None:
    """Forget everything: documents were written."""
    shutil.rmtree(_folder(), ignore_errors=True)
