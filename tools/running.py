"""`./dev up`: from a clone to a running installation."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tools import build, environment, installation, launcher, logs, ports, process_table, processes
from tools.console import BOLD, DIM, GREEN, Failure, coloured, run, say, step
from tools.installation import Installation, Lock
from tools.places import DEFAULT_HOME, ROOT, VENV, management_command, python_of
from tools.supervisor import Supervisor

DEFAULT_PORT, DEFAULT_SERVING_PORT = 8000, 6566


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked `./dev up` for; no port means the usual one."""

    home: Path
    port: int | None = None
    serving_port: int | None = None
    empty: bool = False
    detach: bool = False


def up(wish: Wish) -> None:
    """Bring the installation up, and stay with it unless it shall run detached."""
    started = time.monotonic()
    home = wish.home.resolve()
    lock = _take(home)
    if lock is None:
        _report_running(home, wish)
        return
    _end_orphans(home)
    planned = installation.plan(
        home,
        port=wish.port or DEFAULT_PORT,
        serving_port=wish.serving_port or DEFAULT_SERVING_PORT,
        empty=wish.empty,
        environ=os.environ,
    )
    _check_ports(planned)
    planned = replace(planned, supervisor=os.getpid())
    installation.write(planned)
    welcome = _prepare(planned)
    if wish.detach:
        _start_detached(planned, lock)
        _greet(planned, welcome, started, detached=True)
    else:
        supervise(planned, show=True, on_ready=lambda: _greet(planned, welcome, started, detached=False))


def _take(home: Path) -> Lock | None:
    """Make the home if need be and lock it. A disk that cannot be written is found here, not halfway."""
    if home.is_file():
        raise Failure(f"{home} is a file; --home names a folder.")
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Lock.take(home)
    except OSError as wrong:
        raise Failure(f"{home} cannot be written: {wrong.strerror}. Choose another with --home.") from wrong


def supervise_detached(home: Path, lock_handle: int) -> None:
    """Be the supervisor that `./dev up --detach` started."""
    _lock = Lock.inherited(lock_handle)  # held until this process ends
    planned = installation.read(home)
    if planned is None:
        raise Failure(f"{home} has not been prepared")
    supervise(planned, show=False, on_ready=lambda: say(f"{logs.clock()} ready"))


def supervise(planned: Installation, *, show: bool, on_ready: object) -> None:
    """Run the processes of a prepared installation until told to stop."""
    planned.logs.mkdir(exist_ok=True)
    assert callable(on_ready)
    Supervisor(planned, processes.of(planned, python_of(VENV)), show=show, on_ready=on_ready).run()


def _prepare(planned: Installation) -> Mapping[str, str]:
    """Install, build and fill what is not there yet. Returns what the person should know to sign in."""
    sets = ["core"] if planned.empty else ["core", "demo"]
    with environment.preparing():
        python = environment.ensure(*sets)
        launcher.write(VENV)
        build.build_frontend()
        build.build_serving()
    variables = planned.child_environment()
    build.collect_static(python, variables, planned.home)
    with step("bringing the database up to date"):
        said = run([python, "manage.py", "bootstrap", "--migrate"], env=variables)
    welcome = {str(name): str(value) for name, value in json.loads(said).items()}
    if not planned.empty and management_command("demo"):
        with step("loading the demo"):
            said = run([python, "manage.py", "demo", "load"], env=variables)
        welcome |= {f"demo_{name}": str(value) for name, value in json.loads(said).items()}
    return welcome


def _start_detached(planned: Installation, lock: Lock) -> None:
    planned.logs.mkdir(exist_ok=True)
    log = planned.logs / "supervisor.log"
    command = [sys.executable, str(ROOT / "dev"), "supervise", str(planned.home), str(lock.handle)]
    with step("starting"), log.open("ab") as output:
        supervisor = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[lock.handle],
        )
        lock.release()
        try:
            _wait_until_ready(planned.home, supervisor, log)
        except KeyboardInterrupt:
            supervisor.terminate()
            supervisor.wait()
            raise


