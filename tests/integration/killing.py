# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in processes that are killed at a certain API call, and what is there afterwards."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import created

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.layers import remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock import Lock
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_info import LockInfo
from ansible_collections.dockyard.aws.plugins.module_utils.state.lock_places import LocalLock
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry
from ansible_collections.dockyard.aws.plugins.module_utils.state.store import LocalStore
from tests.integration import art
from tests.integration.engine import Declared, Runner
from tests.integration.state_helpers import connect

SERVICES = (
    "autoscaling dynamodb ec2 ecr ecs elbv2 iam logs s3 secretsmanager servicediscovery ssm sts application-autoscaling"
)
SUFFIX = re.compile(r"-[0-9a-f]{6}$")
REGION = "us-east-1"
_BUCKET, _TABLE = "art-service-terraform-state", "art-service-terraform-locks"
SETTINGS: dict[str, dict[str, Any]] = {
    "dynamodb": {"bucket": _BUCKET, "lock_table": _TABLE},
    "s3": {"bucket": _BUCKET},
    "both": {"bucket": _BUCKET, "lock_table": _TABLE, "lock": "both"},
}


class Child:
    """A forked process: ready when it has prepared its work; its result comes as JSON."""

    def __init__(self, prepare: Callable[[], Any], work: Callable[[Any], Any]) -> None:
        (go_reader, self._go), (self._reader, writer) = os.pipe(), os.pipe()
        self.killed = False
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._go)
            self._live(go_reader, writer, prepare, work)
        os.close(go_reader)
        os.close(writer)
        assert os.read(self._reader, 1) == b"R", "the process ended before it was ready"

    @staticmethod
    def _live(go: int, writer: int, prepare: Callable[[], Any], work: Callable[[Any], Any]) -> None:
        try:
            prepared = prepare()
            os.write(writer, b"R")
            os.read(go, 1)
            os.write(writer, json.dumps(work(prepared)).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)

    def go(self) -> None:
        os.close(self._go)

    def result(self) -> Any:
        """What the work gave, once it is done; None where the process was killed before."""
        with os.fdopen(self._reader, "rb") as stream:
            said = stream.read()
        _pid, status = os.waitpid(self.pid, 0)
        self.killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        return json.loads(said) if said else None


class Mortal:
    """Runs things in processes of their own. Their clients are made beforehand: that is what takes the time."""

    def __init__(self, emulator: Any) -> None:
        self._emulator = emulator
        params = {"region": REGION, "endpoint_url": emulator.url, "access_key": "test", "secret_key": "test"}
        self._sessions = Sessions(params, "test")
        for service in SERVICES.split():
            for retries in (True, False):
                self._sessions.aws("ecs").session.client(service, retries)

    def start(self, runner: Runner, prepare: Callable[[], Any], work: Callable[[Any], Any]) -> Child:
        """A process that prepares something at once, and works on it when it is told to."""

        def prepared() -> Any:
            runner._sessions = self._sessions
            return prepare()

        return Child(prepared, work)

    def killed_at(self, number: int, runner: Runner, work: Callable[[Any], Any], **calls: str) -> bool:
        """Do something in another process, which dies at its so many-th call; False where it makes fewer.

        calls: the service and the action that count, all without.
        """
        child = self.start(runner, lambda: None, work)
        self._emulator.faults({"fault": "kill", "pid": child.pid, "skip": number - 1, **calls})
        child.go()
        child.result()
        self._emulator.faults()
        self._settle()
        return child.killed

    def _settle(self) -> None:
        """Calls that were under way are carried out all the same, as in AWS."""
        before = -1
        while before != (before := self._emulator.calls()["total"]):
            time.sleep(0.05)


