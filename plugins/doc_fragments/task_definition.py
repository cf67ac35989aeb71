# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that task_definition_render and task_definition share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  file:
    description:
      - File to start from, JSON or YAML. It holds a whole task definition, a bare list of container definitions, or the
        answer of C(aws ecs describe-task-definition).
    type: path
  definition:
    description:
      - The task definition to start from, as data or text, in any of the forms that O(file) may have.
    type: raw
  from_family:
    description:
      - Start from the latest active revision of this family in AWS. Also V(family:revision) or an ARN.
    type: str
  containers:
    description:
      - Overrides by container name. What is not mentioned stays as the source has it; null removes a field.
      - V(image), V(user), V(working_directory) are texts; V(command) and V(entry_point) lists, or texts that are split
        as a shell does.
      - V(environment), V(secrets), V(docker_labels) and V(log_options) are dictionaries that are merged into what is
        there; null removes an entry.
      - V(cpu), V(memory), V(memory_reservation), V(start_timeout), V(stop_timeout) are numbers; V(essential) and
        V(readonly_root_filesystem) booleans; V(log_driver) is a text.
      - V(ports) is a list of V(8080), V("80:8080/tcp"), V("8000-8010") or port mappings.
      - V(environment_files), V(ulimits), V(mount_points), V(depends_on), V(system_controls) are lists, V(health_check),
        V(linux_parameters), V(restart_policy) dictionaries in AWS's form, and replace what is there.
      - V(add=true) allows a container that the source does not have, V(remove=true) takes one away.
      - V(definition) is a dictionary in AWS's form that is merged over the container, for what has no name here.
    type: dict
  family:
    description: Name of the family.
    type: str
  cpu:
    description: CPU of the task, in units (V(256)) or vCPUs (V(0.25 vCPU)).
    type: str
  memory:
    description: Memory of the task, in MiB (V(512)) or V(0.5 GB).
    type: str
  task_role_arn:
    description: ARN or name of the role with which the containers call AWS.
    type: str
  execution_role_arn:
    description: ARN or name of the role with which ECS pulls images, reads secrets and writes logs.
    type: str
  network_mode:
    description: Network mode of the containers.
    type: str
    choices: [awsvpc, bridge, host, none]
  requires_compatibilities:
    description: Launch types that AWS validates the definition against.
    type: list
    elements: str
    choices: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]
  runtime_platform:
    description: Operating system and CPU architecture, as C(operating_system_family) and C(cpu_architecture).
    type: dict
  ephemeral_storage:
    description: GiB of ephemeral storage on Fargate, or a dictionary in AWS's form.
    type: raw
  volumes:
    description: Volumes in AWS's form; replaces those of the source.
    type: list
    elements: dict
  pid_mode:
    description: Process namespace.
    type: str
    choices: [host, task]
  ipc_mode:
    description: IPC namespace.
    type: str
    choices: [host, task, none]
  placement_constraints:
    description: Placement constraints in AWS's form; replaces those of the source.
    type: list
    elements: dict
  proxy_configuration:
    description: App Mesh proxy in AWS's form; replaces that of the source.
    type: dict
  tags:
    description: Tags, merged into those of the source.
    type: dict
  enable_fault_injection:
    description: Accept fault injection requests from the containers.
    type: bool
  launch_types:
    description: Launch types to validate against, in addition to the definition's own C(requiresCompatibilities).
    type: list
    elements: str
    choices: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]
    default: []
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""
