# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishing a website: little is asked, little is sent, and what others did to it is seen."""

from __future__ import annotations

import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running

NAME = "www.dockyard.example"
FILES = f"s3_site_files/{NAME}"
SITE = Path(__file__).parent / "files" / "site"
PAGE = "<!doctype html><title>{}</title>\n"
MANIFEST = ".dockyard/manifest.json"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SITE, tmp_path / "site"))


@pytest.fixture
def s3(emulator):
    return emulator.client("s3")


@pytest.fixture
def site(folder):
    """A declaration of the site in the folder."""

    def declared(cloudfront=None, headers=(), remove="published", **options):
        files = {"source": str(folder), "headers": list(headers), "remove": remove}
        one = {"name": NAME, "error_document": "404.html", "files": files, "cloudfront": cloudfront, **options}
        return {"static_site": {"front-end": {"sites": [one]}}}

    return declared


def calls(runner):
    return runner.emulator.calls()["calls"]


def count(runner, action):
    return sum(item["count"] for item in calls(runner) if item["action"] == action)


def keys(s3):
    return {item["Key"] for item in s3.list_objects_v2(Bucket=NAME)["Contents"]} - {MANIFEST}


def paths(result):
    return sorted(item["path"] for item in result.change(FILES)["differences"])


def get(emulator, key):
    """As somebody without credentials."""
    request = urllib.request.Request(f"{emulator.url}/{NAME}/{key}")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_files_are_there_with_their_types_and_headers(runner, s3, site):
    long, short = "max-age=31536000", "no-cache"
    rules = [{"pattern": "assets/*", "cache_control": long}, {"pattern": "*", "cache_control": short}]
    runner.make(site(headers=rules))
    assert keys(s3) == {"index.html", "404.html", "docs/index.html", "assets/app.js", "assets/style.css"}
    script, page = (s3.head_object(Bucket=NAME, Key=key) for key in ("assets/app.js", "index.html"))
    assert (script["ContentType"], script["CacheControl"]) == ("text/javascript; charset=utf-8", long)
    assert (page["ContentType"], page["CacheControl"]) == ("text/html; charset=utf-8", short)


def test_everybody_may_read_the_site_and_nobody_what_was_published(runner, emulator, site):
    runner.make(site())
    assert get(emulator, "index.html") == 200
    assert get(emulator, MANIFEST) == 403


def test_behind_cloudfront_nobody_may_read_the_bucket(runner, emulator, site):
    runner.make(site(cloudfront={}))
    assert get(emulator, "index.html") == 403


def test_an_unchanged_site_of_1000_files_takes_few_calls_and_no_upload(runner, folder, site):
    for number in range(995):
        (folder / "assets" / f"{number}.txt").write_text(f"{number}\n")
    runner.make(site())
    runner.emulator.reset_calls()
    assert runner.run(site()).planned == []
    assert [count(runner, action) for action in ("PutObject", "HeadObject", "DeleteObjects")] == [0, 0, 0]
    # The listing has a thousand objects a page.
    assert count(runner, "ListObjectsV2") == 2
    assert sum(item["count"] for item in calls(runner)) <= 10
    for number in range(10):
        (folder / "assets" / f"{number}.txt").write_text("changed\n")
    runner.emulator.reset_calls()
    assert len(runner.make(site()).change(FILES)["differences"]) == 10
    # Ten files, and the manifest before and after.
    assert [count(runner, action) for action in ("PutObject", "HeadObject", "DeleteObjects")] == [12, 0, 0]
    # Planned, read again under the lock, and after the upload.
    assert count(runner, "ListObjectsV2") == 6
    assert sum(item["count"] for item in calls(runner)) <= 40


ODD = (
    *("a b.txt", "a+b.txt", "100%.txt", "q?.txt", "#h.txt", '&<>".txt', "'q'.txt", "{{ x }}.txt", "back\\slash.txt"),
    *("ü/ñ.html", "日本.html", "@scope/x=1.js", "Files[x].SHA256", "a].b.txt", "-", "empty"),
)


def test_files_may_have_any_name_and_no_content(runner, folder, s3, site):
    contents = {name: "" if name == "empty" else name for name in ODD}
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    runner.make(site())
    assert {key: s3.get_object(Bucket=NAME, Key=key)["Body"].read().decode() for key in ODD} == contents
    runner.assert_nothing_to_do(site())
    for name in ODD:
        (folder / name).unlink()
    runner.make(site())
    assert not keys(s3) & set(ODD)


