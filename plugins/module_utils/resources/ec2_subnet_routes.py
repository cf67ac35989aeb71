# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EC2: where a subnet's traffic goes. Only read, for subnets that are referred to and not declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_routing import ROUTE_TABLES, TARGETS

ANYWHERE = "0.0.0.0/0"


class SubnetRoute(Kind):
    """The default route of a subnet (`default_route`: its target's id, or nothing), and the endpoints in its VPC.

    Its name is the subnet's; its scope has the subnet's id and that of its VPC.
    """

    kind = "subnet_route"
    label = "Route of subnet"
    taggable = False

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        vpcs = sorted({str(item.scope["VpcId"]) for item in wanted})
        tables = ROUTE_TABLES.by(aws, "vpc-id", vpcs)
        filters = [{"Name": "vpc-id", "Values": vpcs}]
        endpoints = pages(aws.client("ec2"), "describe_vpc_endpoints", "VpcEndpoints", Filters=filters)
        return {item.name: _observed(item, tables, endpoints) for item in wanted}


def _observed(wanted: Wanted, tables: Sequence[Mapping[str, Any]], endpoints: Sequence[Mapping[str, Any]]) -> Observed:
    subnet, vpc = wanted.scope["SubnetId"], wanted.scope["VpcId"]
    attributes = {
        "id": subnet,
        "default_route": _default_route(_table_of(subnet, vpc, tables)),
        "endpoints": sorted(
            item["ServiceName"]
            for item in endpoints
            if item["VpcId"] == vpc and str(item.get("State", "available")).lower() == "available"
        ),
    }
    return Observed(wanted.name, {}, attributes)


def _table_of(subnet: str, vpc: str, tables: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The table that a subnet is associated with, or its VPC's main one."""
    own = [table for table in tables if table["VpcId"] == vpc]
    for table in own:
        if any(item.get("SubnetId") == subnet for item in table.get("Associations", ())):
            return table
    main = [table for table in own if any(item.get("Main") for item in table.get("Associations", ()))]
    return main[0] if main else {}


def _default_route(table: Mapping[str, Any]) -> str:
    for route in table.get("Routes", ()):
        if route.get("DestinationCidrBlock") == ANYWHERE and route.get("State", "active") == "active":
            return next((str(route[name]) for name in TARGETS if route.get(name)), "")
    return ""


KINDS = (SubnetRoute,)
