# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of AWS Certificate Manager: a certificate is issued when the records that validate it are there.

The first label of a name decides what fails: `caa-error.example.org` ends with FailureReason CAA_ERROR, so does every
other reason of the API; `validation-timed-out.example.org` ends with VALIDATION_TIMED_OUT.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import boto3
from moto.acm.exceptions import AWSError
from moto.acm.models import AWSCertificateManagerBackend, CertBundle
from moto.acm.responses import AWSCertificateManagerResponse
from moto.core.responses import EmptyResult
from moto.elbv2.models import elbv2_backends
from moto.route53.models import route53_backends

from emulator.mends.route53 import stored_name
from emulator.patching import replace

MODEL = boto3.session.Session()._session.get_service_model("acm")
REASONS = MODEL.shape_for("FailureReason").enum
TIMED_OUT = "VALIDATION_TIMED_OUT"
DEFAULT_KEY_TYPES = ("RSA_1024", "RSA_2048")


def account_of(certificate: CertBundle) -> str:
    return str(certificate.arn.split(":")[4])


def record_of(certificate: CertBundle, name: str) -> dict[str, str]:
    """The record that validates a name: of an account and a name always the same, whichever certificate it is for."""
    domain = name.removeprefix("*.")
    digest = hashlib.md5(f"{account_of(certificate)} {domain}".encode()).hexdigest()
    value = hashlib.md5(digest.encode()).hexdigest()
    return {"Name": f"_{digest}.{domain}.", "Type": "CNAME", "Value": f"_{value}.jkddzztszm.acm-validations.aws."}


def is_published(certificate: CertBundle, record: dict[str, str]) -> bool:
    """Whether the public zone that owns the record's name has it: the longest of the account's."""
    backend = route53_backends[account_of(certificate)]["aws"]
    name = stored_name(record["Name"])
    owners = [
        zone for zone in backend.zones.values() if not zone.private_zone and name.endswith("." + stored_name(zone.name))
    ]
    if not owners:
        return False
    owner = max(owners, key=lambda zone: len(zone.name))
    values = [
        value
        for item in owner.rrsets
        if stored_name(item.name) == name and item.type == record["Type"]
        for value in item.records
    ]
    return [stored_name(value) for value in values] == [stored_name(record["Value"])]


def names_of(certificate: CertBundle) -> list[str]:
    return sorted({certificate.common_name, *certificate.sans})


def failure_of(certificate: CertBundle) -> str:
    """What a name asks for."""
    labels = [name.removeprefix("*.").split(".")[0].replace("-", "_").upper() for name in names_of(certificate)]
    return next((label for label in labels if label in REASONS or label == TIMED_OUT), "")


def status_of_name(certificate: CertBundle, name: str) -> str:
    if certificate.status == "ISSUED":
        return "SUCCESS"
    if certificate.status != "PENDING_VALIDATION":
        return "FAILED" if certificate.status == "FAILED" else "PENDING_VALIDATION"
    by_mail = getattr(certificate, "validation_method", "DNS") == "EMAIL"
    published = not by_mail and is_published(certificate, record_of(certificate, name))
    return "SUCCESS" if published else "PENDING_VALIDATION"


@replace(CertBundle, "check")
def check(_original: Any, self: Any) -> None:
    """A certificate is issued when every name is validated; moto issued it after some time, whatever was there."""
    if self.type != "AMAZON_ISSUED" or self.status != "PENDING_VALIDATION":
        return
    if failure := failure_of(self):
        self.status = TIMED_OUT if failure == TIMED_OUT else "FAILED"
    elif all(status_of_name(self, name) == "SUCCESS" for name in names_of(self)):
        self.status = "ISSUED"


def users_of(certificate: CertBundle) -> Iterator[str]:
    """The load balancers whose listeners have the certificate: moto never took one off again."""
    region = certificate.arn.split(":")[3]
    for balancer in elbv2_backends[account_of(certificate)][region].load_balancers.values():
        if any(certificate.arn in listener.certificates for listener in balancer.listeners.values()):
            yield balancer.arn


@replace(CertBundle, "describe")
def describe(original: Any, self: Any) -> dict[str, Any]:
    """Validation per name, the key asked for, why it failed, who uses it; what is pending has no dates yet."""
    result = original(self)
    certificate = result["Certificate"]
    certificate["InUseBy"] = sorted(set(users_of(self)))
    if self.type != "AMAZON_ISSUED":
        return result
    method = getattr(self, "validation_method", "DNS")
    certificate["KeyAlgorithm"] = getattr(self, "key_algorithm", "RSA_2048").replace("RSA_", "RSA-")
    certificate["SubjectAlternativeNames"] = names_of(self)
    certificate["DomainValidationOptions"] = [
        {
            "DomainName": name,
            "ValidationDomain": name,
            "ValidationStatus": status_of_name(self, name),
            "ValidationMethod": method,
            **({"ResourceRecord": record_of(self, name)} if method == "DNS" else {}),
        }
        for name in names_of(self)
    ]
    if self.status == "FAILED":
        certificate["FailureReason"] = failure_of(self)
    if self.status != "ISSUED":
        for key in ("IssuedAt", "NotBefore", "NotAfter", "Serial"):
            certificate.pop(key, None)
    return result


@replace(AWSCertificateManagerResponse, "request_certificate")
def request_certificate(original: Any, self: Any) -> Any:
    """The key and the way of validation are kept; moto dropped both."""
    answer = original(self)
    certificate = self.acm_backend.get_certificate(answer.result["CertificateArn"])
    certificate.validation_method = self._get_param("ValidationMethod") or "DNS"
    certificate.key_algorithm = self._get_param("KeyAlgorithm") or "RSA_2048"
    return answer


@replace(AWSCertificateManagerResponse, "list_certificates")
def list_certificates(original: Any, self: Any) -> Any:
    """Without Includes, only keys of RSA with up to 2048 bits; names in the summary. moto listed them all."""
    answer = original(self)
    includes = self._get_param("Includes") or {}
    types = includes.get("keyTypes") or DEFAULT_KEY_TYPES
    found = []
    for item in answer.result["CertificateSummaryList"]:
        item["KeyAlgorithm"] = item["KeyAlgorithm"].replace("RSA-", "RSA_")
        item["SubjectAlternativeNameSummaries"] = item["SubjectAlternativeNames"]
        if item["KeyAlgorithm"] in types:
            found.append(item)
    answer.result["CertificateSummaryList"] = found
    return answer


@replace(AWSCertificateManagerBackend, "list_certificates")
def all_certificates(original: Any, self: Any, statuses: list[str], includes: dict[str, Any]) -> Any:
    """Key types are compared where the answer is made: moto knew but the key that it had made itself."""
    rest = {name: value for name, value in (includes or {}).items() if name != "keyTypes"}
    return original(self, statuses, rest)


@replace(AWSCertificateManagerBackend, "delete_certificate")
def delete_certificate(original: Any, self: Any, arn: str) -> None:
    """A certificate that a listener has is not deleted."""
    certificate = self._certificates.get(arn)
    if certificate is not None and any(users_of(certificate)):
        raise AWSError(f"Certificate {arn} in account {self.account_id} is in use.", "ResourceInUseException")
    original(self, arn)


@replace(AWSCertificateManagerResponse, "update_certificate_options")
def update_certificate_options(_original: Any, self: Any) -> EmptyResult:
    """moto has no such call."""
    certificate = self.acm_backend.get_certificate(self._get_param("CertificateArn"))
    certificate.cert_options = {**certificate.cert_options, **self._get_param("Options")}
    return EmptyResult()
