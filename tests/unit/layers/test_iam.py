# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer iam: what a declaration becomes, and what is refused."""

from __future__ import annotations

import json
from datetime import date

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment, parse
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam import Iam
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref

LAYER = Iam()
ART = Environment("art", "us-east-1", "123456789012", tags={"Project": "art"})
CHINA = Environment("art", "cn-north-1", "123456789012", "aws-cn")
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:web"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/web"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"


def allow(**changes):
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **changes}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements) or [allow()]}


TRUST = document({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


def declaration(host="art", **options):
    result, problems = parse(LAYER, host, options)
    assert not problems, problems
    return result


def resources(environment=ART, **options):
    return {item.address: item for item in LAYER.resources(declaration(**options), environment)}


def role(environment=ART, **options):
    return resources(environment, roles=[{"name": "web", **options}])["iam_role", "web"].properties


def messages(*declarations):
    return [str(problem) for problem in LAYER.validate(declarations, ART)]


PRESETS = {
    "ecs_service": ("ecs.amazonaws.com", ["service-role/AmazonEC2ContainerServiceRole"]),
    "ecs_instance": ("ec2.amazonaws.com", ["service-role/AmazonEC2ContainerServiceforEC2Role"]),
    "ecs_task_execution": ("ecs-tasks.amazonaws.com", ["service-role/AmazonECSTaskExecutionRolePolicy"]),
}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("environment", [ART, CHINA], ids=["aws", "china"])
def test_presets(preset, environment):
    service, policies = PRESETS[preset]
    made = role(environment, preset=preset)
    if environment is CHINA and service == "ec2.amazonaws.com":
        service += ".cn"
    (statement,) = made["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": service}
    assert made["ManagedPolicyArns"] == [f"arn:{environment.partition}:iam::aws:policy/{name}" for name in policies]
    assert "InlinePolicies" not in made


@pytest.mark.parametrize("preset", ["ecs_task", "ecs_task_execution"])
def test_tasks_of_other_accounts_cannot_use_a_role(preset):
    (statement,) = role(preset=preset)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_what_is_not_declared_is_no_property():
    assert set(role(preset="ecs_task")) == {"AssumeRolePolicyDocument"}


def test_execution_roles_read_their_secrets_only():
    made = role(preset="ecs_task_execution", secrets=[SECRET, PARAMETER], secrets_kms_keys=[KEY])
    statements = made["InlinePolicies"]["secrets"]["Statement"]
    assert {item["Action"]: item["Resource"] for item in statements} == {
        "secretsmanager:GetSecretValue": [SECRET],
        "ssm:GetParameters": [PARAMETER],
        "kms:Decrypt": [KEY],
    }


def test_session_manager_is_an_option():
    assert role(preset="ecs_instance", session_manager=True)["ManagedPolicyArns"][1].endswith(
        ":policy/AmazonSSMManagedInstanceCore"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("aws:service-role/Some", "arn:aws:iam::aws:policy/service-role/Some"),
        ("own", Ref("iam_policy", "own", "arn", where="iam.roles[web].managed_policies")),
    ],
)
def test_policies_are_named_in_three_ways(name, expected):
    assert role(preset="ecs_task", managed_policies=[name])["ManagedPolicyArns"] == [expected]


def test_an_empty_boundary_is_none():
    assert role(preset="ecs_task", permissions_boundary="")["PermissionsBoundary"] is None


def test_others_policies_stay_where_the_declaration_is_not_exclusive():
    assert role(preset="ecs_task", exclusive=False)["KeepOtherPolicies"] is True


@pytest.mark.parametrize("form", [lambda item: item, json.dumps])
def test_documents_are_mappings_or_json(form):
    made = role(assume_role_policy=form(TRUST), inline_policies={"read": form(document())})
    assert made["AssumeRolePolicyDocument"] == TRUST
    assert made["InlinePolicies"] == {"read": document()}


def test_a_version_without_quotation_marks_is_no_date():
    declared = {**TRUST, "Version": date(2012, 10, 17)}
    item = declaration(roles=[{"name": "web", "assume_role_policy": declared}])
    assert not messages(item)
    assert role(assume_role_policy=declared)["AssumeRolePolicyDocument"]["Version"] == "2012-10-17"


def test_instance_profile_of_the_same_name():
    made = resources(roles=[{"name": "web", "preset": "ecs_instance", "instance_profile": True, "path": "/a/"}])
    profile = made["iam_instance_profile", "web"].properties
    assert profile["Path"] == "/a/"
    assert profile["Roles"][0]["RoleName"].address == ("iam_role", "web")


def test_an_access_key_is_made_only_where_asked_for():
    assert ("iam_access_key", "ci") not in resources(users=[{"name": "ci"}])
    made = resources(users=[{"name": "ci", "access_key": {"secret": "ci/key"}}])
    assert made["iam_access_key", "ci"].properties["SecretName"] == "ci/key"


def bad_role(**options):
    return {"roles": [{"name": "web", "preset": "ecs_task", **options}]}


def bad_trust(trust):
    return {"roles": [{"name": "web", "assume_role_policy": trust}]}


def bad_user(**options):
    return {"users": [{"name": "ci", **options}]}


def bad_administrator(**options):
    return {"administrators": [{"name": "admin", "layer": "ecr", **options}]}


BIG = document(allow(Resource=[f"arn:aws:s3:::{'b' * 60}{number}" for number in range(200)]))
BAD = {
    "name with a space": ({"roles": [{"name": "my role", "preset": "ecs_task"}]}, "'my role'"),
    "long name": ({"roles": [{"name": "r" * 65, "preset": "ecs_task"}]}, "1 to 64"),
    "path without slashes": (bad_role(path="web"), "got 'web'"),
    "path with a space": (bad_role(path="/a b/"), "got '/a b/'"),
    "short session": (bad_role(max_session_duration=600), "between 3600 and 43200 seconds, got 600"),
    "long session": (bad_role(max_session_duration=43201), "got 43201"),
    "long description": (bad_role(description="d" * 1001), "1001 characters, at most 1000"),
    "preset and trust policy": (bad_role(assume_role_policy=TRUST), "got preset and assume_role_policy"),
    "nobody may assume it": ({"roles": [{"name": "web"}]}, "who may assume the role; got none"),
    "trust policy that is no JSON": (bad_trust("{'Version'"), "assume_role_policy is not valid JSON"),
    "trust policy without a version": (bad_trust({"Statement": TRUST["Statement"]}), "Version must be"),
    "trust policy with a resource": (bad_trust(document({**TRUST["Statement"][0], "Resource": "*"})), "Resource"),
    "trust policy without a principal": (bad_trust(document({"Effect": "Allow", "Action": "sts:*"})), "Principal"),
    "inline policy without a statement": (
        bad_role(inline_policies={"read": {"Version": "2012-10-17"}}),
        "inline_policies[read] Statement must be",
    ),
    "inline policy with a principal": (
        bad_role(inline_policies={"read": document(allow(Principal="*"))}),
        "must not have Principal",
    ),
    "action and not action": (
        bad_role(inline_policies={"read": document(allow(NotAction="s3:*"))}),
        "Action or NotAction, and not both",
    ),
    "misspelt element": (
        bad_role(inline_policies={"read": document(allow(Actions="s3:*"))}),
        "unknown elements Actions",
    ),
    "inline policies too large": (bad_role(inline_policies={"read": BIG}), "IAM allows 10240 for a role"),
    "user's inline policies too large": (bad_user(inline_policies={"read": BIG}), "IAM allows 2048 for a user"),
    "managed policy too large": ({"policies": [{"name": "big", "document": BIG}]}, "IAM allows 6144"),
    "too many managed policies": (
        bad_role(managed_policies=[f"p{number}" for number in range(26)]),
        "26 policies; AWS allows 10 for a role by default and 25 at most",
    ),
    "one managed policy twice": (bad_role(managed_policies=["a", "a"]), "names 'a' twice"),
    "managed policy that is none": (bad_role(managed_policies=["arn:aws:s3:::x"]), "got 'arn:aws:s3:::x'"),
    "boundary that is none": (bad_role(permissions_boundary="my boundary"), "got 'my boundary'"),
    "secrets of another preset": (bad_role(secrets=[SECRET]), "secrets is for preset ecs_task_execution, got ecs_task"),
    "secret that is no ARN": (bad_role(preset="ecs_task_execution", secrets=["web"]), "got 'web'"),
    "session manager for tasks": (bad_role(session_manager=True), "ecs_instance, got ecs_task"),
    "instance profile for tasks": (bad_role(instance_profile=True), "the preset is ecs_task"),
    "secret name": (bad_user(access_key={"secret": "a b"}), "got 'a b'"),
    "administrator of nothing": (bad_administrator(layer="rds"), "layer 'rds'"),
    "role that nobody assumes": (bad_administrator(type="role"), "needs trusted_principals"),
    "principal with a wildcard": (bad_administrator(type="role", trusted_principals=["*"]), "got '*'"),
    "principals of a user": (bad_administrator(trusted_principals=["111122223333"]), "is for type role"),
    "access key of a role": (
        bad_administrator(type="role", trusted_principals=["111122223333"], access_key={"secret": "a"}),
        "access_key is for type user",
    ),
    "prefix with a wildcard": (bad_administrator(name_prefixes=["*"]), "got '*'"),
    "administrator of IAM without a boundary": (bad_administrator(layer="iam"), "needs required_boundary"),
    "administrator of IAM who reaches itself": (
        bad_administrator(layer="iam", required_boundary="limit", path="/", name="art-admin"),
        "it could change itself",
    ),
    "boundary of another administrator": (bad_administrator(required_boundary="limit"), "for the layer iam, got ecr"),
    "twice in one list": (bad_role() | {"roles": [{"name": "web", "preset": "ecs_task"}] * 2}, "declared 2 times"),
    "administrator and user of one name": (
        bad_administrator() | {"users": [{"name": "ADMIN"}]},
        "declared already by art: iam.users[ADMIN]",
    ),
    "one secret for two keys": (
        {"users": [{"name": name, "access_key": {"secret": "key"}} for name in ("a", "b")]},
        "the secret 'key' is declared already",
    ),
}


@pytest.mark.parametrize(("options", "text"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_refused(options, text):
    found = messages(declaration(**options))
    assert any(item.startswith("art: iam.") and text in item for item in found), found


def test_one_role_has_one_host():
    found = messages(*(declaration(host, roles=[{"name": "web", "preset": "ecs_task"}]) for host in ("one", "two")))
    assert found == ["two: iam.roles[web]: the role 'web' is declared already by one: iam.roles[web]"]


def test_an_unknown_preset_is_refused():
    _declaration, problems = parse(LAYER, "art", {"roles": [{"name": "web", "preset": "ecs_tasks"}]})
    assert "ecs_task_execution" in problems[0].message


def warned(**options):
    item = declaration(**options)
    made = list(LAYER.resources(item, ART))
    for one in made:
        one.layer = "iam"
    return [str(one) for one in LAYER.warn([item], {one.address: one for one in made})]


def test_more_policies_than_the_default_quota_are_warned_of():
    (found,) = warned(roles=[{"name": "web", "preset": "ecs_task", "managed_policies": [f"p{n}" for n in range(11)]}])
    assert "11 managed policies" in found
    assert "10" in found


def test_what_an_administrator_cannot_reach_is_warned_of():
    administrator = {"name": "admin", "layer": "iam", "required_boundary": "art-limit"}
    roles = [
        {"name": "art-web", "preset": "ecs_task", "permissions_boundary": "art-limit"},
        {"name": "web", "preset": "ecs_task"},
    ]
    found = warned(roles=roles, administrators=[administrator])
    assert len(found) == 2
    assert "iam_role/web begins with none of name_prefixes art-, art/" in found[0]
    assert "iam_role/web has no permissions boundary" in found[1]


def test_an_administrators_reach_ends_where_another_name_begins():
    from ansible_collections.dockyard.aws.plugins.module_utils.layers import iam_administrators
    from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment

    assert iam_administrators.prefixes(None, Environment("art")) == ["art-", "art/"]
    assert iam_administrators.prefixes(["art"], Environment("art")) == ["art"]
