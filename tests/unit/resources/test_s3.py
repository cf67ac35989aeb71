# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3 buckets: canonical forms, and what happens around names and contents."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed, Resource, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3 import S3Bucket

KIND = S3Bucket()
STATE = Resource("s3_bucket", "state", {"ObjectOwnership": "BucketOwnerEnforced"}, tags={"Team": "web"})


def error(code):
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Call")


class Client:
    """Notes its calls and answers from a table."""

    def __init__(self, **answers):
        self.answers, self.calls = answers, []

    def __getattr__(self, name):
        def call(**arguments):
            self.calls.append((name, arguments))
            answer = self.answers.get(name, {})
            if isinstance(answer, list):
                answer = answer.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def get_paginator(self, name):
        return SimpleNamespace(paginate=lambda **arguments: [getattr(self, name)(**arguments)])


def aws(client, region="us-east-1"):
    return SimpleNamespace(
        region=region,
        partition="aws",
        account_id="123456789012",
        client=lambda _service: client,
        once=lambda _service: client,
        progress=lambda _line: None,
    )


def differences(desired, observed):
    before = copy.deepcopy((desired, observed))
    found = KIND.differences(KIND.canonical(desired), KIND.canonical(observed), {})
    assert (desired, observed) == before
    return [item.path for item in found]


SAME = {
    "filter written in the old way": (
        {"LifecycleRules": [{"ID": "a", "Status": "Enabled", "Filter": {}}]},
        {"LifecycleRules": [{"ID": "a", "Status": "Enabled", "Prefix": ""}]},
    ),
    "filter for everything": (
        {"LifecycleRules": [{"ID": "a", "Filter": {}}]},
        {"LifecycleRules": [{"ID": "a", "Filter": {"Prefix": ""}}]},
    ),
    "order of rules": (
        {"LifecycleRules": [{"ID": "b", "Status": "Enabled"}, {"ID": "a", "Status": "Disabled"}]},
        {"LifecycleRules": [{"ID": "a", "Status": "Disabled"}, {"ID": "b", "Status": "Enabled"}]},
    ),
    "what a rule is called": (
        {"LifecycleRules": [{"ID": "b", "Status": "Enabled"}]},
        {"LifecycleRules": [{"ID": "a", "Status": "Enabled"}]},
    ),
    "bucket key without KMS": (
        {"ServerSideEncryption": {"SSEAlgorithm": "AES256"}},
        {"ServerSideEncryption": {"SSEAlgorithm": "AES256", "BucketKeyEnabled": False}},
    ),
    "what AWS adds to the encryption": (
        {"ServerSideEncryption": {"SSEAlgorithm": "AES256"}},
        {"ServerSideEncryption": {"SSEAlgorithm": "AES256", "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}},
    ),
    "forms of a policy": (
        {"Policy": {"Version": "2012-10-17", "Statement": [{"Principal": "*", "Action": "s3:*"}]}},
        {"Policy": {"Version": "2012-10-17", "Statement": {"Principal": {"AWS": "*"}, "Action": ["s3:*"]}}},
    ),
}


@pytest.mark.parametrize(("desired", "observed"), SAME.values(), ids=SAME)
def test_equal_forms_are_no_difference(desired, observed):
    assert differences(desired, observed) == []


def test_a_real_difference_is_one():
    days = [[{"ID": "a", "NoncurrentVersionExpiration": {"NoncurrentDays": number}}] for number in (90, 30)]
    assert differences({"LifecycleRules": days[0]}, {"LifecycleRules": days[1]}) == ["LifecycleRules"]


@pytest.mark.parametrize(
    ("region", "configuration"),
    [
        ("us-east-1", {"Tags": [{"Key": "Team", "Value": "web"}]}),
        ("eu-central-1", {"Tags": [{"Key": "Team", "Value": "web"}], "LocationConstraint": "eu-central-1"}),
    ],
)
def test_tags_and_region_are_in_the_create_call(region, configuration):
    client = Client()
    KIND.create(aws(client, region), STATE)
    name, arguments = client.calls[0]
    assert name == "create_bucket"
    assert arguments["CreateBucketConfiguration"] == configuration
    assert arguments["ObjectOwnership"] == "BucketOwnerEnforced"


def test_a_taken_name_is_a_clear_error():
    with pytest.raises(AwsError, match="belongs to another AWS account"):
        KIND.create(aws(Client(create_bucket=error("BucketAlreadyExists"))), STATE)


@pytest.mark.parametrize(("own", "kind"), [(False, AwsError), (True, ClientError)])
def test_another_accounts_bucket_is_told_from_missing_permissions(own, kind):
    listed = {"Buckets": [{"Name": "state"}] if own else []}
    client = Client(get_bucket_versioning=error("AccessDenied"), list_buckets=listed)
    with pytest.raises(kind):
        KIND.read(aws(client), [Wanted("state", {}, {"Policy": {}})])


def test_a_bucket_that_is_not_there_is_not_observed():
    assert KIND.read(aws(Client(get_bucket_versioning=error("NoSuchBucket"))), [Wanted("state")]) == {}


def test_every_call_names_the_expected_owner():
    client = Client(get_bucket_tagging={"TagSet": []}, get_bucket_policy={"Policy": "{}"})
    KIND.read(aws(client), [Wanted("state", {}, {"Policy": {}})])
    assert {arguments["ExpectedBucketOwner"] for _name, arguments in client.calls} == {"123456789012"}


def test_a_full_bucket_is_refused():
    client = Client(delete_bucket=error("BucketNotEmpty"))
    with pytest.raises(AwsError, match="force_delete: true"):
        KIND.delete(aws(client), STATE, Observed("state", {}, {}))


def test_force_deletes_every_version_first():
    listed = {
        "Versions": [{"Key": "a", "VersionId": "1"}],
        "DeleteMarkers": [{"Key": "a", "VersionId": "2"}],
    }
    client = Client(list_object_versions=listed)
    forced = Resource("s3_bucket", "state", {}, options={"force_delete": True})
    KIND.delete(aws(client), forced, Observed("state", {}, {}))
    calls = dict(client.calls)
    assert [item["VersionId"] for item in calls["delete_objects"]["Delete"]["Objects"]] == ["1", "2"]
    assert client.calls[-1][0] == "delete_bucket"


def test_objects_that_cannot_be_deleted_are_told():
    refused = {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "no"}]}
    listed = {"Versions": [{"Key": "a", "VersionId": "1"}]}
    forced = Resource("s3_bucket", "state", {}, options={"force_delete": True})
    with pytest.raises(AwsError, match="a: AccessDenied"):
        client = Client(list_object_versions=listed, delete_objects=refused)
        KIND.delete(aws(client), forced, Observed("state", {}, {}))


