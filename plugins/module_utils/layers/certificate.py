# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `certificate`: certificates of AWS Certificate Manager, validated by records in Route 53."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.tags import NAME_TAG
from ansible_collections.dockyard.aws.plugins.module_utils.layers import certificate_checks, names
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration, Environment, Layer
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import base_name, canonical_name

CERTIFICATE, RECORD, VALIDATION = "acm_certificate", "acm_validation_record", "acm_certificate_validation"

CERTIFICATE_OPTIONS: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": "What listeners and others call it; becomes its C(Name) tag.",
    },
    "domain_name": {
        "type": "str",
        "required": True,
        "description": "Its main name; the first label may be V(*). Another one makes a new certificate.",
    },
    "subject_alternative_names": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": (
            "Further names that it is for, in any order, which may lie in several hosted zones. "
            "Other ones make a new certificate."
        ),
    },
    "key_algorithm": {
        "type": "str",
        "choices": ["RSA_2048", "EC_prime256v1", "EC_secp384r1"],
        "default": "RSA_2048",
        "description": "Its key. Another one makes a new certificate.",
    },
    "validation_method": {
        "type": "str",
        "choices": ["DNS", "EMAIL"],
        "default": "DNS",
        "description": "How ACM finds out that the names are yours. Only V(DNS) renews by itself.",
    },
    "validation_records": {
        "type": "str",
        "choices": ["route53", "by_hand"],
        "default": "route53",
        "description": (
            "Who makes the records that ACM wants to see. With V(route53), in the public hosted zones of the account "
            "that own the names. With V(by_hand), somebody else: the run says which."
        ),
    },
    "names_by_hand": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "With V(route53), names in zones elsewhere, for which somebody else makes the records.",
    },
    "validation_record_ttl": {"type": "int", "default": 300, "description": "TTL of the records, in seconds."},
    "transparency_logging": {
        "type": "bool",
        "description": "Record it in a public certificate transparency log; browsers refuse what is not recorded.",
    },
    "region": {
        "type": "str",
        "description": "Its region, where that is another one: V(us-east-1) for CloudFront.",
    },
    "wait": {
        "type": "bool",
        "default": True,
        "description": (
            "Wait until it is issued. If not, what needs it is left out of this run and made by the next one that "
            "finds it issued."
        ),
    },
    "wait_timeout": {
        "type": "int",
        "default": 1800,
        "description": "For how many seconds to wait. ACM itself gives up after 72 hours.",
    },
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete or replace it."},
    "tags": {"type": "dict", "description": "Tags of this certificate, in addition to O(dockyard_tags)."},
}


class Certificate(Layer):
    NAME = "certificate"
    DESCRIPTION = "ACM certificates, validated by records in Route 53"
    ARGUMENT_SPEC = {
        "certificates": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": CERTIFICATE_OPTIONS,
            "description": "The certificates of this host.",
        },
    }

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        for options in declaration.options["certificates"]:
            yield from _resources(options, environment)

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        return certificate_checks.problems(declarations)

    def connect(self, declared: Mapping[Address, Resource]) -> None:
        for resource in declared.values():
            if resource.kind == RECORD:
                _order_after_zone(resource, declared)


def reference(name: str, where: str) -> tuple[Any, tuple[Ref, ...]]:
    """For those who use a certificate: its ARN, and what they have to wait for. An ARN stands for itself."""
    if name.startswith("arn:"):
        return name, ()
    arn = Ref(CERTIFICATE, name, "arn", where=where)
    return arn, (Ref(VALIDATION, name, "arn", (("CertificateArn", arn),), where),)


def _resources(options: Mapping[str, Any], environment: Environment) -> Iterator[Resource]:
    where = f"certificate.certificates[{options['name']}]"
    name = _name(options, environment)
    certificate = _certificate(name, options, environment, where)
    yield certificate
    scope = {"CertificateArn": Ref(CERTIFICATE, name, "arn", where=where)}
    all_names = certificate.properties["SubjectAlternativeNames"]
    by_hand = by_hand_names(options)
    records = []
    for domain in sorted(set(map(base_name, all_names)) - by_hand):
        if options["validation_method"] == "DNS":
            records.append(_record(f"{name}/{domain}", domain, options, scope, where))
    yield from records
    waiting = {name: options[name] for name in ("wait", "wait_timeout")}
    yield Resource(
        VALIDATION,
        name,
        {},
        where=where,
        scope=dict(scope),
        depends_on=tuple(Ref(RECORD, record.name, where=where) for record in records),
        options={**waiting, "by_hand": sorted(by_hand)},
    )


def by_hand_names(options: Mapping[str, Any]) -> set[str]:
    """The names, without wildcards, whose records somebody else makes."""
    if options["validation_records"] == "by_hand":
        return set(map(base_name, [options["domain_name"], *options["subject_alternative_names"]]))
    return set(map(base_name, options["names_by_hand"]))


def _name(options: Mapping[str, Any], environment: Environment) -> str:
    elsewhere = options["region"] and options["region"] != environment.region
    return f"{options['region']}:{options['name']}" if elsewhere else str(options["name"])


def _certificate(name: str, options: Mapping[str, Any], environment: Environment, where: str) -> Resource:
    domains = {canonical_name(item) for item in (options["domain_name"], *options["subject_alternative_names"])}
    properties = {
        "DomainName": canonical_name(options["domain_name"]),
        "SubjectAlternativeNames": sorted(domains),
        "KeyAlgorithm": options["key_algorithm"],
        "ValidationMethod": options["validation_method"],
    }
    if options["transparency_logging"] is not None:
        preference = "ENABLED" if options["transparency_logging"] else "DISABLED"
        properties["CertificateTransparencyLoggingPreference"] = preference
    tags = {**environment.tags, **{str(key): str(value) for key, value in (options["tags"] or {}).items()}}
    tags[NAME_TAG] = options["name"]
    return Resource(CERTIFICATE, name, properties, where=where, tags=tags, protect=options["protect"])


def _record(name: str, domain: str, options: Mapping[str, Any], scope: Mapping[str, Ref], where: str) -> Resource:
    certificate = scope["CertificateArn"]
    properties = {
        "ValidationRecords": Ref(certificate.kind, certificate.name, "validation_records", where=where),
        "TTL": options["validation_record_ttl"],
    }
    zone = names.zone_reference(domain, f"{where}.validation_records")
    return Resource(RECORD, name, properties, where=where, scope=dict(scope), looked_at=(zone,))


def _order_after_zone(record: Resource, declared: Mapping[Address, Resource]) -> None:
    """A declared zone may not be there yet. Any other one only has to be found, and orders nothing."""
    zones = [names.declared_zone(ref, declared) for ref in record.looked_at]
    record.depends_on = (*record.depends_on, *(ref for ref in zones if ref.kind == names.ZONE))
    record.looked_at = tuple(ref for ref in zones if ref.kind != names.ZONE)
