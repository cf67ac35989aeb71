# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of hosted zones, plain and alias."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
    is_unknown,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import route53_changes
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import (
    api_name,
    api_values,
    canonical_name,
    canonical_values,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_zones import PRIVATE

# Up to so many names are looked for one by one, more in a listing of the whole zone.
FEW_NAMES = 5
SETS_OF_A_NAME = "20"
NAME = re.compile(r"(?P<name>.+?)/(?P<type>[A-Z]+)(?:/(?P<set>.+))?")
ROUTING = ("Weight", "Region", "Failover", "MultiValueAnswer", "HealthCheckId")
# Load balancers answer to both names.
DUALSTACK = "dualstack."


class Key(NamedTuple):
    """What a record set is found by within its zone."""

    name: str
    type: str
    set_identifier: str

    @classmethod
    def of(cls, resource_name: str) -> Key:
        """From the name of a resource: `<name>/<type>` or `<name>/<type>/<set identifier>`."""
        found = NAME.fullmatch(resource_name.removeprefix(PRIVATE))
        if found is None:
            raise AwsError(f"{resource_name!r} is no name of a record: it must be <name>/<type>")
        return cls(canonical_name(found["name"]), found["type"], found["set"] or "")

    @classmethod
    def of_set(cls, record_set: Mapping[str, Any]) -> Key:
        return cls(canonical_name(record_set["Name"]), record_set["Type"], record_set.get("SetIdentifier", ""))


class Route53Record(Kind):
    """A record. `ResourceRecords` are its values, or `AliasTarget` is the AWS resource that answers for it.

    It has no tags: what the state has recorded is ours, and without a state what lies in a zone of ours.
    """

    kind = "route53_record"
    label = "record"
    taggable = False
    defaults = {"HealthCheckId": None}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        by_zone: dict[str, dict[Key, str]] = defaultdict(dict)
        for item in wanted:
            by_zone[item.scope["HostedZoneId"]][Key.of(item.name)] = item.name
        found: dict[str, Observed] = {}
        for zone_id, keys in by_zone.items():
            for key, record_set in find(aws, zone_id, list(keys)).items():
                attributes = {"id": f"{zone_id}_{key.name}_{key.type}", "fqdn": key.name, "zone_id": zone_id}
                found[keys[key]] = Observed(keys[key], _properties(record_set), attributes)
        return found

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if result.get("ResourceRecords") is not None:
            result["ResourceRecords"] = canonical_values(result["Type"], result["ResourceRecords"])
        if result.get("AliasTarget"):
            result["AliasTarget"] = _canonical_alias(result["AliasTarget"])
        for name in ("TTL", "Weight"):
            if result.get(name) is not None:
                result[name] = int(result[name])
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        zone_id, key = str(resource.scope["HostedZoneId"]), Key.of(resource.name)
        self._upsert(aws, zone_id, key, resource)
        return {"id": f"{zone_id}_{key.name}_{key.type}", "fqdn": key.name, "zone_id": zone_id}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        self._upsert(aws, str(resource.scope["HostedZoneId"]), Key.of(resource.name), resource)

    @staticmethod
    def _upsert(aws: Aws, zone_id: str, key: Key, resource: Resource) -> None:
        change_id = route53_changes.change(aws, zone_id, "UPSERT", _record_set(key, resource.properties))
        if resource.options.get("wait"):
            route53_changes.wait_insync(aws, change_id, f"record {resource.name}")

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        delete(aws, observed.attributes["zone_id"], Key.of(observed.name))


def find(aws: Aws, zone_id: str, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """The record sets of a zone, by key: as AWS has them."""
    route53, wanted, names = aws.client("route53"), set(keys), sorted({key.name for key in keys})
    if len(names) <= FEW_NAMES:
        answers = each(lambda name: _of_name(route53, zone_id, name), names)
    else:
        answers = [pages(route53, "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id)]
    found = {Key.of_set(item): dict(item) for answer in answers for item in answer}
    return {key: item for key, item in found.items() if key in wanted}


def _of_name(route53: Any, zone_id: str, name: str) -> list[dict[str, Any]]:
    """The record sets of one name: a listing that begins there."""
    found: list[dict[str, Any]] = []
    start: dict[str, str] = {"StartRecordName": api_name(name)}
    while start:
        answer = route53.list_resource_record_sets(HostedZoneId=zone_id, MaxItems=SETS_OF_A_NAME, **start)
        found += [item for item in answer["ResourceRecordSets"] if canonical_name(item["Name"]) == name]
        start = {}
        if answer["IsTruncated"] and canonical_name(answer["NextRecordName"]) == name:
            start = {"StartRecordName": answer["NextRecordName"], "StartRecordType": answer["NextRecordType"]}
            if answer.get("NextRecordIdentifier"):
                start["StartRecordIdentifier"] = answer["NextRecordIdentifier"]
    return found


def delete(aws: Aws, zone_id: str, key: Key) -> None:
    """Delete a record with the values that it has now, as AWS wants them named; what is gone already is no error."""
    record_set = (unless("NoSuchHostedZone", find, aws, zone_id, [key]) or {}).get(key)
    if record_set is None:
        return
    try:
        route53_changes.change(aws, zone_id, "DELETE", record_set)
    except exceptions.ClientError as error:
        if code_of(error) != route53_changes.REFUSED or key in find(aws, zone_id, [key]):
            raise


def _properties(record_set: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: record_set[name] for name in ("Type", "TTL", "AliasTarget", *ROUTING) if name in record_set}
    if record_set.get("ResourceRecords"):
        properties["ResourceRecords"] = [item["Value"] for item in record_set["ResourceRecords"]]
    return properties


def _record_set(key: Key, declared: Mapping[str, Any]) -> dict[str, Any]:
    """A record as ChangeResourceRecordSets takes it: whole, because it replaces what is there."""
    given = {name: declared[name] for name in ("TTL", "AliasTarget", *ROUTING) if declared.get(name) is not None}
    result = {"Name": api_name(key.name), "Type": key.type, **given}
    if key.set_identifier:
        result["SetIdentifier"] = key.set_identifier
    if declared.get("ResourceRecords"):
        result["ResourceRecords"] = [{"Value": value} for value in api_values(key.type, declared["ResourceRecords"])]
    return result


def _canonical_alias(alias: Mapping[str, Any]) -> dict[str, Any]:
    name = alias["DNSName"]
    return {**alias, "DNSName": name if is_unknown(name) else canonical_name(name).removeprefix(DUALSTACK)}
