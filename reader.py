"""The data sets of all tutorials: files to arrays to batches.

Source of the PTB part: reader.py of the TensorFlow tutorial "Recurrent Neural Networks" (2015 to 2018),
https://github.com/tensorflow/models/blob/r1.13.0/tutorials/rnn/ptb/reader.py, whose function names, ids, batches and
order are kept. Three things differ, all of them on purpose:

* `<eos>` is a word of its own even where a line does not end in a space (the tutorial glues it to the last word).
* Words of valid and test that train lacks become `<unk>` where the vocabulary has it, else they are dropped as in the
  tutorial; their number is printed.
* The tokens are never a constant of the graph, so the graph does not grow with the corpus; those of large files are
  memory-mapped.
"""

import codecs
import collections
import contextlib
import functools
import gzip
import hashlib
import itertools
import json
import math
import os
import re
import shlex
import stat
import struct
import tempfile
import time
import zlib

import numpy as np

from tf1 import app, tf
from tf1.app import UserError, number, write_file

try:
    from data import sample, tables
except ImportError as error:  # a folder of the user's has the name of ours
    raise ImportError(app.what_hides("data")) from error

FILES = {
    "ptb": ("ptb.train.txt", "ptb.valid.txt", "ptb.test.txt"),
    "mnist": (
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ),
    "shakespeare": ("shakespeare.txt",),
}

STDIN = "-"  # in place of a file's name; messages call it the standard input
_BLOCK_BYTES = 4 << 20  # that are read at once: large enough for speed, small enough for memory
_MAP_BYTES = 64 << 20  # token arrays of larger files are memory-mapped
_LONGEST_WORD = 4 << 20  # characters; a longer word is no word
# The ends of lines of str.splitlines, and marks without a width: byte order mark, zero-width space, word joiner.
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_MARKS = re.compile("[\ufeff\u200b\u2060]")
_SURROGATES = re.compile("[\ud800-\udfff]")  # what Python's escape codecs make of \ud83d\ude00
_ODD_ASCII, _ODD = "\r\v\f\x1c\x1d\x1e", "\x85\u2028\u2029\ufeff\u200b\u2060"
_KILLED_SECONDS = 3600  # an unfinished token array that nobody has written to for so long belongs to no run
_MNIST_CHECKSUM = "e6625e56"  # of the four files' content
_SERIES_LINE = 1 << 16  # characters of a line; a longer one is of another kind of file
_SHIFT = 997  # characters from one epoch's beginning to the next one's, a prime
_WEIGHT_CHARACTERS = 1 << 22  # of a file of weights: 600 for each number of the largest
_IDX_BYTES = 2 << 30  # of images; a header that claims more is damaged
_IDX_TYPES = {0x08: np.dtype(np.uint8), 0x0C: np.dtype(">i4")}  # by the magic number's third byte
# The set's name, if it has one; train or test; what it holds. Unpackers write train-images.idx3-ubyte.
_IMAGE_FILE = re.compile(r"(?!\.)(.*?)(train|t10k|test)[-._](images|labels)[-._]idx\d[-._](?:ubyte|int)(?:\.gz)?")
_MOST_CLASSES = 1000


def find_data(name, data_path=None, encoding=None):
    """The folder of the data set `name`: `data_path`, else `<name>` in `$RNN_DATA_DIR` or `data`, else the sample.

    Returns:
      The folder, and whether it holds the embedded sample, which is announced in one line.
    Raises:
      UserError: `data_path`, or an existing `$RNN_DATA_DIR/<name>`, lacks a file, or `data/<name>` holds only some; or
        the folder holds several sets of images; or an `encoding` is given, and the sample needs none.
    """
    files, root = FILES[name], os.path.expanduser(os.environ.get("RNN_DATA_DIR", ""))
    advice = f"put {', '.join(files)} there, or fetch the real set with: {_fetch_command(name)}"
    if data_path is not None and not os.path.isdir(data_path):
        raise UserError(f"--data_path={data_path} is not a folder: name the one that holds {', '.join(files)}")
    if root and not os.path.isdir(root):
        raise UserError(f"RNN_DATA_DIR={root} is not a folder: correct or unset it")
    named = data_path or root and os.path.join(root, name)
    folder = named or os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", name)
    paths = _image_paths(folder) if name == "mnist" else [_locate(folder, file) for file in files]
    missing = [os.path.basename(path) for path in paths if not os.path.exists(path)]
    if pipe := next((path for path in paths if os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode)), None):
        raise UserError(f"{pipe} is a pipe, and it is read more than once: make it a file")
    if not missing:
        return folder, False
    # A download that failed leaves data/<name> empty; a variable may name a folder with other sets alone.
    if named and os.path.isdir(named) or len(missing) < len(files):
        raise UserError(f"{folder} has no {missing[0]}: {advice}")
    if encoding:
        raise UserError(f"--encoding={encoding} goes with a text of your own, and none is given: add --data_path")
    place = f"{root} has no {name}" if root else f"No {name} data found"
    print(f"{place}: this is the embedded sample, not the real set ({_fetch_command(name)})")
    return sample.folder(name), True


def _fetch_command(name):
    """The command that fetches the set `name`, as it works in the current folder."""
    root, place = os.path.expanduser(os.environ.get("RNN_DATA_DIR", "")), ""
    project = os.path.dirname(os.path.dirname(os.path.abspath(app.__file__)))
    with contextlib.suppress(OSError):  # the current folder may have been deleted
        if os.path.samefile(os.curdir, project):
            return f"python -m data.prepare {name}"
        if root and not os.path.isabs(root):
            place = f" --data_path={shlex.quote(os.path.abspath(root))}"
    return f"cd {shlex.quote(project)} && python -m data.prepare {name}{place}"


def _locate(folder, file):
    """The path of `file`, which may lie in the folder with .gz or without it."""
    path = os.path.join(folder, file)
    other = path.removesuffix(".gz") if path.endswith(".gz") else f"{path}.gz"
    return other if os.path.exists(other) and not os.path.exists(path) else path


def _open(path):
    """The file for reading its content, which a .gz holds compressed; STDIN is what the program is given."""
    if path == STDIN:
        return open(0, "rb", closefd=False)
    return (gzip.open if path.endswith(".gz") else open)(path, "rb")


def _shown(path):
    """What messages call the file."""
    return "the standard input" if path == STDIN else path


