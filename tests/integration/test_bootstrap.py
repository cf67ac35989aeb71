# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bootstrap.yml: what it checks, what it makes, and that nothing that it tries out is written."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
import yaml
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap import access
from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap import run as bootstrap
from tests.integration import art
from tests.integration.playbooks import play

BUCKET, TABLE = "art-service-terraform-state", "art-service-terraform-locks"
SETTING = {"bucket": BUCKET, "lock_table": TABLE}


@pytest.fixture
def check(runner, tmp_path):
    """The module bootstrap, without ansible-playbook around it; its checks by name."""

    def run(stage="before", **options):
        given = {
            "stage": stage,
            "declared": art.declared("state_bucket")["state_bucket"],
            "environment_name": "test",
            "account_id": runner.emulator.account,
            "region": "us-east-1",
            "endpoint_url": runner.emulator.url,
            "base_dir": str(tmp_path),
            "remote_state": SETTING,
        }
        result = bootstrap.run({**given, **options}, False, runner.progress.append)
        return result, {item["name"]: item for item in result["checks"]}

    return run


@pytest.fixture
def made(runner):
    runner.make(art.declared("state_bucket"))
    runner.emulator.reset_calls()


def test_an_empty_account_is_ready(check):
    result, checks = check()
    assert not result.get("failed") and checks[f"bucket {BUCKET}"]["status"] == "note"
    assert "this run makes it" in checks[f"table {TABLE}"]["said"]
    assert {checks[name]["status"] for name in ("Python", "credentials", "account", "region", "clock")} == {"ok"}


def test_what_is_there_is_tried_out_without_a_trace(check, made, emulator):
    _result, checks = check()
    assert "s3:PutObject" in checks["access to documents"]["said"]
    assert {item["status"] for item in checks.values()} == {"ok"}
    versions = emulator.client("s3").list_object_versions(Bucket=BUCKET)
    assert not {"Versions", "DeleteMarkers"} & versions.keys()
    assert emulator.client("dynamodb").scan(TableName=TABLE)["Count"] == 0
    result, checks = check("after")
    assert checks["bucket's versioning"]["status"] == "ok" and "site" in result["next_steps"][0]
    assert result["changed"] is False


@pytest.mark.parametrize(
    ("service", "action", "name", "denied"),
    [
        ("s3", "PutObject", "access to documents", "s3:PutObject"),
        ("s3", "ListObjectVersions", "access to documents", "s3:ListBucketVersions"),
        ("dynamodb", "DeleteItem", "access to locks", "dynamodb:DeleteItem"),
        ("dynamodb", "DescribeTable", f"table {TABLE}", "DescribeTable"),
    ],
)
def test_what_is_denied_is_named(check, made, emulator, service, action, name, denied):
    fault = {"fault": "error", "service": service, "action": action, "code": "AccessDeniedException", "times": 9}
    emulator.faults({**fault, "status": 403})
    result, checks = check()
    assert checks[name]["status"] == "failed" and denied in checks[name]["said"]
    assert "allow it" in checks[name]["todo"] and f"{name}: " in result["msg"]