def test_what_changed_is_uploaded_and_nothing_else(runner, folder, s3, site):
    runner.make(site())
    (folder / "index.html").write_text(PAGE.format("new"))
    (folder / "news.html").write_text(PAGE.format("news"))
    (folder / "assets" / "app.js").unlink()
    runner.emulator.reset_calls()
    changed = runner.make(site())
    assert paths(changed) == ["Files[assets/app.js]", "Files[index.html].SHA256", "Files[news.html]"]
    # Two files, and the manifest before and after.
    assert (count(runner, "PutObject"), count(runner, "DeleteObjects"), count(runner, "HeadObject")) == (4, 1, 0)
    assert keys(s3) == {"index.html", "404.html", "docs/index.html", "assets/style.css", "news.html"}
    runner.assert_nothing_to_do(site())


def overwritten(s3):
    s3.put_object(Bucket=NAME, Key="index.html", Body=b"else", ContentType="text/html; charset=utf-8")


def other_headers(s3):
    """The same content has the same ETag, and times in listings have whole seconds."""
    time.sleep(1.1)
    body = s3.get_object(Bucket=NAME, Key="index.html")["Body"].read()
    s3.put_object(Bucket=NAME, Key="index.html", Body=body, ContentType="text/plain", CacheControl="no-store")


def deleted(s3):
    s3.delete_object(Bucket=NAME, Key="index.html")


def in_parts(s3):
    """The ETag is then no hash of the content."""
    arguments = {"Bucket": NAME, "Key": "index.html"}
    upload = s3.create_multipart_upload(**arguments, ContentType="text/html; charset=utf-8")["UploadId"]
    part = s3.upload_part(**arguments, UploadId=upload, PartNumber=1, Body=b"else")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(**arguments, UploadId=upload, MultipartUpload=parts)


BEHIND_OUR_BACK = {
    "another content": (overwritten, ["Files[index.html].SHA256", "Manifest"]),
    "other headers": (
        other_headers,
        ["Files[index.html].CacheControl", "Files[index.html].ContentType", "Manifest"],
    ),
    "deleted": (deleted, ["Files[index.html]"]),
    "in parts": (in_parts, ["Files[index.html].SHA256", "Manifest"]),
}


@pytest.mark.parametrize("name", BEHIND_OUR_BACK)
def test_what_others_did_to_a_file_is_seen_and_mended(runner, s3, site, name):
    act, expected = BEHIND_OUR_BACK[name]
    runner.make(site())
    act(s3)
    runner.emulator.reset_calls()
    runner.plan(site())
    assert count(runner, "HeadObject") <= 1
    mended = runner.make(site())
    assert paths(mended) == expected
    assert s3.get_object(Bucket=NAME, Key="index.html")["Body"].read() == (SITE / "index.html").read_bytes()
    runner.assert_nothing_to_do(site())


def test_an_equal_copy_is_no_difference_but_is_asked_for_only_once(runner, s3, site):
    runner.make(site())
    body = (SITE / "index.html").read_bytes()
    s3.put_object(Bucket=NAME, Key="index.html", Body=body, ContentType="text/html; charset=utf-8")
    s3.delete_object(Bucket=NAME, Key=MANIFEST)
    result = runner.make(site())
    assert paths(result) == ["Manifest"]
    runner.emulator.reset_calls()
    runner.assert_nothing_to_do(site())
    assert count(runner, "HeadObject") == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"format": 99, "files": {}}', b'{"format": 1, "files": {"a": 1}}'])
def test_a_manifest_that_cannot_be_read_is_written_anew(runner, s3, site, body):
    runner.make(site())
    s3.put_object(Bucket=NAME, Key=MANIFEST, Body=body)
    assert paths(runner.make(site())) == ["Manifest"]
    runner.assert_nothing_to_do(site())


REMOVE = {"published": {"theirs.txt"}, "all": set(), "none": {"theirs.txt", "assets/app.js"}}


@pytest.mark.parametrize("remove", REMOVE)
def test_what_the_folder_has_not_goes_as_declared(runner, folder, s3, site, remove):
    runner.make(site())
    s3.put_object(Bucket=NAME, Key="theirs.txt", Body=b"theirs")
    (folder / "assets" / "app.js").unlink()
    runner.run(site(remove=remove))
    runner.assert_nothing_to_do(site(remove=remove))
    assert keys(s3) & {"theirs.txt", "assets/app.js"} == REMOVE[remove]


def test_destroying_leaves_what_others_put_there_unless_forced(runner, s3, site):
    runner.make(site())
    s3.put_object(Bucket=NAME, Key="theirs.txt", Body=b"theirs")
    refused = runner.run(site(), state="absent")
    assert "is not empty" in refused.failures["front-end"]
    assert keys(s3) == {"theirs.txt"}
    assert not runner.run(site(force_delete=True), state="absent").failures


