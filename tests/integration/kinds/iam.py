# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of IAM, and providers of tokens: every change that AWS lets one make, alone."""

from __future__ import annotations

from typing import Any

AWS = "arn:aws:iam::aws:policy"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:web-{}"
KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-00000000000{}"


def document(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}


def trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


POLICIES = [{"name": "limit", "document": document("s3:*")}, {"name": "limit-more", "document": document("s3:Get*")}]
ROLE: dict[str, Any] = {
    "name": "web",
    "assume_role_policy": trust("ecs-tasks.amazonaws.com"),
    "path": "/web/",
    "description": "What the web tasks may do",
    "max_session_duration": 3600,
    "permissions_boundary": "limit",
    "managed_policies": ["aws:ReadOnlyAccess", "limit"],
    "inline_policies": {"bucket": document("s3:GetObject"), "queue": document("sqs:SendMessage")},
    "tags": {"Team": "web"},
}
USER: dict[str, Any] = {
    "name": "deployer",
    "path": "/web/",
    "permissions_boundary": "limit",
    "managed_policies": ["limit"],
    "inline_policies": {"bucket": document("s3:PutObject")},
    "tags": {"Team": "web"},
}


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def iam(**lists: Any) -> dict[str, Any]:
    return {"iam": {"web": lists}}


def role(**changes: Any) -> dict[str, Any]:
    return iam(policies=POLICIES, roles=[changed(ROLE, **changes)])


def user(**changes: Any) -> dict[str, Any]:
    return iam(policies=POLICIES, users=[changed(USER, **changes)])


def update(name: str, address: str, declared: dict[str, Any], *paths: str, **more: Any) -> dict[str, Any]:
    return {"id": f"iam {name}", "address": address, "declared": declared, "paths": list(paths), **more}


def replace(name: str, address: str, declared: dict[str, Any], *paths: str, **more: Any) -> dict[str, Any]:
    return update(name, address, declared, *paths, action="replace", **more)


INLINE = ROLE["inline_policies"]
WEB, DEPLOYER = "iam_role/web", "iam_user/deployer"
ROLE_CASE: dict[str, Any] = {
    "id": "iam role",
    "kind": "iam_role",
    "declared": role(),
    "updates": [
        update(
            "trust policy",
            WEB,
            role(assume_role_policy=trust("ec2.amazonaws.com")),
            "AssumeRolePolicyDocument.Statement",
        ),
        update("description", WEB, role(description="Something else"), "Description"),
        update("session", WEB, role(max_session_duration=7200), "MaxSessionDuration"),
        update("boundary", WEB, role(permissions_boundary="limit-more"), "PermissionsBoundary"),
        update("no boundary", WEB, role(permissions_boundary=""), "PermissionsBoundary"),
        update("fewer managed policies", WEB, role(managed_policies=["limit"]), "ManagedPolicyArns"),
        update("other managed policies", WEB, role(managed_policies=["limit", "limit-more"]), "ManagedPolicyArns"),
        update(
            "inline policy",
            WEB,
            role(inline_policies={**INLINE, "bucket": document("s3:ListBucket")}),
            "InlinePolicies[bucket]",
        ),
        update(
            "inline policies by name",
            WEB,
            role(inline_policies={"bucket": INLINE["bucket"], "topic": document("sns:Publish")}),
            "InlinePolicies[queue]",
            "InlinePolicies[topic]",
        ),
        update("role tags", WEB, role(tags={"Team": "api"}), "tags.Team"),
        replace("role path", WEB, role(path="/api/"), "Path"),
    ],
}
SECRETS = {"name": "execution", "preset": "ecs_task_execution", "secrets": [SECRET.format("a")]}
PRESET_CASE: dict[str, Any] = {
    "id": "iam role with a preset",
    "kind": "iam_role",
    "declared": iam(roles=[SECRETS]),
    "updates": [
        update(
            "secrets",
            "iam_role/execution",
            iam(roles=[{**SECRETS, "secrets": [SECRET.format("a"), SECRET.format("b")]}]),
            "InlinePolicies[secrets]",
        ),
    ],
}
INSTANCE = {"name": "instances", "preset": "ecs_instance", "instance_profile": True}
OTHER = {"name": "others", "preset": "ecs_instance"}