@pytest.mark.parametrize(
    ("options", "name", "message"),
    [
        ({"account_id": "999999999999"}, "account", "belong to 123456789012, and aws_account_id is 999999999999"),
        ({"environment_name": None}, "dockyard_environment", "is not set"),
        ({"remote_state": {"bucket": "b", "lock": "both"}}, "dockyard_remote_state", "needs lock_table"),
        ({"remote_state": {"bucket": "other-bucket", "lock": "s3"}}, "dockyard_remote_state", "declares art-service"),
        ({"remote_state": None, "declared": {}}, "dockyard_remote_state", "no host declares a state_bucket"),
        ({"declared": {}}, f"bucket {BUCKET}", "nothing declares it"),
        ({"declared": {"art": {"bukket": {}}}}, "state_bucket", "bukket"),
        ({"profile": "no-such-profile"}, "credentials", "no-such-profile"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(check, options, name, message):
    result, checks = check(**options)
    assert result["failed"] and checks[name]["status"] == "failed" and checks[name]["todo"]
    assert message in " ".join(item["said"] for item in result["checks"] if item["name"] == name)
    assert result["next_steps"] == []


def test_without_the_setting_it_says_what_to_set(check):
    _result, checks = check(remote_state=None)
    found = checks["dockyard_remote_state"]
    assert found["status"] == "note" and BUCKET in found["todo"] and f"lock_table: {TABLE}" in found["todo"]


def test_a_bucket_of_somebody_else_that_is_set_up_badly(check, emulator):
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.delete_public_access_block(Bucket=BUCKET)
    setting = {"bucket": BUCKET, "lock": "s3"}
    result, checks = check("after", remote_state=setting, declared={})
    wrong = [name for name, item in checks.items() if item["status"] == "failed"]
    assert wrong == ["bucket's versioning", "bucket's public access"] and result["failed"]


@pytest.mark.parametrize(("owner", "status"), [(None, "failed"), ("999999999999", "ok"), ("888888888888", "failed")])
def test_the_bucket_may_be_another_accounts_when_it_is_named(emulator, owner, status):
    asked = []

    class S3:
        def head_bucket(self, Bucket, ExpectedBucketOwner):
            asked.append(ExpectedBucketOwner)
            if ExpectedBucketOwner != "999999999999":
                raise ClientError({"Error": {"Code": "403"}}, "HeadBucket")

    aws = SimpleNamespace(account_id=emulator.account, client=lambda service: S3(), layer="state_bucket")
    there, [found] = access.bucket(aws, BUCKET, False, owner)
    assert (found.status, there, asked) == (status, status == "ok", [owner or emulator.account])
    assert (owner or emulator.account) in found.said


def test_a_bucket_that_is_declared_is_not_another_accounts(check):
    setting = {"bucket": BUCKET, "lock": "s3", "bucket_owner": "999999999999"}
    found = check(remote_state=setting)[1][f"bucket {BUCKET}"]
    assert found["status"] == "failed" and "bucket_owner is 999999999999" in found["said"]


def test_it_is_tried_out_with_the_headers_that_runs_send(check, made, monkeypatch):
    said = {}
    original = access.bucket_access
    monkeypatch.setattr(access, "bucket_access", lambda *given: said.update(given[3]) or original(*given))
    check(remote_state={"bucket": BUCKET, "lock": "s3", "encrypt": True})
    assert said == {"ServerSideEncryption": "AES256"}


def test_a_table_with_another_key_is_refused(check, emulator):
    emulator.client("dynamodb").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert "hash key LockID" in check()[1][f"table {TABLE}"]["said"]


def test_documents_kept_locally_are_moved(check, runner, tmp_path, emulator):
    declared = {"ecr": {"a": {"repositories": [{"name": "alpha"}]}}}
    runner.make(declared, base_dir=str(tmp_path), remote_state=SETTING)
    runner.make(art.declared("state_bucket"))
    result, _checks = check("after")
    assert result["changed"] and not list(tmp_path.rglob("*.tstate"))
    keys = [item["Key"] for item in emulator.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == ["ecs/ecr-repositories/a/terraform.tstate", "ecs/ecr-repositories/terraform.tstate"]
    assert check("after")[0]["changed"] is False


def test_the_playbook_twice(emulator, tmp_path):
    folder = shutil.copytree(art.INVENTORY, tmp_path / "art")
    path = folder / "group_vars" / "all.yml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "dockyard_remote_state": SETTING}))
    checked = play(emulator, "playbooks/bootstrap.yml", "--check", inventory=folder)
    assert checked.code == 0, checked.failed_messages()
    assert emulator.client("s3").list_buckets()["Buckets"] == []
    first = play(emulator, "playbooks/bootstrap.yml", inventory=folder)
    assert first.code == 0 and first.changed == 1, first.failed_messages()
    emulator.reset_calls()
    second = play(emulator, "playbooks/bootstrap.yml", inventory=folder)
    assert second.code == 0 and second.changed == 0
    assert "access to documents" in second.text and "dockyard.aws.site" in second.text
    probes = {"PutObject", "DeleteObject", "PutItem", "DeleteItem"}
    assert {item["action"] for item in emulator.calls()["calls"] if item["mutating"]} <= probes
    path.write_text(path.read_text().replace(BUCKET, "another-bucket"))
    refused = play(emulator, "playbooks/bootstrap.yml", inventory=folder)
    assert refused.code != 0 and "make both equal" in refused.failed_messages()
