# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents in a folder."""

from __future__ import annotations

import contextlib
import os
import threading

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateConflict, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import ABSENT, CURRENT, LocalStore

KEY = "ecs/ecr-repositories/terraform.tstate"


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "state")


def test_write_read_delete(store, tmp_path):
    assert store.read(KEY) == ABSENT
    assert store.keys() == [] and store.versions(KEY) == []
    first = store.write(KEY, b"one", ABSENT)
    assert store.read(KEY) == first and first.body == b"one"
    second = store.write(KEY, b"two", first)
    assert store.read_many([KEY, "other"]) == {KEY: second, "other": ABSENT}
    assert store.keys() == store.keys("ecs/") == [KEY] and store.keys("iam/") == []
    assert [item.version_id for item in store.versions(KEY)] == [CURRENT]
    assert store.read_version(KEY, CURRENT) == b"two"
    with pytest.raises(StateError, match="has no version 'x': a local folder keeps none"):
        store.read_version(KEY, "x")
    path = tmp_path / "state" / KEY
    assert store.place(KEY) == str(path)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(StateConflict):
        store.delete(KEY, first)
    store.delete(KEY, second)
    assert store.read(KEY) == ABSENT


@pytest.mark.parametrize("read_first", [False, True])
def test_a_write_must_follow_what_is_there(store, read_first):
    before = store.write(KEY, b"one", ABSENT) if read_first else ABSENT
    store.write(KEY, b"theirs", before)
    with pytest.raises(StateConflict, match=KEY):
        store.write(KEY, b"ours", before)
    assert store.read(KEY).body == b"theirs"


def test_a_failed_write_leaves_nothing_behind(store, tmp_path, monkeypatch):
    first = store.write(KEY, b"one", ABSENT)

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StateError, match="cannot write .*No space left"):
        store.write(KEY, b"two", first)
    assert store.read(KEY).body == b"one"
    assert [path.name for path in (tmp_path / "state" / KEY).parent.iterdir()] == ["terraform.tstate"]


@pytest.mark.parametrize("key", ["", "/x", "a//b", "../x", "a/../../x", "a/./b"])
def test_keys_stay_in_the_folder(store, key):
    with pytest.raises(StateError, match="no key of a document"):
        store.read(key)


def test_one_of_twenty_writers_wins(store):
    before, won = store.write(KEY, b"start", ABSENT), []

    def attempt(number):
        with contextlib.suppress(StateConflict):
            won.append(store.write(KEY, str(number).encode(), before).body)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.read(KEY).body] == won
