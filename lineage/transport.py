"""An openlineage client transport that writes into our own intake, without HTTP in between.

Named in settings, so that who emits does not import lineage; any other transport of the client does as well.
"""

import json
from typing import Any

from openlineage.client.serde import Serde
from openlineage.client.transport import Config, Transport

from controlplane.kernel import clock
from lineage import services


class DatabaseConfig(Config):
    """Nothing to configure."""

    @classmethod
    def from_dict(cls, params: dict[str, Any]) -> "DatabaseConfig":
        return cls()


class DatabaseTransport(Transport):
    """Stores each event as ``POST /api/v1/lineage`` would."""

    kind = "freshline-database"
    config_class = DatabaseConfig

    def __init__(self, config: DatabaseConfig) -> None:
        self.config = config

    def emit(self, event: Any) -> None:
        document = event if isinstance(event, dict) else json.loads(Serde.to_json(event))
        services.receive_event(document, now=clock.now())
