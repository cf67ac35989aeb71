# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of listeners and rules: what moto drops (transforms, client certificates) or refuses (new orders of rules)."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.elbv2.exceptions import DuplicatePriorityError, ELBClientError, PriorityInUseError
from moto.elbv2.models import ELBv2Backend, FakeListener, FakeListenerRule
from moto.elbv2.responses import ELBV2Response

from emulator.mends.elbv2 import check_certificates
from emulator.patching import replace

WITH_EXPRESSIONS = ("host_header", "path_pattern", "http_header")
NOT_VERIFIED = {"off", "passthrough"}


def accept_expressions(field: str) -> None:
    """A condition may have regular expressions in place of values: moto crashed."""

    @replace(ELBv2Backend, f"_validate_{field}_condition")
    def validate(original: Any, self: Any, condition: dict[str, Any]) -> None:
        config = next((value for name, value in condition.items() if name.endswith("Config")), {})
        if not config.get("RegexValues"):
            original(self, condition)


for name in WITH_EXPRESSIONS:
    accept_expressions(name)


@replace(ELBv2Backend, "set_rule_priorities")
def set_rule_priorities(_original: Any, self: Any, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """The new order as a whole must have no conflict, so that rules can change places. moto looked at the old order."""
    wanted = {one["RuleArn"]: int(one["Priority"]) for one in rule_priorities}
    for priority in wanted.values():
        if list(wanted.values()).count(priority) > 1:
            raise DuplicatePriorityError(priority)
    rules = self.describe_rules(listener_arn=None, rule_arns=list(wanted))
    for rule in rules:
        listener = self.describe_listeners(None, [rule.listener_arn])[0]
        for other in listener._non_default_rules.values():
            if other.arn not in wanted and int(other.priority) == wanted[rule.arn]:
                raise PriorityInUseError()
    for rule in rules:
        rule.priority = wanted[rule.arn]
    return rules


@replace(FakeListenerRule, "__init__")
def new_rule(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    """Rules have transforms: moto knew none."""
    original(self, *args, **kwargs)
    self.transforms: list[dict[str, Any]] = []


@replace(ELBV2Response, "create_rule")
def create_rule(original: Any, self: Any) -> Any:
    """With its transforms."""
    result = original(self)
    result.result["Rules"][0].transforms = self._get_params().get("Transforms", [])
    return result


@replace(ELBV2Response, "modify_rule")
def modify_rule(original: Any, self: Any) -> Any:
    """With its transforms, also where nothing else is changed."""
    params = self._get_params()
    rule = self.elbv2_backend.describe_rules(listener_arn=None, rule_arns=[params["RuleArn"]])[0]
    if "Transforms" in params:
        rule.transforms = params["Transforms"]
    elif str(params.get("ResetTransforms", "")).lower() == "true":
        rule.transforms = []
    else:
        return original(self)
    if params.get("Conditions") or params.get("Actions"):
        return original(self)
    return ActionResult({"Rules": [rule]})


@replace(FakeListener, "__init__")
def new_listener(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    """HTTPS listeners tell how they handle client certificates: moto did not keep it."""
    original(self, *args, **kwargs)
    self.mutual_authentication = {"Mode": "off"} if self.protocol == "HTTPS" else None


def keep_mutual_authentication(action: str) -> None:
    """The calls that set it."""

    @replace(ELBV2Response, action)
    def call(original: Any, self: Any) -> Any:
        given = self._get_params().get("MutualAuthentication")
        if given and (given.get("Mode", "off") in NOT_VERIFIED) == bool(given.get("TrustStoreArn")):
            raise ELBClientError(
                "ValidationError", "A trust store must be specified for the mode verify, and only then"
            )
        result = original(self)
        listener = result.result["Listeners"][0]
        if given:
            listener.mutual_authentication = given
        elif listener.protocol == "HTTPS" and not listener.mutual_authentication:
            listener.mutual_authentication = {"Mode": "off"}
        return result


for name in ("create_listener", "modify_listener"):
    keep_mutual_authentication(name)


@replace(ELBv2Backend, "modify_listener")
def modify_listener(original: Any, self: Any, arn: str, *args: Any, **kwargs: Any) -> Any:
    """A new default certificate leaves the others as they are: moto dropped them."""
    listener = self.describe_listeners(load_balancer_arn=None, listener_arns=[arn])[0]
    extra = listener.certificates[1:]
    check_certificates(self, kwargs.get("certificates") or (args[3] if len(args) > 3 else []))
    result = original(self, arn, *args, **kwargs)
    default = listener.certificates[:1]
    listener.certificates = [*default, *(one for one in extra if one not in default)]
    return result


@replace(ELBv2Backend, "add_listener_certificates")
def add_listener_certificates(original: Any, self: Any, arn: str, certificates: list[dict[str, Any]]) -> Any:
    """Those of ACM must be issued."""
    check_certificates(self, certificates)
    return original(self, arn, certificates)
