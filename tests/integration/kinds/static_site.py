# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Static websites: every change that AWS lets one make, alone."""

from __future__ import annotations

from typing import Any

NAME = "www.dockyard.example"
BUCKET, POLICY, FILES = f"s3_bucket/{NAME}", f"s3_bucket_policy/{NAME}", f"s3_site_files/{NAME}"
DISTRIBUTION = f"cloudfront_distribution/{NAME}"
BEHAVIOR = "DefaultCacheBehavior."
TLS = (
    "ViewerCertificate.ACMCertificateArn",
    "ViewerCertificate.MinimumProtocolVersion",
    "ViewerCertificate.SSLSupportMethod",
)
DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000001"
WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/front/00000000-0000-0000-0000-000000000002"
FUNCTION = "arn:aws:cloudfront::123456789012:function/folders"
STATEMENT = {
    "Sid": "Read",
    "Effect": "Allow",
    "Principal": {"AWS": "111122223333"},
    "Action": "s3:ListBucket",
    "Resource": f"arn:aws:s3:::{NAME}",
}
RULE = {"condition": {"key_prefix_equals": "old/"}, "redirect": {"replace_key_prefix_with": "docs/"}}
BASE: dict[str, Any] = {"name": NAME, "error_document": "404.html", "tags": {"Team": "web"}}
NEXT = ("Files[index.html].SHA256", "Files[assets/app.2.js]", "Files[assets/app.js]")
PAGES = ("404.html", "docs/index.html", "index.html")


def declared(files: Any = None, **changes: Any) -> dict[str, Any]:
    site = {**BASE, "files": files or {"source": "site"}, **changes}
    return {"static_site": {"front-end": {"sites": [site]}}}


def redirected(**target: Any) -> dict[str, Any]:
    """A site without files."""
    site = {"name": NAME, "redirect_all_requests_to": {"host_name": "example.org", **target}}
    return {"static_site": {"front-end": {"sites": [site]}}}


def fronted(**changes: Any) -> dict[str, Any]:
    return declared(cloudfront={"compress": True, **changes})


def update(name: str, address: str, *paths: str, make: Any = declared, **changes: Any) -> dict[str, Any]:
    return {"id": f"site {name}", "declared": make(**changes), "address": address, "paths": list(paths)}


def files(name: str, *paths: str, **changes: Any) -> dict[str, Any]:
    return update(name, FILES, *paths, files={"source": "site", **changes})


def distribution(name: str, *paths: str, **changes: Any) -> dict[str, Any]:
    return update(f"distribution {name}", DISTRIBUTION, *paths, make=fronted, **changes)


CASES: list[dict[str, Any]] = [
    {
        "id": "static site",
        "kind": "s3_site_files",
        "also": ["s3_bucket_policy"],
        "declared": declared(),
        "updates": [
            update("index document", BUCKET, "WebsiteConfiguration.IndexDocument.Suffix", index_document="404.html"),
            update("error document", BUCKET, "WebsiteConfiguration.ErrorDocument.Key", error_document="index.html"),
            update("no error document", BUCKET, "WebsiteConfiguration.ErrorDocument", error_document=None),
            update("routing rules", BUCKET, "WebsiteConfiguration.RoutingRules", routing_rules=[RULE]),
            update("versioning", BUCKET, "VersioningConfiguration.Status", versioning=True, force_delete=True)
            | {"back": False},
            update("tags", BUCKET, "tags.Team", tags={"Team": "front"}),
            update("policy", POLICY, "Policy.Statement", policy_statements=[STATEMENT]),
            files("content", *NEXT, source="site-next"),
            files(
                "content, and keep what was",
                "Files[index.html].SHA256",
                "Files[assets/app.2.js]",
                source="site-next",
                remove="none",
            )
            | {"back": False},
            files(
                "cache headers of pages",
                *(f"Files[{page}].CacheControl" for page in PAGES),
                headers=[{"pattern": "*.html", "cache_control": "no-cache"}],
            ),
            files(
                "all other headers",
                "Files[assets/app.js].ContentType",
                "Files[assets/app.js].ContentEncoding",
                "Files[assets/app.js].ContentDisposition",
                "Files[assets/app.js].ContentLanguage",
                "Files[assets/app.js].Metadata",
                headers=[
                    {"pattern": "assets/*.js", "content_type": "application/javascript", "metadata": {"Build": 7}},
                    {"pattern": "*.js", "content_encoding": "identity", "content_language": "en"},
                    {"pattern": "*.js", "content_disposition": "inline", "content_type": "text/plain"},
                ],
            ),
            files("excluded", "Files[docs/index.html]", exclude=["docs/*"]),
        ],
    },
    {
        "id": "static site that redirects",
        "kind": "s3_bucket",
        "declared": redirected(),
        "updates": [
            update(
                "redirect with a protocol",
                BUCKET,
                "WebsiteConfiguration.RedirectAllRequestsTo.Protocol",
                make=redirected,
                protocol="https",
            ),
        ],
    },
    {
        "id": "static site behind CloudFront",
        "kind": "cloudfront_distribution",
        "also": ["cloudfront_origin_access_control"],
        "declared": fronted(),
        "updates": [
            distribution("price class", "PriceClass", price_class="PriceClass_100"),
            distribution("HTTP version", "HttpVersion", http_version="http3"),
            distribution("no IPv6", "IsIPV6Enabled", is_ipv6_enabled=False),
            distribution("aliases", "Aliases", *TLS, certificate=CERTIFICATE),
            distribution("protocols", BEHAVIOR + "ViewerProtocolPolicy", viewer_protocol_policy="https-only"),
            distribution("no compression", BEHAVIOR + "Compress", compress=False),
            distribution("cache policy", BEHAVIOR + "CachePolicyId", cache_policy_id=DISABLED),
            distribution("response headers", BEHAVIOR + "ResponseHeadersPolicyId", response_headers_policy_id=HEADERS),
            distribution(
                "functions",
                BEHAVIOR + "FunctionAssociations",
                function_associations=[{"event_type": "viewer-request", "function_arn": FUNCTION}],
            ),
            distribution(
                "errors",
                "CustomErrorResponses",
                custom_error_responses=[
                    {"error_code": 403, "response_page_path": "/index.html", "response_code": 200},
                    {"error_code": 502, "error_caching_min_ttl": 5},
                ],
            ),
            distribution("web ACL", "WebACLId", web_acl_id=WEB_ACL),
            update(
                "distribution root object",
                DISTRIBUTION,
                "DefaultRootObject",
                make=declared,
                cloudfront={"compress": True},
                index_document="404.html",
            ),
        ],
    },
]
