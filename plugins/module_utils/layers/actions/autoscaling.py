# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IAM actions that the layer autoscaling needs."""

from __future__ import annotations

ACTIONS: tuple[str, ...] = (
    "autoscaling:CancelInstanceRefresh",
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:CreateOrUpdateTags",
    "autoscaling:DeleteAutoScalingGroup",
    "autoscaling:DeleteTags",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:DisableMetricsCollection",
    "autoscaling:EnableMetricsCollection",
    "autoscaling:ResumeProcesses",
    "autoscaling:StartInstanceRefresh",
    "autoscaling:SuspendProcesses",
    "autoscaling:UpdateAutoScalingGroup",
    "ec2:CreateLaunchTemplate",
    "ec2:CreateLaunchTemplateVersion",
    "ec2:CreateTags",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteTags",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:ModifyLaunchTemplate",
    "ec2:RunInstances",
    "ecs:CreateCapacityProvider",
    "ecs:DeleteCapacityProvider",
    "ecs:DescribeCapacityProviders",
    "ecs:DescribeClusters",
    "ecs:TagResource",
    "ecs:UntagResource",
    "ecs:UpdateCapacityProvider",
    "iam:CreateServiceLinkedRole",
    "iam:GetInstanceProfile",
    "iam:PassRole",
    "ssm:GetParameters",
    "sts:GetCallerIdentity",
)
