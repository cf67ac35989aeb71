# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After which errors of a create the thing may exist nevertheless."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors


def answered(code, status=400, retries=0):
    metadata = {"HTTPStatusCode": status, "RetryAttempts": retries}
    return ClientError({"Error": {"Code": code, "Message": ""}, "ResponseMetadata": metadata}, "Create")


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (answered("InternalFailure", 500), True),
        (answered("Throttling"), True),
        (ReadTimeoutError(endpoint_url="http://aws"), True),
        (answered("DuplicateListener", retries=1), True),
        (answered("EntityAlreadyExists", 409, retries=2), True),
        (answered("ResourceInUseException", retries=1), True),
        (answered("DuplicateListener"), False),
        (answered("AccessDenied", 403, retries=1), False),
        (ParamValidationError(report="no"), False),
    ],
)
def test_an_answer_may_be_lost(error, lost):
    assert errors.is_lost_answer(error) is lost
