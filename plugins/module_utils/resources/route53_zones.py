# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosted zones: those that are declared or referred to by name, and those that own a name."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import route53_changes
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import canonical_name, owner_of

GONE = "NoSuchHostedZone"
NOT_EMPTY = "HostedZoneNotEmpty"
TAGS_AT_ONCE = 10
PRIVATE = "private:"
ALL = "all"
OF_THE_ZONE_ITSELF = ("NS", "SOA")


class Zone(NamedTuple):
    """A hosted zone as ListHostedZones gives it."""

    id: str
    name: str
    private: bool
    comment: str

    @property
    def key(self) -> str:
        """What a declaration calls it."""
        return f"{PRIVATE}{self.name}" if self.private else self.name


def all_zones(aws: Aws) -> list[Zone]:
    """The hosted zones of the account; several kinds ask for them."""
    if aws.answers is None:
        return _listed(aws)
    zones: list[Zone] = aws.answers.of("hosted zones", [ALL], lambda names: {ALL: _listed(aws)})[ALL]
    return zones


def _listed(aws: Aws) -> list[Zone]:
    found = pages(aws.client("route53"), "list_hosted_zones", "HostedZones")
    return [
        Zone(
            item["Id"].rsplit("/", 1)[-1],
            canonical_name(item["Name"]),
            bool(item.get("Config", {}).get("PrivateZone")),
            item.get("Config", {}).get("Comment", ""),
        )
        for item in found
    ]


def public_owner(zones: Sequence[Zone], name: str) -> Zone | None:
    """The public zone that owns a name. Two zones of one name are an error: only one of them is asked."""
    public = [zone for zone in zones if not zone.private]
    owner = owner_of(name, (zone.name for zone in public))
    owners = [zone for zone in public if zone.name == owner]
    if len(owners) > 1:
        ids = ", ".join(zone.id for zone in owners)
        raise AwsError(f"the account has several public hosted zones {owner!r} ({ids}): which of them owns {name!r}?")
    return owners[0] if owners else None


class Route53Zone(Kind):
    """A hosted zone. A private one has the name `private:<name>`, and its `VPCs` as ids."""

    kind = "route53_zone"
    label = "hosted zone"
    immutable = frozenset({"PrivateZone"})
    holds_data = True
    defaults = {"Comment": ""}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        names = {item.name: item.properties for item in wanted}
        found = [zone for zone in all_zones(aws) if zone.key in names]
        labels = _tags_of(aws.client("route53"), [zone.id for zone in found])
        candidates = [
            Observed(
                zone.key,
                {"Comment": zone.comment, "PrivateZone": zone.private},
                _attributes(aws, zone),
                labels[zone.id],
            )
            for zone in found
        ]
        chosen = tags.by_name(candidates, aws.environment, self.label)
        each(lambda item: self._add_details(aws, item), [item for item in chosen.values() if names[item.name]])
        return chosen

    @staticmethod
    def _add_details(aws: Aws, observed: Observed) -> None:
        answer = aws.client("route53").get_hosted_zone(Id=observed.attributes["id"])
        observed.attributes["name_servers"] = sorted(answer.get("DelegationSet", {}).get("NameServers", ()))
        if observed.name.startswith(PRIVATE):
            observed.properties["VPCs"] = [vpc["VPCId"] for vpc in answer.get("VPCs", ())]

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if "VPCs" in result:
            result["VPCs"] = sorted(result["VPCs"])
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        """Zones take no tags when they are made; a run that is killed in between finds the zone by its name."""
        route53, declared = aws.client("route53"), resource.properties
        private = resource.name.startswith(PRIVATE)
        vpcs = declared.get("VPCs", [])
        answer = route53.create_hosted_zone(
            Name=resource.name.removeprefix(PRIVATE),
            CallerReference=f"{aws.environment}-{secrets.token_hex(16)}"[-128:],
            HostedZoneConfig={"Comment": declared.get("Comment", ""), "PrivateZone": private},
            **({"VPC": _vpc(aws, vpcs[0])} if private else {}),
        )
        zone_id = answer["HostedZone"]["Id"].rsplit("/", 1)[-1]
        _set_tags(route53, zone_id, resource.tags, ())
        for vpc in vpcs[1:]:
            route53.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=_vpc(aws, vpc))
        servers = sorted(answer.get("DelegationSet", {}).get("NameServers", ()))
        if servers:
            name = resource.name
            aws.progress(
                f"hosted zone {name}: delegate it in its parent domain with NS records to {', '.join(servers)}"
            )
        zone = Zone(zone_id, canonical_name(answer["HostedZone"]["Name"]), private, "")
        return {**_attributes(aws, zone), "name_servers": servers}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        route53, zone_id, changed = aws.client("route53"), observed.attributes["id"], top_level(differences)
        if "Comment" in changed:
            route53.update_hosted_zone_comment(Id=zone_id, Comment=resource.properties.get("Comment", ""))
        if "VPCs" in changed:
            now, then = set(observed.properties["VPCs"]), set(resource.properties["VPCs"])
            # New ones first: a private zone must keep one.
            for vpc in sorted(then - now):
                route53.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=_vpc(aws, vpc))
            for vpc in sorted(now - then):
                route53.disassociate_vpc_from_hosted_zone(HostedZoneId=zone_id, VPC=_vpc(aws, vpc))

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        _set_tags(aws.client("route53"), observed.attributes["id"], add, remove)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        zone_id = observed.attributes["id"]
        if resource is not None and resource.options.get("force_delete"):
            _empty(aws, zone_id, observed.name.removeprefix(PRIVATE))
        try:
            unless(GONE, aws.client("route53").delete_hosted_zone, Id=zone_id)
        except exceptions.ClientError as error:
            if code_of(error) != NOT_EMPTY:
                raise
            message = f"hosted zone {observed.name!r} still has records; delete them, or declare force_delete: true"
            raise AwsError(message) from error


