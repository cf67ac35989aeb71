# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks: what they say, how they are waited for, and that none is left behind."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.state import lock_info
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import LockHeld, NoSuchLock, StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock import Lock
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_info import LockInfo
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_places import LocalLock

# As Terraform 1.11 wrote it.
THEIRS = (
    '{"ID":"3aa5ec26-dd6d-1d58-fb87-a3ea1b1bd1d9","Operation":"OperationTypeApply","Info":"","Who":"jane@build",'
    '"Version":"1.11.4","Created":"2026-11-22T10:00:00.123456789Z","Path":"b/k"}'
)


class Time:
    """A clock that moves only when somebody waits."""

    def __init__(self):
        self.now = 0.0
        self.waited = []

    def wait(self, seconds):
        self.now += seconds
        self.waited.append(seconds)

    def clock(self):
        return self.now


class FakePlace:
    """A place in memory. freed: at this time others let go. broken: what every release raises."""

    def __init__(self, time, where="a place", text=None, freed=None, answers=(), raises=None, broken=None):
        self.where, self.text, self.freed, self.time = where, text, freed, time
        self.removal = f"remove {where}"
        self.answers, self.raises, self.broken = list(answers), raises, broken
        self.log = []

    def take(self, text):
        self.log.append("take")
        if self.freed is not None and self.time.now >= self.freed:
            self.text, self.freed = None, None
        if self.answers:
            return self.answers.pop(0)
        if self.text is not None:
            return self.text
        self.text = text
        if self.raises is not None:
            raise self.raises
        return None

    def holder(self):
        return self.text

    def release(self, text):
        self.log.append("release")
        if self.broken is not None:
            raise self.broken
        if self.text is None:
            return True
        if self.text != text:
            return False
        self.text = None
        return True


@pytest.fixture
def time():
    return Time()


def lock_on(time, *places):
    return Lock(places, "b/k", "dockyard.aws 1.0", time.wait, time.clock)


def test_the_text_is_terraforms():
    info = lock_info.parse(THEIRS)
    assert info == LockInfo(
        "3aa5ec26-dd6d-1d58-fb87-a3ea1b1bd1d9",
        "OperationTypeApply",
        "",
        "jane@build",
        "1.11.4",
        "2026-11-22T10:00:00.123456789Z",
        "b/k",
    )
    assert info.as_text() == THEIRS
    assert LockInfo("i", "a <&> b").as_text().startswith('{"ID":"i","Operation":"a \\u003c\\u0026\\u003e b",')


def test_a_new_lock_says_who_and_when():
    info = lock_info.new("b/k", "apply ecr", version="dockyard.aws 1.0")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", info.id)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", info.created)
    assert re.fullmatch(r".+@.+", info.who)
    assert (info.operation, info.info, info.version, info.path) == ("apply ecr", "", "dockyard.aws 1.0", "b/k")
    assert lock_info.new("b/k", "x").id != info.id
    assert list(json.loads(info.as_text())) == ["ID", "Operation", "Info", "Who", "Version", "Created", "Path"]


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (1_500_000_000, "1970-01-01T00:00:01.5Z"),
        (1_793_268_000_123_456_789, "2026-10-29T10:00:00.123456789Z"),
    ],
)
def test_times_are_written_as_go_does(nanoseconds, text):
    assert lock_info._timestamp(nanoseconds) == text


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-11-22T09:59:30.123456789Z", "30 seconds ago"),
        ("2026-11-22T09:48:00Z", "12 minutes ago"),
        ("2026-11-22T02:00:00.5Z", "8 hours ago"),
        ("2026-11-12T02:00:00Z", "10 days ago"),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_ages_in_words(created, expected):
    now = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
    assert lock_info.age(LockInfo("i", created=created), now) == expected


@pytest.mark.parametrize("text", ["", "hello", "[]", "{}", '{"ID": null}', "null"])
def test_a_lock_that_cannot_be_read_can_be_named(text):
    info = lock_info.parse(text)
    assert re.fullmatch(r"unreadable-[0-9a-f]{12}", info.id)
    assert lock_info.parse(text).id == info.id


def test_all_places_are_taken_in_order_and_released_in_reverse(time):
    order = []
    first, second = FakePlace(time, "first"), FakePlace(time, "second")
    first.log = second.log = order
    lock = lock_on(time, first, second)
    with lock.held("apply ecr") as info:
        assert lock.mine == info
        assert first.text == second.text == info.as_text()
        assert lock.holders() == {"first": info, "second": info}
        assert (info.operation, info.version) == ("apply ecr", "dockyard.aws 1.0")
    assert order == ["take", "take", "release", "release"]
    assert first.text is second.text is lock.mine is None
    assert lock.holders() == {}


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_exceptions_release(time, error):
    place = FakePlace(time)
    with pytest.raises(type(error)), lock_on(time, place).held("x"):
        raise error
    assert place.text is None


@pytest.mark.parametrize("error", [StateError("denied"), KeyboardInterrupt()])
@pytest.mark.parametrize("number", [0, 1])
def test_what_goes_wrong_between_the_places_leaves_none_taken(time, error, number):
    places = [FakePlace(time, "first"), FakePlace(time, "second")]
    places[number].raises = error  # after it took the place: an answer that was lost
    with pytest.raises(type(error)), lock_on(time, *places).held("x"):
        raise AssertionError("must not get here")
    assert [place.text for place in places] == [None, None]


