# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module image inside the ansible-playbook process and shows what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.image import run
from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import Images
from ansible_collections.dockyard.aws.plugins.plugin_utils import declarations, image_view, interruption
from ansible_collections.dockyard.aws.plugins.plugin_utils.service_action import ServiceAction

LAYERS = (Images.NAME, "ecs")


class ActionModule(ServiceAction):
    ARGUMENT_SPEC = run.ARGUMENT_SPEC
    ABOUT = "images"

    def layers(self, variables: Mapping[str, Any]) -> list[str]:
        """The images, and the tasks that tell for which platforms they are."""
        return list(LAYERS)

    @staticmethod
    def interruptible(params: Mapping[str, Any]) -> AbstractContextManager[None]:
        """A signal ends the builder and takes the login away."""
        return interruption.handled()

    def work(self, params: dict[str, Any]) -> dict[str, Any]:
        return run.run(params, self.check_mode, self.progress)

    def lines(self, result: Mapping[str, Any]) -> Iterator[str]:
        return image_view.lines(result, self.check_mode, self.paint)

    def _hostvars(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        found = declarations.closer(variables, self._templar.template, LAYERS)
        return declarations.with_closer(found, self.hosts(variables), variables["hostvars"], LAYERS)
