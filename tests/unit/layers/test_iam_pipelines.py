# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles of pipelines: who may assume them, what they may do, and what is refused."""

from __future__ import annotations

import botocore.session
import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import documents, remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment, parse
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs import Ecs
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam import Iam
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam_administrators import ACTIONS
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam_pipeline_options import REMOTE_STATE
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref
from tests.policies import allows, texts

LAYER = Iam()
SHOP = Environment("shop", "eu-central-1", "123456789012")
CHINA = Environment("shop", "cn-north-1", "123456789012", "aws-cn")
GITHUB = {"repository": "acme/shop", "branches": ["main"]}
SERVICE = {
    "cluster": "shop",
    "service": "web",
    "repositories": ["shop/web"],
    "roles": ["web-execution", "web-task"],
    "log_groups": ["/ecs/web"],
}
STATE = {"bucket": "shop-state", "lock_table": "shop-locks", "prefix": "a/b"}
ACTIONS_NAME = "token.actions.githubusercontent.com"
HERE = "arn:aws:{}:eu-central-1:123456789012:{}"
REGION = {"aws:RequestedRegion": "eu-central-1"}


def declaration(**options):
    result, problems = parse(LAYER, "web", options)
    assert not problems, problems
    return result


def made(environment=SHOP, service=None, **options):
    """The deploy role as a resource."""
    role = {"name": "deploy", "github": GITHUB, "services": [{**SERVICE, **(service or {})}], **options}
    (resource,) = LAYER.resources(declaration(deploy_roles=[role]), environment)
    return resource


def policy(**options):
    """Its policy, with ARNs in place of references."""

    def plain(value):
        if isinstance(value, Ref):
            return f"arn:aws:iam::123456789012:role/{value.name}"
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items()}
        return [plain(inner) for inner in value] if isinstance(value, list) else value

    return plain(made(**options).properties["InlinePolicies"]["deploy"])


def statement(environment=SHOP, **options):
    (found,) = made(environment, **options).properties["AssumeRolePolicyDocument"]["Statement"]
    return found


def gitlab(**options):
    return {"github": None, "gitlab": {"project": "acme/apps/shop", **options}}


SUBJECTS = {
    "branch": ({"github": GITHUB}, "StringEquals", ["repo:acme/shop:ref:refs/heads/main"]),
    "a repository with ids": (
        {"github": {**GITHUB, "repository": "acme@12/shop@34"}},
        "StringEquals",
        ["repo:acme@12/shop@34:ref:refs/heads/main"],
    ),
    "git tags": (
        {"github": {"repository": "acme/shop", "tags": ["v*"]}},
        "StringLike",
        ["repo:acme/shop:ref:refs/tags/v*"],
    ),
    "environments": (
        {"github": {"repository": "acme/shop", "environments": ["production", "a:b"]}},
        "StringEquals",
        ["repo:acme/shop:environment:production", "repo:acme/shop:environment:a%3Ab"],
    ),
    "gitlab branch": (
        gitlab(branches=["main"]),
        "StringEquals",
        ["project_path:acme/apps/shop:ref_type:branch:ref:main"],
    ),
    "gitlab tags": (gitlab(tags=["v?"]), "StringLike", ["project_path:acme/apps/shop:ref_type:tag:ref:v?"]),
}


@pytest.mark.parametrize(("options", "operator", "subjects"), SUBJECTS.values(), ids=SUBJECTS)
def test_who_may_deploy(options, operator, subjects):
    found = statement(**options)
    provider = "gitlab.com" if options.get("gitlab") else ACTIONS_NAME
    assert found["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert found["Principal"] == {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{provider}"}
    assert found["Condition"]["StringEquals"][f"{provider}:aud"] == "sts.amazonaws.com"
    assert found["Condition"][operator][f"{provider}:sub"] == subjects
    assert [item for item in made(**options).depends_on if item.name == provider]


