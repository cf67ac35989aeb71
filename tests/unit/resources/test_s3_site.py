# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a website: what is believed of an object, what differs, in which order it is published."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference
from ansible_collections.dockyard.aws.plugins.module_utils.resources import s3_site_manifest as manifests
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_files import S3SiteFiles
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_manifest import Found, Manifest
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_publishing import Site, paths_of, publish

KIND = S3SiteFiles()
BUCKET = {"Bucket": "www.example.org"}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SEEN = {"ETag": '"e"', "Size": 1, "LastModified": NOON.isoformat()}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class FakeS3:
    """Keeps objects, and the order in which they come and go."""

    def __init__(self, etag=lambda body: hashlib.md5(body).hexdigest()):
        self.objects = {}
        self.log = []
        self.etag = etag
        self.refuses = ""
        self._lock = threading.Lock()

    def put_object(self, Key, Body, IfMatch=None, IfNoneMatch=None, **arguments):
        body = Body if isinstance(Body, bytes) else Body.read()
        with self._lock:
            there = self.objects.get(Key, {}).get("ETag")
            if (IfMatch and IfMatch != there) or (IfNoneMatch and there):
                raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
            self.log.append(f"put {Key}")
            if Key == self.refuses:
                raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
            self.objects[Key] = {"Body": body, "ETag": f'"{self.etag(body)}"', **arguments}
            return {"ETag": self.objects[Key]["ETag"]}

    def get_object(self, Key, **_arguments):
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key]["Body"]), "ETag": self.objects[Key]["ETag"]}

    def delete_objects(self, Delete, **_arguments):
        for item in Delete["Objects"]:
            self.log.append(f"delete {item['Key']}")
            self.objects.pop(item["Key"], None)
        return {}

    def get_paginator(self, _operation):
        return self

    def paginate(self, **_arguments):
        items = sorted(self.objects.items())
        return [
            {
                "Contents": [
                    {"Key": key, "ETag": item["ETag"], "Size": len(item["Body"]), "LastModified": NOON}
                    for key, item in items
                ]
            }
        ]


class FakeCloudFront:
    def __init__(self, log):
        self.log = log

    def create_invalidation(self, InvalidationBatch, **_arguments):
        self.log.append(f"invalidate {' '.join(InvalidationBatch['Paths']['Items'])}")


class FakeAws:
    def __init__(self, s3):
        self.clients = {"s3": s3, "cloudfront": FakeCloudFront(s3.log)}

    def client(self, service):
        return self.clients[service]

    def progress(self, line):
        pass


CONTENT = {"index.html": b"<title>", "about.html": b"<p>", "app.js": b"1", "img/logo.svg": b"<svg/>"}
TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@pytest.fixture
def folder(tmp_path):
    for key, content in CONTENT.items():
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(content)
    return tmp_path


@pytest.fixture
def desired():
    return {
        key: {"SHA256": sha(content), "Size": len(content), "ContentType": TYPES[key.rsplit(".", 1)[1]]}
        for key, content in CONTENT.items()
    }


@pytest.fixture
def s3():
    return FakeS3()


def site(s3, folder, **options):
    return Site(FakeAws(s3), BUCKET, folder, **options)


def test_what_pages_need_comes_first_and_removals_last(s3, folder, desired):
    old = {"old.html": {"SHA256": "0", **SEEN}, "app.js": {"SHA256": "0", **SEEN}}
    s3.objects["old.html"] = {"Body": b"0", "ETag": '"e"'}
    publish(site(s3, folder, distribution="D", root="index.html"), desired, old, list(desired), ["old.html"])
    manifest, last = f"put {manifests.KEY}", s3.log[-1]
    assert s3.log[0] == manifest
    assert set(s3.log[1:3]) == {"put app.js", "put img/logo.svg"}
    assert set(s3.log[3:5]) == {"put index.html", "put about.html"}
    assert s3.log[5:] == ["delete old.html", "invalidate /app.js /old.html", manifest]
    assert last == manifest


def test_pages_are_not_touched_where_what_they_need_could_not_be_uploaded(s3, folder, desired):
    s3.refuses = "app.js"
    with pytest.raises(ClientError):
        publish(site(s3, folder), desired, {}, list(desired), [])
    assert not {"put index.html", "put about.html"} & set(s3.log)
    # What was begun is known to be ours.
    assert manifests.read(s3, BUCKET).files.keys() == desired.keys()


