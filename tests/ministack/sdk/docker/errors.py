# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that ministack catches by name."""

from __future__ import annotations


class DockerException(Exception):
    """Any."""


class APIError(DockerException):
    """The daemon says no."""


class NotFound(APIError):
    """There is no such container."""


class ImageNotFound(NotFound):
    """There is no such image."""
