# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying plans out: the plan is the run."""

from __future__ import annotations

import time
from threading import Event

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import executor, heartbeat
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, PlanMoved, Postponed

from .fake_cloud import ENVIRONMENT_TAG, SUPERSEDED_TAG, Bench, Lost, keys, ref, thing


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(executor, "pause", lambda seconds: None)


def stack(description="a", scheme="public", size=1):
    listener = thing("listener", "web:80", "front", port=80)
    listener.scope = {"balancer": ref("balancer", "web")}
    service = thing("service", "web", "back", size=size, groups=[ref("group", "web")])
    service.depends_on = (ref("listener", "web:80"),)
    return [
        thing("net", "main", cidr="10"),
        thing("group", "web", net=ref("net", "main"), description=description),
        thing("balancer", "web", "front", scheme=scheme, groups=[ref("group", "web")]),
        listener,
        service,
    ]


LAYERS = ("one", "front", "back")
CASES = {
    "create": (None, {}),
    "update": ({}, {"size": 2}),
    "replace, new copy first": ({}, {"description": "b"}),
    "replace, old one first": ({}, {"scheme": "internal"}),
    "everything at once": ({}, {"description": "b", "scheme": "internal", "size": 2}),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_the_run_does_what_the_plan_says_and_then_nothing(before, after):
    bench = Bench()
    if before is not None:
        bench.make(*stack(**before), layers=LAYERS)
    plan = bench.plan(*stack(**after))
    planned = keys(plan.shown())
    outcome = bench.apply(plan, *LAYERS)
    assert not outcome.failures
    assert not outcome.moved
    assert sorted(keys(outcome.done)) == sorted(planned)
    bench.cloud.calls.clear()
    again = bench.plan(*stack(**after))
    assert keys(again.shown()) == []
    bench.apply(again, *LAYERS)
    assert bench.cloud.calls == []


def test_a_replaced_copy_goes_when_nothing_uses_it_any_more():
    bench = Bench()
    bench.make(*stack(), layers=LAYERS)
    bench.apply(bench.plan(*stack(description="b")), *LAYERS)
    groups = [item for item in bench.cloud.things.values() if item["kind"] == "group"]
    assert [item["properties"]["description"] for item in groups] == ["b"]


def test_a_replaced_copy_that_others_use_stays_for_a_later_run():
    bench = Bench()
    bench.make(*stack(), layers=LAYERS)
    bench.cloud.things["foreign-1"] = {
        "kind": "foreign",
        "name": "f",
        "properties": {"group": "group-2"},
        "tags": {},
        "version": 1,
    }
    outcome = bench.apply(bench.plan(*stack(description="b")), *LAYERS)
    assert not outcome.failures
    assert "still in use" in outcome.notes[0]
    del bench.cloud.things["foreign-1"]
    plan = bench.plan(*stack(description="b"))
    assert keys(plan.shown()) == [("delete", "group", "web (group-2)")]
    outcome = bench.apply(plan, *LAYERS)
    assert keys(outcome.done) == [("delete", "group", "web (group-2)")]
    assert keys(bench.plan(*stack(description="b")).shown()) == []


def test_a_run_killed_between_the_marking_and_the_new_copy_is_finished_by_the_next():
    bench = Bench()
    bench.make(*stack(), layers=LAYERS)
    bench.cloud.things["group-2"]["tags"][SUPERSEDED_TAG] = "true"
    plan = bench.plan(*stack())
    assert ("create", "group", "web") in keys(plan.shown())
    assert not bench.apply(plan, *LAYERS).failures
    assert len([item for item in bench.cloud.things.values() if item["kind"] == "group"]) == 1


def test_a_layer_brings_what_it_needs_of_other_layers_along():
    bench = Bench()
    outcome = bench.apply(bench.plan(*stack()), "back")
    assert len(outcome.done) == 5
    assert bench.cloud.calls[-1] == "create service/web"


def test_a_layer_alone_leaves_the_layers_after_it_alone():
    bench = Bench()
    outcome = bench.apply(bench.plan(*stack()), "one")
    assert keys(outcome.done) == [("create", "net", "main"), ("create", "group", "web")]


def test_only_the_hosts_given_are_carried_out():
    bench = Bench()
    plan = bench.plan(thing("net", "a"), thing("net", "b", host="other"))
    assert keys(bench.apply(plan, "one", hosts=("other",)).done) == [("create", "net", "b")]


def test_what_needs_a_failed_thing_is_not_attempted_and_the_rest_goes_on():
    bench = Bench()
    bench.cloud.fail["create", "group", "web"] = ValueError("no")
    outcome = bench.apply(bench.plan(*stack(), thing("net", "other", host="h2")), *LAYERS, hosts=("h", "h2"))
    assert ("create", "net", "other") in keys(outcome.done)
    assert set(outcome.failures) == {"h"}
    assert outcome.failures["h"][0] == "group/web: cannot create: no"
    assert "balancer/web: not attempted, because it needs group/web, which failed" in outcome.failures["h"]
    assert not any("service" in call for call in bench.cloud.calls)
    assert bench.cloud.calls.count("create group/web") == 1


def test_a_failed_run_is_picked_up_by_the_next():
    bench = Bench()
    bench.cloud.fail["create", "balancer", "web"] = ValueError("no")
    bench.apply(bench.plan(*stack()), *LAYERS)
    outcome = bench.apply(bench.plan(*stack()), *LAYERS)
    assert not outcome.failures
    assert len(bench.cloud.things) == 5


def test_after_a_lost_answer_the_thing_is_looked_for_before_it_is_made_again():
    bench = Bench()
    bench.cloud.fail["create", "net", "main"] = Lost()
    bench.make(thing("net", "main", cidr="10"))
    assert bench.cloud.calls == ["create net/main"]


def test_a_create_that_never_arrived_is_tried_again():
    bench = Bench()
    tries = iter([Lost("first"), Lost("second"), None])

    def write(verb, kind, name, original=bench.cloud.write):
        error = next(tries)
        if error:
            raise error
        original(verb, kind, name)

    bench.cloud.write = write
    bench.make(thing("net", "main"))
    assert len(bench.cloud.things) == 1


def test_what_moved_since_the_plan_is_said_or_refused():
    for strict in (False, True):
        bench = Bench()
        bench.make(thing("service", "web", size=1, count=1))
        plan = bench.plan(thing("service", "web", size=2, count=1))
        bench.cloud.things["service-1"]["properties"]["count"] = 9
        if strict:
            with pytest.raises(PlanMoved, match=r"service/web: planned update \(size\), now update \(size, count\)"):
                bench.apply(plan, strict=True)
            assert bench.cloud.things["service-1"]["properties"]["size"] == 1
        else:
            outcome = bench.apply(plan)
            assert outcome.moved == ["service/web: planned update (size), now update (size, count)"]
            assert bench.cloud.things["service-1"]["properties"]["count"] == 1


def test_destroy_goes_in_reverse_order_and_leaves_nothing():
    bench = Bench()
    bench.make(*stack(), layers=LAYERS)
    plan = bench.destroy(*stack())
    planned = keys(plan.shown())
    assert planned[0] == ("delete", "service", "web")
    outcome = bench.apply(plan, *reversed(LAYERS))
    assert not outcome.failures
    assert keys(outcome.done) == planned
    assert bench.cloud.things == {}


def test_destroy_takes_only_what_is_tagged():
    bench = Bench()
    bench.make(*stack(), layers=LAYERS)
    service = next(item for item in bench.cloud.things.values() if item["kind"] == "service")
    service["tags"].clear()
    plan = bench.destroy(thing("service", "web", "back"))
    assert keys(plan.shown()) == []
    assert plan.left_alone == ["service/web: not tagged as this environment's"]


def test_destroy_of_what_is_gone_already_is_empty():
    assert keys(Bench().destroy(*stack()).shown()) == []


def test_destroy_is_refused_by_what_cannot_be_deleted(monkeypatch):
    bench = Bench()
    bench.make(*stack(), layers=LAYERS)
    monkeypatch.setattr(
        type(bench.executor._kinds["balancer"]),
        "refuses_delete",
        lambda self, resource, observed: "deletion protection is on",
    )
    with pytest.raises(PlanError, match="deletion protection is on"):
        bench.destroy(*stack())


def test_tags_are_set_in_the_create_call():
    bench = Bench()
    net = thing("net", "main")
    net.tags = {"team": "a"}
    bench.make(net)
    assert bench.cloud.things["net-1"]["tags"] == {"team": "a", ENVIRONMENT_TAG: "test"}
    assert bench.cloud.calls == ["create net/main"]


def test_independent_things_are_made_at_the_same_time(monkeypatch):
    bench = Bench()
    running = []

    def write(verb, kind, name, original=bench.cloud.write):
        running.append(1)
        deadline = time.monotonic() + 5
        while len(running) < 3 and time.monotonic() < deadline:
            pass
        original(verb, kind, name)

    bench.cloud.write = write
    bench.make(*(thing("net", name) for name in "abc"))
    assert len(running) == 3


def test_long_work_is_not_silent(monkeypatch):
    monkeypatch.setattr(heartbeat, "SECONDS", 0.05)
    bench = Bench()
    gate = time.monotonic() + 0.3

    def write(verb, kind, name):
        while time.monotonic() < gate:
            pass

    bench.cloud.write = write
    bench.make(thing("net", "slow"))
    assert bench.progress
    assert bench.progress[0].startswith("still working on net/slow (")


def test_many_short_steps_are_not_silent_either(monkeypatch):
    monkeypatch.setattr(heartbeat, "SECONDS", 0.1)
    bench = Bench()
    bench.cloud.write = lambda verb, kind, name: Event().wait(0.06)
    names = "abcdef"
    chain = [thing("net", name, net=ref("net", before)) for before, name in zip(names, names[1:], strict=False)]
    bench.make(thing("net", "a"), *chain)
    assert len(bench.progress) >= 2


def test_what_somebody_else_has_to_do_first_is_postponed_with_what_needs_it_and_nothing_fails():
    bench = Bench()
    bench.cloud.fail["create", "balancer", "web"] = Postponed("somebody has to make a record")
    plan = bench.plan(*stack())
    outcome = bench.apply(plan, *LAYERS)
    assert not outcome.failures
    assert sorted(outcome.notes) == [
        "balancer/web: somebody has to make a record",
        "listener/web:80: waits for balancer/web",
        "service/web: waits for listener/web:80",
    ]
    assert keys(outcome.done) == [("create", "net", "main"), ("create", "group", "web")]
    assert bench.cloud.calls.count("create balancer/web") == 1
    assert keys(bench.make(*stack(), layers=LAYERS).done) == [
        ("create", "balancer", "web"),
        ("create", "listener", "web:80"),
        ("create", "service", "web"),
    ]


def test_the_old_copy_stays_while_its_successor_is_not_used_yet():
    bench = Bench()
    bench.make(*stack(), layers=LAYERS)
    bench.cloud.fail["update", "service", "web"] = Postponed("not yet")
    outcome = bench.apply(bench.plan(*stack(description="b")), *LAYERS)
    assert not outcome.failures
    groups = [item for item in bench.cloud.things.values() if item["kind"] == "group"]
    assert len(groups) == 2
    bench.make(*stack(description="b"), layers=LAYERS)
    assert len([item for item in bench.cloud.things.values() if item["kind"] == "group"]) == 1
