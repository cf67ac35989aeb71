# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One image: what is there of it, and how it comes into ECR."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.image import git, login, repositories
from ansible_collections.dockyard.aws.plugins.module_utils.image.builders import Builder, Recipe, archive_problem
from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import (
    TAG,
    TAG_RULE,
    place,
    secrets_in_build,
    text,
)
from ansible_collections.dockyard.aws.plugins.module_utils.image.shell import Shell
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

PUSHED, TAGGED, UNCHANGED, FAILED = "pushed", "tagged", "unchanged", "failed"
FILES = ("Containerfile", "Dockerfile")


@dataclass
class Report:
    """What became of one image; as the module returns it. image: with its digest, as task definitions name it."""

    host: str
    repository: str
    status: str = UNCHANGED
    tag: str = ""
    tags: list[str] = field(default_factory=list)
    image: str = ""
    digest: str = ""
    source: str = ""
    platform: str = ""
    builder: str = ""
    seconds: float = 0.0


class Job:
    """One declared image. prepare() changes nothing; carry_out() does it all.

    running: the platforms of the tasks that get the image, by family.
    """

    def __init__(
        self,
        aws: Aws,
        declaration: Declaration,
        options: Mapping[str, Any],
        params: Mapping[str, Any],
        running: Mapping[str, str],
        progress: Callable[[str], None],
    ) -> None:
        self._aws, self._options, self._running, self._progress = aws, options, running, progress
        self._base = Path(declaration.base_dir)
        self._validate_certs = params.get("validate_certs") is not False
        self._source = self._containerfile = Path()
        self._there: dict[str, dict[str, Any]] = {}
        self._repository = repositories.Repository(options["repository"], "", "")
        self.builder: str | None = declaration.options["builder"]
        self.where = place(options)
        self.report = Report(declaration.host, options["repository"], tag=params.get("tag") or "")

    @property
    def changes(self) -> bool:
        return self.report.status in (PUSHED, TAGGED)

    @property
    def builds(self) -> bool:
        return self.report.status == PUSHED

    def prepare(self) -> list[str]:
        """Find out what is to be done. Returns everything that stands in the way of it."""
        problems = []
        for step in (self._find_source, self._find_platform, self._find_tag, self._look_into_ecr):
            try:
                step()
            except ReconcileError as error:
                problems.append(str(error))
        return problems

    def _find_source(self) -> None:
        archive, context = self._options["archive"], self._options["context"]
        self._source = (self._base / Path(archive or context).expanduser()).resolve()
        self.report.source = str(self._source)
        if archive:
            if problem := archive_problem(self._source):
                raise ReconcileError(f"archive: {self._source}: {problem}")
            return
        if not self._source.is_dir():
            raise ReconcileError(
                f"context: there is no folder {self._source} (relative paths start from {self._base.resolve()})"
            )
        names = [self._options["containerfile"]] if self._options["containerfile"] else FILES
        found = [self._source / name for name in names if (self._source / name).is_file()]
        if not found:
            raise ReconcileError(
                f"containerfile: there is no {' and no '.join(names)} in the context {self._source}. Name another one "
                "with containerfile, relative to the context"
            )
        self._containerfile = found[0]
        self.report.source = str(found[0])

    def _find_platform(self) -> None:
        """What the tasks run on, where nothing is declared; never something else."""
        declared = self._options["platform"]
        wanted = sorted(set(self._running.values()))
        if declared:
            other = [f"{family} on {item}" for family, item in self._running.items() if item != _plain(declared)]
            if other:
                raise ReconcileError(
                    f"platform: is {declared}, and tasks with this image run elsewhere ({', '.join(other)}): change "
                    "one of them, or the runtime_platform of the task definition"
                )
        elif len(wanted) > 1:
            families = ", ".join(f"{family} on {item}" for family, item in self._running.items())
            raise ReconcileError(
                f"platform: one image cannot be for all of its tasks ({families}). Build an image for several "
                "platforms elsewhere, and deploy it by its tag"
            )
        self.report.platform = declared or "".join(wanted)

    def _find_tag(self) -> None:
        if not self.report.tag:
            folder = self._source.parent if self._options["archive"] else self._source
            if self._source.exists() and folder.is_dir():
                self.report.tag = git.commit(folder, self._containerfile)
        if self.report.tag and not TAG.fullmatch(self.report.tag):
            raise ReconcileError(f"the tag {self.report.tag!r} is none: allowed are {TAG_RULE}")
        others = dict.fromkeys(self._options["tags"] or ())
        self.report.tags = [tag for tag in others if tag != self.report.tag]

    def _look_into_ecr(self) -> None:
        """Whether the image is there, and its tags are free."""
        self._repository = repositories.repository(self._aws, self.report.repository)
        tag = self.report.tag
        if not tag:
            return
        self._there = repositories.tagged(self._aws, self.report.repository, [tag, *self.report.tags])
        known = self._digest(tag)
        if not known or not self._repository.immutable(tag):
            self.report.status = PUSHED
        elif any(self._digest(other) != known for other in self.report.tags):
            self.report.status = TAGGED
        if not self.builds:
            self._say_digest(known)
            # What is there was built before, for whatever platform; a deploy looks.
            self.report.platform = ""
        taken = [
            f"{other!r} ({self._digest(other)[:19]})"
            for other in self.report.tags
            if other in self._there and self._repository.immutable(other) and self._digest(other) != known
        ]
        if taken:
            raise ReconcileError(
                f"tags: {', '.join(taken)} is in ECR already, and the repository's tags are immutable: leave it out, "
                "or let it move with image_tag_mutability: IMMUTABLE_WITH_EXCLUSION and "
                "image_tag_mutability_exclusion_filters in the layer ecr"
            )

    def _digest(self, tag: str) -> str:
        return str(self._there[tag]["imageId"]["imageDigest"]) if tag in self._there else ""

    def _say_digest(self, digest: str) -> None:
        self.report.digest, self.report.image = digest, f"{self._repository.uri}@{digest}"

    def carry_out(self, builder: Builder | None) -> None:
        """Build where that is to be done, push, and put the further tags. builder: None where nothing is built."""
        name, before = f"{self.report.repository}:{self.report.tag}", self._digest(self.report.tag)
        started = time.monotonic()
        if builder is not None:
            self._verify(self._build_and_push(builder, name))
        for tag in self.report.tags:
            if self._digest(tag) != self.report.digest:
                repositories.put_tag(self._aws, self.report.repository, tag, self._there[self.report.tag])
                before = ""
        self.report.seconds = round(time.monotonic() - started, 1)
        if before == self.report.digest:
            self.report.status = UNCHANGED

    def _build_and_push(self, builder: Builder, name: str) -> str:
        """The digest, where the builder says it."""
        host = self._options["registry"] or self._repository.host
        reference = f"{host}/{name}"
        token = repositories.login_token(self._aws)
        with login.folder() as place:
            recipe = self._recipe(place)
            environment = builder.logged_in(place, host, token, os.environ)
            shell = Shell({**recipe.environment(), **environment}, list(self._secrets(token)), self._say)
            self._say(f"{self._doing(builder)}, pushed as {name}")
            timeout = self._options["timeout"]
            if self._options["archive"]:
                image = builder.load(shell, self._source, reference, timeout)
            else:
                image = reference
                builder.build(shell, recipe, image, timeout)
            self._check_platform(builder.platform(shell, image))
            self._say(f"pushing {name}")
            return builder.push(shell, image, reference, place, timeout, self._validate_certs)

    def _doing(self, builder: Builder) -> str:
        if self._options["archive"]:
            return f"{self.report.source} is read with {builder.name}"
        platform = f" for {self.report.platform}" if self.report.platform else ""
        return f"{self.report.source} is built with {builder.name}{platform}"

    def _say(self, line: str) -> None:
        self._progress(f"{self.report.host}: {line}")

    def _recipe(self, folder: Path) -> Recipe:
        options = self._options
        secrets = {
            name: login.write_private(folder / f"secret-{number}", text(value))
            for number, (name, value) in enumerate((options["secrets"] or {}).items())
        }
        return Recipe(
            self._source,
            self._containerfile,
            options["target"] or "",
            self.report.platform,
            {name: text(value) for name, value in (options["build_args"] or {}).items()},
            {name: text(value) for name, value in (options["labels"] or {}).items()},
            secrets,
            options["extra_args"] or (),
        )

    def _secrets(self, token: str) -> Iterator[str]:
        """What no output may show."""
        yield token
        yield base64.b64decode(token).decode(errors="replace").partition(":")[2]
        yield from secrets_in_build(self._options)

    def _check_platform(self, found: str) -> None:
        wanted = self.report.platform
        if wanted and found and _plain(wanted) != found:
            raise ReconcileError(
                f"{self.report.source} gave an image for {found}, and {wanted} is wanted: nothing was pushed. Build it "
                f"for that platform (its base image may know no other)"
            )
        self.report.platform = wanted or found

    def _verify(self, pushed: str) -> None:
        """The digest is what the registry says. pushed: what the builder said of it."""
        tag = self.report.tag
        self._there = repositories.tagged(self._aws, self.report.repository, [tag, *self.report.tags])
        digest = self._digest(tag)
        if not digest:
            raise AwsError(f"{self.report.repository}:{tag} was pushed, and ECR does not have it")
        if pushed and pushed != digest:
            raise AwsError(
                f"{self.report.repository}:{tag} was pushed as {pushed}, and is {digest} in ECR now: somebody else "
                "pushed the same tag. Use tags that nobody else uses, such as the commit, in an immutable repository"
            )
        self._say_digest(digest)


def _plain(platform: str) -> str:
    """Without the variant."""
    return "/".join(platform.split("/")[:2])
