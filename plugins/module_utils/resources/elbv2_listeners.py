# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners of application load balancers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.errors import AwsError, code_of
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.sdk import exceptions
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.aws.waiting import wait_for
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import elbv2_handover as handover
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_actions import (
    canonical_actions,
    ordered_actions,
    shown_differences,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.elbv2_common import (
    TaggedKind,
    attribute_lists,
    attributes_from,
    canonical_attributes,
    changed_attributes,
    later_tags_of,
)

GONE = ("ListenerNotFound", "LoadBalancerNotFound")
# What Elastic Load Balancing says for some seconds of a certificate that ACM has just issued, or IAM just taken.
NOT_SEEN_YET = ("CertificateNotFound", "UnsupportedCertificate")
CERTIFICATE_TIMEOUT = 60.0
MODIFIABLE = ("Protocol", "SslPolicy", "CertificateArn", "DefaultActions", "MutualAuthentication")


class Listener(TaggedKind):
    """A listener; `CertificateArn` is its default certificate, `ExtraCertificateArns` those chosen by SNI.

    Its name is `<load balancer>:<port>`, its scope the load balancer.
    """

    kind = "listener"
    label = "listener"

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        elbv2 = aws.client("elbv2")
        by_key = {(item.scope["LoadBalancerArn"], _port(item.name)): item for item in wanted}
        found = [
            (by_key[key], listener)
            for listener in _all(elbv2, {arn for arn, _port_ in by_key})
            if (key := (listener["LoadBalancerArn"], listener["Port"])) in by_key
        ]
        labels = later_tags_of(aws, (listener["ListenerArn"] for _item, listener in found))

        def observe(pair: tuple[Wanted, Mapping[str, Any]]) -> Observed:
            item, listener = pair
            arn = listener["ListenerArn"]
            properties = _properties(listener)
            if "ExtraCertificateArns" in item.properties:
                properties["ExtraCertificateArns"] = _extra_certificates(elbv2, arn)
            if item.properties.get("Attributes"):
                properties["Attributes"] = attributes_from(elbv2.describe_listener_attributes(ListenerArn=arn))
            return Observed(item.name, properties, _attributes(listener), labels.get(arn, {}))

        return {item.name: item for item in each(observe, found)}

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if "DefaultActions" in result:
            result["DefaultActions"] = canonical_actions(result["DefaultActions"])
        if "ExtraCertificateArns" in result:
            result["ExtraCertificateArns"] = sorted(set(result["ExtraCertificateArns"]))
        if "MutualAuthentication" in result:
            result["MutualAuthentication"] = _canonical_mutual(result["MutualAuthentication"])
        if "Attributes" in result:
            result["Attributes"] = canonical_attributes(result["Attributes"])
        return result

    def shown(self, differences: Sequence[Difference]) -> list[Difference]:
        return shown_differences(differences, ("DefaultActions",))

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        elbv2, declared = aws.client("elbv2"), resource.properties
        answer = _once_seen(
            elbv2.create_listener,
            LoadBalancerArn=resource.scope["LoadBalancerArn"],
            Port=_port(resource.name),
            Tags=tags.to_list(resource.tags),
            **_arguments(declared, MODIFIABLE),
        )
        listener = answer["Listeners"][0]
        arn = listener["ListenerArn"]
        if declared.get("ExtraCertificateArns"):
            _each_certificate(elbv2.add_listener_certificates, arn, declared["ExtraCertificateArns"])
        _set_attributes(elbv2, arn, declared.get("Attributes") or {})
        return _attributes(listener)

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        elbv2, declared, changed = aws.client("elbv2"), resource.properties, top_level(differences)
        arn, before = observed.attributes["arn"], observed.properties
        names = [name for name in MODIFIABLE if name in changed]
        if "Protocol" in changed:
            # To HTTPS it takes its certificate and policy along.
            names = [name for name in MODIFIABLE if name in declared]
        if names:
            actions = handover.first_step(aws, before["DefaultActions"], declared["DefaultActions"])
            arguments = _arguments({**declared, "DefaultActions": actions}, names)
            _once_seen(elbv2.modify_listener, ListenerArn=arn, **arguments)
        if "ExtraCertificateArns" in changed or "CertificateArn" in changed:
            _set_extra_certificates(elbv2, arn, declared)
        if "Attributes" in changed:
            _set_attributes(elbv2, arn, changed_attributes(declared["Attributes"], differences))

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        unless(GONE, aws.client("elbv2").delete_listener, ListenerArn=observed.attributes["arn"])


def _port(name: str) -> int:
    return int(name.rsplit(":", 1)[1])


def _all(elbv2: Any, load_balancers: Iterable[str]) -> list[dict[str, Any]]:
    """The listeners of some load balancers; one that was deleted has none."""
    answers = each(
        lambda arn: unless(GONE, pages, elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn) or [],
        sorted(load_balancers),
    )
    return [listener for answer in answers for listener in answer]


def _properties(listener: Mapping[str, Any]) -> dict[str, Any]:
    certificates = listener.get("Certificates") or [{}]
    return {
        "Protocol": listener["Protocol"],
        "SslPolicy": listener.get("SslPolicy"),
        "CertificateArn": certificates[0].get("CertificateArn"),
        "DefaultActions": listener["DefaultActions"],
        "MutualAuthentication": listener.get("MutualAuthentication") or {},
    }


def _attributes(listener: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": listener["ListenerArn"], "arn": listener["ListenerArn"]}


def _canonical_mutual(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Off is how AWS says that nothing was ever set; the association's status is no setting."""
    given = {name: value for name, value in (settings or {}).items() if value is not None}
    given.pop("TrustStoreAssociationStatus", None)
    mode = given.get("Mode", "off")
    if mode != "verify":
        return {"Mode": mode}
    return {"IgnoreClientCertificateExpiry": False, "AdvertiseTrustStoreCaNames": "off", **given}


def _arguments(declared: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The properties as the create and modify calls take them."""
    result = {name: declared[name] for name in names if declared.get(name)}
    if "CertificateArn" in result:
        result["Certificates"] = [{"CertificateArn": result.pop("CertificateArn")}]
    if "DefaultActions" in result:
        result["DefaultActions"] = ordered_actions(result["DefaultActions"])
    return result


def _extra_certificates(elbv2: Any, arn: str) -> list[str]:
    answer = pages(elbv2, "describe_listener_certificates", "Certificates", ListenerArn=arn)
    return [item["CertificateArn"] for item in answer if not item.get("IsDefault")]


def _set_extra_certificates(elbv2: Any, arn: str, declared: Mapping[str, Any]) -> None:
    """New ones before old ones go, so that no host name is without its certificate in between."""
    if "ExtraCertificateArns" not in declared:
        return
    now, wanted = set(_extra_certificates(elbv2, arn)), set(declared["ExtraCertificateArns"])
    _each_certificate(elbv2.add_listener_certificates, arn, wanted - now)
    _each_certificate(elbv2.remove_listener_certificates, arn, now - wanted)


def _each_certificate(call: Callable[..., Any], listener_arn: str, certificate_arns: Iterable[str]) -> None:
    """A call takes one certificate, although it takes it in a list."""
    for arn in sorted(set(certificate_arns)):
        _once_seen(call, ListenerArn=listener_arn, Certificates=[{"CertificateArn": arn}])


def _once_seen(call: Callable[..., Any], **arguments: Any) -> Any:
    """The answer of a call, once its certificates can be seen; where they stay unseen, what AWS says about them."""
    refusals: list[Exception] = []

    def attempt() -> Any:
        try:
            return call(**arguments)
        except exceptions.ClientError as error:
            if code_of(error) not in NOT_SEEN_YET:
                raise
            refusals.append(error)
            return None

    try:
        return wait_for(attempt, "its certificates to be seen", CERTIFICATE_TIMEOUT)
    except AwsError as error:
        raise refusals[-1] from error


def _set_attributes(elbv2: Any, arn: str, attributes: Mapping[str, Any]) -> None:
    for some in attribute_lists(attributes):
        elbv2.modify_listener_attributes(ListenerArn=arn, Attributes=some)
