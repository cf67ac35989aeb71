# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images built from scratch and really pushed to a registry that nobody here wrote; deploys bring what it computed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.image import run as imaging
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError
from tests.integration.deploys import Deployer, declared
from tests.integration.engine import Runner
from tests.integration.playbooks import play

STAND_IN = Path(__file__).resolve().parents[1] / "ministack" / "builder.py"
CONTAINERFILE = 'FROM scratch\nARG TOKEN\nLABEL built=here\nCOPY . /\nCMD ["/hello"]\n'


@pytest.fixture(params=["stand-in", "buildah"])
def builder(request, tmp_path, monkeypatch):
    """A builder on the PATH, with a storage of its own; its log of calls."""
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return set_up(request.param, tmp_path / "builder", monkeypatch)


def set_up(name, folder, monkeypatch):
    folder.mkdir()
    log = folder / "log"
    log.touch()
    if name == "buildah":
        real(folder, monkeypatch)
        return log
    script = folder / "buildah"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    script.chmod(0o755)
    (folder / "storage").mkdir()
    monkeypatch.setenv("BUILDER_LOG", str(log))
    monkeypatch.setenv("BUILDER_STORAGE", str(folder / "storage"))
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return log


def real(folder, monkeypatch):
    """buildah as it is installed, with everything that it writes in this folder."""
    if shutil.which("buildah") is None:
        pytest.skip("buildah is not installed; the stand-in has pushed in its place")
    places = f'graphroot = "{folder}/graph"\nrunroot = "{folder}/run"'
    (folder / "storage.conf").write_text(f'[storage]\ndriver = "vfs"\n{places}\n')
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    tried = subprocess.run(["buildah", "info"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"buildah does not work here: {tried.stderr.strip()}")


@pytest.fixture
def sources(tmp_path):
    """A context in a git repository of its own, with everything committed."""
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "Containerfile").write_text(CONTAINERFILE)
    (folder / "hello").write_bytes(b"\x7fELF: nothing that could run")
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def commit(folder):
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()[:12]


class Images:
    """The module image on an emulator, as its action runs it."""

    def __init__(self, emulator, runner):
        self.emulator, self.runner = emulator, runner
        self.ecr = emulator.client("ecr")
        self.registry = emulator.url.removeprefix("http://")

    def run(self, source, check_mode=False, tag=None, more=None, ecs=None, **options):
        build = {"repository": "web", "context": str(source), "registry": self.registry, **options}
        image = {"web": {"builds": [build], **(more or {})}}
        params = {**self.runner.params({}), "declared": {"image": image, "ecs": ecs or {}}, "tag": tag}
        self.runner.progress.clear()
        return imaging.run({**params, "validate_certs": False}, check_mode, self.runner.progress.append)

    def there(self):
        """Digest by tag, as the registry has it."""
        found = self.ecr.describe_images(repositoryName="web")["imageDetails"]
        return {tag: item["imageDigest"] for item in found for tag in item.get("imageTags", ())}


@pytest.fixture
def images(ministack, monkeypatch):
    for name, value in ministack.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ministack, "account", "123456789012")
    made = Images(ministack, Runner(ministack))
    made.ecr.create_repository(repositoryName="web", imageTagMutability="IMMUTABLE")
    return made


