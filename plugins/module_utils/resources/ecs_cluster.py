# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon ECS: clusters, and the capacity providers that a cluster uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import code_of
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

GONE = "ClusterNotFoundException"
# What passes by itself: instances leave the cluster some time after they are terminated, tasks after they are stopped.
EMPTYING = {
    "ClusterContainsContainerInstancesException": "container instances to leave it",
    "ClusterContainsTasksException": "tasks to stop",
    "UpdateInProgressException": "an update of it to finish",
}
# Errors of create calls that pass: IAM is eventually consistent (a new role, the service-linked role of a new account),
# and a deleted service of the same name still drains.
NOT_YET = ("unable to assume", "still draining")
NOT_YET_CODES = ("InvalidParameterException", "ClientException")
DELETE_TIMEOUT = 600
UPDATE_TIMEOUT = 300
CLUSTERS_PER_CALL = 100


class EcsCluster(Kind):
    """A cluster; `settings` is a mapping here, where AWS has a list of names and values."""

    kind = "ecs_cluster"
    named = frozenset({"name"})
    label = "ECS cluster"
    defaults = {
        "settings": {"containerInsights": "disabled"},
        "configuration": {},
        "serviceConnectDefaults": {"namespace": ""},
    }

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        properties = {item.name: item.properties for item in wanted}
        found = {}
        for name, cluster in _read(aws, list(properties)).items():
            default = (cluster.get("serviceConnectDefaults") or {}).get("namespace", "")
            declared = (properties[name].get("serviceConnectDefaults") or {}).get("namespace")
            observed = {
                "settings": {item["name"]: item["value"] for item in cluster.get("settings") or []},
                "configuration": cluster.get("configuration") or {},
                "serviceConnectDefaults": {"namespace": as_declared(aws, default, declared)},
            }
            attributes = {"id": name, "name": name, "arn": cluster["clusterArn"]}
            found[name] = Observed(name, observed, attributes, tags.from_list(cluster.get("tags"), "key", "value"))
        return found

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        arguments = {
            "clusterName": resource.name,
            "tags": tags.to_list(resource.tags, "key", "value"),
            **_as_sent(resource.properties),
        }
        answer = accepted(aws, resource.name, lambda: aws.client("ecs").create_cluster(**arguments), UPDATE_TIMEOUT)
        return {"id": resource.name, "name": resource.name, "arn": answer["cluster"]["clusterArn"]}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        changed = {name: resource.properties.get(name, self.defaults[name]) for name in top_level(differences)}
        if "configuration" in changed:
            # AWS replaces the whole configuration: what is not declared in it stays as it is.
            changed["configuration"] = merged(observed.properties["configuration"], changed["configuration"])
        arguments = {"cluster": resource.name, **_as_sent(changed)}
        _when_not_updating(resource.name, lambda: aws.client("ecs").update_cluster(**arguments))

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        retag(aws, observed.attributes["arn"], add, remove)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        ecs = aws.client("ecs")
        waiting_for = ""

        def gone() -> bool:
            nonlocal waiting_for
            try:
                unless(GONE, ecs.delete_cluster, cluster=observed.name)
            except exceptions.ClientError as error:
                if code_of(error) not in EMPTYING:
                    raise
                if waiting_for != EMPTYING[code_of(error)]:
                    waiting_for = EMPTYING[code_of(error)]
                    aws.progress(f"ECS cluster {observed.name}: waiting for {waiting_for}")
                return False
            return True

        wait_for(gone, f"ECS cluster {observed.name} to be deleted", DELETE_TIMEOUT, lambda: f"wait for {waiting_for}")


class EcsClusterCapacityProviders(Kind):
    """The capacity providers that a cluster uses, and its default strategy. Named like its cluster."""

    kind = "ecs_cluster_capacity_providers"
    label = "capacity providers of ECS cluster"
    taggable = False
    defaults = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        # A cluster without any is as declared where none are declared, and otherwise has yet to get them.
        none_declared = {item.name for item in wanted if not any(item.properties.get(key) for key in self.defaults)}
        found = {}
        for name, cluster in _read(aws, [item.name for item in wanted]).items():
            properties = {key: cluster.get(key) or [] for key in self.defaults}
            if any(properties.values()) or name in none_declared:
                found[name] = Observed(name, properties, {"id": name, "name": name})
        return found

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if "capacityProviders" in result:
            result["capacityProviders"] = sorted(result["capacityProviders"])
        if "defaultCapacityProviderStrategy" in result:
            result["defaultCapacityProviderStrategy"] = strategy(result["defaultCapacityProviderStrategy"])
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        self._put(aws, resource.name, resource.properties)
        return {"id": resource.name, "name": resource.name}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        self._put(aws, resource.name, {**observed.properties, **resource.properties})

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        # The tasks of deleted services use them until they have stopped, so that they are in use passes here.
        unless(GONE, self._put, aws, observed.name, {}, going=True)

    def _put(self, aws: Aws, name: str, properties: Mapping[str, Any], going: bool = False) -> None:
        ecs = aws.client("ecs")
        arguments = {key: properties.get(key) or [] for key in self.defaults}
        _when_not_updating(name, lambda: ecs.put_cluster_capacity_providers(cluster=name, **arguments), going)
        if not set(arguments["capacityProviders"]) <= {"FARGATE", "FARGATE_SPOT"}:
            wait_for(lambda: _attached(aws, name), f"the capacity providers of ECS cluster {name}", UPDATE_TIMEOUT)


