# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What builds and pushes: buildah, podman or docker, as they are installed."""

from __future__ import annotations

import lzma
import re
import shutil
import tarfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.dockyard.aws.plugins.module_utils.image import login
from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import BUILDERS, OF_THE_BUILDER
from ansible_collections.dockyard.aws.plugins.module_utils.image.shell import BuilderFailed, Shell
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

QUICK = 60
# What tarfile raises for an archive that is none, or that ends too soon.
UNREADABLE = (OSError, EOFError, tarfile.TarError, zlib.error, lzma.LZMAError)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOADED = re.compile(r"Loaded image(?: ID)?: (\S+)")


@dataclass(frozen=True)
class Recipe:
    """How an image is built. secrets: files, by id."""

    context: Path
    containerfile: Path
    target: str = ""
    platform: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)
    extra_args: Sequence[str] = ()

    def environment(self) -> dict[str, str]:
        """The build arguments that reach the builder unseen: a command's arguments can be read by every process."""
        return {name: value for name, value in self.build_args.items() if not OF_THE_BUILDER.fullmatch(name)}

    def arguments(self, image: str) -> list[str]:
        """The same for each builder: their build commands are docker's."""
        unseen = self.environment()
        given = ["--tag", image, "--file", str(self.containerfile)]
        given += ["--target", self.target] if self.target else []
        given += ["--platform", self.platform] if self.platform else []
        for name, value in self.build_args.items():
            given += ["--build-arg", name if name in unseen else f"{name}={value}"]
        for name, value in self.labels.items():
            given += ["--label", f"{name}={value}"]
        for name, path in self.secrets.items():
            given += ["--secret", f"id={name},src={path}"]
        return [*given, *self.extra_args, str(self.context)]


class Builder:
    """The base: buildah and podman, which need no daemon and share everything but a few words."""

    BUILD = "build"
    INSPECT: tuple[str, ...] = ("image", "inspect", "--format", "{{.Os}}/{{.Architecture}}")
    TRY: tuple[str, ...] = ("info", "--format", "{{.Host.OS}}/{{.Host.Arch}}")

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path

    def problem(self) -> str:
        """Why it does not work here; empty where it does."""
        try:
            Shell().run([self.path, *self.TRY], f"{self.name} {self.TRY[0]}", QUICK)
        except BuilderFailed as error:
            return str(error)
        return ""

    def logged_in(self, place: Path, host: str, token: str, environment: Mapping[str, str]) -> dict[str, str]:
        return login.for_containers(place, host, token, environment)

    def build(self, shell: Shell, recipe: Recipe, image: str, timeout: int) -> None:
        command = [self.path, self.BUILD, *recipe.arguments(image)]
        shell.run(command, f"the build with {self.name}", timeout, recipe.context)

    def load(self, shell: Shell, archive: Path, image: str, timeout: int) -> str:
        """Read an archive; the name by which the image is known then."""
        source = f"{transport(archive)}:{archive}"
        said = shell.run([self.path, "pull", "--quiet", source], f"reading {archive} with {self.name}", timeout)
        if not said:
            raise BuilderFailed(f"{self.name} read {archive} and named no image of it")
        return said[-1].split()[-1]

    def platform(self, shell: Shell, image: str) -> str:
        """`os/architecture` of an image that is here."""
        said = shell.run([self.path, *self.INSPECT, image], f"looking at the image with {self.name}", QUICK)
        return said[-1].strip() if said else ""

    def push(
        self, shell: Shell, image: str, reference: str, place: Path, timeout: int, validate_certs: bool = True
    ) -> str:
        """Push an image; the digest that it has there, where the builder says it."""
        note = place / "digest"
        command = [self.path, "push", "--digestfile", str(note)]
        command += [] if validate_certs else ["--tls-verify=false"]
        shell.run([*command, image, f"docker://{reference}"], f"the push to {reference}", timeout)
        return note.read_text(encoding="utf-8").strip() if note.exists() else ""


class Podman(Builder):
    pass


class Buildah(Builder):
    # Its other name `build` is younger than releases that are in use.
    BUILD = "bud"
    INSPECT = ("inspect", "--type", "image", "--format", "{{.OCIv1.OS}}/{{.OCIv1.Architecture}}")
    TRY = ("version",)


