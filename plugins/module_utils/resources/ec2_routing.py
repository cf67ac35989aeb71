# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EC2: elastic IP addresses, NAT gateways, route tables."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    SUPERSEDED_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_common import (
    SUBNETS,
    Ec2Kind,
    Listing,
    delete_when_free,
    keyed_differences,
    specification,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_network import canonical_cidr

NAT_TIMEOUT = 900
ASSOCIATION_TIMEOUT = 60
ROUTE_TABLES = Listing("describe_route_tables", "RouteTables", "RouteTableId", "route-table-id", "rtb-")
NAT_GATEWAYS = Listing("describe_nat_gateways", "NatGateways", "NatGatewayId", "nat-gateway-id", "nat-")
DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
# In the order in which they say what a route leads to: a route to an instance also names its network interface.
TARGETS = (
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "CarrierGatewayId",
    "LocalGatewayId",
    "CoreNetworkArn",
    "VpcEndpointId",
    "NetworkInterfaceId",
    "GatewayId",
)


class Addresses(Listing):
    """DescribeAddresses gives everything in one answer, without pages."""

    def by(self, aws: Aws, name: str, values: Sequence[str]) -> list[dict[str, Any]]:
        if not values:
            return []
        found = aws.client("ec2").describe_addresses(Filters=[{"Name": name, "Values": list(values)}])["Addresses"]
        return list(found)


