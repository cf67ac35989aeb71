# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule scenarios: their emulators, and where else they run."""

from __future__ import annotations

import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import background
import pytest
import scenarios


@pytest.fixture
def answering():
    """Starts a server that gives one answer to everything, and returns its URL."""
    servers = []

    def start(body):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                """Keeps the terminal quiet."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "version"), [(b'{"services": {}, "version": "4.14.0"}', "4.14.0"), (b"{}", None), (b"<html>", None)]
)
def test_localstack_is_recognised(answering, body, version):
    assert scenarios.localstack_version(answering(body)) == version


def test_no_localstack_is_no_error():
    assert scenarios.localstack_version(scenarios.free_url()) is None


@pytest.mark.parametrize(("version", "endpoints"), [(None, [None]), ("4.14.0", [None, scenarios.LOCALSTACK])])
def test_the_state_bucket_also_runs_on_localstack(monkeypatch, capsys, version, endpoints):
    monkeypatch.setenv("EMULATOR_PARENT", "")
    monkeypatch.setenv("NO_COLOR", "")
    ran = []
    monkeypatch.setattr(scenarios, "localstack_version", lambda: version)
    monkeypatch.setattr(scenarios, "scenario", lambda name, _args, _title, endpoint=None: ran.append((name, endpoint)))
    scenarios.main(["default", "state_bucket"], [])
    assert ran == [("default", None), *(("state_bucket", endpoint) for endpoint in endpoints)]
    assert ("skipped" in capsys.readouterr().out) == (version is None)


def test_another_process_with_the_number_of_an_old_emulator_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(background, "SERVER", tmp_path / "no-such-server.py")
    monkeypatch.setattr(background.os, "kill", lambda *arguments: pytest.fail(f"killed {arguments}"))
    pid_file = tmp_path / "emulator.pid"
    pid_file.write_text(str(os.getpid()))
    background.stop(pid_file)
    assert not pid_file.exists()
