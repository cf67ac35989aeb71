# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of AWS Certificate Manager."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    OWN_NAME_TAG,
    SUPERSEDED_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import acm_common as common
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import canonical_name

IN_USE = "ResourceInUseException"
# AWS notices only after some seconds that the last listener is gone.
IN_USE_TIMEOUT = 60.0
RECORDS_TIMEOUT = 120.0
LOGGING = "CertificateTransparencyLoggingPreference"


class AcmCertificate(Kind):
    """A certificate, issued or asked for. Its `validation_records` are what ACM wants to see in DNS.

    Its name is its `Name` tag; in another region than the layer's it is `<region>:<name>`. One that others made, or
    imported, is found by its domain.
    """

    kind = "acm_certificate"
    label = "certificate"
    immutable = frozenset({"DomainName", "SubjectAlternativeNames", "KeyAlgorithm", "ValidationMethod"})
    create_before_delete = True
    named_by_tag = True
    defaults = {LOGGING: "ENABLED"}

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        result: dict[str, Observed] = {}
        for region in sorted({common.region_of(aws, item.name) for item in wanted}):
            names = {item.name: item.properties for item in wanted if common.region_of(aws, item.name) == region}
            result |= self._read_region(aws, region, names)
        return result

    def _read_region(self, aws: Aws, region: str, wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, Observed]:
        acm = aws.client("acm", region)

        def labelled(summary: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, str]]:
            return summary, common.labels_of(acm, summary["CertificateArn"])

        found = [
            (summary, labels, name)
            for summary, labels in each(labelled, common.summaries(acm))
            if (name := _name_among(wanted, aws, summary, labels))
        ]
        observed = each(lambda item: _observe(aws, *item, wanted[item[2]]), found)
        candidates = _named_first([item for item in observed if item is not None])
        return tags.by_name(_with_the_dead_aside(candidates, aws), aws.environment, self.label)

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if result.get("DomainName"):
            result["DomainName"] = canonical_name(result["DomainName"])
        if result.get("SubjectAlternativeNames") is not None:
            result["SubjectAlternativeNames"] = sorted(set(map(canonical_name, result["SubjectAlternativeNames"])))
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        """Ask for it, and wait until ACM has said which records it wants to see; issued it is later."""
        acm, declared = common.client_for(aws, resource.name), self.canonical(resource.properties)
        answer = acm.request_certificate(
            DomainName=declared["DomainName"],
            SubjectAlternativeNames=declared["SubjectAlternativeNames"],
            ValidationMethod=declared["ValidationMethod"],
            KeyAlgorithm=declared["KeyAlgorithm"],
            # Of this call alone: within an hour a token brings back the same certificate, also one that failed.
            IdempotencyToken=secrets.token_hex(16),
            Tags=tags.to_list(resource.tags),
            **({"Options": {LOGGING: declared[LOGGING]}} if declared.get(LOGGING) else {}),
        )
        arn = answer["CertificateArn"]

        def ready() -> dict[str, Any] | None:
            certificate = common.described(acm, arn)
            if certificate is None:
                return None
            if certificate["Status"] not in common.LIVE:
                raise AwsError(f"certificate {resource.name!r} was not issued: {common.why_failed(certificate)}")
            return certificate if common.has_all_records(certificate) else None

        certificate = wait_for(ready, f"ACM to name the validation records of {resource.name}", RECORDS_TIMEOUT)
        return _attributes(certificate)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        """Whether it is logged is the only thing that can change."""
        preference = resource.properties.get(LOGGING, self.defaults[LOGGING])
        common.client_for(aws, resource.name).update_certificate_options(
            CertificateArn=observed.attributes["arn"], Options={LOGGING: preference}
        )

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        arn = observed.attributes["arn"]
        acm = aws.client("acm", common.region_of_arn(arn))
        if add:
            acm.add_tags_to_certificate(CertificateArn=arn, Tags=tags.to_list(add))
        if remove:
            acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": key} for key in remove])

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        arn = observed.attributes["arn"]
        acm = aws.client("acm", common.region_of_arn(arn))

        def attempt() -> bool:
            try:
                unless(common.GONE, acm.delete_certificate, CertificateArn=arn)
            except exceptions.ClientError as error:
                if code_of(error) != IN_USE:
                    raise
                return False
            return True

        try:
            wait_for(attempt, f"certificate {observed.name} to be free", IN_USE_TIMEOUT)
        except AwsError as error:
            users = (common.described(acm, arn) or {}).get("InUseBy", [])
            raise StillInUse(f"certificate {observed.name!r} is used by {', '.join(users) or arn}") from error


