# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The validation of certificates: the records that ACM wants to see, and waiting until it has issued them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import (
    FIRST_DELAY,
    GROWTH,
    LONGEST_DELAY,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import Awaited, Postponed
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.stopping import pause
from ansible_collections.dockyard.aws.plugins.module_utils.resources import acm_common as common
from ansible_collections.dockyard.aws.plugins.module_utils.resources import route53_changes
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import (
    api_name,
    base_name,
    canonical_name,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_records import Key, delete, find
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_zones import all_zones, public_owner

REPORT_EVERY = 10.0
# For so long locks are held; ACM takes some minutes, or as long as somebody needs to make records.
SHORTLY = 10.0
CERTIFICATE, RECORDS = "CertificateArn", "ValidationRecords"


class AcmValidationRecord(Kind):
    """The record by which ACM validates one name of a certificate, and again each time it renews it.

    Its name is `<certificate>/<name without *.>`, its scope the certificate, which knows the record's name and value.
    """

    kind = "acm_validation_record"
    label = "validation record"
    taggable = False
    # The new certificate mostly wants the very same record.
    create_before_delete = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        arns = sorted({item.scope[CERTIFICATE] for item in wanted})
        asked = dict(zip(arns, each(lambda arn: _records_of(aws, arn), arns), strict=True))
        zones = all_zones(aws)

        def observe(item: Wanted) -> Observed | None:
            records, domain = asked[item.scope[CERTIFICATE]], _domain(item.name)
            record = records.get(domain) or _remembered(item, domain)
            zone = public_owner(zones, record["Name"]) if record else None
            if record is None or zone is None:
                return None
            key = Key(record["Name"], record["Type"], "")
            record_set = find(aws, zone.id, [key]).get(key)
            if record_set is None:
                return None
            properties = {"TTL": record_set.get("TTL"), RECORDS: {**records, domain: _as_record(record_set)}}
            return Observed(item.name, properties, _attributes(zone.id, record, item.scope[CERTIFICATE]))

        return {item.name: item for item in each(observe, wanted) if item is not None}

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        """That a new certificate may want another record says it all."""
        of_certificate = [item for item in differences if item.path == CERTIFICATE]
        return of_certificate or list(differences)

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        record = _record(resource)
        zone = public_owner(all_zones(aws), record["Name"])
        if zone is None:
            raise AwsError(f"no public hosted zone of this account owns {record['Name']!r}")
        route53_changes.change(aws, zone.id, "UPSERT", _record_set(record, resource.properties["TTL"]))
        return _attributes(zone.id, record, str(resource.scope[CERTIFICATE]))

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        record_set = _record_set(_record(resource), resource.properties["TTL"])
        route53_changes.change(aws, observed.attributes["zone_id"], "UPSERT", record_set)

    def retire(self, aws: Aws, observed: Observed) -> None:
        """Nothing marks it: whether it is still needed is asked when it is to go."""

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        """Unless another certificate is validated by the same record: of the same account and name they are equal."""
        own = observed.attributes["certificate_arn"]
        if not _used_by_another(aws, _domain(observed.name), observed.attributes["fqdn"], own):
            key = Key(observed.attributes["fqdn"], observed.attributes["type"], "")
            delete(aws, observed.attributes["zone_id"], key)


class AcmCertificateValidation(Kind):
    """That a certificate is issued: it exists when it is, and making it is waiting for that.

    Its scope is the certificate. options: `wait`, `wait_timeout`, `by_hand` (names whose records others make).
    """

    kind = "acm_certificate_validation"
    label = "issued certificate"
    taggable = False
    makes_nothing = True

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        found = {}
        for item in wanted:
            arn = item.scope[CERTIFICATE]
            certificate = common.read(aws, arn)
            if certificate is not None and certificate["Status"] == common.ISSUED:
                found[item.name] = Observed(item.name, {}, {"id": arn, "arn": arn})
            elif certificate is not None:
                found[item.name] = Observed(
                    item.name, {}, {}, exists=False, remarks=[common.why_not_issued(certificate)]
                )
        return found

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        waiting = _Waiting(aws, resource.name, str(resource.scope[CERTIFICATE]), resource.options["by_hand"])
        waiting.say_what_to_make()
        if not waiting.issued():
            if not resource.options["wait"]:
                raise Postponed(f"{waiting.missing()}; the next run goes on when it is issued")
            seconds = float(resource.options["wait_timeout"])
            if not waiting.for_some_time(min(seconds, SHORTLY)):
                raise Awaited(waiting.missing())
        return {"id": waiting.arn, "arn": waiting.arn}

    def wait(self, aws: Aws, resource: Resource) -> None:
        waiting = _Waiting(aws, resource.name, str(resource.scope[CERTIFICATE]), resource.options["by_hand"])
        whole = float(resource.options["wait_timeout"])
        if not waiting.for_some_time(whole - min(whole, SHORTLY)):
            raise AwsError(
                f"waited {whole:.0f} s for ACM to issue it; last seen: {waiting.missing()}; run again to go on"
            )

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        """That it was issued goes with the certificate."""


class _Waiting:
    """Looks whether a certificate is issued, and says now and then what it is waiting for."""

    def __init__(self, aws: Aws, name: str, arn: str, by_hand: Sequence[str]) -> None:
        self._aws, self._name, self.arn, self._by_hand = aws, name, arn, by_hand
        self._acm = aws.client("acm", common.region_of_arn(arn))
        self._certificate: dict[str, Any] = {}
        self._reported, self._since = "", 0.0

    def issued(self) -> bool:
        certificate = common.described(self._acm, self.arn)
        if certificate is None:
            raise AwsError(f"certificate {self._name!r} ({self.arn}) was deleted while it was waited for")
        if certificate["Status"] not in common.LIVE:
            again = "the next run asks for a new one"
            raise AwsError(f"certificate {self._name!r} was not issued: {common.why_failed(certificate)}; {again}")
        self._certificate = certificate
        return bool(certificate["Status"] == common.ISSUED)

    def for_some_time(self, seconds: float) -> bool:
        """Whether it is issued within so many seconds."""
        deadline, delay = time.monotonic() + seconds, FIRST_DELAY
        while not self.issued():
            self._report()
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            pause(min(delay, left))
            delay = min(delay * GROWTH, LONGEST_DELAY)
        return True

    def say_what_to_make(self) -> None:
        """The records that nobody here can make."""
        certificate = (common.described(self._acm, self.arn) or {}) if self._by_hand else {}
        pending = set(map(base_name, common.pending_names(certificate)))
        for domain, record in sorted(common.validation_records(certificate).items()):
            if domain in self._by_hand and domain in pending:
                text = common.in_words(record)
                self._aws.progress(f"certificate {self._name}: somebody has to make this record: {text}")

    def missing(self) -> str:
        """What ACM is waiting for."""
        records = list(common.records_to_make(self._certificate))
        if records:
            return f"not issued yet, ACM has not seen these records: {'; '.join(records)}"
        return f"not issued yet, ACM is waiting for {', '.join(common.pending_names(self._certificate)) or 'itself'}"

    def _report(self) -> None:
        options, pending = self._certificate.get("DomainValidationOptions", ()), common.pending_names(self._certificate)
        line = f"certificate {self._name}: {len(options) - len(pending)}/{len(options)} names validated"
        if pending:
            line += f", waiting for {', '.join(pending)}"
        if line != self._reported or time.monotonic() - self._since >= REPORT_EVERY:
            self._aws.progress(line)
            self._reported, self._since = line, time.monotonic()


def _domain(name: str) -> str:
    """The name that a record validates: the last part of its own."""
    return base_name(name.rsplit("/", 1)[1])


def _records_of(aws: Aws, arn: str) -> dict[str, dict[str, str]]:
    return common.validation_records(common.read(aws, arn) or {})


def _remembered(item: Wanted, domain: str) -> Mapping[str, str] | None:
    """The record of a name that the certificate has no more, as the state remembers it."""
    records = item.properties.get(RECORDS)
    return records.get(domain) if isinstance(records, Mapping) else None


def _record(resource: Resource) -> dict[str, str]:
    """The record to make; ACM names it some seconds after a certificate was asked for."""
    records, domain = resource.properties[RECORDS], _domain(resource.name)
    if domain not in records:
        raise AwsError(f"ACM has not said yet which record validates {domain}: run again")
    return dict(records[domain])


def _as_record(record_set: Mapping[str, Any]) -> dict[str, str]:
    values = [canonical_name(item["Value"]) for item in record_set.get("ResourceRecords", ())]
    return {"Name": canonical_name(record_set["Name"]), "Type": record_set["Type"], "Value": ", ".join(values)}


def _record_set(record: Mapping[str, str], ttl: int) -> dict[str, Any]:
    values = [{"Value": f"{record['Value']}."}]
    return {"Name": api_name(record["Name"]), "Type": record["Type"], "TTL": ttl, "ResourceRecords": values}


def _attributes(zone_id: str, record: Mapping[str, str], certificate_arn: str) -> dict[str, Any]:
    return {
        "id": f"{zone_id}_{record['Name']}_{record['Type']}",
        "fqdn": record["Name"],
        "type": record["Type"],
        "zone_id": zone_id,
        "certificate_arn": certificate_arn,
    }


def _used_by_another(aws: Aws, domain: str, fqdn: str, own_arn: str) -> bool:
    """Whether ACM still wants to see this record for another certificate, here or where CloudFront's are."""
    for region in sorted({aws.region, common.CLOUDFRONT_REGION, common.region_of_arn(own_arn)}):
        acm = aws.client("acm", region)
        for summary in common.summaries(acm):
            if summary["CertificateArn"] == own_arn or not _covers(summary, domain):
                continue
            certificate = common.described(acm, summary["CertificateArn"])
            if certificate is None or certificate["Status"] not in common.LIVE:
                continue
            wants_it = common.validation_records(certificate).get(domain, {}).get("Name") == fqdn
            if wants_it and not common.is_superseded(aws, acm, summary["CertificateArn"]):
                return True
    return False


def _covers(summary: Mapping[str, Any], domain: str) -> bool:
    names = {base_name(name) for name in (summary["DomainName"], *summary.get("SubjectAlternativeNameSummaries", ()))}
    return domain in names or bool(summary.get("HasAdditionalSubjectAlternativeNames"))