class Trial:
    """One run of art that dies, and what comes after it. Each lock layout gets its turn."""

    _clean: ClassVar[dict[str, dict[str, list[Any]]]] = {}

    def __init__(self, runner: Runner, mortal: Mortal, folder: Path, number: int) -> None:
        self._runner, self._mortal, self._number = runner, mortal, number
        self._emulator = runner.emulator
        self._kind = list(SETTINGS)[number % len(SETTINGS)]
        inventory = shutil.copytree(art.INVENTORY, folder / "art")
        self.options: dict[str, Any] = {"base_dir": str(inventory), "remote_state": SETTINGS[self._kind]}
        self._folder = inventory / ".dockyard"

    def expected(self, name: str, *steps: Declared) -> Mapping[str, list[Any]]:
        """What exists after runs that nothing happened to."""
        if name not in self._clean:
            for declared in steps:
                self.make(declared)
            self._clean[name] = census(self._emulator)
            self._emulator.reset()
            shutil.rmtree(self._folder)
        return self._clean[name]

    def make(self, declared: Declared) -> None:
        self._runner.make(declared, **self.options)

    def die(self, declared: Declared, **options: Any) -> bool:
        """A run in a process that is killed at its call; False where it makes fewer."""

        def work() -> None:
            self._runner.run(declared, **{**self.options, **options})

        return self._mortal.killed_at(self._number, self._runner, lambda _none: work())

    def stale_locks_are_reported_and_broken(self, declared: Declared, **options: Any) -> None:
        """Where the dead run left locks of layers that have something to do, the next one says whose they are."""
        stale, kept_locally = self.locks(), self.layers_kept_locally()
        if not stale:
            return
        refused = self._runner.run(declared, **{**self.options, **options})
        said, to_do = "\n".join(refused.failures.values()), {change["layer"] for change in refused.changes}
        # Whatever is to be done, what lies in the folder has to be moved into the bucket before.
        hindering = [info for layer, _lock, info in stale if layer in to_do | kept_locally]
        assert bool(said) == bool(hindering), (said, hindering)
        assert not said or any(_reports(said, info) for info in hindering), said
        for _layer, lock, info in self.locks():
            lock.force_unlock(info.id)

    def locks(self) -> list[tuple[str, Lock, LockInfo]]:
        return locks(self._emulator, self._runner.params({}, **self.options))

    def layers_kept_locally(self) -> set[str]:
        """The layers whose documents lie in the folder still."""
        setting = remote_state.of(self.options)
        assert setting is not None
        keys = LocalStore(setting.folder).keys() if setting.folder.is_dir() else ()
        return {place.layer for key in keys if (place := setting.paths.place_of(key)) is not None}

    def next_run_completes_it(self, declared: Declared, expected: Mapping[str, Any], **options: Any) -> None:
        """Nothing is there twice, nothing is missing, nothing is pending; and then there is nothing to do."""
        options = {**self.options, **options}
        done = self._runner.run(declared, **options)
        assert done.failures == {} and done.moved == []
        found = census(self._emulator)
        assert found == expected, {
            kind: (found[kind], expected[kind]) for kind in expected if found[kind] != expected[kind]
        }
        assert self.locks() == [] and leftovers(self._folder) == []
        assert [entry for entry in self.remembered().values() if entry.pending] == []
        self._emulator.reset_calls()
        again = self._runner.run(declared, **options)
        assert again.changes == [] and self._emulator.calls()["mutating"] == 0, self._emulator.calls()["log"]

    def next_run_destroys_the_rest(self, declared: Declared) -> None:
        """Nothing is left, not even the state; nor was anything before that the memory did not know."""
        done = self._runner.run(declared, **self.options, state="absent")
        assert done.failures == {} and done.moved == []
        left = {kind: names for kind, names in census(self._emulator).items() if names}
        assert left == {}, left

    def remembered(self) -> dict[Address, Entry]:
        """What all memories together say."""
        setting = remote_state.of(self.options)
        assert setting is not None
        store, found = setting.backend.store(connect(self._emulator)), {}
        for layer in LAYERS:
            body = store.read(setting.paths.memory(layer)).body
            memory = document.parse(body, layer).memory if body else None
            found.update(memory.resources if memory else {})
        return found


def destroyable_art() -> Declared:
    """art, with its state bucket unprotected."""
    declared = art.declared()
    declared["state_bucket"]["art"]["bucket"].update(protect=False, force_delete=True)
    declared["state_bucket"]["art"]["lock_table"].update(protect=False, deletion_protection_enabled=False)
    return declared


def changed_art() -> Declared:
    """art with changes in every layer: fields, versions, and a security group that has to be made anew."""
    declared = art.declared()
    platform, service = art.PLATFORM, art.SERVICE
    declared["state_bucket"][platform]["bucket"]["noncurrent_version_expiration_days"] = 30
    declared["iam"][platform]["policies"][0]["document"]["Statement"][0]["Action"].append("xray:PutTraceSegments")
    declared["network"][platform]["security_groups"][0]["description"] = "HTTP from anywhere to the load balancer"
    declared["ecr"][service]["repositories"][0]["keep_images"] = 20
    declared["alb"][service]["target_groups"][0]["deregistration_delay_timeout_seconds"] = 60
    declared["autoscaling"][platform]["launch_templates"][0]["instance_type"] = "t3.medium"
    declared["ecs"][service]["task_definitions"][0]["log_group"]["retention_in_days"] = 14
    declared["ecs"][service]["services"][0]["health_check_grace_period_seconds"] = 90
    return declared


