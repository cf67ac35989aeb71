# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From plans to memory and back."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ADOPT,
    CREATE,
    DELETE,
    NONE,
    REPLACE,
    SUPERSEDED,
    UPDATE,
    Address,
    Change,
    Observed,
    Ref,
    Resource,
    Text,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan
from ansible_collections.dockyard.aws.plugins.module_utils.state import remembering
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry, Memory

EMPTY = Memory("art", "network")


def canonical(kind, properties):
    """Marks what it was asked for, so that tests see that it was asked."""
    return {**properties, "kind": kind}


def resource(name, layer="network", **more):
    return Resource("thing", name, more.pop("properties", {"Size": 1}), layer=layer, host="art", where="w", **more)


def plan_of(*changes, attributes=None, absent=()):
    resources = {change.resource.address: change.resource for change in changes}
    observed = {change.resource.address: change.observed for change in changes if change.observed is not None}
    return Plan(resources, list(changes), observed, attributes=attributes or {}, absent=frozenset(absent))


def change(action, name, done=False, observed=True, **more):
    there = Observed(name, {}, {"id": f"id-{name}"}) if observed else None
    return Change(action, resource(name, more.pop("layer", "network")), observed=there, done=done, **more)


def address(name):
    return Address("thing", name)


def after(plan, previous=EMPTY):
    return remembering.next_memory(previous, plan, "network", canonical)


def test_what_was_applied_is_what_the_planner_takes():
    entry = Entry(properties={"Size": 1}, tags={"a": "b"})
    memory = replace(EMPTY, resources={address("x"): entry, address("new"): Entry(pending="create")})
    other = replace(EMPTY, resources={address("y"): Entry()})
    found = remembering.last_applied([memory, None, other])
    assert found == {
        address("x"): {"properties": {"Size": 1}, "tags": {"a": "b"}},
        address("y"): {"properties": {}, "tags": {}},
    }


def test_an_entry_has_everything_that_a_later_run_needs():
    vpc = Ref("vpc", "art", "id", where="somewhere")
    properties = {
        "VpcId": vpc,
        "Name": Text("{}-x", (vpc,)),
        "Later": Ref("thing", "other", "arn"),
        "Zones": ("a", "b"),
    }
    made = resource(
        "x",
        properties=properties,
        scope={"VpcId": vpc},
        tags={"Project": "art"},
        options={"force_delete": True},
        depends_on=(Ref("gate", "g"), Ref("thing", "x")),
        protect=True,
        create_only={"Size": "somebody"},
    )
    plan = Plan({made.address: made}, attributes={Address("vpc", "art"): {"id": "vpc-1"}, made.address: {"id": "i"}})
    entry = remembering.entry_of(plan, made, canonical)
    assert entry == Entry(
        host="art",
        where="w",
        attributes={"id": "i"},
        properties={"VpcId": "vpc-1", "Name": "vpc-1-x", "Zones": ["a", "b"], "kind": "thing"},
        tags={"Project": "art"},
        scope={"VpcId": Ref("vpc", "art", "id")},
        needs=(Address("gate", "g"), Address("thing", "other"), Address("vpc", "art")),
        options={"force_delete": True},
        protect=True,
        create_only={"Size": "somebody"},
    )
    back = remembering.resource_of(made.address, entry, "network")
    assert (back.address, back.layer, back.host, back.protect) == (made.address, "network", "art", True)
    assert {ref.address for ref in back.references()} == set(entry.needs)
    assert back.scope == {"VpcId": Ref("vpc", "art", "id")} and back.options == {"force_delete": True}
    assert back.create_only == {"Size": "somebody"}


def test_a_run_that_sees_less_forgets_nothing_of_what_a_thing_needs():
    vpc, gate, old = Ref("vpc", "art", "id"), Ref("thing", "gate"), Ref("thing", "old")
    wide = resource("x", properties={"Size": 1, "Vpc": vpc}, depends_on=(gate, old), derived=("Vpc",))
    narrow = resource("x", properties={"Size": 1})
    there = {wide.address: Observed("x", {}, {})}
    everything = {item.address: item for item in (wide, resource("old"), resource("gate"))}
    first = after(Plan(everything, [Change(NONE, wide, observed=there[wide.address])]))
    assert first.resources[wide.address].needs == (gate.address, old.address)
    assert first.resources[wide.address].properties == {"Size": 1, "kind": "thing"}
    one = Plan({narrow.address: narrow}, [Change(NONE, narrow, observed=there[wide.address])])
    assert after(one, first) == first
    both = Plan({**everything, narrow.address: narrow}, [Change(NONE, narrow, observed=there[wide.address])])
    assert after(both, first).resources[wide.address].needs == ()


