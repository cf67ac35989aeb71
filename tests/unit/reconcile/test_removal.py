# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared no more, in one plan with what is: shown, refused, deleted."""

from __future__ import annotations

import re

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.removal import PRUNE, Removal
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry, Memory
from ansible_collections.dockyard.aws.plugins.module_utils.state.remembering import next_memory
from tests.unit.reconcile.fake_cloud import SUPERSEDED_TAG, Bench, keys, ref, thing


def pruning(*resources, **options):
    return Removal(resources, PRUNE, recorded=True, **options)


def made(*resources, **settings):
    bench = Bench(**settings)
    bench.make(*resources)
    return bench


def test_what_is_held_back_is_shown_and_stays():
    old, kept = thing("net", "old"), thing("net", "kept")
    bench = made(old, kept)
    plan = bench.plan(kept, going=pruning(old, held_back=True))
    assert keys(plan.held_back) == [("delete", "net", "old")] and keys(plan.shown()) == []
    bench.apply(plan)
    assert bench.executor.apply(plan, plan.absent).done == []
    assert len(bench.cloud.things) == 2


def test_pruning_deletes_dependents_first_and_only_when_asked_to():
    back, front, kept = thing("net", "back"), thing("group", "front", net=ref("net", "back")), thing("net", "kept")
    bench = made(back, front, kept)
    plan = bench.plan(kept, going=pruning(back, front))
    assert keys(plan.shown()) == [("delete", "group", "front"), ("delete", "net", "back")]
    assert {change.reason for change in plan.deletions()} == {"prune"}
    assert bench.apply(plan).done == []
    outcome = bench.executor.apply(plan, plan.absent)
    assert keys(outcome.done) == keys(plan.shown())
    assert [item["kind"] for item in bench.cloud.things.values()] == ["net"]


def test_what_is_gone_already_is_neither_shown_nor_deleted():
    plan = Bench().plan(going=pruning(thing("net", "old")))
    assert keys(plan.shown()) == [] and plan.absent


@pytest.mark.parametrize("held_back", [False, True])
def test_what_is_protected_is_refused_and_where_it_is_only_shown_said(held_back):
    old = thing("net", "old")
    bench = made(old)
    old.protect = True
    message = "net/old is protected .protect: true.; to let it go, declare it with protect: false"
    if held_back:
        plan = bench.plan(going=pruning(old, held_back=True))
        [change] = plan.held_back
        assert change.notes[0].startswith("net/old is protected")
    else:
        with pytest.raises(PlanError, match=message):
            bench.plan(going=pruning(old))


def test_what_something_declared_refers_to_does_not_go():
    back, front = thing("net", "back"), thing("group", "front", net=ref("net", "back"))
    bench = made(back, front)
    with pytest.raises(PlanError, match="net/back is declared no more, but group/front still refers to it"):
        bench.plan(front, going=pruning(back))
    # Where it is only shown, the reference is answered as one to anything that exists and is not declared.
    plan = bench.plan(front, going=pruning(back, held_back=True))
    assert keys(plan.shown()) == []
    assert plan.held_back[0].notes == ["net/back is declared no more, but group/front still refers to it"]


def test_a_reference_to_what_is_recorded_but_gone_is_refused():
    front = thing("group", "front", net=ref("net", "back"))
    with pytest.raises(PlanError, match="neither declared in the selected layers and hosts nor found in AWS"):
        Bench().plan(front, going=pruning(thing("net", "back"), held_back=True))


def test_an_order_that_was_turned_round_is_no_circle():
    one, two = thing("net", "one"), thing("group", "two", net=ref("net", "one"))
    bench = made(one, two)
    turned = thing("net", "one", other=ref("net", "three"))
    plan = bench.plan(turned, thing("net", "three"), going=pruning(two))
    bench.apply(plan)
    assert keys(bench.executor.apply(plan, plan.absent).done) == [("delete", "group", "two")]


def test_without_ownership_tags_the_record_says_what_is_ours():
    old = thing("net", "old")
    bench = made(old, ownership_tags=False)
    assert keys(bench.destroy(old).shown()) == []
    identity = next(iter(bench.cloud.things))
    plan = bench.plan(going=pruning(old, known={old.address: {"id": identity}}))
    assert keys(plan.shown()) == [("delete", "net", "old")]


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"id": "net-77"}, "another thing of the same name .id net-77 -> net-1."),
        (None, "a run was ended while it made it, and without a tag it cannot be told"),
    ],
)
def test_without_ownership_tags_only_what_is_the_recorded_thing_goes(known, message):
    old = thing("net", "old")
    bench = made(old, ownership_tags=False)
    plan = bench.plan(going=pruning(old, known={} if known is None else {old.address: known}))
    assert keys(plan.shown()) == []
    assert re.search(message, plan.left_alone[0])


