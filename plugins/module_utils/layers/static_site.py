# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `static_site`: websites in S3, with CloudFront in front where it is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import (
    certificate,
    site_files,
    static_site_checks,
    static_site_options,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Declaration,
    Environment,
    Layer,
    api_names,
    declared_only,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.s3_buckets import PUBLIC_ACCESS, tls_only
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_files import LocalFolder
from ansible_collections.dockyard.aws.plugins.module_utils.resources.s3_site_manifest import RESERVED

# A website's policy makes it public; its objects' ACLs never do.
WEBSITE_ACCESS = {name: name in ("BlockPublicAcls", "IgnorePublicAcls") for name in PUBLIC_ACCESS}
PUBLIC_READ = {"Sid": "PublicRead", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
ORIGIN = "s3"
ERRORS = (403, 404)


class StaticSite(Layer):
    NAME = "static_site"
    DESCRIPTION = "Static websites: S3 buckets, their files, CloudFront distributions"
    ARGUMENT_SPEC = static_site_options.ARGUMENT_SPEC

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        for site in declaration.options["sites"]:
            yield _bucket(site, environment)
            if site["cloudfront"]:
                yield _control(site)
                yield _distribution(site, environment)
            if found := statements(site, environment):
                yield _policy(site, found)
            if site["files"]:
                yield _files(site, declaration.base_dir)

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        return static_site_checks.problems(declarations)

    def warn(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        return static_site_checks.warnings(declarations)


def where_of(site: Mapping[str, Any], option: str = "") -> str:
    return f"static_site.sites[{site['name']}]" + (f".{option}" if option else "")


def _tags(site: Mapping[str, Any], environment: Environment) -> dict[str, str]:
    return {**environment.tags, **(site["tags"] or {})}


def _bucket(site: Mapping[str, Any], environment: Environment) -> Resource:
    private = bool(site["cloudfront"] or site["redirect_all_requests_to"])
    properties: dict[str, Any] = {
        "ObjectOwnership": "BucketOwnerEnforced",
        "PublicAccessBlockConfiguration": dict.fromkeys(PUBLIC_ACCESS, True) if private else dict(WEBSITE_ACCESS),
        "WebsiteConfiguration": None if site["cloudfront"] else _website(site),
    }
    if site["versioning"] is not None:
        properties["VersioningConfiguration"] = {"Status": "Enabled" if site["versioning"] else "Suspended"}
    return Resource(
        "s3_bucket",
        site["name"],
        properties,
        where=where_of(site),
        tags=_tags(site, environment),
        options={"force_delete": site["force_delete"]},
        protect=site["protect"],
    )


def _website(site: Mapping[str, Any]) -> dict[str, Any]:
    """The whole of it, as S3 knows no other way to change a part; what is not declared is said to be absent."""
    absent = dict.fromkeys(("IndexDocument", "ErrorDocument", "RoutingRules", "RedirectAllRequestsTo"))
    if site["redirect_all_requests_to"]:
        return {**absent, "RedirectAllRequestsTo": api_names(site["redirect_all_requests_to"], capital=True)}
    return {
        **absent,
        "IndexDocument": {"Suffix": site["index_document"]},
        "ErrorDocument": {"Key": site["error_document"]} if site["error_document"] else None,
        "RoutingRules": [api_names(rule, capital=True) for rule in site["routing_rules"]],
    }


def statements(
    site: Mapping[str, Any], environment: Environment, distribution: str | None = None
) -> list[Mapping[str, Any]]:
    """What the bucket policy says. distribution: its ARN, where it is known; else it is referred to.

    S3 serves websites without TLS, so that is not refused there.
    """
    arn = f"arn:{environment.partition}:s3:::{site['name']}"
    found: list[Mapping[str, Any]] = []
    if site["cloudfront"]:
        found += _private(site, arn, distribution)
    elif not site["redirect_all_requests_to"]:
        found.append({**PUBLIC_READ, "Resource": f"{arn}/*"})
    if site["files"]:
        found.append(_closed(arn, environment.account_id))
    return [*found, *site["policy_statements"]]


def _policy(site: Mapping[str, Any], statements: Sequence[Mapping[str, Any]]) -> Resource:
    return Resource(
        "s3_bucket_policy",
        site["name"],
        {"Policy": {"Version": "2012-10-17", "Statement": list(statements)}},
        where=where_of(site),
        scope={"Bucket": Ref("s3_bucket", site["name"], "name", where=where_of(site))},
    )


def _private(site: Mapping[str, Any], arn: str, distribution: str | None) -> list[dict[str, Any]]:
    """Nobody but the one distribution."""
    reads = distribution or Ref("cloudfront_distribution", site["name"], "arn", where=where_of(site, "cloudfront"))
    read = {
        "Sid": "CloudFrontRead",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"{arn}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": reads}},
    }
    return [tls_only(arn), read]


