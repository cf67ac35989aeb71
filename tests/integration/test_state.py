# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State documents and locks on the emulator: races, lost answers, history, digests."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import (
    DigestMismatch,
    DigestNotWritten,
    LockHeld,
    NoSuchLock,
    StateConflict,
    StateError,
)
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_places import DynamoDBLock, S3Lock
from ansible_collections.dockyard.aws.plugins.module_utils.state.migration import migrate
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import ABSENT, LocalStore
from tests.integration.state_helpers import (
    BACKENDS,
    BUCKET,
    KEY,
    PATH,
    TABLE,
    at_once,
    body,
    connect,
    item,
    make,
    md5,
    objects,
    put_item,
)


@pytest.fixture(scope="module")
def _aws(emulator_process):
    return connect(emulator_process)


@pytest.fixture
def aws(_aws, emulator):
    make(emulator)
    return _aws


@pytest.fixture
def store(aws, monkeypatch):
    """With digests; waits take no time."""
    made = BACKENDS["dynamodb"].store(aws)
    made._wait = lambda seconds: None
    return made


@pytest.fixture(params=list(BACKENDS))
def backend(request):
    return BACKENDS[request.param]


def lost(service, action, times=1):
    """The call is carried out, and its answer never comes."""
    return {"fault": "after", "service": service, "action": action, "times": times}


# Documents


@pytest.mark.parametrize("kind", list(BACKENDS))
def test_write_read_delete(aws, emulator, kind):
    store = BACKENDS[kind].store(aws)
    assert store.read(KEY) == ABSENT and store.keys() == []
    first = store.write(KEY, body(1), ABSENT)
    assert first.version_id and store.read(KEY) == first
    second = store.write(KEY, body(2), first)
    assert store.read_many([KEY, "other"]) == {KEY: second, "other": ABSENT}
    digest = item(emulator, f"{PATH}-md5")
    assert digest == (None if kind == "s3" else {"LockID": f"{PATH}-md5", "Digest": md5(body(2))})
    head = emulator.client("s3").head_object(Bucket=BUCKET, Key=KEY)
    assert head["ContentType"] == "application/json"
    with pytest.raises(StateConflict):
        store.delete(KEY, first)
    store.delete(KEY, second)
    assert store.read(KEY) == ABSENT and item(emulator, f"{PATH}-md5") is None
    assert store.write(KEY, body(3), ABSENT).body == body(3)


@pytest.mark.parametrize("exists", [False, True])
def test_one_of_twenty_writers_wins(aws, emulator, exists):
    store = BACKENDS["s3"].store(aws)
    before = store.write(KEY, body(1), ABSENT) if exists else ABSENT
    results = at_once(20, lambda number: store.write(KEY, body(2, number), before))
    won = [result for result in results if not isinstance(result, Exception)]
    assert len(won) == 1 and store.read(KEY) == won[0]
    assert sum(isinstance(result, StateConflict) for result in results) == 19


def test_writers_that_try_again_lose_nothing(aws):
    store = BACKENDS["s3"].store(aws)

    def add(number):
        while True:
            stored = store.read(KEY)
            previous = document.parse(stored.body, KEY) if stored.body else None
            outputs = {**(previous.outputs if previous else {}), str(number): document.Output(number)}
            try:
                return store.write(KEY, document.render(document.successor(previous, outputs)), stored)
            except StateConflict:
                continue

    results = at_once(4, add)
    assert not [result for result in results if isinstance(result, Exception)]
    final = document.parse(store.read(KEY).body, KEY)
    assert sorted(final.outputs) == sorted(str(number) for number in range(4))
    serials = [document.parse(store.read_version(KEY, item.version_id), KEY).serial for item in store.versions(KEY)]
    assert serials == [4, 3, 2, 1]


@pytest.mark.parametrize("exists", [False, True])
def test_a_write_whose_answer_is_lost_is_a_write(aws, emulator, store, exists):
    before = store.write(KEY, body(1), ABSENT) if exists else ABSENT
    emulator.faults(lost("s3", "PutObject"))
    assert store.write(KEY, body(2), before) == store.read(KEY)
    assert len(store.versions(KEY)) == 1 + exists


def test_equal_bytes_of_somebody_else_are_a_conflict(store):
    store.write(KEY, body(1), ABSENT)
    with pytest.raises(StateConflict):
        store.write(KEY, body(1), ABSENT)


