# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates from the request to the listener: validation, waiting, failing, replacement, sharing, adoption."""

from __future__ import annotations

import copy
import re
import signal
import time

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.resources import acm_validation, elbv2_listeners
from tests.integration import state_helpers
from tests.integration.kinds import acm as kinds
from tests.integration.kinds import elbv2 as elbv2_kinds

DOMAIN = "api.example.org"
VALIDATION = "acm_certificate_validation/web"
BY_HAND = {"validation_records": "by_hand", "wait": False}


def certificate(**options):
    return kinds.declared(**{"subject_alternative_names": [], **options})


def https(more=None, **options):
    """A load balancer whose HTTPS listener has the certificate, HTTP redirected to it, and its alias record."""
    declared = copy.deepcopy(elbv2_kinds.BASE)
    redirect = {"type": "redirect", "protocol": "HTTPS", "port": "443"}
    secure = {
        "port": 443,
        "protocol": "HTTPS",
        "certificate": "web",
        "default_action": elbv2_kinds.RESPONSE,
        **(more or {}),
    }
    plain = {"port": 80, "protocol": "HTTP", "default_action": redirect}
    declared["alb"]["platform"]["load_balancers"][0]["listeners"] = [plain, secure]
    alias = {"name": DOMAIN, "alias": {"load_balancer": "web", "evaluate_target_health": True}}
    return {**declared, **certificate(**options), "dns": {"web": {"records": [alias]}}}


@pytest.fixture
def acm(emulator):
    return emulator.client("acm")


@pytest.fixture
def route53(emulator):
    return emulator.client("route53")


@pytest.fixture
def zones(emulator):
    kinds.make_zones(emulator.client)


@pytest.fixture(autouse=True)
def said(runner):
    """The lines of progress of one test."""
    runner.progress.clear()
    return runner.progress


def certificates(acm):
    """Status by ARN."""
    types = ["RSA_2048", "EC_prime256v1"]
    found = acm.list_certificates(Includes={"keyTypes": types})["CertificateSummaryList"]
    return {item["CertificateArn"]: item["Status"] for item in found}


def listener(emulator, port=443):
    elbv2 = emulator.client("elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    found = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    return {item["Port"]: item for item in found}.get(port)


def records(route53, zone, kind="CNAME"):
    zone_id = {item["Name"]: item["Id"] for item in route53.list_hosted_zones()["HostedZones"]}[f"{zone}."]
    found = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    return [item["Name"] for item in found if item["Type"] == kind]


def make_by_hand(acm, route53, arn, domain="example.org"):
    """What somebody else does with the records that the run printed."""
    zone = route53.create_hosted_zone(Name=domain, CallerReference="theirs")["HostedZone"]["Id"]
    for option in acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]:
        record = option["ResourceRecord"]
        record_set = {
            "Name": record["Name"],
            "Type": record["Type"],
            "TTL": 60,
            "ResourceRecords": [{"Value": record["Value"]}],
        }
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record_set}]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def test_one_run_from_the_request_to_https(runner, emulator, acm, zones):
    run = runner.make(https())
    order = [f"{kind}/{name}" for _action, kind, name in run.done]
    assert order.index("acm_certificate/web") < order.index(VALIDATION) < order.index("listener/web:443")
    [(arn, status)] = certificates(acm).items()
    assert status == "ISSUED"
    assert listener(emulator)["Certificates"][0]["CertificateArn"] == arn
    assert listener(emulator)["SslPolicy"].startswith("ELBSecurityPolicy-TLS13")
    redirect = listener(emulator, 80)["DefaultActions"][0]["RedirectConfig"]
    assert (redirect["Protocol"], redirect["Port"], redirect["StatusCode"]) == ("HTTPS", "443", "HTTP_301")
    runner.assert_nothing_to_do(https())
    runner.make(https(), state="absent")
    assert certificates(acm) == {}


@pytest.mark.parametrize("code", ["CertificateNotFound", "UnsupportedCertificate"])
def test_elastic_load_balancing_sees_a_certificate_late(runner, emulator, zones, code):
    fault = {"fault": "error", "service": "elbv2", "code": code, "status": 400, "times": 2}
    emulator.faults({**fault, "action": "CreateListener"}, {**fault, "action": "ModifyListener"})
    runner.make(https())
    runner.make(https(key_algorithm="EC_prime256v1"))