class Route53ZoneOf(Kind):
    """The public hosted zone that owns a name, which is its own name here: found, never declared."""

    kind = "route53_zone_of"
    label = "public hosted zone for"
    taggable = False

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        zones = all_zones(aws)
        found = {item.name: public_owner(zones, item.name) for item in wanted}
        return {
            name: Observed(name, {}, {"id": zone.id, "name": zone.name})
            for name, zone in found.items()
            if zone is not None
        }


def _attributes(aws: Aws, zone: Zone) -> dict[str, Any]:
    return {"id": zone.id, "arn": f"arn:{aws.partition}:route53:::hostedzone/{zone.id}", "name": zone.name}


def _vpc(aws: Aws, vpc_id: str) -> dict[str, str]:
    return {"VPCRegion": aws.region, "VPCId": vpc_id}


def _tags_of(route53: Any, zone_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found = {}
    for some in chunks(zone_ids, TAGS_AT_ONCE):
        answer = route53.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=some)
        found.update({item["ResourceId"]: tags.from_list(item["Tags"]) for item in answer["ResourceTagSets"]})
    return {zone_id: found.get(zone_id, {}) for zone_id in zone_ids}


def _set_tags(route53: Any, zone_id: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    """A call takes ten of each."""
    for some in chunks(tags.to_list(add), TAGS_AT_ONCE):
        route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, AddTags=some)
    for keys in chunks(remove, TAGS_AT_ONCE):
        route53.change_tags_for_resource(ResourceType="hostedzone", ResourceId=zone_id, RemoveTagKeys=keys)


def _empty(aws: Aws, zone_id: str, name: str) -> None:
    """Delete all records but the zone's own."""
    records = pages(aws.client("route53"), "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id)

    def own(record: Mapping[str, Any]) -> bool:
        return record["Type"] in OF_THE_ZONE_ITSELF and canonical_name(record["Name"]) == canonical_name(name)

    each(lambda record: route53_changes.change(aws, zone_id, "DELETE", record), [r for r in records if not own(r)])
