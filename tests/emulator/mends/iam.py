# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of IAM."""

from __future__ import annotations

import copy
import json
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import (
    DeleteConflictException,
    EntityAlreadyExists,
    InvalidInput,
    MalformedPolicyDocument,
    NotFoundException,
)
from moto.iam.models import SERVICE_NAME_CONVERSION, IAMBackend, User
from moto.iam.responses import IamResponse

from emulator.patching import replace

PROTOTYPES: list[Any] = []
LINKED_NAMES = {
    "ecs.amazonaws.com": "ECS",
    "autoscaling.amazonaws.com": "AutoScaling",
    "elasticloadbalancing.amazonaws.com": "ElasticLoadBalancing",
    "ecs.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_ECSService",
}


@replace(IAMBackend, "_init_aws_policies")
def init_aws_policies(original: Any, self: Any) -> list[Any]:
    """Not a matter of AWS but of speed: moto parses 1,500 managed policies for each of five partitions, every reset."""
    if self.region_name != "aws":
        return []
    if not PROTOTYPES:
        PROTOTYPES.extend(original(self))
    policies = [copy.copy(one) for one in PROTOTYPES]
    for policy in policies:
        policy.account_id = self.account_id
    return policies


@replace(IAMBackend, "delete_policy")
def delete_policy(original: Any, self: Any, policy_arn: str) -> None:
    """AWS refuses to delete an attached policy, or one with more than its default version. moto deleted both."""
    policy = self.get_policy(policy_arn)
    if policy.attachment_count > 0:
        raise DeleteConflictException("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise DeleteConflictException("This policy has more than one version. Delete the non-default versions first.")
    original(self, policy_arn)


@replace(IAMBackend, "create_role")
def create_role(
    original: Any, self: Any, role_name: str, assume_role_policy_document: str, *args: Any, **kwargs: Any
) -> Any:
    """A trust policy must be JSON, and each statement must have a principal and no resource. moto took anything."""
    check_trust_policy(assume_role_policy_document)
    return original(self, role_name, assume_role_policy_document, *args, **kwargs)


@replace(IAMBackend, "update_assume_role_policy")
def update_assume_role_policy(original: Any, self: Any, role_name: str, assume_role_policy: str) -> None:
    """As for CreateRole."""
    check_trust_policy(assume_role_policy)
    original(self, role_name, assume_role_policy)


def check_trust_policy(text: str) -> None:
    """Raise MalformedPolicyDocument as AWS does."""
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError) as exc:
        raise MalformedPolicyDocument("This policy contains invalid Json") from exc
    for statement in statements if isinstance(statements, list) else [statements]:
        if "Resource" in statement:
            raise MalformedPolicyDocument("Has prohibited field Resource")
        if "Principal" not in statement:
            raise MalformedPolicyDocument("Missing required field Principal")


@replace(IAMBackend, "create_service_linked_role")
def create_service_linked_role(original: Any, self: Any, service_name: str, *args: Any, **kwargs: Any) -> Any:
    """The names are AWS's, e.g. AWSServiceRoleForECS, and a second one is InvalidInput. moto made up the names."""
    if service_name in LINKED_NAMES:
        SERVICE_NAME_CONVERSION[service_name.split(".")[-3]] = LINKED_NAMES[service_name].partition("_")[0]
    try:
        return original(self, service_name, *args, **kwargs)
    except EntityAlreadyExists as exc:
        raise InvalidInput(
            f"Service role name AWSServiceRoleFor{LINKED_NAMES.get(service_name, '')} has been taken in this account, "
            f"please try a different suffix."
        ) from exc


@replace(IAMBackend, "get_account_authorization_details")
def get_account_authorization_details(original: Any, self: Any, policy_filter: list[str]) -> dict[str, Any]:
    """Of AWS's own policies only those in use are part of the account: moto answered all 1,500."""
    details: dict[str, Any] = original(self, policy_filter)
    entities = [*self.roles.values(), *self.users.values()]
    used = {arn for one in entities for arn in (*one.managed_policies, getattr(one, "permissions_boundary_arn", None))}
    used |= {arn for group in self.groups.values() for arn in group.managed_policies}
    own = {policy.arn for policy in self.aws_managed_policies}
    kept = [one for one in details["managed_policies"] if one.arn not in own or one.arn in used]
    details["managed_policies"] = [WithName(policy) for policy in kept]
    return details


class WithName:
    """A managed policy whose name the serializer finds: moto's answer lacked PolicyName."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy
        self.policy_name = policy.name
        self.policy_id = policy.id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._policy, name)


def user_boundary(self: Any) -> dict[str, str] | None:
    """The answer's form of a user's permissions boundary."""
    arn = getattr(self, "permissions_boundary_arn", None)
    kind = {"PermissionsBoundaryType": "Policy"}
    return {**kind, "PermissionsBoundaryArn": arn} if arn else None


setattr(User, "permissions_boundary", property(user_boundary))  # noqa: B010 - mypy knows no such attribute


@replace(IamResponse, "create_user")
def create_user(original: Any, self: Any) -> ActionResult:
    """PermissionsBoundary is kept: moto ignored it on users."""
    result: ActionResult = original(self)
    self.backend.users[self._get_param("UserName")].permissions_boundary_arn = self._get_param("PermissionsBoundary")
    return result


@replace(IamResponse, "put_user_permissions_boundary")
def put_user_permissions_boundary(_original: Any, self: Any) -> ActionResult:
    """moto knew no such call."""
    user = self.backend.get_user(self._get_param("UserName"))
    user.permissions_boundary_arn = self._get_param("PermissionsBoundary")
    return EmptyResult()


@replace(IamResponse, "delete_user_permissions_boundary")
def delete_user_permissions_boundary(_original: Any, self: Any) -> ActionResult:
    """moto knew no such call."""
    self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = None
    return EmptyResult()


@replace(IAMBackend, "update_user")
def update_user(original: Any, self: Any, user_name: str, *args: Any, **kwargs: Any) -> None:
    """A user keeps its tags when its path or name changes: moto finds them by ARN and lost them."""
    user = self.get_user(user_name)
    tags = self.tagger.list_tags_for_resource(user.arn)["Tags"]
    self.tagger.delete_all_tags_for_resource(user.arn)
    original(self, user_name, *args, **kwargs)
    self.tagger.tag_resource(user.arn, tags)


@replace(IAMBackend, "remove_role_from_instance_profile")
def remove_role_from_instance_profile(original: Any, self: Any, profile_name: str, role_name: str) -> None:
    """A role that is not in the profile: NoSuchEntity. moto crashed."""
    if self.get_role(role_name) not in self.get_instance_profile(profile_name).roles:
        raise NotFoundException(f"Role {role_name} in Instance Profile {profile_name} cannot be found.")
    original(self, profile_name, role_name)


@replace(IamResponse, "add_client_id_to_open_id_connect_provider")
def add_client_id_to_open_id_connect_provider(_original: Any, self: Any) -> ActionResult:
    """moto knew no such call."""
    clients = _provider(self).client_id_list
    clients += [client for client in [self._get_param("ClientID")] if client not in clients]
    return EmptyResult()


@replace(IamResponse, "remove_client_id_from_open_id_connect_provider")
def remove_client_id_from_open_id_connect_provider(_original: Any, self: Any) -> ActionResult:
    """moto knew no such call."""
    provider = _provider(self)
    provider.client_id_list = [client for client in provider.client_id_list if client != self._get_param("ClientID")]
    return EmptyResult()


def _provider(response: Any) -> Any:
    return response.backend.get_open_id_connect_provider(response._get_param("OpenIDConnectProviderArn"))
