# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EC2 Auto Scaling: instance refreshes, which bring a new configuration to a group's instances."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for

# A rollback, like a cancellation, leads away from the desired configuration: such a refresh does not count as active.
ACTIVE = ("Pending", "InProgress", "Baking")
ENDING = ("Cancelling", "RollbackInProgress")
IN_PROGRESS = "InstanceRefreshInProgress"
NONE_ACTIVE = "ActiveInstanceRefreshNotFound"
NO_GROUP = "ValidationError"
CANCEL_SECONDS = 900.0
PROGRESS_SECONDS = 5.0


def heading_for(autoscaling: Any, group: str) -> dict[str, Any]:
    """The LaunchTemplate or MixedInstancesPolicy that an active refresh is bringing, empty without one.

    AWS gives it to the group only when the refresh has succeeded; until then the group still shows the old one.
    """
    newest = _newest(autoscaling, group)
    return dict(newest.get("DesiredConfiguration") or {}) if newest.get("Status") in ACTIVE else {}


def start(aws: Aws, group: str, configuration: Mapping[str, Any], preferences: Mapping[str, Any]) -> str:
    """Start a refresh, in the place of one that is under way for an older configuration; its id."""
    autoscaling = aws.client("autoscaling")
    request = {"AutoScalingGroupName": group, "DesiredConfiguration": configuration, "Preferences": preferences}
    try:
        answer = autoscaling.start_instance_refresh(**request)
    except exceptions.ClientError as error:
        if not code_of(error).startswith(IN_PROGRESS):
            raise
        cancel(aws, group)
        answer = autoscaling.start_instance_refresh(**request)
    aws.progress(f"auto_scaling_group/{group}: instance refresh started")
    return str(answer["InstanceRefreshId"])


def cancel(aws: Aws, group: str) -> None:
    """Cancel a refresh that is under way, and return when it has stopped. Instances replaced by then stay."""
    autoscaling = aws.client("autoscaling")
    newest = _newest(autoscaling, group)
    if newest.get("Status") not in ACTIVE + ENDING:
        return
    if newest["Status"] in ACTIVE:
        aws.progress(f"auto_scaling_group/{group}: cancelling the instance refresh for an older configuration")
        try:
            autoscaling.cancel_instance_refresh(AutoScalingGroupName=group)
        except exceptions.ClientError as error:
            if not code_of(error).startswith(NONE_ACTIVE):
                raise
    wait_for(
        lambda: _newest(autoscaling, group).get("Status") not in ACTIVE + ENDING,
        f"the instance refresh of {group} to be cancelled",
        CANCEL_SECONDS,
    )


def wait(aws: Aws, group: str, identity: str, timeout: float) -> None:
    """Wait until a refresh has succeeded, telling how far it is."""
    autoscaling = aws.client("autoscaling")
    spoke = 0.0
    seen = ""

    def look() -> dict[str, Any] | None:
        nonlocal spoke, seen
        refresh = _by_id(autoscaling, group, identity)
        seen = _in_words(refresh)
        if refresh["Status"] not in ACTIVE + ENDING:
            return refresh
        if time.monotonic() - spoke >= PROGRESS_SECONDS:
            spoke = time.monotonic()
            aws.progress(f"auto_scaling_group/{group}: {seen}")
        return None

    refresh = wait_for(look, f"the instance refresh of {group}", timeout, lambda: seen)
    if refresh["Status"] != "Successful":
        raise AwsError(f"the new configuration did not reach the instances of {group}: {_in_words(refresh)}")


def _newest(autoscaling: Any, group: str) -> dict[str, Any]:
    """AWS lists them newest first; a group that does not exist has none."""
    answer = unless(NO_GROUP, autoscaling.describe_instance_refreshes, AutoScalingGroupName=group, MaxRecords=1)
    refreshes = answer["InstanceRefreshes"] if answer else []
    return dict(refreshes[0]) if refreshes else {}


def _by_id(autoscaling: Any, group: str, identity: str) -> dict[str, Any]:
    answer = autoscaling.describe_instance_refreshes(AutoScalingGroupName=group, InstanceRefreshIds=[identity])
    return dict(answer["InstanceRefreshes"][0])


def _in_words(refresh: Mapping[str, Any]) -> str:
    left = refresh.get("InstancesToUpdate")
    parts = [
        f"instance refresh {refresh['Status']}",
        f"{refresh.get('PercentageComplete', 0)} % done",
        f"{left} instances left" if left else "",
        refresh.get("StatusReason", ""),
    ]
    return ", ".join(part for part in parts if part)
