# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EC2: the region's default VPC and its default subnets, by names of their own. They are only referred to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_common import SUBNETS, Listing

VPCS = Listing("describe_vpcs", "Vpcs", "VpcId", "vpc-id", "vpc-")
VPC = "default"
# The one by its zone, or one by its position in the order of the zones' names: default-eu-central-1a, default-1.
SUBNET = re.compile(r"default-([1-9]\d*|[a-z]{2,}(?:-[a-z]+)+-\d+[a-z])")
# By the ids of zones, which mean the same zone in every account. AWS documents these for Fargate, and lets no new
# load balancer into them either.
WITHOUT_FARGATE = frozenset({"usw1-az2", "apne1-az3", "cac1-az3", "cnn1-az3"})

Item = Mapping[str, Any]


def is_default_subnet(name: str) -> bool:
    return SUBNET.fullmatch(name) is not None


def find_vpc(aws: Aws) -> tuple[Item | None, str]:
    """The default VPC, or why there is none."""
    found = VPCS.by(aws, "is-default", ["true"])
    if found:
        return found[0], ""
    return None, (
        f"this account has no default VPC in {aws.region}. Make one with "
        f"aws ec2 create-default-vpc --region {aws.region}, or declare a VPC of your own"
    )


def find_subnets(aws: Aws, names: Sequence[str]) -> dict[str, tuple[Item | None, str]]:
    """The default subnet that each name means, or why there is none. Numbers leave out zones without Fargate."""
    there = sorted(SUBNETS.by(aws, "default-for-az", ["true"]), key=lambda item: str(item["AvailabilityZone"]))
    if not there and (reason := find_vpc(aws)[1]):
        return {name: (None, reason) for name in names}
    return {name: _find(aws, there, name.removeprefix("default-")) for name in names}


def missing(name: str, reason: str) -> Observed:
    """The answer for what is not there, with the reason."""
    return Observed(name, {}, {}, exists=False, remarks=[reason])


def _find(aws: Aws, there: Sequence[Item], which: str) -> tuple[Item | None, str]:
    usable = [item for item in there if item.get("AvailabilityZoneId") not in WITHOUT_FARGATE]
    zones = ", ".join(str(item["AvailabilityZone"]) for item in usable) or "none"
    if which.isdecimal():
        if int(which) <= len(usable):
            return usable[int(which) - 1], ""
        return None, (
            f"the default VPC in {aws.region} has {len(usable)} default subnets that can be used, number {which} is "
            f"asked for; they are in: {zones}. Ask for fewer, or make one "
            f"(aws ec2 create-default-subnet --region {aws.region} --availability-zone …)"
        )
    found = next((item for item in there if item["AvailabilityZone"] == which), None)
    if found is None:
        return None, f"the default VPC in {aws.region} has no default subnet in the zone {which}; it has in: {zones}"
    if found not in usable:
        return None, (
            f"in the zone {which} ({found['AvailabilityZoneId']}) AWS offers neither Fargate nor new load balancers; "
            f"zones that can be used: {zones}. For other uses refer to the subnet by its id, {found['SubnetId']}"
        )
    return found, ""
