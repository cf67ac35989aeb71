# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS IAM: roles, instance profiles, customer managed policies, users, access keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy, tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import secretsmanager
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_credentials import delete_credentials
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_details import (
    account_details,
    tags_of_namesake,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_principals import GONE, Principal, settled

MAX_POLICY_VERSIONS = 5
PERMISSIONS = frozenset({"ManagedPolicyArns", "InlinePolicies"})
# What GetAccountAuthorizationDetails does not say of a role.
LISTED = frozenset({"Description", "MaxSessionDuration"})


class IamRole(Principal):
    """A role with everything attached to it: trust policy, managed and inline policies, permissions boundary."""

    kind = "iam_role"
    named = frozenset({"name"})
    label = "IAM role"
    noun = "role"
    immutable = frozenset({"Path"})
    defaults = {
        "Description": "",
        "MaxSessionDuration": 3600,
        "PermissionsBoundary": None,
        "ManagedPolicyArns": [],
        "InlinePolicies": {},
    }

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        names = {item.name for item in wanted}
        if not any(item.properties for item in wanted):
            return self._read_referred(aws, names)
        found = [item for item in account_details(aws)["RoleDetailList"] if item["RoleName"] in names]
        listed: dict[str, Mapping[str, Any]] = {}
        if found and any(LISTED & item.properties.keys() for item in wanted):
            roles = pages(aws.client("iam"), "list_roles", "Roles", PaginationConfig={"PageSize": 1000})
            listed = {role["RoleName"]: role for role in roles}
        return {item["RoleName"]: self._observe(item, listed.get(item["RoleName"], {})) for item in found}

    @staticmethod
    def _read_referred(aws: Aws, names: Collection[str]) -> dict[str, Observed]:
        """Roles that other layers only refer to: their administrators need not see the whole account's IAM."""
        iam = aws.client("iam")
        answers = each(lambda name: unless(GONE, iam.get_role, RoleName=name), names)
        roles = [answer["Role"] for answer in answers if answer]
        return {role["RoleName"]: Observed(role["RoleName"], {}, _role_attributes(role), {}) for role in roles}

    def _observe(self, detail: Mapping[str, Any], listed: Mapping[str, Any]) -> Observed:
        properties = {
            "Path": detail["Path"],
            "AssumeRolePolicyDocument": policy.parsed(detail["AssumeRolePolicyDocument"]),
            "Description": listed.get("Description") or "",
            "MaxSessionDuration": listed.get("MaxSessionDuration", 3600),
            **self.permissions_of(detail),
        }
        profiles = [item["InstanceProfileName"] for item in detail.get("InstanceProfileList", ())]
        properties["InstanceProfiles"] = profiles
        return Observed(detail["RoleName"], properties, _role_attributes(detail), tags.from_list(detail.get("Tags")))

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        plain = ("Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
        role = settled(
            aws.once("iam").create_role,
            RoleName=resource.name,
            AssumeRolePolicyDocument=policy.text(resource.properties["AssumeRolePolicyDocument"]),
            Tags=tags.to_list(resource.tags),
            **{name: resource.properties[name] for name in plain if resource.properties.get(name)},
        )["Role"]
        self.give_permissions(aws, resource, {})
        return _role_attributes(role)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        changed, properties = top_level(differences), {**self.defaults, **resource.properties}
        if "AssumeRolePolicyDocument" in changed:
            document = policy.text(properties["AssumeRolePolicyDocument"])
            settled(aws.client("iam").update_assume_role_policy, RoleName=resource.name, PolicyDocument=document)
        if changed & LISTED:
            # UpdateRole takes what is not given for the default, so both are always given.
            now = {**observed.properties, **{name: properties[name] for name in changed & LISTED}}
            self.call(aws, "update", "", resource.name, **{name: now[name] for name in LISTED})
        if "PermissionsBoundary" in changed:
            self.set_boundary(aws, resource.name, properties["PermissionsBoundary"])
        if changed & PERMISSIONS:
            self.give_permissions(aws, resource, observed.properties)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        for profile in observed.properties.get("InstanceProfiles") or ():
            unless(GONE, _leave_profile, aws, profile, observed.name)
        self.take_all_permissions(aws, observed)
        unless(GONE, self.call, aws, "delete", "", observed.name)


class IamUser(Principal):
    """A user with its policies. Access keys are a kind of their own."""

    kind = "iam_user"
    label = "IAM user"
    noun = "user"
    volatile = frozenset({"arn"})
    defaults = {"PermissionsBoundary": None, "ManagedPolicyArns": [], "InlinePolicies": {}}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        names = {item.name for item in wanted}
        found = [item for item in account_details(aws)["UserDetailList"] if item["UserName"] in names]
        return {item["UserName"]: self._observe(item) for item in found}

    def _observe(self, detail: Mapping[str, Any]) -> Observed:
        properties = {"Path": detail["Path"], **self.permissions_of(detail)}
        return Observed(detail["UserName"], properties, _user_attributes(detail), tags.from_list(detail.get("Tags")))

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        plain = ("Path", "PermissionsBoundary")
        user = settled(
            aws.once("iam").create_user,
            UserName=resource.name,
            Tags=tags.to_list(resource.tags),
            **{name: resource.properties[name] for name in plain if resource.properties.get(name)},
        )["User"]
        self.give_permissions(aws, resource, {})
        return _user_attributes(user)

    def update(
        self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]
    ) -> dict[str, Any] | None:
        changed, properties = top_level(differences), {**self.defaults, **resource.properties}
        if "PermissionsBoundary" in changed:
            self.set_boundary(aws, resource.name, properties["PermissionsBoundary"])
        if changed & PERMISSIONS:
            self.give_permissions(aws, resource, observed.properties)
        if "Path" not in changed:
            return None
        self.call(aws, "update", "", resource.name, NewPath=properties["Path"])
        return _user_attributes(aws.client("iam").get_user(UserName=resource.name)["User"])

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        iam, name = aws.client("iam"), observed.name
        if resource is not None and resource.options.get("force_delete"):
            delete_credentials(iam, name)
        self.take_all_permissions(aws, observed)
        try:
            unless(GONE, iam.delete_user, UserName=name)
        except iam.exceptions.DeleteConflictException as error:
            message = f"user {name!r} still has credentials or groups that were not made here ({error}); "
            raise AwsError(message + "remove them, or declare force_delete: true") from error


class IamInstanceProfile(Kind):
    """An instance profile. `Roles`: the one role's name, and its id, which tells a new role from the old."""

    kind = "iam_instance_profile"
    named = frozenset({"name"})
    label = "IAM instance profile"
    immutable = frozenset({"Path"})

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        iam = aws.client("iam")
        answers = each(lambda item: unless(GONE, iam.get_instance_profile, InstanceProfileName=item.name), wanted)
        return {item.name: item for item in (self._observe(answer["InstanceProfile"]) for answer in answers if answer)}

    @staticmethod
    def _observe(profile: Mapping[str, Any]) -> Observed:
        roles = [{"RoleName": role["RoleName"], "RoleId": role["RoleId"]} for role in profile["Roles"]]
        properties = {"Path": profile["Path"], "Roles": roles}
        labels = tags.from_list(profile.get("Tags"))
        return Observed(profile["InstanceProfileName"], properties, _profile_attributes(profile), labels)

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        path = {"Path": resource.properties["Path"]} if resource.properties.get("Path") else {}
        profile = aws.once("iam").create_instance_profile(
            InstanceProfileName=resource.name, Tags=tags.to_list(resource.tags), **path
        )["InstanceProfile"]
        for role in resource.properties.get("Roles") or ():
            _join_profile(aws, resource.name, role["RoleName"])
        return _profile_attributes(profile)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        # A role that was replaced has left the profile already.
        for role in observed.properties["Roles"]:
            unless(GONE, _leave_profile, aws, resource.name, role["RoleName"])
        for role in resource.properties.get("Roles") or ():
            _join_profile(aws, resource.name, role["RoleName"])

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        iam = aws.client("iam")
        if add:
            iam.tag_instance_profile(InstanceProfileName=observed.name, Tags=tags.to_list(add))
        if remove:
            iam.untag_instance_profile(InstanceProfileName=observed.name, TagKeys=list(remove))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        for role in observed.properties["Roles"]:
            unless(GONE, _leave_profile, aws, observed.name, role["RoleName"])
        unless(GONE, aws.client("iam").delete_instance_profile, InstanceProfileName=observed.name)


class IamPolicy(Kind):
    """A customer managed policy. A change of its document is a new default version."""

    kind = "iam_policy"
    label = "customer managed IAM policy"
    immutable = frozenset({"Path"})

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        details, declared = account_details(aws), {item.name: bool(item.properties) for item in wanted}
        found = [item for item in details["Policies"] if item["PolicyName"] in declared]

        def observe(item: dict[str, Any]) -> Observed:
            # What is only referred to needs no tags.
            labels = tags_of_namesake(details, item) if declared[item["PolicyName"]] else []
            if labels is None:
                labels = aws.client("iam").get_policy(PolicyArn=item["Arn"])["Policy"].get("Tags", [])
            return _observe_policy(item, labels)

        return {item.name: item for item in each(observe, found)}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if result.get("Document"):
            result["Document"] = policy.canonical(result["Document"])
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        plain = ("Path", "Description")
        made = aws.once("iam").create_policy(
            PolicyName=resource.name,
            PolicyDocument=policy.text(resource.properties["Document"]),
            Tags=tags.to_list(resource.tags),
            **{name: resource.properties[name] for name in plain if resource.properties.get(name)},
        )["Policy"]
        return _policy_attributes(made)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        iam, arn = aws.client("iam"), observed.attributes["arn"]
        # The default version stays until there is a new one, so room is made among the others, the oldest first.
        others = observed.properties["OtherVersions"]
        for version in others[: max(0, len(others) + 2 - MAX_POLICY_VERSIONS)]:
            unless(GONE, iam.delete_policy_version, PolicyArn=arn, VersionId=version)
        document = policy.text(resource.properties["Document"])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        iam, arn = aws.client("iam"), observed.attributes["arn"]
        if add:
            iam.tag_policy(PolicyArn=arn, Tags=tags.to_list(add))
        if remove:
            iam.untag_policy(PolicyArn=arn, TagKeys=list(remove))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        iam, arn = aws.client("iam"), observed.attributes["arn"]
        for version in observed.properties["OtherVersions"]:
            unless(GONE, iam.delete_policy_version, PolicyArn=arn, VersionId=version)
        unless(GONE, _detach_everywhere, iam, arn)
        unless(GONE, iam.delete_policy, PolicyArn=arn)


class IamAccessKey(Kind):
    """A user's access key (named like the user), whose secret part exists in Secrets Manager only.

    The secret's tags say which key it holds: so the key is found again, and the secret part never read.
    """

    kind = "iam_access_key"
    label = "IAM access key"
    immutable = frozenset({"UserName", "SecretName"})

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = each(lambda item: self._observe(aws, item), wanted)
        return {item.name: item for item in found if item is not None}

    @staticmethod
    def _observe(aws: Aws, wanted: Wanted) -> Observed | None:
        user = wanted.name
        secret = secretsmanager.of_access_key(aws, user, wanted.properties.get("SecretName"))
        if secret is None:
            return None
        keys = unless(GONE, aws.client("iam").list_access_keys, UserName=user) or {"AccessKeyMetadata": ()}
        key_id = secret.tags[secretsmanager.KEY_TAG]
        if key_id not in {key["AccessKeyId"] for key in keys["AccessKeyMetadata"]}:
            return None
        properties = {"UserName": user, "SecretName": secret.name, "KmsKeyId": secret.kms_key}
        return Observed(user, properties, {"id": key_id, "secret_arn": secret.arn}, secret.tags)

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        user, secret = resource.properties["UserName"], resource.properties["SecretName"]
        secretsmanager.check_writable(aws, user, secret)
        key = _new_access_key(aws, user)
        try:
            content = {name: key[name] for name in ("UserName", "AccessKeyId", "SecretAccessKey")}
            kms_key = resource.properties.get("KmsKeyId")
            arn = secretsmanager.write_access_key(aws, secret, content, resource.tags, kms_key)
        except BaseException:
            # A key whose secret part nobody has is of no use to anybody but a thief.
            unless(GONE, aws.client("iam").delete_access_key, UserName=user, AccessKeyId=key["AccessKeyId"])
            raise
        return {"id": key["AccessKeyId"], "secret_arn": arn}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        secretsmanager.set_kms_key(aws, observed.attributes["secret_arn"], resource.properties["KmsKeyId"])

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        secretsmanager.retag(aws, observed.attributes["secret_arn"], add, remove)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        key = observed.attributes["id"]
        unless(GONE, aws.client("iam").delete_access_key, UserName=observed.name, AccessKeyId=key)
        secretsmanager.delete(aws, observed.attributes["secret_arn"])


def _new_access_key(aws: Aws, user: str) -> dict[str, Any]:
    """CreateAccessKey carries no token: a key whose answer was lost is deleted before anybody tries again."""
    before = _key_ids(aws, user)
    try:
        key: dict[str, Any] = settled(aws.once("iam").create_access_key, UserName=user)["AccessKey"]
        return key
    except Exception as error:
        if code_of(error) == "LimitExceeded":
            message = (
                f"user {user!r} has {len(before)} access keys ({', '.join(sorted(before))}), as many as IAM allows; "
            )
            raise AwsError(message + "delete the one that nobody uses") from error
        if aws.is_lost_answer(error):
            for lost in _key_ids(aws, user) - before:
                unless(GONE, aws.client("iam").delete_access_key, UserName=user, AccessKeyId=lost)
        raise


def _key_ids(aws: Aws, user: str) -> set[str]:
    return {key["AccessKeyId"] for key in aws.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]}


