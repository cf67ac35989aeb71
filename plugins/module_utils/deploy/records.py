# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS's own records of service deployments: newer than deployments[] of a service, and not everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import DENIED, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws

# What answers where these calls do not exist or are not allowed: then deployments[] of the service has to do.
NOT_HERE = frozenset(
    {"UnsupportedFeatureException", "UnknownOperationException", "InvalidAction", "NotImplemented", "501", *DENIED}
)
LISTED = 10
GOING = ("PENDING", "IN_PROGRESS")


class Records:
    """The records of one service. Made before a deployment is started, it knows which one is new."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self._cluster, self._service = name.split("/", 1)
        self._available = True
        self._before = {item["serviceDeploymentArn"] for item in self._listed()}
        self._arn = ""

    @property
    def arn(self) -> str:
        return self._arn

    def take_running(self) -> None:
        """The record is of the newest deployment that has not ended."""
        going = [item for item in self._listed() if item.get("status") in GOING]
        if going:
            self._arn = max(going, key=lambda item: str(item.get("createdAt") or ""))["serviceDeploymentArn"]

    def current(self) -> Mapping[str, Any] | None:
        """The record of the first deployment that was started since, or None where there is none."""
        if not self._available:
            return None
        if not self._arn:
            new = [item for item in self._listed() if item["serviceDeploymentArn"] not in self._before]
            if not new:
                return None
            self._arn = min(new, key=lambda item: str(item.get("createdAt") or ""))["serviceDeploymentArn"]
        call = self._aws.client("ecs").describe_service_deployments
        try:
            found: list[Mapping[str, Any]] = call(serviceDeploymentArns=[self._arn])["serviceDeployments"]
        except exceptions.ClientError as error:
            self._is_not_here(error)
            return None
        return found[0] if found else None

    def roll_back(self) -> bool:
        """Ask ECS to end the deployment and go back; False where that cannot be asked."""
        if not self._arn:
            return False
        try:
            self._aws.client("ecs").stop_service_deployment(serviceDeploymentArn=self._arn, stopType="ROLLBACK")
        except exceptions.ClientError:
            return False
        return True

    def _listed(self) -> list[dict[str, Any]]:
        if not self._available:
            return []
        call = self._aws.client("ecs").list_service_deployments
        try:
            found: list[dict[str, Any]] = call(cluster=self._cluster, service=self._service, maxResults=LISTED)[
                "serviceDeployments"
            ]
        except exceptions.ClientError as error:
            self._is_not_here(error)
            return []
        return found

    def _is_not_here(self, error: Any) -> None:
        """No more of these calls, where this is what the error says."""
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if code_of(error) not in NOT_HERE and status not in (404, 501):
            raise error
        self._available = False
