# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the layer `static_site`."""

from __future__ import annotations

from typing import Any

PROTOCOLS = ["http", "https"]
# CloudFront's own policy CachingOptimized: caches by path alone, compressed, as long as Cache-Control says.
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"

REDIRECT_OPTIONS: dict[str, Any] = {
    "host_name": {"type": "str", "description": "Host of the target. Without it, the host that was asked for."},
    "protocol": {"type": "str", "choices": PROTOCOLS, "description": "Protocol of the target."},
    "http_redirect_code": {
        "type": "str",
        "description": "Status of the answer, such as V(302). S3's default is V(301).",
    },
    "replace_key_prefix_with": {
        "type": "str",
        "description": "What takes the place of O(condition.key_prefix_equals) in the path.",
    },
    "replace_key_with": {"type": "str", "description": "The path of the target, whatever was asked for."},
}
ROUTING_RULE_OPTIONS: dict[str, Any] = {
    "condition": {
        "type": "dict",
        "description": "When the rule holds. Without it, always.",
        "options": {
            "key_prefix_equals": {"type": "str", "description": "The path begins so."},
            "http_error_code_returned_equals": {"type": "str", "description": "S3 would answer with this error."},
        },
    },
    "redirect": {
        "type": "dict",
        "required": True,
        "options": REDIRECT_OPTIONS,
        "description": "Where to.",
    },
}
HEADER_OPTIONS: dict[str, Any] = {
    "pattern": {
        "type": "str",
        "required": True,
        "description": "Which files, by their path in the folder. V(*) stands for any characters, slashes among them.",
    },
    "cache_control": {"type": "str", "description": "Header Cache-Control."},
    "content_type": {"type": "str", "description": "Header Content-Type. Without it, by the ending of the name."},
    "content_encoding": {
        "type": "str",
        "description": "Header Content-Encoding, of files that are compressed already.",
    },
    "content_disposition": {"type": "str", "description": "Header Content-Disposition."},
    "content_language": {"type": "str", "description": "Header Content-Language."},
    "metadata": {"type": "dict", "description": "Headers of your own; each begins with C(x-amz-meta-)."},
}
FILES_OPTIONS: dict[str, Any] = {
    "source": {
        "type": "str",
        "required": True,
        "description": "The folder with the built site. A relative one begins at the folder of the inventory.",
    },
    "exclude": {
        "type": "list",
        "elements": "str",
        "default": [".git/*", ".DS_Store", "*/.DS_Store"],
        "description": "Patterns of files that are not published, as in O(headers[].pattern).",
    },
    "headers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": HEADER_OPTIONS,
        "description": "Headers by pattern. Of each header, the first rule counts that matches and has it.",
    },
    "remove": {
        "type": "str",
        "choices": ["published", "all", "none"],
        "default": "published",
        "description": (
            "What goes from the bucket when the folder does not have it: what was published from it before, "
            "every other object too, or nothing."
        ),
    },
}
ERROR_RESPONSE_OPTIONS: dict[str, Any] = {
    "error_code": {"type": "int", "required": True, "description": "The error that the bucket answers with."},
    "response_page_path": {"type": "str", "description": "Path of the page that is shown instead, with its slash."},
    "response_code": {"type": "int", "description": "Status of that answer; V(200) for an application of one page."},
    "error_caching_min_ttl": {"type": "int", "description": "Seconds for which the error is cached. Default V(10)."},
}
CLOUDFRONT_OPTIONS: dict[str, Any] = {
    "aliases": {
        "type": "list",
        "elements": "str",
        "description": "Domains under which it answers. Defaults to the site's name, where there is a certificate.",
    },
    "certificate": {
        "type": "str",
        "description": (
            "Certificate in us-east-1 that covers all O(cloudfront.aliases): its name in the layer C(certificate), "
            "declared there with C(region: us-east-1), or the ARN of one that is issued."
        ),
    },
    "minimum_protocol_version": {
        "type": "str",
        "default": "TLSv1.2_2021",
        "choices": ["TLSv1.2_2018", "TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"],
        "description": "Oldest TLS that viewers may use.",
    },
    "price_class": {
        "type": "str",
        "choices": ["PriceClass_100", "PriceClass_200", "PriceClass_All"],
        "default": "PriceClass_All",
        "description": "Which edge locations serve it.",
    },
    "http_version": {
        "type": "str",
        "choices": ["http1.1", "http2", "http3", "http2and3"],
        "default": "http2and3",
        "description": "Newest HTTP that viewers may use.",
    },
    "is_ipv6_enabled": {"type": "bool", "default": True, "description": "Answer over IPv6 too."},
    "viewer_protocol_policy": {
        "type": "str",
        "choices": ["redirect-to-https", "https-only", "allow-all"],
        "default": "redirect-to-https",
        "description": "What happens to viewers without TLS.",
    },
    "compress": {"type": "bool", "default": True, "description": "Compress what compresses well."},
    "cache_policy_id": {
        "type": "str",
        "default": CACHING_OPTIMIZED,
        "description": "Cache policy. The default is CloudFront's own C(CachingOptimized).",
    },
    "response_headers_policy_id": {"type": "str", "description": "Policy of the headers that CloudFront adds."},
    "function_associations": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "description": "CloudFront functions that see requests and answers.",
        "options": {
            "event_type": {
                "type": "str",
                "required": True,
                "choices": ["viewer-request", "viewer-response"],
                "description": "When it is called.",
            },
            "function_arn": {"type": "str", "required": True, "description": "ARN of the function."},
        },
    },
    "custom_error_responses": {
        "type": "list",
        "elements": "dict",
        "options": ERROR_RESPONSE_OPTIONS,
        "description": "Pages in the place of errors. Defaults to O(error_document), with V(404), where there is one.",
    },
    "web_acl_id": {"type": "str", "description": "ARN of a web ACL of AWS WAF."},
    "wait": {
        "type": "bool",
        "default": True,
        "description": "Wait until CloudFront has deployed a change everywhere, which takes some minutes.",
    },
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete the distribution."},
}
SITE_OPTIONS: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": "Name of the bucket. S3 serves a website under its own domain only where this is that domain.",
    },
    "index_document": {
        "type": "str",
        "default": "index.html",
        "description": "What answers for a folder; with O(cloudfront), for the root alone.",
    },
    "error_document": {"type": "str", "description": "The page for errors."},
    "redirect_all_requests_to": {
        "type": "dict",
        "description": "Send everybody elsewhere. There are no files then.",
        "options": {
            "host_name": {"type": "str", "required": True, "description": "Where to."},
            "protocol": {"type": "str", "choices": PROTOCOLS, "description": "Default: that of the request."},
        },
    },
    "routing_rules": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": ROUTING_RULE_OPTIONS,
        "description": "Redirects of single paths or errors; the first that matches counts.",
    },
    "files": {
        "type": "dict",
        "options": FILES_OPTIONS,
        "description": "What is published. Without it, the bucket is made and somebody else fills it.",
    },
    "cloudfront": {
        "type": "dict",
        "options": CLOUDFRONT_OPTIONS,
        "description": "Serve it by a CloudFront distribution. The bucket is then private, and no S3 website.",
    },
    "policy_statements": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "description": "Statements of the bucket policy, in addition to those that serving the site takes.",
    },
    "versioning": {"type": "bool", "description": "Keep old versions of objects. Without it, left as it is."},
    "force_delete": {
        "type": "bool",
        "default": False,
        "description": "Let destroy delete the bucket with what others put into it, and with old versions.",
    },
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete bucket and files."},
    "tags": {"type": "dict", "description": "Tags of bucket and distribution, in addition to O(dockyard_tags)."},
}
ARGUMENT_SPEC: dict[str, Any] = {
    "sites": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": SITE_OPTIONS,
        "description": "The websites of this host: usually one, perhaps with others that redirect to it.",
    },
}
