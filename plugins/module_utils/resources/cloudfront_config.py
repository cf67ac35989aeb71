# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Distribution configurations in a form that can be compared, and back into CloudFront's own. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference

CONTROL = ("Description", "SigningProtocol", "SigningBehavior", "OriginAccessControlOriginType")
COUNTED = {"Quantity", "Items"}
# What a configuration must have and nobody need declare.
BASE: dict[str, Any] = {"Enabled": True}
# S3 is asked with signed requests, so there is no identity of the older way.
ORIGIN: dict[str, Any] = {"S3OriginConfig": {"OriginAccessIdentity": ""}, "OriginPath": ""}
# CloudFront says these of its own certificate, in a form that it does not take back.
CERTIFICATE = ("ACMCertificateArn", "SSLSupportMethod", "MinimumProtocolVersion")
DEFAULT_CERTIFICATE = "CloudFrontDefaultCertificate"
ERROR = ("ErrorCode", "ResponsePagePath", "ResponseCode", "ErrorCachingMinTTL")


def control(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in CONTROL if item.get(name) is not None}


def canonical(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Lists without their counts, in one order; origins by their ids; certificates with what tells them apart."""
    result = {name: _flat(value) for name, value in properties.items()}
    if "Aliases" in result:
        result["Aliases"] = sorted(str(alias).lower() for alias in result["Aliases"] or ())
    if isinstance(result.get("Origins"), list):
        result["Origins"] = {origin["Id"]: origin for origin in result["Origins"]}
    if "CustomErrorResponses" in result:
        found = (_error(item) for item in result["CustomErrorResponses"] or ())
        result["CustomErrorResponses"] = sorted(found, key=lambda item: int(item["ErrorCode"]))
    if "ViewerCertificate" in result:
        result["ViewerCertificate"] = _certificate(result["ViewerCertificate"] or {})
    behavior = result.get("DefaultCacheBehavior")
    if behavior and "FunctionAssociations" in behavior:
        functions = sorted(behavior["FunctionAssociations"] or (), key=lambda item: str(item["EventType"]))
        result["DefaultCacheBehavior"] = {**behavior, "FunctionAssociations": functions}
    return {name: str(value).lower() if name == "HttpVersion" else value for name, value in result.items()}


def _flat(value: Any) -> Any:
    """`{Quantity: 2, Items: […]}` as the list itself, at every depth."""
    if isinstance(value, Mapping):
        if "Quantity" in value and value.keys() <= COUNTED:
            return [_flat(item) for item in value.get("Items") or ()]
        return {name: _flat(inner) for name, inner in value.items()}
    return [_flat(item) for item in value] if isinstance(value, (list, tuple)) else value


def _error(item: Mapping[str, Any]) -> dict[str, Any]:
    """ResponseCode is a text in the API; what is not set comes back empty."""
    found = {name: item[name] for name in ERROR if item.get(name) not in (None, "")}
    return {**found, "ResponseCode": str(found["ResponseCode"])} if "ResponseCode" in found else found


def _certificate(certificate: Mapping[str, Any]) -> dict[str, Any]:
    if not certificate.get("ACMCertificateArn"):
        return {DEFAULT_CERTIFICATE: True}
    return {name: certificate[name] for name in CERTIFICATE if certificate.get(name)}


def gone(differences: Sequence[Difference], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What is declared no more, as CloudFront has it by default."""
    return {name: defaults[name] for name in top_level(differences) if name in defaults}


def to_api(desired: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """A canonical declaration as CloudFront takes it, laid over the configuration that there is."""
    result: dict[str, Any] = {**BASE, **now}
    for name, value in desired.items():
        if name in ("Aliases", "CustomErrorResponses"):
            items = (
                [{"ResponsePagePath": "", "ResponseCode": "", **item} for item in value] if name != "Aliases" else value
            )
            result[name] = _counted(items)
        elif name == "Origins":
            result[name] = _counted(_origins(value, now.get("Origins") or {}))
        elif name == "DefaultCacheBehavior":
            result[name] = _behavior(value, now.get(name) or {})
        else:
            result[name] = value
    return {name: value for name, value in result.items() if value is not None}


def _counted(items: Sequence[Any]) -> dict[str, Any]:
    return {"Quantity": len(items), "Items": list(items)} if items else {"Quantity": 0}


def _origins(desired: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that are declared, and all others as they are."""
    there = {origin["Id"]: origin for origin in now.get("Items") or ()}
    changed = {identity: {**ORIGIN, **there.get(identity, {}), **origin} for identity, origin in desired.items()}
    return list({**there, **changed}.values())


def _behavior(desired: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    result = {name: value for name, value in {**now, **desired}.items() if value is not None}
    if "FunctionAssociations" in desired:
        result["FunctionAssociations"] = _counted(desired["FunctionAssociations"])
    if result.get("CachePolicyId"):
        # The older way to say the same, which CloudFront refuses beside a cache policy.
        for name in ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"):
            result.pop(name, None)
    return result