def _join_profile(aws: Aws, profile: str, role: str) -> None:
    """A profile takes one role. A call whose answer was lost and that the SDK repeated finds its own role in there."""
    iam = aws.client("iam")
    full = ("LimitExceeded", "EntityAlreadyExists")
    if unless(full, settled, iam.add_role_to_instance_profile, InstanceProfileName=profile, RoleName=role) is None:
        members = iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"]
        if role not in [member["RoleName"] for member in members]:
            held = ", ".join(member["RoleName"] for member in members)
            raise AwsError(f"the instance profile {profile!r} already holds the role {held}, and takes only one")


def _leave_profile(aws: Aws, profile: str, role: str) -> None:
    aws.client("iam").remove_role_from_instance_profile(InstanceProfileName=profile, RoleName=role)


def _detach_everywhere(iam: Any, arn: str) -> None:
    """A policy in use cannot be deleted; as a permissions boundary it is never taken away from others silently."""
    bounded, attached = [], []
    for page in iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn):
        for noun in ("Role", "User", "Group"):
            attached += [(noun, item[f"{noun}Name"]) for item in page.get(f"Policy{noun}s", ())]
    usage = iam.get_policy(PolicyArn=arn)["Policy"].get("PermissionsBoundaryUsageCount", 0)
    if usage:
        pager = iam.get_paginator("list_entities_for_policy")
        for page in pager.paginate(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary"):
            bounded += [
                f"{n.lower()} {item[f'{n}Name']}" for n in ("Role", "User") for item in page.get(f"Policy{n}s", ())
            ]
        raise AwsError(f"policy {arn} is the permissions boundary of {', '.join(sorted(bounded))}; change these first")
    for noun, name in attached:
        detach = getattr(iam, f"detach_{noun.lower()}_policy")
        unless(GONE, detach, PolicyArn=arn, **{f"{noun}Name": name})


def _observe_policy(detail: Mapping[str, Any], labels: Sequence[Mapping[str, str]]) -> Observed:
    versions = detail["PolicyVersionList"]
    default = next(item for item in versions if item["IsDefaultVersion"])
    older = sorted((item for item in versions if item is not default), key=lambda item: item["CreateDate"])
    properties = {
        "Path": detail["Path"],
        "Description": detail.get("Description") or "",
        "Document": policy.parsed(default["Document"]),
        "OtherVersions": [item["VersionId"] for item in older],
    }
    return Observed(detail["PolicyName"], properties, _policy_attributes(detail), tags.from_list(labels))


def _role_attributes(role: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": role["RoleId"], "arn": role["Arn"], "name": role["RoleName"]}


def _user_attributes(user: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": user["UserId"], "arn": user["Arn"], "name": user["UserName"]}


def _profile_attributes(profile: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": profile["InstanceProfileId"], "arn": profile["Arn"], "name": profile["InstanceProfileName"]}


def _policy_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": item["PolicyId"], "arn": item["Arn"], "name": item["PolicyName"]}


KINDS = (IamRole, IamInstanceProfile, IamPolicy, IamUser, IamAccessKey)
