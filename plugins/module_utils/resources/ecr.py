# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon ECR: repositories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy, tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)

GONE = "RepositoryNotFoundException"


class EcrRepository(Kind):
    """A repository with its `lifecyclePolicy` and `repositoryPolicy`, as documents."""

    kind = "ecr_repository"
    label = "ECR repository"
    immutable = frozenset({"encryptionConfiguration"})
    holds_data = True
    defaults = {
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "lifecyclePolicy": None,
        "repositoryPolicy": None,
    }

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        ecr = aws.client("ecr")
        declared = {item.name: item.properties for item in wanted}
        repositories = pages(ecr, "describe_repositories", "repositories", PaginationConfig={"PageSize": 1000})
        found = [item for item in repositories if item["repositoryName"] in declared]
        observed = each(lambda item: self._observe(ecr, item, declared[item["repositoryName"]]), found)
        return {item.name: item for item in observed}

    @staticmethod
    def _observe(ecr: Any, repository: Mapping[str, Any], declared: Mapping[str, Any]) -> Observed:
        """Documents cost a call each, so only those that are declared are read."""
        name = repository["repositoryName"]
        lifecycle = access = None
        if "lifecyclePolicy" in declared:
            lifecycle = unless("LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName=name)
        if "repositoryPolicy" in declared:
            access = unless("RepositoryPolicyNotFoundException", ecr.get_repository_policy, repositoryName=name)
        labels = ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"] if declared else []
        properties = {
            "imageTagMutability": repository["imageTagMutability"],
            "imageTagMutabilityExclusionFilters": repository.get("imageTagMutabilityExclusionFilters", []),
            "imageScanningConfiguration": repository.get("imageScanningConfiguration", {"scanOnPush": False}),
            "encryptionConfiguration": repository.get("encryptionConfiguration", {"encryptionType": "AES256"}),
            "lifecyclePolicy": policy.parsed(lifecycle["lifecyclePolicyText"]) if lifecycle else None,
            "repositoryPolicy": policy.parsed(access["policyText"]) if access else None,
        }
        return Observed(name, properties, _attributes(repository), tags.from_list(labels))

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if "repositoryPolicy" in result:
            document = result["repositoryPolicy"]
            result["repositoryPolicy"] = policy.canonical(document) if document else None
        if "lifecyclePolicy" in result:
            result["lifecyclePolicy"] = _canonical_lifecycle(result["lifecyclePolicy"])
        if result.get("imageTagMutabilityExclusionFilters"):
            result["imageTagMutabilityExclusionFilters"] = sorted(
                result["imageTagMutabilityExclusionFilters"], key=lambda item: str(item["filter"])
            )
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        ecr = aws.client("ecr")
        in_create = (
            "imageTagMutability",
            "imageTagMutabilityExclusionFilters",
            "imageScanningConfiguration",
            "encryptionConfiguration",
        )
        answer = aws.once("ecr").create_repository(
            repositoryName=resource.name,
            tags=tags.to_list(resource.tags),
            **{name: resource.properties[name] for name in in_create if resource.properties.get(name)},
        )
        for name in ("lifecyclePolicy", "repositoryPolicy"):
            if resource.properties.get(name):
                _put_document(ecr, resource.name, name, resource.properties[name])
        return _attributes(answer["repository"])

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        ecr, changed, properties = aws.client("ecr"), top_level(differences), resource.properties
        if changed & {"imageTagMutability", "imageTagMutabilityExclusionFilters"}:
            filters = properties.get("imageTagMutabilityExclusionFilters")
            ecr.put_image_tag_mutability(
                repositoryName=resource.name,
                imageTagMutability=properties.get("imageTagMutability", self.defaults["imageTagMutability"]),
                **({"imageTagMutabilityExclusionFilters": filters} if filters else {}),
            )
        if "imageScanningConfiguration" in changed:
            scanning = properties.get("imageScanningConfiguration", self.defaults["imageScanningConfiguration"])
            ecr.put_image_scanning_configuration(repositoryName=resource.name, imageScanningConfiguration=scanning)
        for name in sorted(changed & {"lifecyclePolicy", "repositoryPolicy"}):
            _put_document(ecr, resource.name, name, properties.get(name))

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        ecr, arn = aws.client("ecr"), observed.attributes["arn"]
        if add:
            ecr.tag_resource(resourceArn=arn, tags=tags.to_list(add))
        if remove:
            ecr.untag_resource(resourceArn=arn, tagKeys=list(remove))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        force = bool(resource is not None and resource.options.get("force_delete"))
        try:
            unless(GONE, aws.client("ecr").delete_repository, repositoryName=observed.name, force=force)
        except exceptions.ClientError as error:
            if code_of(error) != "RepositoryNotEmptyException":
                raise
            message = f"repository {observed.name!r} still has images; delete them, or declare force_delete: true"
            raise AwsError(message) from error


def _canonical_lifecycle(document: Any) -> dict[str, Any] | None:
    """Rules in the order of their priorities, with numbers as numbers and lists without an order sorted."""
    rules = (policy.parsed(document) if document else {}).get("rules") or ()
    if not rules:
        return None
    return {"rules": sorted((_canonical_rule(rule) for rule in rules), key=lambda rule: int(rule["rulePriority"]))}


def _canonical_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    selection = dict(rule.get("selection") or {})
    for name in ("tagPrefixList", "tagPatternList"):
        if name in selection:
            selection[name] = sorted(map(str, selection[name] or ()))
            if not selection[name]:
                del selection[name]
    if "countNumber" in selection:
        selection["countNumber"] = int(selection["countNumber"])
    result = {**rule, "rulePriority": int(rule["rulePriority"]), "selection": selection}
    return {name: value for name, value in result.items() if value not in ("", None)}


def _attributes(repository: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": repository["repositoryName"],
        "name": repository["repositoryName"],
        "arn": repository["repositoryArn"],
        "uri": repository["repositoryUri"],
    }


def _put_document(ecr: Any, name: str, which: str, document: Mapping[str, Any] | None) -> None:
    if which == "lifecyclePolicy":
        document = _canonical_lifecycle(document)
        if document:
            ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=policy.text(document))
        else:
            unless("LifecyclePolicyNotFoundException", ecr.delete_lifecycle_policy, repositoryName=name)
    elif document:
        ecr.set_repository_policy(repositoryName=name, policyText=policy.text(document))
    else:
        unless("RepositoryPolicyNotFoundException", ecr.delete_repository_policy, repositoryName=name)


KINDS = (EcrRepository,)