def profile(**changes: Any) -> dict[str, Any]:
    return iam(roles=[OTHER, INSTANCE], instance_profiles=[{"name": "own", "role": "instances", **changes}])


PROFILE_CASE: dict[str, Any] = {
    "id": "iam instance profile",
    "kind": "iam_instance_profile",
    "declared": profile(),
    "updates": [
        update("role of a profile", "iam_instance_profile/own", profile(role="others"), "Roles"),
        update("profile tags", "iam_instance_profile/own", profile(tags={"Team": "web"}), "tags.Team", back=False),
        replace("profile path", "iam_instance_profile/own", profile(path="/web/"), "Path", back=False),
        update(
            "session manager",
            "iam_role/instances",
            iam(
                roles=[OTHER, {**INSTANCE, "session_manager": True}],
                instance_profiles=[{"name": "own", "role": "instances"}],
            ),
            "ManagedPolicyArns",
        ),
        replace(
            "path of a role with profiles",
            "iam_role/instances",
            iam(
                roles=[OTHER, {**INSTANCE, "path": "/web/"}],
                instance_profiles=[{"name": "own", "role": "instances"}],
            ),
            "Path",
            consequences=["iam_instance_profile/instances", "iam_instance_profile/own"],
            back=False,
        ),
    ],
}


def policy(**changes: Any) -> dict[str, Any]:
    base = {"name": "limit", "path": "/web/", "document": document("s3:*"), "tags": {"Team": "web"}}
    return iam(policies=[{**base, **changes}], roles=[{**OTHER, "managed_policies": ["limit"]}])


POLICY_CASE: dict[str, Any] = {
    "id": "iam policy",
    "kind": "iam_policy",
    "declared": policy(),
    "updates": [
        update("document", "iam_policy/limit", policy(document=document("s3:Get*")), "Document.Statement"),
        update("policy tags", "iam_policy/limit", policy(tags={"Team": "api"}), "tags.Team"),
        replace("policy path", "iam_policy/limit", policy(path="/api/"), "Path", consequences=["iam_role/others"]),
    ],
}
USER_CASE: dict[str, Any] = {
    "id": "iam user",
    "kind": "iam_user",
    "declared": user(),
    "updates": [
        update("user path", DEPLOYER, user(path="/api/"), "Path"),
        update("user boundary", DEPLOYER, user(permissions_boundary="limit-more"), "PermissionsBoundary"),
        update("user without boundary", DEPLOYER, user(permissions_boundary=""), "PermissionsBoundary"),
        update("user managed policies", DEPLOYER, user(managed_policies=["limit-more"]), "ManagedPolicyArns"),
        update("user without managed policies", DEPLOYER, user(managed_policies=[]), "ManagedPolicyArns"),
        update("user inline policies", DEPLOYER, user(inline_policies={}), "InlinePolicies[bucket]"),
        update("user tags", DEPLOYER, user(tags={"Team": "api"}), "tags.Team"),
    ],
}


def key(**changes: Any) -> dict[str, Any]:
    access_key = {"secret": "web/deployer", "kms_key": KMS_KEY.format(1), **changes.pop("access_key", {})}
    return iam(users=[{"name": "deployer", "access_key": access_key, **changes}])


KEY = "iam_access_key/deployer"
KEY_CASE: dict[str, Any] = {
    "id": "iam access key",
    "kind": "iam_access_key",
    "declared": key(),
    "updates": [
        update("key of the secret", KEY, key(access_key={"kms_key": KMS_KEY.format(2)}), "KmsKeyId"),
        update("tags of the secret", KEY, key(tags={"Team": "web"}), "tags.Team", consequences=[DEPLOYER], back=False),
        replace("name of the secret", KEY, key(access_key={"secret": "web/other"}), "SecretName"),
    ],
}


