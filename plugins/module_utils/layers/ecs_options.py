# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the layer `ecs` for clusters, log groups and task definitions."""

from __future__ import annotations

from typing import Any

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "str", **more, "description": description}


def number(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "int", **more, "description": description}


def flag(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "bool", **more, "description": description}


def texts(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "list", "elements": "str", **more, "description": description}


def mapping(description: str, options: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    inner = {} if options is None else {"options": options}
    return {"type": "dict", **more, **inner, "description": description}


def mappings(description: str, options: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    inner = {} if options is None else {"options": options}
    return {"type": "list", "elements": "dict", **more, **inner, "description": description}


TAGS = mapping("Tags in addition to O(dockyard_tags).")
PROTECT = flag("Refuse to replace or destroy it.", default=False)

STRATEGY = mappings(
    "Capacity provider strategy: over which capacity providers the tasks are spread.",
    {
        "capacity_provider": text("Name of the capacity provider, V(FARGATE) or V(FARGATE_SPOT).", required=True),
        "weight": number("Its share of the tasks beyond the base, 0 to 1000.", default=0),
        "base": number("How many tasks run on it at least. Only one capacity provider may have a base.", default=0),
    },
)

LOG_GROUP = {
    "name": text("Name of the log group.", required=True),
    "retention_in_days": number(
        "Days after which log events expire; without it they are kept for ever.", choices=list(RETENTION_DAYS)
    ),
    "kms_key_id": text("ARN of the KMS key that encrypts it."),
    "log_group_class": text(
        "Class of the log group. Cannot be changed later.", choices=["STANDARD", "INFREQUENT_ACCESS"]
    ),
    "deletion_protection_enabled": flag("Let AWS refuse to delete it."),
    "tags": TAGS,
    "protect": PROTECT,
}

EXECUTE_COMMAND = {
    "kms_key_id": text("KMS key that encrypts the session."),
    "logging": text(
        "Where sessions are logged: V(DEFAULT) as the task logs, V(OVERRIDE) as C(log_configuration) says.",
        choices=["NONE", "DEFAULT", "OVERRIDE"],
    ),
    "log_configuration": mapping(
        "Log group or S3 bucket for sessions, with V(OVERRIDE).",
        {
            "cloud_watch_log_group_name": text("Name of the log group."),
            "cloud_watch_encryption_enabled": flag("Refuse a log group that is not encrypted."),
            "s3_bucket_name": text("Name of the bucket."),
            "s3_encryption_enabled": flag("Refuse a bucket that is not encrypted."),
            "s3_key_prefix": text("Prefix of the objects."),
        },
    ),
}

CLUSTER = {
    "name": text("Name of the cluster.", required=True),
    "container_insights": text(
        "CloudWatch Container Insights, V(enhanced) for metrics of tasks and containers too. "
        "Without it, the account's setting holds.",
        choices=["disabled", "enabled", "enhanced"],
    ),
    "capacity_providers": texts("Names of the capacity providers that the cluster uses; V(FARGATE), V(FARGATE_SPOT)."),
    "default_capacity_provider_strategy": {
        **STRATEGY,
        "description": "Strategy of services and tasks that name neither a strategy nor a launch type.",
    },
    "execute_command_configuration": mapping("How commands in containers are encrypted and logged.", EXECUTE_COMMAND),
    "managed_storage_configuration": mapping(
        "Encryption of the storage that ECS manages.",
        {
            "kms_key_id": text("KMS key of EBS volumes."),
            "fargate_ephemeral_storage_kms_key_id": text("KMS key of Fargate's ephemeral storage."),
        },
    ),
    "service_connect_defaults": mapping(
        "Defaults of Service Connect.",
        {"namespace": text("Name or ARN of the Cloud Map namespace of services that name none.", required=True)},
    ),
    "tags": TAGS,
    "protect": PROTECT,
}

TASK_DEFINITION = {
    "family": text("Name of the family.", required=True),
    "file": {
        "type": "path",
        "description": "File to start from, JSON or YAML: a whole task definition, or a bare list of container "
        "definitions. A relative path starts from the inventory's folder.",
    },
    "definition": {
        "type": "raw",
        "description": "The task definition to start from, or the list of its container definitions, in AWS's form.",
    },
    "from_latest": flag("Start from the family's latest active revision in AWS.", default=False),
    "containers": mapping(
        "Overrides by container name: C(image), C(environment), C(secrets), C(command), C(cpu), C(memory), C(ports), "
        "C(log_options) and so on. C(image) may be given as C({repository: name, tag: tag}) or "
        "C({repository: name, digest: digest}). M(dockyard.aws.task_definition_render) documents them all."
    ),
    "cpu": text("CPU of the task: units (V(256)) or vCPUs (V(0.25 vCPU))."),
    "memory": text("Memory of the task: MiB (V(512)) or V(0.5 GB)."),
    "network_mode": text("Network mode of the containers.", choices=["awsvpc", "bridge", "host", "none"]),
    "requires_compatibilities": texts(
        "Launch types that AWS validates the definition against.",
        choices=["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"],
    ),
    "execution_role": text("Name or ARN of the role with which ECS pulls images, reads secrets and writes logs."),
    "task_role": text("Name or ARN of the role with which the containers call AWS."),
    "runtime_platform": mapping(
        "Operating system and CPU architecture.",
        {
            "cpu_architecture": text("CPU architecture.", choices=["X86_64", "ARM64"]),
            "operating_system_family": text("For example V(LINUX)."),
        },
    ),
    "ephemeral_storage": number("GiB of ephemeral storage on Fargate, 21 to 200."),
    "volumes": mappings("Volumes, in AWS's form; replaces those of the source."),
    "pid_mode": text("Process namespace.", choices=["host", "task"]),
    "ipc_mode": text("IPC namespace.", choices=["host", "task", "none"]),
    "placement_constraints": mappings("Placement constraints, in AWS's form; replaces those of the source."),
    "proxy_configuration": mapping("App Mesh proxy, in AWS's form; replaces that of the source."),
    "enable_fault_injection": flag("Accept fault injection requests from the containers."),
    "image_owner": text(
        "Who sets the images once the family exists, where no service says it: V(pipeline) or this V(declaration).",
        choices=["pipeline", "declaration"],
    ),
    "log_group": mapping(
        "Log group that is made for the containers. Their V(awslogs) options must name it.", LOG_GROUP
    ),
    "tags": TAGS,
    "protect": PROTECT,
}
