# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Botocore's errors in words that say what to do."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "PriorRequestNotComplete",
    }
)
EXISTS = re.compile("AlreadyExists|AlreadyOwned|Duplicate|InUse")
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
INVALID_CREDENTIALS = frozenset(
    {"InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException", "SignatureDoesNotMatch"}
)


class AwsError(ReconcileError):
    """An AWS call that failed, explained."""


def code_of(error: BaseException) -> str:
    """The AWS error code, or an empty text where it is not an answer of AWS."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, exceptions.ClientError) else ""


def is_lost_answer(error: BaseException) -> bool:
    """True where a call may have been carried out although no good answer came, or was refused for its rate alone."""
    if isinstance(
        error,
        (
            exceptions.ReadTimeoutError,
            exceptions.ConnectionClosedError,
            exceptions.ConnectTimeoutError,
            exceptions.EndpointConnectionError,
        ),
    ):
        return True
    if isinstance(error, exceptions.ClientError):
        answer = error.response.get("ResponseMetadata", {})
        # Of a call that the SDK repeated, an earlier attempt may have made what now is said to exist already.
        made_before = answer.get("RetryAttempts", 0) > 0 and EXISTS.search(code_of(error))
        return answer.get("HTTPStatusCode", 0) >= 500 or code_of(error) in THROTTLES or bool(made_before)
    return False


def explained(error: BaseException, doing: str, layer: str = "") -> ReconcileError:
    """The error as people read it: what was being done, which call, which code, and what to do next."""
    if isinstance(error, ReconcileError):
        return error
    if isinstance(error, exceptions.ClientError):
        return AwsError(_client_error(error, doing, layer))
    if isinstance(error, exceptions.ParamValidationError):
        return AwsError(f"cannot {doing}: the request does not fit the AWS API: {_one_line(error)}")
    if isinstance(
        error,
        (
            exceptions.NoCredentialsError,
            exceptions.ProfileNotFound,
            exceptions.NoRegionError,
            exceptions.TokenRetrievalError,
        ),
    ):
        return AwsError(
            f"cannot {doing}: {_one_line(error)}. Set aws_profile, aws_region or the AWS_* environment variables."
        )
    if isinstance(error, exceptions.BotoCoreError):
        return AwsError(f"cannot {doing}: AWS could not be reached or did not answer: {_one_line(error)}")
    return AwsError(f"cannot {doing}: {type(error).__name__}: {_one_line(error)}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _client_error(error: Any, doing: str, layer: str) -> str:
    code, text = code_of(error), error.response.get("Error", {}).get("Message", "")
    said = f"cannot {doing}: {error.operation_name} was answered with {code}: {' '.join(str(text).split())}"
    advice = _advice(code, error.operation_name, layer)
    return f"{said.rstrip('.')}. {advice}".strip()


def _advice(code: str, operation: str, layer: str) -> str:
    if code in DENIED:
        return (
            f"The credentials of the layer {layer!r} do not allow {operation}; "
            "the README of its role lists the actions that it needs."
        )
    if code in EXPIRED:
        return "The credentials have expired: log in again and run the same command, it goes on where it stopped."
    if code in INVALID_CREDENTIALS:
        return "AWS does not accept these credentials: check aws_profile and the AWS_* environment variables."
    if code in THROTTLES:
        return "AWS throttled the calls in spite of retries: run again, or lower dockyard_parallelism."
    if "LimitExceeded" in code or "QuotaExceeded" in code:
        return "A service quota of the account is used up: raise it, or remove what is no longer needed."
    return ""
