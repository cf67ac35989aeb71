# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a plan and saving it in check mode; in a run, carrying out no other plan than the saved one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import plan_comparison, plan_file
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.plan_file import PlanFileError

VARIABLE = "plan_file"
SAVED, FOLLOWED = "saved", "followed"


def plan(
    params: Mapping[str, Any],
    check_mode: bool,
    progress: running.Progress,
    hosts: Collection[str] = (),
    hidden: Collection[str] = (),
) -> running.PlannedRun:
    """A plan. With plan_file: saved there in check mode, else refused where it is not the plan that is saved there."""
    name = params.get(VARIABLE)
    if name is None:
        return running.plan(params, progress, hosts)
    saved = None
    if check_mode:
        check_place(name)
    else:
        saved = read(name)
    planned = running.plan(params, progress, hosts)
    now = plan_file.render(planned, running.planned_result(planned), hidden, like=saved)
    if saved is None:
        write(name, now)
    elif moved := plan_comparison.moved(saved, now):
        raise _moved(name, saved, moved)
    planned.plan_file = {"path": name, "made_at": now["made_at"], "use": FOLLOWED if saved else SAVED}
    return planned


def run_plan(params: Mapping[str, Any], check_mode: bool, progress: running.Progress) -> dict[str, Any]:
    """What the module plan does."""
    if params["offline"]:
        return offline(params)
    with_file = check_mode and params.get(VARIABLE) is not None
    try:
        return running.planned_result(plan(params, check_mode, progress))
    except Exception as error:
        if with_file:
            write_error(params[VARIABLE], [str(error)])
        raise


def offline(params: Mapping[str, Any]) -> dict[str, Any]:
    """Validation alone; there is no plan to be saved or followed."""
    if params.get(VARIABLE) is not None:
        raise PlanFileError(f"{VARIABLE} ({params[VARIABLE]!r}) is of no use with offline, which makes no plan")
    return running.offline_result(params)


def read(name: str) -> dict[str, Any]:
    """What a file holds; raises PlanFileError where no run can follow it."""
    _check_name(name)
    try:
        text = Path(name).read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError as error:
        raise plan_file.refusal(name, "does not exist") from error
    except OSError as error:
        raise plan_file.refusal(name, f"cannot be read: {error.strerror}") from error
    return plan_file.parse(text, name)


def write(name: str, document: Mapping[str, Any]) -> None:
    """At once or not at all, and for nobody else to read."""
    check_place(name)
    try:
        handle, partial = tempfile.mkstemp(dir=Path(name).parent, prefix=f".{Path(name).name}.")
    except OSError as error:
        raise _unwritable(name, error.strerror) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(plan_file.dump(document))
        Path(partial).replace(name)
    except OSError as error:
        with suppress(OSError):
            Path(partial).unlink()
        raise _unwritable(name, error.strerror) from error


def write_error(name: str, messages: Iterable[str], hidden: Collection[str] = ()) -> str:
    """Save that there is no plan, and why; what hindered that, where something did."""
    try:
        write(name, plan_file.render_error(messages, hidden))
    except PlanFileError as error:
        return str(error)
    return ""


def check_place(name: str) -> None:
    """Before AWS is read: whether a plan can be saved there, without overwriting what is none."""
    _check_name(name)
    path = Path(name)
    if not path.parent.is_dir():
        raise _unwritable(name, f"there is no folder {path.parent}")
    if path.is_dir():
        raise _unwritable(name, "it is a folder")
    if path.exists() and not _may_be_overwritten(path):
        raise _unwritable(name, "there is a file that is no saved plan; it is left as it is")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise _unwritable(name, f"the folder {path.parent} is not writable")


def _may_be_overwritten(path: Path) -> bool:
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError:
        return False
    return not text.strip() or plan_file.is_ours(text)


def _check_name(name: str) -> None:
    if not name.strip():
        raise PlanFileError(f"{VARIABLE} is empty: name the file of the plan, for example -e {VARIABLE}=plan.json")


def _unwritable(name: str, reason: str | None) -> PlanFileError:
    return PlanFileError(f"{VARIABLE}: the plan cannot be saved in {name}: {reason}")


def _moved(name: str, saved: Mapping[str, Any], moved: list[str]) -> PlanFileError:
    return plan_file.refusal(name, f"was planned at {saved['made_at']}, and now the plan is another one", moved)
