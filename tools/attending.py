"""`./dev down`, `./dev status`, `./dev demo`: attending to an installation that runs."""

import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path

from tools import installation, process_table, processes
from tools.console import BOLD, DIM, GREEN, RED, YELLOW, Failure, coloured, say
from tools.installation import Installation, ProcessState
from tools.places import ROOT, VENV, management_command, python_of

_COLOURS = {"ready": GREEN, "starting": YELLOW, "waiting": RED, "stopped": DIM, "resting": DIM, "silent": RED}
ALL_READY, NOT_ALL_READY, NOT_RUNNING = 0, 1, 3


def down(home: Path) -> None:
    """Stop whatever runs in the home, and return when nothing does."""
    home = home.resolve()
    now = installation.read(home)
    was_held = installation.is_held(home)
    if was_held and now and now.supervisor > 0 and process_table.is_alive(now.supervisor):
        os.kill(now.supervisor, signal.SIGTERM)
        deadline = time.monotonic() + 25
        while installation.is_held(home) and time.monotonic() < deadline:
            time.sleep(0.05)
        if installation.is_held(home):
            os.kill(now.supervisor, signal.SIGKILL)
    left_behind = process_table.end(process_table.started_for(home))
    if left_behind:
        say(f"Ended {len(left_behind)} processes that had no supervisor any more.")
    if (latest := installation.read(home)) and latest.state != "stopped":
        stopped = tuple(replace(process, state="stopped", pid=0) for process in latest.processes)
        installation.write(replace(latest, state="stopped", processes=stopped))
    say("Stopped." if was_held or left_behind else f"Nothing was running in {home}.")


def status(home: Path, *, as_json: bool) -> int:
    """Say how the installation is. Returns 0 when all is ready, 1 when not all is, 3 when nothing runs."""
    home = home.resolve()
    now = installation.read(home)
    if now is None or not installation.is_held(home):
        orphans = process_table.started_for(home)
        if as_json:
            say(json.dumps({"home": str(home), "state": "stopped", "unsupervised": orphans}))
        elif orphans:
            say(f"The supervisor of {home} is gone, {len(orphans)} of its processes still run: ./dev down")
        else:
            say(f"Nothing is running in {home}.")
        return NOT_RUNNING
    reports = _ask(now)
    everything = now.state == "ready" and all(report.state == "ready" for report in reports)
    if as_json:
        say(json.dumps(_document(now, reports), indent=1))
    else:
        _print(now, reports)
    return ALL_READY if everything else NOT_ALL_READY


def demo(home: Path, words: list[str]) -> int:
    """Pass words on to `manage.py demo`, in the environment of the installation."""
    now = installation.read(home.resolve())
    if now is None:
        raise Failure(f"Nothing was ever started in {home}. Start it with: ./dev up")
    if not management_command("demo"):
        raise Failure("There is no demo in this version.")
    command = [str(python_of(VENV)), "manage.py", "demo", *words]
    code = subprocess.run(command, cwd=ROOT, env=now.child_environment(), check=False).returncode
    if code == 0 and words[:1] in (["break"], ["fix"]) and not installation.is_held(home.resolve()):
        say("Nothing runs in this home now: it takes effect with the next ./dev up.")
    return code


def _ask(now: Installation) -> list[ProcessState]:
    """Return the supervisor's view, corrected by asking each process that it takes for ready."""
    probes = {process.name: process.probe for process in processes.of(now, python_of(VENV))}
    reports = []
    for report in now.processes:
        probe = probes.get(report.name)
        silent = report.state == "ready" and probe is not None and not probe.is_ready()
        reports.append(replace(report, state="silent") if silent else report)
    return reports


def _document(now: Installation, reports: list[ProcessState]) -> dict[str, object]:
    return {
        "home": str(now.home),
        "state": now.state,
        "supervisor": now.supervisor,
        "urls": {"web": now.url, "serving": now.serving_url},
        "processes": [asdict(report) for report in reports],
    }


def _print(now: Installation, reports: list[ProcessState]) -> None:
    say(f"{coloured(now.state, BOLD)}: {now.url}, serving on {now.serving_url}")
    say(coloured(f"  {'process':<16}{'state':<10}{'pid':>8}  {'for':>8}  restarts", DIM))
    for report in reports:
        state = coloured(f"{report.state:<10}", _COLOURS.get(report.state, ""))
        lasted = _duration(time.time() - report.since) if report.since else "-"
        say(f"  {report.name:<16}{state}{report.pid or '-':>8}  {lasted:>8}  {report.restarts}")


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