@pytest.mark.parametrize("etag", [lambda body: sha(body)[:32], lambda body: sha(body)[:32] + "-2"])
def test_etags_need_not_be_hashes_of_the_content(folder, desired, etag):
    """As with KMS, and with uploads in parts."""
    s3 = FakeS3(etag)
    publish(site(s3, folder), desired, {}, list(desired), [])
    found = manifests.look(s3, BUCKET)
    assert {key: found.known(key)["SHA256"] for key in desired} == {key: sha(CONTENT[key]) for key in desired}


def test_the_upload_is_checked_by_s3_itself(s3, folder, desired):
    publish(site(s3, folder), desired, {}, ["app.js"], [])
    checksum = base64.b64encode(hashlib.sha256(b"1").digest()).decode()
    assert s3.objects["app.js"]["ChecksumSHA256"] == checksum


def test_a_file_that_is_not_the_planned_one_is_not_uploaded(s3, folder, desired):
    (folder / "app.js").write_bytes(b"2")
    with pytest.raises(AwsError, match=r"app\.js has changed since the plan was made"):
        publish(site(s3, folder), desired, {}, ["app.js"], [])
    assert "app.js" not in s3.objects


def test_what_somebody_else_wrote_meanwhile_is_not_vouched_for(s3, folder, desired):
    original = s3.put_object

    def put(Key, **arguments):
        answer = original(Key=Key, **arguments)
        if Key == "app.js":
            s3.objects[Key]["ETag"] = '"theirs"'
        return answer

    s3.put_object = put
    publish(site(s3, folder), desired, {}, list(desired), [])
    found = manifests.look(s3, BUCKET)
    assert found.known("app.js") is None
    assert found.known("index.html") is not None


def test_eight_files_are_uploaded_at_once(tmp_path):
    class Waiting(FakeS3):
        """No upload ends before eight are under way."""

        def __init__(self):
            super().__init__()
            self.together = threading.Barrier(8)

        def put_object(self, Key, Body, **arguments):
            if Key != manifests.KEY:
                self.together.wait(timeout=30)
            return super().put_object(Key, Body, **arguments)

    desired = {
        f"{number}.txt": {"SHA256": sha(b"text"), "Size": 4, "ContentType": "text/plain"} for number in range(16)
    }
    for key in desired:
        (tmp_path / key).write_bytes(b"text")
    s3 = Waiting()
    publish(site(s3, tmp_path), desired, {}, list(desired), [])
    assert s3.objects.keys() == {*desired, manifests.KEY}


@pytest.mark.parametrize("when", [manifests.KEY, "app.js"])
def test_what_another_run_publishes_meanwhile_stays_known(s3, folder, desired, when):
    original, begun = s3.put_object, []
    (folder / "theirs.js").write_bytes(b"theirs")
    theirs = {"theirs.js": {"SHA256": sha(b"theirs"), "Size": 6, "ContentType": "text/javascript"}}

    def put(Key, **arguments):
        if Key == when and not begun:
            begun.append(Key)
            publish(site(s3, folder), theirs, {}, list(theirs), [])
        return original(Key=Key, **arguments)

    s3.put_object = put
    publish(site(s3, folder), desired, {}, list(desired), [])
    found = manifests.look(s3, BUCKET)
    assert found.manifest.files.keys() == {*desired, "theirs.js"}
    assert all(found.known(key) for key in found.listed)


def test_a_manifest_that_others_write_all_the_time_is_given_up(s3, folder, desired):
    def put(Key, **_arguments):
        raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")

    s3.put_object = put
    with pytest.raises(AwsError, match=r"other runs publish to www\.example\.org all the time"):
        publish(site(s3, folder), desired, {}, list(desired), [])


@pytest.mark.parametrize("change", [{"ETag": '"f"'}, {"Size": 2}, {"LastModified": "2026-01-01T12:00:01+00:00"}])
def test_the_manifest_is_believed_of_an_object_that_is_still_the_same(change):
    entry = {"SHA256": "1", **SEEN}
    assert Found(Manifest({"a": entry}), {"a": SEEN}).known("a") == entry
    assert Found(Manifest({"a": entry}), {"a": {**SEEN, **change}}).known("a") is None


