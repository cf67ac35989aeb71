# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EC2: launch templates."""

from __future__ import annotations

import base64
import difflib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import compare
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)

GONE = ("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException")
PAGE = {"PageSize": 200}
NAMES_PER_FILTER = 200
LATEST = "$Latest"
# What AWS may add to an answer where nothing was declared: it means the same, and makes no new version.
GP3_DEFAULTS = {"Iops": 3000, "Throughput": 125}
# Before user data that is no text, such as what cloud-init takes compressed: as AWS has it, so that nothing is lost.
BINARY = "base64:"
INTERFACE_DEFAULTS = {"DeleteOnTermination": True, "InterfaceType": "interface", "NetworkCardIndex": 0}


class LaunchTemplate(Kind):
    """A launch template. Its properties are the data of the latest version, with the user data as text.

    `DefaultVersion` is `$Latest` where the latest version is the default one, as it is when a run has finished.
    A change makes a new version. Old ones stay: a group of somebody else may be pinned to one, and AWS keeps 10,000.
    """

    kind = "launch_template"
    label = "EC2 launch template"
    volatile = frozenset({"latest_version"})
    defaults = {
        "BlockDeviceMappings": None,
        "CreditSpecification": None,
        "EbsOptimized": None,
        "IamInstanceProfile": None,
        "InstanceMarketOptions": None,
        "InstanceRequirements": None,
        "InstanceType": None,
        "KeyName": None,
        "MetadataOptions": None,
        "Monitoring": None,
        "NetworkInterfaces": None,
        "SecurityGroupIds": None,
        "TagSpecifications": None,
        "UserData": None,
    }

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        ec2 = aws.client("ec2")
        found = _templates(ec2, [item.name for item in wanted])
        declared = {item.name for item in wanted if item.properties}
        data = _latest_data(ec2) if declared & found.keys() else {}
        return {name: _observed(name, item, data.get(item["LaunchTemplateId"])) for name, item in found.items()}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if result.get("SecurityGroupIds"):
            result["SecurityGroupIds"] = sorted(result["SecurityGroupIds"])
        if result.get("NetworkInterfaces"):
            result["NetworkInterfaces"] = [_interface(item) for item in result["NetworkInterfaces"]]
        if result.get("BlockDeviceMappings"):
            result["BlockDeviceMappings"] = sorted(
                map(_volume, result["BlockDeviceMappings"]), key=lambda item: item["DeviceName"]
            )
        if result.get("TagSpecifications"):
            result["TagSpecifications"] = sorted(
                (_tag_specification(item) for item in result["TagSpecifications"]),
                key=lambda item: item["ResourceType"],
            )
        return result

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        return [
            _user_data_shown(item) if item.path == "UserData" and item.before and item.after else item
            for item in differences
        ]

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        answer = aws.client("ec2").create_launch_template(
            LaunchTemplateName=resource.name,
            LaunchTemplateData=_request(resource.properties),
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags.to_list(resource.tags)}],
            ClientToken=str(uuid.uuid4()),
        )
        return _attributes(answer["LaunchTemplate"])

    def update(
        self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]
    ) -> dict[str, Any]:
        ec2, identity, latest = aws.client("ec2"), observed.attributes["id"], observed.attributes["latest_version"]
        if top_level(differences) != {"DefaultVersion"}:
            answer = ec2.create_launch_template_version(
                LaunchTemplateId=identity,
                LaunchTemplateData=_request(_next_version(resource, observed, differences)),
                ClientToken=str(uuid.uuid4()),
            )
            latest = answer["LaunchTemplateVersion"]["VersionNumber"]
        ec2.modify_launch_template(LaunchTemplateId=identity, DefaultVersion=str(latest))
        return {"latest_version": latest}

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        ec2, resources = aws.client("ec2"), [observed.attributes["id"]]
        if add:
            ec2.create_tags(Resources=resources, Tags=tags.to_list(add))
        if remove:
            ec2.delete_tags(Resources=resources, Tags=[{"Key": key} for key in remove])

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        unless(GONE, aws.client("ec2").delete_launch_template, LaunchTemplateId=observed.attributes["id"])


