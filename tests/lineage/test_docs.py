"""The page on lineage says what is so."""

import re

import yaml
from openlineage.client import OpenLineageClient

from tools.places import ROOT

PAGE = (ROOT / "docs" / "reference" / "lineage.md").read_text()


def test_the_configuration_that_the_page_shows_is_the_clients():
    shown = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE, re.S)[1])
    transport = OpenLineageClient(config=shown).transport
    assert transport.kind == "http"
    assert f"{transport.url}/{transport.endpoint}" == "http://127.0.0.1:8000/api/v1/lineage"
    assert transport.compression.value == "gzip"
    assert transport.config.auth.get_bearer() == "Bearer YOUR_TOKEN"
