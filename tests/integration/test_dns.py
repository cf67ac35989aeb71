# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in zones that are ours and that are not: spelling, batches, adoption, removal."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from tests.integration import state_helpers
from tests.integration.kinds import elbv2 as elbv2_kinds

ZONE = "example.org"


def declared(*records, **zones):
    return {"dns": {"platform": {**zones, "records": [dict(record) for record in records]}}}


def record(name=f"api.{ZONE}", values=("192.0.2.1",), **options):
    return {"name": name, "values": list(values), **options}


@pytest.fixture
def route53(emulator):
    return emulator.client("route53")


@pytest.fixture
def zone(route53):
    """A zone that somebody else made."""
    return route53.create_hosted_zone(Name=ZONE, CallerReference="theirs")["HostedZone"]["Id"]


def put(route53, zone, name, kind, values, ttl=300, **more):
    records = {"TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]} if values else {}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": {"Name": name, "Type": kind, **records, **more}}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def there(route53, zone):
    found = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(item["Name"], item["Type"]): item for item in found if item["Type"] not in ("NS", "SOA")}


SPELLINGS = {
    "case and dot of the name": (("API.Example.ORG.", "A", ["192.0.2.1"]), record()),
    "escaped wildcard": (("\\052.example.org", "A", ["192.0.2.1"]), record("*.example.org")),
    "order": (
        ("api.example.org", "A", ["192.0.2.2", "192.0.2.1"]),
        record(values=["192.0.2.1", "192.0.2.2"]),
    ),
    "case and dot of a target": (
        ("api.example.org", "CNAME", ["WEB.Example.com."]),
        record(type="CNAME", values=["web.example.com"]),
    ),
    "quotes": (("api.example.org", "TXT", ['"v=spf1 -all"']), record(type="TXT", values=["v=spf1 -all"])),
    "where a text is cut": (
        ("api.example.org", "TXT", ['"aaa" "bbb"']),
        record(type="TXT", values=["aaabbb"]),
    ),
    "IPv6": (("api.example.org", "AAAA", ["2001:0db8:0:0::1"]), record(type="AAAA", values=["2001:db8::1"])),
    "spaces": (("api.example.org", "MX", ["10  Mail.example.org."]), record(type="MX", values=["10 mail.example.org"])),
}


@pytest.mark.parametrize(("before", "after"), SPELLINGS.values(), ids=SPELLINGS)
def test_the_same_record_in_other_words_is_no_difference(runner, route53, zone, before, after):
    put(route53, zone, *before)
    runner.assert_nothing_to_do(declared(after))


def test_a_load_balancer_answers_to_both_names(runner, route53, zone):
    target = {
        "HostedZoneId": "Z35SXDOTRQ7X7K",
        "DNSName": "dualstack.Web.elb.amazonaws.com.",
        "EvaluateTargetHealth": True,
    }
    put(route53, zone, "api.example.org", "A", [], AliasTarget=target)
    alias = {"dns_name": "web.elb.amazonaws.com", "hosted_zone_id": "Z35SXDOTRQ7X7K", "evaluate_target_health": True}
    runner.assert_nothing_to_do(declared({"name": "api.example.org", "alias": alias}))


def test_many_records_are_few_calls(runner, emulator, route53, zone):
    many = [record(f"host{number}.{ZONE}") for number in range(40)]
    runner.make(declared(*many), parallelism=40)
    writes = emulator.calls()["log"].count("route53:ChangeResourceRecordSets")
    assert writes <= 8 and len(there(route53, zone)) == 40
    runner.assert_nothing_to_do(declared(*many))
    reads = emulator.calls()["log"].count("route53:ListResourceRecordSets")
    assert reads == 1, "one listing, not one for each"


def test_a_record_that_aws_refuses_does_not_take_others_along(runner, route53, zone):
    put(route53, zone, f"taken.{ZONE}", "A", ["192.0.2.9"])
    good = [record(f"host{number}.{ZONE}") for number in range(5)]
    run = runner.run(declared(*good, record(f"taken.{ZONE}", ["web.example.com"], type="CNAME")))
    [message] = run.failures.values()
    assert f"route53_record/taken.{ZONE}/CNAME" in message and "conflicts with other records" in message
    assert "host" not in message and len(there(route53, zone)) == 6


def test_a_record_that_is_there_is_changed(runner, route53, zone):
    put(route53, zone, "api.example.org", "A", ["192.0.2.9"])
    run = runner.make(declared(record()))
    assert run.done == [("update", "route53_record", "api.example.org/A")]
    assert run.changes[0]["differences"] == [
        {"path": "ResourceRecords", "before": ["192.0.2.9"], "after": ["192.0.2.1"]}
    ]


def test_where_nothing_is_adopted_a_record_that_is_there_is_not_changed(runner, route53, zone):
    put(route53, zone, "api.example.org", "A", ["192.0.2.9"])
    with pytest.raises(PlanError, match=r"exists otherwise than declared \(ResourceRecords is .*adoption is refused"):
        runner.run(declared(record()), adopt=False)
    runner.make(declared(record(values=["192.0.2.9"])), adopt=False)
    runner.make(declared(record("new.example.org")), adopt=False)


@pytest.fixture
def home(emulator):
    state_helpers.make(emulator)
    return {"remote_state": {"bucket": state_helpers.BUCKET}}


