# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out which service and action a request is."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qs

from botocore.session import get_session
from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import NotFound

# Services whose signing name differs from botocore's service name.
SIGNING_NAMES = {
    "monitoring": "cloudwatch",
    "elasticloadbalancing": "elbv2",
    "tagging": "resourcegroupstaggingapi",
    "email": "ses",
    "elasticfilesystem": "efs",
    "states": "stepfunctions",
}
UNKNOWN = "Unknown"


def identify(environ: dict[str, Any]) -> tuple[str, str]:
    """The botocore name of the service and the action's name, e.g. ("ec2", "CreateVpc")."""
    service = service_of(environ)
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return service, target.rsplit(".", 1)[-1]
    path = environ.get("PATH_INFO", "")
    if "/operation/" in path:  # smithy-rpc-v2-cbor
        return service, path.rsplit("/", 1)[-1]
    form = form_of(environ)
    if "Action" in form:
        if service == "elbv2" and form.get("Version") == ["2012-06-01"]:
            service = "elb"
        return service, form["Action"][0]
    return service, rest_action(service, environ)


def service_of(environ: dict[str, Any]) -> str:
    """The service in the signature's scope; an unsigned request is taken for S3, as moto does."""
    scope = scope_of(environ)
    service = SIGNING_NAMES.get(scope, scope)
    if service == "s3" and environ.get("PATH_INFO", "").startswith("/v20180820/"):
        return "s3control"
    return service


def scope_of(environ: dict[str, Any]) -> str:
    """The signing name, from the Authorization header or a presigned query."""
    authorization = environ.get("HTTP_AUTHORIZATION", "")
    found, credential = authorization.partition("Credential=")[1:]
    if not found:
        query = parse_qs(environ.get("QUERY_STRING", ""))
        credential = (query.get("X-Amz-Credential") or [""])[0]
    parts = credential.split(",")[0].split("/")
    return parts[3].lower() if len(parts) >= 5 else "s3"


def form_of(environ: dict[str, Any]) -> dict[str, list[str]]:
    """The fields of a query-protocol request; the body is left readable."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(environ.get("QUERY_STRING", ""))
    body = environ["wsgi.input"].read()
    environ["wsgi.input"] = io.BytesIO(body)
    return parse_qs(body.decode("utf-8", "replace"))


def rest_action(service: str, environ: dict[str, Any]) -> str:
    """The operation whose method, path, query and headers match, by botocore's model of the service."""
    if service not in get_session().get_available_services():
        return UNKNOWN
    try:
        operation, _parameters = get_service_router(service).match(Request(dict(environ)))
    except (NotFound, NotImplementedError):
        return UNKNOWN
    return str(operation.name)
