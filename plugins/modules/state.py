#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module state."""

from __future__ import annotations

DOCUMENTATION = r"""
module: state
short_description: Look after the shared state of an environment
version_added: 0.1.0
description:
  - Lists and shows the documents in which runs remember what they applied, and their earlier versions.
  - Restores an earlier version, forgets single resources, breaks a stale lock, takes the state to another place.
  - Works on the documents of the environment, and with O(key) on any document of the bucket, also Terraform's own.
  - What is sensitive is never shown.
options:
  action:
    description:
      - V(list) names the documents, V(show) shows one, V(history) lists its versions, V(diff) compares two of them.
      - V(restore) writes an earlier version as the next one, under the lock. AWS is not touched.
      - V(forget) takes the resources with O(addresses) out of the memory, under the lock. AWS is not touched.
      - V(locks) says who holds which lock, V(unlock) breaks the one with O(lock_id).
      - V(migrate) copies all documents to another place, under the locks of both.
    type: str
    choices: [list, show, history, diff, locks, restore, forget, unlock, migrate]
    default: list
  layer:
    description:
      - The layer whose document is meant. With V(list), only its documents are listed.
      - With V(forget), where the resources are remembered; without it, they are looked for in all layers.
    type: str
    choices: [state_bucket, iam, network, ecr, certificate, alb, dns, autoscaling, ecs, static_site]
  host:
    description: Together with O(layer), the document with the outputs of this host.
    type: str
  key:
    description: The key of a document of the bucket, or its URL that begins with C(s3://), instead of O(layer).
    type: str
  version:
    description:
      - The version to show or to restore. An id, the beginning of one, or a serial; of several with the same serial the
        latest.
    type: str
  versions:
    description: The two versions to compare. One is compared with the latest, none means the last two.
    type: list
    elements: str
  force:
    description:
      - Restore also a version of another lineage, as when the document was deleted and a run made a new one.
      - The lineage stays as it is, and the serial goes on. Versions of other environments or layers stay refused.
    type: bool
    default: false
  limit:
    description: How many versions V(history) lists at most.
    type: int
    default: 20
  addresses:
    description: What V(forget) takes out of the memory. Each is kind and name as plans show them, with a slash.
    type: list
    elements: str
  lock_id:
    description: The id of the lock to break.
    type: str
  migrate_from:
    description:
      - Where the documents are. A folder, or a bucket with the options of O(remote_state).
      - Defaults to O(remote_state).
    type: dict
    suboptions: &side
      folder:
        description: A local folder. A relative path starts from the inventory's folder.
        type: path
      bucket:
        description: The S3 bucket.
        type: str
      lock_table:
        description: The DynamoDB table for locks and digests.
        type: str
      lock:
        description: What locks there, as in O(remote_state.lock).
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
      encrypt:
        description: Ask S3 for server-side encryption with each write.
        type: bool
        default: false
      kms_key_id:
        description: The KMS key to encrypt with, as in O(remote_state.kms_key_id).
        type: str
      bucket_owner:
        description: The id of the account that must own the bucket.
        type: str
      region:
        description: Region of bucket and table, where it is not that of the environment.
        type: str
      profile:
        description: Profile of the AWS configuration, where it is not that of the environment.
        type: str
  migrate_to:
    description: Where the documents are to be copied to. Defaults to O(remote_state).
    type: dict
    suboptions: *side
  migrate_force:
    description: Overwrite documents of another lineage or with a higher serial, which are otherwise refused.
    type: bool
    default: false
  migrate_delete_source:
    description: Delete each document at the source once it lies at the target just as it did here.
    type: bool
    default: false
  base_dir:
    description:
      - The folder below which documents are kept in C(.dockyard/state) for as long as there is no bucket.
      - Defaults to the folder of the inventory.
    type: path
  base_dirs:
    description: The same by hosts.
    type: dict
attributes:
  check_mode:
    description: Can run in check mode and say what would be restored, forgotten, broken or copied.
    support: full
  diff_mode:
    description: Returns what differs between the versions, field by field, without what is sensitive.
    support: full
  idempotent:
    description: Restoring what is there, and copying what lies at the target already, changes nothing.
    support: full
extends_documentation_fragment:
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""

EXAMPLES = r"""
- name: List the versions of a layer's memory
  dockyard.aws.state:
    action: history
    layer: ecr

- name: Read a document of Terraform
  dockyard.aws.state:
    action: show
    key: shop/database/terraform.tfstate
  register: database

- name: Say what restoring would change
  dockyard.aws.state:
    action: restore
    layer: ecr
    version: "7"
  check_mode: true
  diff: true

- name: Leave a repository to somebody else
  dockyard.aws.state:
    action: forget
    addresses: [ecr_repository/web]

- name: Take the state to another bucket
  dockyard.aws.state:
    action: migrate
    migrate_to:
      bucket: shop-state
      lock: s3
"""

RETURN = r"""
state_action:
  description: The action.
  returned: success
  type: str
documents:
  description: The documents of the environment, each with its layer, host, key, place, serial, lineage and counts.
  returned: with O(action=list)
  type: list
  elements: dict
others:
  description: What else lies below the same prefix.
  returned: with O(action=list)
  type: list
  elements: str
outputs:
  description: The outputs of the document by name, each with C(value) and C(sensitive); sensitive values are hidden.
  returned: with O(action=show)
  type: dict
resources:
  description: The resources that the document remembers, each with its address, host and id.
  returned: with O(action=show)
  type: list
  elements: dict
versions:
  description: The versions, newest first. Who wrote one, and for which operation, is known of those written by runs.
  returned: with O(action=history)
  type: list
  elements: dict
  sample:
    - version: 3sL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY
      modified: "2026-11-22T10:00:00Z"
      latest: true
      deleted: false
      size: 1834
      serial: 7
      lineage: b0c1a2f4-1d3e-4a5b-8c6d-7e8f90a1b2c3
      resources: 2
      outputs: 0
      operation: apply ecr
      who: jane@build
      problem: ""
differences:
  description: What was added, removed or changed, each with its fields before and after.
  returned: with O(action=diff) and O(action=restore)
  type: list
  elements: dict
restored:
  description: The version that was restored, as in RV(versions).
  returned: with O(action=restore)
  type: dict
serial:
  description: The serial of the document; with O(action=restore) the new one.
  returned: with O(action=show) and O(action=restore)
  type: int
written:
  description: The documents that were written.
  returned: with O(action=restore) and O(action=forget)
  type: list
  elements: str
forgotten:
  description:
    - What was taken out of the memory, each with its address, layer, host and id, and in C(needed_by) what is
      remembered still and refers to it.
  returned: with O(action=forget)
  type: list
  elements: dict
locks:
  description: The locks that are held, each with its key, place, id, holder, operation and time.
  returned: with O(action=locks)
  type: list
  elements: dict
broken:
  description: The locks that were broken, as in RV(locks).
  returned: with O(action=unlock)
  type: list
  elements: dict
copied:
  description: The documents that were copied.
  returned: with O(action=migrate)
  type: list
  elements: str
left:
  description: What was not copied, each with its key and why.
  returned: with O(action=migrate)
  type: list
  elements: dict
setting:
  description: What C(dockyard_remote_state) has to be from now on, where that changes.
  returned: with O(action=migrate)
  type: dict
"""

from ansible_collections.dockyard.aws.plugins.module_utils.layers.module import run_state


def main() -> None:
    run_state()


if __name__ == "__main__":
    main()
