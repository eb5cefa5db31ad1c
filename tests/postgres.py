"""A throw-away PostgreSQL server on a free port of this machine, run by somebody who is not root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser import free_port

USER, PASSWORD = "zeming", "p@ss:w/ord%41"
_QUOTED = "p%40ss%3Aw%2Ford%2541"


@dataclass
class Cluster:
    """A running server."""

    port: int

    def address(self, database: str) -> str:
        return f"postgresql://{USER}:{_QUOTED}@127.0.0.1:{self.port}/{database}"

    def run(self, command: str, database: str = "postgres") -> list[Any]:
        """Run one command of SQL outside the program; the rows that it gives."""
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            done = connection.execute(command.encode())
            return done.fetchall() if done.description else []

    def new(self) -> str:
        """The address of an empty database: always the same one, as it costs much to make another."""
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")
        return self.address("postgres")


@contextmanager
def start() -> Iterator[Cluster | None]:
    """Start a server; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="zeming-postgres-"))
    password = folder / "password"
    password.write_text(PASSWORD)
    identity: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    if os.geteuid() == 0:  # PostgreSQL does not run as root
        identity |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        for path in (folder, password):
            shutil.chown(path, "postgres", "postgres")
    options = ["-U", USER, f"--pwfile={password}", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"]
    try:
        subprocess.run([initdb, "-D", folder / "data", "--no-sync", *options], check=True, **identity)
        cluster = Cluster(free_port())
        settings = (
            "fsync=off",
            "unix_socket_directories=",
            "listen_addresses=127.0.0.1",
            f"port={cluster.port}",
        )
        server = subprocess.Popen(
            [Path(initdb).with_name("postgres"), "-D", folder / "data"]
            + [part for setting in settings for part in ("-c", setting)],
            **(identity | {"stderr": subprocess.DEVNULL}),
        )
        try:
            _wait_for(cluster, server)
            yield cluster
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    end = time.monotonic() + 60
    while True:
        try:
            cluster.run("SELECT 1")
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)
