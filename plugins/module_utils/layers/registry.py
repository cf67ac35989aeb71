# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All layers, in the order in which site.yml names them."""

from __future__ import annotations

from ansible_collections.dockyard.aws.plugins.module_utils.layers.alb import Alb
from ansible_collections.dockyard.aws.plugins.module_utils.layers.autoscaling import Autoscaling
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Layer
from ansible_collections.dockyard.aws.plugins.module_utils.layers.certificate import Certificate
from ansible_collections.dockyard.aws.plugins.module_utils.layers.dns import Dns
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecr import Ecr
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs import Ecs
from ansible_collections.dockyard.aws.plugins.module_utils.layers.iam import Iam
from ansible_collections.dockyard.aws.plugins.module_utils.layers.network import Network
from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_bucket import StateBucket
from ansible_collections.dockyard.aws.plugins.module_utils.layers.static_site import StaticSite

LAYERS: dict[str, Layer] = {
    layer.NAME: layer
    for layer in (
        StateBucket(),
        Iam(),
        Network(),
        Ecr(),
        Certificate(),
        Alb(),
        Dns(),
        Autoscaling(),
        Ecs(),
        StaticSite(),
    )
}
