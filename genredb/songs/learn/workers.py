"""Worker processes that share the work, and end with their parent process, however that ends."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from joblib import Parallel

_GLANCE = 0.5  # interval in seconds for checking the parent


def answers_of(jobs: Iterable[Any]) -> Iterator[Any]:
    """Yield the results of joblib's delayed calls, in order; they run in as many processes as cores."""
    workers = Parallel(
        n_jobs=-1, return_as="generator", initializer=_end_with_parent, initargs=(os.getpid(),)
    )
    yield from workers(jobs)


def _end_with_parent(parent: int) -> None:
    """End this worker when its parent is gone: a killed parent cannot tell its workers, which would wait."""
    threading.Thread(target=_watch, args=[parent], daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_GLANCE)
    os._exit(1)
