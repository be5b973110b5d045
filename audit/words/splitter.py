"""The one door to jieba: text into the words that are counted.

The dictionary is read from its file when it is first needed, and never through jieba's own cache in the shared temporary folder. Words of
the company's own win over every split of them; the same words always give the same result.

``python -m audit.words.splitter`` is a process that splits: a dictionary in memory and much computing in Python, which would make everybody
wait who is served by the same interpreter. It ends when its input does, and when nothing was asked for a while.
"""

from __future__ import annotations

import contextlib
import logging
import re
import select
import signal
import struct
import sys
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from audit.words.mood import Mood, mood
from scrm.gentle import go_after_others

logging.getLogger("jieba").setLevel(logging.ERROR)

WINS = 5_000_000
"""As frequent as this a word is likelier than any two of its parts."""
LONGEST = 20
COUNTED = re.compile(r"[\u4e00-\u9fff]{2,20}|[a-z][a-z0-9+#&.-]{1,19}")
NUMBER = re.compile(r"\d{3}")
FUNCTION_WORDS = frozenset((Path(__file__).parent / "stop_words.txt").read_text(encoding="utf-8").split())
LENGTH = struct.Struct("!I")
MARKS: Mapping[Mood, str] = {"pleased": "☺", "upset": "☹"}
"""What stands among the words of a message for how it sounds. No word is like that: words are of letters and a few signs."""
IDLE_SECONDS = 120


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


class Splitter:
    """Words by one dictionary. ``own`` words are always words, also those that would not be counted; ``stops`` never are."""

    def __init__(self) -> None:
        self._cut: Any = None
        self._frequencies: dict[str, int] = {}
        self._changed: dict[str, int | None] = {}
        self._own: frozenset[str] = frozenset()

    def words_of(self, texts: Sequence[str], own: frozenset[str], stops: frozenset[str]) -> list[set[str]]:
        """For each text its words, each once, and among them a mark of :data:`MARKS` for its mood."""
        self._open()
        self._know(own)
        return [self._words(text, stops) if text else set() for text in texts]

    def _words(self, text: str, stops: frozenset[str]) -> set[str]:
        said = list(self._cut(folded(text)))
        found = {word for word in said if self._counts(word, stops)}
        if (felt := mood(said)) is not None:
            found.add(MARKS[felt])
        return found

    def _counts(self, word: str, stops: frozenset[str]) -> bool:
        if word in stops:
            return False
        if word in self._own:
            return True
        return COUNTED.fullmatch(word) is not None and word not in FUNCTION_WORDS and NUMBER.search(word) is None

    def _open(self) -> None:
        if self._cut is not None:
            return
        with warnings.catch_warnings():
            # It asks for its file in an old way and writes its patterns carelessly.
            warnings.simplefilter("ignore")
            import jieba
        jieba.setLogLevel(logging.ERROR)
        tokenizer = jieba.Tokenizer()
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
        tokenizer.initialized = True
        self._frequencies = tokenizer.FREQ
        self._cut = tokenizer.cut

    def _know(self, own: frozenset[str]) -> None:
        if own == self._own:
            return
        for word, before in self._changed.items():
            if before is None:
                self._frequencies.pop(word, None)
            else:
                self._frequencies[word] = before
        self._changed = {}
        for word in own:
            for end in range(1, len(word)):
                self._set(word[:end], self._frequencies.get(word[:end], 0))
        for word in own:
            self._set(word, WINS)
        self._own = own

    def _set(self, word: str, frequency: int) -> None:
        self._changed.setdefault(word, self._frequencies.get(word))
        self._frequencies[word] = frequency


def framed(value: Any) -> bytes:
    body = orjson.dumps(value)
    return LENGTH.pack(len(body)) + body


def unframed(stream: IO[bytes]) -> Any:
    """Raises :class:`EOFError` when the other side ended."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    if len(body) < length:
        raise EOFError
    return orjson.loads(body)


def main() -> None:
    with contextlib.suppress(OSError):
        go_after_others()
    # Ctrl-C is for the service, which ends this process by closing its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    splitter = Splitter()
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    # One question at a time, so that nothing is in the buffer while the pipe is watched.
    while select.select([asked], [], [], IDLE_SECONDS)[0]:
        try:
            texts, own, stops = unframed(asked)
        except EOFError:
            return
        words = splitter.words_of(texts, frozenset(own), frozenset(stops))
        answers.write(framed([[*some] for some in words]))
        answers.flush()


if __name__ == "__main__":
    main()
