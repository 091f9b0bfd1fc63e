"""data/prepare.py against a real HTTP server on the loopback address that behaves as badly as servers do."""

import functools
import gzip
import hashlib
import http.server
import io
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request

import pytest

from data import prepare

ROOT = pathlib.Path(prepare.__file__).parent.parent
REAL_DATA = os.path.abspath(os.environ.get("RNN_DATA_DIR") or "nowhere")
TEXT = b"".join(b"LEAR:\nScene %d, enter a messenger.\n\n" % n for n in range(6000))  # several blocks long
TEXTS = {f"ptb.{split}.txt": b" the %d sat \n on <unk> \n" % n for n, split in enumerate(("train", "valid", "test"))}


class Site:
    """A server that answers a path with what `routes` says: bytes, or a function of the request handler."""

    def __init__(self):
        self.routes, self.requests, self.closing = {}, [], threading.Event()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.requests.append(self.path)
                answer = site.routes.get(self.path)
                if answer is None:
                    self.send_error(404)
                elif callable(answer):
                    answer(self)
                else:
                    send(self, answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def stall(self):
        self.closing.wait(10)

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def send(handler, body, status=200, length=None, **headers):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    try:
        handler.wfile.write(body)
    except OSError:  # the client has seen enough
        pass


@pytest.fixture
def site():
    site = Site()
    yield site
    site.close()


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch):
    """A test that asks for any other host fails, and says which one it was."""
    getaddrinfo = socket.getaddrinfo

    def guarded(name, *args, **kwargs):
        assert name == "127.0.0.1", f"a test asked for {name}"
        return getaddrinfo(name, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def folder(tmp_path):
    """What --data_path names; deep enough for a `../` in an archive to stay inside tmp_path."""
    return tmp_path / "a" / "b"


def use(monkeypatch, name, contents, *sources):
    """Puts a set of small files with their real sums in the place of the public one."""
    files = []
    for file, content in contents.items():
        raw = gzip.decompress(content) if file.endswith(".gz") else content
        files.append(prepare.File(file, len(raw), hashlib.sha256(raw).hexdigest()))
    monkeypatch.setitem(prepare.SETS, name, (files, list(sources), prepare.SETS[name][2]))


def use_text(monkeypatch, *sources):
    use(monkeypatch, "shakespeare", {"shakespeare.txt": TEXT}, *sources)


def run(name, folder, *flags):
    return prepare.main([name, f"--data_path={folder}", "--timeout=5", *flags])


def error_of(capsys, function, *args):
    """Runs what must end with status 2 and one line on stderr; returns that line and stdout."""
    with pytest.raises(SystemExit) as exit_:
        function(*args)
    output = capsys.readouterr()
    assert exit_.value.code == 2
    assert output.err.count("\n") == 1 and output.err.endswith("\n"), output.err
    return output.err, output.out


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if not path.is_dir()}


def in_set(name, contents):
    return {f"{name}/{file}": content for file, content in contents.items()}


