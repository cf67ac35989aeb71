# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module static_site inside the ansible-playbook process."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.plugin_utils.in_process import LayerAction


class ActionModule(LayerAction):
    LAYER = "static_site"
