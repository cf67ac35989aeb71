# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM's kinds: canonical forms, differences, and access keys that nobody gets to see."""

from __future__ import annotations

import copy
import json
import threading
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Answers
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed, Resource, Unknown, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.resources import iam, iam_details, iam_principals
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_credentials import CREDENTIALS

ROLE, POLICY, KEY = iam.IamRole(), iam.IamPolicy(), iam.IamAccessKey()


def document(action="s3:GetObject"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def paths(desired, observed, last_applied=None):
    before = copy.deepcopy((desired, observed))
    found = ROLE.differences(ROLE.canonical(desired), ROLE.canonical(observed), last_applied or {})
    assert (desired, observed) == before
    return [item.path for item in found]


SAME = {
    "order of policies": ({"ManagedPolicyArns": ["b", "a"]}, {"ManagedPolicyArns": ["a", "b"]}),
    "no policies": ({"ManagedPolicyArns": []}, {"ManagedPolicyArns": []}),
    "one action or a list": (
        {"InlinePolicies": {"read": document()}},
        {"InlinePolicies": {"read": document(["s3:GetObject"])}},
    ),
    "account id or root": (
        {"AssumeRolePolicyDocument": {"Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}}}},
        {
            "AssumeRolePolicyDocument": {
                "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws-cn:iam::123456789012:root"}}]
            }
        },
    ),
    "what is not declared": ({"Path": "/"}, {"Path": "/", "ManagedPolicyArns": ["a"], "InlinePolicies": {"b": {}}}),
    "others' policies": (
        {"KeepOtherPolicies": True, "ManagedPolicyArns": ["a"], "InlinePolicies": {"read": document()}},
        {"ManagedPolicyArns": ["a", "b"], "InlinePolicies": {"read": document(), "more": document()}},
    ),
}


@pytest.mark.parametrize(("desired", "observed"), SAME.values(), ids=SAME)
def test_equal_forms_are_no_difference(desired, observed):
    assert paths(desired, observed) == []


DIFFERENT = {
    "policy of others": ({"ManagedPolicyArns": ["a"]}, {"ManagedPolicyArns": ["a", "b"]}, ["ManagedPolicyArns"]),
    "missing among others": (
        {"KeepOtherPolicies": True, "ManagedPolicyArns": ["a"]},
        {"ManagedPolicyArns": ["b"]},
        ["ManagedPolicyArns"],
    ),
    "inline policies by name": (
        {"InlinePolicies": {"a": document(), "b": document()}},
        {"InlinePolicies": {"b": document("s3:PutObject"), "c": document()}},
        ["InlinePolicies[a]", "InlinePolicies[b]", "InlinePolicies[c]"],
    ),
    "known after apply": (
        {"ManagedPolicyArns": [Unknown("(known after apply: iam_policy/a.arn)")]},
        {"ManagedPolicyArns": ["b"]},
        ["ManagedPolicyArns"],
    ),
}


