"""The backup that docs/runbooks/backup-and-restore.md tells of, made and restored with its own commands."""

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tools import ports, process_table
from tools.places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
PAGE = ROOT / "docs" / "runbooks" / "backup-and-restore.md"
BACKUP, RESTORE = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.S)


class Machine:
    """A folder with an installation, where a person types what the page says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / ".freshline"
        self.port, self.serving_port = ports.find_free(2)

    def type(self, commands: str) -> None:
        """Run the commands; ``./dev`` on ports that are free here, and without the demo."""
        dev = f"{sys.executable} {ROOT}/dev"
        up = f"{dev} up --empty --port {self.port} --serving-port {self.serving_port}"
        text = commands.replace("./dev up", up).replace("./dev", dev)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FRESHLINE_")}
        done = subprocess.run(
            ["sh", "-ec", text], cwd=self.folder, env=kept, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def ask(self, method: str, address: str) -> int:
        """Return the status of a request with the administrator's token."""
        token = (self.home / "admin-token").read_text().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{address}",
            method=method,
            headers={"Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code


def test_what_was_there_at_the_backup_is_there_after_the_restore_and_nothing_else(tmp_path: Path) -> None:
    machine = Machine(tmp_path.resolve())
    try:
        machine.type("./dev up --home .freshline --detach")
        assert machine.ask("PUT", "projects/before") < 300
        machine.type(BACKUP)
        assert machine.ask("PUT", "projects/after") < 300
        machine.type(RESTORE)
        assert machine.ask("GET", "projects/before") == 200
        assert machine.ask("GET", "projects/after") == 404
    finally:
        process_table.end(process_table.started_for(machine.home))