def _wait_until_ready(home: Path, supervisor: "subprocess.Popen[bytes]", log: Path) -> None:
    while True:
        now = installation.read(home)
        if now and now.supervisor == supervisor.pid and now.state == "ready":
            return
        if supervisor.poll() is not None:
            raise Failure(f"The processes did not come up. The end of {log}:\n{logs.last_lines(log, 40)}")
        time.sleep(0.1)


def _check_ports(planned: Installation) -> None:
    for port, option, what in (
        (planned.port, "--port", "the web UI and API"),
        (planned.serving_port, "--serving-port", "lookups"),
    ):
        if not ports.is_free(port):
            raise Failure(
                f"Port {port}, meant for {what}, is in use by {ports.holder(port)}.\n"
                f"Stop that, or choose another port with {option} N."
            )
    if planned.port == planned.serving_port:
        raise Failure(f"--port and --serving-port are both {planned.port}; they must differ.")


def _end_orphans(home: Path) -> None:
    """End what outlived a supervisor that was killed: it would hold ports and work twice."""
    ended = process_table.end(process_table.started_for(home))
    if ended:
        say(f"Ended {len(ended)} processes that an earlier supervisor of this home had left behind.")


def _report_running(home: Path, wish: Wish) -> None:
    now = installation.read(home)
    if now is None or now.state == "preparing":
        who = f" (pid {now.supervisor})" if now else ""
        raise Failure(f"Another ./dev up{who} is preparing {home}. Wait for it, or stop it.")
    say(f"Already running: {coloured(now.url, BOLD)}, serving on {now.serving_url} ({now.state}).")
    option = _home_option(home)
    wishes = [("--port", wish.port, now.port), ("--serving-port", wish.serving_port, now.serving_port)]
    others = [f"{name} {wished}" for name, wished, has in wishes if wished not in (None, has)]
    if others:
        say("It keeps its ports while it runs. To change them:")
        say(f"    ./dev down{option} && ./dev up{option} {' '.join(others)}")
    say(f"Stop it with: ./dev down{option}")


def _home_option(home: Path) -> str:
    return "" if home == DEFAULT_HOME else f" --home {home}"


def _greet(planned: Installation, welcome: Mapping[str, str], started: float, *, detached: bool) -> None:
    """Say where to look, and how long it took since ``started`` (of the monotonic clock)."""
    home, option = planned.home, _home_option(planned.home)
    rows = [("Web UI", planned.url), ("API", f"{planned.url}/api/v1/"), ("Lookups", planned.serving_url)]
    if "login" in welcome:
        password = _content(Path(welcome.get("password_file", home / "admin-password")))
        rows.append(("Sign in", f"{welcome['login']} / {password or '(a password of your own)'}"))
    token = _content(home / "admin-token")
    if token:
        rows += [("Token", token), ("", f"(of an administrator; also in {home / 'admin-token'})")]
    rows += _demo_rows(welcome, option)
    rows.append(("Command", f"{VENV / 'bin' / 'freshline'} --help"))
    rows.append(("Logs", f"{planned.logs}/*.log"))
    stop = f"./dev down{option}" if detached else "Ctrl-C"
    rows.append(("Stop", stop))
    say()
    took = coloured(f"(ready after {time.monotonic() - started:.1f} s)", DIM)
    say(f"{coloured('Freshline is running.', BOLD, GREEN)} {took}")
    for name, value in rows:
        say(f"  {coloured(f'{name:<12}', DIM)} {value}")
    say()


def _demo_rows(welcome: Mapping[str, str], option: str) -> list[tuple[str, str]]:
    if "demo_login" not in welcome:
        return []
    rows = [
        ("Demo", f"sign in as {welcome['demo_login']} / {welcome['demo_password']}"),
        ("Demo token", _content(Path(welcome["demo_token_file"]))),
        ("Messages", f"{welcome['demo_messages_url']} (what Slack and PagerDuty were sent)"),
        ("Break it", f"./dev demo{option} break weather, then: ./dev demo{option} fix weather"),
    ]
    if welcome["demo_stopped"]:
        rows.append(("", f"standing still since before: {welcome['demo_stopped']}"))
    if welcome["demo_pause"]:
        rows.append(("", f"the demo was {welcome['demo_pause']}"))
    return rows


def _content(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