HEAD = {"ETag": f'"{hashlib.md5(b"1").hexdigest()}"', "ContentLength": 1, "ContentType": "text/plain"}
UNKNOWN = f"not known (ETag {hashlib.md5(b'1').hexdigest()})"
CHECKSUM = base64.b64encode(hashlib.sha256(b"2").digest()).decode()
HEADS = {
    "MD5 in the ETag": (HEAD, sha(b"1")),
    "checksum": ({**HEAD, "ChecksumSHA256": CHECKSUM}, sha(b"2")),
    "checksum of parts": ({**HEAD, "ChecksumSHA256": f"{CHECKSUM}-2", "ChecksumType": "COMPOSITE"}, sha(b"1")),
    "KMS": ({**HEAD, "ServerSideEncryption": "aws:kms"}, UNKNOWN),
    "a customer's key": ({**HEAD, "SSECustomerAlgorithm": "AES256"}, UNKNOWN),
    "another size": ({**HEAD, "ContentLength": 2}, UNKNOWN),
    "parts": (
        {**HEAD, "ETag": '"0123456789abcdef0123456789abcdef-2"'},
        "not known (ETag 0123456789abcdef0123456789abcdef-2)",
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_what_an_unknown_object_holds(s3, folder, desired, name):
    head, expected = HEADS[name]
    s3.head_object = lambda **_arguments: head
    found = Found(None, {"app.js": SEEN})
    described = manifests.describe(s3, BUCKET, found, ["app.js"], desired, folder)
    assert described["app.js"]["SHA256"] == expected
    assert described["app.js"]["ContentType"] == "text/plain"


@pytest.mark.parametrize(
    ("change", "head", "expected"),
    [
        ({}, {}, "as published"),
        ({"ETag": '"0123456789abcdef0123456789abcdef"'}, {}, UNKNOWN),
        ({"Size": 2}, {}, UNKNOWN),
        ({}, {"ServerSideEncryption": "aws:kms"}, UNKNOWN),
    ],
)
def test_what_was_copied_onto_itself_has_the_content_of_before(s3, change, head, expected):
    """Other headers, and the folder is not at hand, as where drift is looked for."""
    entry = {"SHA256": "as published", **SEEN, "ETag": HEAD["ETag"], "Size": 1, **change}
    s3.head_object = lambda **_arguments: {**HEAD, **head}
    found = Found(Manifest({"app.js": entry}), {"app.js": {**SEEN, "LastModified": "later"}})
    assert manifests.describe(s3, BUCKET, found, ["app.js"], {}, None)["app.js"]["SHA256"] == expected


def test_what_went_while_it_was_asked_for_is_not_there(s3, folder, desired):
    def head_object(**_arguments):
        raise ClientError({"Error": {"Code": "404"}}, "HeadObject")

    s3.head_object = head_object
    assert manifests.describe(s3, BUCKET, Found(None, {"app.js": SEEN}), ["app.js"], desired, folder) == {}


def compared(wanted, there, remove="published"):
    desired = KIND.canonical({"Files": wanted, "Remove": remove})
    return KIND.differences(desired, KIND.canonical({"Files": there, "Manifest": "current"}), {})


FILE = {"SHA256": "a" * 64, "Size": 1200, "ContentType": "text/css"}


def test_differences_are_told_by_file_and_header():
    there = {"a": {**FILE, **SEEN, "CacheControl": "no-cache"}, "gone": {**FILE, **SEEN}}
    assert [item.path for item in compared({"a": FILE, "new": FILE}, there)] == [
        "Files[a].CacheControl",
        "Files[new]",
        "Files[gone]",
    ]
    assert compared({"a": FILE}, {"a": {**FILE, **SEEN}, "kept": FILE}, "none") == []


def test_files_are_shown_in_a_few_words():
    shown = KIND.shown(
        [
            Difference("Files", None, {"a": {**FILE, "CacheControl": "no-cache"}}),
            Difference("Remove", None, "published"),
            Difference("Files[b].SHA256", "b" * 64, "a" * 64),
        ]
    )
    assert shown == [
        Difference("Files[a]", None, "text/css, 1.2 kB, no-cache"),
        Difference("Files[b].SHA256", f"{'b' * 12}…", f"{'a' * 12}…"),
    ]


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("index.html", ["/index.html", "/"]),
        ("docs/index.html", ["/docs/index.html"]),
        ("a b/ü~[1].js", ["/a%20b/%C3%BC%7E%5B1%5D.js"]),
        ("a-b_c.$!'(),.js", ["/a-b_c.$!'(),.js"]),
        # Some viewers say %40, others @.
        ("lib/react@18.js", ["/lib/react*"]),
        ("a+b=c.js", ["/a*"]),
        ("@scope/a.js", ["/*"]),
    ],
)
def test_paths_of_a_file(key, paths):
    assert list(paths_of(key, "index.html")) == paths