def fingerprint(*parts):
    """CRC-32 of bytes, arrays, and the content of files (given by their paths), as one: eight hex digits."""
    crc = 0
    for part in parts:
        if not isinstance(part, str):
            crc = zlib.crc32(part, crc)
            continue
        with _open(part) as file:
            while block := file.read(_BLOCK_BYTES):
                crc = zlib.crc32(block, crc)
    return f"{crc:08x}"


def _encoding_of(start):
    """The encoding that the first bytes of a file show by a byte order mark; UTF-8 without one."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"


def _pieces(path, encoding=None, announce=False):
    """Yields the text of a file, gzipped or not, in pieces of some megabytes.

    What Python's `str.splitlines` takes for the end of a line becomes "\n", and marks that nobody sees are left out,
    for words and for characters alike.

    Args:
      encoding: None: by the byte order mark.
      announce: says in a line what was changed (but for a byte order mark at the start).
    Raises:
      UserError: it cannot be read, is damaged, or is not text in this encoding.
    """
    offset, ends, marks = 0, 0, 0
    try:
        with _open(path) as file:
            block = file.read(_BLOCK_BYTES)
            encoding = encoding or _encoding_of(block[:4])
            decoder = codecs.getincrementaldecoder(encoding)()
            text = decoder.decode(block, final=not block).removeprefix("\ufeff")
            while block:
                offset += len(block)
                block = file.read(_BLOCK_BYTES)
                following = decoder.decode(block, final=not block)
                if text.endswith("\r") and block:  # perhaps the half of an end of line
                    text, following = text[:-1], "\r" + following
                if "\0" in text:
                    raise UserError(
                        f"{_shown(path)} has a NUL character: it is not {encoding.upper()} text, see --encoding"
                    )
                if not text.isascii() and _SURROGATES.search(text):
                    raise UserError(
                        f"{_shown(path)} has half a character (a surrogate) as {encoding.upper()}: convert it to UTF-8"
                    )
                if any(odd in text for odd in _ODD_ASCII) or not text.isascii() and any(odd in text for odd in _ODD):
                    text, count = _LINE_ENDS.subn("\n", text)
                    ends += count
                    text, count = _MARKS.subn("", text)
                    marks += count
                if text:
                    yield text
                text = following
    except UnicodeError as error:
        start, found = (error.start, error.object) if isinstance(error, UnicodeDecodeError) else (0, b"")
        position = offset + len(block) - len(found) + start
        raise UserError(
            f"{_shown(path)} is not {encoding.upper()} text (byte {position}): "
            "convert it to UTF-8, or give its --encoding"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is not a whole gzip file ({error}): pack it again") from error
    except FileNotFoundError as error:
        name = os.path.basename(path)
        raise UserError(f"{path} is missing: name the folder that holds {name}, with --data_path") from error
    except OSError as error:
        raise UserError(f"{_shown(path)} cannot be read: {error.strerror}") from error
    name = os.path.basename(_shown(path))
    if announce and ends:
        print(f"{name}: {ends:,} ends of lines other than \\n (such as \\r\\n) are read as \\n")
    if announce and marks:
        print(f"{name}: {marks:,} marks that nobody sees (such as U+FEFF and U+200B) are left out")


def _words(path, encoding=None, announce=False):
    """Yields the file's words, which white space separates, a list for each few megabytes; `<eos>` for each newline."""
    rest = ""
    for text in _pieces(path, encoding, announce):
        words = (rest + text).replace("\n", " <eos> ").split()
        # A word that may go on in the next piece waits for it.
        rest = words.pop() if words and not text[-1].isspace() else ""
        if max(len(rest), len(words[0]) if words else 0) > _LONGEST_WORD:
            raise UserError(
                f"{_shown(path)} has a word of more than {_LONGEST_WORD} characters: white space separates words"
            )
        yield words
    if rest:
        yield [rest]


def _read_words(filename):
    """All words of the file in their order, `<eos>` for each newline. The other functions go through `_words`."""
    return list(itertools.chain.from_iterable(_words(filename)))


def _build_vocab(filename, encoding=None):
    """The words of the file, each with its id: sorted by falling count, then by word."""
    counter = collections.Counter()
    for words in _words(filename, encoding, announce=True):
        counter.update(words)
    if not counter:
        raise UserError(f"{filename} is empty: it must hold words separated by spaces, a sentence a line")
    count_pairs = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
    return {word: index for index, (word, _) in enumerate(count_pairs)}


def _encode(filename, word_to_id, encoding, announce):
    """Yields the ids of `_words`, int32, and how many of the words the vocabulary lacks."""
    unk = word_to_id.get("<unk>")
    for words in _words(filename, encoding, announce):
        ids = np.fromiter(map(word_to_id.get, words, itertools.repeat(-1)), np.int32, len(words))
        unknown = ids < 0
        if unk is None:
            ids = ids[~unknown]
        else:
            ids[unknown] = unk
        yield ids, np.count_nonzero(unknown)


def _file_to_word_ids(filename, word_to_id, encoding=None):
    """The file's words as ids, int32 [number of words]; memory-mapped from a cache where the file is large."""
    return _load_ids(filename, word_to_id, encoding)[0]


def _load_ids(filename, word_to_id, encoding=None, announce=False):
    """`_file_to_word_ids`, and the number of words that the vocabulary lacks."""
    try:
        large = os.path.getsize(filename) * (4 if filename.endswith(".gz") else 1) > _MAP_BYTES
    except OSError:
        large = False  # _pieces says what is wrong
    if large:
        return _load_mapped_ids(filename, word_to_id, encoding, announce)
    ids, unknown = [np.empty(0, np.int32)], 0
    for piece, count in _encode(filename, word_to_id, encoding, announce):
        ids.append(piece)
        unknown += count
    return np.concatenate(ids), unknown


