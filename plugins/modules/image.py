#!/usr/bin/python
# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module image."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Build container images and push them to Amazon ECR
version_added: 0.1.0
description:
  - Builds what the variable C(image) of each host declares, with buildah, podman or docker, whichever works on the
    machine that the module runs on, and pushes it to ECR. Or pushes an archive that was built before.
  - Logs in with a token of ECR, in a file that only the caller can read and that is gone afterwards. Logins and helpers
    that the builder has for other registries go on working. Neither C(~/.docker) nor the command line sees the token.
  - An image whose tag is in ECR already, in a repository with immutable tags, is neither built nor pushed.
  - Returns the digest that the registry has computed. M(dockyard.aws.deploy) takes the result as its O(ignore:built).
  - One call serves all hosts of the batch. Images are built one after the other.
  - Of O(profiles), images are pushed with that of the layer C(ecr).
options:
  declared:
    description:
      - The declarations, as a dictionary with the key C(image), from host to the value of the variable C(image) there.
        The key C(ecs) may hold the same of that layer, which tells for which platforms the images are.
      - Without it, the declarations are taken from the variables of all hosts in the play's batch.
    type: dict
  tag:
    description:
      - Tag of the images. Defaults to the first 12 digits of the git commit of each image's sources, which then may
        have no changes that are not committed.
    type: str
  report:
    description:
      - File that gets the result as JSON, for pipelines.
    type: path
extends_documentation_fragment:
  - dockyard.aws.run
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Can run in check mode, says what would be built and pushed.
    support: full
  diff_mode:
    description: There is nothing that could be shown as a difference.
    support: none
  idempotent:
    description:
      - A second run with the same tag does nothing where the repository's tags are immutable.
      - Where they are mutable, it builds and pushes again.
    support: partial
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""

EXAMPLES = r"""
- name: Build and push what the hosts declare
  dockyard.aws.image:
    tag: "{{ lookup('ansible.builtin.env', 'CI_COMMIT_SHA') }}"
  run_once: true
  register: image_result

- name: Build an image that is declared here
  dockyard.aws.image:
    environment_name: shop
    region: us-east-1
    base_dir: "{{ playbook_dir }}"
    declared:
      image:
        web:
          builds:
            - repository: shop/web
              context: ../web
              target: production
              platform: linux/arm64
              build_args: {NODE_ENV: production}
              secrets: {npm: "{{ npm_token }}"}
              tags: [latest]
  run_once: true

- name: Push what an earlier job has built
  dockyard.aws.image:
    environment_name: shop
    region: us-east-1
    tag: "1.5"
    declared:
      image:
        web:
          builds:
            - {repository: shop/web, archive: dist/web.tar}
  run_once: true
"""

RETURN = r"""
images:
  description:
    - The images. C(status) is V(pushed), V(tagged) where an image that is in ECR got further tags, V(unchanged) or
      V(failed). In check mode, what would happen; C(digest) and C(image) are empty where that is not known yet.
      C(platform) is that of an image that was built or read now, empty of one that was in ECR already.
  returned: success
  type: list
  elements: dict
  sample:
    - host: web
      repository: shop/web
      status: pushed
      tag: 3f2a9c01b7de
      tags: [latest]
      image: 123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web@sha256:…
      digest: sha256:…
      source: /builds/shop/web/Containerfile
      platform: linux/amd64
      builder: buildah
      seconds: 41.7
failures:
  description: What went wrong, by host. The module itself succeeds, so that a following task can fail these hosts.
  returned: success
  type: dict
"""

from ansible_collections.dockyard.aws.plugins.module_utils.image.module import image


def main() -> None:
    image()


if __name__ == "__main__":
    main()
