# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS SDK for Python. It may be missing where Ansible only looks at the modules; their first act is to check."""

from __future__ import annotations

try:
    import boto3
    from botocore import exceptions
    from botocore.config import Config
except ImportError:
    boto3 = exceptions = Config = None

__all__ = ["Config", "boto3", "exceptions"]