def test_tags_of_aws_stay():
    tags = [{"Key": "aws:cloudformation:stack-name", "Value": "x"}, {"Key": "Old", "Value": "1"}]
    client = Client(get_bucket_tagging={"TagSet": tags})
    KIND.retag(aws(client), Observed("state", {}, {}), {"New": "2"}, ["Old"])
    written = dict(client.calls)["put_bucket_tagging"]["Tagging"]["TagSet"]
    assert [tag["Key"] for tag in written] == ["New", "aws:cloudformation:stack-name"]


def test_encryption_keeps_what_nobody_declared():
    client = Client()
    blocked = {"EncryptionType": ["SSE-C"]}
    observed = Observed("state", {"ServerSideEncryption": {"BlockedEncryptionTypes": blocked}}, {})
    wanted = Resource("s3_bucket", "state", {"ServerSideEncryption": {"SSEAlgorithm": "aws:kms"}})
    found = KIND.differences(wanted.properties, observed.properties, {})
    KIND.update(aws(client), wanted, observed, found)
    (rule,) = client.calls[0][1]["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule == {
        "BlockedEncryptionTypes": blocked,
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"},
    }


def test_settings_that_get_in_each_others_way_are_written_again():
    client = Client(put_bucket_versioning=[error("OperationAborted"), {}])
    properties = {"VersioningConfiguration": {"Status": "Enabled"}}
    found = KIND.differences(properties, {"VersioningConfiguration": {"Status": "Suspended"}}, {})
    KIND.update(aws(client), Resource("s3_bucket", "state", properties), Observed("state", {}, {}), found)
    assert [name for name, _arguments in client.calls] == ["put_bucket_versioning"] * 2
