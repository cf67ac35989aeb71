# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application load balancers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_common import (
    Reporter,
    TaggedKind,
    attribute_lists,
    attributes_from,
    canonical_attributes,
    changed_attributes,
    full_name,
    later_tags_of,
)

ACTIVE_TIMEOUT = 900.0
GONE_TIMEOUT = 600.0
# The subnets say in which VPC it is.
NOT_IN_CREATE = ("Attributes", "VpcId")
DELETION_PROTECTION = "deletion_protection.enabled"


class LoadBalancer(TaggedKind):
    """An application load balancer with its attributes (`Attributes`, a mapping by the keys of the API)."""

    kind = "load_balancer"
    label = "application load balancer"
    immutable = frozenset({"Scheme", "VpcId"})

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        elbv2 = aws.client("elbv2")
        by_name = {item.name: item for item in wanted}
        found = [
            item
            for item in pages(elbv2, "describe_load_balancers", "LoadBalancers")
            if item["LoadBalancerName"] in by_name
        ]
        labels = later_tags_of(aws, (item["LoadBalancerArn"] for item in found))

        def observe(item: Mapping[str, Any]) -> Observed:
            name, arn = item["LoadBalancerName"], item["LoadBalancerArn"]
            if item["Type"] != "application":
                raise AwsError(f"{name!r} is a {item['Type']} load balancer; this layer manages application ones")
            properties = _properties(item)
            if by_name[name].properties.get("Attributes"):
                answer = elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)
                properties["Attributes"] = attributes_from(answer)
            return Observed(name, properties, _attributes(item), labels.get(arn, {}))

        return {item.name: item for item in each(observe, found)}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        for name in ("Subnets", "SecurityGroups"):
            if name in result:
                result[name] = sorted(result[name])
        if "Attributes" in result:
            result["Attributes"] = canonical_attributes(result["Attributes"])
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        elbv2, declared = aws.client("elbv2"), resource.properties
        answer = elbv2.create_load_balancer(
            Name=resource.name,
            Type="application",
            Tags=tags.to_list(resource.tags),
            **{name: value for name, value in declared.items() if name not in NOT_IN_CREATE and value},
        )
        balancer = answer["LoadBalancers"][0]
        _set_attributes(elbv2, balancer["LoadBalancerArn"], declared.get("Attributes") or {})
        _wait_until_active(aws, resource.name, balancer["LoadBalancerArn"])
        return _attributes(balancer)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        elbv2, declared, changed = aws.client("elbv2"), resource.properties, top_level(differences)
        arn = observed.attributes["arn"]
        if "Subnets" in changed:
            elbv2.set_subnets(LoadBalancerArn=arn, Subnets=declared["Subnets"])
        if "SecurityGroups" in changed:
            elbv2.set_security_groups(LoadBalancerArn=arn, SecurityGroups=declared["SecurityGroups"])
        if "IpAddressType" in changed:
            elbv2.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=declared["IpAddressType"])
        if "Attributes" in changed:
            _set_attributes(elbv2, arn, changed_attributes(declared["Attributes"], differences))

    def refuses_delete(self, resource: Resource, observed: Observed) -> str | None:
        """Protected in AWS, unless the declaration says that it need not be: then it is switched off first."""
        protected = canonical_attributes(observed.properties.get("Attributes")).get(DELETION_PROTECTION) == "true"
        if protected and not _protection_declared_off(resource):
            return f"its deletion protection is on; declare {DELETION_PROTECTION.replace('.', '_')}: false first"
        return None

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        elbv2, arn = aws.client("elbv2"), observed.attributes["arn"]
        attributes = canonical_attributes(observed.properties.get("Attributes"))
        if (
            attributes.get(DELETION_PROTECTION) == "true"
            and resource is not None
            and _protection_declared_off(resource)
        ):
            _set_attributes(elbv2, arn, {DELETION_PROTECTION: False})
        elbv2.delete_load_balancer(LoadBalancerArn=arn)
        _wait_until_gone(aws, observed.name, arn)


def _properties(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Scheme": item["Scheme"],
        "VpcId": item["VpcId"],
        "IpAddressType": item["IpAddressType"],
        "Subnets": [zone["SubnetId"] for zone in item["AvailabilityZones"]],
        "SecurityGroups": list(item.get("SecurityGroups", [])),
    }


def _attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": item["LoadBalancerArn"],
        "arn": item["LoadBalancerArn"],
        "name": item["LoadBalancerName"],
        "dns_name": item["DNSName"],
        "canonical_hosted_zone_id": item["CanonicalHostedZoneId"],
        "full_name": full_name(item["LoadBalancerArn"]),
    }


def _protection_declared_off(resource: Resource) -> bool:
    declared = canonical_attributes(resource.properties.get("Attributes"))
    return declared.get(DELETION_PROTECTION) == "false"


def _set_attributes(elbv2: Any, arn: str, attributes: Mapping[str, Any]) -> None:
    for some in attribute_lists(attributes):
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=some)


def _wait_until_active(aws: Aws, name: str, arn: str) -> None:
    elbv2, seen = aws.client("elbv2"), {"state": ""}
    report = Reporter(aws, f"load balancer {name}: AWS is setting it up")

    def look() -> bool:
        answer = unless("LoadBalancerNotFound", elbv2.describe_load_balancers, LoadBalancerArns=[arn])
        state = answer["LoadBalancers"][0]["State"] if answer else {"Code": "not visible yet"}
        seen["state"] = state["Code"]
        if state["Code"] == "failed":
            raise AwsError(f"AWS could not set up the load balancer {name!r}: {state.get('Reason', 'no reason given')}")
        report()
        return state["Code"] in ("active", "active_impaired")

    wait_for(look, f"load balancer {name} to become active", ACTIVE_TIMEOUT, lambda: seen["state"])


def _wait_until_gone(aws: Aws, name: str, arn: str) -> None:
    """Until its network interfaces are gone too: they keep its subnets and security groups from being deleted."""
    ec2 = aws.client("ec2")
    report = Reporter(aws, f"load balancer {name}: AWS is taking its network interfaces away")
    own = [{"Name": "description", "Values": [f"ELB {full_name(arn)}"]}]

    def look() -> bool:
        report()
        return not ec2.describe_network_interfaces(Filters=own)["NetworkInterfaces"]

    wait_for(look, f"the network interfaces of load balancer {name} to go", GONE_TIMEOUT)
