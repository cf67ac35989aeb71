# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kinds of Amazon EC2 networking share: finding things by their Name tag, tags, deleting what is in use."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    SUPERSEDED_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.stopping import pause

MOST_FILTER_VALUES = 200
SEEN_TIMEOUT = 60
FREE_TIMEOUT = 600
SUPERSEDED_FREE_TIMEOUT = 6
# What no network interface uses gets free by itself only where EC2 is still making up its mind.
UNUSED_FREE_TIMEOUT = 30
IN_USE = ("DependencyViolation", "ResourceInUse", "InvalidIPAddress.InUse")


@dataclass(frozen=True)
class Listing:
    """How EC2 lists the things of one kind: the call, the key of its answer, and how the id is spelled."""

    operation: str
    key: str
    id_key: str
    id_filter: str
    prefix: str
    filters: Sequence[Mapping[str, Any]] = field(default=())

    def is_id(self, name: str) -> bool:
        """Whether a name is an id of AWS. `subnet-public` is none: it is a name like any other."""
        return re.fullmatch(rf"{self.prefix}[0-9a-f]+", name) is not None

    def by(self, aws: Aws, name: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """All things with one of these values of one filter."""
        found: list[dict[str, Any]] = []
        for some in chunks(values, MOST_FILTER_VALUES):
            wanted = [{"Name": name, "Values": some}, *self.filters]
            found += pages(aws.client("ec2"), self.operation, self.key, Filters=wanted)
        return found

    def one(self, aws: Aws, identifier: str) -> dict[str, Any] | None:
        """One thing by its id, or None where it is not there (or not yet to be seen)."""
        found = self.by(aws, self.id_filter, [identifier])
        return next((item for item in found if item[self.id_key] == identifier), None)

    def seen(self, aws: Aws, identifier: str, label: str) -> dict[str, Any]:
        """Wait until a thing that was just created can be seen: EC2 is eventually consistent."""
        return wait_for(lambda: self.one(aws, identifier), f"{label} {identifier} to be seen", SEEN_TIMEOUT)


GROUPS = Listing("describe_security_groups", "SecurityGroups", "GroupId", "group-id", "sg-")
SUBNETS = Listing("describe_subnets", "Subnets", "SubnetId", "subnet-id", "subnet-")


class Ec2Kind(Kind):
    """A thing of EC2 that has no name of its own in AWS: its Name tag, inside its VPC, says which one it is.

    A scope `VpcId` limits the search to one VPC. A name that is an id of AWS means the thing with that id.
    """

    listing: Listing
    named_by_tag = True
    takes_ids = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        names = [item.name for item in wanted if not self.listing.is_id(item.name)]
        ids = [item.name for item in wanted if self.listing.is_id(item.name)]
        candidates = [
            self.observe(item, tags.from_list(item.get("Tags")).get(tags.NAME_TAG, ""))
            for item in self.listing.by(aws, f"tag:{tags.NAME_TAG}", names)
        ]
        candidates += [
            self.observe(item, item[self.listing.id_key]) for item in self.listing.by(aws, self.listing.id_filter, ids)
        ]
        scopes = {item.name: item.scope.get("VpcId") for item in wanted}
        fitting = [
            item
            for item in candidates
            if item.name in scopes and (is_old_copy(item) or self.lies_in(item, scopes[item.name]))
        ]
        return tags.by_name(fitting, aws.environment, self.label)

    def observe(self, item: Mapping[str, Any], name: str) -> Observed:
        """The thing as EC2 describes it."""
        labels = tags.from_list(item.get("Tags"))
        return Observed(name, self.properties(item), self.attributes(item), labels)

    def properties(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def attributes(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": item[self.listing.id_key], "vpc_id": item.get("VpcId", "")}

    def lies_in(self, observed: Observed, vpc_id: str | None) -> bool:
        return vpc_id is None or observed.attributes["vpc_id"] == vpc_id

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        retag(aws, observed.attributes["id"], add, remove)


def is_old_copy(observed: Observed) -> bool:
    """A copy that a replacement left behind; it may lie in an old copy of the VPC."""
    labels = observed.tags or {}
    return SUPERSEDED_TAG in labels and ENVIRONMENT_TAG in labels


def specification(kind: str, resource: Resource) -> list[dict[str, Any]]:
    """TagSpecifications of a create call, so that no thing is ever there without its tags."""
    return [{"ResourceType": kind, "Tags": tags.to_list(resource.tags)}]


def retag(aws: Aws, identifier: str, add: Mapping[str, str], remove: Sequence[str]) -> None:
    ec2 = aws.client("ec2")
    if add:
        ec2.create_tags(Resources=[identifier], Tags=tags.to_list(add))
    if remove:
        ec2.delete_tags(Resources=[identifier], Tags=[{"Key": key} for key in remove])


def is_superseded(aws: Aws, identifier: str) -> bool:
    """Whether a thing is the old copy of something that was replaced, by its tags as they are now."""
    wanted = [{"Name": "resource-id", "Values": [identifier]}, {"Name": "key", "Values": [SUPERSEDED_TAG]}]
    return bool(pages(aws.client("ec2"), "describe_tags", "Tags", Filters=wanted))


def delete_when_free(
    aws: Aws,
    identifier: str,
    label: str,
    gone: str | Sequence[str],
    function: Callable[[], Any],
    set_free: Callable[[], Any] = lambda: None,
    timeout: float | None = None,
) -> None:
    """Delete a thing that others may still be letting go of: network interfaces take minutes to vanish.

    set_free: what can be done about it, tried again before each further attempt. An old copy is waited for only
    shortly: it goes in a later run.
    """
    start = time.monotonic()
    delay = 0.5
    superseded: bool | None = None
    told: str | None = None
    while True:
        try:
            unless(gone, function)
            return
        except exceptions.ClientError as error:
            if code_of(error) not in IN_USE:
                raise
            if superseded is None:
                superseded = timeout is None and is_superseded(aws, identifier)
            using = users(aws, identifier)
            longest = timeout or (SUPERSEDED_FREE_TIMEOUT if superseded else FREE_TIMEOUT)
            longest = min(longest, UNUSED_FREE_TIMEOUT) if using == "" else longest
            if time.monotonic() - start >= longest:
                said = using or error.response["Error"].get("Message", "")
                raise StillInUse(f"{label} {identifier} is still in use: {said}") from error
            if using and using != told:
                aws.progress(f"{label} {identifier}: waiting until {using} is gone from it")
                told = using
        set_free()
        pause(delay)
        delay = min(delay * 1.6, 10.0)


def users(aws: Aws, identifier: str) -> str | None:
    """Whose network interfaces use a VPC, subnet or security group, in words; empty where none does.

    None for what network interfaces cannot be asked about.
    """
    filters = {"vpc-": "vpc-id", "subnet-": "subnet-id", "sg-": "group-id"}
    name = next((value for prefix, value in filters.items() if identifier.startswith(prefix)), None)
    if name is None:
        return None
    wanted = [{"Name": name, "Values": [identifier]}]
    found = pages(aws.client("ec2"), "describe_network_interfaces", "NetworkInterfaces", Filters=wanted)
    names = sorted({_user(item) for item in found})
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _user(interface: Mapping[str, Any]) -> str:
    instance = interface.get("Attachment", {}).get("InstanceId")
    return str(instance or interface.get("Description") or interface["NetworkInterfaceId"])


def keyed_differences(
    prefix: str, desired: Mapping[str, Any], observed: Mapping[str, Any], replaces: bool = False
) -> list[Difference]:
    """Differences between two complete mappings, where what is not declared goes: `Routes[0.0.0.0/0]`."""
    keys = [*desired, *(key for key in observed if key not in desired)]
    return [
        Difference(f"{prefix}[{key}]", observed.get(key), desired.get(key), replaces)
        for key in keys
        if observed.get(key) != desired.get(key)
    ]
