# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: what is declared against what is there."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Text, is_unknown

from .fake_cloud import ENVIRONMENT_TAG, Bench, keys, ref, thing


def only(plan, kind, name):
    return next(change for change in plan.changes if change.address == Address(kind, name))


def test_an_empty_account_is_planned_in_the_order_of_need():
    bench = Bench()
    plan = bench.plan(
        thing("service", "web", group=ref("group", "web")),
        thing("group", "web", net=ref("net", "main")),
        thing("net", "main", cidr="10"),
    )
    assert keys(plan.changes) == [("create", "net", "main"), ("create", "group", "web"), ("create", "service", "web")]
    assert bench.cloud.calls == []


def test_a_second_plan_is_empty_and_reads_each_kind_once():
    bench = Bench()
    declared = [
        thing("net", "main", cidr="10"),
        thing("net", "other", cidr="11"),
        thing("service", "web", nets=[ref("net", "main")]),
    ]
    bench.make(*declared)
    bench.cloud.reads.clear()
    assert keys(bench.plan(*declared).changes) == []
    assert sorted(bench.cloud.reads) == ["net", "service"]


def test_only_declared_fields_are_compared():
    bench = Bench()
    bench.make(thing("service", "web", size=1, extra={"a": 1, "b": 2}))
    assert keys(bench.plan(thing("service", "web", extra={"a": 1})).changes) == []
    plan = bench.plan(thing("service", "web", extra={"a": 3}))
    assert only(plan, "service", "web").differences == [("extra.a", 1, 3, False)]


def test_a_replacement_shows_its_consequences_across_layers():
    bench = Bench()

    def declared(text):
        return [
            thing("group", "web", description=text),
            thing("service", "web", "two", groups=[ref("group", "web")]),
        ]

    bench.make(*declared("a"), layers=("one", "two"))
    plan = bench.plan(*declared("b"))
    assert keys(plan.changes)[:2] == [("replace", "group", "web"), ("update", "service", "web")]
    consequence = only(plan, "service", "web")
    assert is_unknown(consequence.differences[0].after[0])
    assert consequence.reason == "consequence of group/web"


def test_a_volatile_attribute_is_unknown_after_an_update():
    bench = Bench()

    def declared(size):
        return [
            thing("template", "t", size=size),
            thing("service", "web", version=ref("template", "t", "version")),
        ]

    bench.make(*declared(1))
    assert keys(bench.plan(*declared(2)).changes) == [("update", "template", "t"), ("update", "service", "web")]


def test_what_lies_in_a_replaced_thing_is_made_anew():
    bench = Bench()

    def declared(scheme):
        listener = thing("listener", "web:80", port=80)
        listener.scope = {"balancer": ref("balancer", "web")}
        return [thing("balancer", "web", scheme=scheme), listener]

    bench.make(*declared("internal"))
    plan = bench.plan(*declared("public"))
    assert keys(plan.changes) == [("replace", "balancer", "web"), ("replace", "listener", "web:80")]


def test_texts_with_references_are_filled_in():
    bench = Bench()
    bench.make(thing("net", "main"), thing("service", "web", image=Text("{}:latest", (ref("net", "main"),))))
    assert bench.cloud.things["service-2"]["properties"]["image"] == "net-1:latest"


def test_a_reference_is_found_in_aws_where_nothing_declares_it():
    bench = Bench()
    bench.make(thing("net", "main"))
    bench.make(thing("group", "web", net=ref("net", "main")))
    assert bench.cloud.things["group-2"]["properties"]["net"] == "net-1"


def test_a_reference_to_nothing_is_refused_and_names_the_variable():
    with pytest.raises(PlanError, match=r"h: a\.variable: net 'nowhere' is neither declared .* nor found in AWS"):
        Bench().plan(thing("group", "web", net=ref("net", "nowhere")))


def test_the_same_address_twice_is_refused():
    with pytest.raises(PlanError, match="net/main is declared already by h: one.main"):
        Bench().plan(thing("net", "main"), thing("net", "main", host="other"))


def test_a_circle_is_refused():
    with pytest.raises(PlanError, match="in a circle"):
        Bench().plan(thing("net", "a", other=ref("net", "b")), thing("net", "b", other=ref("net", "a")))


def test_a_thing_may_refer_to_itself():
    assert keys(Bench().plan(thing("net", "a", peer="x", depends=None)).changes)


def test_existing_things_without_the_ownership_tag_are_adopted():
    bench = Bench()
    bench.make(thing("service", "web", size=1))
    bench.cloud.things["service-1"]["tags"].clear()
    plan = bench.plan(thing("service", "web", size=2))
    assert keys(plan.changes) == [("adopt", "service", "web")]
    bench.apply(plan)
    assert bench.cloud.things["service-1"]["tags"] == {ENVIRONMENT_TAG: "test"}
    assert bench.cloud.things["service-1"]["properties"]["size"] == 2


