# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old copies in an old copy, and things that belong to nobody: what must not be deleted, or not yet."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import steps
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError

from .fake_cloud import ENVIRONMENT_TAG, KINDS, Bench, ref, thing


def stack(cidr="10"):
    return [thing("net", "main", cidr=cidr), thing("group", "web", net=ref("net", "main"), description="a")]


def test_an_old_copy_goes_after_the_old_copies_that_lie_in_it():
    bench = Bench()
    bench.make(*stack())
    built = steps.build(bench.plan(*stack(cidr="20")), KINDS)
    cleaning = {step.change.resource.kind: step for step in built.values() if step.verb == "clean"}
    assert cleaning["group"].key in cleaning["net"].needs
    assert cleaning["net"].key not in cleaning["group"].needs


def test_what_is_not_the_environments_is_adopted_but_never_replaced():
    bench = Bench()
    bench.make(*stack())
    for item in bench.cloud.things.values():
        del item["tags"][ENVIRONMENT_TAG]
    assert [change.action for change in bench.plan(*stack()).changes] == ["adopt", "adopt"]
    with pytest.raises(PlanError, match=r"net 'main' exists, is not tagged .* replaced to change cidr \(10 -> 20\)"):
        bench.plan(*stack(cidr="20"))
