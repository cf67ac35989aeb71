# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets ansible-test install pip from the configured package index instead of its own download address.

ansible-test runs this file, under the name of its own bootstrap script, with the Python of a new and empty virtual
environment. The pip of the project's environment then installs what is asked for into that environment.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT_PYTHON = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "python"
ONLY_FOR_GET_PIP = ("--no-setuptools", "--no-wheel")

if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument not in ONLY_FOR_GET_PIP]
    command = [str(PROJECT_PYTHON), "-m", "pip", "--python", sys.executable, "install", "--quiet", *arguments]
    sys.exit(subprocess.run(command, check=False).returncode)
