# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Amazon Route 53: hosted zones and records."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_by_hand import RecordByHand
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_records import Route53Record
from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_zones import Route53Zone, Route53ZoneOf

KINDS = (Route53Zone, Route53ZoneOf, Route53Record, RecordByHand)