def _templates(ec2: Any, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The templates by the names they were asked for, which may be ids. A filter takes names that do not exist."""
    found: dict[str, dict[str, Any]] = {}
    asked = set(names)
    ids = {name for name in asked if name.startswith("lt-")}
    for some in chunks(sorted(asked - ids), NAMES_PER_FILTER):
        filters = [{"Name": "launch-template-name", "Values": some}]
        for item in pages(ec2, "describe_launch_templates", "LaunchTemplates", Filters=filters, PaginationConfig=PAGE):
            found[item["LaunchTemplateName"]] = item
    for identity in ids:
        answer = unless(GONE, ec2.describe_launch_templates, LaunchTemplateIds=[identity])
        if answer:
            found[identity] = answer["LaunchTemplates"][0]
    return found


def _latest_data(ec2: Any) -> dict[str, dict[str, Any]]:
    """The data of the latest version of every template, by id: one call, where asking by name takes one for each."""
    versions = pages(
        ec2,
        "describe_launch_template_versions",
        "LaunchTemplateVersions",
        Versions=[LATEST],
        PaginationConfig=PAGE,
    )
    return {item["LaunchTemplateId"]: item["LaunchTemplateData"] for item in versions}


def _observed(name: str, template: Mapping[str, Any], data: Mapping[str, Any] | None) -> Observed:
    properties = dict(data or {})
    if "UserData" in properties:
        properties["UserData"] = _decoded(properties["UserData"])
    if "MetadataOptions" in properties:
        properties["MetadataOptions"] = {k: v for k, v in properties["MetadataOptions"].items() if k != "State"}
    is_latest = template["DefaultVersionNumber"] == template["LatestVersionNumber"]
    properties["DefaultVersion"] = LATEST if is_latest else str(template["DefaultVersionNumber"])
    return Observed(name, properties, _attributes(template), tags.from_list(template.get("Tags")))


def _attributes(template: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": template["LaunchTemplateId"],
        "name": template["LaunchTemplateName"],
        "latest_version": template["LatestVersionNumber"],
    }


def _next_version(resource: Resource, observed: Observed, differences: Sequence[Difference]) -> dict[str, Any]:
    """The data of the new version: what is declared, over what was never declared and what is owned elsewhere."""
    left_alone = {name for name in resource.properties if compare.under(name, resource.create_only)}
    declared = {name: value for name, value in resource.properties.items() if name not in left_alone}
    removed = {item.path for item in differences if item.after is None}
    data = {name: value for name, value in observed.properties.items() if name not in removed} | declared
    if isinstance(declared.get("MetadataOptions"), Mapping):
        data["MetadataOptions"] = {**observed.properties.get("MetadataOptions", {}), **declared["MetadataOptions"]}
    return data


def _request(properties: Mapping[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {
        name: value
        for name, value in properties.items()
        if (value or value is False) and name not in ("DefaultVersion", "Operator")
    }
    if "UserData" in data:
        data["UserData"] = _encoded(data["UserData"])
    return data


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode("utf-8")
    except UnicodeDecodeError:
        return f"{BINARY}{encoded}"


def _encoded(text: str) -> str:
    return text.removeprefix(BINARY) if text.startswith(BINARY) else base64.b64encode(text.encode()).decode()


def _interface(interface: Mapping[str, Any]) -> dict[str, Any]:
    result = _without(interface, INTERFACE_DEFAULTS)
    return {**result, "Groups": sorted(result["Groups"])} if result.get("Groups") else result


def _volume(mapping: Mapping[str, Any]) -> dict[str, Any]:
    result, ebs = _without(mapping, {}), mapping.get("Ebs") or {}
    return {**result, "Ebs": _without(ebs, GP3_DEFAULTS if ebs.get("VolumeType") == "gp3" else {})} if ebs else result


def _without(item: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty, and without what AWS would put there anyway."""
    empty: tuple[Any, ...] = (None, "", [], {})
    return {
        name: value
        for name, value in item.items()
        if value not in empty and (name not in defaults or value != defaults[name])
    }


def _tag_specification(specification: Mapping[str, Any]) -> dict[str, Any]:
    return {**specification, "Tags": sorted(specification["Tags"], key=lambda item: item["Key"])}


def _user_data_shown(difference: Difference) -> Difference:
    """Only the lines that differ."""
    lines = list(difflib.ndiff(difference.before.splitlines(), difference.after.splitlines()))
    before, after = ("\n".join(line[2:] for line in lines if line.startswith(sign)) for sign in ("- ", "+ "))
    return difference._replace(before=before, after=after)


KINDS = (LaunchTemplate,)
