# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of CloudFront: configurations come back as they were given, and what AWS refuses is refused."""

from __future__ import annotations

import copy
from typing import Any

from moto.cloudfront.exceptions import CloudFrontException, InvalidIfMatchVersion, NoSuchOriginAccessControl
from moto.cloudfront.models import CloudFrontBackend, DistributionConfig, OriginAccessControl, random_id
from moto.cloudfront.responses import CloudFrontResponse
from moto.core.responses import EmptyResult
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from emulator.patching import replace

NOTHING: dict[str, Any] = {"Quantity": 0}
ORIGIN = {
    "OriginPath": "",
    "CustomHeaders": NOTHING,
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
    "OriginShield": {"Enabled": False},
    "OriginAccessControlId": "",
}
BEHAVIOR = {
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
    "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
    "AllowedMethods": {
        "Quantity": 2,
        "Items": ["HEAD", "GET"],
        "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
    },
    "SmoothStreaming": False,
    "Compress": False,
    "LambdaFunctionAssociations": NOTHING,
    "FunctionAssociations": NOTHING,
    "FieldLevelEncryptionId": "",
}


@replace(DistributionConfig, "__init__")
def new_configuration(original: Any, self: Any, config: dict[str, Any]) -> None:
    """All that was given, completed as AWS does. moto kept only what it knows: no access control, no functions."""
    given = copy.deepcopy(config)
    original(self, config)
    origins = given["Origins"]["Items"]
    self.Origins = {"Quantity": len(origins), "Items": [{**ORIGIN, **origin} for origin in origins]}
    self.DefaultCacheBehavior = {**BEHAVIOR, **given["DefaultCacheBehavior"]}
    self.ViewerCertificate = _certificate(given.get("ViewerCertificate") or {})
    self.HttpVersion = given.get("HttpVersion", "http2")


def _certificate(given: dict[str, Any]) -> dict[str, Any]:
    arn = given.get("ACMCertificateArn")
    if not arn:
        certificate = {"CloudFrontDefaultCertificate": True, "SSLSupportMethod": "vip"}
        return {**certificate, "MinimumProtocolVersion": "TLSv1", "CertificateSource": "cloudfront"}
    return {**given, "CloudFrontDefaultCertificate": False, "Certificate": arn, "CertificateSource": "acm"}


def _checked(backend: Any, config: dict[str, Any], own: Any = None) -> None:
    """A bucket and its access control exist; aliases belong to one distribution alone, and need a certificate."""
    buckets = s3_backends[backend.account_id][get_partition(backend.region_name)].buckets
    for origin in config["Origins"]["Items"]:
        if "S3OriginConfig" in origin and origin["DomainName"].split(".s3.")[0] not in buckets:
            raise CloudFrontException("InvalidOrigin", "The specified origin server does not exist or is not valid.")
        control = origin.get("OriginAccessControlId")
        if control and control not in backend.origin_access_controls:
            raise NoSuchOriginAccessControl()
    aliases = set((config.get("Aliases") or {}).get("Items") or ())
    if aliases and not (config.get("ViewerCertificate") or {}).get("ACMCertificateArn"):
        message = "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a certificate"
        raise CloudFrontException("InvalidViewerCertificate", message)
    for other in backend.distributions.values():
        if other is not own and aliases & set((other.distribution_config.Aliases or {}).get("Items") or ()):
            message = "One or more of the CNAMEs you provided are already associated with a different resource."
            raise CloudFrontException("CNAMEAlreadyExists", message)


def _current(etag: str, if_match: Any) -> None:
    if if_match != etag:
        raise InvalidIfMatchVersion()


@replace(CloudFrontBackend, "create_distribution_with_tags")
def create_distribution(original: Any, self: Any, distribution_config: dict[str, Any], tags: Any) -> Any:
    """moto looked neither at the bucket, nor at the access control, nor at aliases."""
    _checked(self, distribution_config)
    return original(self, distribution_config, tags)


@replace(CloudFrontBackend, "update_distribution")
def update_distribution(original: Any, self: Any, dist_config: dict[str, Any], _id: str, if_match: Any) -> Any:
    """The ETag has to fit, and changes; it is deployed again. moto took any ETag and kept it."""
    own = self.distributions.get(_id)
    if own is not None:
        _current(own.etag, if_match)
        _checked(self, dist_config, own)
        own.etag = random_id()
        own.status = "InProgress"
    return original(self, dist_config, _id, if_match)


@replace(CloudFrontBackend, "delete_distribution")
def delete_distribution(original: Any, self: Any, distribution_id: str, if_match: Any) -> None:
    """Only what is disabled is deleted. moto deleted anything."""
    own = self.distributions.get(distribution_id)
    if own is not None:
        _current(own.etag, if_match)
        if own.distribution_config.Enabled:
            message = "The distribution you are trying to delete has not been disabled."
            raise CloudFrontException("DistributionNotDisabled", message)
    original(self, distribution_id, if_match)


@replace(CloudFrontBackend, "create_origin_access_control")
def create_control(original: Any, self: Any, config_dict: dict[str, str]) -> Any:
    """Names are unique."""
    if any(control.name == config_dict["Name"] for control in self.origin_access_controls.values()):
        message = "An origin access control with this name already exists."
        raise CloudFrontException("OriginAccessControlAlreadyExists", message)
    return original(self, config_dict)


@replace(CloudFrontResponse, "update_origin_access_control")
def update_control(original: Any, self: Any) -> Any:
    control = self.backend.get_origin_access_control(self._get_param("Id"))
    _current(control.etag, self._get_param("IfMatch"))
    control.etag = random_id()
    return original(self)


@replace(CloudFrontResponse, "delete_origin_access_control")
def delete_control(_original: Any, self: Any) -> Any:
    """Not while a distribution uses it, and only with the right ETag."""
    identity = self._get_param("Id")
    control = self.backend.get_origin_access_control(identity)
    _current(control.etag, self._get_param("IfMatch"))
    for distribution in self.backend.distributions.values():
        if any(one["OriginAccessControlId"] == identity for one in distribution.distribution_config.Origins["Items"]):
            message = "Cannot delete the origin access control because it's in use by one or more distributions."
            raise CloudFrontException("OriginAccessControlInUse", message)
    self.backend.delete_origin_access_control(identity)
    return EmptyResult()


# The name under which answers look for it.
OriginAccessControl.origin_access_control_origin_type = property(lambda self: self.origin_type)
