# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of roles, policies, users and instance profiles."""

from __future__ import annotations

import json

import pytest

from .stack import ACCOUNT, Imported, arn, resource

READ = {"Statement": [{"Resource": "*", "Action": "s3:GetObject", "Effect": "Allow"}], "Version": "2012-10-17"}
READABLE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


def trust(service, **condition):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    statement |= {"Condition": condition} if condition else {}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


OWN_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


TASKS = trust("ecs-tasks.amazonaws.com", **OWN_ACCOUNT)


def role(name="web", assume=TASKS, **more):
    attributes = {
        "id": name,
        "name": name,
        "arn": arn("iam", f"role/{name}"),
        "path": "/",
        "assume_role_policy": assume,
    }
    return resource("aws_iam_role", name, {**attributes, "max_session_duration": 3600, **more})


def attached(policy, to="web", kind="role"):
    return resource(f"aws_iam_{kind}_policy_attachment", policy[-5:], {kind: to, "policy_arn": policy, "id": "x"})


def policy(name="read", **more):
    attributes = {"id": name, "name": name, "arn": arn("iam", f"policy/{name}"), "path": "/", "description": ""}
    return resource("aws_iam_policy", name, {**attributes, "policy": json.dumps(READ), **more})


ROLES = {
    "a preset with its policies": ([role(), attached(EXECUTION)], {"preset": "ecs_task_execution"}),
    "a preset and more": (
        [role(), attached(EXECUTION), policy(), attached(arn("iam", "policy/read"))],
        {"preset": "ecs_task_execution", "managed_policies": ["read"]},
    ),
    "a preset without policies": ([role()], {"preset": "ecs_task"}),
    "no preset": (
        [role(assume=trust("lambda.amazonaws.com"), path="/x/", description="d", max_session_duration=7200)],
        {
            "assume_role_policy": json.loads(trust("lambda.amazonaws.com")),
            "path": "/x/",
            "description": "d",
            "max_session_duration": 7200,
        },
    ),
    "AWS's own policy": (
        [role(), attached("arn:aws:iam::aws:policy/X")],
        {"preset": "ecs_task", "managed_policies": ["aws:X"]},
    ),
    "an inline policy of its own resource": (
        [role(), resource("aws_iam_role_policy", "x", {"role": "web", "name": "read", "policy": json.dumps(READ)})],
        {"preset": "ecs_task", "inline_policies": {"read": READABLE}},
    ),
    "an inline policy in the role": (
        [role(inline_policy=[{"name": "read", "policy": json.dumps(READ)}])],
        {"preset": "ecs_task", "inline_policies": {"read": READABLE}},
    ),
    "an attachment to several": (
        [
            role(),
            resource("aws_iam_policy_attachment", "x", {"roles": ["web"], "policy_arn": "arn:aws:iam::aws:policy/X"}),
        ],
        {"preset": "ecs_task", "managed_policies": ["aws:X"]},
    ),
    "a boundary of another stack": (
        [role(permissions_boundary=arn("iam", "policy/far"))],
        {"preset": "ecs_task", "permissions_boundary": arn("iam", "policy/far")},
    ),
    "an instance profile of its name": (
        [
            role(assume=trust("ec2.amazonaws.com")),
            attached("arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"),
            resource("aws_iam_instance_profile", "x", {"name": "web", "role": "web", "path": "/"}),
        ],
        {"preset": "ecs_instance", "instance_profile": True},
    ),
}


@pytest.mark.parametrize(("resources", "expected"), ROLES.values(), ids=ROLES)
def test_roles(resources, expected, tmp_path):
    imported = Imported(*resources)
    assert imported.declared("iam")["roles"] == [{"name": "web", **expected}]
    assert (imported.unmapped(), imported.left()) == ({}, set())
    assert "iam_role/web" in imported.validate(tmp_path)


def test_an_instance_profile_of_another_name_is_one_of_its_own():
    profile = resource("aws_iam_instance_profile", "x", {"name": "other", "role": "web", "path": "/p/"})
    declared = Imported(role(), profile).declared("iam")
    assert declared["instance_profiles"] == [{"name": "other", "role": "web", "path": "/p/"}]


def test_an_instance_profile_of_a_role_that_is_for_something_else_is_one_of_its_own(tmp_path):
    profile = resource("aws_iam_instance_profile", "x", {"name": "web", "role": "web", "path": "/"})
    imported = Imported(role(), profile)
    assert imported.declared("iam")["instance_profiles"] == [{"name": "web", "role": "web"}]
    imported.validate(tmp_path)


def test_users_and_policies():
    user = resource("aws_iam_user", "ci", {"id": "ci", "name": "ci", "path": "/", "arn": arn("iam", "user/ci")})
    key = resource("aws_iam_access_key", "ci", {"id": "AKIA", "user": "ci", "secret": "hidden"}, sensitive=["secret"])
    imported = Imported(user, key, policy(path="/p/"), attached(arn("iam", "policy/read"), "ci", "user"))
    assert imported.declared("iam") == {
        "policies": [{"name": "read", "path": "/p/", "document": READABLE}],
        "users": [{"name": "ci", "managed_policies": ["read"]}],
    }
    assert "let the layer make a new one" in imported.unmapped()["aws_iam_access_key.ci"]
    assert not [path for path, text in imported.files.items() if "hidden" in text]


def test_openid_connect_providers(tmp_path):
    name = "token.actions.githubusercontent.com"
    attributes = {"id": "x", "arn": arn("iam", f"oidc-provider/{name}"), "url": name, "thumbprint_list": ["a" * 40]}
    clients = {"client_id_list": ["shop", "sts.amazonaws.com"]}
    imported = Imported(resource("aws_iam_openid_connect_provider", "github", {**attributes, **clients}))
    expected = {"url": f"https://{name}", "client_ids": ["shop", "sts.amazonaws.com"]}
    assert imported.declared("iam")["openid_connect_providers"] == [expected]
    assert (imported.unmapped(), imported.left()) == ({}, set())
    assert f"iam_openid_connect_provider/{name}" in imported.validate(tmp_path)