def test_what_a_thing_lies_in_stays_where_a_run_finds_it_in_another_way():
    owner, found = Ref("thing", "owner"), Ref("owner_of", "x")
    wide, narrow = resource("x", scope={"In": owner}), resource("x", scope={"In": found})
    everything = {item.address: item for item in (wide, resource("owner"))}
    same, other = ({wide.address: {"id": name}} for name in ("1", "2"))
    there = Observed("x", {}, {})
    first = after(Plan(everything, [Change(NONE, wide, observed=there)], attributes=same))
    assert first.resources[wide.address].scope == {"In": owner}
    again = [Change(NONE, narrow, observed=there)]
    assert after(Plan({narrow.address: narrow}, again, attributes=same), first) == first
    assert after(Plan({narrow.address: narrow}, again, attributes=other), first) != first
    moved = after(Plan({**everything, narrow.address: narrow}, again, attributes=same), first)
    assert moved.resources[wide.address].scope == {"In": found}


def test_what_is_done_is_remembered_and_what_is_deleted_forgotten():
    old = Entry(host="art", where="old", properties={"Size": 9})
    previous = replace(EMPTY, resources={address(name): old for name in ("update", "delete", "kept", "elsewhere")})
    plan = plan_of(
        change(CREATE, "create", done=True, observed=False),
        change(UPDATE, "update", done=True),
        change(REPLACE, "replace", done=True),
        change(ADOPT, "adopt", done=True),
        change(DELETE, "delete", done=True),
        change(DELETE, "kept"),
        change(NONE, "same"),
        change(CREATE, "failed", observed=False),
        change(CREATE, "other-layer", done=True, layer="ecr"),
        Change(DELETE, resource("update"), "update (id-0)", reason=SUPERSEDED, done=True),
        attributes={address("create"): {"id": "new"}},
    )
    found = after(plan, previous).resources
    assert {item.name for item in found} == {"create", "update", "replace", "adopt", "kept", "same", "elsewhere"}
    assert found[address("create")].attributes == {"id": "new"}
    assert found[address("update")].properties == {"Size": 1, "kind": "thing"}
    assert found[address("kept")] is old and found[address("elsewhere")] is old


def test_what_failed_stays_as_it_was():
    previous = replace(EMPTY, resources={address("x"): Entry(properties={"Size": 9})})
    assert after(plan_of(change(UPDATE, "x")), previous) == previous


def test_unchanged_things_are_no_reason_to_write():
    plan = plan_of(change(NONE, "x"), attributes={address("x"): {"id": "i", "revision": 1}})
    before = after(plan)
    plan.attributes[address("x")] = {"id": "i", "revision": 2}
    assert after(plan, before) == before
    plan.attributes[address("x")] = {"id": "another", "revision": 2}
    assert after(plan, before).resources[address("x")].attributes["id"] == "another"
    plan.resources[address("x")].protect = True
    assert after(plan, before).resources[address("x")].protect


def test_creations_are_written_down_before_they_happen():
    known = replace(EMPTY, resources={address("known"): Entry(properties={"Size": 9})})
    plan = plan_of(
        change(CREATE, "new", observed=False),
        change(CREATE, "known", observed=False),
        change(CREATE, "elsewhere", observed=False, layer="ecr"),
        change(UPDATE, "there"),
        change(DELETE, "gone"),
    )
    before = remembering.intended(known, plan, "network", canonical)
    assert set(before.resources) == {address("known"), address("new")}
    assert before.resources[address("new")].pending == "create"
    assert remembering.last_applied([before]).keys() == {address("known")}
    assert after(plan, before) == before
    plan.changes[0].done = True
    assert after(plan, before).resources[address("new")].pending == ""


def test_what_is_to_go_and_is_not_there_is_forgotten():
    names = ("gone", "left-alone", "not-in-plan", "stays")
    previous = replace(EMPTY, resources={address(name): Entry() for name in names})
    plan = plan_of(change(NONE, "left-alone"), absent=[address("gone"), address("left-alone")])
    plan.resources.update({address(name): resource(name) for name in ("gone", "stays")})
    assert set(after(plan, previous).resources) == {address(name) for name in names if name != "gone"}


def test_what_another_layer_declares_now_is_forgotten():
    previous = replace(EMPTY, resources={address(name): Entry() for name in ("moved", "stays")})
    plan = plan_of(change(NONE, "moved", layer="ecr"), change(NONE, "stays"))
    assert set(after(plan, previous).resources) == {address("stays")}
