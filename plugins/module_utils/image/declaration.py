# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable `image`: which images a host's own sources make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration, Environment, Layer
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sensitive import secrets_in

# Shorter values would hide half of every output, and are no secrets.
SHORTEST_SECRET = 4
BUILDERS = ("buildah", "podman", "docker")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
TAG_RULE = "letters, digits, '_', '.', '-', at most 128, and neither '.' nor '-' first"
_REPOSITORY = re.compile(r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*")
_PLATFORM = re.compile(r"(?:linux|windows)/[a-z0-9_]+(?:/[a-z0-9]+)?")
_REGISTRY = re.compile(r"[A-Za-z0-9.-]+(?::\d+)?")
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"[A-Za-z0-9_.-]+")
# Build arguments of these names would mislead the builder itself, if they came in its environment: they are given as
# arguments of its command, which every process of the machine can read.
OF_THE_BUILDER = re.compile(
    r"PATH|HOME|USER|SHELL|TMPDIR|LD_.*|AWS_.*|XDG_.*|(DOCKER|BUILDKIT|BUILDAH|BUILDX|CONTAINERS?|STORAGE|REGISTRY)_.*"
)
# What says how to build, and so means nothing for an archive.
_OF_BUILDS = ("containerfile", "target", "platform", "build_args", "secrets", "labels", "extra_args")

BUILD_OPTIONS: dict[str, Any] = {
    "repository": {
        "type": "str",
        "required": True,
        "description": "Name of the ECR repository that gets the image, as the layer C(ecr) declares it.",
    },
    "context": {
        "type": "path",
        "description": "Folder with the sources. Relative paths start from the inventory's folder.",
    },
    "containerfile": {
        "type": "path",
        "description": "Relative to O(context). Defaults to C(Containerfile), or C(Dockerfile) where there is none.",
    },
    "archive": {
        "type": "path",
        "description": (
            "Instead of O(context), an image that was built before: an archive of C(docker save), an OCI archive, or a "
            "folder in OCI layout."
        ),
    },
    "target": {"type": "str", "description": "The stage to build, where the Containerfile has several."},
    "platform": {
        "type": "str",
        "description": (
            "Such as V(linux/arm64). Defaults to what the host's task definitions with this repository run on, else "
            "to the builder's own."
        ),
    },
    "build_args": {
        "type": "dict",
        "description": "Values of the Containerfile's C(ARG). They stay in the image's history: no place for secrets.",
    },
    "secrets": {
        "type": "dict",
        "description": (
            "Secrets for C(RUN --mount=type=secret,id=...), by id. Neither in the image nor in its history."
        ),
    },
    "labels": {"type": "dict", "description": "Labels of the image."},
    "tags": {
        "type": "list",
        "elements": "str",
        "description": "Tags that the image gets beside that of the run, such as V(latest).",
    },
    "extra_args": {
        "type": "list",
        "elements": "str",
        "description": "More arguments for the builder's build command.",
    },
    "registry": {
        "type": "str",
        "description": (
            "Host, with port, to push to where it is not the one in the repository's URI: a FIPS or dual-stack "
            "endpoint, a proxy."
        ),
    },
    "timeout": {"type": "int", "default": 3600, "description": "How many seconds the build may take, and the push."},
}


class Images(Layer):
    """Declared like a layer; builds are no resources, so it is not among the layers of a plan."""

    NAME = "image"
    DESCRIPTION = "Container images, built from a host's sources and pushed to Amazon ECR"
    ARGUMENT_SPEC = {
        "builder": {
            "type": "str",
            "choices": list(BUILDERS),
            "description": "What builds. Defaults to the first of these that is installed and works.",
        },
        "builds": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": BUILD_OPTIONS,
            "description": "The images of this host.",
        },
    }

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        seen: dict[str, str] = {}
        for declaration in declarations:
            if not declaration.options["builds"]:
                yield Problem(declaration.host, "image.builds", "is empty: declare at least one build")
            for build in declaration.options["builds"]:
                where, name = place(build), build["repository"]
                yield from (Problem(declaration.host, where, text) for text in _problems(build))
                if name in seen:
                    yield Problem(declaration.host, where, f"{seen[name]} builds for the repository {name!r} already")
                seen.setdefault(name, declaration.host)


def place(build: Mapping[str, Any]) -> str:
    return f"image.builds[{build['repository']}]"


def text(value: Any) -> str:
    """A value as a builder takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def secrets_in_build(build: Mapping[str, Any]) -> Iterator[str]:
    """What nobody may be shown of a build, as long as it is not a syllable that is everywhere."""
    given = build.get("build_args")
    arguments = {str(name): text(value) for name, value in given.items()} if isinstance(given, Mapping) else {}
    found = [*_texts(build.get("secrets")), *secrets_in({"environment": arguments})]
    yield from (value for value in found if len(value) >= SHORTEST_SECRET)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value, whatever its form: it may not be validated yet."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield text(value)


def secrets_of(declared: Mapping[str, Any]) -> set[str]:
    """The same of all declarations, before they are validated."""
    hosts = (declared.get(Images.NAME) or {}).values()
    builds = [build for host in hosts if isinstance(host, Mapping) for build in host.get("builds") or ()]
    return {value for build in builds if isinstance(build, Mapping) for value in secrets_in_build(build)}


def _problems(build: Mapping[str, Any]) -> Iterator[str]:
    if not _REPOSITORY.fullmatch(build["repository"]):
        yield (
            f"repository: got {build['repository']!r}, allowed is the name alone, without a registry: lower-case "
            "letters, digits, and single '.', '_', '-' and '/' between them"
        )
    if bool(build["context"]) == bool(build["archive"]):
        yield f"needs either context or archive: got {'both' if build['context'] else 'none'}"
    elif build["archive"] and (given := [name for name in _OF_BUILDS if build[name]]):
        yield f"{', '.join(given)}: an archive is not built, so leave it out"
    if build["platform"] and not _PLATFORM.fullmatch(build["platform"]):
        yield f"platform: got {build['platform']!r}, it is one platform, such as linux/amd64 or linux/arm64"
    if build["registry"] and not _REGISTRY.fullmatch(build["registry"]):
        yield f"registry: got {build['registry']!r}, it is a host, such as registry.example.com:8443"
    for tag in build["tags"] or ():
        if not TAG.fullmatch(tag):
            yield f"tags: got {tag!r}, allowed: {TAG_RULE}"
    for option, names in (("build_args", _ARGUMENT), ("secrets", _SECRET)):
        for name, value in (build[option] or {}).items():
            if not names.fullmatch(str(name)):
                yield f"{option}: {name!r} is no name of one: allowed is {names.pattern}"
            if isinstance(value, (dict, list)) or value is None:
                yield f"{option}.{name}: must be a text or a number, got {type(value).__name__}"
    for name, value in (build["build_args"] or {}).items():
        if OF_THE_BUILDER.fullmatch(str(name)) and list(secrets_in({"environment": {str(name): text(value)}})):
            yield (
                f"build_args.{name}: looks like a secret, and every process of the machine could read it: the builder "
                "has such a variable itself, so it would be an argument of its command. Give it as one of secrets"
            )
    if build["timeout"] < 1:
        yield f"timeout: got {build['timeout']}, it is a number of seconds, at least 1"