def _closed(arn: str, account_id: str) -> dict[str, Any]:
    """The list of what was published is for the account alone."""
    return {
        "Sid": "ManifestStaysPrivate",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"{arn}/{RESERVED}*",
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": account_id}},
    }


def _control(site: Mapping[str, Any]) -> Resource:
    properties = {
        "Description": f"Reads the bucket {site['name']}",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }
    where = where_of(site, "cloudfront")
    return Resource("cloudfront_origin_access_control", site["name"], properties, where=where)


def _distribution(site: Mapping[str, Any], environment: Environment) -> Resource:
    cloudfront, where = site["cloudfront"], where_of(site, "cloudfront")
    viewer_certificate, issued = _certificate(cloudfront, environment, f"{where}.certificate")
    suffix = "amazonaws.com.cn" if environment.partition == "aws-cn" else "amazonaws.com"
    origin = {
        "Id": ORIGIN,
        "DomainName": f"{site['name']}.s3.{environment.region}.{suffix}",
        "OriginAccessControlId": Ref("cloudfront_origin_access_control", site["name"], "id", where=where),
    }
    properties = {
        "Comment": site["name"],
        "Enabled": True,
        "Aliases": aliases(site),
        "Origins": {ORIGIN: origin},
        "DefaultRootObject": site["index_document"],
        "DefaultCacheBehavior": _behavior(cloudfront),
        "CustomErrorResponses": [api_names(item, ERROR_NAMES, capital=True) for item in _errors(site)],
        "ViewerCertificate": viewer_certificate,
        "PriceClass": cloudfront["price_class"],
        "HttpVersion": cloudfront["http_version"],
        "IsIPV6Enabled": cloudfront["is_ipv6_enabled"],
        "WebACLId": cloudfront["web_acl_id"] or "",
    }
    return Resource(
        "cloudfront_distribution",
        site["name"],
        properties,
        where=where,
        tags=_tags(site, environment),
        depends_on=(Ref("s3_bucket", site["name"], "name", where=where), *issued),
        options={"wait": cloudfront["wait"]},
        protect=cloudfront["protect"],
    )


ERROR_NAMES = {"error_caching_min_ttl": "ErrorCachingMinTTL"}


def aliases(site: Mapping[str, Any]) -> list[str]:
    """The site's own name needs a certificate, as all aliases do."""
    cloudfront = site["cloudfront"]
    if cloudfront["aliases"] is not None:
        return list(cloudfront["aliases"])
    return [site["name"]] if cloudfront["certificate"] else []


def _behavior(cloudfront: Mapping[str, Any]) -> dict[str, Any]:
    functions = cloudfront["function_associations"]
    return {
        "TargetOriginId": ORIGIN,
        "ViewerProtocolPolicy": cloudfront["viewer_protocol_policy"],
        "Compress": cloudfront["compress"],
        "CachePolicyId": cloudfront["cache_policy_id"],
        "ResponseHeadersPolicyId": cloudfront["response_headers_policy_id"] or None,
        "FunctionAssociations": [api_names(item, {"function_arn": "FunctionARN"}, capital=True) for item in functions],
    }


def _errors(site: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A private bucket says 403 of what is not there, to those who may not list it."""
    declared = site["cloudfront"]["custom_error_responses"]
    if declared is not None:
        return [declared_only(item) for item in declared]
    if not site["error_document"]:
        return []
    page = {"response_page_path": f"/{site['error_document']}", "response_code": 404}
    return [{"error_code": code, **page} for code in ERRORS]


def _certificate(
    cloudfront: Mapping[str, Any], environment: Environment, where: str
) -> tuple[dict[str, Any], tuple[Ref, ...]]:
    """What viewers get, and what the distribution has to wait for."""
    name = cloudfront["certificate"]
    if not name:
        return {"CloudFrontDefaultCertificate": True}, ()
    if not name.startswith("arn:") and environment.region != static_site_checks.CERTIFICATE_REGION:
        name = f"{static_site_checks.CERTIFICATE_REGION}:{name}"
    arn, issued = certificate.reference(name, where)
    properties = {
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": cloudfront["minimum_protocol_version"],
    }
    return properties, issued


def _files(site: Mapping[str, Any], base_dir: str) -> Resource:
    files, where = site["files"], where_of(site, "files")
    properties: dict[str, Any] = {
        "Files": site_files.described(files, base_dir),
        "Remove": files["remove"],
        "Source": LocalFolder(str(site_files.folder(files, base_dir)), files["source"]),
    }
    if site["cloudfront"]:
        properties["DistributionId"] = Ref("cloudfront_distribution", site["name"], "id", where=where)
        properties["DefaultRootObject"] = site["index_document"]
    return Resource(
        "s3_site_files",
        site["name"],
        properties,
        where=where,
        scope={"Bucket": Ref("s3_bucket", site["name"], "name", where=where)},
        depends_on=(Ref("s3_bucket_policy", site["name"], "id", where=where),),
        protect=site["protect"],
    )