def test_a_publish_that_broke_off_is_finished_by_the_next(runner, folder, s3, site):
    runner.make(site(cloudfront={}))
    (folder / "index.html").write_text(PAGE.format("new"))
    (folder / "assets" / "new.js").write_text("new\n")
    refused = {"service": "cloudfront", "action": "CreateInvalidation", "fault": "error", "code": "AccessDenied"}
    runner.emulator.faults(refused)
    assert runner.run(site(cloudfront={})).failures
    runner.emulator.faults()
    finished = runner.make(site(cloudfront={}))
    assert paths(finished) == ["Manifest"]
    assert invalidated(runner.emulator) == [["/", "/index.html"]]
    runner.assert_nothing_to_do(site(cloudfront={}))


@pytest.mark.parametrize("uploads", [0, 2, 4])
def test_a_publish_that_ends_between_uploads_is_finished_by_the_next(runner, folder, s3, site, uploads):
    runner.make(site())
    for name in ("index.html", "404.html", "assets/app.js", "assets/style.css"):
        (folder / name).write_text("new\n")
    (folder / "docs" / "index.html").unlink()
    # One more for the manifest, which comes first.
    refused = {"service": "s3", "action": "PutObject", "fault": "error", "code": "AccessDenied", "times": 99}
    runner.emulator.faults({**refused, "skip": uploads + 1})
    assert runner.run(site()).failures
    runner.emulator.faults()
    pages = [s3.get_object(Bucket=NAME, Key=key)["Body"].read() for key in ("index.html", "404.html")]
    assert (b"new\n" in pages) == (uploads > 2)
    runner.make(site())
    assert keys(s3) == {"index.html", "404.html", "assets/app.js", "assets/style.css"}
    assert {s3.get_object(Bucket=NAME, Key=key)["Body"].read() for key in keys(s3)} == {b"new\n"}
    runner.assert_nothing_to_do(site())


def invalidated(emulator):
    cloudfront = emulator.client("cloudfront")
    (distribution,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    listed = cloudfront.list_invalidations(DistributionId=distribution["Id"])["InvalidationList"].get("Items", ())
    batches = [cloudfront.get_invalidation(DistributionId=distribution["Id"], Id=item["Id"]) for item in listed]
    return [item["Invalidation"]["InvalidationBatch"]["Paths"]["Items"] for item in batches]


def test_cloudfront_forgets_what_changed_or_went_and_nothing_else(runner, emulator, folder, site):
    runner.make(site(cloudfront={}))
    assert invalidated(emulator) == []
    (folder / "docs" / "index.html").write_text(PAGE.format("new"))
    (folder / "assets" / "app.js").unlink()
    (folder / "assets" / "new one.js").write_text("new\n")
    runner.make(site(cloudfront={}))
    assert invalidated(emulator) == [["/assets/app.js", "/docs/index.html"]]


def test_many_paths_are_one(runner, emulator, folder, site):
    for number in range(40):
        (folder / f"{number}.txt").write_text("one\n")
    runner.make(site(cloudfront={}))
    for number in range(40):
        (folder / f"{number}.txt").write_text("two\n")
    runner.make(site(cloudfront={}))
    assert invalidated(emulator) == [["/*"]]


def test_a_file_that_changes_between_plan_and_run_is_not_published(runner, folder, s3, site):
    planned = runner.plan(site())
    (folder / "assets" / "app.js").write_text("moved\n")
    result = running.carry_out(planned, "static_site", planned.hosts, runner.progress.append)
    assert "has changed since the plan was made" in result["failures"]["front-end"]
    assert keys(s3) & {"assets/app.js", "index.html"} == set()


def test_a_site_goes_behind_cloudfront(runner, emulator, site):
    runner.make(site())
    runner.make(site(cloudfront={}))
    assert get(emulator, "index.html") == 403
    runner.assert_nothing_to_do(site(cloudfront={}))


def test_certificate_distribution_and_record_come_in_one_run(runner, emulator, site):
    emulator.client("route53").create_hosted_zone(Name="dockyard.example", CallerReference="zone")
    certificate = {"name": "www", "domain_name": NAME, "region": "us-east-1"}
    records = [{"name": NAME, "type": kind, "alias": {"cloudfront": NAME}} for kind in ("A", "AAAA")]
    declared = {
        "certificate": {"front-end": {"certificates": [certificate]}},
        "dns": {"front-end": {"records": records}},
        **site(cloudfront={"certificate": "www"}),
    }
    made = runner.make(declared, region="eu-central-1")
    assert {"acm_certificate", "cloudfront_distribution", "route53_record"} <= {kind for _act, kind, _name in made.done}
    cloudfront = emulator.client("cloudfront")
    (distribution,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    assert distribution["Aliases"]["Items"] == [NAME]
    assert ":acm:us-east-1:" in distribution["ViewerCertificate"]["ACMCertificateArn"]
    again = runner.run(declared, region="eu-central-1")
    assert again.planned == []
