# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of the Docker SDK as ministack uses, without Docker: a container is a small HTTP server in this process."""

from __future__ import annotations

import threading
import uuid
from typing import Any

from docker import images
from docker.containers import Container
from docker.errors import APIError, ImageNotFound, NotFound


class Images:
    """The registry, as the daemon sees it; nothing is kept, so nothing is in the cache."""

    def get_registry_data(self, name: str, **_options: Any) -> Any:
        return images.described(name)

    def get(self, name: str) -> Any:
        raise ImageNotFound(f"No such image: {name}")

    def pull(self, name: str, **_options: Any) -> Any:
        found = images.described(name)
        if found.behaviour == "nopull":
            raise APIError(f"{name}: failed to resolve ref: pull access denied")
        return found


class Containers:
    """All containers of this process."""

    def __init__(self) -> None:
        self._all: dict[str, Container] = {}
        self._lock = threading.Lock()

    def run(self, image: str, **options: Any) -> Container:
        described = Images().pull(image)
        with self._lock:
            container = Container(uuid.uuid4().hex, described, options, self._forget)
            self._all[container.id] = container
        container.start()
        return container

    def get(self, identity: str) -> Container:
        try:
            return self._all[identity]
        except KeyError:
            raise NotFound(f"No such container: {identity}") from None

    def list(self, **_options: Any) -> list[Container]:
        return list(self._all.values())

    def _forget(self, identity: str) -> None:
        self._all.pop(identity, None)


class Client:
    """What docker.from_env() gives."""

    def __init__(self) -> None:
        self.images, self.containers = Images(), Containers()


def from_env(**_options: Any) -> Client:
    """One daemon for the whole process: ministack keeps the first."""
    return Client()
