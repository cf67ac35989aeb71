# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM roles and users have in common: permissions boundary, managed policies, inline policies, tags."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy, tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference, Observed, Resource

GONE = "NoSuchEntity"
# A property of ours, not of IAM: policies that others attached or put stay.
KEEP_OTHERS = "KeepOtherPolicies"
# IAM is eventually consistent: what was made a moment ago is not known everywhere.
SETTLE_SECONDS = 20


def settled(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """The result of a call that names things which may just have been made; in the end, its own error."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        try:
            return function(*arguments, **named)
        except exceptions.ClientError as error:
            unknown = code_of(error) == "MalformedPolicyDocument" and "invalid principal" in str(error).lower()
            if not (unknown or code_of(error) == GONE) or time.monotonic() > deadline:
                raise
        time.sleep(1)


class Principal(Kind):
    """A role or a user. noun: the word in the names of IAM's calls."""

    noun: ClassVar[str]

    @property
    def name_parameter(self) -> str:
        return f"{self.noun.capitalize()}Name"

    def call(self, aws: Aws, verb: str, what: str, name: str, **arguments: Any) -> Any:
        """E.g. attach + policy -> AttachRolePolicy or AttachUserPolicy."""
        operation = f"{verb}_{self.noun}_{what}" if what else f"{verb}_{self.noun}"
        return getattr(aws.client("iam"), operation)(**{self.name_parameter: name}, **arguments)

    def permissions_of(self, detail: Mapping[str, Any]) -> dict[str, Any]:
        """The properties that roles and users share, of one entry of GetAccountAuthorizationDetails."""
        inline = detail.get(f"{self.noun.capitalize()}PolicyList", ())
        return {
            "PermissionsBoundary": (detail.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "ManagedPolicyArns": [item["PolicyArn"] for item in detail.get("AttachedManagedPolicies", ())],
            "InlinePolicies": {item["PolicyName"]: policy.parsed(item["PolicyDocument"]) for item in inline},
        }

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if result.get("ManagedPolicyArns"):
            result["ManagedPolicyArns"] = sorted({str(arn) for arn in result["ManagedPolicyArns"]})
        if result.get("InlinePolicies"):
            documents = result["InlinePolicies"].items()
            result["InlinePolicies"] = {name: policy.canonical(document) for name, document in sorted(documents)}
        if result.get("AssumeRolePolicyDocument"):
            result["AssumeRolePolicyDocument"] = policy.canonical(result["AssumeRolePolicyDocument"])
        return result

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        """Inline policies are compared by name; those of others count only where the declaration is the whole truth."""
        desired, observed, last_applied = dict(desired), dict(observed), dict(last_applied)
        keep = bool(desired.pop(KEEP_OTHERS, False))
        last_applied.pop(KEEP_OTHERS, None)
        inline: list[Difference] = []
        if "InlinePolicies" in desired:
            last_applied.pop("InlinePolicies", None)
            inline = list(_by_name(desired.pop("InlinePolicies") or {}, observed.get("InlinePolicies") or {}, keep))
        if keep and "ManagedPolicyArns" in desired:
            wanted = desired["ManagedPolicyArns"] or []
            observed["ManagedPolicyArns"] = [arn for arn in observed.get("ManagedPolicyArns") or [] if arn in wanted]
        return super().differences(desired, observed, last_applied) + inline

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        return [item for item in differences if item.path != KEEP_OTHERS]

    def give_permissions(self, aws: Aws, resource: Resource, observed: Mapping[str, Any]) -> None:
        """Attach and put what is declared, then take away what is not; more is allowed before less."""
        desired, actual = self.canonical(resource.properties), self.canonical(observed)
        keep, name = bool(desired.get(KEEP_OTHERS)), resource.name
        wanted = desired.get("ManagedPolicyArns", actual.get("ManagedPolicyArns")) or []
        attached = actual.get("ManagedPolicyArns") or []
        documents = desired.get("InlinePolicies", actual.get("InlinePolicies")) or {}
        present = actual.get("InlinePolicies") or {}
        for arn in wanted:
            if arn not in attached:
                settled(self.call, aws, "attach", "policy", name, PolicyArn=arn)
        for which, document in documents.items():
            if present.get(which) != document:
                text = policy.text(resource.properties["InlinePolicies"][which])
                settled(self.call, aws, "put", "policy", name, PolicyName=which, PolicyDocument=text)
        if not keep:
            self.take_permissions(aws, name, set(attached) - set(wanted), present.keys() - documents.keys())

    def take_permissions(self, aws: Aws, name: str, managed: set[str], inline: set[str]) -> None:
        for arn in sorted(managed):
            unless(GONE, self.call, aws, "detach", "policy", name, PolicyArn=arn)
        for which in sorted(inline):
            unless(GONE, self.call, aws, "delete", "policy", name, PolicyName=which)

    def take_all_permissions(self, aws: Aws, observed: Observed) -> None:
        """Roles and users with policies cannot be deleted."""
        managed = set(observed.properties.get("ManagedPolicyArns") or ())
        self.take_permissions(aws, observed.name, managed, set(observed.properties.get("InlinePolicies") or ()))

    def set_boundary(self, aws: Aws, name: str, boundary: str | None) -> None:
        if boundary:
            settled(self.call, aws, "put", "permissions_boundary", name, PermissionsBoundary=boundary)
        else:
            unless(GONE, self.call, aws, "delete", "permissions_boundary", name)

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        if add:
            self.call(aws, "tag", "", observed.name, Tags=tags.to_list(add))
        if remove:
            self.call(aws, "untag", "", observed.name, TagKeys=list(remove))


def _by_name(desired: Mapping[str, Any], observed: Mapping[str, Any], keep: bool) -> Iterator[Difference]:
    names = desired.keys() if keep else desired.keys() | observed.keys()
    for name in sorted(names):
        if desired.get(name) != observed.get(name):
            yield Difference(f"InlinePolicies[{name}]", observed.get(name), desired.get(name))
