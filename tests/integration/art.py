# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The art environment's declarations as data, for tests that change them."""

from __future__ import annotations

import copy
from typing import Any

import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import registry
from tests.integration.playbooks import ROOT

INVENTORY = ROOT / "inventories" / "art"
PLATFORM = "art"
SERVICE = "art-service-sourcing-data-service"


def _read() -> dict[str, dict[str, Any]]:
    declared: dict[str, dict[str, Any]] = {}
    for host in (PLATFORM, SERVICE):
        for path in sorted((INVENTORY / "host_vars" / host).glob("*.yml")):
            declared.setdefault(path.stem, {})[host] = yaml.safe_load(path.read_text())[path.stem]
    return declared


_DECLARED = _read()
LAYERS = [name for name in registry.LAYERS if name in _DECLARED]


def declared(*layers: str) -> dict[str, dict[str, Any]]:
    """layer -> host -> declaration, a fresh copy; of all layers, or of some."""
    return {name: copy.deepcopy(value) for name, value in _DECLARED.items() if not layers or name in layers}


def changed(layer: str, host: str, path: str, value: Any) -> dict[str, dict[str, Any]]:
    """All declarations with one place set to another value; `path` is like `subnets.0.cidr_block`; `+` appends."""
    result = declared()
    place: Any = result.setdefault(layer, {}).setdefault(host, {})
    *parents, last = path.split(".")
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if last == "+":
        place.append(value)
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return result
