# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind the ids and ARNs in a Terraform state: names, as declarations refer to things."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing

NAME_TAG = "Name"
# Types whose Name tag is their name in an inventory. Without one, the id stands for it, or the name in AWS.
BY_NAME_TAG = {
    "aws_vpc": "id",
    "aws_subnet": "id",
    "aws_internet_gateway": "id",
    "aws_route_table": "id",
    "aws_nat_gateway": "id",
    "aws_eip": "id",
    "aws_security_group": "name",
    "aws_acm_certificate": "domain_name",
}
BY_ATTRIBUTE = {
    "aws_ecs_task_definition": "family",
    "aws_s3_bucket": "bucket",
    "aws_lb_listener": "arn",
}


def common_type(name: str) -> str:
    """The provider has two names for each resource of load balancing."""
    return name.replace("aws_alb", "aws_lb", 1) if name.startswith("aws_alb") else name


class Names:
    """The names of the things in a state."""

    def __init__(self, things: Iterable[Thing]) -> None:
        self._things = [thing for thing in things if thing.managed]
        self._by_id: dict[tuple[str, str], Thing] = {}
        for thing in self._things:
            for attribute in ("id", "arn", "name", "bucket", "arn_without_revision"):
                if value := thing.attributes.get(attribute):
                    self._by_id.setdefault((common_type(thing.type), str(value)), thing)
        self._often = Counter(
            (common_type(thing.type), self._named(thing))
            for thing in self._things
            if common_type(thing.type) in BY_NAME_TAG
        )
        self.outside: dict[str, set[str]] = {}
        # What is only read, and has a name in every inventory: the default VPC and its subnets.
        self.known: dict[tuple[str, str], str] = {}

    def of(self, thing: Thing) -> str:
        """Its name; one that several things have, or that looks like an id, means none of them."""
        kind = common_type(thing.type)
        if kind in BY_NAME_TAG:
            name = self._named(thing)
            return name if self._often[kind, name] == 1 and not self._looks_like_id(kind, name) else thing.id
        return str(thing.attributes[BY_ATTRIBUTE.get(kind, "name")])

    def is_id(self, thing: Thing) -> bool:
        """Whether it has no name but its id."""
        return self.of(thing) == thing.id

    @staticmethod
    def _named(thing: Thing) -> str:
        return thing.tags.get(NAME_TAG) or str(thing.attributes[BY_NAME_TAG[common_type(thing.type)]])

    @staticmethod
    def _looks_like_id(kind: str, name: str) -> bool:
        """As the layer sees it, for which AWS keeps `sg-` whatever comes after it."""
        return bool(re.fullmatch(r"(?:vpc|subnet|igw|rtb|nat|eipalloc)-[0-9a-f]+", name)) or (
            kind == "aws_security_group" and name.startswith("sg-")
        )

    def find(self, kind: str, reference: Any) -> Thing | None:
        """The thing of this type with this id, ARN or name."""
        return self._by_id.get((kind, str(reference))) if reference else None

    def ref(self, kind: str, reference: Any, by: Thing) -> str:
        """The name of what an id or ARN stands for; itself where another stack made it."""
        found = self.find(kind, reference)
        if found is not None:
            return self.of(found)
        if (kind, str(reference)) in self.known:
            return self.known[kind, str(reference)]
        if str(reference).startswith(("arn:", *_PREFIXES)):
            self.outside.setdefault(str(reference), set()).add(by.address)
        return str(reference)

    def refs(self, kind: str, references: Iterable[Any] | None, by: Thing) -> list[str]:
        return sorted(self.ref(kind, item, by) for item in references or ())

    def role(self, reference: Any, by: Thing) -> str:
        """A role by name, where the state has it; else its ARN."""
        found = self.find("aws_iam_role", reference)
        return str(found.attributes["name"]) if found else self.ref("aws_iam_role", reference, by)

    def policy(self, arn: str, by: Thing) -> str:
        """A managed policy: AWS's own as `aws:NAME`."""
        head, _slash, name = arn.partition(":policy/")
        return f"aws:{name}" if head.endswith(":iam::aws") else self.ref("aws_iam_policy", arn, by)


_PREFIXES = ("vpc-", "subnet-", "sg-", "igw-", "rtb-", "nat-", "lt-")
