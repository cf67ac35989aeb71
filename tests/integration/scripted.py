# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An endpoint whose ECS says what a script has once a service is updated; the emulator answers everything else.

It plays what no emulator plays: service deployments with their stages, alarms, StopServiceDeployment, unhealthy
targets, a second deployment. Each answer is held against botocore's model of ECS.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore import session
from botocore.validate import ParamValidator

PREFIX = "AmazonEC2ContainerServiceV20141113."
BASE = "arn:aws:ecs:us-east-1:123456789012"
OURS, OLD, OTHER = "ecs-svc/2", "ecs-svc/1", "ecs-svc/3"
RECORD = f"{BASE}:service-deployment/web/web/ours"
HEALTH = """<DescribeTargetHealthResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
<DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>10.0.0.9</Id><Port>8080</Port></Target>
<TargetHealth><State>unhealthy</State><Reason>Target.Timeout</Reason><Description>Request timed out</Description>
</TargetHealth></member></TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>"""
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_MODEL = session.get_session().get_service_model("ecs")


def deployment(
    identity: str, task_definition: str, state: str = "IN_PROGRESS", running: int = 0, **more: Any
) -> dict[str, Any]:
    """One of deployments[]; the first of them is the primary one."""
    number = int(identity.rsplit("/", 1)[-1])
    counts = {"desiredCount": 2, "runningCount": running, "pendingCount": 0, "failedTasks": 0}
    created = 1_900_000_000 + number
    whole = {"id": identity, "taskDefinition": f"{BASE}:task-definition/{task_definition}", "createdAt": created}
    return {**whole, **counts, "updatedAt": created, "rolloutState": state, **more}


def look(
    *deployments: dict[str, Any], events: Sequence[str] = (), tasks: Sequence[Mapping[str, Any]] = (), **record: Any
) -> dict[str, Any]:
    """What ECS shows at one moment. record: of the service deployment, where ECS keeps one."""
    return {"deployments": list(deployments), "events": events, "tasks": tasks, "record": record}


class Script:
    """What is shown look by look (the last one for good), and what after it was taken back.

    updated: from the beginning; else it begins when the service is updated. configuration: more of the service's own.
    """

    def __init__(
        self,
        looks: Sequence[dict[str, Any]],
        after: Sequence[dict[str, Any]] = (),
        healthy: bool = True,
        updated: bool = False,
        configuration: Mapping[str, Any] | None = None,
    ) -> None:
        self.configuration = dict(configuration or {})
        self.looks, self.after, self.healthy = list(looks), list(after), healthy
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.updated, self._number = updated, -1

    @property
    def current(self) -> dict[str, Any]:
        return self.looks[max(self._number, 0)]

    def called(self, action: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == action]

    def next_look(self) -> dict[str, Any]:
        self._number = min(self._number + 1, len(self.looks) - 1)
        return self.current

    def take_back(self) -> None:
        self.looks, self.healthy, self._number = list(self.after), True, -1


