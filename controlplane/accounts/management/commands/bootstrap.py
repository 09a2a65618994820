"""Make what a new installation needs to be used: tables, an administrator, tokens of its and of serving."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from controlplane.accounts import selectors
from controlplane.accounts.domain import EVERY_PROJECT, Scope
from controlplane.accounts.services import teams, tokens
from controlplane.kernel import clock

ADMIN = "admin"


class Command(BaseCommand):
    """``manage.py bootstrap [--migrate]``: idempotent; prints one JSON object."""

    help = "Make the administrator, and HOME/admin-token, serving-token and admin-password (mode 600)."
    # The checks of all apps load every page and endpoint, for nothing that is done here.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="bring the tables up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        home: Path = settings.FRESHLINE_HOME
        if options["migrate"]:
            # Here, because each Django process takes a second of every start to load.
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        password = _ensure_password(home / "admin-password")
        admin = _token(home / "admin-token", name="admin", scopes=list(Scope))
        serving = _token(home / "serving-token", name="serving", scopes=[Scope.SERVING])
        answer = {
            "login": ADMIN,
            "password_file": str(password),
            "admin_token_file": str(admin),
            "serving_token_file": str(serving),
        }
        self.stdout.write(json.dumps(answer))


def _ensure_password(path: Path) -> Path:
    if not get_user_model().objects.filter(username=ADMIN).exists():
        password = secrets.token_urlsafe(12)
        teams.create_user(username=ADMIN, password=password, is_admin=True)
        _write(path, password)
    return path


def _token(path: Path, *, name: str, scopes: list[Scope]) -> Path:
    """Make the token unless the file holds one that works."""
    now = clock.now()
    if path.exists() and selectors.principal_of_token(tokens.digest_of(path.read_text().strip()), now=now):
        return path
    admin = selectors.principal_of_user(get_user_model().objects.get(username=ADMIN))
    made = tokens.create_token(
        admin, name=name, scopes=scopes, projects=[EVERY_PROJECT], now=now, never_expires=True
    )
    _write(path, made.secret)
    return path


def _write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
