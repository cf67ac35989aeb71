# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR's login in a file of its own, beside the logins that the builder has anyway; gone when the work is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that nobody else may read, removed in the end."""
    with TemporaryDirectory(prefix="dockyard-image-") as name:
        yield Path(name)


def write_private(path: Path, text: str) -> Path:
    """A new file that nobody else may read, at no moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def for_containers(place: Path, host: str, token: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which buildah and podman are logged in."""
    merged: dict[str, dict[str, Any]] = {"auths": {}, "credHelpers": {}}
    for path in reversed(_containers_files(environment)):
        known = _read(path)
        for key, values in merged.items():
            values.update(known.get(key) or {})
    merged["credHelpers"].pop(host, None)
    merged["auths"][host] = {"auth": token}
    return {"REGISTRY_AUTH_FILE": str(write_private(place / "auth.json", json.dumps(merged)))}


def _containers_files(environment: Mapping[str, str]) -> list[Path]:
    """Where containers-auth.json(5) looks for logins, in its order."""
    if named := environment.get("REGISTRY_AUTH_FILE"):
        return [Path(named)]
    home = Path.home()
    runtime = environment.get("XDG_RUNTIME_DIR") or f"/run/containers/{os.getuid()}"
    return [
        Path(runtime) / "containers" / "auth.json",
        Path(runtime) / "auth.json",
        Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers" / "auth.json",
        _docker_folder(environment) / "config.json",
    ]


def for_docker(place: Path, host: str, token: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The same for docker, whose configuration is a folder: everything else in it stays what it is."""
    own = _docker_folder(environment)
    mine = place / "docker"
    mine.mkdir(mode=0o700)
    for item in own.iterdir() if own.is_dir() else ():
        if item.name != "config.json":
            (mine / item.name).symlink_to(item.resolve())
    configuration = _read(own / "config.json")
    configuration["auths"] = {**(configuration.get("auths") or {}), host: {"auth": token}}
    if configuration.get("credsStore") or configuration.get("credHelpers"):
        # No helper: for this registry the file counts, and the store keeps nothing of it.
        configuration["credHelpers"] = {**(configuration.get("credHelpers") or {}), host: ""}
    write_private(mine / "config.json", json.dumps(configuration))
    return {"DOCKER_CONFIG": str(mine)}


def _docker_folder(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _read(path: Path) -> dict[str, Any]:
    """A file of logins; one that is not there, or that the builder could not read either, has none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
