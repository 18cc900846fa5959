"""Broken copies of our samples: each gets a report that adds up; bench/fuzz_readers.py does it for hours."""

from __future__ import annotations

import gzip
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.checking import check_file
from importers.report import Limits, Options
from importers.staging import discard_staged
from tests.importers.fuzzing import KINDS, SAMPLES, complaint, some_options
from tests.importers.mutations import mutated

#: Without .xls: calamine may end the process that reads a broken one, which is what the child process is for.
FILES = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir()) if path.suffix != ".xls"}
LIMITS = Limits(rows=20_000, unpacked_bytes=64 * 1024**2)


@given(seed=st.integers(0, 2**48), kind=st.sampled_from(KINDS))
def test_whatever_breaks_a_file_ends_in_a_report(tmp_path_factory, seed, kind):
    draw, folder = random.Random(seed), tmp_path_factory.getbasetemp() / "broken"
    folder.mkdir(exist_ok=True)
    (folder / "upload").write_bytes(mutated(draw, FILES)[1])
    report = check_file(folder / "upload", kind, folder / "rows", Options(**some_options(draw)), LIMITS, "upload.csv")
    assert complaint(report, folder) == ""
    discard_staged(folder / "rows")


PACKED = gzip.compress(b"sku,title\n" + b"".join(b"A-%d,Mug %d\n" % (n, n * n) for n in range(2_000)), mtime=0)


@pytest.mark.parametrize(
    "content",
    [PACKED[:-9], PACKED[:2_000], PACKED[:15], PACKED[:40] + b"\xff" * 40 + PACKED[80:], PACKED[:-6] + b"abcdef"],
)
def test_a_damaged_compressed_file_says_so(run, content):
    assert [code for _, code in run(content).errors] == ["corrupt"]
