"""How fast and how big: ``python -m evals.bench`` (after ``make setup``).

Prints the median time of a cold ``zeming ask`` (a new process each time), the median and the slowest of warm
answers in one process, and the largest memory of that process. A measurement, not a test.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import yaml

from assistant.model import Question
from assistant.settings import load_settings
from assistant.wiring import build

STORIES = Path(__file__).parent.parent / "tests" / "stories.yaml"
QUESTIONS = ("对问责决定不服多久内申诉？", "诫勉影响期多长？", "哪些情形可以免予问责？", "今天天气怎么样？")
COLD_RUNS = 5


def cold() -> list[float]:
    """Seconds of a whole ``zeming ask`` from process start to answer, several times."""
    command = [str(Path(sys.executable).parent / "zeming"), "ask", "诫勉影响期多长？"]
    times = []
    for _ in range(COLD_RUNS):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return times


def warm() -> list[float]:
    """Milliseconds of each answer in one running process, over stories and rule questions."""
    advisor = build(load_settings()).advisor
    texts = [t for story in yaml.safe_load(STORIES.read_text("utf-8")) for t in story["texts"]]
    texts += list(QUESTIONS) * 4
    day = date.today()
    advisor.ask(Question(texts[0], day))
    times = []
    for text in texts:
        started = time.perf_counter()
        advisor.ask(Question(text, day))
        times.append((time.perf_counter() - started) * 1000)
    return times


def main() -> None:
    cold_times = cold()
    warm_times = warm()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "cold_s_median": round(statistics.median(cold_times), 2),
        "cold_s_all": [round(t, 2) for t in cold_times],
        "warm_ms_median": round(statistics.median(warm_times), 1),
        "warm_ms_p95": round(sorted(warm_times)[int(len(warm_times) * 0.95)], 1),
        "warm_answers": len(warm_times),
        "peak_memory_mb": round(peak),
    }
    print(json.dumps(figures, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
