"""Code for a lookup that works as it stands when FRESHLINE_TOKEN is set."""

import json
from collections.abc import Mapping

from frontend.records.view import Snippet


def snippets(
    serving_url: str, *, project: str, asked: Mapping[str, object], entities: Mapping[str, object]
) -> tuple[Snippet, ...]:
    """Return one lookup for the shell and for Python."""
    body = {"project": project, **asked, "entities": dict(entities)}
    address = f"{serving_url.rstrip('/')}/v1/lookup"
    shell = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    curl = f"curl -s {address} \\\n  -H \"Authorization: Bearer $FRESHLINE_TOKEN\" \\\n  -d '{shell}'"
    python = (
        "import os\n\nimport httpx\n\n"
        f'answer = httpx.post(\n    "{address}",\n'
        '    headers={"Authorization": f"Bearer {os.environ[\'FRESHLINE_TOKEN\']}"},\n'
        f"    json={body!r},\n)\nprint(answer.json())"
    )
    return (Snippet("curl", curl), Snippet("Python", python))
