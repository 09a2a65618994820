"""What somebody who is signed in reads on the pages."""

import html
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request

from tests.e2e.house import House, eventually


class Browser:
    """The administrator of an installation, signed in."""

    def __init__(self, house: House) -> None:
        self._web = house.web
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        _, page = self._open("/sign-in")
        form = {
            "csrfmiddlewaretoken": re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1],
            "username": "admin",
            "password": (house.home / "admin-password").read_text().strip(),
        }
        request = urllib.request.Request(f"{self._web}/sign-in", urllib.parse.urlencode(form).encode())
        request.add_header("Referer", f"{self._web}/sign-in")
        assert "Sign out" in self._opener.open(request, timeout=30).read().decode()

    def words(self, path: str) -> str:
        """Return what a page says: words, and states of rows; without choices and counts of none."""
        status, text = self.read(path)
        assert status == 200, (path, text)
        return text

    def wait_for(self, path: str, pattern: str, *, within: float) -> None:
        """Return once the words of a page match; a failure shows what the page says instead."""
        try:
            eventually(lambda: re.search(pattern, self.words(path)), within=within, every=0.5)
        except AssertionError as late:
            raise AssertionError(f"{path} never says {pattern!r}: {self.words(path)}") from late

    def read(self, path: str) -> tuple[int, str]:
        """Return the status of a page, and its words."""
        status, page = self._open(path)
        page = re.sub(r"(?s)<(style|script|template|option)\b.*?</\1>", "", page)
        states = re.findall(r'<(?:h1|tr|li)\b[^>]*data-state="([^"]*)"', page)
        text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
        return status, re.sub(r"\b0 fresh\b|\bFresh 0\b", "", text) + " ".join(["", *states])

    def _open(self, path: str) -> tuple[int, str]:
        try:
            with self._opener.open(self._web + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
