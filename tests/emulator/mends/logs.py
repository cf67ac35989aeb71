# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of CloudWatch Logs: class, deletion protection and later encryption of log groups."""

from __future__ import annotations

from typing import Any

from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from emulator.patching import replace


def group_of(response: Any) -> Any:
    """The log group that a call names, by name or ARN."""
    name = response._get_param("logGroupName") or response._get_param("logGroupIdentifier")
    group = response.logs_backend.groups.get(str(name).rsplit(":log-group:", 1)[-1].removesuffix(":*"))
    if group is None:
        raise ResourceNotFoundException
    return group


@replace(LogsResponse, "create_log_group")
def create_log_group(original: Any, self: Any) -> Any:
    """moto dropped the class and the deletion protection."""
    answer = original(self)
    group = group_of(self)
    group.log_group_class = self._get_param("logGroupClass") or "STANDARD"
    group.protected = bool(self._get_param("deletionProtectionEnabled"))
    return answer


@replace(LogGroup, "to_describe_dict")
def to_describe_dict(original: Any, self: Any) -> dict[str, Any]:
    """AWS always answers the class and the deletion protection."""
    return {
        **original(self),
        "logGroupClass": getattr(self, "log_group_class", "STANDARD"),
        "deletionProtectionEnabled": getattr(self, "protected", False),
    }


@replace(LogsResponse, "associate_kms_key")
def associate_kms_key(_original: Any, self: Any) -> str:
    """Not in moto."""
    group_of(self).kms_key_id = self._get_param("kmsKeyId")
    return ""


@replace(LogsResponse, "disassociate_kms_key")
def disassociate_kms_key(_original: Any, self: Any) -> str:
    """Not in moto."""
    group_of(self).kms_key_id = None
    return ""


@replace(LogsResponse, "put_log_group_deletion_protection")
def put_log_group_deletion_protection(_original: Any, self: Any) -> str:
    """Not in moto."""
    group_of(self).protected = bool(self._get_param("deletionProtectionEnabled"))
    return ""


@replace(LogsBackend, "delete_log_group")
def delete_log_group(original: Any, self: Any, log_group_name: str) -> Any:
    """AWS refuses while the deletion protection is on."""
    if getattr(self.groups.get(log_group_name), "protected", False):
        raise InvalidParameterException(
            constraint="Log group has deletion protection enabled", parameter="logGroupName", value=log_group_name
        )
    return original(self, log_group_name)
