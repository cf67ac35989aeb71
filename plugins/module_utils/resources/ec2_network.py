# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EC2: VPCs, internet gateways, subnets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    SUPERSEDED_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
    is_unknown,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ec2_default
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_common import (
    GROUPS,
    SUBNETS,
    Ec2Kind,
    Listing,
    delete_when_free,
    retag,
    specification,
)

VPCS = ec2_default.VPCS
INTERNET_GATEWAYS = Listing(
    "describe_internet_gateways", "InternetGateways", "InternetGatewayId", "internet-gateway-id", "igw-"
)
AVAILABLE_TIMEOUT = 120
# As long as a NAT gateway in the old subnet, which the same run deletes, may take to go.
CONFLICT_TIMEOUT = 120
DNS_ATTRIBUTES = {"EnableDnsSupport": "enableDnsSupport", "EnableDnsHostnames": "enableDnsHostnames"}
NO_SECONDARY: list[str] = []


class Vpc(Ec2Kind):
    """A VPC with its DNS attributes and its secondary IPv4 CIDR blocks (`SecondaryCidrBlocks`)."""

    kind = "vpc"
    label = "VPC"
    listing = VPCS
    immutable = frozenset({"CidrBlock"})
    create_before_delete = True
    holds_data = True
    defaults = {"EnableDnsSupport": True, "EnableDnsHostnames": False, "SecondaryCidrBlocks": NO_SECONDARY}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = super().read(aws, wanted)
        if any(item.name == ec2_default.VPC for item in wanted):
            found[ec2_default.VPC] = self._default(aws, found.get(ec2_default.VPC))
        declared = {item.name: item.properties for item in wanted}
        needed = [
            (item, name)
            for item in found.values()
            for name in DNS_ATTRIBUTES
            if item.exists and name in declared[item.name]
        ]
        each(lambda pair: _read_dns_attribute(aws, *pair), needed)
        return found

    def _default(self, aws: Aws, named: Observed | None) -> Observed:
        """The account's default VPC; `named` is one that has just this name as its Name tag."""
        item, reason = ec2_default.find_vpc(aws)
        if named is not None and named.exists and (item is None or named.attributes["id"] != item["VpcId"]):
            what = reason or f"{item['VpcId'] if item else ''} is the default VPC of {aws.region}"
            other = named.attributes["id"]
            reason = f"{what}, and {other} has the Name tag {named.name!r}; refer to {other} by its id, or rename it"
            return ec2_default.missing(ec2_default.VPC, reason)
        return ec2_default.missing(ec2_default.VPC, reason) if item is None else self.observe(item, ec2_default.VPC)

    def properties(self, item: Mapping[str, Any]) -> dict[str, Any]:
        secondary = [block["CidrBlock"] for block in _secondary(item)]
        return {
            "CidrBlock": item["CidrBlock"],
            "InstanceTenancy": item.get("InstanceTenancy", "default"),
            "SecondaryCidrBlocks": secondary,
        }

    def attributes(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": item["VpcId"], "vpc_id": item["VpcId"], "cidr_block": item["CidrBlock"]}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if "CidrBlock" in result:
            result["CidrBlock"] = canonical_cidr(result["CidrBlock"])
        if "SecondaryCidrBlocks" in result:
            result["SecondaryCidrBlocks"] = sorted(canonical_cidr(block) for block in result["SecondaryCidrBlocks"])
        return result

    def replaces(self, difference: Difference) -> bool:
        """AWS can take dedicated tenancy back, and nothing else about tenancy."""
        if difference.path == "InstanceTenancy":
            return (difference.before, difference.after) != ("dedicated", "default")
        return super().replaces(difference)

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        properties = resource.properties
        tenancy = properties.get("InstanceTenancy")
        answer = aws.once("ec2").create_vpc(
            CidrBlock=properties["CidrBlock"],
            TagSpecifications=specification("vpc", resource),
            **({"InstanceTenancy": tenancy} if tenancy else {}),
        )["Vpc"]
        vpc_id = answer["VpcId"]
        wait_for(lambda: _is_available(VPCS.one(aws, vpc_id)), f"VPC {vpc_id} to become available", AVAILABLE_TIMEOUT)
        _set_dns_attributes(aws, vpc_id, properties, set(properties))
        _set_secondary(aws, vpc_id, properties.get("SecondaryCidrBlocks", ()), VPCS.seen(aws, vpc_id, self.label))
        return self.attributes(answer)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        vpc_id, changed = observed.attributes["id"], top_level(differences)
        properties = {**self.defaults, **resource.properties}
        if "InstanceTenancy" in changed:
            aws.client("ec2").modify_vpc_tenancy(VpcId=vpc_id, InstanceTenancy="default")
        _set_dns_attributes(aws, vpc_id, properties, changed)
        if "SecondaryCidrBlocks" in changed:
            _set_secondary(aws, vpc_id, properties["SecondaryCidrBlocks"], VPCS.seen(aws, vpc_id, self.label))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        vpc_id, ec2 = observed.attributes["id"], aws.client("ec2")
        try:
            delete_when_free(aws, vpc_id, self.label, "InvalidVpcID.NotFound", lambda: ec2.delete_vpc(VpcId=vpc_id))
        except StillInUse as error:
            left = ", ".join(_left_in(aws, vpc_id))
            raise StillInUse(f"{error}; what is left in it: {left or 'nothing that this layer makes'}") from error


def _left_in(aws: Aws, vpc_id: str) -> list[str]:
    """The subnets and security groups in a VPC, for people who wonder why it cannot be deleted."""
    found = [(item["SubnetId"], item) for item in SUBNETS.by(aws, "vpc-id", [vpc_id])]
    groups = [item for item in GROUPS.by(aws, "vpc-id", [vpc_id]) if item["GroupName"] != "default"]
    found += [(item["GroupId"], item) for item in groups]
    names = [(identifier, tags.from_list(item.get("Tags")).get(tags.NAME_TAG)) for identifier, item in found]
    return [f"{name} ({identifier})" if name else identifier for identifier, name in names]


def canonical_cidr(block: str) -> str:
    """A CIDR block as AWS writes it; what is none (or not known yet) stays as it is."""
    if is_unknown(block):
        return block
    try:
        return str(ip_network(block, strict=False))
    except ValueError:
        return block


def _is_available(item: Mapping[str, Any] | None) -> bool:
    return item is not None and item.get("State") == "available"


def _secondary(vpc: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The associations of a VPC's further CIDR blocks that are there or on their way."""
    return [
        block
        for block in vpc.get("CidrBlockAssociationSet", ())
        if block["CidrBlock"] != vpc["CidrBlock"] and block["CidrBlockState"]["State"] in ("associating", "associated")
    ]


def _read_dns_attribute(aws: Aws, observed: Observed, name: str) -> None:
    answer = aws.client("ec2").describe_vpc_attribute(VpcId=observed.attributes["id"], Attribute=DNS_ATTRIBUTES[name])
    observed.properties[name] = answer[name]["Value"]


def _set_dns_attributes(aws: Aws, vpc_id: str, properties: Mapping[str, Any], changed: Iterable[str]) -> None:
    """One call takes one attribute. Host names need DNS support, so support is turned on first and off last."""
    names = [name for name in DNS_ATTRIBUTES if name in changed]
    if properties.get("EnableDnsSupport") is False:
        names.reverse()
    for name in names:
        aws.client("ec2").modify_vpc_attribute(VpcId=vpc_id, **{name: {"Value": properties[name]}})


def _set_secondary(aws: Aws, vpc_id: str, blocks: Iterable[str], vpc: Mapping[str, Any]) -> None:
    ec2 = aws.client("ec2")
    wanted = {canonical_cidr(block) for block in blocks}
    there = {block["CidrBlock"]: block["AssociationId"] for block in _secondary(vpc)}
    for block, association in there.items():
        if block not in wanted:
            ec2.disassociate_vpc_cidr_block(AssociationId=association)
    for block in sorted(wanted - there.keys()):
        ec2.associate_vpc_cidr_block(VpcId=vpc_id, CidrBlock=block)

    def all_there() -> bool:
        now = VPCS.one(aws, vpc_id) or {}
        states = {item["CidrBlock"]: item["CidrBlockState"]["State"] for item in now.get("CidrBlockAssociationSet", ())}
        return all(states.get(block) == "associated" for block in wanted)

    if wanted - there.keys():
        wait_for(all_there, f"the secondary CIDR blocks of VPC {vpc_id} to be associated", AVAILABLE_TIMEOUT)


class InternetGateway(Ec2Kind):
    """An internet gateway and its attachment to the VPC of its scope (`Attached`)."""

    kind = "internet_gateway"
    label = "Internet gateway"
    listing = INTERNET_GATEWAYS
    create_before_delete = True

    def properties(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"Attached": bool(_attachment(item))}

    def attributes(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": item["InternetGatewayId"], "vpc_id": _attachment(item)}

    def lies_in(self, observed: Observed, vpc_id: str | None) -> bool:
        """One of ours that is not attached is left from a run that was stopped in between."""
        ours = ENVIRONMENT_TAG in (observed.tags or {})
        return super().lies_in(observed, vpc_id) or (ours and not observed.attributes["vpc_id"])

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        answer = aws.once("ec2").create_internet_gateway(TagSpecifications=specification("internet-gateway", resource))[
            "InternetGateway"
        ]
        gateway_id, vpc_id = answer["InternetGatewayId"], str(resource.scope["VpcId"])
        self.listing.seen(aws, gateway_id, self.label)
        _attach(aws, gateway_id, vpc_id)
        return {"id": gateway_id, "vpc_id": vpc_id}

    def update(
        self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]
    ) -> dict[str, Any]:
        vpc_id = str(resource.scope["VpcId"])
        _attach(aws, observed.attributes["id"], vpc_id)
        return {"vpc_id": vpc_id}

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        ec2, gateway_id, vpc_id = aws.client("ec2"), observed.attributes["id"], observed.attributes["vpc_id"]
        gone = ("InvalidInternetGatewayID.NotFound", "Gateway.NotAttached")
        if vpc_id:
            # AWS refuses while public addresses are mapped in the VPC, which deleted load balancers give up slowly.
            delete_when_free(
                aws,
                gateway_id,
                self.label,
                gone,
                lambda: ec2.detach_internet_gateway(InternetGatewayId=gateway_id, VpcId=vpc_id),
            )
        unless(gone, ec2.delete_internet_gateway, InternetGatewayId=gateway_id)


def _attach(aws: Aws, gateway_id: str, vpc_id: str) -> None:
    """A repeated call finds it attached: AWS says so, and speaks otherwise of a VPC that has another gateway."""
    attach = aws.client("ec2").attach_internet_gateway
    unless("Resource.AlreadyAssociated", attach, InternetGatewayId=gateway_id, VpcId=vpc_id)


def _attachment(item: Mapping[str, Any]) -> str:
    """The VPC that an internet gateway is attached to, or an empty text."""
    attached = [each["VpcId"] for each in item.get("Attachments", ()) if each["State"] in ("available", "attached")]
    return attached[0] if attached else ""


class Subnet(Ec2Kind):
    """A subnet. AWS cannot move one: another CIDR block or zone is a new subnet, made before the old one goes."""

    kind = "subnet"
    label = "Subnet"
    listing = SUBNETS
    immutable = frozenset({"CidrBlock", "AvailabilityZone"})
    create_before_delete = True
    defaults = {"MapPublicIpOnLaunch": False}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        """Default subnets by names that say which one is meant, all others by their Name tag."""
        default = [item.name for item in wanted if ec2_default.is_default_subnet(item.name)]
        found = super().read(aws, [item for item in wanted if item.name not in default])
        for name, (item, reason) in (ec2_default.find_subnets(aws, default) if default else {}).items():
            found[name] = ec2_default.missing(name, reason) if item is None else self.observe(item, name)
        return found

    def properties(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {name: item.get(name) for name in ("CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch")}

    def attributes(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().attributes(item), "availability_zone": item["AvailabilityZone"]}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {**properties, **({"CidrBlock": canonical_cidr(properties["CidrBlock"])} if properties else {})}

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        properties = resource.properties
        try:
            answer = self._create(aws, resource)
        except exceptions.ClientError as error:
            if code_of(error) != "InvalidSubnet.Conflict" or not self._old_copies_go(aws, resource):
                raise
            answer = self._create(aws, resource)
        self.listing.seen(aws, answer["SubnetId"], self.label)
        if properties.get("MapPublicIpOnLaunch"):
            _map_public_ip(aws, answer["SubnetId"], True)
        return self.attributes(answer)

    @staticmethod
    def _create(aws: Aws, resource: Resource) -> dict[str, Any]:
        zone = resource.properties.get("AvailabilityZone")
        answer: dict[str, Any] = aws.once("ec2").create_subnet(
            VpcId=resource.scope["VpcId"],
            CidrBlock=resource.properties["CidrBlock"],
            TagSpecifications=specification("subnet", resource),
            **({"AvailabilityZone": zone} if zone else {}),
        )["Subnet"]
        return answer

    def _old_copies_go(self, aws: Aws, resource: Resource) -> bool:
        """The new subnet overlaps with the old one: it can only follow it, if nothing is in the old one any more."""
        found = self.read(aws, [Wanted(resource.name, resource.scope)]).get(resource.name)
        old = found.superseded if found is not None else []
        for copy in old:
            subnet_id = copy.attributes["id"]
            try:
                self._delete(aws, subnet_id, CONFLICT_TIMEOUT)
            except StillInUse as error:
                retag(aws, subnet_id, {}, [SUPERSEDED_TAG])
                message = (
                    f"the new CIDR block {resource.properties['CidrBlock']} overlaps with that of the existing subnet "
                    f"({copy.properties['CidrBlock']}), and {error}. "
                    "Choose a CIDR block that does not overlap, or take everything out of the subnet first."
                )
                raise AwsError(message) from error
        return bool(old)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        _map_public_ip(aws, observed.attributes["id"], resource.properties.get("MapPublicIpOnLaunch", False))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        self._delete(aws, observed.attributes["id"])

    def _delete(self, aws: Aws, subnet_id: str, timeout: float | None = None) -> None:
        ec2 = aws.client("ec2")
        delete_when_free(
            aws,
            subnet_id,
            self.label,
            "InvalidSubnetID.NotFound",
            lambda: ec2.delete_subnet(SubnetId=subnet_id),
            timeout=timeout,
        )


def _map_public_ip(aws: Aws, subnet_id: str, value: bool) -> None:
    aws.client("ec2").modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": value})


KINDS = (Vpc, InternetGateway, Subnet)
