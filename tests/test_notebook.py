"""In a notebook: the quick start from its first cell to its last, and `main` as a function that is called again."""

import os
import re
import shutil

import nbformat
import pytest
from nbclient import NotebookClient

from conftest import ROOT

QUICKSTART = ROOT / "notebooks" / "quickstart.ipynb"


def environment(**changes):
    """Of a kernel as a user has it: ipykernel leaves file descriptors 1 and 2 alone where it sees pytest."""
    absent = ("RNN_DATA_DIR", "PYTHONPATH", "PYTEST_CURRENT_TEST")
    return {**{name: value for name, value in os.environ.items() if name not in absent}, **changes}


def written(outputs, name="stdout"):
    """The text that came on the stream."""
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == name)


def shown(text):
    """What a notebook shows of it: what follows a carriage return covers what stood there."""
    lines = []
    for line in text.split("\n"):
        visible = ""
        for piece in line.split("\r"):
            visible = piece + visible[len(piece) :]
        lines.append(visible.rstrip())
    return "\n".join(lines)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Executes code in a kernel that has imported `ptb_word_lm`, and returns the outputs, as a notebook keeps them."""
    folder = str(tmp_path_factory.mktemp("kernel"))
    notebook = nbformat.v4.new_notebook()
    resources = {"metadata": {"path": folder}}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True, resources=resources)

    def execute(code):
        notebook.cells.append(nbformat.v4.new_code_cell(code))
        return client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1).outputs

    with client.setup_kernel(env=environment(IPYTHONDIR=folder)):
        execute(f"import sys; sys.path.insert(0, {str(ROOT)!r})\nimport ptb_word_lm\nfrom tf1 import progress")
        yield execute


@pytest.fixture
def small(corpus):
    """The flags of a run of a second."""
    folder = corpus(*["a b c d e f \n" * 100] * 3)
    return ["--config=test", "--set", "batch_size=4", f"--data_path={folder}"]


def test_the_quick_start(tmp_path):
    """In a copy of the project, without outputs from before, and without data."""
    for folder in "tf1", "data":
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=lambda _, names: {n for n in names if n[-3:] != ".py"})
    for script in ROOT.glob("*.py"):
        shutil.copy(script, tmp_path)
    (tmp_path / "notebooks").mkdir()
    notebook = nbformat.read(QUICKSTART, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path / "notebooks")}})
    client.execute(env=environment(IPYTHONDIR=str(tmp_path / "ipython")))
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}

    assert not any(written(cell, "stderr") for cell in outputs.values())
    training = written(outputs["train"])
    assert re.search(r"\d+%\|█+.*\| \d+/\d+ \[.*step/s\]", training)
    lines = shown(training)
    assert "step/s" not in lines and len(re.findall(r"^0\.\d{3} perplexity: .* wps$", lines, re.MULTILINE)) == 30
    assert re.findall(r"^Epoch: (\d) Valid Perplexity: \d", lines, re.MULTILINE) == ["1", "2", "3"]
    assert float(re.search(r"^Test Perplexity: (.*)$", lines, re.MULTILINE)[1]) < 40
    assert [output.data.keys() >= {"image/png"} for output in outputs["curve"]] == [True]
    assert len(written(outputs["write"]).split()) > 50
    assert re.fullmatch(r"probability  word after 'the'\n( +0\.\d{6}  \w+\n){5}", written(outputs["next"]))
    forwards, backwards = map(float, re.findall(r"^Perplexity: (.*)$", shown(written(outputs["score"])), re.MULTILINE))
    assert 5 * forwards < backwards
    assert (tmp_path / "runs" / "quickstart" / "checkpoint").exists()


@pytest.mark.slow
def test_main_again_and_again(kernel, small, tmp_path):
    code = f"""
