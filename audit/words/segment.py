"""The service's side of the process that splits text into words: started when there is something to split, started again when it ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterable, Sequence

from audit.words.splitter import framed, unframed

TRIES = 2
"""The process ends by itself when it is not needed, perhaps in the moment of a question."""
END_SECONDS = 5
ANSWER_SECONDS = 60.0
"""For two thousand sentences, a dictionary read before them included: a second or two. Who asks holds a transaction open meanwhile."""


class Segmenter:
    """One process, one question at a time. It ends with the service, whatever the service ends of."""

    def __init__(self, seconds: float = ANSWER_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    async def words_of(self, texts: Sequence[str], own: Iterable[str], stops: Iterable[str]) -> list[set[str]]:
        """For each text its words, each once (see :class:`~audit.words.splitter.Splitter`). Raises :class:`EOFError` when the process
        dies again and again."""
        return await asyncio.to_thread(self._words_of, framed([[*texts], [*own], [*stops]]))

    def _words_of(self, question: bytes) -> list[set[str]]:
        with self._lock:
            for left in reversed(range(TRIES)):
                process = self._running()
                assert process.stdin is not None
                assert process.stdout is not None
                # A process that neither answers nor ends is ended, which reads as one that died.
                late = threading.Timer(self._seconds, process.kill)
                late.start()
                try:
                    process.stdin.write(question)
                    process.stdin.flush()
                    return [set(some) for some in unframed(process.stdout)]
                except (EOFError, OSError) as error:
                    _end(process)
                    if not left:
                        raise EOFError("the process that splits text into words ended in the middle of it") from error
                finally:
                    late.cancel()
            raise AssertionError("the last try returns or raises")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "audit.words.splitter"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=_environment(), start_new_session=True,
            )  # fmt: skip
            weakref.finalize(self, _end, self._process)
        return self._process


def _environment() -> dict[str, str]:
    """Without the service's secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCRM_")}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
