"""The readers: ids, batches and order by hand-written expectation, errors, and corpora too large for memory."""

import gzip
import hashlib
import os
import pathlib
import struct
import types

import numpy as np
import pytest

import reader
from tf1 import tf
from tf1.app import UserError


def batches(raw_data, batch_size, num_steps, count):
    """The first `count` batches of a fresh session, the way the tutorial's published test reads them."""
    with tf.Graph().as_default():
        tensors = reader.ptb_producer(raw_data, batch_size, num_steps)
        assert not tf.global_variables() and not tf.local_variables()
        assert [tensor.shape.as_list() for tensor in tensors] == [[batch_size, num_steps]] * 2
        with tf.Session() as session:
            coordinator = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(session, coordinator)
            try:
                return [[tensor.tolist() for tensor in session.run(tensors)] for _ in range(count)]
            finally:
                coordinator.request_stop()
                coordinator.join(threads)


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="threads are listed on Linux alone")
def test_no_thread_tunes_the_reading():
    """It sleeps longer and longer, up to a minute, and session.close would wait, one time in five, till it awakes."""

    def untuned():
        options = tf.data.Options()
        options.autotune.enabled = False
        return tf.data.make_one_shot_iterator(tf.data.Dataset.range(9).with_options(options)).get_next()

    def threads(build):
        """That a second session starts, when what sessions share is there."""
        with tf.Graph().as_default():
            fetches = build()
            with tf.Session() as first, tf.Session() as second:
                first.run(fetches)
                before = len(os.listdir("/proc/self/task"))
                second.run(fetches)
                return len(os.listdir("/proc/self/task")) - before

    assert threads(lambda: reader.ptb_producer(np.arange(1000), 4, 5)) == threads(untuned)


def test_vocabulary_is_sorted_by_falling_count_then_by_word(corpus):
    folder = corpus(" b a c a \n c b b \n")
    word_to_id = reader._build_vocab(os.path.join(folder, "ptb.train.txt"))
    assert word_to_id == {"b": 0, "<eos>": 1, "a": 2, "c": 3}
    assert list(word_to_id) == ["b", "<eos>", "a", "c"]


def test_ids_of_a_corpus_in_ptb_format(corpus):
    folder = corpus(" b a c a \n c b b \n", valid=" a b \n", test=" c \n")
    train, valid, test, vocabulary = reader.ptb_raw_data(folder)
    assert train.tolist() == [0, 2, 3, 2, 1, 3, 0, 0, 1]
    assert valid.tolist() == [2, 0, 1]
    assert test.tolist() == [3, 1]
    assert vocabulary == 4
    assert train.dtype == valid.dtype == test.dtype == np.int32


def test_end_of_sentence_is_not_glued_to_a_word(corpus):
    folder = corpus("hello there i am\nrain as day\nwant some cheesy puffs ?")
    words = reader._read_words(os.path.join(folder, "ptb.train.txt"))
    assert words == "hello there i am <eos> rain as day <eos> want some cheesy puffs ?".split()


@pytest.mark.parametrize(
    "text, words",
    [
        ("a b\r\nc\r\n", "a b <eos> c <eos>"),  # Windows' line ends
        ("\ufeffa b\n", "a b <eos>"),  # a byte order mark
        ("\n\na\n", "<eos> <eos> a <eos>"),
        ("ä 漢字 \u3000 é\n", "ä 漢字 é <eos>"),
    ],
)
def test_texts_of_other_editors(corpus, text, words):
    assert reader._read_words(os.path.join(corpus(text), "ptb.train.txt")) == words.split()


def test_words_across_blocks(corpus, monkeypatch):
    text = "the cat är \n sat 漢字 on\nmats "
    path = os.path.join(corpus(text), "ptb.train.txt")
    whole = reader._read_words(path)
    for size in range(8, 30):
        monkeypatch.setattr(reader, "_BLOCK_BYTES", size)
        assert reader._read_words(path) == whole, size


def test_unknown_words_become_unk_and_are_counted(corpus, capsys):
    folder = corpus(" <unk> a b \n", valid=" a x \n y y \n", test=" a \n")
    train, valid, _, _ = reader.ptb_raw_data(folder)
    unk = train[0]
    assert valid.tolist() == [train[1], unk, train[3], unk, unk, train[3]]
    output = capsys.readouterr().out
    assert "ptb.valid.txt: 3 words" in output and "<unk>" in output and "ptb.test.txt" not in output


def test_unknown_words_are_dropped_where_the_vocabulary_has_no_unk(corpus, capsys):
    folder = corpus(" a b \n", valid=" a x \n", test=" a \n")
    train, valid, _, _ = reader.ptb_raw_data(folder)
    assert valid.tolist() == [train[0], train[2]]
    assert "ptb.valid.txt: 1 words" in capsys.readouterr().out


def test_batches_of_the_published_test():
    raw_data = [4, 3, 2, 1, 0, 5, 6, 1, 1, 1, 1, 0, 3, 4, 1]
    first, second = batches(raw_data, 3, 2, 2)
    assert first == [[[4, 3], [5, 6], [1, 0]], [[3, 2], [6, 1], [0, 3]]]
    assert second == [[[2, 1], [1, 1], [3, 4]], [[1, 0], [1, 1], [4, 1]]]


