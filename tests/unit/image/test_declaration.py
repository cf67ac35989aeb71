# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared images: what is refused, which tags stay as they are, what a git repository says, what people read."""

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import definition
from ansible_collections.dockyard.aws.plugins.module_utils.image import git
from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import Images, secrets_of
from ansible_collections.dockyard.aws.plugins.module_utils.image.repositories import Repository
from ansible_collections.dockyard.aws.plugins.module_utils.layers import base
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.plugin_utils import image_view

URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/web"
DIGEST = "sha256:" + "b" * 64


def problems(*builds, host="web"):
    declaration, found = base.parse(Images(), host, {"builds": list(builds)})
    assert found == []
    return [f"{item.variable}: {item.message}" for item in Images().validate([declaration], base.Environment(""))]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ({"context": ".", "archive": "a.tar"}, "needs either context or archive: got both"),
        ({}, "needs either context or archive: got none"),
        ({"archive": "a.tar", "target": "x", "labels": {"a": "b"}}, "target, labels: an archive is not built"),
        ({"context": ".", "repository": f"{URI}"[:-4] + "/web:1"}, "allowed is the name alone"),
        ({"context": ".", "platform": "arm64"}, "platform: got 'arm64', it is one platform"),
        ({"context": ".", "registry": "https://registry/"}, "registry: got 'https://registry/', it is a host"),
        ({"context": ".", "tags": ["a b"]}, "tags: got 'a b', allowed: letters"),
        (
            {"context": ".", "build_args": {"AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "x", "API_TOKEN": "x"}},
            "build_args.AWS_SECRET_ACCESS_KEY: looks like a secret, and every process of the machine could read it",
        ),
        ({"context": ".", "build_args": {"a-b": 1}}, "build_args: 'a-b' is no name of one"),
        ({"context": ".", "secrets": {"npm": None}}, "secrets.npm: must be a text or a number, got NoneType"),
        ({"context": ".", "timeout": 0}, "timeout: got 0, it is a number of seconds, at least 1"),
    ],
)
def test_what_is_wrong_with_a_build_is_said(build, message):
    found = problems({"repository": "web", **build})
    assert len(found) == 1 and message in found[0]


def test_two_builds_for_one_repository_are_refused():
    build = {"repository": "web", "context": "."}
    assert problems(build) == []
    assert problems(build, build) == ["image.builds[web]: web builds for the repository 'web' already"]
    assert problems() == ["image.builds: is empty: declare at least one build"]


@pytest.mark.parametrize(
    ("mutability", "tag", "expected"),
    [
        ("IMMUTABLE", "latest", True),
        ("MUTABLE", "latest", False),
        ("IMMUTABLE_WITH_EXCLUSION", "latest", False),
        ("IMMUTABLE_WITH_EXCLUSION", "pr-12", False),
        ("IMMUTABLE_WITH_EXCLUSION", "1.5", True),
        ("MUTABLE_WITH_EXCLUSION", "pr-12", True),
        ("MUTABLE_WITH_EXCLUSION", "1.5", False),
    ],
)
def test_which_tags_stay_what_they_are(mutability, tag, expected):
    exclusions = ["latest", "pr-*"] if mutability.endswith("EXCLUSION") else []
    assert Repository("web", URI, mutability, exclusions).immutable(tag) is expected


def test_sources_that_are_in_no_git_repository_have_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(
        ReconcileError, match="git says: .*not a git repository.*give the tag instead, with -e image_tag"
    ):
        git.commit(tmp_path, tmp_path / "Containerfile")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReconcileError, match="git is not installed: give the tag instead"):
        git.commit(tmp_path, tmp_path / "Containerfile")


def test_a_containerfile_beside_the_context_counts_for_the_commit(tmp_path):
    context, beside = tmp_path / "repo" / "web", tmp_path / "repo" / "build" / "Containerfile"
    for path in (context / "hello", beside, tmp_path / "Containerfile"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path / "repo", check=True)
    first = git.commit(context, beside)
    beside.write_text("FROM scratch")
    assert git.commit(context, tmp_path / "Containerfile") == first
    with pytest.raises(ReconcileError, match=r"changes that are not committed \(build/Containerfile\)"):
        git.commit(context, beside)


def test_secrets_are_known_before_anything_is_validated():
    build = {
        "secrets": {"npm": "n0t-seen", "pin": 12345, "x": "a"},
        "build_args": {"API_TOKEN": "t0ken", "VERSION": "1.5.0"},
    }
    odd = {"secrets": ["as-a-list", {"npm": None}], "build_args": "text"}
    found = secrets_of({"image": {"web": {"builds": [build, None, odd]}, "other": "text"}})
    assert found == {"n0t-seen", "12345", "t0ken", "as-a-list"}


def of(**images):
    return {"containerDefinitions": [{"name": name, "image": image} for name, image in images.items()]}


def test_a_built_image_goes_to_the_containers_of_its_repository():
    whole = of(web=f"{URI}:1", init=f"{URI}:1", proxy=f"{URI}-proxy:1", log="public.ecr.aws/log:2")
    built = [{"repository": "web", "tag": "2", "digest": DIGEST, "status": "pushed"}]
    found = definition.built_images(whole, of(), built)
    assert {name: str(item) for name, item in found.items()} == {"web": f"{URI}@{DIGEST}", "init": f"{URI}@{DIGEST}"}
    unbuilt = definition.built_images(whole, of(), [{**built[0], "digest": ""}])
    assert unbuilt["web"] == f"{URI}:2" and isinstance(unbuilt["web"], definition.NotBuilt)


@pytest.mark.parametrize(
    "built", [{"repository": "other", "tag": "2"}, {"repository": "web", "tag": "2", "status": "failed"}]
)
def test_an_image_of_no_container_is_refused(built):
    with pytest.raises(ReconcileError, match=r"no container has an image of .*the task definition has web \("):
        definition.built_images(of(web=f"{URI}:1"), of(), [built])


REPORT = {
    "host": "web",
    "repository": "shop/web",
    "status": "pushed",
    "tag": "1.5",
    "tags": ["latest"],
    "image": f"{URI}@{DIGEST}",
    "source": "/src/Containerfile",
    "platform": "linux/amd64",
    "builder": "podman",
    "seconds": 12.3,
}


@pytest.mark.parametrize(
    ("status", "check_mode", "lines"),
    [
        ("pushed", False, ["web: shop/web:1.5 pushed", "  /src/Containerfile for linux/amd64, with podman, in 12 s"]),
        ("pushed", True, ["web: shop/web:1.5 would be pushed", "  /src/Containerfile for linux/amd64, with podman"]),
        ("unchanged", False, ["web: shop/web:1.5 is in ECR already", f"  {URI}@{DIGEST}"]),
        ("tagged", True, ["web: shop/web:1.5 is in ECR, and would be tagged", f"  {URI}@{DIGEST}"]),
        ("failed", False, ["web: shop/web:1.5 failed", f"  {URI}@{DIGEST}"]),
    ],
)
def test_people_read_what_became_of_an_image(status, check_mode, lines):
    assert list(image_view.lines({"images": [{**REPORT, "status": status}]}, check_mode))[1:3] == lines
