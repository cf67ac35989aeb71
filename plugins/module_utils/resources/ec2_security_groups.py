# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon EC2: security groups, and their rules as a kind of their own, so that groups may name each other."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ec2_rules as rules
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_common import (
    GROUPS,
    MOST_FILTER_VALUES,
    SEEN_TIMEOUT,
    Ec2Kind,
    delete_when_free,
    is_superseded,
    specification,
    users,
)

DIRECTIONS = ("ingress", "egress")
GONE = ("InvalidGroup.NotFound", "InvalidGroupId.NotFound")
DUPLICATE = "InvalidPermission.Duplicate"


class SecurityGroup(Ec2Kind):
    """A security group without its rules.

    AWS changes neither its description nor its name, and a group that is in use cannot go first: so its name in AWS
    has a suffix, and a new group takes over before the old one goes.
    """

    kind = "security_group"
    label = "Security group"
    listing = GROUPS
    immutable = frozenset({"Description"})
    create_before_delete = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        """By Name tag; a name that no tag has may be the group name of a group that others made."""
        found = super().read(aws, wanted)
        missing = {item.name: item for item in wanted if item.name not in found and not GROUPS.is_id(item.name)}
        others = [
            self.observe(item, item["GroupName"])
            for item in GROUPS.by(aws, "group-name", list(missing))
            if item["GroupName"] in missing
        ]
        fitting = [item for item in others if self.lies_in(item, missing[item.name].scope.get("VpcId"))]
        unnamed = [item for item in fitting if tags.NAME_TAG not in (item.tags or {})]
        return {**found, **tags.by_name(unnamed, aws.environment, self.label)}

    def properties(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {"Description": item["Description"]}

    def attributes(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().attributes(item), "group_name": item["GroupName"]}

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        name = f"{resource.name}-{secrets.token_hex(3)}"
        vpc_id = resource.scope["VpcId"]
        answer = aws.once("ec2").create_security_group(
            GroupName=name,
            Description=resource.properties.get("Description") or resource.name,
            VpcId=vpc_id,
            TagSpecifications=specification("security-group", resource),
        )
        group_id = answer["GroupId"]
        self.listing.seen(aws, group_id, self.label)
        # Every group starts with a rule that lets everything out: unseen, it would stay beside the declared ones.
        wait_for(lambda: _rules_of(aws, [group_id]) or None, f"the first rule of {group_id} to be seen", SEEN_TIMEOUT)
        return {"id": group_id, "vpc_id": vpc_id, "group_name": name}

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        group_id, ec2 = observed.attributes["id"], aws.client("ec2")

        def set_free() -> None:
            _check_interfaces(aws, group_id)
            _forget(aws, group_id)

        delete_when_free(aws, group_id, self.label, GONE, lambda: ec2.delete_security_group(GroupId=group_id), set_free)


def _check_interfaces(aws: Aws, group_id: str) -> None:
    """An old copy that network interfaces still use goes in a later run; it is no use to wait for it."""
    using = users(aws, group_id)
    if using and is_superseded(aws, group_id):
        raise StillInUse(f"security group {group_id} is used by {using}")


def _forget(aws: Aws, group_id: str) -> None:
    """Take away the rules of this environment's groups that name a group which nothing uses any more."""
    naming = {
        item["GroupId"]: item
        for name in ("ip-permission.group-id", "egress.ip-permission.group-id")
        for item in GROUPS.by(aws, name, [group_id])
    }
    ours = [
        group
        for group, item in naming.items()
        if tags.from_list(item.get("Tags")).get(ENVIRONMENT_TAG) == aws.environment
    ]
    by_group: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for rule in _rules_of(aws, ours):
        if rule.get("ReferencedGroupInfo", {}).get("GroupId") == group_id:
            by_group[rule["GroupId"]].append(rule)
    for group, found in by_group.items():
        for direction in DIRECTIONS:
            _revoke(aws, group, direction, [rule for rule in found if rule["IsEgress"] == (direction == "egress")])


class SecurityGroupRules(Kind):
    """The rules of one security group; of the declared directions they are complete.

    Each rule has one source or destination, as DescribeSecurityGroupRules gives it, and `ReferencedGroupName` for
    people. Rules that name an old copy of a group stay until that copy goes, so that nothing is cut off meanwhile.
    """

    kind = "security_group_rules"
    label = "Security group rules"
    create_before_delete = True
    taggable = False

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        names = {item.scope["GroupId"]: item.name for item in wanted}
        found: dict[str, dict[str, Any]] = {name: {"ingress": [], "egress": []} for name in names.values()}
        for rule in _current(aws, _rules_of(aws, list(names)), names):
            found[names[rule["GroupId"]]][_direction(rule)].append(rule)
        return {
            name: Observed(name, found[name], {"id": group, "group_id": group}, None) for group, name in names.items()
        }

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: sorted((rules.canonical(rule) for rule in properties[name]), key=rules.identity)
            for name in DIRECTIONS
            if properties.get(name) is not None
        }

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        return [
            difference
            for name in DIRECTIONS
            if name in desired
            for difference in rules.differences(name, desired[name], observed.get(name, []))
        ]

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        """The rules of a new group one by one."""
        found: list[Difference] = []
        for item in differences:
            found += rules.differences(item.path, item.after, []) if item.path in DIRECTIONS else [item]
        return found

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        group_id = resource.scope["GroupId"]
        self._make_equal(aws, resource)
        return {"id": group_id, "group_id": group_id}

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        self._make_equal(aws, resource)

    def _make_equal(self, aws: Aws, resource: Resource) -> None:
        """From what is there now; first what is to be let in, then what is not any more."""
        group_id = str(resource.scope["GroupId"])
        desired = self.canonical(resource.properties)
        there = _rules_of(aws, [group_id])
        old = _old_copies(aws, resource.name, desired)
        for direction, wanted in desired.items():
            _authorize_missing(aws, group_id, direction, [*wanted, *_with_old_copies(wanted, old)], there)
        current = _current(aws, there, {group_id: resource.name})
        for direction, wanted in desired.items():
            observed = {
                rules.identity(rules.canonical(rule)): rule for rule in current if _direction(rule) == direction
            }
            kept = {rules.identity(rule) for rule in wanted}
            _revoke(aws, group_id, direction, [rule for key, rule in observed.items() if key not in kept])
            _describe(aws, group_id, direction, wanted, observed)
        for copy in old.get(resource.name, ()):
            for direction, wanted in desired.items():
                _authorize_missing(aws, copy, direction, wanted, _rules_of(aws, [copy]))

    def retire(self, aws: Aws, observed: Observed) -> None:
        """The rules of an old copy go with it."""

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        group_id = observed.attributes["id"]
        if is_superseded(aws, group_id):
            return
        managed = DIRECTIONS if resource is None else [name for name in DIRECTIONS if name in resource.properties]
        there = _rules_of(aws, [group_id])
        for direction in managed:
            _revoke(aws, group_id, direction, [rule for rule in there if _direction(rule) == direction])