def calls(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_an_image_is_built_and_pushed_and_the_registry_says_its_digest(images, builder, sources):
    result = images.run(sources, tags=["newest"], labels={"team": "web"})
    report = result["images"][0]
    assert (result["changed"], report["status"], result["failures"]) == (True, "pushed", {})
    assert (report["tag"], report["builder"], report["platform"]) == (commit(sources), "buildah", "linux/amd64")
    assert images.there() == {report["tag"]: report["digest"], "newest": report["digest"]}
    assert report["image"] == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/web@{report['digest']}"
    assert any("STEP 1/" in line and "FROM scratch" in line for line in images.runner.progress)
    again = images.run(sources, tags=["newest"])
    assert (again["changed"], again["images"][0]["status"]) == (False, "unchanged")
    assert again["images"][0]["digest"] == report["digest"]


@pytest.mark.parametrize("builder", ["stand-in"], indirect=True)
def test_the_login_is_a_file_that_nobody_else_reads_and_that_is_gone(images, builder, sources, tmp_path):
    home = tmp_path / "home" / ".config" / "containers"
    home.mkdir(parents=True)
    (home / "auth.json").write_text('{"auths": {"registry.example.com": {"auth": "bWU6aXQ="}}}')
    arguments = {"TOKEN": "tok-1234567890", "VERSION": 7}
    result = images.run(sources, build_args=arguments, secrets={"npm": "n0t-to-be-seen"})
    assert result["failures"] == {}
    said = calls(builder)
    build, push = (item for item in said if item["arguments"][0] in ("bud", "push"))
    assert build["mode"] == push["mode"] == "-rw-------"
    assert not Path(push["auth_file"]).exists() and not Path(push["auth_file"]).parent.exists()
    assert build["token"] == "tok-1234567890"
    assert [build["arguments"][n + 1] for n, x in enumerate(build["arguments"]) if x == "--build-arg"] == [
        "TOKEN",
        "VERSION",
    ]
    seen = json.dumps([item["arguments"] for item in said]) + json.dumps(result) + "".join(images.runner.progress)
    token = images.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert [secret for secret in ("tok-1234567890", "n0t-to-be-seen", token) if secret in seen] == []


@pytest.mark.parametrize("builder", ["stand-in"], indirect=True)
def test_a_build_that_fails_shows_its_last_lines_and_no_secrets(images, builder, sources):
    (sources / "Containerfile").write_text("FROM scratch\nRUN make\n")
    result = images.run(sources, tag="1", build_args={"TOKEN": "tok-1234567890"})
    message = result["failures"]["web"]
    assert "web:1: the build with buildah failed (buildah exited with 1)" in message
    assert 'error building: unknown instruction: "RUN make" ********' in message
    assert (result["changed"], result["images"][0]["status"], images.there()) == (False, "failed", {})


@pytest.mark.parametrize("builder", ["stand-in"], indirect=True)
def test_the_commit_is_no_tag_for_what_is_not_committed(images, builder, sources):
    (sources / "hello").write_text("the next version")
    with pytest.raises(PlanError, match=r"has changes that are not committed \(hello\).* commit them, or give the tag"):
        images.run(sources)


@pytest.mark.parametrize("builder", ["stand-in"], indirect=True)
def test_check_mode_says_what_would_be_built_and_builds_nothing(images, builder, sources):
    report = images.run(sources, check_mode=True, tag="1")["images"][0]
    assert (report["status"], report["digest"], report["builder"]) == ("pushed", "", "buildah")
    assert [item["arguments"][0] for item in calls(builder)] == ["version"]
    assert images.there() == {}


@pytest.mark.parametrize("builder", ["stand-in"], indirect=True)
def test_an_image_that_is_there_gets_further_tags_without_a_build(images, builder, sources):
    first = images.run(sources, tag="1")["images"][0]
    assert images.run(sources, check_mode=True, tag="1", tags=["stable"])["images"][0]["status"] == "tagged"
    second = images.run(sources, tag="1", tags=["stable"])["images"][0]
    assert (second["status"], second["digest"]) == ("tagged", first["digest"])
    assert images.there() == {"1": first["digest"], "stable": first["digest"]}
    (sources / "hello").write_text("changed")
    with pytest.raises(PlanError, match="'stable' .* is in ECR already, and the repository's tags are immutable"):
        images.run(sources, tag="2", tags=["stable"])


@pytest.mark.parametrize("builder", ["stand-in"], indirect=True)
def test_a_mutable_tag_is_built_anew(images, builder, sources):
    images.ecr.put_image_tag_mutability(repositoryName="web", imageTagMutability="MUTABLE")
    first = images.run(sources, tag="1")["images"][0]
    assert images.run(sources, tag="1")["changed"] is False
    (sources / "hello").write_text("changed")
    second = images.run(sources, tag="1")["images"][0]
    assert second["status"] == "pushed" and second["digest"] != first["digest"]
    assert images.there() == {"1": second["digest"]}


def test_an_archive_that_was_built_before_is_pushed(images, builder, sources, tmp_path):
    layout = tmp_path / "layout"
    pushed = images.run(sources, tag="1")["images"][0]
    manifest = images.ecr.batch_get_image(repositoryName="web", imageIds=[{"imageTag": "1"}])["images"][0]
    as_layout(images, manifest["imageManifest"], pushed["digest"], layout)
    with tarfile.open(tmp_path / "web.tar", "w") as tar:
        tar.add(layout, ".")
    report = images.run(sources, tag="2", context=None, archive=str(tmp_path / "web.tar"))["images"][0]
    assert (report["status"], report["platform"]) == ("pushed", "linux/amd64")
    assert images.there()["2"] == report["digest"]


def as_layout(images, manifest, digest, folder):
    """An image of the registry as a folder in OCI layout."""
    import urllib.request

    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (blobs / digest.partition(":")[2]).write_text(manifest)
    parts = json.loads(manifest)
    for part in [parts["config"], *parts["layers"]]:
        with urllib.request.urlopen(f"http://{images.registry}/v2/web/blobs/{part['digest']}") as answer:
            (blobs / part["digest"].partition(":")[2]).write_bytes(answer.read())
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entry = {"mediaType": parts["mediaType"], "digest": digest, "size": len(manifest)}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))


def test_an_image_is_for_the_platform_of_its_tasks(images, builder, sources):
    ecs = declared({"runtime_platform": {"cpu_architecture": "ARM64"}})["ecs"]
    assert images.run(sources, tag="1", ecs=ecs)["images"][0]["platform"] == "linux/arm64"
    assert images.run(sources, tag="1", platform="linux/amd64")["images"][0]["platform"] == ""
    with pytest.raises(PlanError, match=r"platform: is linux/amd64, .* run elsewhere \(web on linux/arm64\)"):
        images.run(sources, tag="2", ecs=ecs, platform="linux/amd64")


