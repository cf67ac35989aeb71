# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application Auto Scaling: scalable targets of ECS services, with their policies and scheduled actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import scaling_policies
from ansible_collections.dockyard.aws.plugins.module_utils.resources.scaling_common import (
    GONE,
    arguments,
    of_targets,
    suspended_state,
    targets,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.scaling_policies import COOLDOWNS

OWN = ("MinCapacity", "MaxCapacity", "SuspendedState")
POLICIES, ACTIONS = "ScalingPolicies", "ScheduledActions"
TIMES = ("StartTime", "EndTime")


class ScalableTarget(Kind):
    """The scalable target of an ECS service. Its name is the service's, `<cluster>/<service>`.

    Its policies (`ScalingPolicies`) and scheduled actions (`ScheduledActions`), each by name, are parts of it, and
    complete: what is not declared goes, as the target is ours.
    """

    kind = "scalable_target"
    label = "Scalable target"
    defaults = {"SuspendedState": suspended_state({})}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = targets(aws, [item.name for item in wanted])
        names = sorted(found)
        declared = {item.name: item.properties.get(POLICIES) or {} for item in wanted}
        listed = of_targets(aws, names, "describe_scaling_policies", "ScalingPolicies")
        policies = scaling_policies.observed(aws, listed, declared)
        actions = of_targets(aws, names, "describe_scheduled_actions", "ScheduledActions")

        def observe(name: str) -> Observed:
            target = found[name]
            properties = {
                "MinCapacity": target["MinCapacity"],
                "MaxCapacity": target["MaxCapacity"],
                "SuspendedState": suspended_state(target),
                POLICIES: policies[name],
                ACTIONS: {item["ScheduledActionName"]: _observed_action(item) for item in actions[name]},
            }
            arn = target.get("ScalableTargetARN", "")
            return Observed(name, properties, {"id": name, "arn": arn}, _tags(aws, arn))

        return {item.name: item for item in each(observe, names)}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if POLICIES in result:
            result[POLICIES] = {
                name: scaling_policies.canonical(policy) for name, policy in sorted(result[POLICIES].items())
            }
        if ACTIONS in result:
            result[ACTIONS] = {name: _canonical_action(item) for name, item in sorted(result[ACTIONS].items())}
        return result

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        """A capacity that a scheduled action sets is no difference: that is how it works."""
        own = {name: value for name, value in desired.items() if name not in (POLICIES, ACTIONS)}
        found = [
            item
            for item in super().differences(own, observed, last_applied)
            if last_applied.get(item.path, item.after) != item.after or not _scheduled(item, desired, observed)
        ]
        for name in (POLICIES, ACTIONS):
            if name in desired:
                found += _parts(name, desired[name], observed.get(name) or {}, last_applied.get(name) or {})
        return found

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        """A new target's policies and scheduled actions one by one."""
        found: list[Difference] = []
        for item in differences:
            found += _parts(item.path, item.after, {}) if item.path in (POLICIES, ACTIONS) else [item]
        return found

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        """Every call may be repeated: each says the whole."""
        declared = self.canonical(resource.properties)
        answer = aws.client("application-autoscaling").register_scalable_target(
            Tags=dict(resource.tags),
            **{name: declared[name] for name in OWN if declared.get(name) is not None},
            **arguments(resource.name),
        )
        for name, policy in resource.properties.get(POLICIES, {}).items():
            scaling_policies.put(aws, resource.name, name, policy, resource.tags)
        for name, action in declared.get(ACTIONS, {}).items():
            _put_action(aws, resource.name, name, action)
        return {"id": resource.name, "arn": answer.get("ScalableTargetARN", "")}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        declared, there = self.canonical(resource.properties), self.canonical(observed.properties)
        changed = top_level(differences)
        if changed & set(OWN):
            values = {name: declared.get(name, self.defaults.get(name)) for name in OWN if name in changed}
            aws.client("application-autoscaling").register_scalable_target(**values, **arguments(resource.name))
        _update_policies(aws, resource, there[POLICIES], differences)
        for name in _names(ACTIONS, differences):
            if name in declared[ACTIONS]:
                _put_action(aws, resource.name, name, declared[ACTIONS][name])
            else:
                call = aws.client("application-autoscaling").delete_scheduled_action
                unless(GONE, call, ScheduledActionName=name, **arguments(resource.name))

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        """A target that is older than ARNs of targets gets one when it is registered again."""
        client = aws.client("application-autoscaling")
        arn = observed.attributes["arn"]
        if not arn:
            arn = client.register_scalable_target(**arguments(observed.name))["ScalableTargetARN"]
        if add:
            client.tag_resource(ResourceARN=arn, Tags=dict(add))
        if remove:
            client.untag_resource(ResourceARN=arn, TagKeys=list(remove))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        """AWS deletes its policies and scheduled actions with it; the alarms of step scaling are ours to delete."""
        unless(GONE, aws.client("application-autoscaling").deregister_scalable_target, **arguments(observed.name))
        scaling_policies.delete_alarms(aws, observed.name, _alarms(observed.properties[POLICIES]))


def _tags(aws: Aws, arn: str) -> dict[str, str]:
    if not arn:
        return {}
    found = aws.client("application-autoscaling").list_tags_for_resource(ResourceARN=arn)["Tags"]
    return {key: value for key, value in found.items() if not key.startswith("aws:")}


def _observed_action(item: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: item[name] for name in TIMES if item.get(name) is not None}
    return {
        "Schedule": item["Schedule"],
        "Timezone": item.get("Timezone"),
        **(item.get("ScalableTargetAction") or {}),
        **times,
    }


def _canonical_action(item: Mapping[str, Any]) -> dict[str, Any]:
    """Times in UTC, to the second."""
    result = {name: value for name, value in item.items() if value is not None}
    result.setdefault("Timezone", "UTC")
    for name in TIMES:
        if name in result:
            result[name] = _utc(result[name])
    return result


def _utc(value: Any) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _scheduled(item: Difference, desired: Mapping[str, Any], observed: Mapping[str, Any]) -> bool:
    """Whether a declared scheduled action sets a capacity to what it is, or has done so before it was changed."""
    declared, there = desired.get(ACTIONS) or {}, observed.get(ACTIONS) or {}
    actions = [*declared.values(), *(there[name] for name in declared if name in there)]
    return any(item.before == action.get(item.path) for action in actions)


def _parts(
    path: str, desired: Mapping[str, Any], observed: Mapping[str, Any], applied: Mapping[str, Any] | None = None
) -> Iterator[Difference]:
    """The differences between named things, each of which is complete: `ScalingPolicies[cpu].TargetValue`.

    But for cooldowns, which go back to AWS's own only where they were declared before (`applied`).
    """
    for name in [*desired, *(name for name in observed if name not in desired)]:
        before, after, where = observed.get(name), desired.get(name), f"{path}[{name}]"
        if before is None or after is None or before.get("PolicyType") != after.get("PolicyType"):
            if before != after:
                yield Difference(where, before, after)
            continue
        for key in [*after, *(key for key in before if key not in after)]:
            if key == "Alarms":
                yield from _parts(f"{where}.{key}", after[key], before.get(key) or {})
            elif key in COOLDOWNS and key not in after:
                declared_before = key in ((applied or {}).get(name) or {})
                if declared_before and before[key] != COOLDOWNS[key]:
                    yield Difference(f"{where}.{key}", before[key], COOLDOWNS[key])
            elif before.get(key) != after.get(key):
                yield Difference(f"{where}.{key}", before.get(key), after.get(key))


def _names(path: str, differences: Sequence[Difference]) -> list[str]:
    """The named parts in which there are differences, each once."""
    found = [item.path.removeprefix(f"{path}[") for item in differences if item.path.startswith(f"{path}[")]
    return list(dict.fromkeys(text.split("]", 1)[0] for text in found))


def _update_policies(aws: Aws, resource: Resource, there: Mapping[str, Any], differences: Sequence[Difference]) -> None:
    """What is new or changed is written, what is declared no more is deleted. AWS cannot change a policy's type."""
    declared, paths = resource.properties.get(POLICIES, {}), {item.path for item in differences}
    for name in _names(POLICIES, differences):
        before, after = there.get(name, {}), declared.get(name)
        same_type = after is not None and before.get("PolicyType") == after["PolicyType"]
        if before and not same_type:
            scaling_policies.delete(aws, resource.name, name)
        if after is not None:
            kept = {key: before[key] for key in COOLDOWNS if same_type and key in before}
            going = [key for key in kept if f"{POLICIES}[{name}].{key}" in paths]
            whole = {**{key: value for key, value in kept.items() if key not in going}, **after}
            scaling_policies.put(aws, resource.name, name, whole, resource.tags)
    gone = set(_alarms(there)) - set(_alarms(declared))
    if gone:
        scaling_policies.delete_alarms(aws, resource.name, sorted(gone))


def _alarms(policies: Mapping[str, Any]) -> list[str]:
    return [name for policy in policies.values() for name in policy.get("Alarms") or ()]


def _put_action(aws: Aws, target: str, name: str, action: Mapping[str, Any]) -> None:
    """Written whole: times that are not given are taken away."""
    capacity = {key: action[key] for key in ("MinCapacity", "MaxCapacity") if key in action}
    rest = {key: value for key, value in action.items() if key not in capacity}
    aws.client("application-autoscaling").put_scheduled_action(
        ScheduledActionName=name, ScalableTargetAction=capacity, **rest, **arguments(target)
    )


KINDS = (ScalableTarget,)