class Endpoint:
    """The server; `script` is what it plays, None passes everything on."""

    def __init__(self, emulator: Any) -> None:
        self.emulator, self.account = emulator, emulator.account
        self.script: Script | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Endpoint:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str, body: bytes) -> bytes | None:
        """The scripted answer, or None where the emulator has to answer."""
        script, action = self.script, target.removeprefix(PREFIX)
        if script is None:
            return None
        if b"Action=DescribeTargetHealth" in body and script.updated and not script.healthy:
            return HEALTH.encode()
        if not target.startswith(PREFIX):
            return None
        with self._lock:
            arguments = json.loads(body or b"{}")
            script.calls.append((action, arguments))
            play = getattr(self, f"_{action}", None)
            answer = play(script, arguments) if play else None
        if answer is None:
            return None
        _check(action, answer)
        return json.dumps(answer).encode()

    def _UpdateService(self, script: Script, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - as AWS has it
        if script.updated:
            script.take_back()
        script.updated = True
        return {"service": self._service(script, script.current, [])}

    def _DescribeServices(self, script: Script, _arguments: dict[str, Any]) -> dict[str, Any] | None:  # noqa: N802
        if not script.updated:
            return None
        now = script.next_look()
        return {"services": [self._service(script, now, now["events"])], "failures": []}

    def _ListServiceDeployments(self, script: Script, _arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if not script.updated or not script.current["record"]:
            return {"serviceDeployments": []}
        brief = {"serviceDeploymentArn": RECORD, "createdAt": 1_900_000_002, "status": "IN_PROGRESS"}
        return {"serviceDeployments": [brief]}

    def _DescribeServiceDeployments(self, script: Script, _arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"serviceDeployments": [{"serviceDeploymentArn": RECORD, **script.current["record"]}], "failures": []}

    def _StopServiceDeployment(self, script: Script, _arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        script.take_back()
        return {"serviceDeploymentArn": RECORD}

    def _ListTasks(self, script: Script, arguments: dict[str, Any]) -> dict[str, Any] | None:  # noqa: N802
        if not script.updated or arguments.get("desiredStatus") != "STOPPED" or "serviceName" not in arguments:
            return None
        return {"taskArns": [task["taskArn"] for task in script.current["tasks"]]}

    def _DescribeTasks(self, script: Script, arguments: dict[str, Any]) -> dict[str, Any] | None:  # noqa: N802
        known = {task["taskArn"]: dict(task) for task in script.current["tasks"]}
        if not set(arguments["tasks"]) & set(known):
            return None
        return {"tasks": [known[arn] for arn in arguments["tasks"] if arn in known], "failures": []}

    def _service(self, script: Script, now: Mapping[str, Any], events: Sequence[str]) -> dict[str, Any]:
        live = self.emulator.client("ecs").describe_services(cluster="web", services=["web"])["services"][0]
        kept = ("serviceArn", "serviceName", "clusterArn", "loadBalancers", "launchType", "networkConfiguration")
        shown: list[dict[str, Any]] = [
            {**one, "status": "ACTIVE" if number else "PRIMARY"} for number, one in enumerate(now["deployments"])
        ]
        return {
            **{name: live[name] for name in kept},
            "status": "ACTIVE" if shown else "INACTIVE",
            "taskDefinition": shown[0]["taskDefinition"] if shown else live["taskDefinition"],
            "desiredCount": 2,
            "runningCount": sum(one["runningCount"] for one in shown),
            "pendingCount": 0,
            "deployments": shown,
            "deploymentConfiguration": {**live["deploymentConfiguration"], **script.configuration},
            "deploymentController": {"type": "ECS"},
            "events": [{"id": text, "createdAt": time.time(), "message": f"(service web) {text}"} for text in events],
        }


def _check(action: str, answer: Mapping[str, Any]) -> None:
    problems = ParamValidator().validate(answer, _MODEL.operation_model(action).output_shape)
    assert not problems.has_errors(), f"{action}: {problems.generate_report()}"


def _handler(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Scripted, or passed on."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = endpoint.answer(self.headers.get("X-Amz-Target") or "", body)
            status, kind = 200, "text/xml" if (answer or b"").startswith(b"<") else "application/x-amz-json-1.1"
            if answer is None:
                status, kind, answer = self._passed_on("POST", body)
            self._send(status, kind, answer)

        def do_GET(self) -> None:
            self._send(*self._passed_on("GET", None))

        def _passed_on(self, method: str, body: bytes | None) -> tuple[int, str, bytes]:
            kept = {name: value for name, value in self.headers.items() if name.lower() != "content-length"}
            request = urllib.request.Request(endpoint.emulator.url + self.path, body, kept, method=method)
            try:
                with _DIRECT.open(request, timeout=30) as reply:
                    return reply.status, reply.headers.get("Content-Type", ""), reply.read()
            except urllib.error.HTTPError as error:
                return error.code, error.headers.get("Content-Type", ""), error.read()

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nobody reads it."""

    return Handler