def test_a_certificate_that_is_never_seen_is_named_by_aws(runner, emulator, zones, monkeypatch):
    monkeypatch.setattr(elbv2_listeners, "CERTIFICATE_TIMEOUT", 0.1)
    fault = {"fault": "error", "service": "elbv2", "code": "UnsupportedCertificate", "status": 400, "times": 9}
    emulator.faults({**fault, "action": "CreateListener", "message": "The key is too large"})
    message = "\n".join(runner.run(https()).failures.values())
    assert "UnsupportedCertificate: The key is too large" in message


def test_a_listener_alone_finds_its_certificate(runner, zones):
    runner.make(https())
    alone = {layer: value for layer, value in https().items() if layer in ("network", "alb")}
    runner.assert_nothing_to_do(alone)


def test_a_listener_alone_says_why_its_certificate_cannot_be_used_yet(runner):
    declared = https(**BY_HAND)
    del declared["dns"]
    runner.run(declared)
    alone = {layer: declared[layer] for layer in ("network", "alb")}
    with pytest.raises(PlanError, match=r"issued certificate 'web': .*not issued yet: ACM has not seen _.* CNAME _"):
        runner.plan(alone)


@pytest.mark.parametrize("more", [{"certificate": "other"}, {"extra_certificates": ["other"]}])
def test_a_certificate_that_is_nowhere_is_named(runner, zones, more):
    with pytest.raises(PlanError, match=r"listeners\[443\].*certificate 'other' is neither declared .* nor found"):
        runner.plan(https(more))


def test_more_certificates_by_name(runner, emulator, acm, zones):
    more = {"name": "shop", "domain_name": "shop.example.com"}
    declared = https({"extra_certificates": ["shop"]})
    declared["certificate"]["web"] = {"certificates": [more]}
    runner.make(declared)
    arn = listener(emulator)["ListenerArn"]
    found = emulator.client("elbv2").describe_listener_certificates(ListenerArn=arn)["Certificates"]
    assert {item["CertificateArn"] for item in found} == set(certificates(acm))
    runner.assert_nothing_to_do(declared)


def test_new_names_are_attached_before_the_old_certificate_goes(runner, emulator, acm, zones, route53):
    runner.make(https())
    [old] = certificates(acm)
    emulator.reset_calls()
    run = runner.make(https(subject_alternative_names=["www.example.com"]))
    assert run.change("acm_certificate/web")["action"] == "replace"
    assert "acm_certificate" in run.change("listener/web:443")["reason"]
    [(new, status)] = certificates(acm).items()
    assert new != old and status == "ISSUED"
    assert listener(emulator)["Certificates"][0]["CertificateArn"] == new
    log = emulator.calls()["log"]
    assert log.index("elbv2:ModifyListener") < log.index("acm:DeleteCertificate")
    assert len(records(route53, "example.org")) == 1, "the record of a name that stays is kept"
    assert not [item for item in log if item == "route53:DeleteHostedZone"]
    runner.assert_nothing_to_do(https(subject_alternative_names=["www.example.com"]))


def test_what_is_not_waited_for_is_made_by_the_run_that_finds_it_issued(runner, emulator, acm, route53, said):
    declared = https(**BY_HAND)
    del declared["dns"]
    first = runner.run(declared)
    assert not first.failures
    [(arn, status)] = certificates(acm).items()
    assert status == "PENDING_VALIDATION" and listener(emulator) is None
    assert listener(emulator, 80), "what needs no certificate is made"
    asked = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0]["ResourceRecord"]
    text = f"somebody has to make this record: {asked['Name']} CNAME {asked['Value']}"
    assert any(text in line for line in said) and not any("names validated" in line for line in said)
    planned = runner.plan(declared)
    assert [str(change.address) for change in planned.plan.pending()] == [VALIDATION, "listener/web:443"]
    assert any(asked["Name"] in warning.message for warning in planned.plan.warnings)
    make_by_hand(acm, route53, arn)
    runner.make(declared)
    assert listener(emulator)["Certificates"][0]["CertificateArn"] == arn
    runner.assert_nothing_to_do(declared)


