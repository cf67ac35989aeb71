# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates, the records that validate them, and what waits until they are issued."""

from __future__ import annotations

from typing import Any

CERTIFICATE = "acm_certificate/web"
KINDS = ["acm_certificate", "acm_validation_record", "acm_certificate_validation"]
NAMES = ["*.api.example.org", "api.example.com"]
RECORDS = ["acm_validation_record/web/api.example.com", "acm_validation_record/web/api.example.org"]
ZONES = ["example.org", "example.com"]


def make_zones(client: Any) -> None:
    for name in ZONES:
        client("route53").create_hosted_zone(Name=name, CallerReference=name)


def declared(**options: Any) -> dict[str, Any]:
    certificate = {"name": "web", "domain_name": "api.example.org", "subject_alternative_names": NAMES, **options}
    return {"certificate": {"platform": {"certificates": [certificate]}}}


def replaced(name: str, path: str, records: list[str] | None = None, **options: Any) -> dict[str, Any]:
    """A new certificate; the old one goes in the same run, and what validates it is as it was."""
    validation = [*(RECORDS if records is None else records), "acm_certificate_validation/web"]
    return {
        "id": f"certificate {name}",
        "declared": declared(**options),
        "address": CERTIFICATE,
        "action": "replace",
        "paths": path.split(),
        "consequences": validation,
    }


CASES: list[dict[str, Any]] = [
    {
        "id": "certificate",
        "kind": "acm_certificate",
        "also": KINDS,
        "prepare": make_zones,
        "declared": declared(tags={"Team": "web"}, transparency_logging=True),
        "updates": [
            {
                "id": "certificate logging",
                "declared": declared(tags={"Team": "web"}, transparency_logging=False),
                "address": CERTIFICATE,
                "paths": ["CertificateTransparencyLoggingPreference"],
            },
            {
                "id": "certificate tags",
                "declared": declared(tags={"Team": "platform"}, transparency_logging=True),
                "address": CERTIFICATE,
                "paths": ["tags.Team"],
            },
            replaced(
                "names",
                "SubjectAlternativeNames",
                [*RECORDS, "acm_validation_record/web/www.example.com"],
                subject_alternative_names=[*NAMES, "www.example.com"],
                tags={"Team": "web"},
                transparency_logging=True,
            )
            | {"back": False},
            replaced(
                "key", "KeyAlgorithm", key_algorithm="EC_prime256v1", tags={"Team": "web"}, transparency_logging=True
            ),
        ],
    },
    {
        "id": "validation record",
        "kind": "acm_validation_record",
        "also": KINDS,
        "prepare": make_zones,
        "declared": declared(subject_alternative_names=[]),
        "updates": [
            {
                "id": "validation record TTL",
                "declared": declared(subject_alternative_names=[], validation_record_ttl=60),
                "address": "acm_validation_record/web/api.example.org",
                "paths": ["TTL"],
            }
        ],
    },
    {
        "id": "certificate of another region",
        "kind": "acm_certificate",
        "prepare": make_zones,
        "declared": declared(region="eu-west-1"),
    },
    {
        "id": "certificate in a zone that is made with it",
        "kind": "acm_certificate",
        "declared": {
            **declared(subject_alternative_names=[]),
            "dns": {"platform": {"zones": [{"name": "example.org"}]}},
        },
    },
]
