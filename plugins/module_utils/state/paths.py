# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where documents lie: one table from layers and hosts to keys.

Below the optional prefix, with `terraform.tstate` as the file name:

    <service type>/<service implementation>/terraform.tstate            the memory of a layer
    <service type>/<service implementation>/<host>/terraform.tstate     the outputs of a host in that layer

`FOLDERS` has the first two parts for each layer. The mapping is injective and `place_of` is its inverse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, unquote

from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError

FILE_NAME = "terraform.tstate"
LOCK_SUFFIX = ".tflock"
DIGEST_SUFFIX = "-md5"
LONGEST_KEY = 1024

FOLDERS: dict[str, str] = {
    "state_bucket": "s3/state-buckets",
    "iam": "iam/roles-and-policies",
    "network": "vpc/networks",
    "ecr": "ecs/ecr-repositories",
    "certificate": "acm/certificates",
    "alb": "elb/load-balancers",
    "dns": "route53/records",
    "autoscaling": "ec2/autoscaling-groups",
    "ecs": "ecs/services",
    "static_site": "s3/static-sites",
}
_LAYERS = {folder: layer for layer, folder in FOLDERS.items()}
_PART = re.compile(r"[A-Za-z0-9!_.*'()-]+")


class Place(NamedTuple):
    """What a key stands for: the memory of a layer, or the outputs of a host in it (`host` is not empty)."""

    layer: str
    host: str = ""


@dataclass(frozen=True)
class Paths:
    """The keys of one environment's documents. prefix: folders before all others, without a slash at its ends."""

    prefix: str = ""
    file_name: str = FILE_NAME

    def __post_init__(self) -> None:
        problems = [*_prefix_problems(self.prefix), *_file_name_problems(self.file_name)]
        if problems:
            raise StateError("; ".join(problems))

    def memory(self, layer: str) -> str:
        """The key of a layer's memory."""
        return self._key(layer)

    def outputs(self, layer: str, host: str) -> str:
        """The key of a host's outputs in a layer."""
        if not host:
            raise StateError(f"the outputs of the layer {layer!r} need the name of a host")
        return self._key(layer, self._encoded(host))

    def of(self, place: Place) -> str:
        return self.outputs(*place) if place.host else self.memory(place.layer)

    def place_of(self, key: str) -> Place | None:
        """What a key stands for; None where it is none of these documents (a lock, somebody else's object)."""
        start = f"{self.prefix}/" if self.prefix else ""
        parts = key.removeprefix(start).split("/")
        if not key.startswith(start) or len(parts) not in (3, 4) or parts[-1] != self.file_name:
            return None
        layer = _LAYERS.get("/".join(parts[:2]))
        if layer is None:
            return None
        place = Place(layer, unquote(parts[2]) if len(parts) == 4 else "")
        return place if self.of(place) == key else None

    def _key(self, layer: str, *further: str) -> str:
        if layer not in FOLDERS:
            raise StateError(f"the layer {layer!r} has no place in the state; known are {', '.join(FOLDERS)}")
        key = "/".join(part for part in (self.prefix, FOLDERS[layer], *further, self.file_name) if part)
        if len((key + LOCK_SUFFIX).encode()) > LONGEST_KEY:
            raise StateError(f"the key {key!r} is too long: with {LOCK_SUFFIX} it may have {LONGEST_KEY} bytes")
        return key

    def _encoded(self, host: str) -> str:
        """Percent-encoded where S3 or a file system would read something else, or where it looks like our file."""
        encoded = quote(host, safe="")
        if encoded in (".", "..") or encoded.startswith(self.file_name):
            return f"%{ord(encoded[0]):02X}{encoded[1:]}"
        return encoded


def _prefix_problems(prefix: str) -> list[str]:
    bad = [part for part in prefix.split("/") if prefix and (part in ("", ".", "..") or not _PART.fullmatch(part))]
    if not bad:
        return []
    return [
        f"state prefix {prefix!r}: {', '.join(repr(part) for part in bad)} cannot be a folder; allowed are letters, "
        "digits and ! _ . * ' ( ) - in parts separated by single slashes, with none at the ends"
    ]


def _file_name_problems(name: str) -> list[str]:
    if not _PART.fullmatch(name) or name in (".", ".."):
        return [f"state file name {name!r} may have letters, digits and ! _ . * ' ( ) - and nothing else"]
    for suffix, use in ((LOCK_SUFFIX, "lock objects"), (DIGEST_SUFFIX, "digests")):
        if name.endswith(suffix):
            return [f"state file name {name!r} must not end with {suffix}, which names {use}"]
    return []
