# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A layer's way to AWS: sessions, clients, the account."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import errors
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import Config, boto3
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError

MAX_ATTEMPTS = 8
USER_AGENT = "dockyard.aws"


@dataclass(frozen=True)
class Credentials:
    """How to reach AWS; the names and meanings of amazon.aws's common options."""

    region: str | None = None
    profile: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    endpoint_url: str | None = None
    validate_certs: bool = True
    aws_ca_bundle: str | None = None

    @classmethod
    def of(cls, params: Mapping[str, Any], profile: str | None = None) -> Credentials:
        known = {name: params[name] for name in cls.__dataclass_fields__ if params.get(name) is not None}
        if profile:
            known = {k: v for k, v in known.items() if k not in ("access_key", "secret_key", "session_token")}
            known["profile"] = profile
        return cls(**known)


class Session:
    """One boto3 session and its clients, shared by all layers that use the same credentials."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._lock = threading.RLock()
        self._clients: dict[tuple[str, bool, str | None], Any] = {}
        self._session = boto3.session.Session(
            profile_name=credentials.profile,
            region_name=credentials.region,
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.session_token,
        )
        self._identity: dict[str, str] = {}

    @property
    def region(self) -> str:
        region = self._session.region_name
        if not region:
            raise errors.AwsError("no AWS region is set: set aws_region in the inventory, or AWS_REGION")
        return str(region)

    def at(self, region: str) -> Session:
        """One with the same credentials."""
        return Session(replace(self._credentials, region=region))

    @property
    def partition(self) -> str:
        return str(self._session.get_partition_for_region(self.region))

    def identity(self) -> dict[str, str]:
        """The caller's Account and Arn (sts:GetCallerIdentity), asked for once."""
        with self._lock:
            if not self._identity:
                answer = self.client("sts").get_caller_identity()
                self._identity = {"Account": answer["Account"], "Arn": answer["Arn"]}
            return self._identity

    def client(self, service: str, retries: bool = True, region: str | None = None) -> Any:
        with self._lock:
            key = (service, retries, region)
            if key not in self._clients:
                self._clients[key] = self._make(service, retries, region)
            return self._clients[key]

    def _make(self, service: str, retries: bool, region: str | None) -> Any:
        attempts = MAX_ATTEMPTS if retries else 1
        config = Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra=USER_AGENT,
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=32,
        )
        verify: bool | str | None = None
        if not self._credentials.validate_certs:
            verify = False
        elif self._credentials.aws_ca_bundle:
            verify = self._credentials.aws_ca_bundle
        return self._session.client(
            service,
            region_name=region or self.region,
            endpoint_url=self._credentials.endpoint_url,
            verify=verify,
            config=config,
        )


class Answers:
    """What kinds have asked AWS in one reading, and what they leave to be asked together.

    Kinds that read the same thing share its answer; kinds whose tags come from a call of their own share that call.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._left: dict[str, dict[str, dict[str, str]]] = {}

    def of(self, topic: str, names: Sequence[str], ask: Callable[[list[str]], Mapping[str, Any]]) -> dict[str, Any]:
        """The answers about these names; what was not asked yet is asked now. What has none is left out."""
        with self._lock:
            known, lock = self._known.setdefault(topic, {}), self._locks.setdefault(topic, threading.Lock())
        with lock:
            if new := [name for name in names if name not in known]:
                answers = ask(new)
                known.update((name, answers.get(name)) for name in new)
            return {name: known[name] for name in names if known[name] is not None}

    def leave(self, topic: str, name: str) -> dict[str, str]:
        """An empty dictionary, to be filled with the next answers on this topic."""
        with self._lock:
            return self._left.setdefault(topic, {}).setdefault(name, {})

    def left(self, topic: str) -> dict[str, dict[str, str]]:
        """What was left to be asked, now no longer."""
        with self._lock:
            return self._left.pop(topic, {})


@dataclass
class Aws:
    """What a resource kind gets to work with: clients in its layer's session, and where it is.

    environment: the value of the ownership tag. progress: takes one line for people.
    answers: of the reading under way, shared by all layers with these credentials; None outside of readings.
    """

    session: Session
    layer: str
    environment: str
    progress: Callable[[str], None] = lambda line: None
    answers: Answers | None = None

    @property
    def region(self) -> str:
        return self.session.region

    @property
    def partition(self) -> str:
        return self.session.partition

    @property
    def account_id(self) -> str:
        return self.session.identity()["Account"]

    def at(self, region: str | None) -> Aws:
        """The same in another region; without one, in this."""
        return replace(self, session=self.session.at(region)) if region else self

    def client(self, service: str, region: str | None = None) -> Any:
        """A client that repeats throttled and lost calls."""
        return self.session.client(service, region=region)

    def once(self, service: str) -> Any:
        """A client that calls once, for creates without idempotency token: the engine looks before it tries again."""
        return self.session.client(service, retries=False)

    @staticmethod
    def is_lost_answer(error: BaseException) -> bool:
        return errors.is_lost_answer(error)

    def explained(self, error: BaseException, doing: str) -> ReconcileError:
        return errors.explained(error, doing, self.layer)


class Sessions:
    """The sessions of all layers: one for each set of credentials (`profiles` gives a profile per layer)."""

    def __init__(
        self,
        params: Mapping[str, Any],
        environment: str,
        profiles: Mapping[str, str] | None = None,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._params = params
        self._environment = environment
        self._profiles = profiles or {}
        self._progress = progress
        self._lock = threading.Lock()
        self._by_credentials: dict[Credentials, Session] = {}
        self._by_layer: dict[str, Aws] = {}

    def aws(self, layer: str) -> Aws:
        with self._lock:
            if layer not in self._by_layer:
                credentials = Credentials.of(self._params, self._profiles.get(layer))
                self._by_layer[layer] = Aws(self._session(credentials, layer), layer, self._environment, self._progress)
            return self._by_layer[layer]

    def reading(self) -> Callable[[str], Aws]:
        """The same for one reading, in which nothing is asked twice."""
        answers: dict[Session, Answers] = {}

        def aws_for(layer: str) -> Aws:
            aws = self.aws(layer)
            return replace(aws, answers=answers.setdefault(aws.session, Answers()))

        return aws_for

    def _session(self, credentials: Credentials, layer: str) -> Session:
        if credentials not in self._by_credentials:
            try:
                self._by_credentials[credentials] = Session(credentials)
            except Exception as error:
                raise errors.explained(error, f"make a session for the layer {layer!r}", layer) from error
        return self._by_credentials[credentials]
