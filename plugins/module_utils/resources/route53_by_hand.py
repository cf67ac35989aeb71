# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in zones that are not in Route 53, or not in this account: somebody else makes them, a run says which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed, Resource, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import canonical_name

TARGET, ENDPOINT = "Target", "Endpoint"


class RecordByHand(Kind):
    """A record that points to something of ours. Its name is the record's, its scope what it points to.

    Nobody can be asked whether it was made, so it counts as made when what it points to is there. `Endpoint`: of a
    website, whose name is below that of its region.
    """

    kind = "record_by_hand"
    label = "record made by hand"
    taggable = False
    makes_nothing = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        return {item.name: _observed(item.name, item.scope, item.properties) for item in wanted}

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        observed = _observed(resource.name, resource.scope, resource.properties)
        aws.progress(f"somebody has to make this record: {observed.notes[0]}")
        return observed.attributes

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Any]) -> dict[str, Any]:
        return self.create(aws, resource)

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        aws.progress(f"somebody has to take this record away: {observed.notes[0]}")


def _observed(name: str, scope: Mapping[str, Any], properties: Mapping[str, Any]) -> Observed:
    endpoint = properties.get(ENDPOINT)
    value = canonical_name(f"{scope[TARGET]}.{endpoint}" if endpoint else str(scope[TARGET]))
    attributes = {"id": name, "fqdn": name, "type": "CNAME", "value": value}
    return Observed(name, dict(properties), attributes, notes=[f"{name}. CNAME {value}."])