def test_concurrent_conditional_requests_are_repeated(aws, emulator, store):
    busy = {"fault": "error", "service": "s3", "code": "ConditionalRequestConflict", "status": 409}
    emulator.faults({**busy, "action": "PutObject", "times": 3})
    stored = store.write(KEY, body(1), ABSENT)
    emulator.faults()
    emulator.faults({**busy, "action": "PutObject", "times": 50})
    with pytest.raises(AwsError, match="ConditionalRequestConflict"):
        store.write(KEY, body(2), stored)
    emulator.faults()
    emulator.faults({**busy, "action": "DeleteObject", "times": 2})
    store.delete(KEY, stored)
    assert store.read(KEY) == ABSENT


def test_history(store, emulator):
    first = store.write(KEY, body(1), ABSENT)
    second = store.write(KEY, body(2), first)
    emulator.client("s3").put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=b"x")
    store.delete(KEY, second)
    store.write(KEY, body(3), ABSENT)
    versions = store.versions(KEY)
    assert [version.latest for version in versions] == [True, False, False, False]
    # S3 tells full seconds only: within one, the order of contents is known, and not where a deletion comes.
    contents = [version for version in versions if not version.deleted]
    assert [store.read_version(KEY, item.version_id) for item in contents] == [body(3), body(2), body(1)]
    assert contents[2].version_id == first.version_id and contents[2].size == len(body(1))
    deletion = next(version for version in versions if version.deleted)
    assert len(store.versions(KEY, limit=2)) == 2
    assert store.versions("other") == []
    with pytest.raises(StateError, match="has no version .* with contents.*state_action=history -e state_key="):
        store.read_version(KEY, deletion.version_id)
    with pytest.raises(StateError, match="has no version 'nonsense'"):
        store.read_version(KEY, "nonsense")


@pytest.mark.parametrize("count", [1, 3])
def test_many_documents_take_few_calls(store, emulator, count):
    keys = [f"k{number}" for number in range(count)]
    for key in keys:
        store.write(key, body(1), ABSENT)
    emulator.reset_calls()
    assert [stored.body for stored in store.read_many(keys).values()] == [body(1)] * count
    assert emulator.calls()["total"] == count + 1


def test_digests_are_read_one_by_one_where_no_batch_is_allowed(store, emulator):
    store.write("a", body(1), ABSENT)
    put_item(emulator, LockID=f"{BUCKET}/b-md5", Digest=md5(b"other"))
    emulator.client("s3").put_object(Bucket=BUCKET, Key="b", Body=body(1))
    emulator.faults({"fault": "error", "service": "dynamodb", "action": "BatchGetItem"})
    with pytest.raises(DigestMismatch):
        store.read_many(["a", "b"])


# Digests


def test_a_wrong_digest_is_looked_at_again_and_then_an_error(store, emulator):
    waited = []
    store._wait = waited.append
    store.write(KEY, body(1), ABSENT)
    emulator.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=body(1, "by hand"))
    with pytest.raises(DigestMismatch) as caught:
        store.read(KEY)
    text = str(caught.value)
    assert md5(body(1)) in text and md5(body(1, "by hand")) in text and "copy the good one over it" in text
    assert sum(waited) == 10


def test_a_wrong_digest_that_gets_right_is_none(store, emulator):
    first = store.write(KEY, body(1), ABSENT)
    emulator.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=body(1, "by hand"))
    store._wait = lambda seconds: seconds and put_item(emulator, LockID=f"{PATH}-md5", Digest=md5(body(1, "by hand")))
    assert store.read(KEY).body == body(1, "by hand") != first.body


@pytest.mark.parametrize("digest", [{}, {"Digest": "nonsense"}, {"Digest": ""}])
def test_a_missing_or_invalid_digest_is_ignored(store, emulator, digest):
    store.write(KEY, body(1), ABSENT)
    put_item(emulator, LockID=f"{PATH}-md5", **digest)
    assert store.read(KEY).body == body(1) and not store.read(KEY).warning


def test_a_missing_table_is_ignored_on_reading(aws, emulator, store):
    store.write(KEY, body(1), ABSENT)
    emulator.client("dynamodb").delete_table(TableName=TABLE)
    assert set(store.read_many([KEY, "other"])) == {KEY, "other"}
    assert store.read(KEY).body == body(1)