def _read(aws: Aws, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The clusters by their names, for both kinds with one call in a reading."""

    def ask(some: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {item["clusterName"]: item for item in _described(aws, some, ["SETTINGS", "CONFIGURATIONS", "TAGS"])}

    return ask(names) if aws.answers is None else aws.answers.of("ECS clusters", names, ask)


def _described(aws: Aws, names: Sequence[str], include: list[str]) -> list[dict[str, Any]]:
    """The ACTIVE ones among these clusters."""
    ecs = aws.client("ecs")
    answers = [ecs.describe_clusters(clusters=some, include=include) for some in chunks(names, CLUSTERS_PER_CALL)]
    return [cluster for answer in answers for cluster in answer["clusters"] if cluster["status"] == "ACTIVE"]


def _attached(aws: Aws, name: str) -> bool:
    """AWS attaches a scaling plan to the Auto Scaling group behind a capacity provider, which takes a while."""
    clusters = _described(aws, [name], ["ATTACHMENTS"])
    return not clusters or clusters[0].get("attachmentsStatus") != "UPDATE_IN_PROGRESS"


def _when_not_updating(name: str, call: Callable[[], Any], use_ends: bool = False) -> None:
    """AWS refuses changes of a cluster while an earlier one is in progress. use_ends: what is in use will not be."""
    said = ""

    def attempt() -> bool:
        nonlocal said
        try:
            call()
        except exceptions.ClientError as error:
            if _is_busy(error) or (use_ends and code_of(error) == "ResourceInUseException"):
                said = str(error)
                return False
            raise
        return True

    wait_for(attempt, f"ECS cluster {name} to accept an update", UPDATE_TIMEOUT, lambda: said)


def _is_busy(error: exceptions.ClientError) -> bool:
    """ResourceInUseException also means that a capacity provider is in use, and that does not pass."""
    code, text = code_of(error), str(error).lower()
    busy = any(words in text for words in ("busy", "in progress", "in_progress", "being updated"))
    new = code == "ClientException" and "cluster was not active" in text
    return new or code == "UpdateInProgressException" or (code == "ResourceInUseException" and busy)


def accepted(aws: Aws, name: str, call: Callable[[], Any], timeout: float) -> Any:
    """The answer of a create call, once what it needs has come about everywhere."""

    def attempt() -> Any:
        try:
            return call()
        except exceptions.ClientError as error:
            message = str(error.response.get("Error", {}).get("Message", ""))
            if code_of(error) not in NOT_YET_CODES or not any(text in message.lower() for text in NOT_YET):
                raise
            aws.progress(f"{name}: not yet: {message}")
            return None

    return wait_for(attempt, f"{name} to be accepted", timeout)


def _as_sent(properties: Mapping[str, Any]) -> dict[str, Any]:
    sent = {name: value for name, value in properties.items() if value}
    if "settings" in sent:
        sent["settings"] = [{"name": name, "value": value} for name, value in sent["settings"].items()]
    return sent


def merged(base: Any, changes: Any) -> Any:
    """A structure with the declared fields laid over the observed ones."""
    if not isinstance(base, Mapping) or not isinstance(changes, Mapping):
        return changes
    return {**base, **{name: merged(base.get(name), value) for name, value in changes.items()}}


def strategy(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A capacity provider strategy in one form: weight and base filled in, in order of names."""
    filled = [{"weight": 0, "base": 0, **item} for item in items]
    return sorted(filled, key=lambda item: str(item["capacityProvider"]))


def as_declared(aws: Aws, observed: str, declared: Any) -> str:
    """A Cloud Map namespace by name where it is declared by name: AWS answers with its ARN."""
    if not declared or str(declared).startswith("arn:") or not observed.startswith("arn:"):
        return observed
    identity = observed.rsplit("/", 1)[-1]
    return str(aws.client("servicediscovery").get_namespace(Id=identity)["Namespace"]["Name"])


def retag(aws: Aws, arn: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    """Set and remove tags of anything in ECS."""
    ecs = aws.client("ecs")
    if add:
        ecs.tag_resource(resourceArn=arn, tags=tags.to_list(add, "key", "value"))
    if remove:
        ecs.untag_resource(resourceArn=arn, tagKeys=list(remove))


KINDS = (EcsCluster, EcsClusterCapacityProviders)
