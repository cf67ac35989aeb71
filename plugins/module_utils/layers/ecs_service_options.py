# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a service in the layer `ecs`: every field of CreateService."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs_options import (
    PROTECT,
    STRATEGY,
    TAGS,
    flag,
    mapping,
    mappings,
    number,
    text,
    texts,
)

LIFECYCLE_STAGES = [
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
]

LOAD_BALANCER = {
    "target_group": text("Name or ARN of the target group in which the tasks are registered."),
    "load_balancer_name": text("Name of a Classic Load Balancer, instead of O(target_group)."),
    "container_name": text("Container that gets the traffic.", required=True),
    "container_port": number("Port of that container, as its port mappings have it.", required=True),
    "advanced_configuration": mapping(
        "What blue/green, linear and canary deployments need.",
        {
            "alternate_target_group": text("Name or ARN of the second target group.", required=True),
            "production_listener_rule": text(
                "Rule of the production traffic: C(load balancer:port/rule), or C(load balancer:port) for a listener, "
                "or an ARN.",
                required=True,
            ),
            "test_listener_rule": text("Rule of the test traffic, in the same form."),
            "role": text("Name or ARN of the role with which ECS changes the load balancer.", required=True),
        },
    ),
}

LIFECYCLE_HOOK = {
    "target_type": text("What is called: a function, or a pause that somebody ends.", choices=["AWS_LAMBDA", "PAUSE"]),
    "hook_target_arn": text("ARN of the Lambda function."),
    "role": text("Name or ARN of the role with which ECS calls it."),
    "lifecycle_stages": texts("Stages at which it is called.", choices=LIFECYCLE_STAGES, required=True),
    "hook_details": mapping("What the function is told."),
    "timeout_configuration": mapping(
        "What happens when no answer comes.",
        {
            "timeout_in_minutes": number("Minutes, 1 to 20160."),
            "action": text("What to do then.", choices=["ROLLBACK", "CONTINUE"]),
        },
    ),
}

CIRCUIT_BREAKER = {
    "enable": flag("Let a deployment fail when its tasks do not start.", default=True),
    "rollback": flag("Go back to the last completed deployment then.", default=True),
    "reset_on_healthy_task": flag("Start counting again when a task becomes healthy."),
    "threshold_configuration": mapping(
        "How many tasks may fail.",
        {
            "type": text(
                "What O(value) is: a number of tasks, or percent of the desired count.",
                choices=["COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT"],
                required=True,
            ),
            "value": number("The number.", required=True),
        },
    ),
}

DEPLOYMENT_CONFIGURATION = {
    "minimum_healthy_percent": number("Percent of the desired count that keeps running during a deployment."),
    "maximum_percent": number("Percent of the desired count that may run during a deployment."),
    "deployment_circuit_breaker": mapping(
        "Circuit breaker. Without it, rolling deployments have one, with rollback.", CIRCUIT_BREAKER
    ),
    "alarms": mapping(
        "CloudWatch alarms that let a deployment fail.",
        {
            "alarm_names": texts("Names of the alarms.", required=True),
            "enable": flag("Watch them.", default=True),
            "rollback": flag("Go back when one goes off.", default=True),
        },
    ),
    "strategy": text("How traffic moves to new tasks.", choices=["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"]),
    "bake_time_in_minutes": number("How long old tasks are kept after the traffic has moved, 0 to 1440."),
    "lifecycle_hooks": mappings("Hooks at stages of a deployment.", LIFECYCLE_HOOK),
    "linear_configuration": mapping(
        "Steps of V(LINEAR).",
        {
            "step_percent": {
                "type": "float",
                "description": "Percent of the traffic that moves in each step, 3 to 100.",
            },
            "step_bake_time_in_minutes": number("Minutes between steps, 0 to 1440."),
        },
    ),
    "canary_configuration": mapping(
        "The first step of V(CANARY).",
        {
            "canary_percent": {"type": "float", "description": "Percent of the traffic that moves first, 0.1 to 100."},
            "canary_bake_time_in_minutes": number("Minutes until the rest follows, 0 to 1440."),
        },
    ),
    "early_success_criteria": mapping(
        "When a rolling deployment counts as successful before all old tasks are gone.",
        {
            "enable": flag("Use it.", required=True),
            "healthy_percent": number("Percent of new tasks that must be healthy, 0 to 100."),
            "source_service_revision_cleanup": text(
                "Whether the deployment waits for old tasks to stop.", choices=["BLOCKING", "DEFERRED"]
            ),
        },
    ),
}

