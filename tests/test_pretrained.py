"""The trained network in the box: it is whole, it writes, and its validation loss is the README's."""

import hashlib
import math
import re

import pytest

import char_gru
from conftest import ROOT
from tf1 import checkpoints, modes

FOLDER = ROOT / "pretrained" / "shakespeare"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_is_whole_and_small():
    sums = dict(reversed(line.split("  ")) for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
    files = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.name != "SHA256SUMS"}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == sums
    assert sum(map(len, files.values())) <= 8e6


def test_it_writes(capsys):
    text = char_gru.main([f"--save_path={FOLDER}", "--generate=500", "--start_string=ROMEO:"])["text"]
    assert len(text) == len("ROMEO:") + 500 and text in capsys.readouterr().out
    # Of the letters' sequences between blanks most are English: a network that had not learned would write none.
    words = re.findall(r"[a-z]+", text.lower())
    common = {"the", "and", "to", "i", "of", "you", "my", "a", "that", "in", "is", "not", "me", "it", "be", "with"}
    assert sum(word in common for word in words) > len(words) / 10


def test_a_cpu_without_its_bf16_is_no_line_among_the_scores(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(modes, "_CPU_INFO", str(tmp_path / "nothing"))
    (tmp_path / "text.txt").write_text("To be\n")
    char_gru.main([f"--save_path={FOLDER}", f"--score={tmp_path}/text.txt", "--each_alone", "--verbose"])
    output = capsys.readouterr()
    assert output.out.splitlines()[0].endswith("text") and "no bf16 instructions" in output.err


@pytest.mark.slow
def test_its_validation_loss_is_the_readme_s(real_shakespeare, tmp_path):
    """Scored as one text: of the first characters each has fewer before it than in the run, and weights are bf16."""
    identity = checkpoints.find(str(FOLDER))[1]["identity"]
    part = identity["train_part"]
    text = (real_shakespeare / "shakespeare.txt").read_text(encoding="utf-8")
    (tmp_path / "validation.txt").write_text(text[int(len(text) * part) :], encoding="utf-8")
    scores = char_gru.main([f"--save_path={FOLDER}", f"--score={tmp_path}/validation.txt"])
    claimed = float(re.search(r"validation loss of (\d\.\d+)\s+nats", README)[1])
    assert math.log(scores["perplexity"]) == pytest.approx(claimed, abs=2e-3)
