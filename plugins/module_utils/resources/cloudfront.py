# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon CloudFront: origin access controls and distributions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.compare import without_absent
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import cloudfront_config as config
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_targets import CLOUDFRONT_ZONE

DEPLOYED = "Deployed"
DEPLOY_SECONDS = 1800
PROGRESS_SECONDS = 30
NO_DISTRIBUTION = "NoSuchDistribution"
NO_CONTROL = "NoSuchOriginAccessControl"


class OriginAccessControl(Kind):
    """How CloudFront signs its requests to an origin. Its name is unique in the account."""

    kind = "cloudfront_origin_access_control"
    label = "CloudFront origin access control"
    taggable = False

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        names = {item.name for item in wanted}
        found = _listed(aws.client("cloudfront"), "list_origin_access_controls", "OriginAccessControlList")
        return {
            item["Name"]: Observed(item["Name"], config.control(item), {"id": item["Id"]})
            for item in found
            if item["Name"] in names
        }

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        declared = {"Name": resource.name, **resource.properties}
        answer = aws.once("cloudfront").create_origin_access_control(OriginAccessControlConfig=declared)
        return {"id": answer["OriginAccessControl"]["Id"]}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        cloudfront, identity = aws.client("cloudfront"), observed.attributes["id"]
        now = cloudfront.get_origin_access_control(Id=identity)
        declared = {**now["OriginAccessControl"]["OriginAccessControlConfig"], **resource.properties}
        cloudfront.update_origin_access_control(Id=identity, IfMatch=now["ETag"], OriginAccessControlConfig=declared)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        cloudfront, identity = aws.client("cloudfront"), observed.attributes["id"]
        now = unless(NO_CONTROL, cloudfront.get_origin_access_control, Id=identity)
        if now is not None:
            unless(NO_CONTROL, cloudfront.delete_origin_access_control, Id=identity, IfMatch=now["ETag"])


class Distribution(Kind):
    """A distribution. CloudFront gives it no name: it is the one with our comment, or with one of our aliases."""

    kind = "cloudfront_distribution"
    label = "CloudFront distribution"
    defaults = {"WebACLId": "", "CustomErrorResponses": [], "Aliases": []}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        summaries = _listed(aws.client("cloudfront"), "list_distributions", "DistributionList")
        found = each(lambda item: _observe(aws, item, summaries), wanted)
        return {item.name: item for item in found if item is not None}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return config.canonical(properties)

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        return without_absent(differences)

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        declared = {
            "Comment": resource.name,
            **config.to_api(config.canonical(resource.properties), {}),
            "CallerReference": str(uuid.uuid4()),
        }
        arguments = {"DistributionConfig": declared, "Tags": {"Items": tags.to_list(resource.tags)}}
        try:
            answer = aws.once("cloudfront").create_distribution_with_tags(DistributionConfigWithTags=arguments)
        except exceptions.ClientError as error:
            raise _explained(resource, error) from error
        _wait(aws, resource, answer["Distribution"]["Id"])
        return _attributes(answer["Distribution"])

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        cloudfront, identity = aws.client("cloudfront"), observed.attributes["id"]
        now = cloudfront.get_distribution_config(Id=identity)
        desired = {**config.gone(differences, self.defaults), **config.canonical(resource.properties)}
        declared = config.to_api(desired, now["DistributionConfig"])
        try:
            cloudfront.update_distribution(Id=identity, IfMatch=now["ETag"], DistributionConfig=declared)
        except exceptions.ClientError as error:
            raise _explained(resource, error) from error
        _wait(aws, resource, identity)

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        cloudfront, arn = aws.client("cloudfront"), observed.attributes["arn"]
        if add:
            cloudfront.tag_resource(Resource=arn, Tags={"Items": tags.to_list(add)})
        if remove:
            cloudfront.untag_resource(Resource=arn, TagKeys={"Items": list(remove)})

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        """CloudFront deletes only what is disabled and disabled everywhere."""
        cloudfront, identity = aws.client("cloudfront"), observed.attributes["id"]
        now = unless(NO_DISTRIBUTION, cloudfront.get_distribution_config, Id=identity)
        if now is None:
            return
        if now["DistributionConfig"]["Enabled"]:
            disabled = {**now["DistributionConfig"], "Enabled": False}
            cloudfront.update_distribution(Id=identity, IfMatch=now["ETag"], DistributionConfig=disabled)
        aws.progress(f"disabling distribution {identity} of {observed.name}, which takes CloudFront some minutes")
        _until_deployed(aws, observed.name, identity)
        now = cloudfront.get_distribution_config(Id=identity)
        unless(NO_DISTRIBUTION, cloudfront.delete_distribution, Id=identity, IfMatch=now["ETag"])