def test_what_waits_says_for_whom(runner):
    declared = https(**BY_HAND)
    del declared["dns"]
    planned = runner.plan(declared)
    notes = []
    for layer in planned.layers:
        notes += running.carry_out(planned, layer, planned.hosts, runner.progress.append)["notes"]
    assert any(note.startswith(f"{VALIDATION}: not issued yet") and "acm-validations.aws." in note for note in notes)
    assert f"listener/web:443: waits for {VALIDATION}" in notes
    assert len(notes) == 2, notes


def test_the_time_limit_names_the_records_and_the_next_run_goes_on(runner, acm, route53, said):
    declared = certificate(validation_records="by_hand", wait_timeout=1)
    run = runner.run(declared)
    [message] = run.failures.values()
    [arn] = certificates(acm)
    asked = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0]["ResourceRecord"]
    assert "waited 1 s for ACM to issue it" in message and f"{asked['Name']} CNAME {asked['Value']}" in message
    assert "certificate web: 0/1 names validated, waiting for api.example.org" in said
    make_by_hand(acm, route53, arn)
    assert not runner.make(declared).failures and certificates(acm) == {arn: "ISSUED"}
    runner.assert_nothing_to_do(declared)


def test_no_lock_is_held_while_acm_is_waited_for(runner, emulator, acm, route53, monkeypatch):
    state_helpers.make(emulator)
    declared = {name: layer for name, layer in https(validation_records="by_hand").items() if name != "dns"}
    planned = runner.plan(declared, remote_state={"bucket": state_helpers.BUCKET})
    kind, locks = acm_validation.AcmCertificateValidation, {}
    create, wait = kind.create, kind.wait

    def look(moment):
        locks[moment] = [key for key in state_helpers.objects(emulator) if key.endswith(".tflock")]

    def created(*arguments):
        look("create")
        return create(*arguments)

    def waited(*arguments):
        look("wait")
        make_by_hand(acm, route53, *certificates(acm))
        wait(*arguments)

    monkeypatch.setattr(acm_validation, "SHORTLY", 0.3)
    monkeypatch.setattr(kind, "create", created)
    monkeypatch.setattr(kind, "wait", waited)
    # The listener pulls its certificate along, and goes on in the same run.
    answer = running.carry_out(planned, "alb", planned.hosts, runner.progress.append)
    assert (answer["failures"], answer["notes"], answer["moved"]) == ({}, [], [])
    assert "listener/web:443" in {f"{item['kind']}/{item['name']}" for item in answer["changes"]}
    assert locks["wait"] == [] and len(locks["create"]) >= 2
    assert listener(emulator)["Certificates"][0]["CertificateArn"] in certificates(acm)
    pending = runner.plan(declared, remote_state={"bucket": state_helpers.BUCKET}).plan.pending()
    assert {change.layer for change in pending} == {"network"}


def test_what_needs_a_certificate_that_is_not_issued_in_time_fails_with_it(runner, emulator, acm, monkeypatch):
    monkeypatch.setattr(acm_validation, "SHORTLY", 0.3)
    declared = https(validation_records="by_hand", wait_timeout=1)
    del declared["dns"]
    planned = runner.plan(declared)
    answer = running.carry_out(planned, "alb", planned.hosts, runner.progress.append)
    message = "\n".join(answer["failures"].values())
    assert f"{VALIDATION}: waited 1 s for ACM to issue it; last seen: not issued yet" in message
    assert f"listener/web:443: not attempted, because it needs {VALIDATION}, which failed" in message
    assert answer["notes"] == [] and listener(emulator, 80)


