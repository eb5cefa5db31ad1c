"""How the open page bears many people: ``python -m evals.load --people 30`` (after ``make setup``).

Starts ``zeming chat`` as a person does, asks over HTTP as the page in a browser does, first one person alone, then
all at once. Prints the median and the 95th percentile of the time to the verdict, failures, and the memory of all
processes. Stops by itself. A measurement, not a test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

from assistant.settings import load_settings

OPENS_WITHIN, ANSWERS_WITHIN = 300.0, 60.0  # seconds
ALONE = 20  # questions that come one after the other
PRACTICE = 15  # seconds in which the processes read some cases


class Person:
    """Somebody with a browser of his own, who has just opened the page."""

    def __init__(self, address: str) -> None:
        self._client = httpx.AsyncClient(base_url=address, timeout=ANSWERS_WITHIN)
        self._session = uuid.uuid4().hex[:12]
        self._page = 0

    async def open(self) -> None:
        """Load the page; what the browser gets there lets it ask."""
        (await self._client.get("/")).raise_for_status()
        config = (await self._client.get("/config")).json()
        self._page = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "z-page")
        await self._act({"do": "hello"})

    async def ask(self, text: str) -> float:
        """Seconds from asking to the verdict.

        Raises:
            RuntimeError: there was no verdict; says what came instead.
        """
        started = time.perf_counter()
        shown = await self._act({"do": "say", "text": text, "follow": True, "turn": 0})
        if not any('class="z-label"' in put["html"] for put in shown.get("put", ())):
            raise RuntimeError(shown.get("notice", "no verdict"))
        return time.perf_counter() - started

    async def _act(self, what: dict[str, Any]) -> dict[str, Any]:
        """One act of the page, as the browser sends it. The one place that knows how the page is built."""
        sent = {
            "data": {**what, "tab": self._session},
            "component_id": self._page,
            "fn_name": "act",
            "session_hash": self._session,
        }
        answer = await self._client.post("/gradio_api/component_server", json=sent)
        answer.raise_for_status()
        shown: dict[str, Any] = answer.json()
        return shown

    async def leave(self) -> None:
        await self._client.aclose()


async def run(address: str, people: int) -> dict[str, Any]:
    texts = _stories(load_settings().knowledge, ALONE + people)
    crowd = [Person(address) for _ in texts]
    opened = time.perf_counter()
    await crowd[0].open()
    first_page = time.perf_counter() - opened
    first = await crowd[0].ask(texts[0])  # waits until the processes are ready
    for person in crowd[1:]:
        await person.open()
    await asyncio.sleep(PRACTICE)
    alone = [await person.ask(text) for person, text in zip(crowd[:ALONE], texts, strict=False)]
    started = time.perf_counter()
    together = await asyncio.gather(
        *(person.ask(text) for person, text in zip(crowd[ALONE:], texts[ALONE:], strict=True)),
        return_exceptions=True,
    )
    whole = time.perf_counter() - started
    for person in crowd:
        await person.leave()
    times = sorted(t for t in together if isinstance(t, float))
    failures = [f"{type(e).__name__}: {e}" for e in together if isinstance(e, BaseException)]
    return {
        "page_s": round(first_page, 3),
        "first_answer_s": round(first, 2),
        "alone_ms_median": round(statistics.median(alone) * 1000),
        "people": people,
        "together_s_median": round(statistics.median(times), 2) if times else None,
        "together_s_p95": round(times[max(0, -(-len(times) * 95 // 100) - 1)], 2) if times else None,
        "together_s_all": round(whole, 2),
        "failures": failures,
    }


def _stories(knowledge: Path, count: int) -> list[str]:
    rows = [
        json.loads(line)["text"]
        for path in sorted((knowledge / "exemplars").glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()[:40]
    ]
    return rows[:: max(1, len(rows) // count)][:count]


def memory(root: int) -> int:
    """Megabytes of a process and all that it started; pages that several share count each time."""
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
        except OSError:
            continue
        pid, size = int(folder.name), re.search(r"VmRSS:\s+(\d+)", status)
        parents[pid] = int(re.search(r"PPid:\s+(\d+)", status)[1])  # type: ignore[index]
        resident[pid] = int(size[1]) if size else 0

    def within(pid: int) -> bool:
        while pid and pid != root:
            pid = parents.get(pid, 0)
        return pid == root

    return sum(size for pid, size in resident.items() if within(pid)) // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    people = parser.parse_args().people
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "zeming"), "chat"]
    with tempfile.TemporaryFile() as output:
        chat = subprocess.Popen(
            command,
            env={**os.environ, "ZEMING_PORT": str(port)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        peak, done = [0], threading.Event()

        def watch() -> None:
            while not done.wait(0.5):
                peak[0] = max(peak[0], memory(chat.pid))

        threading.Thread(target=watch, daemon=True).start()
        try:
            address = f"http://127.0.0.1:{port}"
            began = time.monotonic()
            while True:
                try:
                    httpx.get(address, timeout=5)
                    break
                except httpx.TransportError:
                    if chat.poll() is not None or time.monotonic() - began > OPENS_WITHIN:
                        output.seek(0)
                        sys.exit(f"zeming chat did not open:\n{output.read().decode(errors='replace')}")
                    time.sleep(0.2)
            opens = time.monotonic() - began
            figures = asyncio.run(run(address, people))
            figures |= {"opens_s": round(opens, 1), "memory_mb": memory(chat.pid), "memory_mb_peak": peak[0]}
            print(json.dumps(figures, ensure_ascii=False, indent=2))
        finally:
            done.set()
            os.killpg(chat.pid, signal.SIGINT)
            try:
                chat.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(chat.pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