def _reports(said: str, info: LockInfo) -> bool:
    """Who, since when, what for, and how to break it."""
    parts = (info.who, f"since {info.created} (", f"for {info.operation}", f"remove lock {info.id}: ")
    return all(part in said for part in parts)


def locks(emulator: Any, options: dict[str, Any]) -> list[tuple[str, Lock, LockInfo]]:
    """The locks that somebody holds, of all layers, in the bucket, the table and the folder."""
    setting = remote_state.of(options)
    assert setting is not None
    aws, found = connect(emulator), []
    for layer in LAYERS:
        key = setting.paths.memory(layer)
        path = f"{setting.backend.bucket}/{key}"
        places = [LocalLock(setting.folder, key), *setting.backend.lock(aws, key)._places]
        for place in places:
            lock = Lock([place], path)
            try:
                held = lock.holders()
            except Exception as error:
                if "there is no such" not in str(error):
                    raise
                held = {}
            found += [(layer, lock, info) for info in held.values()]
    return found


def census(emulator: Any) -> dict[str, list[str]]:
    """Everything that exists, by kind, without what differs between any two runs."""
    found = {kind: [SUFFIX.sub("", name) for name in names] for kind, names in created.resources(emulator.url, REGION)}
    return {**found, **dict(_inside(emulator))}


def _inside(emulator: Any) -> Any:
    """What things are made of: a run that dies in the middle of one leaves it half done."""
    ec2, iam, elbv2 = emulator.client("ec2"), emulator.client("iam"), emulator.client("elbv2")
    vpcs = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
    yield "VPCs, also unnamed", [vpc["CidrBlock"] for vpc in vpcs]
    inside = [{"Name": "vpc-id", "Values": [vpc["VpcId"] for vpc in vpcs] or ["none"]}]
    tables = ec2.describe_route_tables(Filters=inside)["RouteTables"]
    yield "routes", sorted(route["DestinationCidrBlock"] for table in tables for route in table["Routes"])
    yield "associations", sorted(str("SubnetId" in link) for table in tables for link in table["Associations"])
    gateways = ec2.describe_internet_gateways()["InternetGateways"]
    links = [{link["VpcId"] for link in gateway["Attachments"]} for gateway in gateways]
    default = {vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]}
    yield "internet gateways, also unattached", [len(link) for link in links if not link & default]
    groups = ec2.describe_security_groups(Filters=inside)["SecurityGroups"]
    yield "security group rules", sorted(
        str(rule.get("FromPort")) for group in groups for rule in group["IpPermissions"]
    )
    versions = ec2.describe_launch_template_versions(Versions=["$Latest"])["LaunchTemplateVersions"]
    yield "launch template versions", [version["VersionNumber"] for version in versions]
    instances = [item for group in ec2.describe_instances()["Reservations"] for item in group["Instances"]]
    yield "instances", [item["State"]["Name"] for item in instances if item["State"]["Name"] == "running"]
    yield "policies of roles", sorted(
        f"{role['RoleName']} {policy['PolicyName']}"
        for role in iam.list_roles()["Roles"]
        for policy in iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    )
    yield "policies of users", sorted(
        f"{user['UserName']} {policy['PolicyName']}"
        for user in iam.list_users()["Users"]
        for policy in iam.list_attached_user_policies(UserName=user["UserName"])["AttachedPolicies"]
    )
    profiles = iam.list_instance_profiles()["InstanceProfiles"]
    yield "roles of instance profiles", [role["RoleName"] for profile in profiles for role in profile["Roles"]]
    yield "documents", _documents(emulator)
    _settle(emulator.client("ecs"))
    yield "targets", sorted(
        len(elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"])
        for group in elbv2.describe_target_groups()["TargetGroups"]
    )


def _settle(ecs: Any) -> None:
    """Let services come to rest: a run whose service is as declared does not wait for what a dead one has begun."""
    for cluster in ecs.list_clusters()["clusterArns"]:
        if services := ecs.list_services(cluster=cluster)["serviceArns"]:
            pace = {"Delay": 0.2, "MaxAttempts": 100}
            ecs.get_waiter("services_stable").wait(cluster=cluster, services=services, WaiterConfig=pace)


def _documents(emulator: Any) -> list[str]:
    s3 = emulator.client("s3")
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    return [item["Key"] for name in names for item in s3.list_objects_v2(Bucket=name).get("Contents", ())]


def leftovers(folder: Path) -> list[str]:
    """What lies in the folder that keeps the state before there is a bucket."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.name not in (".lock", ".gitignore")]