def archive(*members):
    """A .tgz of (name, bytes) or of (name, type, target) for links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, *rest in members:
            info = tarfile.TarInfo(name)
            if len(rest) == 2:
                info.type, info.linkname = rest
                tar.addfile(info)
            else:
                info.size = len(rest[0])
                tar.addfile(info, io.BytesIO(rest[0]))
    return buffer.getvalue()


def tgz(site, unpacked=1_000_000, size=1_000_000):
    return prepare.Archive(f"{site.url}/simple.tgz", "simple/data/{name}", size, unpacked)


# What it gives


def test_download(site, folder, monkeypatch, capsys):
    use_text(monkeypatch, f"{site.url}/{{name}}")
    site.routes["/shakespeare.txt"] = TEXT
    assert run("shakespeare", folder) == {"shakespeare": str(folder / "shakespeare")}
    assert tree(folder) == {"shakespeare/shakespeare.txt": TEXT}
    first, last = capsys.readouterr().out.splitlines()
    host = site.url.partition("//")[2]
    assert first.startswith(f"shakespeare.txt: {len(TEXT):,} bytes, ") and first.endswith(f" s, {host}")
    counts = f"{len(TEXT):,} characters, {len(set(TEXT))} distinct"
    assert last == f"shakespeare: complete in {folder}/shakespeare: {counts}"


def test_download_is_readable_for_others(site, folder, monkeypatch):
    use_text(monkeypatch, f"{site.url}/{{name}}")
    site.routes["/shakespeare.txt"] = TEXT
    umask = os.umask(0o022)
    try:
        run("shakespeare", folder)
    finally:
        os.umask(umask)
    assert (folder / "shakespeare/shakespeare.txt").stat().st_mode & 0o777 == 0o644


def test_gzipped_set_with_another_wrapper(site, folder, monkeypatch, capsys):
    images = {split: struct.pack(">4i", 2051, n, 28, 28) + bytes(784 * n) for split, n in (("train", 3), ("t10k", 2))}
    names = {f"{split}-images-idx3-ubyte.gz": images[split] for split in images}
    use(monkeypatch, "mnist", {name: gzip.compress(raw) for name, raw in names.items()}, f"{site.url}/{{name}}")
    served = {name: gzip.compress(raw, compresslevel=0, mtime=1) for name, raw in names.items()}  # larger than `raw`
    site.routes.update({f"/{name}": body for name, body in served.items()})
    run("mnist", folder)
    assert tree(folder) == in_set("mnist", served)  # as it came
    assert capsys.readouterr().out.endswith(f"mnist: complete in {folder}/mnist: 3 + 2 images of 28x28\n")


def test_several_sets_in_one_run(site, folder, monkeypatch, capsys):
    use_text(monkeypatch, f"{site.url}/{{name}}")
    use(monkeypatch, "ptb", TEXTS, f"{site.url}/{{name}}")
    site.routes.update({f"/{name}": body for name, body in TEXTS.items()}, **{"/shakespeare.txt": TEXT})
    result = prepare.main(["ptb", "shakespeare", f"--data_path={folder}"])
    assert result == {name: str(folder / name) for name in ("ptb", "shakespeare")}
    assert tree(folder) == {**in_set("ptb", TEXTS), "shakespeare/shakespeare.txt": TEXT}
    assert f"complete in {folder}/ptb: 7 / 7 / 7 tokens, 6 words\n" in capsys.readouterr().out


def test_progress_on_a_terminal(site, folder, monkeypatch, capsys):
    use_text(monkeypatch, f"{site.url}/{{name}}")
    site.routes["/shakespeare.txt"] = TEXT
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    run("shakespeare", folder)
    rewritten = capsys.readouterr().out.split("\r")
    assert any(f"{prepare.BLOCK:,} of {len(TEXT):,} bytes" in text for text in rewritten), rewritten
    *lines, last = rewritten
    assert all(len(text) in (0, 78) for text in lines)  # so that each covers the one before
    assert last.startswith(f"shakespeare.txt: {len(TEXT):,} bytes, ") and lines[-1].isspace()


# Archives


def test_archive(site, folder, tmp_path, monkeypatch):
    """One download for three files, with and without ./, and nothing of what else is in there."""
    use(monkeypatch, "ptb", TEXTS, tgz(site))
    names = [f"./simple/data/{name}" for name in TEXTS]
    names[1] = names[1].removeprefix("./")
    site.routes["/simple.tgz"] = archive(
        ("../evil", b"evil"),
        (f"{tmp_path}/evil", b"evil"),
        ("simple/data/ptb.train.txt.bak", b"other"),
        ("other/simple/data/ptb.train.txt", b"other"),
        *zip(names, TEXTS.values()),
    )
    run("ptb", folder)
    assert tree(tmp_path) == {f"a/b/{name}": content for name, content in in_set("ptb", TEXTS).items()}
    assert site.requests == ["/simple.tgz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_an_archive_are_not_followed(kind, site, folder, tmp_path, monkeypatch, capsys):
    """Not even to a file that has the right content."""
    (tmp_path / "right").write_bytes(TEXT)
    use_text(monkeypatch, tgz(site))
    site.routes["/simple.tgz"] = archive(
        ("simple/data/right", TEXT),
        ("simple/data/shakespeare.txt", kind, "simple/data/right" if kind == tarfile.LNKTYPE else "right"),
    )
    _, out = error_of(capsys, run, "shakespeare", folder)
    assert "no file simple/data/shakespeare.txt in the archive" in out
    assert tree(folder) == {}


def test_a_link_before_the_wanted_member(site, folder, monkeypatch):
    use_text(monkeypatch, tgz(site))
    name = "simple/data/shakespeare.txt"
    site.routes["/simple.tgz"] = archive((name, tarfile.SYMTYPE, "/etc/passwd"), (name, TEXT))
    run("shakespeare", folder)
    assert tree(folder) == {"shakespeare/shakespeare.txt": TEXT}
    assert not (folder / "shakespeare/shakespeare.txt").is_symlink()


@pytest.mark.parametrize("length", [None, 1_000_000], ids=["damaged", "cut off"])
def test_a_broken_archive_is_asked_once(length, site, folder, monkeypatch, capsys):
    use(monkeypatch, "ptb", TEXTS, tgz(site), f"{site.url}/{{name}}")
    body = archive(*((f"simple/data/{name}", body) for name, body in TEXTS.items()))[:100]
    site.routes["/simple.tgz"] = functools.partial(send, body=body, length=length)
    site.routes.update({f"/{name}": body for name, body in TEXTS.items()})
    run("ptb", folder)
    assert tree(folder) == in_set("ptb", TEXTS)
    assert site.requests == ["/simple.tgz", *(f"/{name}" for name in TEXTS)]
    reason = "cut off after 100 of 1,000,000 bytes" if length else "damaged archive"
    assert [reason in line for line in capsys.readouterr().out.splitlines()] == [True, False, False, False, False]


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"<html>this page has moved</html>", "damaged archive"),
        (gzip.compress(b"not a tar" * 1000), "damaged archive"),
        (archive(("simple/data/shakespeare.txt", TEXT[::-1])), "wrong content"),
        (archive(("simple/data/shakespeare.txt", TEXT + b"!")), f": more than the expected {len(TEXT):,}"),
        (archive(("0", bytes(5_000_000)), ("simple/data/shakespeare.txt", TEXT)), ": more than the expected 1,000,000"),
        (bytes(1_000_001), ": more than the expected 1,000,000"),
    ],
    ids=["html", "no tar", "wrong member", "long member", "tar bomb", "endless"],
)
def test_bad_archives(body, reason, site, folder, monkeypatch, capsys):
    use_text(monkeypatch, tgz(site))
    site.routes["/simple.tgz"] = body
    _, out = error_of(capsys, run, "shakespeare", folder)
    assert reason in out
    assert tree(folder) == {}


# Bad servers: the first source fails, the second is good


def stalls_before_the_headers(site, handler):
    site.stall()


def stalls_in_the_body(site, handler):
    send(handler, TEXT[: len(TEXT) // 2], length=len(TEXT))
    handler.wfile.flush()
    site.stall()


def endless_body(site, handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(50):  # long enough, and a defect does not fill the disk
            handler.wfile.write(TEXT)
    except OSError:
        pass


def broken_chunk(site, handler):
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n%b\r\n%x\r\nhalf" % (len(TEXT) // 2, TEXT[: len(TEXT) // 2], len(TEXT) // 2))


def redirects(location):
    return lambda site, handler: send(handler, b"", 302, Location=location)


BAD_ANSWERS = {
    "wrong bytes": (lambda site, handler: send(handler, TEXT[::-1]), "wrong content"),
    "short": (lambda site, handler: send(handler, TEXT[:-1]), "wrong content"),
    "empty": (lambda site, handler: send(handler, b""), "wrong content"),
    "no headers": (stalls_before_the_headers, "silent for 0.3 seconds"),
    "stalled": (stalls_in_the_body, "silent for 0.3 seconds"),
    "cut off": (
        lambda site, handler: send(handler, TEXT[:1000], length=len(TEXT)),
        f"cut off after 1,000 of {len(TEXT):,} bytes",
    ),
    "broken chunk": (broken_chunk, "IncompleteRead"),
    "long": (lambda site, handler: send(handler, TEXT + b"!"), f": more than the expected {len(TEXT):,} bytes"),
    "endless": (endless_body, f": more than the expected {len(TEXT):,} bytes"),
    "404": (lambda site, handler: send(handler, b"gone", 404), "404"),
    "503": (lambda site, handler: send(handler, b"busy", 503), "503"),
    "no HTTP": (lambda site, handler: handler.wfile.write(b"SSH-2.0-\x1b[2J\r\n"), "SSH-2.0- [2J"),
    "hung up": (lambda site, handler: None, "without response"),
    "to a file": (redirects("file:///etc/hostname"), "302"),
    "to ftp": (redirects("ftp://127.0.0.1/shakespeare.txt"), "redirect from http to ftp refused"),
    "to data": (redirects("data:text/plain,x"), "302"),
    "to itself": (redirects("/first/shakespeare.txt"), "302"),
    "to nowhere": (redirects("http://[::1"), "Invalid IPv6"),
}


@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_the_next_source_is_tried(kind, site, folder, monkeypatch, capsys):
    answer, reason = BAD_ANSWERS[kind]
    use_text(monkeypatch, f"{site.url}/first/{{name}}", f"{site.url}/second/{{name}}")
    site.routes["/first/shakespeare.txt"] = functools.partial(answer, site)
    site.routes["/second/shakespeare.txt"] = TEXT
    start = time.monotonic()
    run("shakespeare", folder, f"--timeout={0.3 if 'silent' in reason else 5}")
    assert time.monotonic() - start < 3  # the stalled server would send nothing for 10 seconds
    assert tree(folder) == {"shakespeare/shakespeare.txt": TEXT}
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 3 and told[0].startswith(f"shakespeare.txt: {site.url.partition('//')[2]}: ")
    assert reason in told[0] and told[0].endswith("; trying the next source")


@pytest.mark.parametrize("kind", ["bomb", "trailing garbage", "cut off", "not gzip"])
def test_bad_gzip(kind, site, folder, monkeypatch, capsys):
    name, raw = "train-images-idx3-ubyte.gz", bytes(1000)
    good = gzip.compress(raw)
    use(monkeypatch, "mnist", {name: good}, f"{site.url}/{{name}}")
    site.routes[f"/{name}"], reason = {
        "bomb": (gzip.compress(bytes(1_500_000)), "more than the expected 1,000 bytes"),  # 1,500 bytes on the wire
        "trailing garbage": (good + b"garbage", "not a whole gzip file"),
        "cut off": (good[:-6], "not a whole gzip file"),
        "not gzip": (raw, "not a whole gzip file"),
    }[kind]
    _, out = error_of(capsys, run, "mnist", folder)
    assert reason in out
    assert tree(folder) == {}


def test_redirects_that_are_followed(site, folder, monkeypatch):
    """And whose own body, which nobody wants, is not waited for."""

    def redirect(handler):
        send(handler, b"moved", 302, length=1000, Location="/new/shakespeare.txt")
        handler.wfile.flush()
        site.stall()

    use_text(monkeypatch, f"{site.url}/{{name}}")
    site.routes.update({"/shakespeare.txt": redirect, "/new/shakespeare.txt": TEXT})
    run("shakespeare", folder, "--timeout=1")
    assert tree(folder) == {"shakespeare/shakespeare.txt": TEXT}


@pytest.mark.parametrize(
    "old, new, follows",
    [("http", "http", True), ("http", "https", True), ("https", "https", True), ("https", "http", False)],
)
def test_redirects_do_not_give_up_encryption(old, new, follows):
    args = (io.BytesIO(), 302, "Found", {}, f"{new}://127.0.0.1/b")
    redirect = functools.partial(prepare.Redirects().redirect_request, urllib.request.Request(f"{old}://127.0.0.1/a"))
    if follows:
        assert redirect(*args).full_url == f"{new}://127.0.0.1/b"
    else:
        with pytest.raises(prepare.Failure, match="redirect from https to http refused"):
            redirect(*args)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:text/plain,x"])
def test_only_http_is_opened(url):
    with pytest.raises(prepare.Failure):
        b"".join(prepare.download(url, "x", 1000, 1))


# When all fail


def test_no_source_is_left(site, folder, monkeypatch, capsys):
    use(monkeypatch, "ptb", TEXTS, tgz(site), f"{site.url}/{{name}}")
    site.routes["/ptb.train.txt"] = TEXTS["ptb.train.txt"]
    site.routes["/ptb.valid.txt"] = b"wrong"
    err, out = error_of(capsys, run, "ptb", folder)
    assert err.startswith(
        "python -m data.prepare: error: no source gave ptb.valid.txt; put ptb.valid.txt, ptb.test.txt into"
    )
    assert f"into {folder}/ptb by hand (from {site.url}/simple.tgz or {site.url}/ptb.valid.txt)" in err
    assert out.splitlines()[-1].startswith("ptb.valid.txt: 127.0.0.1") and "next source" not in out.splitlines()[-1]
    assert tree(folder) == in_set("ptb", {"ptb.train.txt": TEXTS["ptb.train.txt"]})
    site.routes.update({f"/{name}": body for name, body in TEXTS.items()})
    site.requests.clear()
    run("ptb", folder)  # goes on with what is missing
    assert tree(folder) == in_set("ptb", TEXTS)
    assert "/ptb.train.txt" not in site.requests


def test_offline(folder, monkeypatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    use_text(monkeypatch, f"{url}/{{name}}")  # nobody listens there any more
    err, out = error_of(capsys, run, "shakespeare", folder)
    assert "shakespeare.txt" in err and f"{folder}/shakespeare" in err
    assert "Connection refused" in out
    assert tree(folder) == {}


def test_ctrl_c(site, folder, monkeypatch, capsys):
    seen = []

    def interrupt(handler):
        send(handler, TEXT[: len(TEXT) // 2], length=len(TEXT))
        handler.wfile.flush()
        while not any(tree(folder).values()):  # until a part of it is on the disk
            time.sleep(0.01)
        seen.extend(tree(folder))
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        site.stall()

    use_text(monkeypatch, f"{site.url}/{{name}}")
    site.routes["/shakespeare.txt"] = interrupt
    with pytest.raises(SystemExit) as exit_:
        run("shakespeare", folder)
    assert exit_.value.code == 130
    assert len(seen) == 1 and seen[0].endswith(".part")
    assert tree(folder) == {}
    assert capsys.readouterr().err == ""


# What is there already


def test_again_does_nothing(site, folder, monkeypatch, capsys):
    use(monkeypatch, "ptb", TEXTS, f"{site.url}/{{name}}")
    site.routes.update({f"/{name}": body for name, body in TEXTS.items()})
    run("ptb", folder)
    before = {path: path.stat() for path in folder.rglob("*")}
    assert len(site.requests) == 3
    capsys.readouterr()
    assert run("ptb", folder) == {"ptb": str(folder / "ptb")}
    assert len(site.requests) == 3
    assert {path: path.stat() for path in folder.rglob("*")} == before
    assert capsys.readouterr().out == f"ptb: complete in {folder}/ptb: 7 / 7 / 7 tokens, 6 words\n"


@pytest.mark.parametrize("content", [TEXT[::-1], TEXT + b"!", b""], ids=["other", "longer", "empty"])
def test_a_different_file_is_not_overwritten(content, site, folder, monkeypatch, capsys):
    use_text(monkeypatch, f"{site.url}/{{name}}")
    site.routes["/shakespeare.txt"] = TEXT
    path = folder / "shakespeare/shakespeare.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    err, _ = error_of(capsys, run, "shakespeare", folder)
    assert f"{path} differs" in err and "move it away" in err
    assert tree(folder) == {"shakespeare/shakespeare.txt": content}
    assert site.requests == []


def test_a_different_file_stops_the_set_before_any_download(site, folder, monkeypatch, capsys):
    use(monkeypatch, "ptb", TEXTS, f"{site.url}/{{name}}")
    (folder / "ptb").mkdir(parents=True)
    (folder / "ptb/ptb.test.txt").write_bytes(b"my own")
    assert "ptb.test.txt differs" in error_of(capsys, run, "ptb", folder)[0]
    assert site.requests == []


@pytest.mark.parametrize(
    "make",
    [pathlib.Path.mkdir, lambda path: path.symlink_to("nowhere"), lambda path: path.symlink_to("/dev/zero")],
    ids=["folder", "broken link", "device"],
)
def test_something_else_has_the_name(make, site, folder, monkeypatch, capsys):
    use_text(monkeypatch, f"{site.url}/{{name}}")
    path = folder / "shakespeare/shakespeare.txt"
    path.parent.mkdir(parents=True)
    make(path)
    assert f"{path} differs from the public file (it is not a file)" in error_of(capsys, run, "shakespeare", folder)[0]
    assert site.requests == []


def test_the_target_is_a_file(site, tmp_path, monkeypatch, capsys):
    use_text(monkeypatch, f"{site.url}/{{name}}")
    for path in (tmp_path / "file", tmp_path / "shakespeare"):
        path.write_bytes(b"precious")
    for folder in (tmp_path / "file", tmp_path):
        err, _ = error_of(capsys, run, "shakespeare", folder)
        assert f"cannot write into {folder}/shakespeare: " in err and "--data_path" in err
    assert tree(tmp_path) == {"file": b"precious", "shakespeare": b"precious"}
    assert site.requests == []


def test_a_folder_that_cannot_be_written(site, folder, monkeypatch, capsys):
    use_text(monkeypatch, f"{site.url}/{{name}}")
    (folder / "shakespeare").mkdir(parents=True)
    (folder / "shakespeare").chmod(0o555)
    if os.access(folder / "shakespeare", os.W_OK):
        pytest.skip("root may write anywhere")
    assert "Permission denied" in error_of(capsys, run, "shakespeare", folder)[0]
    assert site.requests == [] and tree(folder) == {}


def test_a_full_disk(site, folder):
    """A limit of the process on the size of its files stands in for it."""
    site.routes["/shakespeare.txt"] = TEXT
    script = f"""