def _load_mapped_ids(filename, word_to_id, encoding, announce):
    """`_load_ids` through a file of raw int32 in the user's cache; files of earlier versions of the text go."""
    path = os.path.realpath(filename)
    status = os.stat(path)
    folder = os.path.join(sample.cache_folder(), "tokens")
    text = hashlib.sha256(path.encode()).hexdigest()[:16]
    version = f"{status.st_size} {status.st_mtime_ns} {encoding} {chr(10).join(word_to_id)}"
    version = hashlib.sha256(version.encode())
    prefix = f"{text}-{version.hexdigest()[:16]}-"
    temporary = None
    try:
        os.makedirs(folder, exist_ok=True)
        cached = [name for name in os.listdir(folder) if name.startswith(prefix) and name.endswith(".int32")]
        if not cached:
            with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{text}-", suffix=".tmp", delete=False) as file:
                temporary, total = file.name, 0
                for ids, unknown in _encode(filename, word_to_id, encoding, announce):
                    file.write(ids)
                    total += unknown
            cached = [f"{prefix}{total}.int32"]
            for name in os.listdir(folder):
                stale = os.path.join(folder, name)
                if name.startswith(text + "-"):
                    with contextlib.suppress(FileNotFoundError):  # another run was faster
                        # A file that is still written is another run's, an old one is of a run that was killed.
                        if name.endswith(".int32") or time.time() - os.path.getmtime(stale) > _KILLED_SECONDS:
                            os.remove(stale)
            os.replace(temporary, os.path.join(folder, cached[0]))
        unknown = int(cached[0][len(prefix) : -len(".int32")])
        path = os.path.join(folder, cached[0])
        # An empty file cannot be mapped: all words are unknown, and the vocabulary has no <unk>.
        return np.memmap(path, np.int32, "r") if os.path.getsize(path) else np.empty(0, np.int32), unknown
    except OSError as error:
        raise UserError(f"the token cache {folder} cannot be used ({error.strerror}): set XDG_CACHE_HOME") from error
    finally:
        if temporary:
            with contextlib.suppress(FileNotFoundError):  # it has its final name
                os.remove(temporary)


def ptb_raw_data(data_path=None, encoding=None):
    """Reads `ptb.train.txt`, `ptb.valid.txt` and `ptb.test.txt`, each gzipped or not.

    Args:
      data_path: the folder that holds the files; without it the places that `find_data` knows.
      encoding: of the files; None: UTF-8, or UTF-16 and UTF-32 with a byte order mark.
    Returns:
      train, valid, test: ids, int32 [number of tokens]; the vocabulary, made from train, has its size as the fourth.
    Raises:
      UserError: a file is missing, unreadable, empty or not text in this encoding.
    """
    if data_path is None:
        data_path, _ = find_data("ptb")
    word_to_id = _build_vocab(_locate(data_path, FILES["ptb"][0]), encoding)
    return *_ptb_ids(data_path, word_to_id, encoding), len(word_to_id)


def _ptb_ids(data_path, word_to_id, encoding, source=FILES["ptb"][0]):
    """The three files' words as ids; what the vocabulary lacks, which was made from `source`, is counted."""
    found = []
    for file in FILES["ptb"]:
        path = _locate(data_path, file)
        is_source = file == source
        ids, unknown = _load_ids(path, word_to_id, encoding, announce=not is_source)
        if not len(ids) and not unknown:
            raise UserError(f"{path} is empty: it must hold words separated by spaces, a sentence a line")
        if unknown:
            fate = "read as <unk>" if "<unk>" in word_to_id else "dropped, the vocabulary has no <unk>"
            print(f"{os.path.basename(path)}: {unknown} words that {source} lacks ({fate})")
        found.append(ids)
    return found


class Corpus:
    """The words of the three files: `train`, `valid` and `test`, ids [number of tokens], and what is known of them.

    Args:
      vocabulary: a `Vocabulary` of words; None: that of the training data.

    Attributes:
      vocabulary: the `Vocabulary`.
      name: what the set is called.
      is_ptb: whether it is the Penn Treebank.
      description: its sizes and a fingerprint, which tell it from every other one.
      reachable: on the sample, what a perfect model and a count model reach on the test set; else empty.
    """

    def __init__(self, data_path, encoding=None, vocabulary=None):
        folder, is_sample = find_data("ptb", data_path, encoding)
        if vocabulary:
            word_to_id, source = {word: index for index, word in enumerate(vocabulary.items)}, "the vocabulary"
        else:
            word_to_id, source = _build_vocab(_locate(folder, FILES["ptb"][0]), encoding), FILES["ptb"][0]
        self.train, self.valid, self.test = _ptb_ids(folder, word_to_id, encoding, source)
        self.vocabulary = vocabulary or Vocabulary("words", word_to_id)
        counts = [len(data) for data in (self.train, self.valid, self.test)]
        self.is_ptb = (*counts, len(word_to_id)) == (929_589, 73_760, 82_430, 10_000)
        self.name = "the embedded sample" if is_sample else "the Penn Treebank" if self.is_ptb else "own corpus"
        sizes = f"{' / '.join(f'{count:,}' for count in counts)} tokens, {len(word_to_id):,} words"
        print(f"Corpus: {self.name}, {sizes}")
        checksum = fingerprint(*(_locate(folder, file) for file in FILES["ptb"]))
        self.description = f"{sizes}, checksum {checksum}{f', {encoding}' if encoding else ''}"
        self.reachable = {}
        if is_sample:
            self.reachable["perfect_perplexity"] = sample.word_perplexity()
            back_off = sample.back_off_perplexity(self.train, self.test, len(word_to_id))
            self.reachable["back_off_perplexity"] = back_off

    def say_reachable(self):
        """Prints `reachable`, where it is known."""
        if self.reachable:
            perfect, back_off = (f"{perplexity:.3f}" for perplexity in self.reachable.values())
            print(
                f"On this corpus a perfect model would reach {perfect}, "
                f"a count model of order 2 with back-off reaches {back_off}"
            )

    @functools.cached_property
    def count_perplexity(self):
        """What the words' frequencies in the training text reach on the validation set; each counts once more."""
        counts = np.ones(len(self.vocabulary.items))
        for start in range(0, len(self.train), 1 << 20):  # a copy of all would not fit where the corpus does
            counts += np.bincount(self.train[start : start + (1 << 20)], minlength=len(counts))
        nats = np.log(counts.sum()) - np.log(counts)
        of_words = np.bincount(self.valid, minlength=len(counts)) / len(self.valid)
        return float(np.exp(of_words @ nats))

    def say_if_astray(self, valid_perplexity):
        """Prints that a network has learned little, where its perplexity is twice that of the words' frequencies."""
        if valid_perplexity > 2 * self.count_perplexity:
            frequencies = f"the words' frequencies alone reach {self.count_perplexity:.3f}"
            print(f'It has learned little so far: {frequencies} (docs/tutorials.md, "A start that fails")')

    def check(self, config):
        """Raises UserError where the corpus does not fit the config."""
        if len(self.vocabulary.items) > config.vocab_size:
            raise UserError(
                f"the corpus has {len(self.vocabulary.items)} words, more than vocab_size {config.vocab_size}: "
                "give --vocab_size=0, which takes all of them"
            )
        train_name, valid_name, test_name = FILES["ptb"]
        epoch_steps(len(self.train), config.batch_size, config.num_steps, train_name)
        epoch_steps(len(self.valid), config.batch_size, config.num_steps, valid_name)
        epoch_steps(len(self.test), 1, 1, test_name)