runs = [ptb_word_lm.main([*{small}, f"--save_path={tmp_path}/{{number}}"]) for number in range(2)]
runs[0] == runs[1], sorted(runs[0])
"""
    outputs = kernel(code)
    assert outputs[-1].data["text/plain"] == "(True, ['test_perplexity', 'train_perplexity', 'valid_perplexity'])"
    assert written(outputs).count("step/s") > 1 and not written(outputs, "stderr")
    first, second = shown(written(outputs)).split("Corpus:")[1:]
    pattern = r"speed: .*|Picture: .*"  # what differs from run to run
    assert re.sub(pattern, "", first).split() == re.sub(pattern, "", second).split()


@pytest.mark.parametrize(
    "flag, message",
    [
        ("--confi=test", "unrecognized arguments: --confi=test (see --help)"),
        ("--config=tiny", "--config=tiny is not known here: choose one of small, medium, large, test"),
    ],
)
def test_an_error_is_a_line_and_system_exit(kernel, flag, message):
    stream, result = kernel(
        f"try:\n    ptb_word_lm.main([{flag!r}])\nexcept SystemExit as end:\n    code = end.code\ncode"
    )
    assert (stream.name, stream.text) == ("stderr", f"ptb_word_lm.py: error: {message}\n")
    assert result.data["text/plain"] == "2"


def test_what_is_no_error_raises_nothing(kernel):
    outputs = kernel('ptb_word_lm.main(["--help"])')
    assert written(outputs).startswith("usage: ptb_word_lm.py") and {out.output_type for out in outputs} == {"stream"}


def test_no_flags_are_none_and_not_those_of_the_kernel(kernel):
    (result,) = kernel(
        "train, ptb_word_lm.train = ptb_word_lm.train, lambda args, config, cluster: (args.config, args.given)\n"
        "try:\n    result = ptb_word_lm.main()\nfinally:\n    ptb_word_lm.train = train\nresult"
    )
    assert result.data["text/plain"] == "('small', set())"
    outputs = kernel(f'%run {ROOT}/ptb_word_lm.py "--confi=test"')
    assert "unrecognized arguments: --confi=test (see" in written(outputs, "stderr")


@pytest.mark.parametrize("interrupts", [1, 2])
def test_an_interrupt_stops_the_cell_and_not_the_kernel(kernel, small, tmp_path, interrupts):
    """The first saves the run, the second does not wait for that; in a shell it would end the process."""
    command = f'ptb_word_lm.main([*{small}, "--save_path={tmp_path}/run"])'
    code = f"""
import signal
write = progress.write
def interrupt(line):
    write(line)
    for _ in range({interrupts}):
        signal.raise_signal(signal.SIGINT)
progress.write = interrupt
try:
    {command}
except SystemExit as end:
    code = end.code
finally:
    progress.write = write
code, signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""
    *streams, result = kernel(code)
    assert result.data["text/plain"] == "(130, True)"
    stopped = f"Stopped in epoch 1 at step 1 of 87: saved in {tmp_path}/run" if interrupts == 1 else "Stopped"
    assert shown(written(streams)).splitlines()[-1] == stopped
    if interrupts == 1:
        *streams, result = kernel(f'{command}["test_perplexity"] > 1')
        assert result.data["text/plain"] == "True"
        assert shown(written(streams)).splitlines()[1] == f"Going on from {tmp_path}/run/model-1"
        assert "0.000 perplexity" not in written(streams)


def test_the_bar_is_text_between_the_lines(kernel):
    code = """
with progress.bar(100_000) as steps:
    for step in range(100_000):
        steps.update()
        if step % 50_000 == 0:
            progress.write(f"line {step}")
print("end")
"""
    outputs = kernel(code)
    assert {(output.output_type, output.name) for output in outputs} == {("stream", "stdout")}
    assert shown(written(outputs)) == "line 0\nline 50000\nend\n"
    assert 2 <= written(outputs).count("step/s]") < 10
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    (result,) = kernel(
        f"import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as file:\n{lines}\nfile.getvalue()"
    )
    assert result.data["text/plain"] == repr("line 0\nline 50000\nend\n")