CLIENT_ALIAS = {
    "port": number("Port on which clients reach it.", required=True),
    "dns_name": text("Name by which clients reach it."),
    "test_traffic_rules": mapping(
        "Which requests are test traffic.",
        {
            "header": mapping(
                "By a header.",
                {
                    "name": text("Name of the header.", required=True),
                    "value": mapping("Its value.", {"exact": text("The whole value.", required=True)}),
                },
                required=True,
            )
        },
    ),
}

SERVICE_CONNECT = {
    "enabled": flag("Use Service Connect.", default=True),
    "namespace": text("Name or ARN of the Cloud Map namespace."),
    "services": mappings(
        "What this service offers to others.",
        {
            "port_name": text("Name of a port mapping of the task definition.", required=True),
            "discovery_name": text("Name in the namespace; the port's name without it."),
            "client_aliases": mappings("How clients reach it.", CLIENT_ALIAS),
            "ingress_port_override": number("Port on which the proxy listens."),
            "timeout": mapping(
                "Timeouts of the proxy; 0 means none.",
                {
                    "idle_timeout_seconds": number("Of idle connections."),
                    "per_request_timeout_seconds": number("Of each request."),
                },
            ),
            "tls": mapping(
                "Encryption between services.",
                {
                    "issuer_certificate_authority": mapping(
                        "Who signs.",
                        {"aws_pca_authority_arn": text("ARN of the private certificate authority.", required=True)},
                        required=True,
                    ),
                    "kms_key": text("KMS key."),
                    "role": text("Name or ARN of the role for it."),
                },
            ),
        },
    ),
    "log_configuration": mapping(
        "Where the proxy logs.",
        {
            "log_driver": text("Log driver.", required=True),
            "options": mapping("Its options."),
            "secret_options": mappings(
                "Its secret options.",
                {"name": text("Name.", required=True), "value_from": text("ARN of the secret.", required=True)},
            ),
        },
    ),
    "access_log_configuration": mapping(
        "Access logs of the proxy.",
        {
            "format": text("Format.", choices=["TEXT", "JSON"], required=True),
            "include_query_parameters": text("Query parameters in it.", choices=["DISABLED", "ENABLED"]),
        },
    ),
}

VOLUME = {
    "name": text("Name of a volume that the task definition configures at launch.", required=True),
    "managed_ebs_volume": mapping(
        "The EBS volume that each task gets.",
        {
            "role": text("Name or ARN of the ECS infrastructure role.", required=True),
            "size_in_gib": number("Size in GiB."),
            "volume_type": text("EBS volume type.", choices=["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"]),
            "iops": number("I/O operations a second."),
            "throughput": number("MiB a second."),
            "encrypted": flag("Encrypt it."),
            "kms_key_id": text("KMS key."),
            "snapshot_id": text("Snapshot to start from."),
            "volume_initialization_rate": number("MiB a second at which the snapshot is loaded."),
            "filesystem_type": text("File system.", choices=["ext3", "ext4", "xfs", "ntfs"]),
            "tag_specifications": mappings("Tags of the volumes, in AWS's form."),
        },
        required=True,
    ),
}

NETWORK_CONFIGURATION = {
    "subnets": texts("Names or ids of the subnets.", required=True),
    "security_groups": texts("Names or ids of the security groups; the VPC's default group without it."),
    "assign_public_ip": flag("Give tasks a public IP address.", default=False),
}

DEPLOY_TASK = {
    "name": text("Name for people, for example V(migrate).", required=True),
    "container": text("Container that the command is for; the first essential one without it."),
    "command": texts("Command instead of the container's own."),
    "environment": mapping("Environment variables in addition to the container's own."),
    "task_definition": text(
        "Family, or C(family:revision), instead of the revision that is being deployed: for example one without a "
        "fixed host port."
    ),
    "timeout": number("How many seconds it may take.", default=1800),
}

VPC_LATTICE = {
    "role": text("Name or ARN of the ECS infrastructure role.", required=True),
    "target_group_arn": text("ARN of the VPC Lattice target group.", required=True),
    "port_name": text("Name of a port mapping of the task definition.", required=True),
}

