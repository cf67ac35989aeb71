# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that keeps IAM from deleting a user: credentials and group memberships."""

from __future__ import annotations

from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless

GONE = "NoSuchEntity"


class Credential(NamedTuple):
    """How a sort of credentials is listed and deleted. identifier: key in the list, and parameter of the deletion."""

    listing: str
    result: str
    deletion: str
    identifier: str


CREDENTIALS = (
    Credential("list_access_keys", "AccessKeyMetadata", "delete_access_key", "AccessKeyId"),
    Credential("list_mfa_devices", "MFADevices", "deactivate_mfa_device", "SerialNumber"),
    Credential("list_ssh_public_keys", "SSHPublicKeys", "delete_ssh_public_key", "SSHPublicKeyId"),
    Credential("list_signing_certificates", "Certificates", "delete_signing_certificate", "CertificateId"),
    Credential(
        "list_service_specific_credentials",
        "ServiceSpecificCredentials",
        "delete_service_specific_credential",
        "ServiceSpecificCredentialId",
    ),
    Credential("list_groups_for_user", "Groups", "remove_user_from_group", "GroupName"),
)


def delete_credentials(iam: Any, user: str) -> None:
    """Delete all credentials of a user and take it out of its groups."""
    unless(GONE, iam.delete_login_profile, UserName=user)
    for sort in CREDENTIALS:
        answer = unless(GONE, getattr(iam, sort.listing), UserName=user) or {}
        for item in answer.get(sort.result, ()):
            identifier = {sort.identifier: item[sort.identifier]}
            unless(GONE, getattr(iam, sort.deletion), UserName=user, **identifier)
            if sort.result == "MFADevices" and ":mfa/" in item["SerialNumber"]:
                unless(GONE, iam.delete_virtual_mfa_device, SerialNumber=item["SerialNumber"])
