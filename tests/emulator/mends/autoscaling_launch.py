# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of what an Auto Scaling group launches: user data of later versions, mixed instances policies."""

from __future__ import annotations

from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.core.types import Base64EncodedString
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.responses import EC2Response

from emulator.mends.autoscaling import KEPT
from emulator.patching import replace

KEPT["DeletionProtection"] = "deletion_protection"


@replace(LaunchTemplateVersion, "__init__")
def new_version(original: Any, self: Any, template: Any, number: int, data: dict[str, Any], description: str) -> None:
    """moto took the user data of the first version for base64, and could not launch from any later version."""
    if isinstance(data.get("UserData"), str):
        data = {**data, "UserData": Base64EncodedString(data["UserData"])}
    original(self, template, number, data, description)


def launch_template(group: Any) -> dict[str, Any] | None:
    """A group with a mixed instances policy has its launch template there and nowhere else. moto showed both."""
    return None if group.mixed_instances_policy else shown_by_moto(group)


shown_by_moto = FakeAutoScalingGroup.launch_template.fget
setattr(FakeAutoScalingGroup, "launch_template", property(launch_template))  # noqa: B010 - a property of moto's class


@replace(FakeAutoScalingGroup, "_set_launch_configuration")
def set_launch(original: Any, self: Any, name: Any, template: Any, mixed_instances_policy: Any) -> None:
    """What an update or an instance refresh brings takes the place of what was there: moto kept an old policy."""
    if template or mixed_instances_policy:
        self.mixed_instances_policy = mixed_instances_policy or None
    original(self, name, template, mixed_instances_policy)


def once_per_token(name: str) -> None:
    """The same client token again is the same call again, and gives the same answer. moto ignored the token."""

    @replace(EC2Response, name)
    def call(original: Any, self: Any) -> Any:
        token = self._get_param("ClientToken")
        answers = self.ec2_backend.__dict__.setdefault("launch_template_answers", {})
        if token is None or (name, token) not in answers:
            answers[name, token] = original(self)
        return answers[name, token]


for _name in ("create_launch_template", "create_launch_template_version"):
    once_per_token(_name)
