# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR's login beside the others, for nobody else to read."""

from __future__ import annotations

import json
import stat

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.image import login

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
TOKEN = "QVdTOnBhc3N3b3Jk"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_the_folder_is_private_and_goes():
    with login.folder() as place:
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        file = login.write_private(place / "secret", "value")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not place.exists()


def test_logins_of_buildah_and_podman_go_on_working(home, tmp_path):
    put(home / ".docker" / "config.json", {"auths": {"a": {"auth": "1"}, "b": {"auth": "1"}}, "credsStore": "desktop"})
    put(home / ".config" / "containers" / "auth.json", {"auths": {"b": {"auth": "2"}, HOST: {"auth": "old"}}})
    put(tmp_path / "run" / "containers" / "auth.json", {"credHelpers": {HOST: "ecr-login", "c": "gcloud"}})
    made = login.for_containers(tmp_path, HOST, TOKEN, {"XDG_RUNTIME_DIR": str(tmp_path / "run")})
    file = tmp_path / "auth.json"
    assert made == {"REGISTRY_AUTH_FILE": str(file)} and stat.S_IMODE(file.stat().st_mode) == 0o600
    auths = {"a": {"auth": "1"}, "b": {"auth": "2"}, HOST: {"auth": TOKEN}}
    assert json.loads(file.read_text()) == {"auths": auths, "credHelpers": {"c": "gcloud"}}


def test_a_file_of_logins_that_is_named_is_the_only_one(home, tmp_path):
    put(home / ".docker" / "config.json", {"auths": {"a": {"auth": "1"}}})
    put(tmp_path / "mine.json", {"auths": {"b": {"auth": "2"}}})
    login.for_containers(tmp_path, HOST, TOKEN, {"REGISTRY_AUTH_FILE": str(tmp_path / "mine.json")})
    assert set(json.loads((tmp_path / "auth.json").read_text())["auths"]) == {"b", HOST}


def test_dockers_configuration_is_the_users_but_for_the_login(home, tmp_path):
    before = {"credsStore": "desktop", "currentContext": "remote", "credHelpers": {HOST: "ecr-login", "c": "gcloud"}}
    put(home / ".docker" / "config.json", before)
    put(home / ".docker" / "contexts" / "meta" / "one.json", {})
    made = login.for_docker(tmp_path, HOST, TOKEN, {})
    folder = tmp_path / "docker"
    assert made == {"DOCKER_CONFIG": str(folder)}
    now = json.loads((folder / "config.json").read_text())
    assert now == {
        "credsStore": "desktop",
        "currentContext": "remote",
        "credHelpers": {HOST: "", "c": "gcloud"},
        "auths": {HOST: {"auth": TOKEN}},
    }
    assert (folder / "contexts" / "meta" / "one.json").exists()
    assert stat.S_IMODE((folder / "config.json").stat().st_mode) == 0o600
    assert json.loads((home / ".docker" / "config.json").read_text()) == before


def test_without_any_configuration_there_is_only_the_login(home, tmp_path):
    login.for_docker(tmp_path, HOST, TOKEN, {})
    assert json.loads((tmp_path / "docker" / "config.json").read_text()) == {"auths": {HOST: {"auth": TOKEN}}}