def test_other_partitions_providers_and_audiences():
    github = {**GITHUB, "provider": "https://git.acme.example/_services/token", "audience": "shop"}
    found = statement(CHINA, github=github)
    assert found["Principal"]["Federated"].startswith("arn:aws-cn:iam::123456789012:oidc-provider/git.acme.example/_")
    assert found["Condition"]["StringEquals"]["git.acme.example/_services/token:aud"] == "shop"


def test_a_role_that_only_plans_takes_pull_requests():
    role = {"name": "plan", "github": {"repository": "acme/shop", "pull_requests": True}}
    (resource,) = LAYER.resources(declaration(roles=[{**role, "managed_policies": ["aws:ReadOnlyAccess"]}]), SHOP)
    (found,) = resource.properties["AssumeRolePolicyDocument"]["Statement"]
    assert found["Condition"]["StringEquals"][f"{ACTIONS_NAME}:sub"] == ["repo:acme/shop:pull_request"]
    assert resource.properties["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]


def test_the_policy_is_well_formed_and_names_calls_that_exist():
    document = policy(remote_state={**STATE, "lock": "both"}, service={"service_roles": ["web-hooks"]})
    assert list(documents.problems(document, "identity")) == []
    session, names = botocore.session.get_session(), {"elasticloadbalancing": "elbv2"}
    actions = {action for item in document["Statement"] for action in texts(item["Action"])}
    for action in sorted(actions - {"iam:PassRole"}):
        service, name = action.split(":")
        model = session.get_service_model(names.get(service, service))
        assert name in model.operation_names or service == "s3", action


ECS = HERE.format("ecs", "{}")
TO_TASKS, TO_ECS = ({"iam:PassedToService": f"{name}.amazonaws.com"} for name in ("ecs-tasks", "ecs"))
IN_SHOP = {"ecs:cluster": ECS.format("cluster/shop")}
ROLE = "arn:aws:iam::123456789012:role/{}"
BUCKET = "arn:aws:s3:::shop-state"
LEADING = "dynamodb:LeadingKeys"
CALLS = [
    # action, allowed, refused, what else the call says
    ("ecs:UpdateService", ECS.format("service/shop/web"), ECS.format("service/shop/api"), {}),
    ("ecs:UpdateService", ECS.format("service/shop/web"), ECS.format("service/other/web"), {}),
    ("ecs:RegisterTaskDefinition", ECS.format("task-definition/web:7"), ECS.format("task-definition/web-2:7"), {}),
    ("ecs:RunTask", ECS.format("task-definition/web:7"), ECS.format("task-definition/api:7"), IN_SHOP),
    ("ecs:StopTask", ECS.format("task/shop/1"), ECS.format("task/other/1"), {}),
    ("ecr:PutImage", HERE.format("ecr", "repository/shop/web"), HERE.format("ecr", "repository/shop/webs"), {}),
    ("ecr:BatchGetImage", HERE.format("ecr", "repository/shop/web"), HERE.format("ecr", "repository/web"), {}),
    ("iam:PassRole", ROLE.format("web-task"), ROLE.format("web-task2"), TO_TASKS),
    ("iam:PassRole", ROLE.format("web-hooks"), ROLE.format("web-task"), TO_ECS),
    (
        "logs:GetLogEvents",
        HERE.format("logs", "log-group:/ecs/web:log-stream:web/1"),
        HERE.format("logs", "log-group:/ecs/api:log-stream:web/1"),
        {},
    ),
    ("s3:PutObject", f"{BUCKET}/a/b/ecs/services/terraform.tstate", f"{BUCKET}/a/b/iam/roles/terraform.tstate", {}),
    ("s3:DeleteObject", f"{BUCKET}/a/b/ecs/services/x.tflock", f"{BUCKET}/a/b/ecs/services/x", {}),
    (
        "dynamodb:PutItem",
        HERE.format("dynamodb", "table/shop-locks"),
        HERE.format("dynamodb", "table/others"),
        {LEADING: "shop-state/a/b/ecs/services/terraform.tstate"},
    ),
]


@pytest.mark.parametrize(
    ("action", "yes", "no", "context"), CALLS, ids=lambda item: item if isinstance(item, str) else ""
)
def test_only_what_belongs_to_the_service(action, yes, no, context):
    document = policy(remote_state={**STATE, "lock": "both"}, service={"service_roles": ["web-hooks"]})
    assert allows(document, action, yes, **context)
    assert not allows(document, action, no, **context)


def test_conditions_hold():
    document = policy(remote_state=STATE)
    assert not allows(document, "iam:PassRole", ROLE.format("web-task"), **{"iam:PassedToService": "ec2.amazonaws.com"})
    assert not allows(document, "ecs:RunTask", ECS.format("task-definition/web:7"), **{"ecs:cluster": "other"})
    table = HERE.format("dynamodb", "table/shop-locks")
    assert not allows(document, "dynamodb:DeleteItem", table, **{LEADING: "shop-state/a/b/iam/terraform.tstate"})
    assert not allows(document, "ecs:TagResource", ECS.format("task/shop/1"))
    assert not allows(document, "ecs:DescribeServices", "*", **{"aws:RequestedRegion": "us-east-1"})


def test_the_setting_of_the_state_can_be_given_whole():
    assert REMOTE_STATE["options"].keys() == remote_state.ARGUMENT_SPEC["options"].keys()


ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY = "arn:aws:kms:us-west-2:123456789012:key/{}"
OF_ALIAS = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/state"}}
KEYS = {
    "arn": (KEY.format(ID), KEY.format(ID), None),
    "id": (ID, [KEY.format(ID)], None),
    "alias": ("alias/state", [KEY.format("*")], OF_ALIAS),
    "alias's arn": ("arn:aws:kms:us-west-2:123456789012:alias/state", [KEY.format("*")], OF_ALIAS),
}


@pytest.mark.parametrize(("given", "resource", "condition"), KEYS.values(), ids=KEYS)
def test_the_key_of_the_state_as_the_setting_names_it(given, resource, condition):
    """Policies know keys by their ARNs only."""
    document = policy(remote_state={**STATE, "region": "us-west-2", "encrypt": True, "kms_key_id": given})
    (found,) = (item for item in document["Statement"] if "kms:Decrypt" in item["Action"])
    assert (found["Resource"], found.get("Condition")) == (resource, condition)


def test_locks_in_another_region():
    document = policy(remote_state={**STATE, "region": "us-west-2"})
    assert allows(document, "dynamodb:GetItem", "arn:aws:dynamodb:us-west-2:123456789012:table/shop-locks")


READS = ("Describe", "Get", "List", "BatchGet", "BatchCheck")
OF_DEPLOYS = {
    *("ecs:DeregisterTaskDefinition", "ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UntagResource"),
    *("ecs:UpdateService", "iam:PassRole"),
}


@pytest.mark.parametrize("layer", ACTIONS)
def test_what_else_site_yml_writes_is_not_allowed(layer):
    """Neither on the service's own things nor on any."""
    document = policy()
    granted = {action for item in document["Statement"] for action in texts(item["Action"])}
    writes = {action for action in ACTIONS[layer] if not action.split(":")[1].startswith(READS)}
    assert granted & writes <= OF_DEPLOYS
    assert not [item for item in granted if "*" in item]


@pytest.mark.parametrize(
    "action", ["iam:GetAccountAuthorizationDetails", "ecr:PutImage", "s3:GetObject", "s3:ListBucket"]
)
def test_what_is_not_asked_for_is_not_given(action):
    document = policy(push=False)
    assert action not in {one for item in document["Statement"] for one in texts(item["Action"])}


def messages(**options):
    return [str(problem) for problem in LAYER.validate([declaration(**options)], SHOP)]


def bad(service=None, **options):
    role = {"name": "deploy", "github": GITHUB, "services": [{**SERVICE, **(service or {})}], **options}
    return {"deploy_roles": [role]}


def by_hand(condition, provider=ACTIONS_NAME):
    trusted = {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{provider}"}
    one = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}
    return {"roles": [{"name": "ci", "assume_role_policy": {"Version": "2012-10-17", "Statement": [one]}}]}


def subject(value, operator="StringLike", provider=ACTIONS_NAME):
    return by_hand({operator: {f"{provider}:sub": value}}, provider)


AUDIENCE = {"StringEquals": {f"{ACTIONS_NAME}:aud": "sts.amazonaws.com"}}
BAD = {
    "any repository": (bad(github={**GITHUB, "repository": "acme/*"}), "every repository that fits could assume"),
    "any owner": (bad(github={**GITHUB, "repository": "*/shop"}), "every repository that fits could assume"),
    "no owner": (bad(github={**GITHUB, "repository": "shop"}), "must be owner@id/name@id, or owner/name"),
    "half an id": (bad(github={**GITHUB, "repository": "acme@12/shop"}), "got 'acme@12/shop'"),
    "any id": (bad(github={**GITHUB, "repository": "acme@12/shop@*"}), "every repository that fits could assume"),
    "any project": (bad(**gitlab(project="acme/**", branches=["main"])), "every project that fits could assume"),
    "no pipeline": (bad(github=None), "needs github or gitlab, and not both"),
    "two pipelines": (bad(gitlab={"project": "acme/shop", "branches": ["main"]}), "got github and gitlab"),
    "nobody": (bad(github={"repository": "acme/shop"}), "github lets nobody in: name branches, tags, environments"),
    "pull requests": (bad(github={**GITHUB, "pull_requests": True}), "whoever can open a pull request could deploy"),
    "variable of IAM": (bad(github={**GITHUB, "branches": ["${aws:username}"]}), "no name that there can be"),
    "provider without scheme": (bad(github={**GITHUB, "provider": ACTIONS_NAME}), "with https://"),
    "two ways in": (
        {"roles": [{"name": "ci", "github": GITHUB, "preset": "ecs_task"}]},
        "who may assume the role; got preset and github",
    ),
    "no service": ({"deploy_roles": [{"name": "deploy", "github": GITHUB, "services": []}]}, "at least one service"),
    "all services": (bad(service={"service": "*"}), "services.service must be names, without wildcards, got '*'"),
    "all repositories": (bad(service={"repositories": ["*"]}), "services.repositories must be names"),
    "all roles": (bad(service={"roles": ["arn:aws:iam::123456789012:role/*"]}), "services.roles must be names"),
    "all log groups": (bad(service={"log_groups": ["/ecs/*"]}), "services.log_groups must be names"),
    "too many services": (
        {
            "deploy_roles": [
                bad()["deploy_roles"][0] | {"services": [{**SERVICE, "service": f"s-{n}"} for n in range(60)]}
            ]
        },
        "IAM allows 10240: make several roles",
    ),
    "url with a port": ({"openid_connect_providers": [{"url": "https://git.example:8443"}]}, "without port and query"),
    "url without scheme": ({"openid_connect_providers": [{"url": ACTIONS_NAME}]}, "must begin with https://"),
    "whole references": (bad(github={**GITHUB, "branches": ["refs/heads/main"]}), "without refs/heads/ or refs/tags/"),
    "too many branches": (
        bad(github={**GITHUB, "branches": [f"release/{number}-of-something-long" for number in range(80)]}),
        "IAM allows 4096: name fewer branches",
    ),
    "an empty audience": (
        {"openid_connect_providers": [{"url": "https://gitlab.com", "client_ids": [""]}]},
        "client_ids must have 1 to 255 characters each, got ''",
    ),
    "no audience": ({"openid_connect_providers": [{"url": "https://gitlab.com", "client_ids": []}]}, "client_ids must"),
    "no thumbprint": (
        {"openid_connect_providers": [{"url": "https://gitlab.com", "thumbprints": []}]},
        "thumbprints is empty, and IAM always has one",
    ),
    "thumbprint": ({"openid_connect_providers": [{"url": "https://gitlab.com", "thumbprints": ["ab"]}]}, "got 'ab'"),
    "unknown audience": (
        {**bad(), "openid_connect_providers": [{"url": f"https://{ACTIONS_NAME}", "client_ids": ["shop"]}]},
        "audience 'sts.amazonaws.com' is none of the client_ids",
    ),
    "no subject by hand": (by_hand(AUDIENCE), "lets all the world's jobs at token.actions.githubusercontent.com in"),
    "any subject by hand": (subject("*"), "lets all the world's jobs"),
    "any repository by hand": (subject(["repo:acme/shop:*", "repo:*"]), "lets all the world's jobs"),
    "any owner of a name by hand": (subject("repo:acme*/shop:*"), "lets all the world's jobs"),
    "any owner of a claim by hand": (subject("repository_owner:*"), "lets all the world's jobs"),
    "any project by hand": (
        subject("project_path:*:ref_type:branch:ref:main", provider="gitlab.com"),
        "at gitlab.com in",
    ),
    "an operator that proves nothing": (subject("repo:acme/shop:*", "StringNotLike"), "lets all the world's jobs"),
}


@pytest.mark.parametrize(("options", "text"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_refused(options, text):
    found = messages(**options)
    assert any(item.startswith("web: iam.") and text in item for item in found), found


GOOD = {
    "a deploy role": bad(),
    "one repository by hand": subject("repo:acme/shop:*"),
    "any id of one name by hand": subject("repo:acme@*/shop@*:ref:refs/heads/main"),
    "one owner by hand": subject("repo:acme/*", "ForAnyValue:StringLike"),
    "another principal": {"roles": [{"name": "a", "preset": "ecs_task"}]},
    "a provider of one's own": by_hand({}, "git.acme.example"),
}


@pytest.mark.parametrize("options", GOOD.values(), ids=GOOD)
def test_what_is_right_is_not_refused(options):
    assert messages(**options) == []


TASK = {
    "family": "web",
    "execution_role": "web-execution",
    "task_role": "arn:aws:iam::123456789012:role/tasks/web-task",
    "definition": [
        {
            "name": "web",
            "image": "x",
            "memory": 128,
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}},
        }
    ],
    "containers": {"web": {"image": {"repository": "shop/web", "tag": "1"}}},
}
LACKS = {
    "nothing": ({}, []),
    "a role": ({"roles": ["web-task"]}, ["roles lacks web-execution"]),
    "repositories": ({"repositories": []}, ["repositories lacks shop/web"]),
    "log groups": ({"log_groups": ["/ecs/api"]}, ["log_groups lacks /ecs/web"]),
    "the family": ({"family": "api"}, ["its family is not 'api'"]),
}


@pytest.mark.parametrize(("changes", "expected"), LACKS.values(), ids=LACKS)
def test_what_a_declared_service_needs_and_the_role_lacks_is_warned_of(changes, expected):
    services = [{"name": "web", "cluster": "shop", "task_definition": "web"}]
    ecs, problems = parse(Ecs(), "web", {"task_definitions": [TASK], "services": services})
    assert not problems
    declared = {item.address: item for item in Ecs().resources(ecs, SHOP)}
    found = [str(item) for item in LAYER.warn([declaration(**bad(service=changes))], declared)]
    assert len(found) == len(expected)
    assert all(text in item for text, item in zip(expected, found, strict=True)), found


@pytest.mark.parametrize("names", [["*"], ["main", "**"], ["main"], ["release/*"]], ids=",".join)
def test_every_branch_is_warned_of(names):
    found = [str(item) for item in LAYER.warn([declaration(**bad(github={**GITHUB, "branches": names}))], {})]
    wide = [name for name in names if not name.strip("*")]
    assert len(found) == len(wide)
    assert all(f"branches has {name!r}: whoever may push" in item for name, item in zip(wide, found, strict=True))
