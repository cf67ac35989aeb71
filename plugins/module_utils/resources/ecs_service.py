# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon ECS: services."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
    is_unknown,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout, ecs_task_definition
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_cluster import (
    accepted,
    as_declared,
    merged,
    retag,
    strategy,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.scaling_common import scaled
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sensitive import redact

SERVICES_PER_CALL = 10
GONE = ("ServiceNotFoundException", "ServiceNotActiveException", "ClusterNotFoundException")
# What DescribeServices shows of a service, and what only its primary deployment or its service revision shows.
ON_SERVICE = (
    "taskDefinition",
    "desiredCount",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "schedulingStrategy",
    "deploymentController",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
    "availabilityZoneRebalancing",
)
ON_DEPLOYMENT = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")
ON_REVISION = ("monitoring", "gatewayConnectors")
# In an update AWS replaces these whole: what is not declared in them stays as it is.
LAID_OVER = ("deploymentConfiguration", "networkConfiguration")
# Parts of a deployment configuration that AWS takes with one strategy only.
OF_STRATEGY = {"linearConfiguration": "LINEAR", "canaryConfiguration": "CANARY", "earlySuccessCriteria": "ROLLING"}
# What AWS leaves out of the answer where it is not set.
LEFT_OUT: dict[str, Any] = {
    "enableExecuteCommand": False,
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "healthCheckGracePeriodSeconds": 0,
    "availabilityZoneRebalancing": "DISABLED",
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "serviceConnectConfiguration": {"enabled": False},
}
CREATE_TIMEOUT = 600
DELETE_TIMEOUT = 900


class EcsService(Kind):
    """A service. Its name is `<cluster>/<service>`; its options say whether and how long to wait for a steady state."""

    kind = "ecs_service"
    label = "ECS service"
    immutable = frozenset({"launchType", "schedulingStrategy", "role"})
    defaults = {
        "loadBalancers": [],
        "serviceRegistries": [],
        "healthCheckGracePeriodSeconds": 0,
        "placementConstraints": [],
        "placementStrategy": [],
        "enableExecuteCommand": False,
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "serviceConnectConfiguration": {"enabled": False},
        "volumeConfigurations": {},
        "vpcLatticeConfigurations": [],
    }

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        by_cluster: dict[str, list[Wanted]] = defaultdict(list)
        for item in wanted:
            by_cluster[item.name.split("/", 1)[0]].append(item)
        batches = [(name, some) for name, items in by_cluster.items() for some in chunks(items, SERVICES_PER_CALL)]
        found = each(lambda batch: _read(aws, *batch), batches)
        result = {item.name: item for some in found for item in some}
        _leave_to_the_autoscaler(aws, wanted, result)
        return result

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {name: CANONICAL[name](value) if name in CANONICAL else value for name, value in properties.items()}

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        return super().differences(desired, observed, last_applied) + list(_gone(desired, observed))

    def replaces(self, difference: Difference) -> bool:
        """A service on a capacity provider strategy goes back to its launch type by an update."""
        if difference.path == "launchType" and difference.before is None:
            return False
        return super().replaces(difference)

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        """Service Connect's proxy logs with a driver whose options may hold a token."""
        hidden = redact([(item.path, item.before, item.after) for item in differences])
        pairs = zip(differences, hidden, strict=True)
        return [item._replace(before=before, after=after) for item, (_path, before, after) in pairs]

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        cluster, name = resource.name.split("/", 1)
        arguments = {
            "cluster": cluster,
            "serviceName": name,
            "clientToken": uuid.uuid4().hex,
            "tags": tags.to_list(resource.tags, "key", "value"),
            **resource.properties,
            **_newest(aws, resource, resource.properties),
        }
        call = aws.client("ecs").create_service
        answer = accepted(aws, f"ECS service {resource.name}", lambda: call(**arguments), CREATE_TIMEOUT)["service"]
        self._wait(aws, resource, answer)
        return attributes(answer)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        cluster, name = resource.name.split("/", 1)
        changes = {
            field: resource.properties[field] if field in resource.properties else self.defaults[field]
            for field in top_level(differences)
        }
        changes.update(_newest(aws, resource, changes))
        for field in changes.keys() & set(LAID_OVER):
            changes[field] = laid_over(observed.properties.get(field), changes[field])
        if changes.pop("launchType", None):
            changes["capacityProviderStrategy"] = []
        if changes.get("volumeConfigurations") == {}:
            changes["volumeConfigurations"] = []
        if "capacityProviderStrategy" in changes:
            # AWS moves the tasks only in a new deployment, and starts none for this by itself.
            changes["forceNewDeployment"] = True
        answer = aws.client("ecs").update_service(cluster=cluster, service=name, **changes)["service"]
        self._wait(aws, resource, answer)

    @staticmethod
    def _wait(aws: Aws, resource: Resource, answer: Mapping[str, Any]) -> None:
        controller = (answer.get("deploymentController") or {}).get("type", "ECS")
        if controller != "EXTERNAL" and resource.options.get("wait_for_steady_state"):
            ecs_rollout.wait_until_steady(aws, resource.name, answer, resource.options["wait_timeout"])

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        retag(aws, observed.attributes["arn"], add, remove)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        """Delete it with its tasks, and wait until they have drained."""
        cluster, name = observed.name.split("/", 1)
        unless(GONE, aws.client("ecs").delete_service, cluster=cluster, service=name, force=True)
        ecs_rollout.wait_until_gone(aws, observed.name, DELETE_TIMEOUT)


def _newest(aws: Aws, resource: Resource, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The revision to run where a family is followed: a pipeline may have registered one since the plan was made."""
    family = resource.options.get("family")
    if not family or "taskDefinition" not in sent:
        return {}
    newest = ecs_task_definition.latest(aws, family)
    if newest is None or newest.attributes["revision"] <= ecs_rollout.revision(sent["taskDefinition"]):
        return {}
    aws.progress(f"{resource.name}: {_short(newest.attributes['arn'])} was registered meanwhile and is taken")
    return {"taskDefinition": newest.attributes["arn"]}


def attributes(service: Mapping[str, Any]) -> dict[str, Any]:
    cluster = service["clusterArn"].rsplit("/", 1)[-1]
    name = service["serviceName"]
    return {"id": f"{cluster}/{name}", "name": name, "cluster": cluster, "arn": service["serviceArn"]}


def _read(aws: Aws, cluster: str, wanted: Sequence[Wanted]) -> list[Observed]:
    declared = {item.name.split("/", 1)[1]: item.properties for item in wanted}
    answer = unless(
        "ClusterNotFoundException",
        aws.client("ecs").describe_services,
        cluster=cluster,
        services=list(declared),
        include=["TAGS"],
    )
    active = [service for service in (answer or {"services": []})["services"] if service["status"] == "ACTIVE"]
    return [_observe(aws, cluster, service, declared[service["serviceName"]]) for service in active]


def _leave_to_the_autoscaler(aws: Aws, wanted: Sequence[Wanted], found: Mapping[str, Observed]) -> None:
    """The desired count of a service with a scalable target is not ours. Asked only where it is not as declared."""
    moved = [
        item.name
        for item in wanted
        if item.name in found
        and "desiredCount" in item.properties
        and found[item.name].properties.get("desiredCount") != item.properties["desiredCount"]
    ]
    for name in scaled(aws, moved):
        found[name].owned["desiredCount"] = "the autoscaler"


def _observe(aws: Aws, cluster: str, service: Mapping[str, Any], declared: Mapping[str, Any]) -> Observed:
    properties = {name: value for name, value in LEFT_OUT.items() if name in declared}
    properties.update({name: service[name] for name in ON_SERVICE if service.get(name) is not None})
    if service.get("roleArn"):
        properties["role"] = service["roleArn"]
    primary = ecs_rollout.primary_of(service) or {}
    properties.update({name: primary[name] for name in ON_DEPLOYMENT if name in declared and primary.get(name)})
    connect = properties.get("serviceConnectConfiguration") or {}
    if "namespace" in connect:
        wanted = (declared["serviceConnectConfiguration"] or {}).get("namespace")
        properties["serviceConnectConfiguration"] = {
            **connect,
            "namespace": as_declared(aws, connect["namespace"], wanted),
        }
    if any(name in declared for name in ON_REVISION):
        properties.update(_of_revision(aws, service))
    name = f"{cluster}/{service['serviceName']}"
    labels = tags.from_list(service.get("tags"), "key", "value")
    return Observed(name, properties, attributes(service), labels, remarks=ecs_rollout.remarks(service))


def _of_revision(aws: Aws, service: Mapping[str, Any]) -> dict[str, Any]:
    """What only the service's current revision shows."""
    arns = [item["arn"] for item in service.get("currentServiceRevisions") or ()][:1]
    if not arns:
        return {}
    revisions = aws.client("ecs").describe_service_revisions(serviceRevisionArns=arns)["serviceRevisions"]
    return {name: revisions[0][name] for name in ON_REVISION if revisions and revisions[0].get(name)}


def laid_over(observed: Any, changes: Any) -> Any:
    result = merged(observed, changes)
    strategy_there = result.get("strategy") or "ROLLING"
    given = {name: value for name, value in result.items() if OF_STRATEGY.get(name) in (None, strategy_there)}
    if strategy_there == "ROLLING" and (observed or {}).get("strategy") not in (None, "ROLLING"):
        # The bake time and the hooks of another strategy go with it, but for those that are declared.
        given = {k: v for k, v in given.items() if k not in ("bakeTimeInMinutes", "lifecycleHooks") or k in changes}
    return given


def _short(value: Any) -> Any:
    """family:revision of an ARN."""
    return value if is_unknown(value) else str(value).rsplit("/", 1)[-1]


def _network(value: Mapping[str, Any]) -> dict[str, Any]:
    awsvpc = {"assignPublicIp": "DISABLED", **(value.get("awsvpcConfiguration") or {})}
    ordered = {name: sorted(map(str, awsvpc[name])) for name in ("subnets", "securityGroups") if name in awsvpc}
    return {"awsvpcConfiguration": {**awsvpc, **ordered}}


def _sorted(values: Sequence[Any] | None) -> list[Any]:
    return sorted(values or [], key=lambda item: sorted((name, str(value)) for name, value in item.items()))


def _deployment(value: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(value)
    if result.get("alarms"):
        result["alarms"] = {**result["alarms"], "alarmNames": sorted(result["alarms"]["alarmNames"])}
    if result.get("lifecycleHooks"):
        hooks = [{**hook, "lifecycleStages": sorted(hook["lifecycleStages"])} for hook in result["lifecycleHooks"]]
        result["lifecycleHooks"] = _sorted(hooks)
    return result


def _connect(value: Mapping[str, Any]) -> dict[str, Any]:
    """The services by port name; the discovery name is the port name where it is not given."""
    if not value or not value.get("enabled"):
        return {"enabled": False}
    if isinstance(value.get("services"), Mapping):
        # As the state remembers it.
        return dict(value)
    services = {item["portName"]: {"discoveryName": item["portName"], **item} for item in value.get("services") or ()}
    for item in services.values():
        if item.get("clientAliases"):
            # AWS fills in the DNS name of an alias.
            item["clientAliases"] = {str(alias["port"]): dict(alias) for alias in item["clientAliases"]}
    return {**value, "services": services}


def _placement(value: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """AWS answers with MEMORY and CPU, takes host for instanceId, and has no field with random."""
    return [_placement_step(item) for item in value or ()]


def _placement_step(item: Mapping[str, Any]) -> dict[str, Any]:
    field = str(item.get("field") or "")
    if item["type"] == "random" or not field:
        return {"type": item["type"]}
    if field.lower() in ("cpu", "memory"):
        field = field.lower()
    return {"type": item["type"], "field": "instanceId" if field == "host" else field}


def _volumes(value: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {item["name"]: dict(item) for item in value or ()}


CANONICAL: dict[str, Any] = {
    "taskDefinition": _short,
    "networkConfiguration": _network,
    "capacityProviderStrategy": strategy,
    "loadBalancers": _sorted,
    "serviceRegistries": _sorted,
    "placementConstraints": _sorted,
    "placementStrategy": _placement,
    "vpcLatticeConfigurations": _sorted,
    "gatewayConnectors": _sorted,
    "deploymentConfiguration": _deployment,
    "serviceConnectConfiguration": _connect,
    "volumeConfigurations": _volumes,
}


def _gone(desired: Mapping[str, Any], observed: Mapping[str, Any]) -> list[Difference]:
    """Named parts that AWS has and the declaration has no more: the generic comparison looks at declared ones only."""
    found = []
    connect = "serviceConnectConfiguration"
    parts = (
        ("volumeConfigurations", desired.get("volumeConfigurations"), observed.get("volumeConfigurations")),
        (f"{connect}.services", desired.get(connect, {}).get("services"), observed.get(connect, {}).get("services")),
    )
    for path, declared, there in parts:
        if declared is not None and there:
            found += [Difference(f"{path}.{name}", there[name], None) for name in there if name not in declared]
    return found


KINDS = (EcsService,)
