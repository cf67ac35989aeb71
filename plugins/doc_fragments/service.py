# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that the modules for running services share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  declared:
    description:
      - The declarations, as a dictionary with the key C(ecs), from host to the value of the variable C(ecs) there.
      - Without it, the declarations are taken from the variables of all hosts in the play's batch.
    type: dict
  service:
    description:
      - Name of the service, or C(cluster/service), where the hosts of the play declare several.
    type: str
  report:
    description:
      - File that gets the result as JSON, for pipelines.
    type: path
  environment_name:
    description:
      - Name of the environment. Defaults to the inventory's C(dockyard_environment).
    type: str
  account_id:
    description:
      - The AWS account that is meant. With credentials of another account the module stops before anything else.
      - Defaults to the inventory's C(aws_account_id).
    type: str
  profiles:
    description:
      - Profile of the AWS configuration for each layer, where not all layers use the same credentials.
      - Defaults to the inventory's C(aws_profiles).
    type: dict
  tags:
    description:
      - Tags for everything that can be tagged. Defaults to the inventory's C(dockyard_tags).
    type: dict
  adopt:
    description:
      - As for M(dockyard.aws.ecs). Defaults to the inventory's C(dockyard_adopt).
    type: bool
    default: true
  ownership_tags:
    description:
      - As for M(dockyard.aws.ecs). Defaults to the inventory's C(dockyard_ownership_tags).
    type: bool
    default: true
  parallelism:
    description:
      - How many AWS resources are read at a time. Defaults to the inventory's C(dockyard_parallelism).
    type: int
    default: 16
  remote_state:
    description:
      - Remember what was applied in documents that a team shares, under locks. Without it nothing is remembered.
      - Defaults to the inventory's C(dockyard_remote_state).
    type: dict
    suboptions:
      bucket:
        description: The S3 bucket that keeps the documents.
        type: str
        required: true
      lock_table:
        description: The DynamoDB table for locks and digests, as Terraform's S3 backend uses it.
        type: str
      lock:
        description:
          - V(dynamodb) locks in O(remote_state.lock_table), V(s3) with objects beside the documents, V(both) in both.
          - Defaults to V(dynamodb) where O(remote_state.lock_table) is given, else to V(s3).
        type: str
        choices: [dynamodb, s3, both]
      prefix:
        description: Folders before those of all documents.
        type: str
        default: ""
      file_name:
        description: The last part of each document's key.
        type: str
        default: terraform.tstate
      lock_timeout:
        description: How many seconds to wait for a lock that somebody else holds.
        type: int
        default: 0
      encrypt:
        description:
          - Ask S3 for server-side encryption with each document and lock object, as a bucket policy may demand.
          - With V(false), the bucket's own setting counts.
        type: bool
        default: false
      kms_key_id:
        description: With O(remote_state.encrypt), the KMS key to encrypt with; without it S3 uses its own (AES256).
        type: str
      bucket_owner:
        description: The id of the account that must own the bucket, as where it is not the account of the run.
        type: str
  base_dir:
    description:
      - The folder that relative paths in declarations start from.
      - Defaults to the folder of the inventory that each host comes from.
    type: path
  base_dirs:
    description:
      - The same for single hosts, by their names.
    type: dict
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""
