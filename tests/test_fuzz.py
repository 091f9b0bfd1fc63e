"""What a fuzzer makes up is read or refused; `make soak` does so for ten minutes."""

import pytest

import fuzz


@pytest.mark.parametrize("read", fuzz.TARGETS, ids=lambda read: read.__name__)
def test_any_file_is_read_or_refused(tmp_path, capsys, read):
    counts = fuzz.fuzz(read, str(tmp_path), 150, number=0)
    assert counts["read"] and counts["refused"]


def test_an_exception_is_seen(tmp_path):
    def broken(content, folder):
        fuzz.read_words(content.replace(b"\xff", b""), folder)
        raise ZeroDivisionError

    fuzz.TARGETS[broken] = b"a"
    try:
        with pytest.raises(ZeroDivisionError):
            fuzz.fuzz(broken, str(tmp_path), 5, number=0)
    finally:
        del fuzz.TARGETS[broken]