@pytest.mark.parametrize(("desired", "observed", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_differences(desired, observed, expected):
    assert paths(desired, observed) == expected


def test_what_is_declared_no_more_goes_back_to_the_default():
    observed = {"Description": "old", "MaxSessionDuration": 7200, "InlinePolicies": {"a": document()}}
    assert paths({}, observed, last_applied=observed) == ["Description", "MaxSessionDuration", "InlinePolicies"]


def test_the_switch_for_others_policies_is_not_shown():
    found = ROLE.differences({"KeepOtherPolicies": True, "Path": "/a/"}, {"Path": "/"}, {})
    assert [item.path for item in ROLE.shown(found)] == ["Path"]
    assert [item.replaces for item in found] == [True]


class Calls:
    """A client that notes its calls and answers from a table; an error in the table is raised, functions are called."""

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

    def names(self):
        return [name for name, _arguments in self.calls]


def aws(**clients):
    return SimpleNamespace(
        client=clients.__getitem__, once=clients.__getitem__, is_lost_answer=errors.is_lost_answer, answers=None
    )


def error(code, operation="Call", status=400):
    return ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation
    )


NEW_KEY = {"AccessKey": {"UserName": "ci", "AccessKeyId": "AKIA1", "SecretAccessKey": "very secret"}}
NO_SECRET = error("ResourceNotFoundException")
WANTED_KEY = Resource("iam_access_key", "ci", {"UserName": "ci", "SecretName": "ci/key"}, tags={"Team": "web"})


def key_list(*ids):
    return {"AccessKeyMetadata": [{"AccessKeyId": one} for one in ids]}


def test_an_access_key_goes_to_its_secret_at_once_and_nowhere_else():
    client = Calls(create_access_key=NEW_KEY, list_access_keys=key_list())
    secrets = Calls(describe_secret=NO_SECRET, create_secret={"ARN": "arn:secret"})
    made = KEY.create(aws(iam=client, secretsmanager=secrets), WANTED_KEY)
    assert made == {"id": "AKIA1", "secret_arn": "arn:secret"}
    written = dict(secrets.calls)["create_secret"]
    assert json.loads(written["SecretString"])["SecretAccessKey"] == "very secret"
    assert {tag["Key"] for tag in written["Tags"]} == {"Team", "dockyard:access-key-id", "dockyard:access-key-user"}


def test_a_key_whose_secret_cannot_be_written_is_deleted_again():
    client = Calls(create_access_key=NEW_KEY, list_access_keys=key_list())
    secrets = Calls(describe_secret=NO_SECRET, create_secret=error("LimitExceededException"))
    with pytest.raises(ClientError) as caught:
        KEY.create(aws(iam=client, secretsmanager=secrets), WANTED_KEY)
    assert client.calls[-1] == ("delete_access_key", {"UserName": "ci", "AccessKeyId": "AKIA1"})
    assert "very secret" not in str(caught.value)


def test_a_key_whose_answer_was_lost_is_deleted():
    lost = ReadTimeoutError(endpoint_url="https://iam.amazonaws.com")
    client = Calls(create_access_key=lost, list_access_keys=[key_list("AKIA0"), key_list("AKIA0", "AKIA9")])
    with pytest.raises(ReadTimeoutError):
        KEY.create(aws(iam=client, secretsmanager=Calls(describe_secret=NO_SECRET)), WANTED_KEY)
    assert client.calls[-1] == ("delete_access_key", {"UserName": "ci", "AccessKeyId": "AKIA9"})


def test_two_keys_are_all_that_iam_allows():
    client = Calls(create_access_key=error("LimitExceeded"), list_access_keys=key_list("AKIA1", "AKIA2"))
    with pytest.raises(AwsError, match="AKIA1, AKIA2"):
        KEY.create(aws(iam=client, secretsmanager=Calls(describe_secret=NO_SECRET)), WANTED_KEY)


def test_a_secret_that_holds_something_else_is_not_overwritten():
    secrets = Calls(describe_secret={"Name": "ci/key", "ARN": "arn:secret", "Tags": []})
    client = Calls()
    with pytest.raises(AwsError, match="does not hold the access key of user 'ci'"):
        KEY.create(aws(iam=client, secretsmanager=secrets), WANTED_KEY)
    assert client.calls == []


def secret(**changes):
    marks = {"dockyard:access-key-user": "ci", "dockyard:access-key-id": "AKIA1"}
    tags = [{"Key": name, "Value": value} for name, value in marks.items()]
    return {"Name": "ci/key", "ARN": "arn:secret", "Tags": tags, **changes}


@pytest.mark.parametrize(
    ("described", "listed", "keys", "found"),
    [
        (secret(), {}, ["AKIA1"], True),
        (secret(), {}, ["AKIA2"], False),
        (NO_SECRET, {"SecretList": [secret(Name="ci/old")]}, ["AKIA1"], True),
        (NO_SECRET, {"SecretList": []}, ["AKIA1"], False),
        (secret(DeletedDate="now"), {}, ["AKIA1"], False),
    ],
    ids=["there", "key gone", "secret of another name", "no secret", "secret deleted"],
)
def test_a_key_is_found_by_the_tags_of_its_secret(described, listed, keys, found):
    clients = {
        "iam": Calls(list_access_keys=key_list(*keys)),
        "secretsmanager": Calls(describe_secret=described, list_secrets=listed),
    }
    observed = KEY.read(aws(**clients), [Wanted("ci", {}, {"SecretName": "ci/key"})])
    assert bool(observed) is found
    assert "get_secret_value" not in clients["secretsmanager"].names()


def test_the_oldest_version_makes_room_for_a_new_one():
    client = Calls()
    properties = {"Document": document(), "OtherVersions": ["v1", "v2", "v3", "v4"]}
    observed = Observed("p", properties, {"arn": "arn:p"})
    POLICY.update(aws(iam=client), Resource("iam_policy", "p", {"Document": document("s3:*")}), observed, [])
    assert client.names() == ["delete_policy_version", "create_policy_version"]
    assert client.calls[0][1]["VersionId"] == "v1"


def test_fewer_versions_stay():
    client = Calls()
    observed = Observed("p", {"Document": document(), "OtherVersions": ["v1", "v2", "v3"]}, {"arn": "arn:p"})
    POLICY.update(aws(iam=client), Resource("iam_policy", "p", {"Document": document("s3:*")}), observed, [])
    assert client.names() == ["create_policy_version"]


def test_a_policy_that_is_a_boundary_is_not_taken_from_under_its_roles():
    entities = [{}, {"PolicyRoles": [{"RoleName": "web"}]}]
    client = Calls(list_entities_for_policy=entities, get_policy={"Policy": {"PermissionsBoundaryUsageCount": 1}})
    with pytest.raises(AwsError, match="permissions boundary of role web"):
        POLICY.delete(aws(iam=client), None, Observed("p", {"OtherVersions": []}, {"arn": "arn:p"}))
    assert "delete_policy" not in client.names()


def test_roles_that_are_only_referred_to_are_asked_for_by_name():
    client = Calls(get_role=[{"Role": {"RoleName": "a", "RoleId": "1", "Arn": "arn:a"}}, error("NoSuchEntity")])
    found = ROLE.read(aws(iam=client), [Wanted("a"), Wanted("b")])
    assert {name: item.attributes["arn"] for name, item in found.items()} == {"a": "arn:a"}


def test_readers_share_one_call_also_at_the_same_time():
    entered, release = threading.Event(), threading.Event()

    class Slow(Calls):
        def get_account_authorization_details(self, **arguments):
            self.calls.append(("details", arguments))
            entered.set()
            release.wait(5)
            return {"RoleDetailList": [{"RoleName": "web"}]}

    client = Slow()
    shared, answers = aws(iam=client), []
    shared.answers = Answers()

    def ask():
        answers.append(iam_details.account_details(shared))

    threads = [threading.Thread(target=ask) for dummy in range(3)]
    threads[0].start()
    entered.wait(5)
    for thread in threads[1:]:
        thread.start()
    threads[1].join(0.2)
    release.set()
    for thread in threads:
        thread.join(5)
    assert len(client.calls) == 1
    assert len(answers) == 3
    shared.answers = Answers()
    iam_details.account_details(shared)
    assert len(client.calls) == 2, "another reading asks again"


@pytest.mark.parametrize(
    ("user", "attached", "expected"),
    [("admin", ["arn:p"], [{"Key": "a", "Value": "b"}]), ("admin", [], None), ("other", ["arn:p"], None)],
)
def test_tags_of_an_administrators_policy_are_those_of_the_administrator(user, attached, expected):
    policies = [{"PolicyArn": arn} for arn in attached]
    detail = {"UserName": user, "AttachedManagedPolicies": policies, "Tags": [{"Key": "a", "Value": "b"}]}
    details = {"UserDetailList": [detail], "RoleDetailList": [], "Policies": []}
    assert iam_details.tags_of_namesake(details, {"PolicyName": "admin", "Arn": "arn:p"}) == expected


def test_every_sort_of_credentials_can_be_deleted():
    import botocore.session

    client = botocore.session.get_session().create_client("iam", region_name="us-east-1")
    for sort in CREDENTIALS:
        assert hasattr(client, sort.listing)
        assert hasattr(client, sort.deletion)


def test_nouns_are_iams():
    assert {kind.noun for kind in iam_principals.Principal.__subclasses__()} == {"role", "user"}


@pytest.mark.parametrize(
    ("code", "message", "calls"),
    [
        ("NoSuchEntity", "Scope ARN: arn:x does not exist or is not attachable.", 2),
        ("MalformedPolicyDocument", "Invalid principal in policy: AWS", 2),
        ("MalformedPolicyDocument", "Syntax errors in policy.", 1),
        ("EntityAlreadyExists", "", 1),
    ],
)
def test_what_was_made_a_moment_ago_may_not_be_known_yet(monkeypatch, code, message, calls):
    monkeypatch.setattr(iam_principals.time, "sleep", lambda _seconds: None)
    answers = [ClientError({"Error": {"Code": code, "Message": message}}, "CreateRole"), {"Role": {}}]

    def create_role(**_arguments):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    if calls == 1:
        with pytest.raises(ClientError, match=code):
            iam_principals.settled(create_role, RoleName="web")
    else:
        assert iam_principals.settled(create_role, RoleName="web") == {"Role": {}}
    assert len(answers) == 2 - calls


def test_what_does_not_exist_is_said_in_the_end(monkeypatch):
    monkeypatch.setattr(iam_principals, "SETTLE_SECONDS", -1)

    def attach(**_arguments):
        raise ClientError({"Error": {"Code": "NoSuchEntity", "Message": "no policy"}}, "AttachRolePolicy")

    with pytest.raises(ClientError, match="no policy"):
        iam_principals.settled(attach, PolicyArn="x")


@pytest.mark.parametrize(("member", "refused"), [("web", False), ("other", True)])
def test_a_role_that_a_repeated_call_finds_in_its_profile_is_no_error(member, refused):
    full = ClientError({"Error": {"Code": "LimitExceeded", "Message": "one role"}}, "AddRoleToInstanceProfile")
    client = Calls(
        add_role_to_instance_profile=full,
        get_instance_profile={"InstanceProfile": {"Roles": [{"RoleName": member}]}},
    )
    if refused:
        with pytest.raises(AwsError, match="already holds the role other, and takes only one"):
            iam._join_profile(aws(iam=client), "profile", "web")
    else:
        iam._join_profile(aws(iam=client), "profile", "web")
