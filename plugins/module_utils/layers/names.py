# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a DNS name in a declaration may look like, and which declared zone owns it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import canonical_name, owner_of
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_zones import PRIVATE

LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
LONGEST_NAME = 253
ZONE, ZONE_OF = "route53_zone", "route53_zone_of"


def problem(name: str, wildcard: bool = False, labels: int = 1) -> str:
    """What is wrong with a name; an empty text where nothing is. wildcard: `*` may be its first label."""
    text = canonical_name(name)
    if not text.isascii():
        return f"is {name!r}; write it in its ASCII form (xn--…)"
    parts = text.removeprefix("*.").split(".") if wildcard else text.split(".")
    if len(text) > LONGEST_NAME or len(parts) < labels or not all(LABEL.fullmatch(part) for part in parts):
        first = ", and the first may be *" if wildcard else ""
        dots = ", with a dot in between" if labels > 1 else ""
        return (
            f"is {name!r}; a name has labels of 1 to 63 letters, digits and hyphens{dots}{first}, "
            f"{LONGEST_NAME} characters at most"
        )
    return ""


def zone_reference(name: str, where: str) -> Ref:
    """The public hosted zone that owns a name, found in AWS."""
    return Ref(ZONE_OF, canonical_name(name), where=where)


def declared_zone(reference: Ref, declared: Mapping[Address, Resource]) -> Ref:
    """The same, or the declared public zone that owns the name: it may not be there yet."""
    owner = owner_of(reference.name, public_zones(declared)) if reference.kind == ZONE_OF else None
    return Ref(ZONE, owner, where=reference.where) if owner else reference


def public_zones(declared: Mapping[Address, Resource]) -> Collection[str]:
    return [name for kind, name in declared if kind == ZONE and not name.startswith(PRIVATE)]
