# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs this, where, and at what time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.layers.bootstrap.checks import (
    Check,
    failed,
    note,
    ok,
)

# AWS refuses signatures that are older than five minutes.
WORST_SKEW = 300.0
SKEW = 30.0
LOG_IN = "set aws_profile, or log in: aws sso login, aws configure, or the AWS_* environment variables"
SET_CLOCK = "set this machine's clock, with NTP: AWS refuses what is signed at another time"


def check(aws: Aws, expected: str) -> Iterator[Check]:
    """Credentials, account, region, clock."""
    try:
        answer = aws.client("sts").get_caller_identity()
    except Exception as error:
        said = str(errors.explained(error, "find out who runs this", aws.layer))
        skew = _skew(getattr(error, "response", {}))
        yield failed("credentials", said, LOG_IN if skew is None or abs(skew) < WORST_SKEW else SET_CLOCK)
        return
    yield ok("credentials", answer["Arn"])
    yield _account(answer["Account"], expected)
    yield ok("region", aws.region)
    yield from _clock(_skew(answer))


def _account(account: str, expected: str) -> Check:
    if not expected:
        todo = f'set aws_account_id: "{account}" in group_vars/all.yml, so that no run works in another one'
        return note("account", f"{account}, whatever the credentials belong to", todo)
    if account != expected:
        todo = "use credentials of that account (aws_profile), or correct aws_account_id"
        return failed("account", f"the credentials belong to {account}, and aws_account_id is {expected}", todo)
    return ok("account", f"{account}, as aws_account_id says")


def _clock(skew: float | None) -> Iterator[Check]:
    if skew is None:
        return
    said = f"{abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} AWS"
    if abs(skew) >= WORST_SKEW:
        yield failed("clock", said, SET_CLOCK)
    elif abs(skew) >= SKEW:
        yield note("clock", said, SET_CLOCK)
    else:
        yield ok("clock", "agrees with that of AWS")


def _skew(answer: Any, now: datetime | None = None) -> float | None:
    """How many seconds this machine's clock is ahead of AWS; None where the answer does not say."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        theirs = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return ((now or datetime.now(UTC)) - theirs).total_seconds()
