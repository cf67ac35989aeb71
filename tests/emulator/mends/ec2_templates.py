# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of EC2 launch templates, and of the instances that are launched from them."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.instances import Instance, MetadataOptions
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import EC2Response

from emulator.patching import replace


@replace(LaunchTemplateVersion, "__init__")
def new_version(original: Any, self: Any, template: Any, number: int, data: dict[str, Any], description: str) -> None:
    """The tags of the launch template itself are no part of a version's data. moto mixed them in."""
    specifications = data.get("TagSpecifications") or []
    kept = [one for one in specifications if one.get("ResourceType") != "launch-template"]
    cleaned = {name: value for name, value in data.items() if name != "TagSpecifications" and value is not None}
    original(self, template, number, {**cleaned, **({"TagSpecifications": kept} if kept else {})}, description)


def ignore(_template: Any, _tags: Any) -> None:
    """The list is computed."""


setattr(  # noqa: B010 - a property in the place of an attribute
    LaunchTemplate,
    "tags",
    property(lambda self: self.get_tags(), ignore, doc="Tags as they are, not as they were made."),
)


@replace(LaunchTemplate, "create_version")
def create_version(_original: Any, self: Any, data: dict[str, Any], description: str) -> Any:
    """Numbers are never used twice, also after the newest version was deleted."""
    self.last_number = getattr(self, "last_number", 0) + 1
    version = LaunchTemplateVersion(self, self.last_number, data, description)
    self.versions.append(version)
    return version


@replace(LaunchTemplate, "get_version")
def get_version(original: Any, self: Any, num: Any) -> Any:
    """By number and not by place in the list."""
    for version in self.versions:
        if str(version.number) == str(num):
            return version
    wanted = str(num).lower()
    return original(self, num if wanted in ("$latest", "$default") else len(self.versions) + 1)


@replace(LaunchTemplate, "default_version")
def default_version(_original: Any, self: Any) -> Any:
    """By number and not by place in the list."""
    return next(one for one in self.versions if one.number == self.default_version_number)


@replace(EC2Response, "create_launch_template_version")
def create_launch_template_version(original: Any, self: Any) -> ActionResult:
    """SourceVersion: the new version starts from that one's data. moto ignored it."""
    source = self._get_param("SourceVersion")
    result: ActionResult = original(self)
    if source:
        template = template_of(self)
        newest = template.versions[-1]
        newest.data = {**template.get_version(source).data, **newest.data}
    return result


def template_of(self: Any) -> Any:
    """The launch template that the request names."""
    name, identity = self._get_param("LaunchTemplateName"), self._get_param("LaunchTemplateId")
    if identity:
        return self.ec2_backend.get_launch_template(identity)
    return self.ec2_backend.get_launch_template_by_name(name)


@replace(EC2Response, "delete_launch_template_versions")
def delete_launch_template_versions(_original: Any, self: Any) -> ActionResult:
    """All but the default version can be deleted. moto knew no such call."""
    template, done, failed = template_of(self), [], []
    for number in self._get_param("Versions") or []:
        known = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(number)}
        version = next((one for one in template.versions if one.number == int(number)), None)
        if version is None:
            error = {"Code": "launchTemplateVersionDoesNotExist", "Message": "The version does not exist."}
            failed.append({**known, "ResponseError": error})
        elif template.is_default(version):
            error = {"Code": "unexpectedError", "Message": "The default version cannot be deleted."}
            failed.append({**known, "ResponseError": error})
        else:
            template.versions.remove(version)
            done.append(known)
    return ActionResult(
        {"SuccessfullyDeletedLaunchTemplateVersions": done, "UnsuccessfullyDeletedLaunchTemplateVersions": failed}
    )


@replace(Instance, "terminate")
def terminate(original: Any, self: Any) -> Any:
    """The primary network interface goes with its instance. moto kept it, and its subnet with it."""
    state = original(self)
    for interface in self.nics.values():
        self.ec2_backend.enis.pop(interface.id, None)
    return state


def apply_template(instance: Any, data: dict[str, Any]) -> None:
    """Security groups and metadata options of the launch template reach the instance. In moto they did not."""
    interfaces = data.get("NetworkInterfaces") or []
    wanted = [
        *(data.get("SecurityGroupIds") or []),
        *(group for one in interfaces for group in one.get("Groups") or []),
    ]
    groups = [instance.ec2_backend.get_security_group_from_id(one) for one in wanted]
    if groups:
        instance.security_groups = [one for one in groups if one is not None]
    if data.get("MetadataOptions"):
        instance.metadata_options = MetadataOptions(data["MetadataOptions"])