def _direction(rule: Mapping[str, Any]) -> str:
    return "egress" if rule["IsEgress"] else "ingress"


def _rules_of(aws: Aws, groups: Sequence[str]) -> list[dict[str, Any]]:
    """The rules of many groups, with one call for each 200 groups."""
    ec2 = aws.client("ec2")
    return [
        rule
        for some in chunks(groups, MOST_FILTER_VALUES)
        for rule in pages(
            ec2, "describe_security_group_rules", "SecurityGroupRules", Filters=[{"Name": "group-id", "Values": some}]
        )
    ]


def _current(aws: Aws, found: Sequence[dict[str, Any]], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rules without those that name old copies; the groups that they name with their names.

    `names` has the names of the groups known so far: only the others are asked for.
    """
    referenced = {rule["ReferencedGroupInfo"]["GroupId"] for rule in found if rule.get("ReferencedGroupInfo")}
    others = GROUPS.by(aws, GROUPS.id_filter, sorted(referenced - names.keys()))
    labels = {item["GroupId"]: tags.from_list(item.get("Tags")) for item in others}
    known = dict(names) | {
        item["GroupId"]: labels[item["GroupId"]].get(tags.NAME_TAG, item["GroupName"]) for item in others
    }
    old = {group for group, text in labels.items() if SUPERSEDED_TAG in text}
    result = []
    for rule in map(_named, found):
        group = rule.get("ReferencedGroupId")
        if group not in old:
            result.append({**rule, "ReferencedGroupName": known.get(group, group)} if group else rule)
    return result


def _old_copies(aws: Aws, name: str, desired: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[str]]:
    """By name, the old copies of a group and of those that its rules name: for as long as something uses them,
    they are let in where the new ones are, and let in the new ones."""
    names = {name} | {
        rule["ReferencedGroupName"] for wanted in desired.values() for rule in wanted if rule.get("ReferencedGroupName")
    }
    found: dict[str, list[str]] = defaultdict(list)
    for item in GROUPS.by(aws, f"tag:{tags.NAME_TAG}", sorted(names)):
        labels = tags.from_list(item.get("Tags"))
        if SUPERSEDED_TAG in labels and labels.get(ENVIRONMENT_TAG) == aws.environment:
            found[labels[tags.NAME_TAG]].append(item["GroupId"])
    return found


def _with_old_copies(wanted: Sequence[Mapping[str, Any]], old: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The rules that name groups which have old copies, for these."""
    return [
        {**rule, "ReferencedGroupId": copy}
        for rule in wanted
        for copy in old.get(rule.get("ReferencedGroupName", ""), ())
    ]


def _authorize_missing(
    aws: Aws, group_id: str, direction: str, wanted: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]
) -> None:
    known = {rules.identity(rules.canonical(_named(rule))) for rule in there if _direction(rule) == direction}
    _authorize(aws, group_id, direction, [rule for rule in wanted if rules.identity(rule) not in known])


