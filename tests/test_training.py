"""`Run`: what is yielded, saved, recorded and said, around a network that only counts its steps."""

import argparse
import json
import os
import shutil
import signal

import numpy as np
import pytest

import configs
import ptb_word_lm
from tf1 import app, checkpoints, tf
from tf1.metrics import Metrics
from tf1.training import Position, Run, with_rewrites

EPOCH_SIZE = 10


class Counter:
    """A run over epochs of EPOCH_SIZE steps, each of which adds 1 to a weight and, times the step, to the state."""

    def __init__(self, save_path=None, save_every=None, name="counter", init_from=None, **arguments):
        self.args = argparse.Namespace(save_path=save_path, save_every=save_every, init_from=init_from)
        self.name, self.arguments = name, arguments
        self.seen = []  # epoch and step

    def train(self, n_epochs=3, stop_at=None, pieces=1):
        with tf.Graph().as_default():
            tf.get_variable("w", [], initializer=tf.zeros_initializer())
            w = tf.trainable_variables()[0]
            global_step = tf.train.get_or_create_global_step()
            update = tf.group(tf.assign_add(w, 1.0), tf.assign_add(global_step, 1))
            start = {"loss": 0.0, "state": np.zeros([2], np.float32)}
            with Run(self.args, {"script": self.name, "config": {}}, EPOCH_SIZE, **start, **self.arguments) as run:
                if run.position.epoch > n_epochs:
                    run.say_finished()
                for epoch in range(run.position.epoch, n_epochs + 1):
                    for begin, end in run.pieces(pieces):
                        for step in range(begin, end):
                            run.session.run(update)
                            self.seen.append((epoch, step))
                        position = run.position
                        position.step, position.loss, position.state = end, position.loss + end, position.state + end
                        if self.seen[-1] == stop_at:
                            os.kill(os.getpid(), signal.SIGTERM)
                    run.end_epoch(loss=run.position.loss, total=float(run.position.state[0]))
                for _ in run.watched(range(3)):
                    if stop_at == "after":
                        os.kill(os.getpid(), signal.SIGTERM)
                run.end(result=float(run.session.run(w)))
                self.run, self.w = run, run.session.run(w)
        return self


def metrics(save_path):
    lines = [json.loads(line) for line in open(os.path.join(save_path, "metrics.jsonl"))]
    return [{name: value for name, value in line.items() if name != "wall_s"} for line in lines]


def expected_metrics(n_epochs=3):
    records = [
        {"epoch": epoch, "step": epoch * EPOCH_SIZE, "loss": 55.0, "total": 55.0} for epoch in range(1, n_epochs + 1)
    ]
    return [*records, {"result": float(n_epochs * EPOCH_SIZE)}]


@pytest.fixture
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_whole_run(in_tmp_path):
    counter = Counter("run").train()
    assert counter.seen == [(epoch, step) for epoch in (1, 2, 3) for step in range(EPOCH_SIZE)]
    assert metrics("run") == expected_metrics() and counter.w == 30
    assert [record["epoch"] for record in counter.run.records] == [1, 2, 3]
    assert vars(counter.run.position).keys() == {"epoch", "step", "loss", "state"} and counter.run.position.epoch == 4


def test_a_run_without_a_folder_leaves_nothing(in_tmp_path):
    assert Counter().train().w == 30
    assert not os.listdir()


@pytest.mark.parametrize("save_every", [None, ("steps", 4), ("seconds", 1e-9)])
@pytest.mark.parametrize("stop_at", [(1, 0), (2, 5), (2, 9), (3, 9)])
def test_a_stopped_run_goes_on(in_tmp_path, capsys, stop_at, save_every):
    stopped = Counter("run", save_every)
    with pytest.raises(app.Interrupted) as stop:
        stopped.train(stop_at=stop_at)
    epoch, step = stop_at
    assert str(stop.value) == f"Stopped in epoch {epoch} at step {step + 1} of {EPOCH_SIZE}: saved in run"
    assert stop.value.status == 128 + signal.SIGTERM
    counter = Counter("run", save_every).train()
    assert "Going on from run/model-" in capsys.readouterr().out
    assert stopped.seen + counter.seen == [(epoch, step) for epoch in (1, 2, 3) for step in range(EPOCH_SIZE)]
    assert metrics("run") == expected_metrics() and counter.w == 30


def test_a_stop_after_the_last_step(in_tmp_path, capsys):
    with pytest.raises(app.Interrupted, match="Stopped after the last step: saved in run"):
        Counter("run").train(stop_at="after")
    counter = Counter("run").train()
    assert "The run in run is finished; its last lines again:\n" in capsys.readouterr().out
    assert not counter.seen and metrics("run") == expected_metrics()


@pytest.mark.parametrize("stop_at", [(3, 4), (3, 9)])
def test_fewer_epochs_than_a_stopped_run_has_begun_are_refused(in_tmp_path, stop_at):
    """Its weights are those of no epoch's end: what a finished run computes from its last ones would be wrong."""
    with pytest.raises(app.Interrupted):
        Counter("run").train(stop_at=stop_at)
    before = metrics("run")
    with pytest.raises(app.UserError, match=f"in epoch 3 at step {stop_at[1] + 1} of 10: give at least 3 epochs"):
        Counter("run").train(n_epochs=2)
    assert metrics("run") == before and Counter("run").train().w == 30


def test_a_stop_while_pictures_are_drawn(in_tmp_path):
    args = argparse.Namespace(save_path="run", save_every=None, init_from=None)
    with tf.Graph().as_default():
        tf.train.get_or_create_global_step()
        tf.get_variable("w", [])
        with pytest.raises(app.Interrupted, match="Stopped after the last step: saved in run") as stop:
            with Run(args, {"script": "counter"}, EPOCH_SIZE):
                os.kill(os.getpid(), signal.SIGTERM)
    assert stop.value.status == 128 + signal.SIGTERM