def _name_among(
    wanted: Mapping[str, Mapping[str, Any]], aws: Aws, summary: Mapping[str, Any], labels: Mapping[str, str]
) -> str | None:
    """Which of the wanted certificates this is: by its tags, or by its domain where it is nobody's."""
    region = common.region_of_arn(summary["CertificateArn"])
    prefix = "" if region == aws.region else f"{region}:"
    for label in (OWN_NAME_TAG, tags.NAME_TAG):
        if (name := prefix + labels.get(label, "")) in wanted:
            return name
    if ENVIRONMENT_TAG in labels:
        return None
    domain = canonical_name(summary["DomainName"])
    return next((name for name, declared in wanted.items() if domain == _domain(name, declared)), None)


def _domain(name: str, declared: Mapping[str, Any]) -> str:
    """The domain by which it may be found; what is only referred to may be named by it."""
    return canonical_name(declared.get("DomainName") or name.rsplit(":", 1)[-1])


def _may_be_taken_over(
    observed: Observed, labels: Mapping[str, str], declared: Mapping[str, Any], imported: bool
) -> bool:
    """Nobody's certificate of the declared domain is the declared one where it has the same names."""
    if not declared or labels.get(tags.NAME_TAG) or ENVIRONMENT_TAG in labels:
        return True
    names = AcmCertificate().canonical(observed.properties)["SubjectAlternativeNames"]
    return not imported and names == AcmCertificate().canonical(declared)["SubjectAlternativeNames"]


def _observe(
    aws: Aws, summary: Mapping[str, Any], labels: dict[str, str], name: str, declared: Mapping[str, Any]
) -> Observed | None:
    certificate = common.read(aws, summary["CertificateArn"])
    if certificate is None:
        return None
    methods = {item.get("ValidationMethod", "DNS") for item in certificate.get("DomainValidationOptions", ())}
    properties = {
        "DomainName": certificate["DomainName"],
        "SubjectAlternativeNames": certificate.get("SubjectAlternativeNames", []),
        "KeyAlgorithm": certificate.get("KeyAlgorithm", "RSA_2048").replace("-", "_"),
        "ValidationMethod": next(iter(methods), None),
        LOGGING: certificate.get("Options", {}).get(LOGGING, "ENABLED"),
    }
    observed = Observed(name, properties, _attributes(certificate), labels)
    observed.exists = certificate["Status"] in common.LIVE
    observed.remarks = _remarks(certificate)
    imported = certificate.get("Type") == "IMPORTED"
    return observed if _may_be_taken_over(observed, labels, declared, imported) else None


def _named_first(candidates: Sequence[Observed]) -> list[Observed]:
    """Those that have the name as their tag; those that only have the domain where none does."""
    named = {item.name for item in candidates if _is_named(item)}
    rest = [item for item in candidates if item.exists and item.name not in named]
    for name, count in Counter(item.name for item in rest).items():
        if count > 1:
            arns = ", ".join(sorted(item.attributes["arn"] for item in rest if item.name == name))
            raise AwsError(
                f"{count} certificates could be meant by {name!r}, of the same names and none with its name as a tag: "
                f"give the right one the tag Name={name.rsplit(':', 1)[-1]}, or delete the others ({arns})"
            )
    return [item for item in candidates if item.name not in named or _is_named(item)]


def _is_named(item: Observed) -> bool:
    labels = item.tags or {}
    return item.name.rsplit(":", 1)[-1] in (labels.get(OWN_NAME_TAG), labels.get(tags.NAME_TAG))


def _with_the_dead_aside(candidates: Sequence[Observed], aws: Aws) -> list[Observed]:
    """Ours that failed or expired are copies to be replaced, others' are nothing."""
    result = []
    for item in candidates:
        labels = item.tags or {}
        if item.exists:
            result.append(item)
        elif labels.get(ENVIRONMENT_TAG) == aws.environment:
            item.tags, item.exists = {**labels, SUPERSEDED_TAG: "true"}, True
            result.append(item)
    return result


def _remarks(certificate: Mapping[str, Any]) -> list[str]:
    if certificate["Status"] == common.PENDING:
        return [common.why_not_issued(certificate)]
    renewal = certificate.get("RenewalSummary", {})
    if renewal.get("RenewalStatus") in ("PENDING_VALIDATION", "FAILED"):
        why = renewal.get("RenewalStatusReason")
        records = [common.in_words(item) for _domain_, item in sorted(common.validation_records(certificate).items())]
        return [
            f"ACM cannot renew the certificate ({renewal['RenewalStatus']}{f', {why}' if why else ''}); "
            f"these records must exist: {'; '.join(records)}"
        ]
    return []


def _attributes(certificate: Mapping[str, Any]) -> dict[str, Any]:
    arn = certificate["CertificateArn"]
    return {
        "id": arn,
        "arn": arn,
        "domain_name": canonical_name(certificate["DomainName"]),
        "validation_records": common.validation_records(certificate),
    }
