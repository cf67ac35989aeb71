# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module image: all images of a run, first everything that can be known, then one build after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.image import builders, platforms
from ansible_collections.dockyard.aws.plugins.module_utils.image.declaration import Images
from ansible_collections.dockyard.aws.plugins.module_utils.image.job import FAILED, Job
from ansible_collections.dockyard.aws.plugins.module_utils.layers import base
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Problem

Progress = Callable[[str], None]
ECR = "ecr"
ARGUMENT_SPEC: dict[str, Any] = {
    "declared": {"type": "dict"},
    "environment_name": {"type": "str"},
    "account_id": {"type": "str"},
    "profiles": {"type": "dict"},
    "base_dir": {"type": "path"},
    "base_dirs": {"type": "dict"},
    "tag": {"type": "str"},
    "report": {"type": "path"},
}


def run(params: Mapping[str, Any], check_mode: bool, progress: Progress) -> dict[str, Any]:
    """Build and push what is not in ECR. Where an image fails, `failures` has its host with the reasons."""
    if params.get("tag") == "":
        raise ReconcileError(
            "the tag is empty: the variable that should hold it is not set. Set it, or leave it out: then the tag is "
            "the commit of the sources"
        )
    declarations = _declarations(params)
    hosts: dict[str, Any] = {declaration.host: {} for declaration in declarations}
    sessions, _environment = running.connect({**params, "declared": {ECR: hosts}}, progress)
    jobs = _jobs(params, declarations, sessions.aws(ECR), progress)
    _prepare(jobs)
    found = builders.find([job.builder for job in jobs if job.builds])
    for job in jobs:
        job.report.builder = found[job.builder].name if job.builds else ""
    failures: dict[str, str] = {}
    if not check_mode:
        for job in jobs:
            _carry_out(job, found, failures)
    return {
        "changed": any(job.changes for job in jobs),
        "images": [asdict(job.report) for job in jobs],
        "failures": failures,
    }


def _declarations(params: Mapping[str, Any]) -> list[base.Declaration]:
    by_host = (params["declared"] or {}).get(Images.NAME) or {}
    if not by_host:
        raise ReconcileError(
            "no host of this play declares an image: declare the variable image on the host of the service, or run "
            "without image_build, and deploy an image that is in ECR already"
        )
    layer, problems, declarations = Images(), [], []
    folder, folders = params.get("base_dir") or ".", params.get("base_dirs") or {}
    for host, value in by_host.items():
        declaration, found = base.parse(layer, host, value, folders.get(host, folder))
        problems += found
        declarations += [declaration] if declaration else []
    problems += layer.validate(declarations, base.Environment(""))
    if problems:
        raise PlanError(problems)
    return declarations


def _jobs(params: Mapping[str, Any], declarations: list[base.Declaration], aws: Aws, progress: Progress) -> list[Job]:
    ecs = {"ecs": (params["declared"] or {}).get("ecs") or {}}
    tasks = platforms.by_repository(running.parsed({**params, "declared": ecs})["ecs"])
    return [
        Job(aws, declaration, options, params, tasks.get(options["repository"], {}), progress)
        for declaration in declarations
        for options in declaration.options["builds"]
    ]


def _prepare(jobs: list[Job]) -> None:
    """All of them, with all that is wrong; nothing is built before nothing is."""
    found = each(Job.prepare, jobs)
    problems = [
        Problem(job.report.host, job.where, text) for job, texts in zip(jobs, found, strict=True) for text in texts
    ]
    if problems:
        raise PlanError(problems)


def _carry_out(job: Job, found: Mapping[str | None, builders.Builder], failures: dict[str, str]) -> None:
    """One that fails leaves the others to their work."""
    if not job.changes:
        return
    try:
        job.carry_out(found[job.builder] if job.builds else None)
    except ReconcileError as error:
        job.report.status = FAILED
        message = f"{job.report.repository}:{job.report.tag}: {error}"
        before = failures.get(job.report.host)
        failures[job.report.host] = f"{before}\n{message}" if before else message
