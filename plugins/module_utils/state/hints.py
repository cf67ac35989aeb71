# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that messages about state tell people to run."""

from __future__ import annotations


def command(action: str, **variables: str) -> str:
    """The playbook that looks after the state; it runs so from a clone and from the installed collection."""
    given = "".join(f" -e {name}={value}" for name, value in variables.items())
    return f"`ansible-playbook dockyard.aws.state -i <inventory> -e state_action={action}{given}`"


def unlock(lock_id: str) -> str:
    return command("unlock", lock_id=lock_id)


def history(key: str) -> str:
    return command("history", state_key=key)


def restore(key: str) -> str:
    return command("restore", state_key=key, state_version="<version>")
