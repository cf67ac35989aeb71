# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Certificate Manager: certificates and their validation."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.resources.acm_certificates import AcmCertificate
from ansible_collections.dockyard.aws.plugins.module_utils.resources.acm_validation import (
    AcmCertificateValidation,
    AcmValidationRecord,
)

KINDS = (AcmCertificate, AcmValidationRecord, AcmCertificateValidation)