def test_batches_wrap_around_at_the_end_of_an_epoch():
    # Two rows of 6 columns: (6 - 1) // 2 = 2 batches an epoch; the 13th token and the last columns are left over.
    epoch = batches(range(13), 2, 2, 2)
    assert epoch == [[[[0, 1], [6, 7]], [[1, 2], [7, 8]]], [[[2, 3], [8, 9]], [[3, 4], [9, 10]]]]
    assert batches(range(13), 2, 2, 7) == (epoch * 4)[:7]


def test_inputs_and_targets_advance_together():
    for inputs, targets in batches(np.arange(1000, dtype=np.int32), 5, 7, 60):
        assert (np.array(targets) == np.array(inputs) + 1).all()


def test_a_fresh_session_begins_at_the_beginning():
    assert batches(range(40), 2, 3, 4) == batches(range(40), 2, 3, 4)


@pytest.mark.parametrize("tokens, fits", [(21, False), (22, False), (23, False), (24, True)])
def test_epoch_size_at_the_edge(tokens, fits):
    # 4 rows need 6 tokens each for 5 steps and their last target.
    if fits:
        assert reader.epoch_steps(tokens, 4, 5) == 1
    else:
        with pytest.raises(UserError, match=f"{tokens} tokens.*batch_size 4 x num_steps 5.*24.*--set"):
            reader.epoch_steps(tokens, 4, 5)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "ptb.train.txt is empty"),
        (b"   ", "ptb.train.txt is empty"),
        (b"good words \xff\xfe \n", r"ptb.train.txt is not UTF-8 text \(byte 11\)"),
        (b"cut off \xe6\xbc", "ptb.train.txt is not UTF-8 text"),
        (b"a\0b \n", "ptb.train.txt has a NUL character: it is not UTF-8 text, see --encoding"),
        ("a b \n".encode("utf-16-le"), "NUL character"),
    ],
)
def test_bad_text(corpus, content, message):
    with pytest.raises(UserError, match=message):
        reader.ptb_raw_data(corpus(content))


@pytest.mark.parametrize("encoding, content", [("unicode_escape", rb"a \ud83d\ude00 b"), ("utf-7", b"ab +2AA- cd")])
def test_half_characters_are_refused(corpus, encoding, content):
    """Some of Python's codecs make surrogates, which no file in UTF-8, and no checkpoint, can hold."""
    folder = corpus(content)
    for read in reader.ptb_raw_data, lambda path, encoding: reader.char_raw_data(f"{path}/ptb.train.txt", encoding):
        with pytest.raises(UserError, match="ptb.train.txt has half a character .* convert it to UTF-8"):
            read(folder, encoding)


def test_a_pipe_is_refused_where_a_file_is_read_more_than_once(corpus):
    folder = corpus("a b \n")
    path = os.path.join(folder, "ptb.train.txt")
    os.remove(path)
    os.mkfifo(path)
    with pytest.raises(UserError, match="ptb.train.txt is a pipe, and it is read more than once"):
        reader.Corpus(folder)


def test_a_vocabulary_of_unknown_words_alone_leaves_nothing():
    vocabulary = reader.Vocabulary("words", ["<unk>"])
    assert vocabulary.excluded(3) == [1, 2]
    with pytest.raises(UserError, match="--no_unk leaves nothing"):
        vocabulary.excluded(3, no_unk=True)


def test_sizes_below_1_are_refused():
    for sizes in (0, 5), (4, 0), (-1, 5):
        with pytest.raises(UserError, match="it must be at least 1"):
            reader.epoch_steps(100, *sizes)
        for batching in "contiguous", "tutorial":
            with pytest.raises(UserError, match="it must be at least 1"):
                reader.char_epoch_size(100, *sizes, batching)


def test_position_of_a_bad_byte_in_a_later_block(corpus, monkeypatch):
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 16)
    with pytest.raises(UserError, match=r"\(byte 100\)"):
        reader.ptb_raw_data(corpus(b"abcd " * 20 + b"\xff"))


@pytest.mark.parametrize("length, fits", [(999, True), (1000, True), (1001, False), (1500, False), (5000, False)])
@pytest.mark.parametrize("before", [0, 1, 500, 998, 999, 1000])
def test_one_endless_word(corpus, monkeypatch, length, fits, before):
    """How long a word may be does not depend on where the blocks that are read end."""
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 1000)
    monkeypatch.setattr(reader, "_LONGEST_WORD", 1000)
    folder = corpus(b"\t" * before + b"x" * length + b"\ta\n")
    if fits:
        assert len(reader.ptb_raw_data(folder)[0]) == 3
    else:
        with pytest.raises(UserError, match="ptb.train.txt has a word of more than 1000 characters"):
            reader.ptb_raw_data(folder)


@pytest.mark.parametrize("space", ["\t", " ", "\n", "\u3000"])
def test_blocks_are_cut_wherever_words_are_split(corpus, monkeypatch, space):
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 1000)
    words = reader._read_words(os.path.join(corpus(f"ab{space}" * 3000), "ptb.train.txt"))
    assert words == (["ab", "<eos>"] if space == "\n" else ["ab"]) * 3000


