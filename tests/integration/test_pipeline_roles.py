# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles of pipelines: every call that a deploy really makes is allowed; the provider that environments share."""

from __future__ import annotations

import copy
import json

import botocore.client
import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import follow, one_off
from ansible_collections.dockyard.aws.plugins.module_utils.image import run as image
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError
from tests.integration import art
from tests.integration.deploys import Deployer, declared, push
from tests.policies import allows

STATE = {"bucket": "art-service-terraform-state", "lock_table": "art-service-terraform-locks", "lock": "both"}
GITHUB = {"repository": "acme/web", "branches": ["main"]}
URL = "https://token.actions.githubusercontent.com"
PROVIDER = {"openid_connect_providers": [{"url": URL}]}
NAME = "token.actions.githubusercontent.com"
SERVICE = {
    "cluster": "web",
    "service": "web",
    "repositories": ["web"],
    "roles": ["web-execution", "web-task"],
    "log_groups": ["/ecs/web"],
}
ROLES = [{"name": "web-execution", "preset": "ecs_task_execution"}, {"name": "web-task", "preset": "ecs_task"}]
DEPLOY_ROLE = {"name": "web-deploy", "github": GITHUB, "services": [SERVICE], "remote_state": STATE}
TASKS = {"execution_role": "web-execution", "task_role": "web-task"}
REGION = "us-east-1"
ARN = "arn:aws:{}:us-east-1:123456789012:{}"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The simulation moves with every look, not with time."""
    for module in (follow, one_off):
        monkeypatch.setattr(module, "FIRST_DELAY", 0.01)
        monkeypatch.setattr(module, "LONGEST_DELAY", 0.05)
    monkeypatch.setattr(one_off, "LOG_DELAY", 0.01)


def family_of(revision):
    return revision.rsplit("/", 1)[-1].split(":")[0]


# What IAM looks at in a call, as the Service Authorization Reference has it: resource, and keys of conditions.
# What is not listed is asked for all resources.
RESOURCES = {
    "ecs:UpdateService": lambda call: ARN.format("ecs", f"service/{call['cluster']}/{call['service']}"),
    "ecs:StopServiceDeployment": lambda call: call["serviceDeploymentArn"],
    "ecs:RegisterTaskDefinition": lambda call: ARN.format("ecs", f"task-definition/{call['family']}:1"),
    "ecs:RunTask": lambda call: ARN.format("ecs", f"task-definition/{family_of(call['taskDefinition'])}:1"),
    "ecs:StopTask": lambda call: call["task"],
    "ecs:TagResource": lambda call: call["resourceArn"],
    "ecs:UntagResource": lambda call: call["resourceArn"],
    "logs:GetLogEvents": lambda call: ARN.format(
        "logs", f"log-group:{call['logGroupName']}:log-stream:{call['logStreamName']}"
    ),
    **{
        f"ecr:{name}": lambda call: ARN.format("ecr", f"repository/{call['repositoryName']}")
        for name in ("BatchGetImage", "DescribeImages", "GetDownloadUrlForLayer", "PutImage")
    },
    **{
        f"s3:{name}": lambda call: f"arn:aws:s3:::{call['Bucket']}/{call['Key']}"
        for name in ("GetObject", "PutObject", "DeleteObject")
    },
    "s3:ListObjectsV2": lambda call: f"arn:aws:s3:::{call['Bucket']}",
    **{
        f"dynamodb:{name}": lambda call: ARN.format("dynamodb", f"table/{call['TableName']}")
        for name in ("GetItem", "PutItem", "DeleteItem")
    },
    "dynamodb:BatchGetItem": lambda call: ARN.format("dynamodb", f"table/{next(iter(call['RequestItems']))}"),
}
NAMES = {"elbv2": "elasticloadbalancing", "s3:ListObjectsV2": "s3:ListBucket"}
ON_TAGGING = {
    "ecs:RegisterTaskDefinition": lambda call: ARN.format("ecs", f"task-definition/{call['family']}:1"),
    "ecs:RunTask": lambda call: ARN.format("ecs", f"task/{call['cluster'].rsplit('/', 1)[-1]}/1"),
}


def demands(action, call):
    """What IAM checks for a call: action, resource, and keys of conditions."""
    resource = RESOURCES.get(action, lambda _call: "*")(call)
    keys = {"aws:RequestedRegion": REGION}
    if action == "ecs:RunTask":
        keys["ecs:cluster"] = ARN.format("ecs", f"cluster/{call['cluster'].rsplit('/', 1)[-1]}")
    if action.startswith("dynamodb:") and action != "dynamodb:BatchGetItem":
        keys["dynamodb:LeadingKeys"] = (call.get("Key") or call["Item"])["LockID"]["S"]
    yield NAMES.get(action, action), resource, keys
    if call.get("tags") and action in ON_TAGGING:
        made_by = {**keys, "ecs:CreateAction": action.split(":")[1]}
        yield "ecs:TagResource", ON_TAGGING[action](call), made_by
    for field in ("taskRoleArn", "executionRoleArn") if action == "ecs:RegisterTaskDefinition" else ():
        yield "iam:PassRole", call[field], {"iam:PassedToService": "ecs-tasks.amazonaws.com"}


def recorded(monkeypatch):
    """Every call that is made from now on."""
    calls, original = [], botocore.client.BaseClient._make_api_call

    def call(self, operation, given):
        service = self.meta.service_model.service_name
        calls.append((f"{NAMES.get(service, service)}:{operation}", dict(given)))
        return original(self, operation, given)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    return calls


def deploy_policy(emulator):
    answer = emulator.client("iam").get_role_policy(RoleName="web-deploy", PolicyName="deploy")
    return answer["PolicyDocument"]


def test_every_call_of_a_deploy_is_allowed(runner, emulator, tmp_path, monkeypatch):
    options = {"remote_state": STATE, "base_dir": str(tmp_path)}
    declarations = declared(TASKS, keep_revisions=2, deploy_tasks=[{"name": "migrate", "command": ["exit", "0"]}])
    iam = {"platform": PROVIDER, "web": {"roles": ROLES, "deploy_roles": [DEPLOY_ROLE]}}
    ecr = emulator.client("ecr")
    runner.make(art.declared("state_bucket"))
    runner.make({"iam": iam, "ecr": declarations["ecr"]}, **options)
    push(ecr, "v1")
    runner.make(declarations, **options)
    document = deploy_policy(emulator)
    for tag in ("v2", "v3", "unhealthy"):
        push(ecr, tag)
    deployer = Deployer(runner, declarations, **options)
    calls = recorded(monkeypatch)
    for tag in ("v2", "v3"):
        assert deployer.deploy(tag)["failures"] == {}
    assert deployer.deploy("unhealthy")["failures"]
    with pytest.raises((PlanError, ReconcileError), match="has no image"):
        deployer.deploy("v9")
    assert deployer.deploy(revision="previous")["failures"] == {}
    assert "failed" not in deployer.run_task(command=["exit", "0"])
    deployer.status()
    deployer.scale(3)
    made = {action for action, _call in calls}
    assert made >= {
        "ecs:UpdateService",
        "ecs:RunTask",
        "ecs:RegisterTaskDefinition",
        "logs:GetLogEvents",
        "iam:GetRole",
    }
    refused = {
        (action, resource)
        for name, call in calls
        for action, resource, keys in demands(name, call)
        if not allows(document, action, resource, **keys)
    }
    assert refused == set()


def test_the_calls_of_site_are_not_allowed(runner, emulator, monkeypatch):
    """Whatever it writes to make the same service; reading is the same."""
    iam = {"platform": PROVIDER, "web": {"roles": ROLES, "deploy_roles": [DEPLOY_ROLE]}}
    runner.make({"iam": iam})
    document = deploy_policy(emulator)
    calls = recorded(monkeypatch)
    declarations = declared(TASKS)
    runner.make({"ecr": declarations["ecr"]})
    runner.make(declarations)
    writing = {name: call for name, call in calls if not name.split(":")[1].startswith(("Describe", "Get", "List"))}
    allowed = {
        name
        for name, call in writing.items()
        if all(allows(document, *one[:2], **one[2]) for one in demands(name, call))
    }
    assert allowed == {"ecs:RegisterTaskDefinition"}
    assert writing.keys() >= {"ecs:CreateService", "ecr:CreateRepository", "ec2:CreateVpc", "logs:CreateLogGroup"}


# What a push calls beside what the module calls itself.
OF_A_PUSH = ("BatchCheckLayerAvailability", "CompleteLayerUpload", "InitiateLayerUpload", "PutImage", "UploadLayerPart")


def test_every_call_of_an_image_is_allowed(runner, emulator, tmp_path, monkeypatch):
    iam = {"platform": PROVIDER, "web": {"roles": ROLES, "deploy_roles": [DEPLOY_ROLE]}}
    runner.make({"iam": iam, "ecr": declared()["ecr"]})
    push(emulator.client("ecr"), "v1")
    document = deploy_policy(emulator)
    builder = tmp_path / "buildah"
    builder.write_text("#!/bin/sh\nexit 0\n")
    builder.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "Containerfile").touch()
    calls = recorded(monkeypatch)
    for tag in ("v1", "v2"):
        build = {"repository": "web", "context": str(tmp_path), "tags": ["stable"] if tag == "v1" else []}
        given = {**runner.params({}), "declared": {"image": {"web": {"builds": [build]}}}, "tag": tag}
        image.run(given, False, runner.progress.append)
    made = {action for action, _call in calls}
    assert made >= {"ecr:GetAuthorizationToken", "ecr:DescribeRepositories", "ecr:BatchGetImage", "ecr:PutImage"}
    asked = {one[:2] for name, call in calls for one in demands(name, call)}
    asked |= {(f"ecr:{name}", ARN.format("ecr", "repository/web")) for name in OF_A_PUSH}
    allowed = {item for item in asked if allows(document, *item, **{"aws:RequestedRegion": REGION})}
    assert asked - allowed == set()
    assert not allows(document, "ecr:PutImage", ARN.format("ecr", "repository/other"))


def trusting(name):
    return {"roles": [{"name": name, "github": {**GITHUB, "repository": f"acme/{name}"}}]}


def run(runner, declarations, environment, **options):
    return runner.make(declarations, environment_name=environment, **options)


def test_environments_share_a_provider(runner, emulator):
    iam = emulator.client("iam")
    missing = {"iam": {"platform": trusting("lms-ci")}}
    with pytest.raises(PlanError, match=f"OpenID Connect provider '{NAME}' is neither declared .* nor found in AWS"):
        runner.plan(missing, environment_name="lms")
    owner = {"iam": {"platform": {**PROVIDER, **trusting("art-ci")}}}
    run(runner, owner, "art")
    user = run(runner, missing, "lms")
    assert user.done == [("create", "iam_role", "lms-ci")]
    statement = iam.get_role(RoleName="lms-ci")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement["Principal"]["Federated"] == f"arn:aws:iam::123456789012:oidc-provider/{NAME}"

    both = copy.deepcopy(missing)
    both["iam"]["platform"] |= PROVIDER
    with pytest.raises(PlanError, match="belongs to the environment 'art' .*: leave it out here"):
        runner.plan(both, environment_name="lms")
    with pytest.raises(PlanError, match="the role lms-ci of the environment lms trusts it"):
        runner.plan(owner, environment_name="art", state="absent")

    arn = statement["Principal"]["Federated"]
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=arn, TagKeys=["dockyard:environment"])
    gone = run(runner, owner, "art", state="absent")
    assert gone.done == [("delete", "iam_role", "art-ci")]
    taken = run(runner, both, "lms")
    assert taken.done == [("adopt", "iam_openid_connect_provider", NAME)]


def test_a_provider_made_by_hand_is_used_as_it_is(runner, emulator):
    iam = emulator.client("iam")
    made = iam.create_open_id_connect_provider(Url=URL, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])
    declarations = {"iam": {"platform": trusting("web-ci")}}
    runner.make(declarations)
    emulator.reset_calls()
    runner.assert_nothing_to_do(declarations)
    runner.make(declarations, state="absent")
    answer = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=made["OpenIDConnectProviderArn"])
    assert (answer["ThumbprintList"], answer.get("Tags", [])) == (["a" * 40], [])


def test_a_provider_is_not_deleted_while_a_role_made_by_hand_trusts_it(runner, emulator):
    declarations = {"iam": {"platform": PROVIDER}}
    runner.make(declarations)
    arn = f"arn:aws:iam::123456789012:oidc-provider/{NAME}"
    one = {"Effect": "Allow", "Principal": {"Federated": arn}, "Action": "sts:AssumeRoleWithWebIdentity"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [one]})
    iam = emulator.client("iam")
    iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=document)
    with pytest.raises(PlanError, match="the role by-hand of no environment trusts it"):
        runner.plan(declarations, state="absent")
    iam.delete_role(RoleName="by-hand")
    assert runner.make(declarations, state="absent").done == [("delete", "iam_openid_connect_provider", NAME)]


def test_an_audience_that_somebody_added_is_drift(runner, emulator, tmp_path):
    options = {"remote_state": {"bucket": "no-bucket-yet"}, "base_dir": str(tmp_path)}
    declarations = {"iam": {"platform": PROVIDER}}
    runner.make(declarations, **options)
    arn = f"arn:aws:iam::123456789012:oidc-provider/{NAME}"
    emulator.client("iam").add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="theirs")
    (change,) = runner.plan(declarations, **options).plan.shown()
    assert (change.action, change.reason, [item.path for item in change.differences]) == (
        "update",
        "drift",
        ["ClientIDList"],
    )
    runner.make(declarations, **options)
    runner.assert_nothing_to_do(declarations)
