# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Python, ansible-core, the SDK and the collections are new enough."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ansible.module_utils.ansible_release import __version__ as ansible_version
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.compat.version import LooseVersion

from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import boto3
from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap.checks import Check, failed, ok, skipped

PYTHON = "3.11"
ANSIBLE = "2.19.0"
SDK = "1.40.0"
# From this version, and below that one.
COLLECTIONS = {"amazon.aws": ("10.0.0", "11.0.0"), "community.aws": ("10.0.0", "11.0.0")}
OURS = "dockyard.aws"


def check() -> Iterator[Check]:
    python = ".".join(map(str, sys.version_info[:3]))
    yield _at_least("Python", python, PYTHON, f"run ansible-playbook with Python {PYTHON} or newer")
    yield _at_least("ansible-core", ansible_version, ANSIBLE, f"pip install 'ansible-core>={ANSIBLE}'")
    yield _at_least("boto3", boto3.__version__, SDK, f"pip install 'boto3>={SDK}'")
    for name, (least, below) in COLLECTIONS.items():
        yield _collection(name, least, below)
    version = version_of(OURS)
    yield ok(OURS, version) if version else skipped(OURS, "version not known")


def version_of(collection: str) -> str:
    """The version of an installed collection; empty where it is not known, as on another machine."""
    try:
        module = import_module(f"ansible_collections.{collection}")
    except ImportError:
        return ""
    for folder in map(Path, module.__path__):
        for name, read in (("MANIFEST.json", json.loads), ("galaxy.yml", yaml_load)):
            if (folder / name).is_file():
                data: Any = read((folder / name).read_text(encoding="utf-8"))
                return str((data.get("collection_info") or data).get("version") or "")
    return ""


def _collection(name: str, least: str, below: str) -> Check:
    version, wanted = version_of(name), f">={least},<{below}"
    if not version:
        return skipped(name, "version not known")
    if LooseVersion(least) <= LooseVersion(version) < LooseVersion(below):
        return ok(name, version)
    return failed(name, f"{version} is not {wanted}", f"ansible-galaxy collection install '{name}:{wanted}'")


def _at_least(name: str, version: str, least: str, todo: str) -> Check:
    if LooseVersion(version) >= LooseVersion(least):
        return ok(name, version)
    return failed(name, f"{version} is older than {least}", todo)
