# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All roles, users and customer managed policies of the account, read with one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws

FILTERS = ["User", "Role", "LocalManagedPolicy"]
ALL = "all"
LISTS = ("UserDetailList", "RoleDetailList", "Policies")

Details = dict[str, list[dict[str, Any]]]


def account_details(aws: Aws) -> Details:
    """UserDetailList, RoleDetailList and Policies, for all kinds of a reading with one call."""
    iam = aws.client("iam")
    if aws.answers is None:
        return _read(iam)
    found: Details = aws.answers.of("account details", [ALL], lambda names: {ALL: _read(iam)})[ALL]
    return found


def tags_of_namesake(details: Details, policy: dict[str, Any]) -> list[dict[str, str]] | None:
    """The tags of the user or role that has the policy's name and the policy, or None.

    GetAccountAuthorizationDetails leaves out the tags of policies. An administrator and its policy are made together,
    with the same name and the same tags, so these need not be asked for one policy at a time.
    """
    for kind, noun in (("UserDetailList", "User"), ("RoleDetailList", "Role")):
        for item in details[kind]:
            attached = {one["PolicyArn"] for one in item.get("AttachedManagedPolicies", ())}
            if item[f"{noun}Name"] == policy["PolicyName"] and policy["Arn"] in attached:
                return list(item.get("Tags", ()))
    return None


def _read(iam: Any) -> Details:
    paginator = iam.get_paginator("get_account_authorization_details")
    found: Details = {name: [] for name in LISTS}
    for page in paginator.paginate(Filter=FILTERS, PaginationConfig={"PageSize": 1000}):
        for name in LISTS:
            found[name].extend(page.get(name, ()))
    return found
