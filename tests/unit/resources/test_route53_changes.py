# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of changes: who comes together is sent together, and each learns what is wrong with itself."""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from ansible_collections.dockyard.aws.plugins.module_utils.resources.route53_changes import Batcher


class Route53:
    """Refuses batches with a bad change in them."""

    def __init__(self, error=None):
        self.batches, self.error = [], error

    def change_resource_record_sets(self, HostedZoneId, ChangeBatch):
        if self.error is not None:
            raise self.error
        names = [change["ResourceRecordSet"]["Name"] for change in ChangeBatch["Changes"]]
        self.batches.append(names)
        if "bad" in names:
            raise ClientError({"Error": {"Code": "InvalidChangeBatch", "Message": "bad"}}, "ChangeResourceRecordSets")
        return {"ChangeInfo": {"Id": f"change {len(self.batches)}"}}


def submit_all(batcher, names):
    results, start = {}, threading.Barrier(len(names))

    def submit(number, name):
        start.wait()
        try:
            results[number] = batcher.submit({"Action": "UPSERT", "ResourceRecordSet": {"Name": name}})
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=submit, args=item) for item in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return [results[number] for number in range(len(names))]


def test_what_comes_at_once_is_sent_at_once_and_each_change_once():
    route53 = Route53()
    answers = submit_all(Batcher(route53, "Z"), ["a", "b", "a", "c"])
    assert sorted(name for batch in route53.batches for name in batch).count("a") <= len(route53.batches)
    assert len(route53.batches) <= 2 and all(answer.startswith("change ") for answer in answers)


def test_a_bad_change_fails_alone():
    good, bad, other = submit_all(Batcher(Route53(), "Z"), ["a", "bad", "b"])
    assert isinstance(bad, ClientError) and "change" in good and "change" in other


def test_an_error_of_the_call_reaches_all():
    error = ReadTimeoutError(endpoint_url="https://route53")
    assert submit_all(Batcher(Route53(error), "Z"), ["a", "b"]) == [error, error]


def test_after_an_error_the_next_goes_through():
    route53 = Route53(ValueError("once"))
    batcher = Batcher(route53, "Z")
    with pytest.raises(ValueError, match="once"):
        batcher.submit({"Action": "UPSERT", "ResourceRecordSet": {"Name": "a"}})
    route53.error = None
    assert batcher.submit({"Action": "UPSERT", "ResourceRecordSet": {"Name": "a"}}) == "change 1"