ENDS = ["\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("block", [5, 1 << 20])
@pytest.mark.parametrize("end", ENDS)
def test_what_else_ends_a_line(corpus, monkeypatch, capsys, end, block):
    """The same for words and for characters: what str.splitlines takes for the end of a line, and it is said."""
    monkeypatch.setattr(reader, "_BLOCK_BYTES", block)
    path = os.path.join(corpus(f"a b{end}c d{end}e\n"), "ptb.train.txt")
    assert f"a b{end}c".splitlines() == ["a b", "c"]
    assert reader._read_words(path) == "a b <eos> c d <eos> e <eos>".split()
    capsys.readouterr()
    ids, characters = reader.char_raw_data(path)
    assert "".join(characters[index] for index in ids) == "a b\nc d\ne\n"
    assert capsys.readouterr().out.startswith("ptb.train.txt: 2 ends of lines other than \\n ")


@pytest.mark.parametrize("block", [5, 1 << 20])
@pytest.mark.parametrize("mark", ["\ufeff", "\u200b", "\u2060"])
def test_marks_that_nobody_sees(corpus, monkeypatch, capsys, mark, block):
    monkeypatch.setattr(reader, "_BLOCK_BYTES", block)
    folder = corpus(f"\ufeffbig a\n{mark}big b{mark}c\n", valid="big\n", test="bc\n")
    train, valid, test, vocabulary = reader.ptb_raw_data(folder)
    assert vocabulary == 4 and train[0] == train[3] == valid[0] and train[4] == test[0]
    assert capsys.readouterr().out == (
        "ptb.train.txt: 2 marks that nobody sees (such as U+FEFF and U+200B) are left out\n"
    )
    ids, characters = reader.char_raw_data(os.path.join(folder, "ptb.train.txt"))
    assert "".join(characters[index] for index in ids) == "big a\nbig bc\n"


def test_joiners_that_change_letters_stay(corpus):
    text = "\u0646\u200c\u0646 \u200d\n"
    assert reader._read_words(os.path.join(corpus(text), "ptb.train.txt")) == [*text.split(), "<eos>"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1", "gb18030", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("block", [7, 1 << 20])
@pytest.mark.parametrize("compressed", [False, True])
def test_encodings(corpus, monkeypatch, encoding, block, compressed):
    monkeypatch.setattr(reader, "_BLOCK_BYTES", block)
    text = "\u4f60\u597d a \u4f60\n" * 9 if encoding not in ("latin-1", "cp1252") else "d\xe9j\xe0 vu\n" * 9
    folder = corpus(*[text.encode(encoding)] * 3)
    if compressed:
        compress(folder)
    has_mark = encoding in ("utf-8-sig", "utf-16", "utf-32")
    train, *_ = reader.ptb_raw_data(folder, None if has_mark else encoding)
    assert len(train) == len(text.replace("\n", " <eos> ").split())
    path = os.path.join(folder, "ptb.train.txt" + (".gz" if compressed else ""))
    ids, characters = reader.char_raw_data(path, None if has_mark else encoding)
    assert "".join(characters[index] for index in ids) == text
    if not has_mark:
        with pytest.raises(UserError, match=r"not UTF-8 text"):
            reader.char_raw_data(path)


def test_the_position_in_another_encoding(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 16)
    (tmp_path / "book.txt").write_bytes("abc\u4f60".encode("gb18030") * 20 + b"\xff\xff")
    with pytest.raises(
        UserError, match=r"is not GB18030 text \(byte 100\): convert it to UTF-8, or give its --encoding"
    ):
        reader.char_raw_data(str(tmp_path / "book.txt"), "gb18030")


def test_a_damaged_gzip_file_of_text(tmp_path):
    (tmp_path / "book.txt.gz").write_bytes(gzip.compress(b"a b c" * 1000)[:-20])
    with pytest.raises(UserError, match="is not a whole gzip file"):
        reader.char_raw_data(str(tmp_path / "book.txt.gz"))


def test_missing_file_and_directory_in_its_place(corpus):
    folder = corpus("a b \n")
    os.remove(os.path.join(folder, "ptb.valid.txt"))
    with pytest.raises(UserError, match="ptb.valid.txt is missing"):
        reader.ptb_raw_data(folder)
    os.mkdir(os.path.join(folder, "ptb.valid.txt"))
    with pytest.raises(UserError, match="ptb.valid.txt cannot be read: Is a directory"):
        reader.ptb_raw_data(folder)


def test_where_data_are_looked_for(corpus, tmp_path, monkeypatch, capsys):
    folder = corpus("a b \n")
    monkeypatch.setenv("RNN_DATA_DIR", str(tmp_path / "sets"))
    with pytest.raises(UserError, match="RNN_DATA_DIR"):
        reader.find_data("ptb")
    os.mkdir(tmp_path / "sets")
    path, is_sample = reader.find_data("ptb")
    assert is_sample and "python -m data.prepare ptb)\n" in capsys.readouterr().out
    with monkeypatch.context() as patch:  # the command works in another folder
        patch.chdir(tmp_path)
        patch.setenv("RNN_DATA_DIR", "sets")
        reader.find_data("ptb")
        assert f" && python -m data.prepare ptb --data_path={tmp_path}/sets)\n" in capsys.readouterr().out
    assert sorted(os.listdir(path)) == sorted(reader.FILES["ptb"])
    for read in reader.Corpus, lambda path, encoding: reader.Text(path, 0.9, encoding):
        with pytest.raises(UserError, match="--encoding=utf-16 goes with a text of your own"):
            read(None, "utf-16")
    os.mkdir(tmp_path / "sets" / "ptb")
    with pytest.raises(UserError, match="has no ptb.train.txt"):
        reader.find_data("ptb")
    os.rmdir(tmp_path / "sets" / "ptb")
    os.rename(folder, tmp_path / "sets" / "ptb")
    assert reader.find_data("ptb") == (str(tmp_path / "sets" / "ptb"), False)
    os.remove(tmp_path / "sets" / "ptb" / "ptb.test.txt")
    with pytest.raises(UserError, match="has no ptb.test.txt"):
        reader.find_data("ptb")
    for named in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match=str(named)):
            reader.find_data("ptb", str(named))


def test_the_projects_own_folder_of_data_counts_where_no_variable_names_another(corpus, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    own = corpus("a b \n", name="data/ptb")
    monkeypatch.setattr(reader, "__file__", str(tmp_path / "reader.py"))
    assert reader.find_data("ptb") != (own, False)
    monkeypatch.delenv("RNN_DATA_DIR")
    assert reader.find_data("ptb") == (own, False)
    assert reader.find_data("mnist")[1]
    os.remove(tmp_path / "data" / "ptb" / "ptb.test.txt")
    with pytest.raises(UserError, match="data/ptb has no ptb.test.txt"):
        reader.find_data("ptb")


def test_large_files_are_memory_mapped(corpus, monkeypatch):
    folder = corpus(" <unk> a b \n" * 50, valid=" a x \n")
    path = os.path.join(folder, "ptb.valid.txt")
    expected = reader.ptb_raw_data(folder)
    monkeypatch.setattr(reader, "_MAP_BYTES", 0)
    for _ in range(2):  # encoded, then from the cache
        found = reader.ptb_raw_data(folder)
        assert all(isinstance(ids, np.memmap) for ids in found[:3])
        assert [ids.tolist() for ids in found[:3]] == [ids.tolist() for ids in expected[:3]]
    # Another version of the text is encoded anew, and the old version's ids go.
    tokens = pathlib.Path(os.environ["XDG_CACHE_HOME"], "tf1-rnn-tutorials", "tokens")
    files = {file.name for file in tokens.iterdir()}
    text = hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:16]
    (old,) = (name for name in files if name.startswith(text))
    with open(path, "a") as file:
        file.write(" b \n")
    # Of the two unfinished files another run still writes the first, the second was left by one that was killed.
    written, left = (tokens / f"{text}-{name}.tmp" for name in ("written", "left"))
    written.touch()
    left.touch()
    os.utime(left, (0, 0))
    _, valid, _, _ = reader.ptb_raw_data(folder)
    assert len(valid) == 5
    left_over = {file.name for file in tokens.iterdir()}
    assert files - left_over == {old} and written.name in left_over and left.name not in left_over
    assert len(left_over) == len(files) + 1


def test_unknown_words_are_reported_from_the_cache_too(corpus, monkeypatch, capsys):
    folder = corpus(" <unk> a b \n", valid=" a x y \n")
    monkeypatch.setattr(reader, "_MAP_BYTES", 0)
    for _ in range(2):
        reader.ptb_raw_data(folder)
        assert "ptb.valid.txt: 2 words" in capsys.readouterr().out


def test_a_large_file_of_unknown_words_alone(corpus, monkeypatch, capsys):
    folder = corpus("a b", valid="x y z")
    monkeypatch.setattr(reader, "_MAP_BYTES", 0)
    _, valid, _, _ = reader.ptb_raw_data(folder)
    assert valid.tolist() == [] and "ptb.valid.txt: 3 words" in capsys.readouterr().out


def test_the_graph_does_not_grow_with_the_corpus():
    sizes = []
    for tokens in (1_000, 1_000_000):
        with tf.Graph().as_default() as graph:
            reader.ptb_producer(np.zeros(tokens, np.int32), 20, 20)
            sizes.append(graph.as_graph_def().ByteSize())
    assert sizes[1] - sizes[0] < 100


def test_counts_of_the_penn_treebank(real_ptb):
    train, valid, test, vocabulary = reader.ptb_raw_data(str(real_ptb))
    assert (len(train), len(valid), len(test), vocabulary) == (929_589, 73_760, 82_430, 10_000)
    word_to_id = reader._build_vocab(str(real_ptb / "ptb.train.txt"))
    assert [word_to_id[word] for word in ("the", "<unk>", "<eos>", "N", "of")] == [0, 1, 2, 3, 4]
    assert train[-1] == valid[-1] == test[-1] == word_to_id["<eos>"]


def compress(folder):
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with open(path, "rb") as file, gzip.open(f"{path}.gz", "wb") as compressed:
            compressed.write(file.read())
        os.remove(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_images_and_labels(images, compressed):
    folder = images(train=[3, 1, 4], test=[1, 5])
    checksum = reader.Images(folder).description
    if compressed:
        compress(folder)
    assert reader.find_data("mnist", folder) == (folder, False)
    X_train, y_train, X_test, y_test = reader.mnist_raw_data(folder)
    assert y_train.tolist() == [3, 1, 4] and y_test.tolist() == [1, 5]
    assert X_train.shape == (3, 28, 28) and X_test.shape == (2, 28, 28)
    assert X_train.dtype == y_train.dtype == np.uint8
    assert X_train[:, 27, 27].tolist() == [60, 20, 80]
    assert reader.Images(folder).description == checksum  # of the content, however it is stored


def test_a_pixel_is_at_its_place(images):
    folder = images(train=[3, 1, 4])
    with open(os.path.join(folder, "train-images-idx3-ubyte"), "r+b") as file:
        file.seek(16 + 784 + 28 * 5 + 7)  # of the second image the sixth row, the eighth pixel
        file.write(b"\xff")
    X_train, *_ = reader.mnist_raw_data(folder)
    assert np.argwhere(X_train == 255).tolist() == [[1, 5, 7]]


def bomb(size):
    return gzip.compress(struct.pack(">IIII", 0x0803, 2**21, 28, 28) + bytes(size))


IDX_DAMAGE = [  # the file, what becomes of its bytes, the message
    ("train-images-idx3-ubyte", lambda data: b"", "train-images-idx3-ubyte is cut off within its header"),
    ("train-images-idx3-ubyte", lambda data: data[:10], "is cut off within its header (10 bytes)"),
    ("train-images-idx3-ubyte", lambda data: data[:-1], "50 x 28 x 28 bytes, and has only 39199"),
    ("train-images-idx3-ubyte", lambda data: data + b"x", "50 x 28 x 28 bytes, and has more"),
    (
        "train-images-idx3-ubyte",
        lambda data: b"\0\0\x0d\x03" + data[4:],
        "begins with 0x00000d03 and not with 0x00000803",
    ),
    ("train-images-idx3-ubyte", lambda data: data[:4] + bytes(4) + data[8:], "claims 0 bytes (0 x 28 x 28)"),
    ("train-images-idx3-ubyte", lambda data: data[:4] + b"\xff" * 12, "claims"),
    (
        "train-images-idx3-ubyte",
        lambda data: struct.pack(">IIII", 0x0803, 50, 14, 56) + data[16:],
        "images of 14 x 56 pixels, t10k-images-idx3-ubyte of 28 x 28",
    ),
    ("train-labels-idx1-ubyte", lambda data: struct.pack(">II", 0x0801, 49) + data[8:-1], "50 images, train-labels"),
    ("train-labels-idx1-ubyte", lambda data: struct.pack(">II", 0x0C01, 50) + bytes(9), "50 x 4 bytes, and has only 9"),
    ("train-labels-idx1-ubyte", lambda data: b"\0\0\x08\x02" + data[4:], "with 0x00000801 or 0x00000c01 or 0x00000c02"),
    ("t10k-labels-idx1-ubyte", lambda data: b"text that is no IDX file", "t10k-labels-idx1-ubyte begins with"),
    ("t10k-images-idx3-ubyte.gz", lambda data: b"no gzip file", "is not a whole gzip file"),
    ("t10k-images-idx3-ubyte.gz", lambda data: b"", "is cut off within its header (0 bytes)"),
    ("t10k-images-idx3-ubyte.gz", lambda data: data[:-9], "is not a whole gzip file"),
    ("t10k-images-idx3-ubyte.gz", lambda data: data[:40] + b"xxxx" + data[44:], "is not a whole gzip file"),
    ("t10k-images-idx3-ubyte.gz", lambda data: bomb(1 << 20), "and has only 1048576"),
    ("t10k-images-idx3-ubyte.gz", lambda data: gzip.compress(gzip.decompress(data) + bytes(1 << 28)), "and has more"),
]


@pytest.mark.parametrize("name, damage, message", IDX_DAMAGE)
def test_damaged_images(images, name, damage, message):
    folder = images()
    if name.endswith(".gz"):
        compress(folder)
    path = os.path.join(folder, name)
    with open(path, "rb") as file:
        data = file.read()
    with open(path, "wb") as file:
        file.write(damage(data))
    with pytest.raises(UserError) as error:
        reader.mnist_raw_data(folder)
    assert folder in str(error.value) and message in str(error.value)


def test_missing_images_and_a_directory_in_their_place(images):
    folder = images()
    os.remove(os.path.join(folder, "t10k-labels-idx1-ubyte"))
    for read in reader.mnist_raw_data, lambda folder: reader.find_data("mnist", folder):
        with pytest.raises(UserError, match="t10k-labels-idx1-ubyte"):
            read(folder)
    os.mkdir(os.path.join(folder, "t10k-labels-idx1-ubyte"))
    with pytest.raises(UserError, match="t10k-labels-idx1-ubyte cannot be read: Is a directory"):
        reader.mnist_raw_data(folder)


USUAL = "{split}-{kind}-idx{rank}-ubyte"


@pytest.mark.parametrize(
    "names, test_name",
    [
        (USUAL, "t10k"),
        (USUAL + ".gz", "test"),
        ("{split}-{kind}.idx{rank}-ubyte", "t10k"),  # as many unpackers write
        ("{split}-{kind}.idx{rank}-ubyte.gz", "test"),
        (f"emnist-digits-{USUAL}.gz", "test"),
        (f"kmnist-{USUAL}", "t10k"),
        (f"my train set, test-{USUAL}", "test"),
    ],
)
def test_other_usual_names(images, names, test_name):
    expected = reader.Images(images([3, 1, 4] * 5, [1, 5])).description
    folder = images([3, 1, 4] * 5, [1, 5], "others", names=names, test_name=test_name)
    assert reader.find_data("mnist", folder) == (folder, False)
    X_train, y_train, X_test, y_test = reader.mnist_raw_data(folder)
    assert y_train.tolist() == [3, 1, 4] * 5 and y_test.tolist() == [1, 5]
    assert X_train[:3, 27, 27].tolist() == [60, 20, 80] and X_test[:, 0, 0].tolist() == [20, 100]
    assert reader.Images(folder).description == expected


@pytest.mark.parametrize(
    "other, test_name, found",
    [
        (f"emnist-letters-{USUAL}.gz", "test", ["t10k-images-idx3-ubyte", "emnist-letters-test-images-idx3-ubyte.gz"]),
        (USUAL, "test", ["t10k-images-idx3-ubyte", "test-images-idx3-ubyte"]),
    ],
)
def test_several_sets_in_a_folder_are_refused_with_their_names(images, other, test_name, found):
    folder = images([3, 1, 4], [1, 5])
    images([3, 1, 4], [2, 6], names=other, test_name=test_name)
    for read in reader.mnist_raw_data, lambda folder: reader.find_data("mnist", folder):
        with pytest.raises(UserError, match="has more than one set of images") as error:
            read(folder)
        assert f"({', '.join(found)})" in str(error.value)
    os.remove(os.path.join(folder, other.format(split=test_name, kind="labels", rank=1)))
    assert reader.mnist_raw_data(folder)[3].tolist() == [1, 5]  # the other set is not whole


def test_what_is_no_second_set(images):
    folder = images([3, 1, 4], [1, 5], names="{split}-{kind}.idx{rank}-ubyte")
    images([3, 1, 4], [1, 5], names=USUAL + ".gz")  # packed and unpacked
    images([3, 1, 4], [1, 5], names="._" + USUAL)  # what macOS puts beside files
    for split in "train", "t10k":  # of folders that have the names of the files in them
        os.mkdir(os.path.join(folder, f"{split}-images-idx3-ubyte"))
        os.remove(os.path.join(folder, f"{split}-images-idx3-ubyte.gz"))
    assert reader.find_data("mnist", folder) == (folder, False)
    assert reader.mnist_raw_data(folder)[1].tolist() == [3, 1, 4]


def test_the_missing_file_of_a_set_with_a_name(images):
    folder = images(names=f"emnist-letters-{USUAL}.gz", test_name="test")
    os.remove(os.path.join(folder, "emnist-letters-test-labels-idx1-ubyte.gz"))
    for read in reader.mnist_raw_data, lambda folder: reader.find_data("mnist", folder):
        with pytest.raises(UserError, match=r"emnist-letters-test-labels-idx1-ubyte\.gz"):
            read(folder)


@pytest.mark.parametrize("size", [(8, 8), (32, 16), (16, 32), (1, 5), (64, 1)])
def test_images_of_other_sizes(images, capsys, size):
    found = reader.Images(images(size=size))
    assert found.sizes == (*size, 10)
    assert found.X_train.shape == (46, *size) and found.X_test.shape == (10, *size)
    assert (
        f"Sizes: {size[0]} x {size[1]} pixels, read as {size[0]} time steps of {size[1]} inputs\n"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    "train, test, line",
    [
        (range(10), range(10), None),
        (range(1, 27), range(1, 27), "1 to 26, 26 classes"),
        (range(62), range(62), "0 to 61, 62 classes"),
        (range(8), range(7), "0 to 7, 8 classes"),
        ([3, 4, 7], [3, 7], "3 to 7, 5 classes, 2 of them without an image to train on"),
        ([1, 2, 3], [0, 4], "0 to 4, 5 classes, 2 of them without an image to train on"),
        (range(1, 10), range(10), "0 to 9, 10 classes, 1 of them without an image to train on"),
    ],
)
def test_labels_are_taken_from_the_data(images, capsys, train, test, line):
    found = reader.Images(images(list(train) * 20, test))
    first = min(*train, *test)
    assert found.first_label == first and found.sizes[2] == max(*train, *test) - first + 1
    assert set(found.y_train + first) == set(train) and (found.y_test + first).tolist() == list(test)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Labels: ")]
    assert lines == ([f"Labels: {line}"] if line else [])


def integer_labels(folder, train, test):
    """Labels as QMNIST has them: rows of eight 32-bit integers, of which the first is the class."""
    for split, labels in ("train", train), ("test", test):
        rows = b"".join(struct.pack(">8i", label, *range(7)) for label in labels)
        with open(os.path.join(folder, f"{split}-labels-idx2-int"), "wb") as file:
            file.write(struct.pack(">III", 0x0C02, len(labels), 8) + rows)
        os.remove(os.path.join(folder, f"{split}-labels-idx1-ubyte"))
    return folder


def test_labels_of_many_columns(images):
    folder = integer_labels(images([0] * 4, [0] * 2, test_name="test"), [-3, 300, 4, 5], [6, 7])
    found = reader.Images(folder)
    assert found.first_label == -3 and found.sizes[2] == 304
    assert found.y_train.tolist() == [0, 303, 7, 8] and found.y_test.tolist() == [9, 10]
    assert reader.mnist_raw_data(folder)[1].tolist() == [-3, 300, 4, 5]


@pytest.mark.parametrize(
    "train, test, message",
    [
        ([7, 7], [7], "has the label 7 alone: a set must have 2 to 1,000 classes"),
        ([1, 2], [1001], "has labels from 1 to 1001: a set must have 2 to 1,000 classes"),
        ([-(2**31), 2], [2**31 - 1], "has labels from -2147483648 to 2147483647"),
    ],
)
def test_too_few_and_too_many_classes(images, train, test, message):
    folder = integer_labels(images([0] * len(train), [0] * len(test), test_name="test"), train, test)
    with pytest.raises(UserError, match=message):
        reader.mnist_raw_data(folder)
    if test == [1001]:
        integer_labels(images([0] * 2, [0], "most", test_name="test"), [1, 2], [1000])
        assert reader.Images(os.path.join(os.path.dirname(folder), "most")).sizes[2] == 1000


def test_pixels_are_kept_as_bytes_and_read_as_fractions(images):
    folder = images([3, 1, 12], [1, 5])
    found, (X_train, _, X_test, _) = reader.Images(folder), reader.mnist_raw_data(folder)
    for pixels, raw in (found.X_train, X_train), (found.X_test, X_test):
        expected = raw.astype(np.float32) / 255
        for part in (0, slice(1, 2), np.array([1, 0]), slice(None)):
            assert pixels[part].dtype == np.float32
            np.testing.assert_array_equal(pixels[part], expected[part])
        assert np.asarray(pixels).dtype == np.float32 and len(pixels) == len(raw)
        np.testing.assert_array_equal(np.asarray(pixels), expected)
        kept = [value for value in vars(pixels).values() if isinstance(value, np.ndarray)]
        assert sum(array.nbytes for array in kept) == raw.nbytes  # a quarter


def test_counts_of_mnist(real_mnist):
    X_train, y_train, X_test, y_test = reader.mnist_raw_data(str(real_mnist))
    assert X_train.shape == (60_000, 28, 28) and X_test.shape == (10_000, 28, 28)
    # Of the digits 0 to 9, as published with the set.
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_an_epoch_has_every_image_once_in_an_order_of_its_own():
    X, y = np.arange(100, 123), np.arange(23)
    epochs = []
    random = np.random.RandomState(0)
    for _ in range(2):
        batches = list(reader.shuffle_batch(X, y, 5, random))
        assert [len(indices) for _, indices in batches] == [6, 6, 6, 5]
        assert all(np.array_equal(images, labels + 100) for images, labels in batches)
        epochs.append(np.concatenate([labels for _, labels in batches]).tolist())
        assert sorted(epochs[-1]) == list(range(23))
    assert epochs[0] == np.random.RandomState(0).permutation(23).tolist() != epochs[1]


def test_pieces_of_the_time_series():
    X, y = reader.next_batch(7, 20, np.random.RandomState(3))
    assert X.shape == y.shape == (7, 20, 1)
    np.testing.assert_array_equal(X[:, 1:], y[:, :-1])
    starts = np.random.RandomState(3).rand(7, 1) * 28  # 30 long, less 20 steps of 0.1
    times = starts + np.arange(21) / 10
    expected = times * np.sin(times) / 3 + 2 * np.sin(times * 5)
    np.testing.assert_allclose(np.concatenate([X, y[:, -1:]], axis=1)[:, :, 0], expected, atol=1e-12)


def test_a_text_is_ids_of_its_sorted_characters(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes("\ufeffda\r\nß 漢da".encode())
    ids, characters = reader.char_raw_data(str(path))
    assert characters == ["\n", " ", "a", "d", "ß", "漢"]
    assert ids.tolist() == [3, 2, 0, 4, 1, 5, 3, 2]
    assert ids.dtype == np.uint8


def test_a_text_of_many_characters_longer_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_BLOCK_BYTES", 101)
    random = np.random.RandomState(0)
    text = "".join(map(chr, random.randint(0x4E00, 0x4E00 + 600, 5000)))
    (tmp_path / "book.txt").write_text(text, encoding="utf-8")
    ids, characters = reader.char_raw_data(str(tmp_path / "book.txt"))
    assert characters == sorted(set(text)) and len(characters) > 500
    assert "".join(characters[index] for index in ids) == text
    assert ids.dtype == np.uint16


def test_a_text_is_found_by_its_file_or_its_folder(tmp_path, monkeypatch, capsys):
    path = tmp_path / "shakespeare.txt"
    path.write_text("To be\n")
    assert reader.find_text(str(path)) == (str(path), False)
    assert reader.find_text(str(tmp_path)) == (str(path), False)
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "shakespeare.txt.gz").write_bytes(gzip.compress(b"To be\n"))
    found, _ = reader.find_text(str(tmp_path / "packed"))
    assert reader.char_raw_data(found)[1] == ["\n", " ", "T", "b", "e", "o"]
    monkeypatch.setenv("RNN_DATA_DIR", str(tmp_path.parent))
    found, is_sample = reader.find_text()
    assert is_sample and os.path.getsize(found) > 200_000
    assert "this is the embedded sample" in capsys.readouterr().out


def test_batches_of_characters_by_hand():
    def text_of(batching, text, **kwargs):
        ids = np.frombuffer(text.encode(), np.uint8)
        return [
            tuple(tuple(bytes(row).decode() for row in array) for array in pair)
            for pair in reader.char_batches(ids, 2, 2, batching, **kwargs)
        ]

    contiguous = [(("ab", "fg"), ("bc", "gh")), (("cd", "hi"), ("de", "ij"))]
    assert text_of("contiguous", "abcdefghij") == contiguous
    assert text_of("contiguous", "abcdefghijk") == contiguous  # a character that fills no row
    assert text_of("contiguous", "abcdefghij", start=1) == contiguous[1:]
    tutorial = [(("ab", "cd"), ("bc", "de")), (("ef", "gh"), ("fg", "hi"))]
    assert text_of("tutorial", "abcdefghij") == tutorial
    assert text_of("tutorial", "abcdefghi") == tutorial  # i is the last label
    assert text_of("tutorial", "abcdefgh") == tutorial[:1]
    assert text_of("tutorial", "abcdefghijkl") == tutorial  # the last partial batch is left out
    assert text_of("tutorial", "abcdefghij", start=2) == []


def test_the_tutorials_batches_are_those_of_its_loop():
    ids = np.random.RandomState(0).randint(0, 50, 5321)
    max_length, batch_size = 7, 13
    input_text, labels_text = [], []
    for i in range(0, len(ids) - max_length, max_length):
        input_text.append(ids[i : i + max_length])
        labels_text.append(ids[i + 1 : i + 1 + max_length])
    batches = list(reader.char_batches(ids, batch_size, max_length, "tutorial"))
    assert len(batches) == len(input_text) // batch_size
    for number, (inputs, labels) in enumerate(batches):
        piece = slice(number * batch_size, (number + 1) * batch_size)
        np.testing.assert_array_equal(inputs, input_text[piece])
        np.testing.assert_array_equal(labels, labels_text[piece])


@pytest.mark.parametrize("batching", ["contiguous", "tutorial"])
@pytest.mark.parametrize("batch_size, max_length", [(1, 1), (3, 4), (4, 3), (5, 1)])
def test_how_many_batches_of_characters(batching, batch_size, max_length):
    for length in range(60):
        ids = np.arange(length)
        if length < batch_size * max_length + (1 if batching == "tutorial" else batch_size):
            with pytest.raises(UserError, match=f"^{length} characters to train on cannot fill batch_size"):
                reader.char_epoch_size(length, batch_size, max_length, batching)
            continue
        size = reader.char_epoch_size(length, batch_size, max_length, batching)
        batches = list(reader.char_batches(ids, batch_size, max_length, batching))
        assert len(batches) == size
        used = np.concatenate([inputs.ravel() for inputs, _ in batches])
        assert len(set(used)) == size * batch_size * max_length  # no character twice
        for inputs, labels in batches:
            assert inputs.shape == (batch_size, max_length)
            np.testing.assert_array_equal(labels, inputs + 1)
        if batching == "contiguous":
            for (_, labels), (inputs, _) in zip(batches, batches[1:]):
                np.testing.assert_array_equal(labels[:, -1], inputs[:, 0])


@pytest.mark.parametrize("batching", ["tutorial", "contiguous"])
def test_shifted_epochs_begin_elsewhere_and_have_as_many_batches(batching):
    for count in range(60, 90):  # every number of characters that is left over
        input_ = reader.CharInput(np.arange(count), 4, 5, batching, shifts=True)
        starts = []
        for epoch in range(1, 12):
            position = types.SimpleNamespace(epoch=epoch, step=0)
            batches = list(input_.batches(position))
            assert len(batches) == input_.epoch_size
            assert all(np.array_equal(labels, inputs + 1) for inputs, labels in batches)
            starts.append(int(batches[0][0][0, 0]))
            position.step = input_.epoch_size - 1  # a resumed epoch goes on where it was cut
            (last,) = input_.batches(position)
            np.testing.assert_array_equal(last, batches[-1])
        assert starts[0] == 0
    assert len(set(starts)) > 1


def test_what_frequencies_alone_reach(corpus, capsys):
    data = reader.Corpus(corpus("a a b \n" * 10, valid="a b \n"))
    frequencies = np.array([21, 11, 11]) / 43  # of "a", "b" and <eos>, each counted once more
    assert data.count_perplexity == pytest.approx(np.exp(-np.log(frequencies).mean()))
    capsys.readouterr()
    data.say_if_astray(2 * data.count_perplexity)
    assert capsys.readouterr().out == ""
    data.say_if_astray(2.01 * data.count_perplexity)
    assert capsys.readouterr().out.startswith("It has learned little so far: the words' frequencies alone reach 3.151")
