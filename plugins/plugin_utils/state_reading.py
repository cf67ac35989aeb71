# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the lookup of outputs finds its document: from its options, and from the variables of the host."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.dockyard.aws.plugins.module_utils.layers import remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import outputs
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.plugin_utils import declarations, state_cache

NoSuchOutput, value_of, all_of = outputs.NoSuchOutput, outputs.value_of, outputs.all_of

# Settings of the inventory that reading takes.
SETTINGS = ("environment_name", "profiles", "region", "profile", "remote_state")
CREDENTIALS = ("access_key", "secret_key", "session_token")
WAYS = ("profile", "region", "endpoint_url", *CREDENTIALS)
URL = "s3://"


def settings(variables: Mapping[str, Any], template: Callable[[Any], Any]) -> dict[str, Any]:
    """The settings of a host, as runs take them."""
    names = {option: declarations.SETTINGS[option] for option in SETTINGS}
    return {
        option: declarations.plain(template(variables[name])) for option, name in names.items() if name in variables
    }


def read(params: Mapping[str, Any], wanted: Mapping[str, Any], base_dir: str) -> dict[str, Any]:
    """The outputs of a document, read once for each ansible-playbook process.

    params: settings and credentials. wanted: path, bucket, key, layer, host, as the options of the lookup.
    """
    wanted = {**wanted, "host": wanted["host"] if wanted["layer"] else None}
    ways = {name: value for name, value in params.items() if name not in ("secret_key", "session_token")}
    name = json.dumps([ways, wanted, base_dir], sort_keys=True, default=str)
    found: dict[str, Any] | None = state_cache.load(name)
    if found is None:
        found = _read(params, wanted, base_dir)
        state_cache.save(name, found)
    return found


def _read(params: Mapping[str, Any], wanted: Mapping[str, Any], base_dir: str) -> dict[str, Any]:
    if wanted["path"]:
        return outputs.of_file(wanted["path"])
    bucket, key = wanted["bucket"], wanted["key"]
    if key and key.startswith(URL):
        bucket, _slash, key = key.removeprefix(URL).partition("/")
    if bucket:
        if not key:
            raise ReconcileError(f"bucket {bucket!r} needs key, the key of the document in it")
        return outputs.of_object(params, bucket, key)
    if not key and not wanted["layer"]:
        layers = ", ".join(outputs.LAYERS)
        raise ReconcileError(
            f"which document? layer (one of {layers}) with host names one of this environment, key one in a bucket, "
            "and path a file"
        )
    validated = _validated(params)
    return outputs.of_environment({**validated, "base_dir": base_dir}, wanted["layer"], wanted["host"], key)


def _validated(params: Mapping[str, Any]) -> dict[str, Any]:
    """With dockyard_remote_state as the modules take it."""
    spec = {"remote_state": remote_state.ARGUMENT_SPEC}
    result = ArgumentSpecValidator(spec).validate({"remote_state": params.get("remote_state")})
    if result.error_messages:
        raise ReconcileError(f"{remote_state.VARIABLE}: {'; '.join(result.error_messages)}")
    return {**params, **result.validated_parameters}
