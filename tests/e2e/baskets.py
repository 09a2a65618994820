"""What several stories register: one view of one feature, written directly, and how it is asked."""

import secrets

from tests.e2e.house import House

USERS = 10


def definition(
    project: str, view: str, *, max_age: str, owner: str = "baskets", services: list[dict] | None = None
) -> dict:
    """Return the definition file; each of ``services`` reads the view's one feature."""
    feature_view = {
        "name": view,
        "entities": ["user"],
        "owner": owner,
        "features": [{"name": "amount", "dtype": "float64", "default": -1.0}],
        "freshness": {"max_age": max_age},
        "direct": True,
    }
    return {
        "version": 1,
        "project": project,
        "entities": [{"name": "user", "join_keys": [{"name": "user_id", "dtype": "int64"}]}],
        "feature_views": [feature_view],
        "feature_services": [one | {"features": [f"{view}:amount"]} for one in services or []],
    }


class Shop:
    """A view with a few rows."""

    def __init__(self, house: House) -> None:
        self.house, self.mark = house, secrets.token_hex(4)
        self.project, self.view = f"shop_{self.mark}", f"basket_{self.mark}"
        self.apply()
        self.post(range(USERS))

    def apply(self, **changes: str) -> None:
        self.house.ok("POST", f"projects/{self.project}/apply", self.definition(**changes))

    def definition(self, *, max_age: str = "1h") -> dict:
        return definition(self.project, self.view, max_age=max_age)

    def post(self, users) -> None:
        status, answer = self.try_to_post(users)
        assert status == 200, answer

    def try_to_post(self, users) -> tuple[int, dict]:
        """Send rows once; returns status and answer."""
        rows = {"rows": [{"user_id": user, "amount": user + 0.5} for user in users]}
        return self.house.api("POST", f"projects/{self.project}/feature-views/{self.view}/rows", rows)

    def served(self, users) -> dict[int, float | None]:
        """Return the value of each user as lookups give it; None where there is none."""
        body = {"features": [f"{self.view}:amount"], "entities": {"user_id": list(users)}}
        status, answer = self.house.lookup("v1/lookup", body, Freshline_Project=self.project)
        assert status == 200, answer
        return dict(zip(users, answer["columns"][-1]["values"], strict=True))

    def ask(self) -> tuple[int, object]:
        """Look up two keys; returns the HTTP status, and Feast's statuses or the error's code."""
        body = {"features": [f"{self.view}:amount"], "entities": {"user_id": [0, 1]}}
        status, answer = self.house.lookup("get-online-features", body, Freshline_Project=self.project)
        if status == 200:
            return status, answer["results"][-1]["statuses"]
        return status, answer.get("code") if isinstance(answer, dict) else answer  # Feast's errors are text

    def health(self) -> str:
        items = self.house.ok("GET", f"projects/{self.project}/health")["items"]
        return items[0]["state"] if items else ""

    def open_incidents(self) -> list[dict]:
        return self.house.ok("GET", f"projects/{self.project}/incidents?state=open")["items"]