def test_a_lock_that_is_held_in_the_second_place_gives_back_the_first(time):
    first, second = FakePlace(time, "first"), FakePlace(time, "second", THEIRS)
    with pytest.raises(LockHeld):
        lock_on(time, first, second).acquire("x")
    assert first.text is None and second.text == THEIRS


def test_a_held_lock_says_who_since_when_what_for_and_how_to_break_it(time):
    with pytest.raises(LockHeld) as caught:
        lock_on(time, FakePlace(time, "the DynamoDB table t", THEIRS)).acquire("x")
    text = str(caught.value)
    for part in (
        "b/k is locked in the DynamoDB table t",
        "jane@build",
        "since 2026-11-22T10:00:00.123456789Z",
        "OperationTypeApply",
        "1.11.4",
        "lock_timeout",
        "remove lock 3aa5ec26-dd6d-1d58-fb87-a3ea1b1bd1d9: `ansible-playbook dockyard.aws.state -i <inventory> "
        "-e state_action=unlock -e lock_id=3aa5ec26-dd6d-1d58-fb87-a3ea1b1bd1d9`",
        "where the playbook cannot reach it, remove the DynamoDB table t",
    ):
        assert part in text
    assert caught.value.holders[0].who == "jane@build"
    assert time.waited == []


@pytest.mark.parametrize("text", ["hello", ""])
def test_an_unreadable_lock_is_held_too(time, text):
    with pytest.raises(LockHeld, match="remove lock unreadable-" if text else "again and again"):
        lock_on(time, FakePlace(time, text=text)).acquire("x")


def test_waiting_doubles_up_to_sixteen_seconds_and_says_so(time):
    said = []
    place = FakePlace(time, text=THEIRS)
    with pytest.raises(LockHeld):
        lock_on(time, place).acquire("x", timeout=60, progress=said.append)
    assert time.now == 60
    assert place.log == ["take"] * 8  # at 0, 1, 3, 7, 15, 31, 47 and, at the end, 60 seconds
    assert max(time.waited) <= 4
    assert len(said) == len(time.waited) and all("jane@build" in line for line in said)


def test_a_lock_that_gets_free_is_taken(time):
    place = FakePlace(time, text=THEIRS, freed=5)
    info = lock_on(time, place).acquire("x", timeout=60)
    assert place.text == info.as_text() and time.now == 7


def test_a_lock_that_vanishes_while_it_is_asked_for_is_tried_again_at_once(time):
    place = FakePlace(time, answers=["", ""])
    assert lock_on(time, place).acquire("x").as_text() == place.text
    assert time.waited == []


def test_a_broken_lock_is_left_to_its_new_holder(time):
    said, place = [], FakePlace(time)
    with lock_on(time, place).held("x", progress=said.append):
        place.text = THEIRS
    assert place.text == THEIRS
    assert len(said) == 1 and "was broken, and somebody else holds it now" in said[0]


def test_an_error_at_the_release_is_told_and_hides_nothing(time):
    said = []
    first, second = FakePlace(time, "first"), FakePlace(time, "second", broken=StateError("denied"))
    with pytest.raises(StateError, match="denied"), lock_on(time, first, second).held("x", progress=said.append):
        pass
    assert first.text is None  # the other place is released all the same
    second.text = None
    with pytest.raises(ValueError, match="inner"), lock_on(time, first, second).held("x", progress=said.append):
        raise ValueError("inner")
    assert said == ["denied"]


def test_a_lock_is_broken_by_its_id_in_every_place(time):
    first, second = FakePlace(time, "first", THEIRS), FakePlace(time, "second", THEIRS)
    lock = lock_on(time, first, second)
    with pytest.raises(
        NoSuchLock, match="no lock with the id 'other' on b/k: second has the lock jane@build.*first has"
    ):
        lock.force_unlock("other")
    broken = lock.force_unlock("3aa5ec26-dd6d-1d58-fb87-a3ea1b1bd1d9")
    assert [info.who for info in broken] == ["jane@build", "jane@build"]
    assert first.text is second.text is None
    with pytest.raises(NoSuchLock, match="nobody holds one"):
        lock.force_unlock("3aa5ec26-dd6d-1d58-fb87-a3ea1b1bd1d9")


def test_half_a_lock_is_broken_too(time):
    first = FakePlace(time, "first", THEIRS)
    assert len(lock_on(time, first, FakePlace(time, "second")).force_unlock(lock_info.parse(THEIRS).id)) == 1
    assert first.text is None


def test_an_unreadable_lock_can_be_broken(time):
    place = FakePlace(time, text="hello")
    lock_on(time, place).force_unlock(lock_info.parse("hello").id)
    assert place.text is None


def test_a_lock_in_a_folder(tmp_path):
    key = "ecs/ecr-repositories/terraform.tstate"
    one, other = (Lock([LocalLock(tmp_path, key)], key) for _number in range(2))
    with one.held("apply ecr") as info:
        path = tmp_path / f"{key}.tflock"
        assert path.read_text() == info.as_text()
        with pytest.raises(LockHeld, match=f"lock id {info.id}"):
            other.acquire("x")
        other.release()
        assert path.exists()
    assert [item for item in tmp_path.rglob("*") if item.is_file()] == []


def test_one_of_twenty_takes_a_lock_in_a_folder(tmp_path):
    won, lost = [], []

    def attempt():
        try:
            won.append(Lock([LocalLock(tmp_path, "k")], "k").acquire("x").id)
        except LockHeld as error:
            lost.append(error.holders[0].id)

    threads = [threading.Thread(target=attempt) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and lost == won * 19


def test_state_without_locks_is_refused():
    with pytest.raises(StateError, match="'b' has no locks"):
        Backend("b")
