# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which wire protocol a request speaks."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.session import get_session


@cache
def model_protocol(service: str) -> str:
    """The protocol in botocore's model of the service."""
    try:
        metadata = get_session().get_service_model(service).metadata
    except UnknownServiceError:
        return "rest-xml"
    return str(metadata["protocol"])


def protocol_of(service: str, environ: dict[str, Any]) -> str:
    """The protocol that this very request uses: some services speak several."""
    content_type = environ.get("CONTENT_TYPE", "")
    if "cbor" in environ.get("HTTP_SMITHY_PROTOCOL", "") or "cbor" in content_type:
        return "smithy-rpc-v2-cbor"
    if content_type.startswith("application/x-amz-json"):
        return "json"
    protocol = model_protocol(service)
    if protocol == "json" and content_type.startswith("application/x-www-form-urlencoded"):
        return "query"
    return protocol
