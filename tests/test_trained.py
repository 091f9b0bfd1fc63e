"""What is done with a trained network: the words it writes and predicts, the scores, the SavedModel, bad input."""

import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

import binary_echo
import char_gru
import ptb_word_lm
import reader
import rnn_basics
from conftest import ROOT, slow
from tf1 import app, export, pack, tf

SENTENCES = "the cat sat\nthe dog <unk> on the mat\na cat and a dog ran\n"
TEXT = "the cat sat on the mat\na dog ran and the cat <unk>\nthe dog sat\n" * 30
PTB = ["--config=test", "--set", "batch_size=4", "--set", "max_max_epoch=3", "--set", "hidden_size=12", "--seed=3"]
CHARACTERS = ["--config=test", "--set", "batch_size=4", "--set", "max_length=10", "--set", "hidden_units=12"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with networks that were trained in it, `ptb` and `char`, and what they printed; `damaged` is none."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "corpus").mkdir()
    for split in "train", "valid", "test":
        (folder / "corpus" / f"ptb.{split}.txt").write_text(TEXT)
    (folder / "book.txt").write_text(TEXT)
    (folder / "sentences.txt").write_text(SENTENCES)
    (folder / "empty.txt").write_text("")
    (folder / "latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    os.mkdir(folder / "empty")
    os.mkdir(folder / "exists")
    results = {"printed": io.StringIO()}
    with contextlib.redirect_stdout(results["printed"]):
        data = [f"--data_path={folder / 'corpus'}", "--vocab_size=15"]
        results["ptb"] = ptb_word_lm.main([*PTB, *data, f"--save_path={folder / 'ptb'}"])
        data = [f"--data_path={folder / 'book.txt'}"]
        results["char"] = char_gru.main([*CHARACTERS, *data, f"--save_path={folder / 'char'}"])
    shutil.copytree(folder / "ptb", folder / "damaged")
    for name in os.listdir(folder / "damaged"):
        if name.startswith("model-"):
            (folder / "damaged" / name).write_bytes(b"damaged")
    return folder, results


@pytest.fixture
def networks(folder, monkeypatch):
    """The same folder as the current one; the results of the trainings by the folders' names."""
    monkeypatch.chdir(folder[0])
    return folder[1]


@pytest.mark.parametrize("script, name", [(ptb_word_lm, "ptb"), (char_gru, "char")])
def test_a_text_is_what_is_printed_and_the_seed_decides(networks, capsys, script, name):
    arguments = ["--generate=300", f"--save_path={name}", "--start_string=the"]
    text = script.main(arguments)["text"]
    assert capsys.readouterr() == (text if text.endswith("\n") else f"{text}\n", "")
    of_training = ["--data_path=corpus", *(["--vocab_size=0"] if name == "ptb" else [])]
    assert text.startswith("the") and script.main([*arguments, *of_training])["text"] == text
    assert script.main([*arguments, "--seed=7"])["text"] != text
    assert script.main([*arguments, "--top_k=1"]) == script.main([*arguments, "--temperature=0", "--seed=8"])
    if name == "ptb":
        words = text.replace("\n", " <eos> ").split()
        assert len(words) in (301, 302) and "<unk>" in words and " \n" not in text and "\n " not in text
        assert "<unk>" not in script.main([*arguments, "--no_unk"])["text"]
        assert "<eos>" not in text
    else:
        assert len(text) == 303


def test_the_sample_is_that_of_the_network_after_the_last_epoch(networks):
    output = networks["printed"].getvalue()
    assert output.count("Sample:\n") == 3 + 2
    text = ptb_word_lm.main(["--generate=50", "--save_path=ptb", "--seed=3"])["text"]
    assert f"Valid Perplexity: {networks['ptb']['valid_perplexity'][-1]:.3f}\nSample:\n{text}" in output


@pytest.mark.parametrize("script, name", [(ptb_word_lm, "ptb"), (char_gru, "char")])
def test_what_may_follow(networks, capsys, script, name):
    found = script.main(["--next_word=the cat", f"--save_path={name}", "--top_k=100"])["next"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("probability  ") and len(lines) == len(found) + 1
    assert sum(probability for _, probability in found) == pytest.approx(1, abs=1e-5)
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
    assert len({item for item, _ in found}) == len(found)  # all of the vocabulary, and none of what it does not fill
    few = script.main(["--next_word=the cat", f"--save_path={name}"])["next"]
    assert few == found[:10]
    # The next one is drawn with these probabilities.
    best, _ = found[0]
    text = script.main(["--generate=1", f"--save_path={name}", "--start_string=the cat", "--temperature=0"])["text"]
    assert text == "the cat" + {"ptb": "\n" if best == "<eos>" else f" {best}", "char": best}[name]
    if name == "ptb":
        without = script.main(["--next_word=the cat", f"--save_path={name}", "--top_k=100", "--no_unk"])["next"]
        assert len(without) == len(found) - 1 and sum(p for _, p in without) == pytest.approx(1, abs=1e-5)


def test_the_test_sets_score_is_the_runs_test_perplexity(networks, capsys):
    found = ptb_word_lm.main(["--score=corpus/ptb.test.txt", "--save_path=ptb"])
    assert found["perplexity"] == networks["ptb"]["test_perplexity"]
    assert f"Perplexity: {found['perplexity']:.3f}" in capsys.readouterr().out
    assert found["words"] == len(TEXT.split()) - 1 and found["unknown"] == 0


def test_characters_are_scored_in_bits(networks, capsys):
    found = char_gru.main(["--score=book.txt", "--save_path=char", "--verbose"])
    assert found["nats"] == pytest.approx(np.log(found["perplexity"]))
    assert f"{found['nats'] / np.log(2):.4f} bits a character" in capsys.readouterr().out
    assert sum(sentence["characters"] + 1 for sentence in found["sentences"]) == len(TEXT) - 1
    assert "".join(f"{sentence['text']}\n" for sentence in found["sentences"]) == TEXT


@pytest.mark.parametrize("script, name", [(ptb_word_lm, "ptb"), (char_gru, "char")])
def test_sentences_alone_are_what_each_gets_by_itself(networks, tmp_path, capsys, script, name):
    together = script.main(["--score=sentences.txt", f"--save_path={name}", "--each_alone", "--verbose"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("  ")[2] for line in lines[1:4]] == SENTENCES.splitlines()
    for sentence, text, line in zip(together["sentences"], SENTENCES.splitlines(), lines[1:]):
        # A stream whose first item, which is not counted, is the end of a sentence.
        (tmp_path / "one.txt").write_text(f"\n{text}\n")
        one = script.main([f"--score={tmp_path}/one.txt", f"--save_path={name}"])
        assert one["log_probability"] == pytest.approx(sentence["log_probability"], rel=1e-5)
        shown = [float(number) for number in line.split()[:2]]
        assert shown == pytest.approx([one["log_probability"], one["log_probability"] / np.log(10)], abs=1e-3)
        assert sentence["text"] == text
    assert together["log_probability"] == pytest.approx(sum(s["log_probability"] for s in together["sentences"]))


@pytest.mark.slow
def test_many_sentences_of_all_lengths(networks, tmp_path):
    random = np.random.RandomState(1)
    sentences = [" ".join(random.choice(TEXT.split(), length)) for length in [*range(40), 0, 0, 1, 200]]
    alone = []
    for chosen in sentences[::-1], sentences:
        (tmp_path / "text.txt").write_text("".join(f"{sentence}\n" for sentence in chosen))
        found = ptb_word_lm.main([f"--score={tmp_path}/text.txt", "--save_path=ptb", "--each_alone", "--verbose"])
        assert [sentence["text"] for sentence in found["sentences"]] == chosen
        alone.append({s["text"]: s["log_probability"] for s in found["sentences"]})
    assert alone[0] == pytest.approx(alone[1], rel=1e-5)
    (tmp_path / "one.txt").write_text(sentences[7])
    one = ptb_word_lm.main([f"--score={tmp_path}/one.txt", "--save_path=ptb", "--each_alone"])
    assert one["log_probability"] == pytest.approx(alone[0][sentences[7]], rel=1e-5)
    assert one["words"] == 7


def test_unknown_words_are_counted_or_refused(networks, tmp_path, capsys):
    (tmp_path / "text.txt").write_text("the zebra sat on a quagga\n")
    found = ptb_word_lm.main([f"--score={tmp_path}/text.txt", "--save_path=ptb", "--verbose"])
    assert found["unknown"] == 2 and found["sentences"][0]["unknown"] == 2
    (tmp_path / "mapped.txt").write_text("the <unk> sat on a <unk>\n")
    mapped = ptb_word_lm.main([f"--score={tmp_path}/mapped.txt", "--save_path=ptb"])
    assert mapped["log_probability"] == found["log_probability"] and mapped["unknown"] == 0
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_:
        char_gru.main([f"--score={tmp_path}/text.txt", "--save_path=char"])
    error = capsys.readouterr().err
    assert exit_.value.code == 2 and error.count("\n") == 1 and "has 'b', 'q', 'z', which the network's" in error, error
    words = reader.Vocabulary("words", ["the", "sat", "on", "a", "<eos>"])
    with pytest.raises(
        app.UserError, match="has 'quagga', 'zebra', which the network's vocabulary lacks, as it lacks <un"
    ):
        reader.text_ids(f"{tmp_path}/text.txt", words)


def test_the_standard_input_is_scored(networks):
    command = [sys.executable, str(ROOT / "ptb_word_lm.py"), "--score=-", "--save_path=ptb"]
    text = SENTENCES.replace("\n", "\r\n")
    process = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
    assert process.returncode == 0
    assert process.stderr == "the standard input: 3 ends of lines other than \\n (such as \\r\\n) are read as \\n\n"
    expected = ptb_word_lm.main(["--score=sentences.txt", "--save_path=ptb"])
    assert f"Perplexity: {expected['perplexity']:.3f}" in process.stdout
    process = subprocess.run(command, input="", capture_output=True, text=True, timeout=120)
    assert process.returncode == 2
    assert process.stderr == "ptb_word_lm.py: error: the standard input is empty: it must hold text\n"


def load_elsewhere(code, *arguments):
    """Runs the code with TensorFlow 2 alone: in a process that does not know this project; returns what it prints."""
    code = f"import sys, json, numpy as np, tensorflow as tf\nfolder = sys.argv[1]\n{code}"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-I", "-W", "ignore", "-c", code, *arguments]
    process = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    assert "WARNING:tensorflow" not in process.stderr, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


READ_TEXT = """
signatures = tf.saved_model.load(folder).signatures
text = sys.argv[2]
ids = signatures["encode"](text=tf.constant(text))["ids"]
items = signatures["decode"](ids=ids)["items"].numpy()
zero_state = state = signatures["zero_state"](batch_size=tf.constant(2))["initial_state"]
for index in ids:
    step = signatures["step"](ids=tf.stack([index, index]), initial_state=state)
    state = step["final_state"]
sequence = signatures["sequence"](ids=tf.stack([ids, ids]), initial_state=zero_state)
default = signatures["serving_default"](ids=tf.stack([ids, ids]), initial_state=zero_state)
assert np.allclose(sequence["final_state"], state, atol=1e-6) and np.allclose(default["logits"], sequence["logits"])
assert np.allclose(sequence["logits"][:, -1], step["logits"], atol=1e-5)
converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["step"])
runner = tf.lite.Interpreter(model_content=converter.convert()).get_signature_runner("step")
lite_state = zero_state.numpy()[..., :1, :]
for index in ids.numpy():
    lite = runner(ids=np.array([index]), initial_state=lite_state)
    lite_state = lite["final_state"]
assert np.allclose(lite["logits"], step["logits"][:1], atol=1e-5)
names = [op.type for op in signatures["step"].graph.get_operations()]
print(json.dumps({"items": [item.decode() for item in items], "next": step["probabilities"][0].numpy().tolist(),
                  "ops": names}))
"""


@pytest.mark.parametrize(
    "script, name, text", [(ptb_word_lm, "ptb", "\x85\ufeffthe\u00a0cat"), slow(char_gru, "char", "a\u2028c\u200bat <")]
)
def test_an_export_is_read_without_this_project(networks, tmp_path, capfd, script, name, text):
    script.main([f"--save_path={name}", f"--export_dir={tmp_path}/served"])
    output, error = capfd.readouterr()
    assert error == "" and output.startswith(f"Exported to {tmp_path}/served: ")
    assert os.listdir(tmp_path / "served" / "assets") == [{"ptb": "words.txt", "char": "characters.txt"}[name]]
    assert os.listdir(tmp_path) == ["served"]
    found = load_elsewhere(READ_TEXT, f"{tmp_path}/served", text)
    assert found["items"] == (["<eos>", "the", "cat"] if name == "ptb" else list("a\ncat <"))
    assert not {"XlaLaunch", "StatefulPartitionedCall", "VariableV2"} & set(found["ops"])
    shown = "the cat" if name == "ptb" else "a\ncat <"
    expected = script.main([f"--next_word={shown}", f"--save_path={name}", "--top_k=100"])["next"]
    probabilities = np.array(found["next"])[: len(expected)]  # others are of ids that stand for no word
    probabilities = sorted(probabilities / probabilities.sum(), reverse=True)
    assert probabilities == pytest.approx([probability for _, probability in expected], abs=1e-6)


READ_IMAGES = """
signatures = tf.saved_model.load(folder).signatures
X = np.random.RandomState(1).rand(3, 28, 28).astype(np.float32)
images = signatures["images"](X=tf.constant(X))
state = signatures["zero_state"](batch_size=tf.constant(3))["initial_state"]
for row in range(28):
    step = signatures["step"](X=tf.constant(X[:, row]), initial_state=state)
    state = step["final_state"]
assert np.allclose(images["logits"], step["logits"], atol=1e-5)
converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["step"])
runner = tf.lite.Interpreter(model_content=converter.convert()).get_signature_runner("step")
lite_state = np.zeros([state.shape[0], 1, state.shape[2]], np.float32)
for row in range(28):
    lite = runner(X=X[:1, row], initial_state=lite_state)
    lite_state = lite["final_state"]
assert np.allclose(lite["logits"], images["logits"][:1], atol=1e-5)
print(json.dumps({"labels": images["labels"].numpy().tolist(), "logits": images["logits"].numpy().tolist()}))
"""


@pytest.mark.slow
def test_an_exported_image_model(tmp_path, monkeypatch, images):
    monkeypatch.chdir(tmp_path)
    arguments = ["--section=mnist", "--model=lstm", "--config=test", "--set", "batch_size=10", "--save_path=run"]
    rnn_basics.main([*arguments, f"--data_path={images()}"])
    rnn_basics.main(["--section=mnist", "--save_path=run", "--export_dir=served"])
    found = load_elsewhere(READ_IMAGES, f"{tmp_path}/served")
    X = np.random.RandomState(1).rand(3, 28, 28).astype(np.float32)
    config = rnn_basics.get_config(rnn_basics.parse_args(arguments))
    with tf.Graph().as_default(), tf.Session() as session:
        model = rnn_basics.MNISTModel(config, "lstm", is_training=False)
        tf.train.Saver(tf.trainable_variables()).restore(session, tf.train.latest_checkpoint("run"))
        logits, predictions = session.run([model.logits, model.predictions], {model.X: X})
    assert found["labels"] == predictions.tolist()
    np.testing.assert_allclose(found["logits"], logits, atol=1e-5)


BAD = [
    (["--generate=5"], "--generate goes with --save_path: name the folder of a trained network"),
    (["--save_path=empty", "--score=book.txt"], "--save_path=empty holds no checkpoint: train first"),
    (["--save_path=nowhere", "--next_word=the"], "--save_path=nowhere holds no checkpoint: train first"),
    (["--save_path=damaged", "--generate=5"], "no checkpoint in --save_path=damaged can be read"),
    (["--save_path=char", "--generate=5"], "--save_path=char holds a run of char_gru.py: use that script"),
    (["--save_path=ptb", "--set", "hidden_size=13", "--generate=5"], "config hidden_size 12, now 13"),
    (["--save_path=ptb", "--generate=5", "--score=book.txt"], "are two things to do"),
    (["--save_path=ptb", "--generate=5", "--verbose"], "--verbose does not go with --generate: leave it out"),
    (["--save_path=ptb", "--score=book.txt", "--top_k=3"], "--top_k does not go with --score: leave it out"),
    (["--save_path=ptb", "--verbose"], "--verbose goes with --score"),
    (
        ["--save_path=ptb", "--generate=5", "--start_string=the zebra"],
        "--start_string has 'zebra', which the network's vocabulary",
    ),
    (
        ["--save_path=ptb", "--generate=5", "--start_string= "],
        "--start_string is empty: give at least one of the words",
    ),
    (["--save_path=ptb", "--next_word=quagga"], "--next_word has 'quagga', which the network's vocabulary lacks"),
    (["--save_path=ptb", "--next_word="], "--next_word is empty"),
    (["--save_path=ptb", "--score=nowhere.txt"], "--score=nowhere.txt does not exist"),
    (["--save_path=ptb", "--score=empty.txt"], "empty.txt is empty: it must hold text"),
    (["--save_path=ptb", "--score=latin.txt"], "latin.txt is not UTF-8 text"),
    (["--save_path=ptb", "--score=corpus"], "corpus cannot be read: Is a directory"),
    (["--save_path=ptb", "--score="], "--score: the path is empty"),
    (["--save_path=ptb", "--export_dir=exists"], "--export_dir=exists exists: name a new folder"),
    (["--save_path=ptb", "--export_dir=book.txt"], "--export_dir=book.txt exists: name a new folder"),
    (["--save_path=ptb", "--export_dir=book.txt/served"], "--export_dir=book.txt/served cannot be made"),
    (["--save_path=ptb", "--generate=5", "--init_from=nowhere"], "--init_from=nowhere does not exist: correct it"),
    (["--save_path=ptb", "--temperature=-1", "--generate=5"], "--temperature: -1 is neither 0"),
    (["--save_path=ptb", "--generate=0"], "--generate: 0 is not in the range"),
]


@pytest.mark.parametrize(
    "arguments, message", BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_bad_input_is_one_line_and_writes_nothing(networks, capsys, arguments, message):
    before = sorted((path, os.stat(path).st_mtime_ns) for path in os.listdir())
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main(arguments)
    output, error = capsys.readouterr()
    assert exit_.value.code == 2 and error.count("\n") == 1 and message in error, error
    assert sorted((path, os.stat(path).st_mtime_ns) for path in os.listdir()) == before


def test_a_damaged_checkpoint_is_told_on_stderr_and_the_text_alone_is_on_stdout(networks, tmp_path, capsys):
    shutil.copytree("char", tmp_path / "char")
    arguments = ["--generate=20", f"--save_path={tmp_path}/char"]
    older, newest = sorted((tmp_path / "char").glob("model-*.index"))
    newest.write_bytes(b"")
    capsys.readouterr()
    written = char_gru.main(arguments)["text"]
    output, error = capsys.readouterr()
    assert output == f"{written}\n" and "is damaged and passed over: " in error and error.count("\n") == 1


@pytest.mark.slow
def test_what_is_packed_writes_and_scores_like_the_run(networks, tmp_path, capsys):
    """bf16 has three digits. What is packed is small, begins a new training, and does not go on as one."""
    packed = pack.main(["char", f"{tmp_path}/packed"])
    assert os.listdir(tmp_path) == ["packed"] and packed["bytes"] < 8000
    sums = (tmp_path / "packed" / "SHA256SUMS").read_text().splitlines()
    for line in sums:
        checksum, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "packed" / name).read_bytes()).hexdigest() == checksum
    assert len(sums) == len(os.listdir(tmp_path / "packed")) - 1
    scores = [char_gru.main(["--score=book.txt", f"--save_path={path}"]) for path in ("char", f"{tmp_path}/packed")]
    assert scores[0]["perplexity"] != scores[1]["perplexity"] == pytest.approx(scores[0]["perplexity"], rel=1e-2)
    capsys.readouterr()
    arguments = [*CHARACTERS, "--data_path=book.txt"]
    init_from = f"--init_from={tmp_path}/packed"
    there = sorted(os.listdir(tmp_path / "packed"))
    for flags, message in (
        ([f"--save_path={tmp_path}/packed"], "holds the weights of a network and no run that could go on"),
        ([f"--save_path={tmp_path}/a/b", init_from, "--set", "embedding_dim=3"], "the config that it was trained with"),
    ):
        with pytest.raises(SystemExit):
            char_gru.main([*arguments, *flags])
        assert message in capsys.readouterr().err
        assert os.listdir(tmp_path) == ["packed"] and sorted(os.listdir(tmp_path / "packed")) == there
    losses = char_gru.main([*arguments, f"--save_path={tmp_path}/new", init_from])["train_loss"]
    assert losses[0] < networks["char"]["train_loss"][1] + 0.05
    binary_echo.main(["--config=test", f"--save_path={tmp_path}/echo"])
    for run, folder, message in (
        ("char", f"{tmp_path}/packed", "exists"),
        ("empty", "new", "holds no checkpoint"),
        (f"{tmp_path}/echo", "new", "holds a run of binary_echo.py, and only language models can be packed"),
    ):
        with pytest.raises(SystemExit) as exit_:
            pack.main([run, folder])
        assert exit_.value.code == 2 and message in capsys.readouterr().err


@pytest.mark.parametrize("shift, message", [(1, "the vocabulary there is not the network's"), (2, "is damaged")])
def test_a_network_does_not_begin_with_another_ones_vocabulary(networks, tmp_path, capsys, shift, message):
    shutil.copytree("char", tmp_path / "other")
    with open(tmp_path / "other" / "vocabulary.json") as file:
        vocabulary = json.load(file)
    items = vocabulary["characters"]
    vocabulary["characters"] = items[1:] + items[:1] if shift == 1 else ["ab", *items[1:]]
    (tmp_path / "other" / "vocabulary.json").write_text(json.dumps(vocabulary))
    with pytest.raises(SystemExit) as exit_:
        char_gru.main([*CHARACTERS, "--data_path=book.txt", f"--init_from={tmp_path}/other"])
    assert exit_.value.code == 2 and message in capsys.readouterr().err


def test_the_best_epochs_weights_are_packed(networks, tmp_path):
    changes = ["--set", "patience=1", "--set", "n_epochs=3", "--set", "learning_rate=0.3"]
    char_gru.main([*CHARACTERS, *changes, "--data_path=book.txt", f"--save_path={tmp_path}/run"])
    pack.main([f"{tmp_path}/run", f"{tmp_path}/packed"])
    expected, found = (
        char_gru.main(["--next_word=the", f"--save_path={tmp_path}/{name}", "--top_k=100"])["next"]
        for name in ("run", "packed")
    )
    assert dict(found) == pytest.approx(dict(expected), abs=0.02)


def test_an_export_that_fails_leaves_nothing(networks, tmp_path, monkeypatch, capsys):
    def fail(*args, **kwargs):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device\nmore")

    monkeypatch.setattr(tf.saved_model.Builder, "save", fail)
    with pytest.raises(SystemExit) as exit_:
        ptb_word_lm.main(["--save_path=ptb", f"--export_dir={tmp_path}/served"])
    assert exit_.value.code == 1 and "cannot be written: No space left" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_a_folder_appears_when_all_of_it_is_there(tmp_path):
    with export.new_folder(str(tmp_path / "a" / "served"), "it") as folder:
        assert not (tmp_path / "a" / "served").exists()
        open(os.path.join(folder, "file"), "w").close()
    assert os.listdir(tmp_path / "a") == ["served"] and os.listdir(tmp_path / "a" / "served") == ["file"]