def administrator(**changes: Any) -> dict[str, Any]:
    return iam(administrators=[{"name": "images", "layer": "ecr", "name_prefixes": ["web"], **changes}])


ADMINISTRATOR_CASE: dict[str, Any] = {
    "id": "iam administrator",
    "kind": "iam_user",
    "declared": administrator(),
    "updates": [
        update("reach", "iam_policy/images", administrator(name_prefixes=["web", "api"]), "Document.Statement"),
        update(
            "administrator tags",
            "iam_policy/images",
            administrator(tags={"Team": "web"}),
            "tags.Team",
            consequences=["iam_user/images"],
            back=False,
        ),
    ],
}
ROLE_OF_ADMINISTRATOR = {"type": "role", "trusted_principals": ["111122223333"]}
ADMINISTRATOR_ROLE_CASE: dict[str, Any] = {
    "id": "iam administrator as a role",
    "kind": "iam_role",
    "declared": administrator(**ROLE_OF_ADMINISTRATOR),
    "updates": [
        update(
            "trusted principals",
            "iam_role/images",
            administrator(type="role", trusted_principals=["111122223333", "arn:aws:iam::444455556666:role/people"]),
            "AssumeRolePolicyDocument.Statement",
        ),
    ],
}
PROVIDER: dict[str, Any] = {"url": "https://gitlab.example.com", "client_ids": ["sts.amazonaws.com", "https://shop"]}


def provider(**changes: Any) -> dict[str, Any]:
    return iam(openid_connect_providers=[changed(PROVIDER, **changes)])


GITLAB = "iam_openid_connect_provider/gitlab.example.com"
PROVIDER_CASE: dict[str, Any] = {
    "id": "iam openid connect provider",
    "kind": "iam_openid_connect_provider",
    "declared": provider(thumbprints=["a" * 40]),
    "updates": [
        update(
            "client ids", GITLAB, provider(client_ids=["https://shop", "b"], thumbprints=["a" * 40]), "ClientIDList"
        ),
        update("thumbprints", GITLAB, provider(thumbprints=["B" * 40]), "ThumbprintList"),
        update("provider tags", GITLAB, provider(thumbprints=["a" * 40], tags={"Team": "web"}), "tags.Team"),
    ],
}
DEPLOYED: dict[str, Any] = {
    "cluster": "shop",
    "service": "web",
    "repositories": ["web"],
    "roles": ["web-execution"],
    "log_groups": ["/ecs/web"],
}


def deploy_role(service: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    made = {
        "name": "web-deploy",
        "gitlab": {"project": "shop/web", "branches": ["main"], "provider": PROVIDER["url"]},
        "services": [{**DEPLOYED, **(service or {})}],
    }
    return iam(
        openid_connect_providers=[PROVIDER],
        roles=[{"name": "web-execution", "preset": "ecs_task_execution"}],
        deploy_roles=[{**made, **changes}],
    )


DEPLOY = "iam_role/web-deploy"
DEPLOY_ROLE_CASE: dict[str, Any] = {
    "id": "iam deploy role",
    "kind": "iam_role",
    "declared": deploy_role(),
    "updates": [
        update(
            "who may deploy",
            DEPLOY,
            deploy_role(gitlab={"project": "shop/web", "tags": ["v*"], "provider": PROVIDER["url"]}),
            "AssumeRolePolicyDocument.Statement",
        ),
        update(
            "what it deploys", DEPLOY, deploy_role(service={"repositories": ["web", "proxy"]}), "InlinePolicies[deploy]"
        ),
        update("state", DEPLOY, deploy_role(remote_state={"bucket": "shop-state"}), "InlinePolicies[deploy]"),
    ],
}
CASES: list[dict[str, Any]] = [
    ROLE_CASE,
    PRESET_CASE,
    PROFILE_CASE,
    POLICY_CASE,
    USER_CASE,
    KEY_CASE,
    ADMINISTRATOR_CASE,
    ADMINISTRATOR_ROLE_CASE,
    PROVIDER_CASE,
    DEPLOY_ROLE_CASE,
]