@pytest.mark.parametrize("fault", [{"fault": "error", "code": "AccessDeniedException"}])
def test_a_writer_that_ended_before_the_digest_stops_nobody(store, emulator, fault):
    """What a run leaves that was killed between the two, and what Terraform leaves, which tells nobody."""
    first = store.write(KEY, body(1), ABSENT)
    emulator.faults({**fault, "service": "dynamodb", "action": "PutItem"})
    with pytest.raises(DigestNotWritten, match="The document itself was written; the next run completes it"):
        store.write(KEY, body(2), first)
    waited = []
    store._wait = waited.append
    stored = store.read(KEY)
    assert stored.body == body(2) and stored.digest_behind and "ended before it wrote the digest" in stored.warning
    assert waited == []
    store.record_digest(KEY, stored)
    assert store.read(KEY) == type(stored)(body(2), stored.tag, stored.version_id)


@pytest.mark.parametrize(
    "data",
    [b"", body(2)[:50], body(2, lineage="other"), body(1, "by hand"), body(5)],
    ids=["empty", "truncated", "other lineage", "same serial", "far serial"],
)
def test_what_does_not_follow_properly_is_no_unfinished_write(store, emulator, data):
    store.write(KEY, body(1), ABSENT)
    emulator.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=data)
    with pytest.raises(DigestMismatch):
        store.read(KEY)


def test_a_document_that_was_deleted_by_hand_is_told(store, emulator):
    store.write(KEY, body(1), ABSENT)
    emulator.client("s3").delete_object(Bucket=BUCKET, Key=KEY)
    stored = store.read(KEY)
    assert stored.body is None and "was deleted" in stored.warning
    assert [version.deleted for version in store.versions(KEY)] == [True, False]
    assert store.write(KEY, body(1), stored) == store.read(KEY)


# Errors


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.read(KEY),
        lambda store: store.write(KEY, b"x", ABSENT),
        lambda store: store.versions(KEY),
        lambda store: store.keys(),
    ],
)
def test_a_missing_bucket_says_what_to_do(aws, call):
    with pytest.raises(StateError, match="there is no bucket 'nowhere'; the layer state_bucket makes it"):
        call(Backend("nowhere", use_lockfile=True).store(aws))


def test_denied_access_says_what_is_missing(store, emulator):
    emulator.faults({"fault": "error", "service": "s3", "action": "GetObject"})
    with pytest.raises(StateError, match=f"cannot read s3://{PATH}.*AccessDenied.*s3:ListBucket"):
        store.read(KEY)


# Locks


def test_a_lock_lies_where_terraform_looks(aws, emulator, backend):
    with backend.lock(aws, KEY).held("apply ecr") as info:
        in_table, in_bucket = item(emulator, PATH), objects(emulator)
        assert info.path == PATH
        assert in_table == ({"LockID": PATH, "Info": info.as_text()} if backend.table else None)
        assert in_bucket == ([f"{KEY}.tflock"] if backend.use_lockfile else [])
        if backend.use_lockfile:
            answer = emulator.client("s3").get_object(Bucket=BUCKET, Key=f"{KEY}.tflock")
            assert (answer["Body"].read().decode(), answer["ContentType"]) == (info.as_text(), "application/json")
    assert item(emulator, PATH) is None and objects(emulator) == []


def test_one_of_twenty_takes_the_lock(aws, emulator, backend):
    results = at_once(20, lambda number: backend.lock(aws, KEY).acquire(f"run {number}"))
    won = [result for result in results if not isinstance(result, Exception)]
    held = [result for result in results if isinstance(result, LockHeld)]
    assert (len(won), len(held)) == (1, 19), [result for result in results if not isinstance(result, LockHeld)]
    assert set(backend.lock(aws, KEY).holders().values()) == {won[0]}


def test_those_who_wait_come_one_after_another(aws, backend):
    inside, most = [], []

    def work(number):
        lock = backend.lock(aws, KEY)
        lock._wait = lambda seconds: None
        for place in lock._places:
            place._wait = lambda seconds: None
        with lock.held(f"run {number}", timeout=60):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    results = at_once(4, work)
    assert [result for result in results if result] == []
    assert most == [1] * 4


@pytest.mark.parametrize(
    "faults",
    [
        [lost("s3", "PutObject"), lost("dynamodb", "PutItem")],
        [lost("s3", "DeleteObject"), lost("dynamodb", "DeleteItem")],
        [{"fault": "throttle", "times": 2}],
    ],
    ids=["taken", "released", "throttled"],
)
def test_lost_answers_lose_no_lock(aws, emulator, backend, faults):
    emulator.faults(*faults)
    with backend.lock(aws, KEY).held("x") as info:
        assert set(backend.lock(aws, KEY).holders().values()) == {info}
    assert backend.lock(aws, KEY).holders() == {}