def test_adoption_can_be_refused():
    bench = Bench(adopt=False)
    bench.make(thing("service", "web"))
    bench.cloud.things["service-1"]["tags"].clear()
    with pytest.raises(PlanError, match="adoption is refused"):
        bench.plan(thing("service", "web"))


def test_without_ownership_tags_nothing_is_tagged_and_nothing_adopted():
    bench = Bench(ownership_tags=False)
    bench.make(thing("service", "web"))
    assert bench.cloud.things["service-1"]["tags"] == {}
    assert keys(bench.plan(thing("service", "web")).changes) == []


def test_without_ownership_tags_only_what_the_state_remembers_counts_as_taken_over():
    cloud = Bench(ownership_tags=False)
    web = thing("service", "web")
    cloud.make(web)
    with pytest.raises(
        PlanError, match="is not recorded in the state .and there are no tags., and adoption is refused"
    ):
        Bench(cloud.cloud, ownership_tags=False, adopt=False).plan(web)
    applied = {web.address: {"properties": {}, "tags": {}}}
    again = Bench(cloud.cloud, ownership_tags=False, adopt=False, last_applied=applied).plan(web)
    assert keys(again.changes) == []


def test_without_ownership_tags_only_what_the_state_remembers_is_the_state_remembers_is_replaced():
    bench = Bench(ownership_tags=False)
    bench.make(thing("net", "main", cidr="10.0.0.0/16"))
    other = thing("net", "main", cidr="10.1.0.0/16")
    with pytest.raises(PlanError, match="is in no state of this environment, which sets no ownership tags"):
        bench.plan(other)
    applied = {other.address: {"properties": {"cidr": "10.0.0.0/16"}, "tags": {}}}
    plan = Bench(bench.cloud, ownership_tags=False, last_applied=applied).plan(other)
    assert keys(plan.changes)[0] == ("replace", "net", "main")


def named(**properties):
    resource = thing("tagged", "web", **properties)
    resource.tags = {"Name": "web", "Managed": ""}
    return resource


@pytest.mark.parametrize(
    ("ownership", "there", "differing"),
    [
        (True, {}, ["tags.Managed", f"tags.{ENVIRONMENT_TAG}", "tags.dockyard:name"]),
        (True, {"Managed": "true"}, [f"tags.{ENVIRONMENT_TAG}", "tags.dockyard:name"]),
        (True, {"Name": "other", "Managed": ""}, [f"tags.{ENVIRONMENT_TAG}", "tags.dockyard:name"]),
        (True, {ENVIRONMENT_TAG: "test", "dockyard:name": "web", "Managed": "yes"}, []),
        (True, {ENVIRONMENT_TAG: "test", "Name": "other", "Managed": "yes"}, ["tags.Name"]),
        (False, {"Managed": "yes"}, []),
        (False, {"Name": "web", "Managed": "yes"}, []),
    ],
)
def test_what_others_made_keeps_the_name_tag_that_it_has(ownership, there, differing):
    bench = Bench(ownership_tags=ownership)
    bench.make(named())
    bench.cloud.things["tagged-1"]["tags"] = dict(there)
    assert [item.path for item in only(bench.plan(named()), "tagged", "web").differences] == differing


def test_a_name_tag_of_others_stays_also_when_the_state_remembers_ours():
    bench = Bench()
    bench.make(named())
    bench.cloud.things["tagged-1"]["tags"] = {"Name": "other", "Managed": ""}
    applied = {named().address: {"properties": {}, "tags": named().tags}}
    bench.apply(bench.plan(named()))
    assert bench.cloud.things["tagged-1"]["tags"]["Name"] == "other"
    assert only(Bench(bench.cloud, last_applied=applied).plan(named()), "tagged", "web").differences == []


def test_a_new_thing_gets_its_name_tag():
    bench = Bench()
    bench.make(named())
    assert bench.cloud.things["tagged-1"]["tags"] == {"Name": "web", "Managed": "", ENVIRONMENT_TAG: "test"}


def test_an_old_copy_without_a_name_tag_gets_one_to_be_found_by():
    bench = Bench()
    bench.make(named(size=1))
    bench.cloud.things["tagged-1"]["tags"] = {ENVIRONMENT_TAG: "test", "dockyard:name": "web"}
    bench.cloud.fail["delete", "tagged", "web"] = RuntimeError("not now")
    bench.apply(bench.plan(named(size=2)))
    marked = bench.cloud.things["tagged-1"]["tags"]
    assert (marked["Name"], marked["dockyard:superseded"]) == ("web", "true")


def test_another_environments_things_are_refused():
    bench = Bench()
    bench.make(thing("service", "web"))
    bench.cloud.things["service-1"]["tags"][ENVIRONMENT_TAG] = "production"
    with pytest.raises(PlanError, match="belongs to the environment 'production'"):
        bench.plan(thing("service", "web"))


