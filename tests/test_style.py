"""What a reader may rely on: short functions, one place that imports TensorFlow, numbers that are read strictly."""

import ast
import re

import pytest

from conftest import ROOT

SCRIPTS = {  # the most lines of each
    "ptb_word_lm.py": 398,
    "rnn_basics.py": 496,
    "time_series.py": 380,
    "lstm_by_hand.py": 420,
    "binary_echo.py": 400,
    "char_gru.py": 445,
}
FOLDERS = (".", "tf1", "studies", "data", "benchmarks")
GRAMMARS = ("word_source", "play_source")  # of data/sample.py: a table each, in the form of functions
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py"))]
WHOLE_RUNS = ("main", "train", "mnist")  # functions that are a run from its start to its end
LINES, LINES_OF_A_RUN, ARGUMENTS = 80, 70, 14  # embedding_attention_decoder of TensorFlow 1.15 has them


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_fit_on_a_screen(path):
    for function in functions(path):
        if function.name in GRAMMARS:
            continue
        lines = function.end_lineno - function.lineno + 1
        limit = LINES_OF_A_RUN if path.name in SCRIPTS and function.name in WHOLE_RUNS else LINES
        assert lines <= limit, f"{function.name} has {lines} lines"
        arguments = function.args.args + function.args.kwonlyargs
        assert len(arguments) <= ARGUMENTS or path.name in OLD, function.name


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_as_short_as_their_tutorials_allow(script):
    lines = (ROOT / script).read_text(encoding="utf-8").count("\n")
    assert lines <= SCRIPTS[script]


@pytest.mark.parametrize("path", sorted((ROOT / "studies").glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_studies_have_their_question_and_their_command(path):
    text = path.read_text(encoding="utf-8")
    assert 40 <= text.count("\n") <= 200
    docstring = ast.get_docstring(ast.parse(text))
    assert "?" in docstring and f"python -m studies.{path.stem}" in docstring
    assert f"python -m studies.{path.stem}`" in (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")


def test_tensorflow_is_imported_in_one_place():
    for path in FILES:
        if path != ROOT / "tf1" / "__init__.py":
            found = re.search(r"^\s*(import|from) (tensorflow|tf_keras|keras)", path.read_text(encoding="utf-8"), re.M)
            assert not found, path


def test_no_source_is_cited_by_a_number_of_ours():
    for path in [*FILES, *ROOT.glob("*.md"), *(ROOT / "tests").glob("*.py")]:
        assert not re.search(r"\bseed 0\d\d\b", path.read_text(encoding="utf-8")), path


def test_numbers_of_flags_are_read_strictly():
    """int() takes 1_0 for 10: app.integer and app.number do not."""
    for path in FILES:
        assert not re.search(r"\btype=(int|float)\b", path.read_text(encoding="utf-8")), path


def test_every_function_has_a_caller():
    """A function that only tests call is dead; commands, and the tutorials' names that users call, are not."""
    uses = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                uses.add(node.attr)
            elif isinstance(node, ast.Name):
                uses.add(node.id)
    for path in FILES:
        for function in functions(path):
            if function.name.startswith(("__", "visit_")) or function.name in USERS or path.name in OLD:
                continue
            assert function.name in uses, f"{path.name}: {function.name}"


USERS = {"_read_words", "_file_to_word_ids", "train_network"}  # called by whoever knows the tutorials
USERS |= {"pytorch"}  # a side of a benchmark, called by its name
USERS |= {"create_module", "exec_module", "find_spec"}  # by Python's import
OLD = (
    "attention.py",
    "beam_search.py",
    "distributions.py",
    "estimator.py",
    "cells.py",
    "cells_of_papers.py",
    "contrib.py",
    "contrib_layers.py",
    "decoder_fn.py",
    "hparams.py",
    "legacy_seq2seq.py",
    "old.py",
    "seq2seq.py",
    "tutorials.py",
    "vocabulary_processor.py",
)  # what they have, old scripts call, with TensorFlow 1.15's arguments
