# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a resource kind is: the one class that somebody writes to add one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import compare
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    NAME_TAG,
    OWN_NAME_TAG,
    SUPERSEDED_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)


class Kind:
    """A resource kind. `aws` is handed through by the engine untouched: the kind's own way to AWS.

    kind: the first part of the address. label: AWS's term for it, in messages.
    immutable: properties that AWS cannot update; a difference there replaces the resource.
    create_before_delete: replaced by a new copy first, the old one goes when nothing refers to it any more.
    holds_data: never replaced unless the declaration's options allow it (`allow_replacement`).
    volatile: attributes that an update changes, so that others see them as known after apply.
    named: attributes that are the declared name itself, and so known before the thing is made.
    defaults: AWS's values of properties that are declared no more.
    taggable: False where AWS has no tags for it; ownership is then that of its parent.
    named_by_tag: its Name tag says which one it is. What others made without one, or with another, was found in
    another way, and keeps what it has: a tag of our own says the name.
    takes_ids: read takes an id of AWS for a name.
    shared: what to do where another environment has it already; of what an account can have only once.
    makes_nothing: making it is telling somebody or waiting, so it is still done where it counts as there by now.
    valueless_tags: keys of tags that say everything by being there, whatever their value is.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    immutable: ClassVar[frozenset[str]] = frozenset()
    create_before_delete: ClassVar[bool] = False
    holds_data: ClassVar[bool] = False
    volatile: ClassVar[frozenset[str]] = frozenset()
    named: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Mapping[str, Any]] = {}
    taggable: ClassVar[bool] = True
    named_by_tag: ClassVar[bool] = False
    takes_ids: ClassVar[bool] = False
    shared: ClassVar[str] = ""
    makes_nothing: ClassVar[bool] = False
    valueless_tags: ClassVar[frozenset[str]] = frozenset()

    def read(self, aws: Any, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        """Read all wanted in bulk; what does not exist is left out."""
        raise LookupError(f"{self.kind} has no read")

    def read_rest(self, aws: Any) -> None:
        """Complete what was read: called once all that a plan needs was, for what several kinds ask together."""

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """One form for what is declared and for what AWS returns; pure."""
        return dict(properties)

    def differences(
        self, desired: Mapping[str, Any], observed: Mapping[str, Any], last_applied: Mapping[str, Any]
    ) -> list[Difference]:
        """What differs, between canonical forms; `replaces` marks what AWS cannot update."""
        found = compare.differences(desired, observed, last_applied, self.defaults)
        return [item._replace(replaces=self.replaces(item)) for item in found]

    def changed_since(self, declared: Mapping[str, Any], applied: Mapping[str, Any]) -> list[Difference]:
        """What a declaration changed since it was applied last, between canonical forms."""
        return [] if declared == applied else self.differences(declared, applied, applied)

    def replaces(self, difference: Difference) -> bool:
        return compare.under(difference.path, self.immutable) is not None

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        """The differences as people and logs may see them: without secrets, walls of text made small."""
        return list(differences)

    def create(self, aws: Any, resource: Resource) -> dict[str, Any]:
        """Create it, with its tags in the create call itself, and return its attributes."""
        raise LookupError(f"{self.kind} has no create")

    def wait(self, aws: Any, resource: Resource) -> None:
        """Wait until what `create` gave up on (Awaited) is so; it is called again then."""
        raise LookupError(f"{self.kind} has no wait")

    def update(
        self, aws: Any, resource: Resource, observed: Observed, differences: Sequence[Difference]
    ) -> dict[str, Any] | None:
        """Make the differences disappear; return the attributes that changed."""
        raise LookupError(f"{self.kind} has no update")

    def expected_tags(self, declared: Mapping[str, str], observed: Mapping[str, str]) -> dict[str, str]:
        """The declared tags, the ownership tag among them, as far as they are to be on what AWS has."""
        expected = dict(declared)
        others = ENVIRONMENT_TAG not in observed or OWN_NAME_TAG in observed
        if self.named_by_tag and others and observed.get(NAME_TAG) != expected.get(NAME_TAG):
            name = expected.pop(NAME_TAG, "")
            expected |= {OWN_NAME_TAG: name} if name and ENVIRONMENT_TAG in declared else {}
        return expected | {key: observed[key] for key in self.valueless_tags & expected.keys() & observed.keys()}

    def retag(self, aws: Any, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        """Set and remove tags of an existing resource."""
        raise LookupError(f"{self.kind} has no retag")

    def refuses_create(self, resource: Resource) -> str | None:
        """Why it cannot be made where it does not exist, or None. Told before anything is written."""
        return None

    def refuses_delete(self, resource: Resource, observed: Observed) -> str | None:
        """Why AWS would refuse to delete it as it is now (deletion protection, contents), or None."""
        return None

    def retire(self, aws: Any, observed: Observed) -> None:
        """Mark a copy that is about to be replaced, so that the next read gives it as superseded."""
        name = {NAME_TAG: observed.name} if self.named_by_tag else {}
        self.retag(aws, observed, {SUPERSEDED_TAG: "true", **name}, ())

    def delete(self, aws: Any, resource: Resource | None, observed: Observed) -> None:
        """Delete it, and return when it is gone; what is gone already is no error."""
        raise LookupError(f"{self.kind} has no delete")


def top_level(differences: Sequence[Difference]) -> set[str]:
    """The names of the properties in which there are differences: `a.b[c]` is in `a`."""
    return {item.path.split(".", 1)[0].split("[", 1)[0] for item in differences}
