# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours, where ansible-core colours at all."""

from __future__ import annotations

from ansible.utils.color import stringc


def paint(text: str, colour: str) -> str:
    return text if colour in ("normal", "bold") else str(stringc(text, colour))
