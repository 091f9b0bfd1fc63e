"""README and docs: their commands are taken, their links lead somewhere, their tables are what the runs say."""

import hashlib
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from unittest import mock

import pytest
import yaml

import studies
from conftest import ROOT
from results import __main__ as results
from results import record
from results.runs import RUNS
from tf1 import app
from tf1.app import VERSION, UserError

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")]
SCRIPTS = ("ptb_word_lm", "rnn_basics", "time_series", "lstm_by_hand", "char_gru", "binary_echo")
OTHERS = ("pytest", "tf2onnx.convert")  # programs that are not ours
# Modules whose parser is another module's.
PARSERS = {"tf1.cluster": "tf1.launcher", "tf1": "tf1.__main__"}


def commands_of(text):
    """The commands of a document's blocks, and those between backticks; a line that ends in a backslash goes on."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.partition(" #")[0].split("&&")[-1].split("|")[-1].removeprefix("$ ").strip()
            if re.match(r"(\w+=\S+ )*python3? ", line):
                yield line
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`(python3? [^`]+)`", prose)


COMMANDS = sorted({command for path in DOCUMENTS for command in commands_of(path.read_text(encoding="utf-8"))})


@pytest.fixture(autouse=True)
def in_the_project_s_folder(monkeypatch):
    monkeypatch.chdir(ROOT)


class Parsed(Exception):
    """The arguments were taken; the program goes no further."""


def parse_and_stop(parse_args):
    def wrapper(*args, **kwargs):
        parse_args(*args, **kwargs)
        raise Parsed

    return wrapper


def parse(command):
    """Hands the command's arguments to its program's parser; returns the program's name."""
    words = [word for word in shlex.split(command) if not re.fullmatch(r"[A-Z_]+=.*", word)]
    module, arguments = (words[2], words[3:]) if words[1] == "-m" else (words[1].removesuffix(".py"), words[2:])
    if module in OTHERS:
        return module
    script = importlib.import_module(PARSERS.get(module, module.replace("/", ".")))
    if not hasattr(script, "main"):  # a package
        script = importlib.import_module(f"{module}.__main__")
    if hasattr(script, "get_config"):
        script.get_config(script.parse_args(arguments))
    elif hasattr(script, "parse_args"):
        script.parse_args(arguments)
    else:
        owner = studies if module.startswith("studies.") else app.ArgumentParser
        with mock.patch.object(owner, "parse_args", parse_and_stop(owner.parse_args)), pytest.raises(Parsed):
            script.main(arguments)
    return module


def test_there_are_commands_of_each_script():
    assert len(COMMANDS) >= 80
    assert set(SCRIPTS) <= set(map(parse, COMMANDS))


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_taken(command):
    parse(command)


@pytest.mark.parametrize("name", RUNS)
def test_a_recorded_run_s_command_is_taken(name):
    parse(f"python {RUNS[name]} --save_path=runs/{name}")


def test_a_wrong_command_is_not_taken():
    with pytest.raises(SystemExit):
        parse("python ptb_word_lm.py --hidden=3")