@pytest.mark.parametrize("builder", ["stand-in"], indirect=True)
def test_everything_that_is_wrong_is_said_before_anything_is_built(images, builder, sources):
    images.ecr.delete_repository(repositoryName="web")
    with pytest.raises(PlanError) as caught:
        images.run(sources, tag="no tag", containerfile="Missingfile")
    text = str(caught.value)
    assert f"there is no Missingfile in the context {sources}" in text
    assert "the tag 'no tag' is none" in text
    assert "there is no ECR repository 'web'" in text and "site.yml --tags ecr" in text
    assert calls(builder) == []


@pytest.mark.parametrize("options", [{"context": "/nowhere"}, {"context": None, "archive": "/nowhere.tar"}])
def test_sources_that_are_not_there_are_the_only_problem(images, options):
    with pytest.raises(PlanError, match="there is no (folder|such file)") as caught:
        images.run(options.get("context"), **options)
    assert len(caught.value.problems) == 1


def test_an_empty_tag_is_no_tag_that_was_left_out(images, sources):
    with pytest.raises(ReconcileError, match="the tag is empty: the variable that should hold it is not set"):
        images.run(sources, tag="")


def test_without_a_builder_the_message_says_what_to_install(images, sources, monkeypatch, tmp_path):
    (tmp_path / "git").symlink_to(shutil.which("git"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReconcileError, match="nothing on this machine builds images: install buildah or podman"):
        images.run(sources, tag="1")
    with pytest.raises(ReconcileError, match="image.builder: podman is not installed on this machine. Install it"):
        images.run(sources, tag="1", more={"builder": "podman"})


@pytest.fixture
def service(images, sources):
    """A service without load balancer, which runs an image that was pushed before; its declarations."""
    declarations = declared(load_balancers=[])
    del declarations["alb"]
    images.run(sources, tag="v1")
    assert images.runner.run(declarations).failures == {}
    (sources / "hello").write_text("the next version")
    return declarations


def running(ecs):
    """The image in the task definition that the service runs."""
    arn = ecs.describe_services(cluster="web", services=["web"])["services"][0]["taskDefinition"]
    return ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"][0]["image"]


def test_what_was_pushed_is_what_the_service_runs(images, builder, service, sources, monkeypatch):
    images.runner.patch(monkeypatch)
    built = images.run(sources, tag="v2", ecs=service["ecs"])["images"]
    result = Deployer(images.runner, service).deploy(built=built)
    assert result["failures"] == {} and result["services"][0]["images"]["web"]["tag"] == "v2"
    digest = images.there()["v2"]
    assert running(images.emulator.client("ecs")) == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/web@{digest}"
    with pytest.raises(ReconcileError, match="built says which images are deployed"):
        Deployer(images.runner, service).deploy("v1", built=built)


@pytest.fixture
def inventory(images, service, tmp_path):
    """The same as an inventory."""
    declarations = service
    folder = tmp_path / "inventory"
    shared = {
        "dockyard_environment": "test",
        "dockyard_tags": {"Project": "test"},
        "aws_region": "us-east-1",
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }
    image = {"builds": [{"repository": "web", "context": "../sources", "registry": images.registry}]}
    for host, layers in (("platform", {}), ("web", {"image": image})):
        variables = {layer: declarations[layer][host] for layer in declarations if host in declarations[layer]}
        (folder / "host_vars").mkdir(parents=True, exist_ok=True)
        (folder / "host_vars" / f"{host}.yml").write_text(yaml.safe_dump({**variables, **layers}))
    (folder / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"hosts": {"platform": None, "web": None}, "vars": shared}})
    )
    return folder


@pytest.mark.parametrize("builder", ["stand-in"], indirect=True)
def test_the_playbook_builds_pushes_and_deploys_what_the_registry_computed(
    images, builder, inventory, sources, tmp_path
):
    def deploy(*arguments):
        given = ["--limit", "web", "-e", "image_build=true", *arguments]
        return play(images.emulator, "playbooks/deploy.yml", *given, inventory=inventory)

    checked = deploy("-e", "image_tag=v2", "--check")
    assert checked.code == 0, checked.text
    assert "web: web:v2 would be pushed" in checked.text
    assert "would be built and pushed first, so its digest is not known yet" in checked.text
    assert list(images.there()) == ["v1"]

    report = tmp_path / "deploy.json"
    done = deploy("-e", "image_tag=v2", "-e", f"deploy_report={report}")
    assert done.code == 0, done.text
    digest = images.there()["v2"]
    assert json.loads(report.read_text())["services"][0]["images"]["web"]["digest"] == digest
    pinned = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/web@{digest}"
    assert running(images.emulator.client("ecs")) == pinned and pinned in done.text