def test_with_ownership_tags_what_has_none_is_left_alone_although_it_is_recorded():
    old = thing("net", "old")
    bench = made(old)
    next(iter(bench.cloud.things.values()))["tags"].clear()
    plan = bench.plan(going=pruning(old))
    assert keys(plan.shown()) == [] and plan.left_alone == ["net/old: not tagged as this environment's"]


def test_what_vanished_before_its_deletion_counts_as_moved_and_not_as_done():
    old = thing("net", "old")
    bench = made(old)
    plan = bench.plan(going=pruning(old))
    bench.cloud.things.clear()
    outcome = bench.executor.apply(plan, plan.absent)
    assert outcome.done == [] and outcome.moved == ["net/old: planned delete, now none"]


def inside(name, parent):
    note = thing("note", name)
    note.scope = {"net": ref("net", parent)}
    return note


def test_what_has_no_tags_is_ours_where_it_is_recorded():
    bench = made(thing("net", "theirs"), inside("old", "theirs"))
    next(iter(bench.cloud.things.values()))["tags"].clear()
    old = inside("old", "theirs")
    assert keys(bench.plan(going=pruning(old, known={old.address: {}})).shown()) == [("delete", "note", "old")]
    pending = bench.plan(going=pruning(old))
    assert keys(pending.shown()) == [] and "a run was ended while it made it" in pending.left_alone[0]
    unrecorded = bench.destroy(inside("old", "theirs"))
    assert keys(unrecorded.shown()) == []
    assert unrecorded.left_alone == ["note/old: it lies in something that is not this environment's"]


def test_where_nothing_is_adopted_what_has_no_tags_is_changed_only_where_it_is_ours():
    bench = made(thing("net", "theirs"), inside("old", "theirs"))
    changed = inside("old", "theirs")
    changed.properties["text"] = "new"
    assert keys(Bench(bench.cloud, adopt=False).plan(changed).shown()) == [("update", "note", "old")]
    next(iter(bench.cloud.things.values()))["tags"].clear()
    with pytest.raises(PlanError, match="note 'old' exists otherwise than declared .text is None.*adoption is refused"):
        Bench(bench.cloud, adopt=False).plan(changed)
    recorded = {changed.address: {"properties": {}}}
    last = Bench(bench.cloud, adopt=False, last_applied=recorded)
    assert keys(last.plan(changed).shown()) == [("update", "note", "old")]


@pytest.mark.parametrize("held_back", [False, True])
def test_what_was_recorded_as_needing_each_other_goes_all_the_same(held_back):
    """Each was recorded at its own time: the order was turned round, and one of the two failed then."""
    first, second, inner = thing("net", "first"), thing("net", "second"), thing("group", "g", net=ref("net", "first"))
    bench = made(first, second, inner)
    first.depends_on, second.depends_on = (ref("net", "second"),), (ref("net", "first"),)
    plan = bench.plan(going=pruning(first, second, inner, held_back=held_back))
    assert len(plan.held_back if held_back else plan.deletions()) == 3
    outcome = bench.executor.apply(plan, plan.absent)
    assert len(outcome.done) == (0 if held_back else 3) and not outcome.failures


def test_what_has_an_old_copy_in_use_stays_remembered_and_the_copy_is_not_told_as_deleted():
    """The memory is all that leads to the copy once the thing itself is gone."""
    old = thing("net", "old", cidr="a")
    bench = made(old)
    bench.cloud.things["net-1"]["tags"][SUPERSEDED_TAG] = "true"
    user = {"kind": "foreign", "name": "f", "properties": {"net": "net-1"}, "tags": {}, "version": 1}
    bench.cloud.things["foreign-1"] = user
    bench.make(old)
    memory = Memory("test", "one", resources={old.address: Entry(host="h")})

    plan = bench.plan(going=pruning(old))
    outcome = bench.executor.apply(plan, plan.absent)
    assert keys(outcome.done) == [("delete", "net", "old")] and "still in use" in outcome.notes[0]
    memory = next_memory(memory, plan, "one", canonical)
    assert old.address in memory.resources

    del bench.cloud.things["foreign-1"]
    plan = bench.plan(going=pruning(old))
    outcome = bench.executor.apply(plan, plan.absent)
    assert keys(outcome.done) == [("delete", "net", "old (net-1)")] and bench.cloud.things == {}
    assert next_memory(memory, plan, "one", canonical).resources == {}


def canonical(kind, properties):
    return properties