def slug(heading):
    """The name that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_pictures_lead_to_files(path):
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target, place in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", prose):
        file = (path.parent / target).resolve() if target else path
        assert file.exists() and file.is_relative_to(ROOT), target
        if place:
            headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert place in map(slug, headings), place


@pytest.mark.parametrize("path", results.documents())
def test_tables_are_what_the_runs_say(path):
    written, rendered = results.rendered(path)
    assert written == rendered, "python -m results writes the tables"


def test_a_table_that_is_not_what_the_runs_say_is_found(tmp_path, monkeypatch, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (tmp_path / "README.md").write_text(text.replace("| 114.18 |", "| 104.18 |"), encoding="utf-8")
    monkeypatch.setattr(results, "documents", lambda: [str(tmp_path / "README.md")])
    with pytest.raises(SystemExit) as end:
        results.main(["--check"])
    assert end.value.code == 1 and "python -m results" in capsys.readouterr().err


def test_a_run_that_is_not_listed_is_refused():
    with pytest.raises(UserError, match="there is no run ptb_smal: choose among ptb_small, "):
        record.parse_args(["ptb_smal", "--runs=runs"])


RECORD = """
import sys
from results import record
record.RUNS["short"] = "ptb_word_lm.py --config=test --set max_max_epoch=1000"
record.path_of = lambda name, extension: f"{sys.argv[1]}/{name}.{extension}"
record.machines = dict
record.main(["short", f"--runs={sys.argv[1]}/runs"])
"""


@pytest.mark.slow
def test_what_a_stopped_run_has_reached_is_kept(tmp_path):
    command = [sys.executable, "-c", RECORD, str(tmp_path)]
    sample = {**os.environ, "RNN_DATA_DIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=sample, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("Epoch: 2 "):
                process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    records = [json.loads(line) for line in (tmp_path / "short.jsonl").read_text().splitlines()]
    assert [record["epoch"] for record in records][:1] == [1] and len(records) < 1000
    log = (tmp_path / "short.log").read_text()
    assert "Epoch: 1 Valid Perplexity: " in log and re.search(r"^Stopped in .*: saved in ", log, re.MULTILINE)
    assert [*json.loads((tmp_path / "machines.json").read_text())] == ["short"]


def test_a_stopped_run_is_a_row_without_its_test(monkeypatch):
    records = results.records_of("ptb_small")[:5]
    monkeypatch.setattr(results, "records_of", lambda name: records)
    label, train, valid, test, *_ = results.ptb_row("short", "ptb_small", ".")
    assert label == "short, stopped after epoch 5" and test == ""
    assert [train, valid] == [f"{records[-1][name]:.2f}" for name in ("train_perplexity", "valid_perplexity")]


def numbers_of(log):
    """The results in a log, as a table that is written by hand has them."""
    yield from re.findall(r"^ +\d+ +(0\.\d{4})  ", log, re.MULTILINE)
    epochs = re.findall(r"^Epoch \d+ Loss (\S+) \(.*loss (\S+) \((\S+) bits", log, re.MULTILINE)
    yield from epochs[-1] if epochs else ()


def test_rows_written_by_hand_are_those_of_the_logs():
    rows = []
    for path in DOCUMENTS:
        text = results.TABLE.sub("", path.read_text(encoding="utf-8"))
        for row in re.findall(r"^\|.*\.log\) \|$", text, re.MULTILINE):
            log = (path.parent / re.search(r"\(([^()]*\.log)\)", row)[1]).read_text(encoding="utf-8")
            numbers = list(numbers_of(log))
            assert numbers, row
            for number in numbers:
                assert f" {number} " in row, (number, row)
            rows.append(row)
    assert len(rows) >= 4


@pytest.mark.parametrize("name", ["README.md", "docs/tutorials.md"])
def test_what_is_said_of_the_sample_is_in_its_log(name):
    lines = (ROOT / "results" / "sample_small.log").read_text(encoding="utf-8").splitlines()
    printed = re.findall(
        r"^(?:Epoch: 13|Test Perplexity|On this corpus).*$", (ROOT / name).read_text("utf-8"), re.MULTILINE
    )
    assert len(printed) >= 2 and set(printed) <= set(lines)


def test_the_version_stands_in_one_place(capsys):
    for script in SCRIPTS:
        with pytest.raises(SystemExit) as end:
            importlib.import_module(script).parse_args(["--version"])
        assert not end.value.code and capsys.readouterr().out == f"{script}.py {VERSION}\n"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == VERSION
    assert f"\n## {VERSION} ({citation['date-released']})\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_workflow_calls_what_ci_calls():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["tests"]
    assert job["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12", "3.13"]
    assert job["steps"][-1]["run"] == ".ci/run"


def parts_of(name):
    """A README's sections, without the tables' rows."""
    return re.split(r"^(?=## )", results.TABLE.sub("", (ROOT / name).read_text(encoding="utf-8")), flags=re.MULTILINE)


def test_the_translation_is_of_this_text():
    """Each section of README.zh-CN.md has before it the first digits of the SHA-256 of what it translates."""
    translation = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    found = re.findall(r"^<!-- source: (\w+) -->\n#+ (.*)$", translation, re.MULTILINE)
    sections = parts_of("README.md")
    assert len(found) == len(sections)
    for (digits, heading), section in zip(found, sections):
        expected = hashlib.sha256(section.encode()).hexdigest()[:12]
        assert digits == expected, f"README.md has changed: translate {section.splitlines()[0]!r} ({heading})"


def test_the_translation_has_the_same_tables_and_blocks():
    documents = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]
    for pattern in (re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL), results.TABLE):
        ours, translated = ([match[0] for match in pattern.finditer(text)] for text in documents)
        assert ours == translated
