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
    script = importlib.import_module(module)
    args = script.parse_args(arguments)
    if hasattr(script, "get_config"):
        script.get_config(args)


def test_links_lead_to_files():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_results_are_those_of_the_logs():
    rows = re.findall(r"^\|.*\.log\).*$", README, re.MULTILINE)
    assert len(rows) >= 6
    for row in rows:
        log = (ROOT / re.search(r"\((results/[\w.]+\.log)\)", row)[1]).read_text()
        found = [re.findall(rf"{split} Perplexity: ([\d.]+)", log)[-1:] for split in ("Train", "Valid", "Test")]
        found.append([text.lstrip("0") for text in re.findall(r"Test accuracy: ([\d.]+)", log)[-1:]])
        values = [value for values in found for value in values]
        assert values, row
        for value in values:
            assert f" {value} " in row, (value, row)
