# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commit that sources are at, which is the tag of an image where nobody gives one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

LENGTH = 12
SHOWN = 5
TIMEOUT = 60
INSTEAD = "give the tag instead, with -e image_tag=<tag>"


def commit(folder: Path, containerfile: Path) -> str:
    """The commit of a folder's sources. Refused where the sources are not what the commit says.

    containerfile: counts as well, where it lies outside the folder and in the same repository.
    """
    found = _git(folder, "rev-parse", f"--short={LENGTH}", "HEAD").strip()
    root = Path(_git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
    beside = [str(containerfile)] if containerfile.resolve().is_relative_to(root) else []
    changed = _git(folder, "status", "--porcelain", "--", ".", *beside).splitlines()
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        listed = ", ".join(line[3:] for line in changed[:SHOWN])
        raise ReconcileError(
            f"the tag would be the commit {found}, but {folder} has changes that are not committed ({listed}{more}), "
            f"which nobody could find again by that tag: commit them, or {INSTEAD}"
        )
    return found


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise ReconcileError(f"the tag would be the commit of {folder}, and git is not installed: {INSTEAD}") from error
    except subprocess.TimeoutExpired as error:
        raise ReconcileError(f"git did not answer for {TIMEOUT} seconds about {folder}: {INSTEAD}") from error
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ReconcileError(f"the tag would be the commit of {folder}, and git says: {said}. Otherwise {INSTEAD}")
    return done.stdout
