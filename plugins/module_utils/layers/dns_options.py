# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the layer `dns`."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_names import TYPES

DEFAULT_TTL = 300

ALIAS_OPTIONS: dict[str, Any] = {
    "load_balancer": {"type": "str", "description": "Name of the load balancer that answers."},
    "s3_website": {
        "type": "bool",
        "description": "The S3 website in the bucket of the record's own name answers.",
    },
    "cloudfront": {
        "type": "str",
        "description": (
            "The CloudFront distribution that answers: name of the site in the layer C(static_site), or the "
            "distribution's domain name (V(d111111abcdef8.cloudfront.net))."
        ),
    },
    "dns_name": {"type": "str", "description": "Any other AWS resource that answers, with O(hosted_zone_id)."},
    "hosted_zone_id": {"type": "str", "description": "Hosted zone of O(dns_name), as the AWS documentation lists it."},
    "evaluate_target_health": {
        "type": "bool",
        "default": False,
        "description": "Answer only while the target is healthy.",
    },
}

RECORD_OPTIONS: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": "Its whole name (V(api.example.org)); the first label may be V(*).",
    },
    "type": {"type": "str", "choices": list(TYPES), "default": "A", "description": "Its type."},
    "zone": {
        "type": "str",
        "description": "The hosted zone that it is in. Default is the public one of the account that owns the name.",
    },
    "private": {
        "type": "bool",
        "default": False,
        "description": "O(zone) is a private hosted zone.",
    },
    "values": {
        "type": "list",
        "elements": "str",
        "description": "Its values, in any order. Texts (V(TXT)) are put in quotes, and cut where they are long.",
    },
    "ttl": {"type": "int", "description": f"For how many seconds it may be kept. Default is V({DEFAULT_TTL})."},
    "alias": {
        "type": "dict",
        "options": ALIAS_OPTIONS,
        "description": "Instead of values: the AWS resource that answers. Give one of them.",
    },
    "set_identifier": {
        "type": "str",
        "description": "Tells apart records of one name and type; with one of the options that follow.",
    },
    "weight": {"type": "int", "description": "Its share of the answers (0 to 255)."},
    "latency_region": {"type": "str", "description": "Answers those for whom this region is the nearest."},
    "failover": {"type": "str", "choices": ["PRIMARY", "SECONDARY"], "description": "Which one answers first."},
    "multi_value_answer": {"type": "bool", "description": "Several healthy ones answer at once."},
    "health_check_id": {"type": "str", "description": "Id of the health check that says whether it may answer."},
    "by_hand": {
        "type": "bool",
        "default": False,
        "description": (
            "The name is in a zone elsewhere, where somebody else makes the record: the run says which. For an "
            "O(alias) of a load balancer, an S3 website, or a site's CloudFront distribution."
        ),
    },
    "wait": {
        "type": "bool",
        "default": False,
        "description": "Wait until all name servers of Route 53 know of a change: about a minute.",
    },
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete it."},
}

ZONE_OPTIONS: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the zone, such as V(lms.example.org)."},
    "comment": {"type": "str", "description": "What it is for."},
    "vpcs": {
        "type": "list",
        "elements": "str",
        "description": "Names of the VPCs that see it: this makes it a private zone.",
    },
    "force_delete": {
        "type": "bool",
        "default": False,
        "description": "Let destroy delete the zone although there are records in it that nobody declared.",
    },
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete it."},
    "tags": {"type": "dict", "description": "Tags of this zone, in addition to O(dockyard_tags)."},
}

ARGUMENT_SPEC: dict[str, Any] = {
    "zones": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": ZONE_OPTIONS,
        "description": "Hosted zones to make. Zones that are there already are found by their names.",
    },
    "records": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": RECORD_OPTIONS,
        "description": "The records of this host.",
    },
}
