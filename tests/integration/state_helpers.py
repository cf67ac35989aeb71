# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state bucket and a lock table on the emulator, and the ways to them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.state import document
from ansible_collections.dockyard.aws.plugins.module_utils.state.backend import Backend
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output

BUCKET, TABLE = "test-state", "test-locks"
KEY = "ecs/ecr-repositories/terraform.tstate"
PATH = f"{BUCKET}/{KEY}"
LINEAGE = "b0c1a2f4-1d3e-4a5b-8c6d-7e8f90a1b2c3"
BACKENDS = {
    "dynamodb": Backend(BUCKET, TABLE),
    "s3": Backend(BUCKET, use_lockfile=True),
    "both": Backend(BUCKET, TABLE, use_lockfile=True),
}


def connect(emulator: Any) -> Any:
    """The layer's way to AWS, as the modules have it."""
    params = {
        "region": "us-east-1",
        "endpoint_url": emulator.url,
        "access_key": "test",
        "secret_key": "test",
    }
    return Sessions(params, "test").aws("state_bucket")


def make(emulator: Any) -> None:
    """An empty versioned bucket and an empty table."""
    s3, dynamodb = emulator.client("s3"), emulator.client("dynamodb")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def item(emulator: Any, lock_id: str) -> dict[str, str] | None:
    """An item of the table in plain form."""
    answer = emulator.client("dynamodb").get_item(TableName=TABLE, Key={"LockID": {"S": lock_id}})
    return {name: value["S"] for name, value in answer["Item"].items()} if "Item" in answer else None


def put_item(emulator: Any, **values: str) -> None:
    emulator.client("dynamodb").put_item(TableName=TABLE, Item={name: {"S": text} for name, text in values.items()})


def objects(emulator: Any) -> list[str]:
    answer = emulator.client("s3").list_objects_v2(Bucket=BUCKET)
    return [entry["Key"] for entry in answer.get("Contents", ())]


def body(serial: int, value: Any = "x", lineage: str = LINEAGE) -> bytes:
    """A document with one output."""
    return document.render(Document(lineage, serial, {"a": Output(value)}))


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def at_once(count: int, function: Callable[[int], Any]) -> list[Any]:
    """What a function gave, or raised, in as many threads."""
    results: list[Any] = [None] * count

    def run(number: int) -> None:
        try:
            results[number] = function(number)
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
