# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup state_output."""

from __future__ import annotations

DOCUMENTATION = r"""
name: state_output
short_description: Outputs of state documents, of this collection or of Terraform
version_added: 0.1.0
description:
  - Reads outputs of a state document. By default of one that runs of this collection wrote, where the host's
    C(dockyard_remote_state) says; with O(bucket) or O(path) of any other, also of Terraform's own.
  - Each document is read once in an ansible-playbook process, and again after a run has written state.
  - Outputs that are marked as sensitive are refused unless O(sensitive=true), as ansible-core cannot mark a value so
    that it stays out of logs; use C(no_log) where they go to.
options:
  _terms:
    description:
      - Names of outputs. A part of one is named with dots, as in C(ecr_repository.web.uri); list items by their number.
      - Without a name, all outputs are returned as one dictionary, without those that are sensitive.
    type: list
    elements: str
  layer:
    description: The layer whose outputs are meant.
    type: str
    choices: [state_bucket, iam, network, ecr, certificate, alb, dns, autoscaling, ecs, static_site]
  host:
    description: The host whose outputs in O(layer) are meant. Defaults to the current one.
    type: str
  key:
    description:
      - The key of any document, in O(bucket) or else in the bucket of C(dockyard_remote_state); or its whole URL, as in
        C(s3://bucket/key).
    type: str
  bucket:
    description: The bucket of O(key), where it is not that of C(dockyard_remote_state).
    type: str
  path:
    description: A local file with the document, or its URL that begins with C(s3://).
    type: str
  default:
    description: What is returned where there is no such document, output, or part of it. Without it that is an error.
    type: raw
  sensitive:
    description: Also return outputs that are marked as sensitive.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.plugins
  - amazon.aws.region.plugins
  - amazon.aws.boto3
author:
  - Contributors to dockyard.aws (@dockyard-aws)
"""

EXAMPLES = r"""
- name: Push to the repository that the layer ecr made for this host
  ansible.builtin.debug:
    msg: "{{ lookup('dockyard.aws.state_output', 'ecr_repository.web.uri', layer='ecr') }}"

- name: All outputs of another host
  ansible.builtin.debug:
    msg: "{{ lookup('dockyard.aws.state_output', layer='network', host='platform') }}"

- name: An output of a stack that Terraform keeps
  ansible.builtin.debug:
    msg: "{{ lookup('dockyard.aws.state_output', 'endpoint', key='s3://shop-state/database/terraform.tfstate') }}"

- name: A password, which is kept out of the log
  ansible.builtin.set_fact:
    password: "{{ lookup('dockyard.aws.state_output', 'password', path='database.tfstate', sensitive=true) }}"
  no_log: true
"""

RETURN = r"""
_raw:
  description: The values of the outputs, or one dictionary of all of them.
  type: list
  elements: raw
"""

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.plugin_utils import state_reading

WANTED = ("layer", "key", "bucket", "path")


class LookupModule(LookupBase):
    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        try:
            return self._found(terms, variables or {}, kwargs)
        except state_reading.NoSuchOutput as error:
            if "default" in kwargs:
                return [self.get_option("default")] * max(len(terms), 1)
            raise AnsibleError(str(error)) from error
        except ReconcileError as error:
            raise AnsibleError(str(error)) from error

    def _found(self, terms: list[str], variables: dict[str, Any], given: dict[str, Any]) -> list[Any]:
        params = self._params(state_reading.settings(variables, self._templar.template), given)
        folder = str(variables.get("inventory_dir") or ".")
        found = state_reading.read(params, self._wanted(variables), folder)
        sensitive = self.get_option("sensitive")
        if not terms:
            return [state_reading.all_of(found, sensitive)]
        return [self._value(found, str(term), sensitive, given) for term in terms]

    def _value(self, found: dict[str, Any], term: str, sensitive: bool, given: dict[str, Any]) -> Any:
        try:
            return state_reading.value_of(found, term, sensitive)
        except state_reading.NoSuchOutput:
            if "default" in given:
                return self.get_option("default")
            raise

    def _params(self, settings: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        """What the lookup is given wins, then the host's variables, then the process's environment."""
        for name in state_reading.WAYS:
            _value, origin = self.get_option_and_origin(name)
            direct = origin == "Direct"
            if direct or (name not in settings and self.get_option(name) is not None):
                settings[name] = self.get_option(name)
            if direct and name == "profile":
                settings.pop("profiles", None)
        if settings.get("profile") or (settings.get("profiles") or {}).get("state_bucket"):
            for name in state_reading.CREDENTIALS:
                if name not in given:
                    settings.pop(name, None)
        return settings

    def _wanted(self, variables: dict[str, Any]) -> dict[str, Any]:
        wanted: dict[str, Any] = {name: self.get_option(name) for name in WANTED}
        wanted["host"] = self.get_option("host") or variables.get("inventory_hostname")
        if (wanted["path"] or "").startswith(state_reading.URL):
            wanted["key"], wanted["path"] = wanted["path"], None
        elif wanted["path"] and not Path(wanted["path"]).expanduser().is_absolute():
            named = self.find_file_in_search_path(variables, "files", wanted["path"], ignore_missing=True)
            wanted["path"] = named or wanted["path"]
        elif wanted["path"]:
            wanted["path"] = str(Path(wanted["path"]).expanduser())
        return wanted