SERVICE = {
    "name": text("Name of the service.", required=True),
    "cluster": text("Name of the cluster.", required=True),
    "task_definition": text(
        "Family, whose newest revision runs; or one revision: C(family:revision), or its ARN.", required=True
    ),
    "image_owner": text(
        "Who sets the images once the family exists. With V(pipeline) the declared images are used for the first "
        "revision only; later revisions keep the images of the family's latest active revision.",
        choices=["pipeline", "declaration"],
        default="pipeline",
    ),
    "desired_count": number("How many tasks run. Not for O(scheduling_strategy=DAEMON)."),
    "desired_count_owner": text(
        "Who sets the desired count once the service exists. A service with a scalable target, declared or only in "
        "AWS, leaves it to the autoscaler in any case.",
        choices=["declaration", "autoscaling"],
        default="declaration",
    ),
    "launch_type": text(
        "Launch type, instead of a capacity provider strategy.", choices=["EC2", "FARGATE", "EXTERNAL"]
    ),
    "capacity_provider_strategy": STRATEGY,
    "platform_version": text("Platform version on Fargate, for example V(LATEST) or V(1.4.0)."),
    "network_configuration": mapping("Network of tasks in the network mode V(awsvpc).", NETWORK_CONFIGURATION),
    "load_balancers": mappings("Target groups in which tasks are registered.", LOAD_BALANCER),
    "service_registries": mappings(
        "Cloud Map service registries.",
        {
            "registry_arn": text("ARN of the Cloud Map service.", required=True),
            "port": number("Port of SRV records."),
            "container_name": text("Container of SRV records."),
            "container_port": number("Port of that container."),
        },
    ),
    "deployment_configuration": mapping("How deployments proceed.", DEPLOYMENT_CONFIGURATION),
    "deployment_controller": text("Who carries out deployments.", choices=["ECS", "CODE_DEPLOY", "EXTERNAL"]),
    "health_check_grace_period_seconds": number("Seconds in which failing health checks of a new task do not count."),
    "placement_constraints": mappings(
        "On which container instances tasks may run.",
        {
            "type": text("Kind of constraint.", choices=["distinctInstance", "memberOf"], required=True),
            "expression": text("Expression in the cluster query language, with V(memberOf)."),
        },
    ),
    "placement_strategy": mappings(
        "How container instances are chosen; the order counts.",
        {
            "type": text("Kind of strategy.", choices=["random", "spread", "binpack"], required=True),
            "field": text("What to spread over or pack by, for example V(attribute:ecs.availability-zone), V(memory)."),
        },
    ),
    "scheduling_strategy": text(
        "V(DAEMON) runs one task on each container instance. Another value later replaces the service.",
        choices=["REPLICA", "DAEMON"],
    ),
    "availability_zone_rebalancing": text(
        "Move tasks so that they are spread over the Availability Zones. V(DISABLED) where C(maximum_percent) "
        "does not allow it, otherwise AWS's default.",
        choices=["ENABLED", "DISABLED"],
    ),
    "enable_execute_command": flag("Allow commands in running containers (ECS Exec); holds for tasks started later."),
    "enable_ecs_managed_tags": flag("Let ECS tag the tasks with cluster and service."),
    "propagate_tags": text("Whose tags the tasks get.", choices=["TASK_DEFINITION", "SERVICE", "NONE"]),
    "service_connect_configuration": mapping("Service Connect.", SERVICE_CONNECT),
    "volume_configurations": mappings("Volumes that are configured at launch.", VOLUME),
    "vpc_lattice_configurations": mappings("VPC Lattice target groups.", VPC_LATTICE),
    "gateway_connectors": mappings("Gateway connectors, in AWS's form."),
    "monitoring": mapping(
        "High-resolution metrics.",
        {
            "metric_configurations": mappings(
                "Metrics and their resolution.",
                {
                    "metric_names": texts("Names of the metrics.", required=True),
                    "resolution_seconds": number("20 to 60 seconds.", required=True),
                },
                required=True,
            )
        },
    ),
    "role": text(
        "Name or ARN of the role with which ECS reaches the load balancer, where the service-linked role is not used. "
        "Another value later replaces the service."
    ),
    "deploy_tasks": mappings(
        "One-off tasks that a deploy runs with the new revision before it updates the service, one after the other, "
        "for example database migrations. One that fails ends the deploy.",
        DEPLOY_TASK,
    ),
    "keep_revisions": number(
        "How many active revisions of the family a deploy leaves; older ones are deregistered unless they are in use. "
        "V(0) keeps all.",
        default=10,
    ),
    "wait_for_steady_state": flag("Wait until the tasks run, and fail with the reasons if they do not.", default=True),
    "wait_timeout": number("How many seconds to wait.", default=600),
    "tags": TAGS,
    "protect": PROTECT,
}
