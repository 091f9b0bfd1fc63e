"""The README: its commands are taken, its links lead somewhere, its results are in the logs."""

import importlib
import re
import shlex

import pytest

from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line.partition("#")[0].split("&&")[-1].strip()
    for block in BLOCKS
    for line in block.splitlines()
    if re.match(r"(\w+=\S+ )*python3? ", line)
]


def test_there_are_commands():
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_taken(command):
    words = [word for word in shlex.split(command) if not re.fullmatch(r"[A-Z_]+=\S+", word)]
    module, arguments = (words[2], words[3:]) if words[1] == "-m" else (words[1].removesuffix(".py"), words[2:])
    script = importlib.import_module(
        {"tf1.cluster": "tf1.launcher", "tf1": "tf1.__main__"}.get(module, module)
    )  # the one calls the other
    args = script.parse_args(arguments)
    if hasattr(script, "get_config"):
        script.get_config(args)


def test_links_lead_to_files():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def numbers_of(log):
    """The results in a run's log, as the tables have them."""
    for split in "Train", "Valid", "Test":
        yield from re.findall(rf"{split} Perplexity: ([\d.]+)", log)[-1:]
    yield from (text.lstrip("0") for text in re.findall(r"Test accuracy: ([\d.]+)", log)[-1:])
    yield from (f"{float(text):.6f}" for text in re.findall(r"^(?:0|100|1400) \tMSE: ([\d.]+)", log, re.MULTILINE))
    yield from (f"{float(text):.1f}" for text in re.findall(r"^0 Training MSE: ([\d.]+)", log, re.MULTILINE))
    yield from re.findall(r"^ +\d+ +(0\.\d{4})  ", log, re.MULTILINE)
    epochs = re.findall(r"^Epoch \d+ Loss (\S+) \(.*loss (\S+) \((\S+) bits", log, re.MULTILINE)
    yield from epochs[-1] if epochs else ()


def test_results_are_those_of_the_logs():
    rows = re.findall(r"^\|.*\.log\).*$", README, re.MULTILINE)
    assert len(rows) >= 11
    for row in rows:
        log = (ROOT / re.search(r"\((results/[\w.]+\.log)\)", row)[1]).read_text()
        numbers = list(numbers_of(log))
        assert numbers, row
        for number in numbers:
            assert re.search(rf" {re.escape(number)}[ ,]", row), (number, row)
