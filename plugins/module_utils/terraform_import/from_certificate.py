# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ACM certificates with the records that validate them."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import base_name, canonical_name
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing

IMPORTED = "an imported or private certificate: it stays where it is; listeners name it by its ARN"
OF_ACM = ".acm-validations.aws"


def convert(stack: Stack) -> None:
    for certificate in stack.of("aws_acm_certificate"):
        if certificate.attributes.get("validation_method") in ("DNS", "EMAIL"):
            _certificate(stack, certificate)
    stack.refuse(IMPORTED, *stack.of("aws_acm_certificate"))


def _certificate(stack: Stack, certificate: Thing) -> None:
    domain = canonical_name(certificate.get("domain_name"))
    further = {canonical_name(item) for item in certificate.get("subject_alternative_names", [])} - {domain}
    bases = sorted({base_name(item) for item in (domain, *further)})
    waiting = stack.belonging("aws_acm_certificate_validation", "certificate_arn", certificate)
    for item in waiting:
        item.skip("validation_record_fqdns")
    records = [item for item in stack.of("aws_route53_record") if _validates(item, bases)]
    made = {str(canonical_name(item.attributes["fqdn"])).split(".", 1)[1] for item in records}
    by_dns = certificate.get("validation_method") == "DNS"
    missing = [item for item in bases if item not in made] if by_dns else []
    region = str(certificate.get("arn")).split(":")[3]
    settings = certificate.block("options")
    logging = settings.get("certificate_transparency_logging_preference", "ENABLED")
    if settings.get("export", "DISABLED") == "ENABLED":
        stack.will_change(certificate, "options.export", "stays as it is; a successor cannot be exported")
    options: dict[str, Any] = {
        "name": stack.names.of(certificate),
        "domain_name": domain,
        "subject_alternative_names": sorted(further) or None,
        "key_algorithm": certificate.get("key_algorithm", "RSA_2048"),
        "validation_method": certificate.get("validation_method"),
        "validation_records": "by_hand" if by_dns and not made else "route53",
        "names_by_hand": missing if made and missing else None,
        "validation_record_ttl": next((item.get("ttl") for item in records), None),
        "transparency_logging": None if logging == "ENABLED" else False,
        "region": region if region != stack.environment.region else None,
        "tags": stack.named_tags(certificate),
    }
    for item in records:
        item.skip("name", "fqdn", "type", "records", "ttl", "zone_id", "allow_overwrite")
    stack.add("certificate", "certificates", options, certificate, *waiting, *records)


def _validates(record: Thing, domains: list[str]) -> bool:
    """Whether a record is one that ACM wants to see for one of these names."""
    values = [canonical_name(item) for item in record.attributes.get("records") or ()]
    fqdn = canonical_name(str(record.attributes.get("fqdn") or ""))
    return any(value.endswith(OF_ACM) for value in values) and fqdn.split(".", 1)[-1] in domains