class ElasticIp(Ec2Kind):
    """An elastic IP address. It outlives the NAT gateway that uses it."""

    kind = "elastic_ip"
    label = "Elastic IP address"
    listing = Addresses("describe_addresses", "Addresses", "AllocationId", "allocation-id", "eipalloc-")

    def attributes(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": item["AllocationId"], "public_ip": item["PublicIp"]}

    def lies_in(self, observed: Observed, vpc_id: str | None) -> bool:
        return True

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        answer = aws.once("ec2").allocate_address(Domain="vpc", TagSpecifications=specification("elastic-ip", resource))
        self.listing.seen(aws, answer["AllocationId"], self.label)
        return self.attributes(answer)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        allocation, ec2 = observed.attributes["id"], aws.client("ec2")
        gone = ("InvalidAllocationID.NotFound", "InvalidAddress.NotFound")
        delete_when_free(aws, allocation, self.label, gone, lambda: ec2.release_address(AllocationId=allocation))


class NatGateway(Ec2Kind):
    """A public NAT gateway.

    SubnetIds: the subnets in which it may lie. It is made in the first, and stays where it is as long as its subnet
    is among them: another subnet in front of it does not move it.
    State: always declared as `available`, so that a run waits for one that an earlier run left behind as pending.
    """

    kind = "nat_gateway"
    label = "NAT gateway"
    listing = NAT_GATEWAYS
    immutable = frozenset({"SubnetIds", "AllocationId"})

    def lies_in(self, observed: Observed, vpc_id: str | None) -> bool:
        """A gateway that was deleted can be seen for an hour."""
        return observed.properties["State"] in ("pending", "available") and super().lies_in(observed, vpc_id)

    def properties(self, item: Mapping[str, Any]) -> dict[str, Any]:
        addresses = [address["AllocationId"] for address in item["NatGatewayAddresses"] if address.get("AllocationId")]
        return {
            "SubnetIds": [item["SubnetId"]],
            "AllocationId": addresses[0] if addresses else None,
            "State": item["State"],
        }

    def attributes(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().attributes(item), "subnet_id": item["SubnetId"]}

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        here = observed["SubnetIds"][0]
        settled = {**desired, "SubnetIds": [here]} if here in desired["SubnetIds"] else desired
        found = super().differences(settled, observed, last_applied)
        return [
            item._replace(path="SubnetId", before=here, after=item.after[0]) if item.path == "SubnetIds" else item
            for item in found
        ]

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        """Where it is made, not where it might lie."""
        return [
            item._replace(path="SubnetId", after=item.after[0]) if item.path == "SubnetIds" else item
            for item in differences
            if item.path != "State" or item.before is not None
        ]

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        properties = resource.properties
        answer = aws.client("ec2").create_nat_gateway(
            SubnetId=properties["SubnetIds"][0],
            AllocationId=properties["AllocationId"],
            ConnectivityType="public",
            ClientToken=str(uuid.uuid4()),
            TagSpecifications=specification("natgateway", resource),
        )["NatGateway"]
        _wait_available(aws, answer["NatGatewayId"])
        return {**self.attributes(answer), "vpc_id": resource.scope["VpcId"]}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        _wait_available(aws, observed.attributes["id"])

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        gateway_id = observed.attributes["id"]
        gone = ("NatGatewayNotFound", "InvalidNatGatewayID.NotFound")
        unless(gone, aws.client("ec2").delete_nat_gateway, NatGatewayId=gateway_id)
        seen: list[str] = []

        def is_gone() -> bool:
            item = NAT_GATEWAYS.one(aws, gateway_id)
            seen[:] = [item["State"] if item else "deleted"]
            return seen[0] == "deleted"

        wait_for(is_gone, f"NAT gateway {gateway_id} to be deleted", NAT_TIMEOUT, lambda: "".join(seen))


def _wait_available(aws: Aws, gateway_id: str) -> None:
    seen: list[str] = []

    def available() -> bool:
        item = NAT_GATEWAYS.one(aws, gateway_id) or {"State": "not seen yet"}
        seen[:] = [item["State"]]
        if item["State"] in ("failed", "deleting", "deleted"):
            reason = item.get("FailureMessage") or item.get("FailureCode") or "AWS gives no reason"
            raise AwsError(f"NAT gateway {gateway_id} is {item['State']}: {reason}")
        return bool(item["State"] == "available")

    wait_for(available, f"NAT gateway {gateway_id} to become available", NAT_TIMEOUT, lambda: "".join(seen))


class RouteTable(Ec2Kind):
    """A route table with its routes and the subnets that it holds for, both complete.

    Routes: destination -> its target ({"GatewayId": …}). Associations: the subnet's name -> its id.
    Routes that AWS puts there itself (local, propagated, of gateway endpoints) are none of them.
    """

    kind = "route_table"
    label = "Route table"
    listing = ROUTE_TABLES
    create_before_delete = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = super().read(aws, wanted)
        declared = {item.name: len(item.properties.get("Associations", ())) for item in wanted}
        surplus = [
            item for item in found.values() if len(item.properties.get("Associations", ())) > declared[item.name]
        ]
        ids = sorted({subnet for item in surplus for subnet in item.properties["Associations"]})
        old = _superseded_subnets(aws, ids)
        for item in surplus:
            kept = {name: subnet for name, subnet in item.properties["Associations"].items() if subnet not in old}
            item.properties["Associations"] = kept
        return found

    def properties(self, item: Mapping[str, Any]) -> dict[str, Any]:
        routes = dict(pair for route in item.get("Routes", ()) if (pair := _route(route)) is not None)
        subnets = [each["SubnetId"] for each in _associations(item)]
        return {"Routes": routes, "Associations": {subnet: subnet for subnet in subnets}}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        routes = {canonical_cidr(key): dict(value) for key, value in properties.get("Routes", {}).items()}
        return {"Routes": routes, "Associations": dict(properties.get("Associations", {}))}

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        routes = [_as_text(item) for item in keyed_differences("Routes", desired["Routes"], observed["Routes"])]
        there, wanted = set(observed["Associations"].values()), set(desired["Associations"].values())
        new = {name: subnet for name, subnet in desired["Associations"].items() if subnet not in there}
        gone = {name: subnet for name, subnet in observed["Associations"].items() if subnet not in wanted}
        return routes + keyed_differences("Associations", new, gone)

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        """A new table's routes and subnets one by one."""
        found: list[Difference] = []
        for item in differences:
            if item.path in ("Routes", "Associations"):
                found += [_as_text(each) for each in keyed_differences(item.path, item.after, {})]
            else:
                found.append(item)
        return found

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        answer = aws.client("ec2").create_route_table(
            VpcId=resource.scope["VpcId"],
            ClientToken=str(uuid.uuid4()),
            TagSpecifications=specification("route-table", resource),
        )["RouteTable"]
        table_id = answer["RouteTableId"]
        self.listing.seen(aws, table_id, self.label)
        _set_routes(aws, table_id, resource.properties["Routes"], {})
        _associate(aws, table_id, resource.properties["Associations"].values())
        return {"id": table_id, "vpc_id": resource.scope["VpcId"]}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        table_id = observed.attributes["id"]
        wanted = self.canonical(resource.properties)
        _set_routes(aws, table_id, wanted["Routes"], self.canonical(observed.properties)["Routes"])
        _associate(aws, table_id, wanted["Associations"].values())
        _disassociate(aws, table_id, set(wanted["Associations"].values()))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        table_id, ec2 = observed.attributes["id"], aws.client("ec2")

        def without_subnets() -> None:
            _disassociate(aws, table_id, set())
            ec2.delete_route_table(RouteTableId=table_id)

        delete_when_free(aws, table_id, self.label, "InvalidRouteTableID.NotFound", without_subnets)


def _route(route: Mapping[str, Any]) -> tuple[str, dict[str, str]] | None:
    """A route that somebody made, as destination and target; None for those of AWS itself."""
    destination = next(route[name] for name in DESTINATIONS if route.get(name))
    target = next(((name, route[name]) for name in TARGETS if route.get(name)), None)
    if target is None or route.get("Origin", "CreateRoute") != "CreateRoute" or target[1] == "local":
        return None
    if target[1].startswith("vpce-"):
        if route.get("DestinationPrefixListId"):
            return None
        target = ("VpcEndpointId", target[1])
    return destination, {target[0]: target[1]}


def _as_text(difference: Difference) -> Difference:
    """A target reads as its id."""
    before, after = (
        next(iter(value.values())) if isinstance(value, Mapping) else value
        for value in (difference.before, difference.after)
    )
    return difference._replace(before=before, after=after)


def _associations(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The associations with subnets that hold; not the main one, and not those with gateways."""
    return [
        item
        for item in table.get("Associations", ())
        if item.get("SubnetId")
        and item.get("AssociationState", {}).get("State", "associated") in ("associating", "associated")
    ]


def _superseded_subnets(aws: Aws, ids: Sequence[str]) -> set[str]:
    """Those that are old copies: their routes stay as they are until nothing is in them any more."""
    found = SUBNETS.by(aws, SUBNETS.id_filter, ids)
    return {item["SubnetId"] for item in found if SUPERSEDED_TAG in tags.from_list(item.get("Tags"))}


def _destination(text: str) -> dict[str, str]:
    if text.startswith("pl-"):
        return {"DestinationPrefixListId": text}
    return {"DestinationIpv6CidrBlock" if ":" in text else "DestinationCidrBlock": text}


def _set_routes(
    aws: Aws, table_id: str, wanted: Mapping[str, Mapping[str, str]], there: Mapping[str, Mapping[str, str]]
) -> None:
    ec2 = aws.client("ec2")
    for destination, target in wanted.items():
        arguments = {"RouteTableId": table_id, **_destination(destination), **target}
        is_new = destination not in there and unless("RouteAlreadyExists", ec2.create_route, **arguments) is not None
        if not is_new and there.get(destination) != target:
            ec2.replace_route(**arguments)
    for destination in there:
        if destination not in wanted:
            unless("InvalidRoute.NotFound", ec2.delete_route, RouteTableId=table_id, **_destination(destination))


def _associate(aws: Aws, table_id: str, subnets: Sequence[str] | Any) -> None:
    """Each subnet's routes become this table's in one step, also where another table held for it until now."""
    subnets = list(subnets)
    if not subnets:
        return
    tables = ROUTE_TABLES.by(aws, "association.subnet-id", subnets)
    current = {item["SubnetId"]: item for table in tables for item in _associations(table)}
    for subnet in subnets:
        association = current.get(subnet)
        if association is None or association["RouteTableId"] != table_id:
            wait_for(
                lambda subnet=subnet: _take_over(aws, table_id, subnet),  # type: ignore[misc]
                f"subnet {subnet} to be associated with {table_id}",
                ASSOCIATION_TIMEOUT,
            )


def _take_over(aws: Aws, table_id: str, subnet: str) -> bool:
    """Another table's association is replaced; one that goes in the same moment is no hindrance."""
    ec2 = aws.client("ec2")
    tables = ROUTE_TABLES.by(aws, "association.subnet-id", [subnet])
    ids = [
        item["RouteTableAssociationId"]
        for table in tables
        for item in _associations(table)
        if item["SubnetId"] == subnet
    ]
    if not ids:
        return (
            unless("Resource.AlreadyAssociated", ec2.associate_route_table, RouteTableId=table_id, SubnetId=subnet)
            is not None
        )
    answer = unless(
        "InvalidAssociationID.NotFound",
        ec2.replace_route_table_association,
        AssociationId=ids[0],
        RouteTableId=table_id,
    )
    return answer is not None


def _disassociate(aws: Aws, table_id: str, kept: set[str]) -> None:
    """The associations of all other subnets go; subnets that are old copies keep theirs if any is to be kept."""
    table = ROUTE_TABLES.one(aws, table_id) or {}
    surplus = [item for item in _associations(table) if item["SubnetId"] not in kept]
    old = _superseded_subnets(aws, [item["SubnetId"] for item in surplus]) if kept else set()
    for item in surplus:
        if item["SubnetId"] not in old:
            unless(
                "InvalidAssociationID.NotFound",
                aws.client("ec2").disassociate_route_table,
                AssociationId=item["RouteTableAssociationId"],
            )


KINDS = (ElasticIp, NatGateway, RouteTable)
