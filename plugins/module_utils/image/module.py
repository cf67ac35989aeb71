# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ordinary module image: the same work as the action plugin, in a process of its own."""

from __future__ import annotations

import signal
from types import FrameType

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import services
from ansible_collections.dockyard.aws.plugins.module_utils.image import run
from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import secrets_of
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError


def image() -> None:
    """Build and push the images given."""
    module = AnsibleAWSModule(argument_spec=run.ARGUMENT_SPEC, supports_check_mode=True)
    if module.params["declared"] is None:
        module.fail_json(msg="declared is required where the module runs outside ansible-playbook's own process")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    # What the module got is in its result, where people ask for it.
    module.no_log_values.update(secrets_of(module.params["declared"]))
    path = module.params["report"]
    services.refuse_report(module, path)
    try:
        result = run.run(module.params, module.check_mode, module.debug)
        services.write_report(path, result)
    except ReconcileError as error:
        services.write_report(path, services.failed(str(error), "images"))
        module.fail_json(msg=str(error))
    module.exit_json(**result)


def _end(number: int, frame: FrameType | None) -> None:
    """Ends the module as an exception does: the builder is stopped, and the login taken away."""
    raise SystemExit(128 + number)
