# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builders by their command lines: which one is taken, what it is told, what is read from its answers."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import tarfile

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.image import builders
from ansible_collections.dockyard.aws.plugins.module_utils.image.builders import Recipe
from ansible_collections.dockyard.aws.plugins.module_utils.image.shell import BuilderFailed, Shell
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

DIGEST = "sha256:" + "a" * 64
# Says what it got, then what the test wants it to say.
SCRIPT = """#!/bin/sh
printf '%s\\n' "$*" >> "{log}"
case "$1" in
{cases}
esac
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Programs of these names, alone on the PATH; the log of how they were called."""
    folder, log = tmp_path / "bin", tmp_path / "log"
    folder.mkdir()
    log.touch()
    monkeypatch.setenv("PATH", str(folder))

    def made(name, **answers):
        cases = "\n".join(f"{command}) {answer};;" for command, answer in answers.items())
        script = folder / name
        script.write_text(SCRIPT.format(log=log, cases=cases))
        script.chmod(0o755)
        return log

    return made


def found(name=None):
    return builders.find([name])[name]


def test_the_first_that_works_is_taken(install):
    install("docker", version="echo 'Cannot connect to the Docker daemon'; exit 1")
    install("podman", info="echo linux/amd64")
    assert found().name == "podman"
    install("buildah", version="echo buildah 1.28")
    assert found().name == "buildah"
    assert found("podman").name == "podman"


def test_a_daemon_that_does_not_run_is_named(install):
    install("docker", version="echo 'Cannot connect to the Docker daemon. Is it running?'; exit 1")
    for name in (None, "docker"):
        with pytest.raises(ReconcileError) as caught:
            found(name)
        text = str(caught.value)
        assert "docker is installed and does not work" in text and "Cannot connect to the Docker daemon" in text
        assert "start its daemon, or install buildah or podman" in text


def test_another_builder_is_offered_for_one_that_is_not_installed(install):
    install("docker", version="echo linux/amd64")
    with pytest.raises(ReconcileError, match="podman is not installed on this machine. There is docker: set that"):
        found("podman")


def recipe(tmp_path, **options):
    return Recipe(tmp_path, tmp_path / "Containerfile", **options)


def test_values_of_build_arguments_reach_the_builder_unseen(tmp_path):
    made = recipe(
        tmp_path,
        target="production",
        platform="linux/arm64",
        build_args={"TOKEN": "secret", "PATH": "/somewhere"},
        labels={"team": "web"},
        secrets={"npm": tmp_path / "secret-0"},
        extra_args=["--no-cache"],
    )
    assert made.environment() == {"TOKEN": "secret"}
    given = ["--target", "production", "--platform", "linux/arm64"]
    given += ["--build-arg", "TOKEN", "--build-arg", "PATH=/somewhere", "--label", "team=web"]
    given += ["--secret", f"id=npm,src={tmp_path}/secret-0", "--no-cache", str(tmp_path)]
    assert made.arguments("web:1") == ["--tag", "web:1", "--file", f"{tmp_path}/Containerfile", *given]


@pytest.mark.parametrize(("name", "command"), [("buildah", "bud"), ("podman", "build"), ("docker", "build")])
def test_each_builds_with_its_own_command(install, tmp_path, name, command):
    log = install(name, version="echo 1", info="echo 1")
    found(name).build(Shell(), recipe(tmp_path), "registry/web:1", 10)
    file = f"{tmp_path}/Containerfile"
    assert log.read_text().splitlines()[-1] == f"{command} --tag registry/web:1 --file {file} {tmp_path}"


@pytest.mark.parametrize("name", ["buildah", "podman"])
@pytest.mark.parametrize(("validate", "word"), [(True, ""), (False, "--tls-verify=false ")])
def test_a_push_is_told_its_digest_in_a_file(install, tmp_path, name, validate, word):
    log = install(name, version="echo 1", info="echo 1", push=f"echo {DIGEST} > {tmp_path}/digest")
    assert found(name).push(Shell(), "web", "registry/web:1", tmp_path, 10, validate) == DIGEST
    said = log.read_text().splitlines()[-1]
    assert said == f"push --digestfile {tmp_path}/digest {word}web docker://registry/web:1"


def test_dockers_push_says_its_digest(install, tmp_path):
    log = install("docker", version="echo 1", push=f"echo 'a1: Pushed'; echo '1: digest: {DIGEST} size: 527'")
    assert found().push(Shell(), "web", "registry/web:1", tmp_path, 10) == DIGEST
    assert log.read_text().splitlines()[-1] == "push registry/web:1"


def archive(tmp_path, *names):
    path = tmp_path / "image.tar"
    with tarfile.open(path, "w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return path


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["manifest.json"], "docker-archive"),
        (["./oci-layout"], "oci-archive"),
        (["oci-layout", "manifest.json"], "docker-archive"),
    ],
)
def test_an_archive_is_read_as_what_it_is(install, tmp_path, names, kind):
    path = archive(tmp_path, *names)
    log = install("podman", info="echo 1", pull="echo 0123abc")
    assert builders.archive_problem(path) == ""
    assert found().load(Shell(), path, "registry/web:1", 10) == "0123abc"
    assert log.read_text().splitlines()[-1] == f"pull --quiet {kind}:{path}"


def test_docker_loads_one_image_and_names_it(install, tmp_path):
    path = archive(tmp_path, "manifest.json")
    log = install("docker", version="echo 1", load="echo 'Loaded image: shop/web:ci'")
    assert found().load(Shell(), path, "registry/web:1", 10) == "registry/web:1"
    assert log.read_text().splitlines()[-1] == "tag shop/web:ci registry/web:1"
    install("docker", version="echo 1", load="echo 'Loaded image: a:1'; echo 'Loaded image: b:1'")
    with pytest.raises(BuilderFailed, match="should hold one image, docker found: a:1, b:1"):
        found().load(Shell(), path, "registry/web:1", 10)


def test_what_is_no_archive_is_said(tmp_path):
    assert builders.archive_problem(tmp_path / "none") == "there is no such file or folder"
    assert "not in OCI layout" in builders.archive_problem(tmp_path)
    assert "neither manifest.json nor oci-layout" in builders.archive_problem(archive(tmp_path, "hello"))
    (tmp_path / "text").write_text(json.dumps({}))
    assert "cannot be read as an archive" in builders.archive_problem(tmp_path / "text")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_an_archive_that_was_not_written_to_its_end_is_said(tmp_path, pack):
    path = tmp_path / "image.tar"
    with tarfile.open(path, "w") as tar:
        member = tarfile.TarInfo("layer")
        member.size = 100_000
        tar.addfile(member, io.BytesIO(random.Random(1).randbytes(member.size)))
    path.write_bytes(pack(path.read_bytes())[:50_000])
    problem = builders.archive_problem(path)
    assert problem.startswith("cannot be read as an archive, perhaps it was not written to its end: ")
    assert "\n" not in problem
