# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kinds of AWS Certificate Manager share: where a certificate is, what ACM says of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import ENVIRONMENT_TAG, SUPERSEDED_TAG
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import base_name, canonical_name

GONE = "ResourceNotFoundException"
ISSUED, PENDING = "ISSUED", "PENDING_VALIDATION"
LIVE = (ISSUED, PENDING)
# Without them ACM lists RSA keys of up to 2048 bits and nothing else.
KEY_TYPES = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
CLOUDFRONT_REGION = "us-east-1"

FAILURES = {
    "NO_AVAILABLE_CONTACTS": "no mail address is known for the domain: use validation_method DNS",
    "ADDITIONAL_VERIFICATION_REQUIRED": "AWS asks for more information about the domain: open a case with AWS Support",
    "DOMAIN_NOT_ALLOWED": "a name is on a list of unsafe domains (Google Safe Browsing, PhishTank): have it taken off",
    "INVALID_PUBLIC_DOMAIN": "a name is not under a public top-level domain, or is misspelt",
    "DOMAIN_VALIDATION_DENIED": "somebody declined the validation mail",
    "CAA_ERROR": (
        "a CAA record of a name, or of a domain above it, allows other authorities only: add a CAA record with "
        'the value 0 issue "amazon.com"'
    ),
    "SLR_NOT_FOUND": "the service-linked role AWSServiceRoleForCertificateManager is missing",
    "OTHER": "AWS gives no reason: check the names, and open a case with AWS Support if they are right",
}


def region_of(aws: Aws, name: str) -> str:
    """The region of a certificate: that of the layer, unless its name begins with another, as `us-east-1:web`."""
    return name.split(":", 1)[0] if ":" in name else aws.region


def client_for(aws: Aws, name: str) -> Any:
    return aws.client("acm", region_of(aws, name))


def region_of_arn(arn: str) -> str:
    return arn.split(":")[3]


def summaries(acm: Any) -> list[dict[str, Any]]:
    """All certificates of a region, in short."""
    return pages(acm, "list_certificates", "CertificateSummaryList", Includes={"keyTypes": KEY_TYPES})


def described(acm: Any, arn: str) -> dict[str, Any] | None:
    """One certificate, or None where it is gone."""
    answer = unless(GONE, acm.describe_certificate, CertificateArn=arn)
    return dict(answer["Certificate"]) if answer else None


def read(aws: Aws, arn: str) -> dict[str, Any] | None:
    """The same for one reading: what waits for a certificate asks as well."""
    acm = aws.client("acm", region_of_arn(arn))
    if aws.answers is None:
        return described(acm, arn)
    return aws.answers.of("certificates", [arn], lambda arns: {arn: described(acm, arn)}).get(arn)


def labels_of(acm: Any, arn: str) -> dict[str, str]:
    """The tags of a certificate; of one that is gone, none."""
    answer = unless(GONE, acm.list_tags_for_certificate, CertificateArn=arn)
    return tags.from_list((answer or {}).get("Tags"))


def is_superseded(aws: Aws, acm: Any, arn: str) -> bool:
    """Whether it is a copy of ours that was replaced and is about to go."""
    labels = labels_of(acm, arn)
    return SUPERSEDED_TAG in labels and labels.get(ENVIRONMENT_TAG) == aws.environment


def validation_records(certificate: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The records that ACM wants to see, by the name that they validate; a name and its wildcard share one."""
    return {
        base_name(option["DomainName"]): {
            "Name": canonical_name(option["ResourceRecord"]["Name"]),
            "Type": option["ResourceRecord"]["Type"],
            "Value": canonical_name(option["ResourceRecord"]["Value"]),
        }
        for option in certificate.get("DomainValidationOptions", ())
        if option.get("ResourceRecord")
    }


def has_all_records(certificate: Mapping[str, Any]) -> bool:
    """Whether ACM has said for each name how it wants to validate it: that takes it some seconds."""
    options = certificate.get("DomainValidationOptions", ())
    names = {canonical_name(name) for name in certificate.get("SubjectAlternativeNames", ())}
    by_dns = all(item.get("ResourceRecord") for item in options if item.get("ValidationMethod", "DNS") == "DNS")
    return by_dns and names <= {canonical_name(item["DomainName"]) for item in options}


def pending_names(certificate: Mapping[str, Any]) -> list[str]:
    """The names that are not validated yet."""
    return sorted(
        canonical_name(item["DomainName"])
        for item in certificate.get("DomainValidationOptions", ())
        if item.get("ValidationStatus") != "SUCCESS"
    )


def in_words(record: Mapping[str, str]) -> str:
    """A record as zone files have it."""
    return f"{record['Name']}. {record['Type']} {record['Value']}."


def records_to_make(certificate: Mapping[str, Any]) -> Iterator[str]:
    """The records that are still missing, a line each."""
    waiting = {base_name(name) for name in pending_names(certificate)}
    for domain, record in sorted(validation_records(certificate).items()):
        if domain in waiting:
            yield in_words(record)


def why_not_issued(certificate: Mapping[str, Any]) -> str:
    """In words, why a certificate cannot be used yet, or no more."""
    if certificate["Status"] not in LIVE:
        return why_failed(certificate)
    records = list(records_to_make(certificate))
    seen = f": ACM has not seen {'; '.join(records)}" if records else ""
    return f"the certificate is not issued yet{seen}"


def why_failed(certificate: Mapping[str, Any]) -> str:
    """In words, why a certificate was not issued or is valid no more."""
    status, names = certificate["Status"], ", ".join(_failed_names(certificate))
    if status == "VALIDATION_TIMED_OUT":
        return f"ACM waited 72 hours for the validation of {names or 'its names'} and gave up"
    if status == "FAILED":
        reason = certificate.get("FailureReason", "OTHER")
        text = FAILURES.get(reason, "the private certificate authority refused it")
        return f"ACM refused it with {reason}{f' ({names})' if names else ''}: {text}"
    return {"EXPIRED": "it has expired", "REVOKED": "it was revoked"}.get(status, f"its status is {status}")


def _failed_names(certificate: Mapping[str, Any]) -> list[str]:
    options = certificate.get("DomainValidationOptions", ())
    failed = [item["DomainName"] for item in options if item.get("ValidationStatus") == "FAILED"]
    return sorted(map(canonical_name, failed)) or pending_names(certificate)
