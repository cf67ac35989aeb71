# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of Terraform's resources that say nothing about AWS, or what AWS has by default."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.names import common_type
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Thing

# What AWS gives a thing, and how Terraform is to work.
COMPUTED = frozenset(
    {
        *("arn", "arn_suffix", "arn_without_revision", "attachment_count", "availability_zone_id", "create_date"),
        *("bucket_domain_name", "bucket_regional_domain_name", "default_network_acl_id", "default_route_table_id"),
        *("default_security_group_id", "default_version", "description", "dhcp_options_id", "dns_name", "grant"),
        *("hosted_zone_id", "id", "latest_version", "load_balancer_arns", "main_route_table_id", "name"),
        *("name_prefix", "origin", "owner_id", "policy_id", "region", "registry_id", "repository_url", "revision"),
        *("security_group_rule_id", "service_linked_role_arn", "state", "stream_arn", "stream_label", "tag"),
        *("tags", "tags_all", "unique_id", "vpc_id", "website_domain", "website_endpoint", "zone_id"),
        *("force_delete", "force_destroy", "force_detach_policies", "force_new_deployment", "timeouts", "triggers"),
        *("revoke_rules_on_delete", "skip_destroy", "track_latest", "update_default_version", "user_data_base64"),
        *("expected_bucket_owner", "ignore_failed_scaling_activities", "public_dns", "public_ip", "private_dns"),
        *("private_ip", "association_id", "allocation_id", "network_border_group", "network_interface"),
        *("wait_for_capacity_timeout", "wait_for_steady_state", "predicted_capacity", "has_implicit_deny"),
    }
)
DEFAULTS: dict[str, dict[str, Any]] = {
    "aws_acm_certificate": {
        **dict.fromkeys(("domain_validation_options", "not_after", "not_before", "pending_renewal")),
        **dict.fromkeys(("renewal_eligibility", "renewal_summary", "status", "type", "validation_emails")),
    },
    "aws_autoscaling_group": {"metrics_granularity": "1Minute", "desired_capacity": None, "availability_zones": None},
    "aws_dynamodb_table": {"billing_mode": "PAY_PER_REQUEST", "table_class": "STANDARD"},
    "aws_eip": {"domain": "vpc", "public_ipv4_pool": "amazon"},
    "aws_internet_gateway": {},
    "aws_lb": {"enable_cross_zone_load_balancing": True, "subnet_mapping": None},
    "aws_nat_gateway": {"connectivity_type": "public"},
    "aws_s3_bucket": {
        # Each of these is a resource of its own today, and only shown here.
        **dict.fromkeys(("lifecycle_rule", "policy", "server_side_encryption_configuration", "versioning")),
        "request_payer": "BucketOwner",
    },
    "aws_s3_bucket_lifecycle_configuration": {"transition_default_minimum_object_size": None},
    "aws_subnet": {"private_dns_hostname_type_on_launch": "ip-name"},
    "aws_iam_role": {"inline_policy": None, "managed_policy_arns": None},
}


def says_nothing(thing: Thing, path: str) -> bool:
    """Whether an attribute that no mapper read need not be told of. A default of None stands for any value."""
    name = path.split(".", 1)[0].split("[", 1)[0]
    if path in COMPUTED:
        return True
    defaults = DEFAULTS.get(common_type(thing.type), {})
    return name in defaults and defaults[name] in (None, thing.attributes.get(name))
