# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo never reaches a real account, and leaves no emulator behind."""

from __future__ import annotations

import configparser
import os
import urllib.error
from pathlib import Path

import demo
import pytest


def test_nothing_of_the_callers_account_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_ROLE_ARN"):
        monkeypatch.setenv(name, "of the caller")
    monkeypatch.setenv("NO_PROXY", "internal")
    environment = demo.isolated_environment()
    assert "of the caller" not in environment.values()
    assert environment["AWS_EC2_METADATA_DISABLED"] == "true"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert environment["NO_PROXY"] == "127.0.0.1,internal"


def test_every_profile_of_the_inventory_gets_made_up_credentials(tmp_path: Path) -> None:
    path = tmp_path / "config"
    demo.write_profiles(path, ["ecr-admin", "ecs-admin"])
    configuration = configparser.ConfigParser()
    configuration.read(path)
    assert configuration.sections() == ["default", "profile ecr-admin", "profile ecs-admin"]
    assert {section["aws_access_key_id"] for name, section in configuration.items() if name != "DEFAULT"} == {"testing"}


SHORTENED = {
    "all fit": (["a", "b"], "a, b"),
    "nothing": ([], ""),
    "one that is too long": (["x" * 30], "x" * 30),
    "some fit": (["aaaaaaaa", "bbbbbbbb", "cccccccc", "dddddddd"], "aaaaaaaa, bbbbbbbb and 2 more"),
}


@pytest.mark.parametrize(("names", "expected"), SHORTENED.values(), ids=SHORTENED.keys())
def test_names_are_joined_up_to_a_width(names: list[str], expected: str) -> None:
    assert demo.shorten(names, width=20) == expected


def test_emulator_is_stopped_whatever_happens(tmp_path: Path) -> None:
    def fail_while_it_runs() -> None:
        with demo.emulator(tmp_path, "111122223333", demo.isolated_environment()) as url:
            urls.append(url)
            assert demo.calls(url) == (0, 0)
            raise KeyboardInterrupt

    urls: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        fail_while_it_runs()
    with pytest.raises(urllib.error.URLError):
        demo.calls(urls[0])