def test_a_run_that_began_from_another_goes_on_where_both_were_moved(in_tmp_path):
    Counter("old/source").train()
    with pytest.raises(app.Interrupted):
        Counter("old/run", init_from="old/source").train(stop_at=(2, 5))
    os.rename("old", "new")
    with pytest.raises(app.Interrupted):  # the same from the run's folder
        Counter("new/run", init_from="new/source").train(stop_at=(3, 5))
    os.rename("new/run", "run")
    assert Counter("run", init_from="new/source").train().w == 60  # the same as the last time
    os.makedirs("other/source")
    with pytest.raises(app.UserError, match="holds a run with init_from /.*/new/source, now /.*/other/source: give"):
        Counter("run", init_from="other/source").train()


def test_a_folder_that_vanishes_is_one_line(in_tmp_path):
    args = argparse.Namespace(save_path="new/run", save_every=None, init_from=None)
    with pytest.raises(app.UserError, match="no checkpoint can be saved in new/run"):
        with tf.Graph().as_default():
            tf.train.get_or_create_global_step()
            tf.get_variable("w", [])
            with Run(args, {"script": "counter"}, EPOCH_SIZE) as run:
                shutil.rmtree("new")
                run.save()


def test_metrics_that_cannot_be_read_are_one_line(in_tmp_path):
    os.makedirs("run/metrics.jsonl")
    with pytest.raises(app.UserError, match="run/metrics.jsonl cannot be read: Is a directory"):
        Counter("run").train()


def test_a_current_folder_that_was_deleted_is_one_line(in_tmp_path, monkeypatch):
    os.mkdir("gone")
    monkeypatch.chdir("gone")
    os.rmdir("../gone")
    with pytest.raises(app.UserError, match="the current folder has been deleted: change to another one"):
        checkpoints.check_flags(argparse.Namespace(save_path="run", save_every=None, init_from=None))


def test_a_stop_without_a_folder():
    with pytest.raises(
        app.Interrupted, match="Stopped in epoch 1 at step 3 of 10: without --save_path nothing is saved"
    ):
        Counter().train(stop_at=(1, 2))


def test_pieces_end_where_a_checkpoint_is_due(in_tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(Run, "save", lambda self, *_: saved.append((self.position.epoch, self.position.step)))
    Counter("run", ("steps", 4)).train(n_epochs=1, pieces=100)
    assert saved[:1] == [(1, 4)]
    assert Counter().train(n_epochs=1, pieces=3).w == 10


def test_a_broken_pipe_saves_what_is_computed(in_tmp_path):
    counter = Counter("run")
    with pytest.raises(BrokenPipeError), tf.Graph().as_default():
        tf.get_variable("w", [])
        tf.train.get_or_create_global_step()
        with Run(counter.args, {}, EPOCH_SIZE) as run:
            for step in run.steps():
                run.position.step = step + 1
                if step == 4:
                    raise BrokenPipeError
    assert [name for name in os.listdir("run") if name.endswith(".index")]


def test_curves_come_from_the_position(in_tmp_path):
    Counter("run", curves=("loss",)).train(n_epochs=1)
    (events,) = (name for name in os.listdir("run") if "tfevents" in name)
    losses = [
        (event.step, value.simple_value)
        for event in tf.train.summary_iterator(os.path.join("run", events))
        for value in event.summary.value
        if value.tag == "loss"
    ]
    assert losses == [(n, n * (n + 1) / 2) for n in range(1, 11)]


def test_whether_values_are_recorded(in_tmp_path):
    numbers = Metrics(".", 0)
    assert not numbers.has("first")
    numbers.write([{"epoch": 1}, {"first": 1.0, "second": 2.0}])
    assert numbers.has("first", "second") and not numbers.has("first", "third")


def test_lines_that_a_kill_has_kept_from_the_file_are_written(in_tmp_path):
    Counter("run").train()
    os.remove("run/metrics.jsonl")
    Counter("run").train()
    assert metrics("run") == expected_metrics()


def test_another_identity_is_refused(in_tmp_path):
    Counter("run").train(n_epochs=1)
    with pytest.raises(app.UserError, match="holds a run of counter.py: use that script"):
        Counter("run", name="other").train()


def test_a_position_has_its_values():
    assert vars(Position(costs=1.5)) == {"epoch": 1, "step": 0, "costs": 1.5}


@pytest.mark.slow
def test_the_gradients_of_many_steps_add_up_in_one_order():
    """TensorFlow's memory optimizer adds gradients as they come, from a size on that the medium model has."""
    config = configs.MediumConfig()
    config.hidden_size = 300
    data = np.random.RandomState(0).randint(10_000, size=2_000)
    with tf.Graph().as_default(), tf.Session(config=with_rewrites()) as session:
        tf.set_random_seed(1)
        with tf.variable_scope("Model", initializer=tf.random_uniform_initializer(-0.05, 0.05)):
            model = ptb_word_lm.PTBModel(True, config, ptb_word_lm.PTBInput(config, data), "basic")
        session.run(tf.global_variables_initializer())
        gradients = tf.gradients(model.cost, tf.trainable_variables())
        fetches = [tf.global_norm(gradients), *gradients[1:]]  # the first is the embedding's, of rows
        feed = {model.input.input_data: data[:700].reshape(20, 35), model.input.targets: data[1:701].reshape(20, 35)}
        found = {b"".join(value.tobytes() for value in session.run(fetches, feed)) for _ in range(15)}
    assert len(found) == 1