@pytest.mark.parametrize("action", ["PutObject", "PutItem"])
def test_what_fails_between_the_two_places_leaves_none_taken(aws, emulator, action):
    service = "s3" if action == "PutObject" else "dynamodb"
    emulator.faults({"fault": "error", "service": service, "action": action})
    with pytest.raises(AwsError, match="AccessDenied.*README"), BACKENDS["both"].lock(aws, KEY).held("x"):
        raise AssertionError("must not get here")
    assert BACKENDS["both"].lock(aws, KEY).holders() == {}


@pytest.mark.parametrize("kind", ["dynamodb", "s3"])
def test_a_lock_that_somebody_broke_and_took_stays_theirs(aws, kind):
    backend, said = BACKENDS[kind], []
    lock, theirs = backend.lock(aws, KEY), backend.lock(aws, KEY)
    with lock.held("ours", progress=said.append) as info:
        assert theirs.force_unlock(info.id) == [info]
        taken = theirs.acquire("theirs")
    assert backend.lock(aws, KEY).holders() == {next(iter(theirs.holders())): taken}
    assert len(said) == 1 and "somebody else holds it now" in said[0]
    theirs.release()


@pytest.mark.parametrize("kind", ["dynamodb", "s3"])
def test_what_is_put_there_during_a_release_stays(aws, emulator, kind, monkeypatch):
    """Between looking at the lock and removing it, somebody breaks it and takes it."""
    place = DynamoDBLock(aws, TABLE, PATH) if kind == "dynamodb" else S3Lock(aws, BUCKET, KEY)
    assert place.take("ours") is None
    if kind == "dynamodb":
        put_item(emulator, LockID=PATH, Info="theirs")
    else:
        original = place._get

        def look_then_lose():
            found = original()
            monkeypatch.setattr(place, "_get", original)
            emulator.client("s3").put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=b"theirs")
            return found

        monkeypatch.setattr(place, "_get", look_then_lose)
    assert place.release("ours") is False
    assert place.holder() == "theirs"


def test_half_a_lock_of_a_run_that_was_killed_is_reported_and_broken(aws, emulator):
    """Killed after the object and before the item: nothing else of it is left."""
    backend = BACKENDS["both"]
    info = backend.lock(aws, KEY).acquire("killed")
    emulator.client("dynamodb").delete_item(TableName=TABLE, Key={"LockID": {"S": PATH}})
    with pytest.raises(LockHeld, match=f"for killed.*remove lock {info.id}"):
        backend.lock(aws, KEY).acquire("x")
    assert item(emulator, PATH) is None
    assert backend.lock(aws, KEY).force_unlock(info.id) == [info]
    with backend.lock(aws, KEY).held("x"):
        pass


def test_documents_move_from_a_folder_into_the_bucket(aws, store, tmp_path):
    local = LocalStore(tmp_path)
    local.write(KEY, body(3), ABSENT)
    assert migrate(local, KEY, store, KEY) is True
    assert store.read(KEY).body == body(3) and not store.read(KEY).warning
    assert migrate(local, KEY, store, KEY) is False
    local.delete(KEY, local.read(KEY))
    assert len(store.versions(KEY)) == 1


def test_breaking_a_lock_that_is_not_there(aws, backend):
    with pytest.raises(NoSuchLock, match="nobody holds one"):
        backend.lock(aws, KEY).force_unlock("x")
    with backend.lock(aws, KEY).held("apply") as info:
        with pytest.raises(NoSuchLock, match=f"lock id {info.id}"):
            backend.lock(aws, KEY).force_unlock("x")
        assert backend.lock(aws, KEY).holders()


@pytest.mark.parametrize("info", [None, "hello"])
def test_rubbish_in_the_table_is_reported_and_can_be_broken(aws, emulator, info):
    put_item(emulator, LockID=PATH, **({"Info": info} if info else {}))
    lock = BACKENDS["dynamodb"].lock(aws, KEY)
    with pytest.raises(LockHeld):
        lock.acquire("x")
    lock.force_unlock(next(iter(lock.holders().values())).id)
    assert item(emulator, PATH) is None


def test_a_missing_table_or_bucket_says_what_to_do(aws):
    with pytest.raises(
        StateError, match="DynamoDB table nowhere: there is no such table; the layer state_bucket makes it"
    ):
        Backend(BUCKET, "nowhere").lock(aws, KEY).acquire("x")
    with pytest.raises(StateError, match="there is no such bucket; the layer state_bucket makes it"):
        Backend("nowhere", use_lockfile=True).lock(aws, KEY).acquire("x")
