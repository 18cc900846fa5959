"""Records read by several processes at once, since reading a large catalogue is most of the work of indexing it.

Each process is this module run by the same interpreter. It takes pickled records on its standard input, gives
pickled arrays on its standard output, and ends when its input does. No state is shared, and no thread is forked.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue
from struct import pack, unpack
from typing import IO, Any, Final, cast

from matching.layout import Sheet, lay_out
from matching.records import Record

#: Records read at a time, and how many there have to be before others help.
CHUNK: Final = 5_000
MANY: Final = 40_000


def chunks(records: Iterable[Record], workers: int) -> Iterator[tuple[Sheet, list[int | str]]]:
    """Records laid out, a chunk at a time and in their order, with their ids; `workers` processes read when many."""
    source = iter(records)
    first = list(islice(source, MANY if workers > 1 else CHUNK))
    parts = _cut(chain(first, source))
    if workers < 2 or len(first) < MANY:
        for part in parts:
            yield lay_out(part), [r.id for r in part]
        return
    with ExitStack() as stack:
        crew: SimpleQueue[_Helper] = SimpleQueue()
        for _ in range(workers):
            crew.put(stack.enter_context(_Helper()))
        pool = stack.enter_context(ThreadPoolExecutor(workers))
        waiting: list[tuple[Future[Sheet], list[int | str]]] = []
        for part in parts:
            waiting.append((pool.submit(_with_one, crew, part), [r.id for r in part]))
            if len(waiting) > 2 * workers:
                done, ids = waiting.pop(0)
                yield done.result(), ids
        for done, ids in waiting:
            yield done.result(), ids


def _cut(records: Iterable[Record]) -> Iterator[list[Record]]:
    source = iter(records)
    while part := list(islice(source, CHUNK)):
        yield part


class _Helper:
    """A process that reads records."""

    def __enter__(self) -> _Helper:
        home = str(Path(__file__).parent.parent)
        paths = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH", ""))))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "matching.crew"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        self.asked, self.answered = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def lay_out(self, records: list[Record]) -> Sheet:
        """What `layout.lay_out` gives, from the other process. Raises EOFError or OSError when that one ended."""
        send(self.asked, [_plain(r) for r in records])
        found: Sheet = receive(self.answered)
        return found


def _plain(r: Record) -> tuple[Any, ...]:
    """A record's values in the order of its fields, as what can be pickled."""
    return (
        r.id, r.sku, r.title, r.brand, r.gtin, r.mpn, r.description, r.category, r.price, r.currency,
        dict(r.options) if r.options else {}, tuple(r.aliases),
    )  # fmt: skip


def _with_one(crew: SimpleQueue[_Helper], records: list[Record]) -> Sheet:
    helper = crew.get()
    try:
        return helper.lay_out(records)
    except (EOFError, OSError):
        # Somebody ended the process, or the machine has no room for it: the work is done all the same.
        return lay_out(records)
    finally:
        crew.put(helper)


def send(stream: IO[bytes], value: Any) -> None:
    """Write a value with its length before it."""
    data = pickle.dumps(value, protocol=5)
    stream.write(pack("<q", len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read what `send` wrote. Raises EOFError at the end."""
    head = stream.read(8)
    if len(head) < 8:
        raise EOFError
    # Only this program writes into the pipes between its own processes.
    return pickle.loads(stream.read(unpack("<q", head)[0]))  # noqa: S301


def main() -> None:
    """Read records for another process until it has no more."""
    gc.disable()  # nothing here is cyclic, and every round would walk over all that was read
    try:
        while True:
            send(sys.stdout.buffer, lay_out(Record(*values) for values in receive(sys.stdin.buffer)))
    except EOFError:
        return


if __name__ == "__main__":
    main()
