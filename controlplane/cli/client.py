"""Asking the control plane and serving over HTTP, and telling their refusals in words."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from controlplane.cli.reading import check_words, to_json
from controlplane.cli.surroundings import CannotGoOn, Surroundings

TIMEOUT = httpx.Timeout(60.0, connect=5.0)
PAGE = 200
JSON = {"Content-Type": "application/json"}
Json = dict[str, Any]
Query = Mapping[str, str | int]


class Client:
    """One command's requests. Every way to fail is a ``CannotGoOn`` that says what was asked of whom."""

    def __init__(self, around: Surroundings, *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"User-Agent": "freshline"}
        if around.token:
            headers["Authorization"] = f"Bearer {around.token}"
        self.around = around
        self._http = httpx.Client(timeout=TIMEOUT, headers=headers, transport=transport)

    def get(self, path: str, query: Query | None = None) -> Json:
        """GET from the control plane; ``path`` is below /api/v1."""
        return self._ask("GET", f"{self.around.url}/api/v1/{path}", params=query)

    def post(self, path: str, body: object = None, query: Query | None = None) -> Json:
        """POST JSON to the control plane."""
        return self.post_json(path, to_json(body), query)

    def post_json(self, path: str, content: bytes, query: Query | None = None) -> Json:
        """POST what is JSON already."""
        url = f"{self.around.url}/api/v1/{path}"
        return self._ask("POST", url, content=content, headers=JSON, params=query)

    def post_file(
        self, path: str, content: bytes, *, query: Query, media_type: str = "application/yaml"
    ) -> Json:
        """POST a file as it is: a definition file, unless said otherwise (JSON is YAML as well)."""
        headers = {"Content-Type": media_type}
        url = f"{self.around.url}/api/v1/{path}"
        return self._ask("POST", url, content=content, headers=headers, params=query)

    def items(self, path: str, query: Query | None = None, *, most: int) -> Iterator[Json]:
        """Yield at most ``most`` items of a list, page by page."""
        asked: dict[str, str | int] = {**(query or {}), "limit": min(most, PAGE)}
        while most > 0:
            page = self.get(path, asked)
            yield from page["items"][:most]
            most -= len(page["items"])
            if not page["next"]:
                return
            asked["cursor"] = page["next"]

    def require_view(self, view: str) -> None:
        """Refuse a view that is not there: a list of nothing would look as if all were well."""
        self.get(f"projects/{part(self.around.require_project())}/feature-views/{part(view)}")

    def ask_serving(self, method: str, path: str, **parts: Any) -> Json:
        """Ask serving."""
        return self._ask(method, f"{self.around.serving_url}/{path}", **parts)

    def status(self, url: str) -> tuple[int, str]:
        """Return status and text of a GET, whatever the status is."""
        try:
            answer = self._http.get(url)
        except (httpx.HTTPError, httpx.InvalidURL) as wrong:
            raise CannotGoOn(f"{url} does not answer: {_reason(wrong)}") from wrong
        return answer.status_code, answer.text

    def _ask(self, method: str, url: str, **parts: Any) -> Json:
        try:
            answer = self._http.request(method, url, **parts)
        except (httpx.HTTPError, httpx.InvalidURL) as wrong:
            raise CannotGoOn(f"{url} does not answer: {_reason(wrong)}") from wrong
        if answer.is_error:
            raise CannotGoOn(_problem(answer))
        return _object_in(answer)


def part(text: object) -> str:
    """Return ``text`` as one part of a path."""
    check_words([str(text)])
    return quote(str(text), safe="")


def _object_in(answer: httpx.Response) -> Json:
    try:
        found = answer.json() if answer.content else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CannotGoOn(f"{answer.request.url} answered what is no JSON object. Is Freshline there?")
    return found


def _reason(wrong: Exception) -> str:
    return str(wrong) or type(wrong).__name__


def _problem(answer: httpx.Response) -> str:
    """Return what a problem document says, each fault on a line of its own."""
    try:
        problem = answer.json()
        lines = [f"{problem['detail']} ({answer.status_code} {problem['code']})"]
        lines += [f"  {fault['path']}: {fault['message']}" for fault in problem.get("errors", ())]
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.url} answered {answer.status_code}: {answer.text[:200]}"
    if answer.status_code == 401:
        lines.append("  Set FRESHLINE_TOKEN or FRESHLINE_TOKEN_FILE; tokens are made under Settings, Tokens.")
    return "\n".join(lines)