def _listed(cloudfront: Any, operation: str, name: str) -> list[dict[str, Any]]:
    """All pages. Not every botocore that we run on has paginators for all of them."""
    found: list[dict[str, Any]] = []
    arguments: dict[str, str] = {}
    while True:
        page = getattr(cloudfront, operation)(**arguments)[name]
        found += page.get("Items") or ()
        if not page.get("IsTruncated"):
            return found
        arguments = {"Marker": page["NextMarker"]}


def _observe(aws: Aws, wanted: Wanted, summaries: Sequence[Mapping[str, Any]]) -> Observed | None:
    """Of several that could be meant, the one with the ownership tag; then the one that has an alias of ours."""
    cloudfront, aliases = aws.client("cloudfront"), set(wanted.properties.get("Aliases") or ())
    candidates = []
    for summary in summaries:
        shared = aliases & set((summary.get("Aliases") or {}).get("Items") or ())
        if shared or summary.get("Comment") == wanted.name:
            answer = cloudfront.list_tags_for_resource(Resource=summary["ARN"])
            labels = tags.from_list(answer["Tags"].get("Items"))
            candidates.append(((labels.get(ENVIRONMENT_TAG) == aws.environment, len(shared)), summary, labels))
    if not candidates:
        return None
    _rank, summary, labels = max(candidates, key=lambda item: item[0])
    found = unless(NO_DISTRIBUTION, cloudfront.get_distribution, Id=summary["Id"])
    if found is None:
        return None
    distribution = found["Distribution"]
    return Observed(wanted.name, dict(distribution["DistributionConfig"]), _attributes(distribution), labels)


def _attributes(distribution: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": distribution["Id"],
        "arn": distribution["ARN"],
        "domain_name": distribution["DomainName"],
        "hosted_zone_id": CLOUDFRONT_ZONE,
    }


def _wait(aws: Aws, resource: Resource, identity: str) -> None:
    if resource.options.get("wait", True):
        _until_deployed(aws, resource.name, identity)


def _until_deployed(aws: Aws, name: str, identity: str) -> None:
    cloudfront, started, said = aws.client("cloudfront"), time.monotonic(), time.monotonic()

    def deployed() -> bool:
        nonlocal said
        if cloudfront.get_distribution(Id=identity)["Distribution"]["Status"] == DEPLOYED:
            return True
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            aws.progress(f"CloudFront deploys distribution {identity} of {name} ({said - started:.0f} s)")
        return False

    wait_for(deployed, f"CloudFront to deploy distribution {identity} of {name} everywhere", DEPLOY_SECONDS)


def _explained(resource: Resource, error: Exception) -> Exception:
    """The two refusals whose cause lies elsewhere."""
    code = code_of(error)
    if code == "CNAMEAlreadyExists":
        names = ", ".join(resource.properties.get("Aliases") or ())
        return AwsError(f"another distribution, perhaps of another account, has an alias of {resource.name}: {names}")
    if code == "InvalidViewerCertificate":
        certificate = resource.properties["ViewerCertificate"].get("ACMCertificateArn")
        message = f"CloudFront refuses the certificate {certificate} of {resource.name}: it has to be issued, to lie in"
        return AwsError(f"{message} us-east-1, and to cover all aliases ({error})")
    return error


KINDS = (OriginAccessControl, Distribution)
