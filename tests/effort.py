"""How the work grows with its input: what a test may say about speed on a machine that others use too."""

from collections.abc import Callable
from time import process_time


def _least(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        started = process_time()
        work()
        times.append(process_time() - started)
    return min(times)


def grows_like_its_input(work: Callable[[int], object], small: int, large: int) -> bool:
    """Whether ``work(large)`` costs no more than 2.5 times the share of ``work(small)``.

    ``large`` should be at least 8 times ``small``: work that grows with the square then costs 8 times its share.
    """
    share = max(_least(lambda: work(small)), 0.002) * large / small
    return _least(lambda: work(large)) < 2.5 * share