import resource
from data import prepare
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
file = prepare.File("shakespeare.txt", {len(TEXT)}, "{hashlib.sha256(TEXT).hexdigest()}")
prepare.SETS["shakespeare"] = [file], ["{site.url}/{{name}}"], None
prepare.main(["shakespeare", "--data_path={folder}"])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1 and f"cannot write into {folder}/shakespeare: File too large" in done.stderr
    assert tree(folder) == {}


def test_two_runs_at_once(site, folder, monkeypatch, capsys):
    """Each has half of the file when the other one begins."""
    together = threading.Barrier(2)

    def answer(handler):
        send(handler, TEXT[: len(TEXT) // 2], length=len(TEXT))
        handler.wfile.flush()
        together.wait(5)
        handler.wfile.write(TEXT[len(TEXT) // 2 :])

    use_text(monkeypatch, f"{site.url}/{{name}}")
    site.routes["/shakespeare.txt"] = answer
    results = []
    runs = [threading.Thread(target=lambda: results.append(run("shakespeare", folder))) for _ in range(2)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert results == [{"shakespeare": str(folder / "shakespeare")}] * 2
    assert len(site.requests) == 2
    assert tree(folder) == {"shakespeare/shakespeare.txt": TEXT}


# The command line


def test_mirror_comes_first(site, folder, monkeypatch):
    use(monkeypatch, "ptb", TEXTS, f"{site.url}/public/{{name}}")
    site.routes.update({f"/lab/{name}": body for name, body in in_set("ptb", TEXTS).items()})
    del site.routes["/lab/ptb/ptb.valid.txt"]
    site.routes["/public/ptb.valid.txt"] = TEXTS["ptb.valid.txt"]
    run("ptb", folder, f"--mirror={site.url}/lab/")
    assert tree(folder) == in_set("ptb", TEXTS)
    assert site.requests == [
        "/lab/ptb/ptb.train.txt",
        "/lab/ptb/ptb.valid.txt",
        "/public/ptb.valid.txt",
        "/lab/ptb/ptb.test.txt",
    ]


@pytest.mark.parametrize(
    "argv",
    [
        ["imagenet"],
        [],
        ["ptb", "--mirror=ftp://127.0.0.1/"],
        ["ptb", "--mirror=file:///tmp"],
        ["ptb", "--mirror=/tmp"],
        ["ptb", "--mirror=http://[::1"],
        ["ptb", "--timeout=0"],
        ["ptb", "--timeout=nan"],
        ["ptb", "--timeout=inf"],
        ["ptb", "--timeout=soon"],
        ["ptb", "--data=/tmp"],
    ],
    ids=" ".join,
)
def test_wrong_arguments(argv, capsys):
    err, out = error_of(capsys, prepare.main, argv)
    assert err.startswith("python -m data.prepare: error: ") and out == ""
    assert (argv[-1].partition("=")[0] if argv else "sets") in err


def test_default_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("RNN_DATA_DIR", str(tmp_path))
    assert prepare.parse_args(["ptb"]).data_path == str(tmp_path)
    monkeypatch.delenv("RNN_DATA_DIR")
    assert prepare.parse_args(["ptb"]).data_path == str(ROOT / "data")


def test_as_a_module(tmp_path):
    """`python -m data.prepare` is what the README and the scripts' notices name."""
    command = [sys.executable, "-m", "data.prepare", "shakespeare", f"--data_path={tmp_path / 'file'}"]
    (tmp_path / "file").write_bytes(b"")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("python -m data.prepare: error: cannot write into ") and done.stderr.count("\n") == 1


# The real table


def test_table():
    assert list(prepare.SETS) == ["ptb", "mnist", "shakespeare"]
    for files, sources, _ in prepare.SETS.values():
        assert len(sources) >= 2
        for source in sources:
            url = getattr(source, "url", source)
            assert url.startswith(("http://", "https://"))
            assert len(files) == 1 or "{name}" in getattr(source, "member", source)
        for file in files:
            assert len(bytes.fromhex(file.sha256)) == 32
    sizes = {file.name: file.size for file in prepare.SETS["mnist"][0]}
    assert sizes["train-images-idx3-ubyte.gz"] == 16 + 60000 * 784 and sizes["t10k-labels-idx1-ubyte.gz"] == 8 + 10000


@pytest.mark.skipif(
    not all(os.path.exists(f"{REAL_DATA}/{name}/{file.name}") for name, row in prepare.SETS.items() for file in row[0]),
    reason="$RNN_DATA_DIR does not hold the real sets",
)
def test_real_data(folder, capsys):
    folder.mkdir(parents=True)
    for name in prepare.SETS:
        (folder / name).symlink_to(os.path.join(REAL_DATA, name))
    result = prepare.main([*prepare.SETS, f"--data_path={folder}"])
    assert result == {name: str(folder / name) for name in prepare.SETS}
    assert capsys.readouterr().out.splitlines() == [
        f"ptb: complete in {folder}/ptb: 929,589 / 73,760 / 82,430 tokens, 10,000 words",
        f"mnist: complete in {folder}/mnist: 60,000 + 10,000 images of 28x28",
        f"shakespeare: complete in {folder}/shakespeare: 1,115,394 characters, 65 distinct",
    ]
