# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Systems Manager: parameters, which are only read."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed, Wanted

NAMES_PER_CALL = 10


class SsmParameter(Kind):
    """A parameter that others refer to by its full path, such as AWS's public parameters with the ids of AMIs.

    Secure strings come back encrypted: what is secret has no place in a launch template.
    """

    kind = "ssm_parameter"
    label = "SSM parameter"
    taggable = False

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        ssm = aws.client("ssm")
        names = sorted({item.name for item in wanted})
        answers = [ssm.get_parameters(Names=some) for some in chunks(names, NAMES_PER_CALL)]
        found = [parameter for answer in answers for parameter in answer["Parameters"]]
        return {item["Name"]: Observed(item["Name"], {}, {"value": item["Value"]}) for item in found}


KINDS = (SsmParameter,)
