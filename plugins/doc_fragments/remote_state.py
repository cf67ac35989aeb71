# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the setting that says where the shared state is."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  remote_state:
    description:
      - Remember what was applied in documents that a team shares, under locks. Without it nothing is remembered.
      - Defaults to the inventory's C(dockyard_remote_state).
    type: dict
    suboptions:
      bucket:
        description: The S3 bucket that keeps the documents. It may be one that this inventory declares.
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
      region:
        description: The region of bucket and table, where it is not that of the run.
        type: str
"""