def _named(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A described rule in the form of a declared one: the group that it names beside the other sources."""
    group = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    return {**rule, **({"ReferencedGroupId": group} if group else {})}


def _authorize(aws: Aws, group_id: str, direction: str, missing: Sequence[Mapping[str, Any]]) -> None:
    """All in one call; where one of them turns out to be there already, one by one."""
    if not missing:
        return
    ec2 = aws.client("ec2")
    call = ec2.authorize_security_group_ingress if direction == "ingress" else ec2.authorize_security_group_egress
    permissions = [rules.permission(rule) for rule in missing]
    try:
        call(GroupId=group_id, IpPermissions=permissions)
    except exceptions.ClientError as error:
        if code_of(error) != DUPLICATE:
            raise
        for permission in permissions:
            unless(DUPLICATE, call, GroupId=group_id, IpPermissions=[permission])


def _revoke(aws: Aws, group_id: str, direction: str, found: Sequence[Mapping[str, Any]]) -> None:
    """All in one call; where one of them turns out to be gone already, one by one."""
    if not found:
        return
    ec2 = aws.client("ec2")
    call = ec2.revoke_security_group_ingress if direction == "ingress" else ec2.revoke_security_group_egress
    gone = ("InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound", *GONE)
    ids = [rule["SecurityGroupRuleId"] for rule in found]
    if unless(gone, call, GroupId=group_id, SecurityGroupRuleIds=ids) is None and len(ids) > 1:
        for identifier in ids:
            unless(gone, call, GroupId=group_id, SecurityGroupRuleIds=[identifier])


def _describe(
    aws: Aws,
    group_id: str,
    direction: str,
    wanted: Sequence[Mapping[str, Any]],
    observed: Mapping[Any, Mapping[str, Any]],
) -> None:
    """Descriptions of rules that stay can be changed in place."""
    pairs = [(rule, observed[rules.identity(rule)]) for rule in wanted if rules.identity(rule) in observed]
    changed = [
        {
            "SecurityGroupRuleId": there["SecurityGroupRuleId"],
            **({"Description": rule["Description"]} if rule["Description"] else {}),
        }
        for rule, there in pairs
        if rule.get("Description") is not None and rule["Description"] != (there.get("Description") or "")
    ]
    if changed:
        ec2 = aws.client("ec2")
        names = f"update_security_group_rule_descriptions_{direction}"
        getattr(ec2, names)(GroupId=group_id, SecurityGroupRuleDescriptions=changed)


KINDS = (SecurityGroup, SecurityGroupRules)
