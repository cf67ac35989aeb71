# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EC2 Auto Scaling: groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import autoscaling_refresh

Value = TypeVar("Value")

NAMES_PER_CALL = 100
IDS_PER_FILTER = 200
DELETE_SECONDS = 1800.0
SEEN_SECONDS = 90.0
PROGRESS_SECONDS = 5.0
# It takes some seconds until an instance profile or a launch template that was made a moment ago is known everywhere.
NOT_SEEN_YET = (
    "Invalid IAM Instance Profile",
    "launch template, with template ID",
    "Could not find the specified version",
)
GRANULARITY = "1Minute"
LATEST, DEFAULT = "$Latest", "$Default"
LAUNCH = ("LaunchTemplate", "MixedInstancesPolicy")
BY_OTHER_CALLS = ("SuspendedProcesses", "EnabledMetrics", "Status")


class AutoScalingGroup(Kind):
    """A group. Lists where AWS has texts or structures: VPCZoneIdentifier, SuspendedProcesses, EnabledMetrics.

    A changed launch template or mixed instances policy goes to the group through an instance refresh, which gives it to
    the group when the instances have it. `Status` is there only while AWS is still deleting the group.
    """

    kind = "auto_scaling_group"
    label = "Auto Scaling group"
    immutable = frozenset({"Status"})
    # ECS looks for its key alone, and people set it to `true` or to nothing.
    valueless_tags = frozenset({"AmazonECSManaged"})
    defaults = {
        "CapacityRebalance": False,
        "DefaultCooldown": 300,
        "DefaultInstanceWarmup": -1,
        "DeletionProtection": "none",
        "EnabledMetrics": [],
        "HealthCheckGracePeriod": 0,
        "HealthCheckType": "EC2",
        "InstanceMaintenancePolicy": {"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1},
        "MaxInstanceLifetime": 0,
        "NewInstancesProtectedFromScaleIn": False,
        "SuspendedProcesses": [],
        "TerminationPolicies": ["Default"],
    }

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        autoscaling = aws.client("autoscaling")
        # Refreshes before groups: one that succeeds in between is in the group already.
        declared = [item.name for item in wanted if item.properties]
        heading = dict(
            zip(declared, each(lambda name: autoscaling_refresh.heading_for(autoscaling, name), declared), strict=True)
        )
        names = sorted({item.name for item in wanted})
        groups = [group for some in chunks(names, NAMES_PER_CALL) for group in _described(autoscaling, some)]
        return {
            group["AutoScalingGroupName"]: self._observed(group, heading.get(group["AutoScalingGroupName"], {}))
            for group in groups
        }

    def _observed(self, group: Mapping[str, Any], heading: Mapping[str, Any]) -> Observed:
        plain = ("MinSize", "MaxSize", "DesiredCapacity", *(name for name in self.defaults if name in group))
        properties = {**self.defaults, **{name: group[name] for name in plain}}
        properties["VPCZoneIdentifier"] = [item for item in group.get("VPCZoneIdentifier", "").split(",") if item]
        properties["SuspendedProcesses"] = [item["ProcessName"] for item in group.get("SuspendedProcesses", ())]
        properties["EnabledMetrics"] = [item["Metric"] for item in group.get("EnabledMetrics", ())]
        properties["Status"] = group.get("Status")
        launch = heading or group
        properties.update({name: launch.get(name) for name in LAUNCH})
        return Observed(
            group["AutoScalingGroupName"], properties, _attributes(group), tags.from_list(group.get("Tags"))
        )

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        for name in ("VPCZoneIdentifier", "SuspendedProcesses", "EnabledMetrics"):
            if name in result:
                result[name] = sorted(result[name] or ())
        if result.get("HealthCheckType"):
            types = {*result["HealthCheckType"].split(","), "EC2"}
            result["HealthCheckType"] = ",".join(sorted(types))
        if result.get("LaunchTemplate"):
            result["LaunchTemplate"] = _specification(result["LaunchTemplate"])
        if result.get("MixedInstancesPolicy"):
            result["MixedInstancesPolicy"] = _policy(result["MixedInstancesPolicy"])
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        autoscaling, once = aws.client("autoscaling"), aws.once("autoscaling")
        request = {
            **_request(resource.properties, set(resource.properties)),
            **_launch(resource.properties),
            "AutoScalingGroupName": resource.name,
            "Tags": [_tag(resource.name, key, value) for key, value in sorted(resource.tags.items())],
        }

        _patiently(lambda: once.create_auto_scaling_group(**request), resource.name)
        described = wait_for(
            lambda: _described(autoscaling, [resource.name]) or None, f"{resource.name} to be seen", SEEN_SECONDS
        )
        _processes(autoscaling, resource.name, resource.properties, ())
        _metrics(autoscaling, resource.name, resource.properties, ())
        return _attributes(described[0])

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        autoscaling, changed = aws.client("autoscaling"), top_level(differences)
        properties = self.defaults | resource.properties
        if "SuspendedProcesses" in changed:
            _processes(autoscaling, resource.name, properties, observed.properties["SuspendedProcesses"])
        if "EnabledMetrics" in changed:
            _metrics(autoscaling, resource.name, properties, observed.properties["EnabledMetrics"])
        request = _request(properties, changed)
        if changed.intersection(LAUNCH) and not self._refreshes(aws, resource):
            autoscaling_refresh.cancel(aws, resource.name)
            request |= _launch(properties)
        if request:
            _patiently(
                lambda: autoscaling.update_auto_scaling_group(AutoScalingGroupName=resource.name, **request),
                resource.name,
            )
        if changed.intersection(LAUNCH) and not set(LAUNCH).intersection(request):
            self._refresh(aws, resource, observed)

    @staticmethod
    def _refreshes(aws: Aws, resource: Resource) -> bool:
        """Whether there are instances for a refresh to replace, and one is wanted."""
        if not resource.options.get("instance_refresh"):
            return False
        return any(group.get("Instances") for group in _described(aws.client("autoscaling"), [resource.name]))

    @staticmethod
    def _refresh(aws: Aws, resource: Resource, observed: Observed) -> None:
        options = resource.options["instance_refresh"]
        preferences = dict(options["preferences"])
        if preferences.get("AutoRollback") and not _can_roll_back(observed.properties):
            # AWS refuses the refresh otherwise: it would not know what to go back to.
            preferences["AutoRollback"] = False
            aws.progress(f"auto_scaling_group/{resource.name}: no rollback to a version such as {LATEST}")
        configuration = _launch(resource.properties)
        identity = _patiently(
            lambda: autoscaling_refresh.start(aws, resource.name, configuration, preferences), resource.name
        )
        if options["wait"]:
            autoscaling_refresh.wait(aws, resource.name, identity, options["wait_timeout"])

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        autoscaling = aws.client("autoscaling")
        if add:
            autoscaling.create_or_update_tags(Tags=[_tag(observed.name, *item) for item in sorted(add.items())])
        if remove:
            keys = [
                {"ResourceId": observed.name, "ResourceType": "auto-scaling-group", "Key": key}
                for key in sorted(remove)
            ]
            autoscaling.delete_tags(Tags=keys)

    def refuses_delete(self, resource: Resource, observed: Observed) -> str | None:
        protection = observed.properties["DeletionProtection"]
        return f"its deletion protection is {protection}" if protection != "none" else None

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        """Gone means its instances too: subnets, security groups and the cluster cannot go before them."""
        autoscaling, name = aws.client("autoscaling"), observed.name
        groups = _described(autoscaling, [name])
        instances = [item["InstanceId"] for group in groups for item in group.get("Instances", ())]
        if groups and not groups[0].get("Status"):
            autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        spoke = time.monotonic()

        def gone() -> bool:
            nonlocal spoke
            left = _described(autoscaling, [name])
            running = [] if left else _not_terminated(aws, instances)
            if time.monotonic() - spoke >= PROGRESS_SECONDS and (left or running):
                spoke = time.monotonic()
                count = len(left[0].get("Instances", ())) if left else len(running)
                aws.progress(f"auto_scaling_group/{name}: {count} instances are being terminated")
            return not left and not running

        wait_for(gone, f"{self.label} {name} and its instances to be gone", DELETE_SECONDS)


def _patiently(call: Callable[[], Value], group: str) -> Value:
    """The result of a call, tried again while AWS has not seen what the group launches."""
    made: list[Value] = []
    said = [""]

    def attempt() -> bool:
        try:
            made.append(call())
        except exceptions.ClientError as error:
            said[0] = str(error)
            if not any(text in said[0] for text in NOT_SEEN_YET):
                raise
            return False
        return True

    wait_for(attempt, f"EC2 to know what {group} launches", SEEN_SECONDS, lambda: said[0])
    return made[0]


def _can_roll_back(properties: Mapping[str, Any]) -> bool:
    """Whether the group has versions by number; groups that others made may follow the latest or default one."""
    policy = (properties.get("MixedInstancesPolicy") or {}).get("LaunchTemplate", {})
    templates = [
        properties.get("LaunchTemplate"),
        policy.get("LaunchTemplateSpecification"),
        *(item.get("LaunchTemplateSpecification") for item in policy.get("Overrides", ())),
    ]
    return all(str(item.get("Version", DEFAULT)).isdigit() for item in templates if item)


def _described(autoscaling: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    return pages(
        autoscaling,
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        AutoScalingGroupNames=list(names),
        PaginationConfig={"PageSize": NAMES_PER_CALL},
    )


def _attributes(group: Mapping[str, Any]) -> dict[str, Any]:
    name = group["AutoScalingGroupName"]
    return {"id": name, "name": name, "arn": group["AutoScalingGroupARN"]}


def _specification(template: Mapping[str, Any]) -> dict[str, Any]:
    """Without the name, which says the same as the id."""
    return {name: str(template[name]) for name in ("LaunchTemplateId", "Version") if name in template}


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(policy)
    template = dict(result.get("LaunchTemplate", {}))
    if "LaunchTemplateSpecification" in template:
        template["LaunchTemplateSpecification"] = _specification(template["LaunchTemplateSpecification"])
    if "Overrides" in template:
        template["Overrides"] = [_override(item) for item in template["Overrides"]]
    return {**result, "LaunchTemplate": template}


def _override(override: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(override)
    if "WeightedCapacity" in result:
        result["WeightedCapacity"] = str(result["WeightedCapacity"])
    if "LaunchTemplateSpecification" in result:
        result["LaunchTemplateSpecification"] = _specification(result["LaunchTemplateSpecification"])
    return result


def _request(properties: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """The named properties as CreateAutoScalingGroup and UpdateAutoScalingGroup take them, but for what is launched."""
    wanted = names - set(LAUNCH) - set(BY_OTHER_CALLS)
    request = {name: properties[name] for name in sorted(wanted) if properties.get(name) is not None}
    if "VPCZoneIdentifier" in request:
        request["VPCZoneIdentifier"] = ",".join(request["VPCZoneIdentifier"])
    return request


def _launch(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What the group launches, as AWS takes it: a launch template or a mixed instances policy."""
    if properties.get("MixedInstancesPolicy"):
        return {"MixedInstancesPolicy": _policy(properties["MixedInstancesPolicy"])}
    return {"LaunchTemplate": _specification(properties["LaunchTemplate"])}


def _tag(group: str, key: str, value: str) -> dict[str, Any]:
    return {
        "ResourceId": group,
        "ResourceType": "auto-scaling-group",
        "Key": key,
        "Value": value,
        "PropagateAtLaunch": True,
    }


def _processes(autoscaling: Any, group: str, properties: Mapping[str, Any], now: Sequence[str]) -> None:
    wanted = set(properties.get("SuspendedProcesses") or ())
    if wanted - set(now):
        autoscaling.suspend_processes(AutoScalingGroupName=group, ScalingProcesses=sorted(wanted - set(now)))
    if set(now) - wanted:
        autoscaling.resume_processes(AutoScalingGroupName=group, ScalingProcesses=sorted(set(now) - wanted))


def _metrics(autoscaling: Any, group: str, properties: Mapping[str, Any], now: Sequence[str]) -> None:
    wanted = set(properties.get("EnabledMetrics") or ())
    if wanted - set(now):
        autoscaling.enable_metrics_collection(
            AutoScalingGroupName=group, Metrics=sorted(wanted - set(now)), Granularity=GRANULARITY
        )
    if set(now) - wanted:
        autoscaling.disable_metrics_collection(AutoScalingGroupName=group, Metrics=sorted(set(now) - wanted))


def _not_terminated(aws: Aws, instances: Sequence[str]) -> list[str]:
    """Those that are still shutting down; EC2 forgets terminated instances after about an hour."""
    ec2 = aws.client("ec2")
    # By filter, because one id that is not known any more would be the answer for all of them.
    wanted = [[{"Name": "instance-id", "Values": some}] for some in chunks(instances, IDS_PER_FILTER)]
    reservations = [
        item for filters in wanted for item in pages(ec2, "describe_instances", "Reservations", Filters=filters)
    ]
    found = [item for reservation in reservations for item in reservation["Instances"]]
    return [item["InstanceId"] for item in found if item["State"]["Name"] != "terminated"]


KINDS = (AutoScalingGroup,)
