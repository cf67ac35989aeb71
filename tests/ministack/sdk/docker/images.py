# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images as ministack's ECR has them. The tag of an image says how its containers behave."""

from __future__ import annotations

from dataclasses import dataclass

from ministack.services import ecr

from docker.errors import ImageNotFound

# A tag that begins with one of these behaves so; any other runs and answers HTTP.
BEHAVIOURS = ("crash", "exit0", "nopull", "slow", "unhealthy")


@dataclass
class Image:
    """id is the digest of the manifest, as the registry's answer to a client has it."""

    name: str
    id: str
    tags: list[str]

    @property
    def behaviour(self) -> str:
        found = (behaviour for tag in self.tags for behaviour in BEHAVIOURS if tag.startswith(behaviour))
        return next(found, "run")

    def tag(self, repository: str, tag: str) -> bool:
        return True


def described(name: str) -> Image:
    """The image of a reference with a tag or a digest. Those that are not in ECR have just what their name says."""
    path, _at, digest = name.partition("@")
    tag = ""
    if ":" in path.rsplit("/", 1)[-1]:
        path, _colon, tag = path.rpartition(":")
    if ".dkr.ecr." not in path:
        return Image(name, digest or "sha256:" + "0" * 64, [tag])
    repository = path.split("/", 1)[1]
    for one in ecr._images.get(repository) or ():
        if one["imageDigest"] == digest or (tag and tag in one["imageTags"]):
            return Image(name, one["imageDigest"], list(one["imageTags"]))
    raise ImageNotFound(f"{name}: not found")