def _check_sizes(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise UserError(f"{name} is {size}: it must be at least 1")


def epoch_steps(num_tokens, batch_size, num_steps, name="the data"):
    """How many batches an epoch has: each of `batch_size` rows is `num_steps` long, and a target follows each input.

    Raises:
      UserError: not even one batch can be filled.
    """
    _check_sizes(batch_size=batch_size, num_steps=num_steps)
    steps = (num_tokens // batch_size - 1) // num_steps
    if steps < 1:
        raise UserError(
            f"the {num_tokens} tokens of {name} cannot fill batch_size {batch_size} x num_steps {num_steps}, which "
            f"takes {batch_size * (num_steps + 1)}: "
            + ("lower --set batch_size=N or --set num_steps=N, or " if batch_size * num_steps > 1 else "")
            + "take more text"
        )
    return steps


def ptb_producer(raw_data, batch_size, num_steps, name=None, own_rows=None):
    """Batches of a token sequence as two tensors that move on with every `session.run`.

    The sequence is cut into `batch_size` rows, and a batch is a window of `num_steps` columns; the next window begins
    where the last one ended, so that row i of a batch goes on in row i of the next one. After the last full window of
    the epoch comes the first one again. For batch_size 3 and num_steps 2:

        tokens   a b c d e f g h i j k l m n o
                                          targets: one to the right
        row 0    [a b]  [c d]  e           [b c]  [d e]
        row 1    [f g]  [h i]  j           [g h]  [i j]
        row 2    [k l]  [m n]  o           [l m]  [n o]

    The place in the epoch is the session's own, and starts at 0 in each. Nothing must be initialised or started for it:
    it comes from a range data set, where the tutorial has a queue whose threads must be started and stopped.

    Args:
      raw_data: ids, a list or an array; an array is read in place, slice by slice, also where it is memory-mapped.
      batch_size: the number of rows.
      num_steps: the number of columns, the steps that back-propagation through time is cut at.
      name: of the operations.
      own_rows: a range, of the rows that are wanted; None: all.
    Returns:
      Inputs and targets, int32 [batch_size, num_steps], or of `own_rows` alone.
    Raises:
      UserError: the sequence is too short for one batch.
    """
    raw_data = np.asarray(raw_data, np.int32)
    epoch_size = epoch_steps(len(raw_data), batch_size, num_steps)
    batch_len = len(raw_data) // batch_size
    rows = raw_data[: batch_size * batch_len].reshape(batch_size, batch_len)
    if own_rows is not None:
        rows = rows[own_rows.start : own_rows.stop]

    def window(index):
        begin = index * num_steps
        return rows[:, begin : begin + num_steps], rows[:, begin + 1 : begin + num_steps + 1]

    with tf.name_scope(name, "PTBProducer"):
        options = tf.data.Options()
        options.autotune.enabled = False  # there is nothing to tune, and its thread lets session.close wait up to 60 s
        indices = tf.data.Dataset.range(epoch_size).repeat().with_options(options)
        index = tf.data.make_one_shot_iterator(indices).get_next()
        # A Python function, not a slice of a constant: a GraphDef ends at 2 GB, and a constant is copied.
        x, y = tf.py_func(window, [index], [tf.int32, tf.int32], stateful=False)
        x.set_shape([len(rows), num_steps])
        y.set_shape([len(rows), num_steps])
        return x, y


def _image_paths(folder):
    """The paths of the folder's four IDX files, in the order of `FILES`; a file that is missing has its usual name.

    Raises:
      UserError: the files of more than one set are there.
    """
    try:
        names = [name for name in os.listdir(folder) if _IMAGE_FILE.fullmatch(name)]
    except OSError:  # whoever opens the files says what is wrong
        names = []
    # Where a file is there twice: rather packed than unpacked, rather its usual name, and never a folder of that name.
    names.sort(key=lambda name: (not os.path.isfile(os.path.join(folder, name)), not name.endswith(".gz"), name))
    found = {}  # by the set's name, train or test, and what it holds
    for name in names:
        found.setdefault(_IMAGE_FILE.fullmatch(name).groups(), name)
    sets = [
        [(title, split, kind) for split in ("train", test) for kind in ("images", "labels")]
        for title in sorted({"", *(title for title, _, _ in found)})
        for test in ("t10k", "test")
    ]
    complete = [files for files in sets if all(file in found for file in files)]
    if len(complete) > 1:
        tests = ", ".join(found[images] for _, _, images, _ in complete)
        raise UserError(f"{folder} has more than one set of images ({tests}): give the one to be read its own folder")
    paths = []
    for file in max(sets, key=lambda files: sum(file in found for file in files)):
        title, split, kind = file
        usual = f"{title}{split}-{kind}-idx{3 if kind == 'images' else 1}-ubyte.gz"
        paths.append(os.path.join(folder, found[file]) if file in found else _locate(folder, usual))
    return paths


def _read_idx(path, *magics):
    """The array in a file of the IDX format (http://yann.lecun.com/exdb/mnist/), of one of the magic numbers.

    A header of big-endian 32-bit numbers, the magic number and the dimensions, then the numbers. The magic number is
    0x0800 + rank for bytes, 0x0c00 + rank for 32-bit integers.
    """
    name = os.path.basename(path)
    advice = f"fetch it again with: {_fetch_command('mnist')}"
    try:
        with _open(path) as file:
            start = file.read(4)
            magic = int.from_bytes(start, "big")
            if len(start) == 4 and magic not in magics:
                expected = f"{' or '.join(f'{number:#010x}' for number in magics)}, as {name} must"
                raise UserError(f"{path} begins with {magic:#010x} and not with {expected}: {advice}")
            rank = magic & 0xFF
            header = start + file.read(4 * rank)
            if len(header) < 4 * (1 + rank):
                raise UserError(f"{path} is cut off within its header ({len(header)} bytes): {advice}")
            shape, dtype = struct.unpack(f">{rank}I", header[4:]), _IDX_TYPES[magic >> 8]
            size = math.prod(shape) * dtype.itemsize
            if not 0 < size <= _IDX_BYTES:
                raise UserError(f"{path} claims {size} bytes ({' x '.join(map(str, shape))}): {advice}")
            content = bytearray()
            # One byte more than there must be, and never more memory than there is content.
            while block := file.read(min(_BLOCK_BYTES, size + 1 - len(content))):
                content += block
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: name the folder that holds {name}, with --data_path") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is not a whole gzip file ({error}): {advice}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) != size:
        found = f"only {len(content)}" if len(content) < size else "more"
        factors = shape if dtype.itemsize == 1 else (*shape, dtype.itemsize)
        raise UserError(f"{path} must hold {' x '.join(map(str, factors))} bytes, and has {found}: {advice}")
    return np.frombuffer(content, dtype).reshape(shape)


def mnist_raw_data(data_path=None):
    """Reads the four files of MNIST, or of another set in its format, each gzipped or not.

    Args:
      data_path: the folder that holds the files; without it the places that `find_data` knows.
    Returns:
      Images and labels of train, then of test: uint8 [number of images, rows, columns], and [number of images].
    Raises:
      UserError: a file is missing, damaged or of another kind, or images and labels, or train and test, do not fit
        together; or the folder holds more than one set.
    """
    if data_path is None:
        data_path, _ = find_data("mnist")
    paths, arrays = _image_paths(data_path), []
    for images_path, labels_path in (paths[:2], paths[2:]):
        images, labels = _read_idx(images_path, 0x0803), _read_idx(labels_path, 0x0801, 0x0C01, 0x0C02)
        if labels.ndim == 2:  # as QMNIST has them: the class, then where the image comes from
            labels = labels[:, 0]
        if len(images) != len(labels):
            raise UserError(
                f"{images_path} has {len(images)} images, {os.path.basename(labels_path)} {len(labels)} labels: "
                "take the two from one set"
            )
        arrays += [images, labels]
    X_train, y_train, X_test, y_test = arrays
    if X_train.shape[1:] != X_test.shape[1:]:
        sizes = [f"{rows} x {columns}" for _, rows, columns in (X_train.shape, X_test.shape)]
        raise UserError(
            f"{paths[0]} has images of {sizes[0]} pixels, {os.path.basename(paths[2])} of {sizes[1]}: "
            "take the two from one set"
        )
    first, last = _label_range(y_train, y_test)
    if not first < last < first + _MOST_CLASSES:
        found = f"labels from {first} to {last}" if first < last else f"the label {first} alone"
        raise UserError(f"{data_path} has {found}: a set must have 2 to {_MOST_CLASSES:,} classes")
    return X_train, y_train, X_test, y_test


def _label_range(y_train, y_test):
    """The least and the greatest label of both; what lies between them are classes, too."""
    return int(min(y_train.min(), y_test.min())), int(max(y_train.max(), y_test.max()))


class _Pixels:
    """Images, [number, rows, columns], that are kept as bytes and read as float32 from 0 to 1."""

    def __init__(self, images):
        self._images, self.shape = images, images.shape

    def __len__(self):
        return len(self._images)

    def __getitem__(self, index):
        return self._images[index].astype(np.float32) / 255

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)


class Images:
    """The images of a folder and their labels; of those to train on a twelfth is held out.

    Attributes:
      X_train, X_test: images, [number, rows, columns]; an index gives float32 from 0 to 1.
      y_train, y_test: labels, from 0 on.
      first_label: what the files call the label 0.
      sizes: n_steps and n_inputs, the rows and columns of an image, and n_outputs, the number of classes.
      name: what the set is called.
      is_mnist: whether it is MNIST.
      description: its sizes and a fingerprint, which tell it from every other one.
    """

    def __init__(self, data_path):
        folder, is_sample = find_data("mnist", data_path)
        X_train, y_train, X_test, y_test = mnist_raw_data(folder)
        held_out = len(X_train) // 12
        self.X_train, self.X_test = _Pixels(X_train[held_out:]), _Pixels(X_test)
        first, last = _label_range(y_train, y_test)
        self.y_train, self.y_test = (labels.astype(np.int32) - first for labels in (y_train[held_out:], y_test))
        self.first_label, classes = first, last - first + 1
        self.sizes = (*X_test.shape[1:], classes)
        checksum = fingerprint(*_image_paths(folder))
        self.is_mnist = checksum == _MNIST_CHECKSUM
        self.name = "the embedded sample" if is_sample else "MNIST" if self.is_mnist else "own images"
        self.description = f"{len(self.X_train):,} + {len(X_test):,} images, checksum {checksum}"
        print(
            f"Images: {self.name}, {len(self.X_train):,} to train on, {len(X_test):,} to test on, {held_out:,} held out"
        )
        if X_test.shape[1:] != (28, 28):
            print("Sizes: {1} x {2} pixels, read as {1} time steps of {2} inputs".format(*X_test.shape))
        unseen = classes - len(np.unique(self.y_train))
        if (first, last, unseen) != (0, 9, 0):
            without = f", {unseen} of them without an image to train on" if unseen else ""
            print(f"Labels: {first} to {last}, {classes} classes{without}")


def shuffle_batch(X, y, batch_size, random):
    """Yields the batches of an epoch, images and labels in a new random order.

    There are len(X) // batch_size of them, of nearly equal sizes: what is left over is spread over them.

    Args:
      X, y: arrays of the same length.
      random: a `numpy.random.RandomState`, of which one permutation is taken.
    """
    order = random.permutation(len(X))
    for indices in np.array_split(order, len(X) // batch_size):
        yield X[indices], y[indices]


def find_text(data_path=None, encoding=None):
    """The text that `data_path` names, a file or the folder of shakespeare.txt; without it what `find_data` finds.

    Returns:
      The file, and whether it is the embedded sample.
    Raises:
      UserError: there is no such file, or the folder lacks it.
    """
    if data_path is not None and not os.path.isdir(data_path):
        if not os.path.isfile(data_path):
            raise UserError(f"--data_path={data_path} is not a file: name a text file, UTF-8, or its folder")
        return data_path, False
    folder, is_sample = find_data("shakespeare", data_path, encoding)
    return _locate(folder, *FILES["shakespeare"]), is_sample


def _code_points(path, encoding=None, announce=False):
    """Yields the text of the file in pieces, its characters as uint32."""
    for piece in _pieces(path, encoding, announce):
        yield np.frombuffer(piece.encode("utf-32-le", "surrogatepass"), np.uint32)


def char_raw_data(path, encoding=None, characters=None):
    """Reads a text in any language.

    Args:
      encoding: None: UTF-8, or UTF-16 and UTF-32 with a byte order mark.
      characters: the vocabulary; None: that of the text.

    Returns:
      The text as ids, [number of characters], of the least unsigned type that holds them, and the vocabulary, a list
      of the distinct characters, sorted.
    Raises:
      UserError: the file cannot be read, is empty, is not text in this encoding, or has but one character.
    """
    length, used = 0, np.zeros(0x110000, bool)
    for piece in _code_points(path, encoding, announce=True):
        length += len(piece)
        used[piece] = True
    unique = np.flatnonzero(used)
    if len(unique) < 2:
        found = f"nothing but {chr(unique[0])!r}" if length else "nothing in it: it must hold text, UTF-8"
        raise UserError(f"{path} has {found}")
    if characters is not None:
        unique, own = np.array(list(map(ord, characters))), unique
        if len(unknown := np.setdiff1d(own, unique)):
            shown = ", ".join(repr(chr(character)) for character in unknown[:20])
            raise UserError(f"{path} has {shown}, which the trained network's vocabulary lacks: take them out")
    char2idx = np.zeros(len(used), np.min_scalar_type(len(unique) - 1))
    char2idx[unique] = np.arange(len(unique))
    ids, end = np.empty(length, char2idx.dtype), 0
    for piece in _code_points(path, encoding):
        ids[end : end + len(piece)] = char2idx[piece]
        end += len(piece)
    return ids, [chr(character) for character in unique]


class Text:
    """A text as ids: the first part to train on, the rest to validate.

    Args:
      data_path: as for `find_text`.
      train_part: of the characters, above 0 and at most 1.
      vocabulary: a `Vocabulary` of characters; None: that of the text.

    Attributes:
      ids: [number of characters].
      vocabulary: the `Vocabulary`.
      split: where the part that validates begins; the end, where there is none.
      name: what the text is called.
      description: its length and a fingerprint, which tell it from every other one.
      perfect_loss: on the sample, what a perfect model reaches, in nats; else None.
    """

    def __init__(self, data_path, train_part, encoding=None, vocabulary=None):
        path, is_sample = find_text(data_path, encoding)
        self.ids, characters = char_raw_data(path, encoding, vocabulary and vocabulary.items)
        self.vocabulary = vocabulary or Vocabulary("characters", characters, characters[self.ids[0]])
        self.split = int(train_part * len(self.ids))
        is_shakespeare = (len(self.ids), len(characters)) == (1_115_394, 65)
        self.name = "the embedded sample" if is_sample else "Shakespeare" if is_shakespeare else "own text"
        self.description = f"{len(self.ids):,} characters, checksum {fingerprint(self.ids)}"
        distinct = "in the network's vocabulary" if vocabulary else "distinct"
        print(
            f"Text: {self.name}, {len(self.ids):,} characters, {len(characters)} {distinct}; "
            f"{self.split:,} to train on, {len(self.ids) - self.split:,} to validate"
        )
        self.perfect_loss = sample.play_bits_per_character() * math.log(2) if is_sample else None

    def say_reachable(self):
        """Prints `perfect_loss`, where it is known."""
        if self.perfect_loss:
            bits = self.perfect_loss / math.log(2)
            print(f"On this text a perfect model would reach {self.perfect_loss:.4f} ({bits:.3f} bits)")


class Vocabulary:
    """The words or characters that a network reads and writes; it is kept beside the network's checkpoints.

    Args:
      kind: "words" or "characters".
      items: all of them; an id is a place among them.
      first: the text's first character.

    Attributes:
      kind, items, first: the same; `items` is a list.
      description: their number and a fingerprint, which tell them from all others.
      ids: a dict of the items' ids.
      end: the id of what ends a sentence or a line, `<eos>` or "\n"; None: there is none.
    """

    _FILE = "vocabulary.json"

    def __init__(self, kind, items, first=None):
        self.kind, self.items, self.first = kind, list(items), first
        self.ids = {item: index for index, item in enumerate(self.items)}
        self.end = self.ids.get("<eos>" if kind == "words" else "\n")
        self.description = f"{len(self.items)} {kind}, checksum {fingerprint(' '.join(self.items).encode())}"

    @classmethod
    def of(cls, folder, kind):
        """That of the network in the folder, which --init_from names; None: no folder is given."""
        vocabulary = cls.load(folder) if folder else None
        if vocabulary and vocabulary.kind != kind:
            raise UserError(f"--init_from={folder} holds a network of {vocabulary.kind}: name one of {kind}")
        return vocabulary

    def save(self, folder):
        """Writes the file that `load` reads; None: nothing."""
        if not folder:
            return
        text = json.dumps({self.kind: self.items, "first": self.first})
        write_file(os.path.join(folder, self._FILE), text)

    @classmethod
    def load(cls, folder, description=None):
        """The vocabulary that was saved in the folder.

        Raises:
          UserError: it cannot be read, is damaged, or is another one than that of the `description`.
        """
        path, advice = os.path.join(folder, cls._FILE), "it belongs to the checkpoints there"
        try:
            with open(path, encoding="utf-8") as file:
                (kind, items), *first = json.load(file).items()
            if kind == "characters" and any(len(item) != 1 for item in items):
                raise ValueError("not every item is one character")
            vocabulary = cls(kind, items, **dict(first))
            if vocabulary.first is not None and vocabulary.first not in vocabulary.items:
                raise ValueError(f"it begins with {vocabulary.first!a}, which it does not have")
        except OSError as error:
            raise UserError(f"{path} cannot be read, {advice}: {error.strerror}") from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{path} is damaged, {advice}: {error}") from error
        if description and vocabulary.description != description:
            raise UserError(f"{path} is of another text than the checkpoints there, which have {description}")
        return vocabulary

    def split(self, text):
        """The words, or characters, of a text: a list."""
        return text.replace("\n", " <eos> ").split() if self.kind == "words" else list(text)

    def text(self, ids, before=""):
        """The text of the ids, as it goes on after the text `before`: `<eos>` ends a line there."""
        if self.kind == "characters":
            return "".join(self.items[index] for index in ids)
        text = "".join("\n" if index == self.end else f" {self.items[index]}" for index in ids)
        text = text.replace("\n ", "\n")
        return text.removeprefix(" ") if before == "" or before.endswith("\n") else text

    def start(self, start_string=None, flag="--start_string"):
        """What a text is begun with: the ids that the network reads first, and the text that they show.

        A sentence of words is begun after `<eos>`. Without a `start_string`, nothing is shown of words; characters
        begin with Q, which was the tutorial's, or with the training text's first one.

        Raises:
          UserError: the string, which came by the `flag`, has what the network cannot read, or nothing.
        """
        if start_string is None and self.kind == "words":
            return [self.end or 0], ""
        if start_string is None:
            start_string = "Q" if "Q" in self.ids else self.first
        given = self.split(start_string)
        if not given:
            raise UserError(f"{flag} is empty: give at least one of the {self.kind}")
        if unknown := sorted(set(given) - set(self.ids)):
            shown = ", ".join(map(repr, unknown[:20]))
            raise UserError(f"{flag} has {shown}, which the network's vocabulary lacks: leave that out")
        ids = [self.ids[item] for item in given]
        start_string = self.text(ids)
        return ([self.end] if self.kind == "words" and self.end is not None else []) + ids, start_string

    def excluded(self, vocab_size, no_unk=False):
        """The ids, of a network for `vocab_size` items, that stand for none of these, and with `no_unk` for `<unk>`."""
        unknown = [self.ids["<unk>"]] if no_unk and "<unk>" in self.ids else []
        if len(unknown) == len(self.items):
            raise UserError("--no_unk leaves nothing: <unk> is all that the network's vocabulary has")
        return [*unknown, *range(len(self.items), vocab_size)]


def text_ids(path, vocabulary, encoding=None):
    """A text that a trained network is to read.

    Args:
      path: a file, or STDIN.
      vocabulary: that of the network.
      encoding: None: UTF-8, or UTF-16 and UTF-32 with a byte order mark.
    Returns:
      The text as ids, int32 [number of words or characters], and which of them are `<unk>` in place of a word that the
      vocabulary lacks, bool of the same shape.
    Raises:
      UserError: the file cannot be read, is empty, or is not text in this encoding; or the vocabulary lacks something
        and has no `<unk>`.
    """
    items = _words(path, encoding, announce=True) if vocabulary.kind == "words" else _pieces(path, encoding, True)
    pieces = [np.empty(0, np.int32)]
    unk, missing = vocabulary.ids.get("<unk>"), set()
    for piece in items:
        ids = np.fromiter(map(vocabulary.ids.get, piece, itertools.repeat(-1)), np.int32, len(piece))
        if unk is None and np.any(ids < 0):
            missing.update(piece[place] for place in np.flatnonzero(ids < 0))
        pieces.append(ids)
    ids = np.concatenate(pieces)
    shown_path = _shown(path)
    if not len(ids):
        raise UserError(f"{shown_path} is empty: it must hold text")
    if missing:
        shown = ", ".join(map(repr, sorted(missing)[:20]))
        raise UserError(
            f"{shown_path} has {shown}, which the network's vocabulary lacks, as it lacks <unk>: take them out"
        )
    is_unknown = ids < 0
    ids[is_unknown] = unk or 0
    return ids, is_unknown


def char_epoch_size(num_characters, batch_size, max_length, batching):
    """How many batches `char_batches` makes of an epoch.

    Raises:
      UserError: not even one.
    """
    _check_sizes(batch_size=batch_size, max_length=max_length)
    if batching == "tutorial":
        batches = len(range(0, num_characters - max_length, max_length)) // batch_size
    else:
        batches = (num_characters // batch_size - 1) // max_length
    if batches < 1:
        needed = batch_size * max_length + (1 if batching == "tutorial" else batch_size)
        raise UserError(
            f"{num_characters} characters to train on cannot fill batch_size {batch_size} x max_length {max_length}, "
            f"which takes {needed}: "
            + ("lower --set batch_size=N or --set max_length=N, or " if batch_size * max_length > 1 else "")
            + "take more text"
        )
    return batches


def char_batches(ids, batch_size, max_length, batching, start=0):
    """Yields the batches of an epoch from number `start` on: inputs and labels, [batch_size, max_length] each.

    The label of a character is the one after it. For batch_size 2 and max_length 2 the two ways to cut the text are:

        text         a b c d e f g h i j
        tutorial     [a b]  [e f]       chunk after chunk: what follows row 0 is in row 1,
                     [c d]  [g h]       and in the next batch row 0 goes on where row 1 ended
        contiguous   [a b]  [c d]       as many streams as rows: what follows a row
                     [f g]  [h i]       is the same row of the next batch

    Args:
      ids: the text, [number of characters].
      batching: "tutorial" or "contiguous".
    """
    size = char_epoch_size(len(ids), batch_size, max_length, batching)
    if batching == "tutorial":
        distance, stride = max_length, batch_size * max_length  # from row to row, from batch to batch
    else:
        distance, stride = len(ids) // batch_size, max_length
    rows = distance * np.arange(batch_size)[:, None]
    for batch in range(start, size):
        positions = rows + np.arange(batch * stride, batch * stride + max_length)
        yield ids[positions], ids[positions + 1]


class CharInput:
    """The batches of a text, for a network that carries its state from batch to batch.

    Args:
      ids: the text, [number of characters].
      batch_size, max_length, batching: as for `char_batches`.
      own_rows: a range, of the rows that are wanted; None: all.
      shifts: each epoch after the first begins at another character, so that the text is cut at other places.
    """

    def __init__(self, ids, batch_size, max_length, batching, own_rows=None, shifts=False):
        self._ids, self._shifts = ids, shifts
        self._arguments = batch_size, max_length, batching
        self._own_rows = slice(own_rows.start, own_rows.stop) if own_rows else slice(None)
        self.epoch_size = char_epoch_size(len(ids), batch_size, max_length, batching)
        used = self.epoch_size * batch_size * max_length
        self._left_over = max(0, len(ids) - used - batch_size)  # each row has one character more, the last label
        print(
            f"An epoch uses {used:,} characters, {self.epoch_size} batches ({batching}) of {batch_size} x "
            f"{max_length}; {len(ids) - used:,} are left over"
        )

    def batches(self, position):
        """Yields input_text and labels_text, [rows, max_length] each, from `position.step` on."""
        start = (position.epoch - 1) * _SHIFT % (self._left_over + 1) if self._shifts else 0
        for input_text, labels_text in char_batches(self._ids[start:], *self._arguments, position.step):
            yield input_text[self._own_rows], labels_text[self._own_rows]


T_MIN, T_MAX, RESOLUTION = 0, 30, 0.1


def time_series(t):
    """The series of the time-series tutorial at the times `t`, a number or an array."""
    return t * np.sin(t) / 3 + 2 * np.sin(t * 5)


def next_batch(batch_size, n_steps, random=np.random, t_max=T_MAX):
    """Pieces of the series from random places before `t_max`: each value the input, the one after it the target.

    Returns:
      Inputs and targets, [batch_size, n_steps, 1].
    """
    t0 = random.rand(batch_size, 1) * (t_max - T_MIN - n_steps * RESOLUTION)
    ys = time_series(t0 + np.arange(0.0, n_steps + 1) * RESOLUTION)
    return ys[:, :-1].reshape(-1, n_steps, 1), ys[:, 1:].reshape(-1, n_steps, 1)


def _lines(path, encoding):
    """Yields the lines of a text file, each with its number, from 1 on."""
    count, rest = 0, ""
    for text in _pieces(path, encoding, announce=True):
        *lines, rest = (rest + text).split("\n")
        for place, line in enumerate([*lines, rest], start=count + 1):
            if len(line) > _SERIES_LINE:
                raise UserError(f"{path} has more than {_SERIES_LINE} characters in line {place}: it holds no series")
            if place <= count + len(lines):  # the rest may go on in the next piece
                yield place, line
        count += len(lines)
    if rest:
        yield count + 1, rest


def read_series(path, column=None, encoding=None, missing=None, decimal=None):
    """The numbers of a user's series: a file with one number a line, or a column of a table. Each line is a row.

    Args:
      column: its name in the header, or its number, from 1 on; None: the only one.
      encoding: None: by the byte order mark.
      missing: what happens to missing values, one of `tables.MISSING`; None: they are refused.
      decimal: how decimals are written, one of `tables.DECIMALS`; None: as the numbers show.
    Raises:
      UserError: it cannot be read, has something else than finite numbers, no such column, or more than one meaning.
    """
    if not os.path.exists(path):
        raise UserError(f"--data_path={path} is not a file: name one with a number a line, or a CSV file")
    return tables.read_column(path, _lines(path, encoding), column, missing, decimal)


def windows(values, n_steps):
    """All pieces of n_steps values, and of the values after them: inputs and targets [pieces, n_steps, 1]."""
    pieces = np.lib.stride_tricks.sliding_window_view(values, n_steps + 1)
    return pieces[:, :-1, None], pieces[:, 1:, None]


class TutorialSeries:
    """The series of the time-series tutorial before `t_max`.

    Attributes:
      description: its formula and its range.
    """

    def __init__(self, n_steps, t_max=T_MAX):
        count = round((t_max - T_MIN) / RESOLUTION)
        if n_steps >= count:
            raise UserError(f"--set n_steps={n_steps}: the series has {count} values before t = {t_max:g}")
        self._n_steps, self._t_max = n_steps, t_max
        self.description = f"t sin(t) / 3 + 2 sin(5 t), t from {T_MIN:g} to {t_max:g}"

    def batch(self, batch_size, random):
        """Inputs and targets from random places, [batch_size, n_steps, 1] each; `random` is a `RandomState`."""
        return next_batch(batch_size, self._n_steps, random, self._t_max)


class OwnSeries:
    """A user's series: the first four fifths are trained on, scaled to mean 0 and deviation 1; the rest is held out.

    Args:
      n_steps: values of a piece.
      the others: see `read_series`.

    Attributes:
      values, scaled: [number of values], as they are and as they are trained on.
      split: where the held-out part begins.
      mean, deviation: of the part before it.
      description: its length and a fingerprint, which tell it from every other one.
    """

    def __init__(self, path, column, n_steps, encoding=None, missing=None, decimal=None):
        self.values = values = read_series(path, column, encoding, missing, decimal)
        self.split = split = len(values) * 4 // 5
        if split < n_steps + 1 or split == len(values):
            raise UserError(
                f"{path} has {len(values)} values, too few for n_steps {n_steps} and the value after them in the first "
                "four fifths: lower --set n_steps=N, or take a longer series"
            )
        self.mean, self.deviation = np.mean(values[:split]), np.std(values[:split])
        if not self.deviation > 1e-12 * abs(self.mean):
            raise UserError(f"{path} is constant in its first {split} values, or nearly: nothing to learn")
        if np.max(np.abs(values - self.mean)) > 1e15 * self.deviation:  # its square is infinite in fp32
            raise UserError(f"{path} has a value 1e15 times as far from the mean as the others: correct it")
        self.scaled = (values - self.mean) / self.deviation
        self._X, self._y = windows(self.scaled[:split], n_steps)
        self.description = f"{len(values)} values, checksum {fingerprint(values)}"
        print(f"Series: {len(values):,} values, the first {split:,} to train on, scaled to mean 0 and deviation 1")

    def batch(self, batch_size, random):
        """Scaled inputs and targets from random places, as `TutorialSeries.batch` has them."""
        chosen = random.randint(0, len(self._X), batch_size)
        return self._X[chosen], self._y[chosen]


class SeriesInput:
    """The batches of a training on a series, which is one epoch.

    Args:
      series: a `TutorialSeries` or an `OwnSeries`.
      batch_size: pieces of a batch.
      epoch_size: the number of batches.
      seed: of the places that the pieces begin at.
    """

    def __init__(self, series, batch_size, epoch_size, seed):
        self.epoch_size = epoch_size
        self._series, self._batch_size, self._seed = series, batch_size, seed

    def batches(self, position):
        """Yields X_batch and y_batch, [batch_size, n_steps, 1] each, from `position.step` on, without an end."""
        random = np.random.RandomState(self._seed)
        for _ in range(position.step):
            self._series.batch(self._batch_size, random)  # those that were used before the run was stopped
        while True:
            yield self._series.batch(self._batch_size, random)


def read_weights(path, var_name, shape):
    """The array of `shape`, one or two dimensions, in a file of numbers separated by commas: float32.

    Raises:
      UserError, a ValueError: there is no such file, it holds something else than numbers, or another shape.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(_WEIGHT_CHARACTERS + 1)
        if len(text) > _WEIGHT_CHARACTERS:
            raise UserError(f"{path} is too large for the weights of {var_name}")
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        array = np.array([[number(cell.strip()) for cell in line.split(",")] for line in lines])
    except FileNotFoundError as error:
        raise UserError(f"--distribution: {path} is neither a file nor a name that --help has") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{path} must hold numbers separated by commas, for {var_name}: {error}") from error
    if len(shape) == 1 and 1 in array.shape:
        array = array.reshape(-1)
    if array.shape != tuple(shape):
        expected, found = (" x ".join(map(str, dimensions)) for dimensions in (shape, array.shape))
        raise UserError(f"{path} is not of the shape of {var_name}: expected {expected} numbers, found {found}")
    if not np.all(np.abs(array) <= np.finfo(np.float32).max):  # not true of NaN either
        raise UserError(f"{path} has numbers for {var_name} that are not finite")
    return array.astype(np.float32)
