# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenID Connect providers in IAM: whose tokens roles may trust, such as those of GitHub Actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import policy, tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.parallel import each
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    Difference,
    Observed,
    Resource,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.iam_details import account_details

GONE = "NoSuchEntity"
SCHEME = "https://"
IN_ARN = ":oidc-provider/"


def name_of(url: str) -> str:
    """What IAM calls a provider in ARNs and in the keys of conditions: its URL without the scheme."""
    return url.removeprefix(SCHEME)


class IamOpenIdConnectProvider(Kind):
    """A provider of tokens, named by its URL without `https://`. An account has one for each URL.

    TrustedElsewhere: roles that this environment does not own and whose trust policies name it.
    """

    kind = "iam_openid_connect_provider"
    label = "OpenID Connect provider"
    shared = "leave it out here; roles of this environment may refer to it all the same"

    def read(self, aws: Aws, wanted: Sequence[Wanted]) -> dict[str, Observed]:
        by_name = {item.name: item for item in wanted}
        arns = [item["Arn"] for item in aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]]
        found = [arn for arn in arns if _name_in(arn) in by_name]
        observed = each(lambda arn: self._observe(aws, arn, bool(by_name[_name_in(arn)].properties)), found)
        return {item.name: item for item in observed if item is not None}

    @staticmethod
    def _observe(aws: Aws, arn: str, whole: bool) -> Observed | None:
        """Of what is only referred to, the ARN says everything."""
        if not whole:
            return Observed(_name_in(arn), {}, _attributes(arn))
        answer = unless(GONE, aws.client("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
        if answer is None:
            return None
        tagged = tags.from_list(answer.get("Tags"))
        properties = {
            "ClientIDList": answer.get("ClientIDList", []),
            "ThumbprintList": answer.get("ThumbprintList", []),
            "TrustedElsewhere": _trusted_elsewhere(aws, arn, ENVIRONMENT_TAG in tagged),
        }
        return Observed(_name_in(arn), properties, _attributes(arn), tagged)

    def canonical(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        result = dict(properties)
        if "ClientIDList" in result:
            result["ClientIDList"] = sorted(set(result["ClientIDList"]))
        if "ThumbprintList" in result:
            result["ThumbprintList"] = sorted({item.lower() for item in result["ThumbprintList"]})
        return result

    def create(self, aws: Aws, resource: Resource) -> dict[str, Any]:
        answer = aws.once("iam").create_open_id_connect_provider(
            Url=f"{SCHEME}{resource.name}", Tags=tags.to_list(resource.tags), **self.canonical(resource.properties)
        )
        return _attributes(answer["OpenIDConnectProviderArn"])

    def update(self, aws: Aws, resource: Resource, observed: Observed, differences: Sequence[Difference]) -> None:
        iam, changed = aws.client("iam"), top_level(differences)
        where = {"OpenIDConnectProviderArn": observed.attributes["arn"]}
        declared = self.canonical(resource.properties)
        if "ClientIDList" in changed:
            now, then = set(observed.properties["ClientIDList"]), set(declared["ClientIDList"])
            for client_id in sorted(then - now):
                iam.add_client_id_to_open_id_connect_provider(**where, ClientID=client_id)
            for client_id in sorted(now - then):
                iam.remove_client_id_from_open_id_connect_provider(**where, ClientID=client_id)
        if "ThumbprintList" in changed:
            thumbprints = declared["ThumbprintList"]
            iam.update_open_id_connect_provider_thumbprint(**where, ThumbprintList=thumbprints)

    def retag(self, aws: Aws, observed: Observed, add: Mapping[str, str], remove: Sequence[str]) -> None:
        iam, where = aws.client("iam"), {"OpenIDConnectProviderArn": observed.attributes["arn"]}
        if add:
            iam.tag_open_id_connect_provider(**where, Tags=tags.to_list(add))
        if remove:
            iam.untag_open_id_connect_provider(**where, TagKeys=list(remove))

    def refuses_delete(self, resource: Resource, observed: Observed) -> str | None:
        users = observed.properties.get("TrustedElsewhere") or ()
        if not users:
            return None
        return (
            f"{', '.join(users)} {'trusts' if len(users) == 1 else 'trust'} it, and could no more be assumed. Take the "
            f"tag {ENVIRONMENT_TAG} off it: it stays then, and an environment that declares it takes it over"
        )

    def delete(self, aws: Aws, resource: Resource | None, observed: Observed) -> None:
        call = aws.client("iam").delete_open_id_connect_provider
        unless(GONE, call, OpenIDConnectProviderArn=observed.attributes["arn"])


def _name_in(arn: str) -> str:
    return arn.partition(IN_ARN)[2]


def _attributes(arn: str) -> dict[str, Any]:
    return {"id": arn, "arn": arn, "name": _name_in(arn)}


def _trusted_elsewhere(aws: Aws, arn: str, tagged: bool) -> list[str]:
    """tagged: the environment tags what it owns, so a role without the tag is somebody else's."""
    found = []
    for role in account_details(aws)["RoleDetailList"]:
        owner = tags.from_list(role.get("Tags")).get(ENVIRONMENT_TAG)
        ours = owner == aws.environment or (owner is None and not tagged)
        if not ours and f'"{arn}"' in policy.text(role["AssumeRolePolicyDocument"]):
            whose = f"of the environment {owner}" if owner else "of no environment"
            found.append(f"the role {role['RoleName']} {whose}")
    return sorted(found)


KINDS = (IamOpenIdConnectProvider,)