def test_a_recorded_record_in_a_zone_of_others_is_changed_pruned_and_destroyed(runner, route53, zone, home):
    put(route53, zone, "theirs.example.org", "A", ["192.0.2.9"])
    both = declared(record(), record("www.example.org"))
    runner.make(both, **home)
    runner.make(declared(record(ttl=60), record("www.example.org")), **home, adopt=False)
    pruned = runner.make(declared(record(ttl=60)), **home, prune=True)
    assert pruned.done == [("delete", "route53_record", "www.example.org/A")]
    runner.make(declared(record(ttl=60)), **home, state="absent")
    assert set(there(route53, zone)) == {("theirs.example.org.", "A")}


ZONES = {"dns": {"platform": {"zones": [{"name": ZONE}]}}}
RECORDS = {
    "dns": {"web": {"records": [record()]}},
    "certificate": {"web": {"certificates": [{"name": "web", "domain_name": f"api.{ZONE}"}]}},
}
WHOLE = {"certificate": RECORDS["certificate"], "dns": {**ZONES["dns"], **RECORDS["dns"]}}
PARTS = {"zones": ZONES, "certificate": {"certificate": RECORDS["certificate"]}, "records": RECORDS}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_part_of_the_declarations_changes_nothing_in_what_is_remembered(runner, emulator, home, part):
    runner.make(WHOLE, **home)
    emulator.reset_calls()
    assert runner.make(part, **home, whole_inventory=False).done == []
    assert emulator.calls()["mutating"] == 0


@pytest.mark.parametrize("parts", [[WHOLE], [ZONES, RECORDS], [WHOLE, RECORDS]], ids=["whole", "apart", "again"])
def test_records_go_before_their_zone_also_where_they_were_made_without_it(runner, home, parts):
    for part in parts:
        runner.make(part, **home, whole_inventory=False)
    with pytest.raises(PlanError, match=f"route53_zone/{ZONE} cannot go, because acm_validation_record/web/api.{ZONE}"):
        runner.run({"dns": {}}, **home, state="absent")
    destroyed = runner.make({"certificate": {}, "dns": {}}, **home, state="absent")
    assert destroyed.done[-1] == ("delete", "route53_zone", ZONE)


def test_without_a_state_records_in_a_zone_of_others_are_left_alone(runner, route53, zone):
    runner.make(declared(record()))
    planned = runner.plan(declared(record()), state="absent")
    assert planned.plan.left_alone == [
        "route53_record/api.example.org/A: it lies in something that is not this environment's"
    ]
    assert runner.make(declared(record()), state="absent").done == []
    assert len(there(route53, zone)) == 1


def test_a_record_goes_with_the_values_that_it_has_now(runner, route53):
    ours = declared(record(), zones=[{"name": ZONE}])
    runner.make(ours)
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    put(route53, zone, "api.example.org", "A", ["192.0.2.77"], ttl=7)
    runner.make(ours, state="absent")
    assert route53.list_hosted_zones()["HostedZones"] == []


@pytest.mark.parametrize("force", [False, True])
def test_a_zone_with_records_of_others_is_deleted_only_by_force(runner, route53, force):
    ours = declared(zones=[{"name": ZONE, "force_delete": force}])
    runner.make(ours)
    put(route53, route53.list_hosted_zones()["HostedZones"][0]["Id"], "theirs.example.org", "A", ["192.0.2.9"])
    run = runner.run(ours, state="absent")
    assert bool(run.failures) is not force
    assert "".join(run.failures.values()).count("still has records") == (not force)
    assert len(route53.list_hosted_zones()["HostedZones"]) == (not force)


def test_a_record_of_a_name_that_no_zone_owns_is_refused(runner, zone):
    with pytest.raises(PlanError, match="public hosted zone for 'api.example.net' is neither declared"):
        runner.plan(declared(record("api.example.net")))


def test_two_zones_of_one_name_are_refused(runner, route53, zone):
    route53.create_hosted_zone(Name=ZONE, CallerReference="another")
    with pytest.raises(Exception, match=r"several public hosted zones 'example.org' \(.*, .*\)"):
        runner.plan(declared(record()))


def test_a_change_can_be_waited_for(runner, emulator, zone):
    runner.make(declared(record(wait=True)))
    assert "route53:GetChange" in emulator.calls()["log"]


BY_HAND = {"name": f"api.{ZONE}", "by_hand": True, "alias": {"load_balancer": "web"}}


def test_a_record_in_a_zone_elsewhere_is_left_to_others(runner, emulator, home):
    whole = {**elbv2_kinds.BASE, **declared(BY_HAND)}
    runner.progress.clear()
    runner.make(whole, **home)
    balancer = emulator.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["DNSName"]
    text = f"api.{ZONE}. CNAME {balancer.lower()}."
    assert f"somebody has to make this record: {text}" in runner.progress
    alone = running.planned_result(runner.plan(declared(BY_HAND), **home, whole_inventory=False))
    assert (alone["changes"], alone["left_to_others"]) == ([], [f"record_by_hand/api.{ZONE}: {text}"])
    pruned = runner.make({**elbv2_kinds.BASE, "dns": {}}, **home, prune=True)
    assert pruned.done == [("delete", "record_by_hand", f"api.{ZONE}")]
    assert f"somebody has to take this record away: {text}" in runner.progress


def test_zones_that_are_made_say_how_to_delegate_them(runner):
    runner.progress.clear()
    runner.make(declared(zones=[{"name": ZONE}]))
    assert any("delegate it in its parent domain with NS records to ns-" in line for line in runner.progress)
