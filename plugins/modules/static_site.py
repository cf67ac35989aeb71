#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module static_site."""

from __future__ import annotations

DOCUMENTATION = r"""
module: static_site
short_description: Static websites in S3, with or without CloudFront
version_added: 0.1.0
description:
  - Creates and updates the bucket of a static website with its website configuration and policy.
  - Publishes the files. They are compared by content hash, content type and headers with what was published
    last. Only what differs is uploaded, pages after all that they refer to, and what is to go is removed last.
  - With C(cloudfront), a distribution serves the site, and the bucket is private.
  - Takes part in the plan that M(dockyard.aws.plan) made, or plans this layer itself where no plan was made.
  - One call serves all hosts of the batch.
extends_documentation_fragment:
  - dockyard.aws.layer
  - dockyard.aws.run
  - dockyard.aws.remote_state
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Carry out the layer for all hosts, as their variables declare it
  dockyard.aws.static_site:

- name: See what would be done
  dockyard.aws.static_site:
  check_mode: true
  diff: true

- name: Carry out a declaration given here
  dockyard.aws.static_site:
    environment_name: shop
    region: us-east-1
    declared:
      web:
        sites:
          - name: www.example.org
            error_document: 404.html
            files:
              source: dist
              headers:
                - {pattern: "assets/*", cache_control: "public, max-age=31536000, immutable"}
                - {pattern: "*", cache_control: no-cache}
"""

RETURN = r"""
changes:
  description:
    - The changes, in the order in which they are carried out.
    - Each has its action, kind, name, layer and host, its differences (path, before, after), its reason, and notes.
  returned: always
  type: list
  elements: dict
  sample:
    - action: update
      kind: s3_site_files
      name: www.example.org
      layer: static_site
      host: web
      differences:
        - {path: "Files[index.html].CacheControl", before: null, after: no-cache}
      reason: configuration
      notes: []
unchanged:
  description: How many resources are as declared.
  returned: always
  type: int
resources:
  description: Id and ARN of each resource, by its address (kind and name).
  returned: always
  type: dict
outputs:
  description: What other layers and people want of each resource, by its address.
  returned: always
  type: dict
failures:
  description: What went wrong, by host.
  returned: always
  type: dict
"""

from ansible_collections.dockyard.aws.plugins.module_utils.layers.module import run_layer


def main() -> None:
    run_layer("static_site")


if __name__ == "__main__":
    main()