def test_who_ends_a_run_that_waits_is_not_kept_waiting(runner, emulator, acm):
    """Nor are others: the lock is given back at once, and what was asked for is remembered."""
    state_helpers.make(emulator)
    home = {"remote_state": {"bucket": state_helpers.BUCKET}}
    planned = runner.plan(certificate(validation_records="by_hand"), **home)

    def interrupted(*_arguments):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    signal.setitimer(signal.ITIMER_REAL, 3)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            running.carry_out(planned, "certificate", planned.hosts, runner.progress.append)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < 10
    assert not [key for key in state_helpers.objects(emulator) if key.endswith(".tflock")]
    [arn] = certificates(acm)
    make_by_hand(acm, emulator.client("route53"), arn)
    runner.make(certificate(validation_records="by_hand"), **home)
    assert certificates(acm) == {arn: "ISSUED"}


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("caa-error", 'CAA_ERROR (.*): a CAA record .* add a CAA record with the value 0 issue "amazon.com"'),
        ("domain-not-allowed", "DOMAIN_NOT_ALLOWED .*list of unsafe domains"),
        ("invalid-public-domain", "INVALID_PUBLIC_DOMAIN .*not under a public top-level domain"),
        ("other", "OTHER .*open a case with AWS Support"),
        ("validation-timed-out", "waited 72 hours for the validation of validation-timed-out.example.org"),
    ],
)
def test_a_refusal_is_explained_and_the_next_run_asks_anew(runner, acm, zones, label, text):
    declared = certificate(domain_name=f"{label}.example.org")
    [message] = runner.run(declared).failures.values()
    assert re.search(text, message), message
    [failed] = certificates(acm)
    fixed = runner.make(certificate())
    assert [key[:2] for key in fixed.done if key[1] == "acm_certificate"] == [
        ("create", "acm_certificate"),
        ("delete", "acm_certificate"),
    ]
    assert list(certificates(acm).values()) == ["ISSUED"] and failed not in certificates(acm)


def test_the_longest_public_zone_gets_the_record(runner, emulator, route53, zones):
    vpc = emulator.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    route53.create_hosted_zone(Name="api.example.org", CallerReference="longer")
    route53.create_hosted_zone(
        Name="v1.api.example.org",
        CallerReference="private",
        HostedZoneConfig={"PrivateZone": True},
        VPC={"VPCRegion": "us-east-1", "VPCId": vpc},
    )
    runner.make(certificate(domain_name="v1.api.example.org"))
    assert records(route53, "example.org") == [] and len(records(route53, "api.example.org")) == 1


def test_no_zone_is_said_before_anything_is_asked_for(runner, acm, route53):
    with pytest.raises(PlanError, match="public hosted zone for 'api.example.org' is neither declared .* nor found"):
        runner.run(certificate())
    assert certificates(acm) == {}


def test_names_in_zones_of_others_are_left_to_them(runner, acm, route53, said):
    route53.create_hosted_zone(Name="example.org", CallerReference="ours")
    declared = certificate(subject_alternative_names=["www.example.net"], names_by_hand=["www.example.net"], wait=False)
    run = runner.run(declared)
    assert not run.failures
    assert len(records(route53, "example.org")) == 1
    [line] = [line for line in said if "somebody has to make" in line]
    assert ".www.example.net. CNAME" in line


def test_a_record_that_another_certificate_needs_stays(runner, route53, zones):
    both = {"certificates": [{"name": name, "domain_name": DOMAIN} for name in ("one", "two")]}
    runner.make({"certificate": {"platform": both}})
    assert len(records(route53, "example.org")) == 1
    one = {"certificates": both["certificates"][:1]}
    runner.make({"certificate": {"platform": one}}, state="absent")
    assert len(records(route53, "example.org")) == 1, "two is renewed by it"
    two = {"certificates": both["certificates"][1:]}
    runner.make({"certificate": {"platform": two}}, state="absent")
    assert records(route53, "example.org") == []


def test_the_record_of_a_name_that_went_is_pruned(runner, emulator, route53, zones):
    state_helpers.make(emulator)
    home = {"remote_state": {"bucket": state_helpers.BUCKET}}
    runner.make(certificate(subject_alternative_names=["www.example.com"]), **home)
    assert len(records(route53, "example.com")) == 1
    run = runner.make(certificate(), **home, prune=True)
    assert ("delete", "acm_validation_record", "web/www.example.com") in run.done
    assert records(route53, "example.com") == [] and len(records(route53, "example.org")) == 1
    assert runner.run(certificate(), **home, prune=True).planned == []
    runner.make({"certificate": {}}, **home, prune=True)
    assert records(route53, "example.org") == []


