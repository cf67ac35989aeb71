# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What declarations of S3 buckets have in common."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]*[a-z0-9]")
WITH_DOTS = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", "--x-s3", "--table-s3")
PUBLIC_ACCESS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def tls_only(arn: str) -> dict[str, Any]:
    """The statement that refuses every call without TLS."""
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def name_problems(name: str, dots: bool = False) -> Iterator[str]:
    """The rules of general purpose buckets. dots: S3 allows them, but its wildcard certificate does not cover them."""
    if not 3 <= len(name) <= 63:
        yield f"bucket name {name!r} has {len(name)} characters, allowed are 3 to 63"
    elif "." in name and not dots:
        yield f"bucket name {name!r} must not contain dots: S3's TLS certificate does not cover such names"
    elif ADDRESS.fullmatch(name):
        yield f"bucket name {name!r} must not look like an IP address"
    elif not (WITH_DOTS if dots else BUCKET_NAME).fullmatch(name):
        allowed = (
            "lower-case letters, digits, hyphens and single dots" if dots else "lower-case letters, digits and hyphens"
        )
        yield f"bucket name {name!r} may have {allowed}, and no hyphen at its ends"
    for prefix in RESERVED_PREFIXES:
        if name.startswith(prefix):
            yield f"bucket name {name!r} must not begin with {prefix!r}, which AWS reserves"
    for suffix in RESERVED_SUFFIXES:
        if name.endswith(suffix):
            yield f"bucket name {name!r} must not end with {suffix!r}, which AWS reserves"
