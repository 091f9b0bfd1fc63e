"""What TensorBoard shows of a run, by TensorBoard's own reader: curves, the graph, samples as text, pictures."""

import json

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import ptb_word_lm

ARGUMENTS = ["--config=test", "--set", "batch_size=4", "--save_path=run"]
CURVES = {  # by their names, whether there is a point at the end of an epoch alone
    "loss": False,
    "gradient_norm": False,
    "words_per_second": False,
    "global_step/sec": False,
    "learning_rate": True,
    "train_perplexity": True,
    "valid_perplexity": True,
    "test_perplexity": True,
}


def read(folder):
    accumulator = EventAccumulator(folder, size_guidance={"images": 0, "tensors": 0, "scalars": 0})
    return accumulator.Reload()


def test_a_run(corpus, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = "a b c d e f \n" * 150
    arguments = [*ARGUMENTS, f"--data_path={corpus(text, text, text)}"]
    ptb_word_lm.main([*arguments, "--set", "max_max_epoch=1"])
    ptb_word_lm.main([*arguments, "--set", "max_max_epoch=2"])  # goes on, with a file of events of its own
    events, output = read("run"), capsys.readouterr().out
    assert set(CURVES) == set(events.Tags()["scalars"])
    records = [json.loads(line) for line in open("run/metrics.jsonl")]
    for name, is_of_epochs in CURVES.items():
        points = events.Scalars(name)
        steps = [point.step for point in points]
        assert steps == sorted(set(steps)), name
        if name == "test_perplexity":
            assert points[-1].value == pytest.approx(records[-1][name])
        elif is_of_epochs:
            assert steps == [record["step"] for record in records[:2]]
            assert [point.value for point in points] == pytest.approx([record[name] for record in records[:2]])
        else:
            assert len(points) > 10 and all(point.value > 0 for point in points)
    samples = [event.tensor_proto.string_val[0].decode() for event in events.Tensors("sample")]
    assert len(samples) == 2
    for sample in samples:  # indented, which is Markdown for "as it is"
        lines = sample.splitlines()
        assert all(line.startswith("    ") for line in lines)
        assert "Sample:\n" + "".join(f"{line[4:]}\n" for line in lines).rstrip("\n") in output
    pictures = events.Images("ptb_learning_curve")
    with open("run/ptb_learning_curve.png", "rb") as file:
        assert pictures[-1].encoded_image_string == file.read()
    assert {picture.step for picture in pictures} == {record["step"] for record in records[:2]}
    assert (pictures[-1].width, pictures[-1].height) == (960, 600)
    names = [node.name for node in events.Graph().node]
    for scope in "Train/Model", "Valid/Model", "Test/Model", "Train/TrainInput", "Model/embedding", "Model/RNN":
        assert any(name.startswith(f"{scope}/") or name == scope for name in names), scope
