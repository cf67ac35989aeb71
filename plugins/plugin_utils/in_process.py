# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the action plugins: what a module does, done inside the ansible-playbook process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem
from ansible_collections.dockyard.aws.plugins.plugin_utils import (
    declarations,
    interruption,
    origins,
    plan_store,
    state_cache,
)

display = Display()

# The callback that shows plans. Where it is on, --diff need not show the same differences again.
VIEW = "dockyard.aws.plan"

UNPLANNED = (
    "plan_file is given, and {action} would make a plan of its own here. It did nothing. With a saved plan, everything "
    "is planned by dockyard.aws.plan: put it first in the playbook, let it plan what this task does, for all hosts of "
    "the play and with the options of this task, and do each part once"
)


class InProcessAction(ActionBase):
    """Runs once for the whole batch of hosts, validates like the module, and calls the same code."""

    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    ARGUMENT_SPEC: dict[str, Any] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._supports_check_mode = True
        self._secrets: set[str] = set()
        result = super().run(tmp, task_vars)
        result.update(self._answer(task_vars or {}))
        return remove_values(result, self._secrets) if self._secrets else result

    def _answer(self, variables: dict[str, Any]) -> dict[str, Any]:
        try:
            with _Environment(self._task_environment()):
                params = self._params(variables)
                if self._elsewhere():
                    return self._delegated(params, variables)
                return self.perform(params, variables)
        except PlanError as error:
            located = PlanError(self._located(error, variables))
            return self._failed(str(located), [str(problem) for problem in located.problems])
        except ReconcileError as error:
            return self._failed(str(error), [str(error)])

    def _delegated(self, params: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """The ordinary module does it. Declarations hold secrets: no log gets them, there or (-vvv) here."""
        quietly = {**variables, "ansible_no_target_syslog": True}
        result: dict[str, Any] = self._execute_module(module_args=self._for_module(params), task_vars=quietly)
        return {name: value for name, value in result.items() if name != "invocation"}

    def _failed(self, message: str, problems: list[str]) -> dict[str, Any]:
        """The result where something is wrong; problems: the same one by one."""
        return {"failed": True, "msg": message}

    @staticmethod
    def _located(error: PlanError, variables: Mapping[str, Any]) -> list[Problem]:
        """The problems, each with the place in the inventory that sets its variable."""
        folders = declarations.variable_folders(variables)
        hostvars = variables["hostvars"]
        known = {host: list(hostvars[host].get("group_names", ())) for host in variables["ansible_play_batch"]}
        return [origins.with_origin(item, folders, known.get(item.host, ())) for item in error.problems]

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        raise LookupError(f"{type(self).__name__} does nothing")

    def layers(self, variables: Mapping[str, Any]) -> list[str]:
        raise LookupError(f"{type(self).__name__} has no layers")

    @staticmethod
    @contextmanager
    def interruptible(params: Mapping[str, Any]) -> Iterator[None]:
        """While locks may be held, a signal ends the work in order, so that they are given back. Lookups read anew."""
        if not params["remote_state"]:
            yield
            return
        try:
            with interruption.handled():
                yield
        finally:
            state_cache.clear()

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    @staticmethod
    def hosts(variables: Mapping[str, Any]) -> list[str]:
        return list(variables["ansible_play_batch"])

    def progress(self, line: str) -> None:
        """One line for people. It names the layer: stdout callbacks may show a task's name only with its result."""
        display.display(f"  {self._task.action.rsplit('.', 1)[-1]}: {line}")

    def _params(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The task's arguments, completed from the inventory, validated."""
        self._refuse_beside_saved_plan(variables)
        hostvars = self._hostvars(variables)
        self._secrets.update(declarations.vaulted(self._task.args))
        params = self._validated(self._arguments(variables, hostvars))
        if params.get("declared") is None:
            params["declared"] = self._declared(params, variables, hostvars)
        return params

    def _arguments(self, variables: Mapping[str, Any], hostvars: Mapping[str, Any]) -> dict[str, Any]:
        """What the task sets, and what it leaves to the inventory."""
        hosts = self.hosts(variables)
        settings = declarations.settings(hosts, hostvars)
        taken = {option: value for option, value in settings.items() if option in self._spec()}
        arguments = {**taken, **declarations.plain(self._task.args)}
        if "base_dir" not in arguments:
            arguments["base_dirs"] = {**declarations.folders(hosts, hostvars), **arguments.get("base_dirs", {})}
        return arguments

    def _refuse_beside_saved_plan(self, variables: Mapping[str, Any]) -> None:
        """What no file holds is not done in a run with a saved plan."""
        if "plan_file" in self._spec():
            return
        planned = plan_store.load()
        if variables.get("plan_file") is not None or (planned is not None and planned.plan_file):
            raise ReconcileError(UNPLANNED.format(action=self._task.action))

    def _spec(self) -> dict[str, Any]:
        return {**aws_argument_spec(), **self.ARGUMENT_SPEC}

    def _validated(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        validated = ArgumentSpecValidator(self._spec()).validate(arguments)
        if validated.error_messages:
            raise ReconcileError("; ".join(validated.error_messages))
        params: dict[str, Any] = validated.validated_parameters
        return params

    def _hostvars(self, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """The variables of all hosts, also those that only the play, the role or the task sets."""
        closer = declarations.closer(variables, self._templar.template)
        return declarations.with_closer(closer, self.hosts(variables), variables["hostvars"])

    def _declared(
        self, params: Mapping[str, Any], variables: Mapping[str, Any], hostvars: Mapping[str, Any]
    ) -> dict[str, Any]:
        return declarations.collect(self.layers(variables), self.hosts(variables), hostvars, self._secrets)

    def _elsewhere(self) -> bool:
        """The task is delegated to another machine, which has the way to AWS: the ordinary module runs there."""
        return bool(self._task.delegate_to) and self._connection.transport != "local"

    @staticmethod
    def _for_module(params: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in params.items() if value is not None}
        if given.get("remote_state"):
            # An option with choices accepts no null.
            given["remote_state"] = {name: value for name, value in given["remote_state"].items() if value is not None}
        return given

    def _task_environment(self) -> dict[str, str]:
        environment: dict[str, Any] = {}
        self._compute_environment_string(environment)
        return {name: str(value) for name, value in environment.items()}


class EnvironmentAction(InProcessAction):
    """The base of the actions that are about all layers, or those that the tags of the run select."""

    def layers(self, variables: Mapping[str, Any]) -> list[str]:
        """Those asked for, else those that the tags of the run select."""
        asked = self._task.args.get("layers")
        return list(asked) if asked else _selected(variables["ansible_run_tags"], variables["ansible_skip_tags"])

    def _arguments(self, variables: Mapping[str, Any], hostvars: Mapping[str, Any]) -> dict[str, Any]:
        arguments = super()._arguments(variables, hostvars)
        if "declared" not in arguments:
            arguments["whole_inventory"] = set(self.hosts(variables)) >= set(variables["groups"]["all"])
        return arguments

    def _declared(
        self, params: Mapping[str, Any], variables: Mapping[str, Any], hostvars: Mapping[str, Any]
    ) -> dict[str, Any]:
        """To destroy what is recorded, it need not be declared any more, or not without mistakes."""
        try:
            return super()._declared(params, variables, hostvars)
        except PlanError:
            if params["state"] == "absent" and params["remote_state"]:
                return {layer: {} for layer in self.layers(variables)}
            raise


def _selected(run_tags: list[str], skip_tags: list[str]) -> list[str]:
    """The layers whose role will run with these tags."""
    everything = bool({"all", "tagged"} & set(run_tags))
    return [layer for layer in LAYERS if (everything or layer in run_tags) and layer not in skip_tags]


class LayerAction(InProcessAction):
    """A layer's action: carries out its part of the plan, or plans the layer itself where no plan was made."""

    ARGUMENT_SPEC = running.RUN_ARGUMENT_SPEC
    LAYER = ""

    def layers(self, variables: Mapping[str, Any]) -> list[str]:
        return [self.LAYER]

    def _params(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        planned = plan_store.load()
        if planned is not None and not self._elsewhere() and self._is_for_us(planned, variables):
            self._secrets.update(planned.secrets)
            return {**planned.params, "planned": planned}
        return super()._params(variables)

    def _is_for_us(self, planned: running.PlannedRun, variables: Mapping[str, Any]) -> bool:
        """Made for this layer and these hosts, with the state, options and credentials that this task asks for."""
        same_state = planned.params["state"] == self._task.args.get("state", "present")
        same_environment = planned.environment == self._task_environment()
        covered = planned.covers(self.LAYER, self.hosts(variables))
        return same_state and same_environment and covered and self._same_options(planned.params, variables)

    def _same_options(self, params: Mapping[str, Any], variables: Mapping[str, Any]) -> bool:
        """Whether what the task's arguments, module_defaults and variables of the play set is in the plan."""
        closer = declarations.closer(variables, self._templar.template)
        if self.LAYER in closer:
            declared = params["declared"][self.LAYER].get(variables["inventory_hostname"])
            if declared != declarations.plain(closer[self.LAYER]):
                return False
        taken = {option: name for option, name in declarations.SETTINGS.items() if option in self._spec()}
        given = {option: closer[name] for option, name in taken.items() if name in closer}
        given.update({name: value for name, value in self._task.args.items() if name != "state"})
        if not given or "declared" in given:
            return not given
        names = (self._spec().keys() & params.keys()) - {"declared"}
        before = self._for_module({name: params[name] for name in names})
        now = self._validated({**before, **declarations.plain(given)})
        return all(now.get(name) == params[name] for name in names)

    def _declared(
        self, params: Mapping[str, Any], variables: Mapping[str, Any], hostvars: Mapping[str, Any]
    ) -> dict[str, Any]:
        return super()._declared(params, variables, hostvars)[self.LAYER]

    def perform(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        with self.interruptible(params):
            result = self._carry_out(params, variables)
        if VIEW in constants.CALLBACKS_ENABLED:
            del result["diff"]
        return result

    def _carry_out(self, params: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        planned = params.pop("planned", None)
        if planned is None:
            return running.run_layer(self.LAYER, params, self.check_mode, self.progress)
        if self.check_mode:
            return running.result_of_part(planned, self.LAYER, self.hosts(variables))
        try:
            return running.carry_out(planned, self.LAYER, self.hosts(variables), self.progress)
        finally:
            plan_store.save(planned)


class _Environment:
    """The task's environment, for as long as the work goes on; action plugins do not get it by themselves."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._variables}
        os.environ.update(self._variables)

    def __exit__(self, *_error: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