class Docker(Builder):
    # Answered by the daemon.
    TRY = ("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")

    def logged_in(self, place: Path, host: str, token: str, environment: Mapping[str, str]) -> dict[str, str]:
        return login.for_docker(place, host, token, environment)

    def load(self, shell: Shell, archive: Path, image: str, timeout: int) -> str:
        if archive.is_dir():
            raise BuilderFailed(
                f"docker reads no folders in OCI layout: give {archive} as an archive, or install buildah or podman"
            )
        said = shell.run([self.path, "load", "--input", str(archive)], f"reading {archive} with docker", timeout)
        loaded = [found[1] for line in said if (found := _LOADED.search(line))]
        if len(loaded) != 1:
            raise BuilderFailed(f"{archive} should hold one image, docker found: {', '.join(loaded) or 'none'}")
        shell.run([self.path, "tag", loaded[0], image], "naming the image", QUICK)
        return image

    def push(
        self, shell: Shell, image: str, reference: str, place: Path, timeout: int, validate_certs: bool = True
    ) -> str:
        """Whether the registry's certificate is validated is a setting of docker's daemon."""
        said = shell.run([self.path, "push", reference], f"the push to {reference}", timeout)
        found = [digest for line in said if "digest:" in line for digest in _DIGEST.findall(line)]
        return found[-1] if found else ""


KINDS = {"buildah": Buildah, "podman": Podman, "docker": Docker}


def find(wanted: Collection[str | None]) -> dict[str | None, Builder]:
    """The builder for each name, and for None the first one that works. Says of all of them what is wrong."""
    return {name: _one(name) if name else _first() for name in dict.fromkeys(wanted)}


def _one(name: str) -> Builder:
    builder = _installed(name)
    if builder is None:
        there = [other for other in BUILDERS if shutil.which(other)]
        instead = f"There is {', '.join(there)}: set that, or leave builder out" if there else "Install it"
        raise ReconcileError(f"image.builder: {name} is not installed on this machine. {instead}")
    if problem := builder.problem():
        raise ReconcileError(f"image.builder: {_does_not_work(name, problem)}")
    return builder


def _first() -> Builder:
    problems = []
    for name in BUILDERS:
        builder = _installed(name)
        if builder is None:
            continue
        problem = builder.problem()
        if not problem:
            return builder
        problems.append(_does_not_work(name, problem))
    if problems:
        raise ReconcileError("\n".join(["nothing that works builds images on this machine:", *problems]))
    raise ReconcileError(
        "nothing on this machine builds images: install buildah or podman, which need no daemon, or docker. Or build "
        "the image elsewhere, push it, and deploy it by its tag without image_build"
    )


def _installed(name: str) -> Builder | None:
    path = shutil.which(name)
    return KINDS[name](name, path) if path else None


def _does_not_work(name: str, problem: str) -> str:
    todo = "start its daemon, or install buildah or podman, which need none"
    if name == "podman":
        todo = "see `podman info`; on macOS and Windows, `podman machine start`"
    return f"{name} is installed and does not work: {problem}\n  To do: {todo}"


def transport(archive: Path) -> str:
    """How containers' tools call this kind of archive."""
    if archive.is_dir():
        return "oci"
    return "docker-archive" if "manifest.json" in _names(archive) else "oci-archive"


def _names(archive: Path) -> set[str]:
    with tarfile.open(archive) as tar:
        return {name.removeprefix("./") for name in tar.getnames()}


def archive_problem(archive: Path) -> str:
    """Why something cannot be an image; empty where it may be one."""
    if not archive.exists():
        return "there is no such file or folder"
    if archive.is_dir():
        return "" if (archive / "oci-layout").exists() else "the folder is not in OCI layout: it has no file oci-layout"
    try:
        names = _names(archive)
    except UNREADABLE as error:
        return f"cannot be read as an archive, perhaps it was not written to its end: {str(error).partition(':')[0]}"
    known = names & {"manifest.json", "oci-layout"}
    return "" if known else "is no archive of an image: it has neither manifest.json nor oci-layout"
