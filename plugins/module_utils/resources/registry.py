# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All resource kinds, by name."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.resources import (
    acm,
    autoscaling,
    cloudfront,
    dynamodb,
    ec2_launch_template,
    ec2_network,
    ec2_routing,
    ec2_security_groups,
    ec2_subnet_routes,
    ecr,
    ecs_capacity_provider,
    ecs_cluster,
    ecs_service,
    ecs_task_definition,
    elbv2,
    iam,
    iam_openid_connect,
    logs,
    route53,
    s3,
    s3_policy,
    s3_site_files,
    scalable_target,
    ssm,
)

_MODULES = (
    s3,
    dynamodb,
    iam,
    iam_openid_connect,
    ec2_network,
    ec2_routing,
    ec2_security_groups,
    ec2_subnet_routes,
    ecr,
    route53,
    acm,
    elbv2,
    ssm,
    ec2_launch_template,
    autoscaling,
    ecs_capacity_provider,
    logs,
    ecs_cluster,
    ecs_task_definition,
    ecs_service,
    s3_policy,
    cloudfront,
    s3_site_files,
    scalable_target,
)

KINDS: dict[str, Kind] = {kind.kind: kind() for module in _MODULES for kind in module.KINDS}
