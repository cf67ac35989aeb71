# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Load Balancing: application load balancers, target groups, listeners, listener rules."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_listeners import Listener
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_load_balancers import LoadBalancer
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_rules import ListenerRule
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_target_groups import TargetGroup

KINDS = (LoadBalancer, TargetGroup, Listener, ListenerRule)