def test_nothing_is_pruned_while_what_takes_its_place_is_postponed(runner, emulator, acm, zones):
    """The old listener serves until the new one has its certificate."""
    state_helpers.make(emulator)
    options = {"remote_state": {"bucket": state_helpers.BUCKET}, "prune": True}
    runner.make(https(), **options)
    declared = https(**BY_HAND, name="elsewhere", domain_name="api.example.net")
    declared["dns"] = {}
    declared["alb"]["platform"]["load_balancers"][0]["listeners"][1] |= {"port": 8443, "certificate": "elsewhere"}
    planned = runner.plan(declared, **options)
    for layer in planned.layers:
        running.carry_out(planned, layer, planned.hosts, runner.progress.append)
    removed = running.remove(planned, planned.hosts, runner.progress.append)
    assert (removed["changes"], removed["failures"]) == ([], {})
    [note] = removed["notes"]
    assert re.search(r"nothing was removed: \d deletions wait .* as .*listener/web:8443 was", note), note
    assert listener(emulator, 443) and not listener(emulator, 8443)
    [pending] = [arn for arn, status in certificates(acm).items() if status != "ISSUED"]
    make_by_hand(acm, emulator.client("route53"), pending, "example.net")
    runner.make(declared, **options)
    assert listener(emulator, 8443) and not listener(emulator, 443)
    assert certificates(acm) == {pending: "ISSUED"}


def test_a_certificate_of_somebody_with_the_same_names_is_taken_over(runner, acm, route53, zones):
    arn = acm.request_certificate(DomainName=DOMAIN, SubjectAlternativeNames=[DOMAIN], ValidationMethod="DNS")
    run = runner.make(certificate())
    assert run.change("acm_certificate/web")["action"] == "adopt"
    assert list(certificates(acm)) == [arn["CertificateArn"]]
    runner.assert_nothing_to_do(certificate())


def test_the_certificate_that_has_the_name_is_taken_over_before_others_of_the_domain(runner, acm, zones):
    arns = [
        acm.request_certificate(DomainName=DOMAIN, SubjectAlternativeNames=[DOMAIN], ValidationMethod="DNS")
        for _number in range(3)
    ]
    with pytest.raises(AwsError, match=r"3 certificates could be meant by 'web'.* the tag Name=web, or delete"):
        runner.plan(certificate())
    named = arns[1]["CertificateArn"]
    acm.add_tags_to_certificate(CertificateArn=named, Tags=[{"Key": "Name", "Value": "web"}])
    run = runner.make(certificate())
    assert run.change("acm_certificate/web")["action"] == "adopt"
    labels = acm.list_tags_for_certificate(CertificateArn=named)["Tags"]
    assert {item["Key"] for item in labels} >= {"Name", "dockyard:environment"} and len(certificates(acm)) == 3
    runner.assert_nothing_to_do(certificate())


def test_a_certificate_of_somebody_with_other_names_is_none_of_ours(runner, acm, zones):
    acm.request_certificate(DomainName=DOMAIN, SubjectAlternativeNames=["x.example.org"], ValidationMethod="DNS")
    assert runner.make(certificate()).change("acm_certificate/web")["action"] == "create"
    assert len(certificates(acm)) == 2
    runner.assert_nothing_to_do(certificate())


def test_a_request_whose_answer_was_lost_is_not_made_twice(runner, emulator, acm, zones):
    emulator.faults({"service": "acm", "action": "RequestCertificate", "fault": "after"})
    runner.make(certificate())
    assert len(certificates(acm)) == 1


def test_a_validation_record_that_was_changed_is_put_right(runner, route53, zones):
    runner.make(certificate())
    [name] = records(route53, "example.org")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    record = {"Name": name, "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": "elsewhere.example.com"}]}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    run = runner.make(certificate())
    assert run.done == [("update", "acm_validation_record", "web/api.example.org")]
    [difference] = run.changes[0]["differences"]
    assert difference["before"] == "elsewhere.example.com" and difference["path"].endswith(".Value")
    runner.assert_nothing_to_do(certificate())


def test_a_plan_asks_for_each_thing_once(runner, emulator, zones):
    declared = certificate(subject_alternative_names=["www.example.com"])
    runner.make(declared)
    emulator.reset_calls()
    runner.plan(declared)
    calls = {item["action"]: item["count"] for item in emulator.calls()["calls"]}
    calls.pop("GetCallerIdentity", None)
    assert calls == {
        "ListCertificates": 1,
        "ListTagsForCertificate": 1,
        "DescribeCertificate": 1,
        "ListHostedZones": 1,
        "ListResourceRecordSets": 2,
    }