def test_what_holds_data_is_not_replaced_unless_allowed():
    bench = Bench()
    bench.make(thing("store", "s", key="a"))
    with pytest.raises(PlanError, match="would destroy what it holds"):
        bench.plan(thing("store", "s", key="b"))
    allowed = thing("store", "s", key="b")
    allowed.options = {"allow_replacement": True}
    assert keys(bench.plan(allowed).changes) == [("replace", "store", "s")]


def test_what_is_protected_is_neither_replaced_nor_destroyed():
    bench = Bench()
    group = thing("group", "web", description="a")
    bench.make(group)
    other = thing("group", "web", description="b")
    other.protect = group.protect = True
    with pytest.raises(PlanError, match="is protected and would have to be replaced"):
        bench.plan(other)
    with pytest.raises(PlanError, match="protect: true"):
        bench.destroy(group)


def test_a_field_that_is_owned_elsewhere_is_left_alone_and_said_so():
    bench = Bench()
    service = thing("service", "web", count=2, size=1)
    service.create_only = {"count": "the autoscaler"}
    bench.make(service)
    bench.cloud.things["service-1"]["properties"]["count"] = 7
    plan = bench.plan(service)
    assert keys(plan.changes) == []
    assert plan.changes[0].notes == ["count is owned by the autoscaler: 7 in AWS, left alone"]


def test_a_field_declared_no_more_goes_back_to_the_default():
    before = {Address("service", "web"): {"properties": {"grace": 60, "size": 1}, "tags": {"team": "a"}}}
    bench = Bench(last_applied=before)
    first = thing("service", "web", grace=60, size=1)
    first.tags = {"team": "a"}
    Bench(bench.cloud).make(first)
    plan = bench.plan(thing("service", "web", size=1))
    assert only(plan, "service", "web").differences == [("grace", 60, 0, False), ("tags.team", "a", None, False)]
    bench.apply(plan)
    assert "team" not in bench.cloud.things["service-1"]["tags"]


def test_what_changed_in_aws_and_not_in_the_inventory_is_drift():
    bench = Bench(last_applied={Address("service", "web"): {"properties": {"size": 1}}})
    bench.make(thing("service", "web", size=1))
    bench.cloud.things["service-1"]["properties"]["size"] = 5
    assert only(bench.plan(thing("service", "web", size=1)), "service", "web").reason == "drift"


@pytest.mark.parametrize(
    ("applied", "tags", "reason"),
    [
        ({"options": {"a.b": 1}}, {"team": "a"}, "drift"),
        ({"options": {"a.b": 1, "c": 2}}, {"team": "a"}, "drift"),
        ({"options": {"a.b": 3}}, {"team": "a"}, "configuration"),
        ({}, {"team": "a"}, "configuration"),
        ({"options": {"a.b": 1}}, {"team": "b"}, "configuration"),
        ({"options": {"a.b": 1}}, {}, "configuration"),
    ],
)
def test_drift_is_what_the_declaration_did_not_change(applied, tags, reason):
    bench = Bench(last_applied={Address("service", "web"): {"properties": applied, "tags": tags}})
    declared = thing("service", "web", options={"a.b": 1})
    declared.tags = {"team": "a"}
    Bench(bench.cloud).make(declared)
    bench.cloud.things["service-1"]["properties"]["options"] = {"a.b": 5}
    bench.cloud.things["service-1"]["tags"]["team"] = "c"
    assert only(bench.plan(declared), "service", "web").reason == reason


def test_all_problems_come_at_once():
    with pytest.raises(PlanError) as caught:
        Bench().plan(thing("group", "a", net=ref("net", "x")), thing("group", "b", net=ref("net", "y")))
    assert len(caught.value.problems) == 2


def test_what_is_wrong_with_a_thing_as_it_is_comes_as_a_warning(monkeypatch):
    bench = Bench()
    bench.make(thing("service", "web"))
    kind = type(bench.planner._kinds["service"])
    observe = kind._observe

    def unsteady(self, identifier, item):
        observed = observe(self, identifier, item)
        observed.remarks = ["it is not in a steady state"]
        return observed

    monkeypatch.setattr(kind, "_observe", unsteady)
    plan = bench.plan(thing("service", "web"))
    assert [str(warning) for warning in plan.warnings] == ["h: one.web: it is not in a steady state"]
    assert keys(plan.changes) == []


def test_an_attribute_that_is_the_declared_name_is_known_before_the_thing_is_made():
    bench = Bench()
    service = thing("service", "web", balancer=ref("balancer", "web", "name"))
    Bench(bench.cloud).make(thing("balancer", "web"), service)
    bench.cloud.things.pop("balancer-1")
    assert keys(bench.plan(thing("balancer", "web"), service).changes) == [("create", "balancer", "web")]
