"""A training that can be stopped between any two steps and goes on: what `tf.train.Supervisor` was to the tutorials."""

import contextlib
import os
import time
import types

import numpy as np

from tf1 import progress, tf
from tf1.app import Interrupted, StopRequest, UserError
from tf1.checkpoints import Checkpoints, find, load_weights
from tf1.cluster import Cluster
from tf1.metrics import Metrics
from tf1.modes import check_memory, choose_rnn_mode

_SPEED = "global_step/sec"  # the name that Supervisor gave it


class Position(types.SimpleNamespace):
    """The place in a run between two steps, and what the next step depends on beside the variables.

    Attributes:
      epoch: from 1 on; after the last one it is one more than there are.
      step: how many of the epoch's steps are done.
      others, as the script needs them: the sum of the costs so far, the RNN state, and their like.
    """

    def __init__(self, epoch=1, step=0, **values):
        super().__init__(epoch=epoch, step=step, **values)


def epoch_size_of(model):
    """The steps of an epoch of the model's batches, for `run_epoch`; UserError where it has none."""
    if getattr(model.input, "epoch_size", None) is None:
        raise UserError(f"the {type(model).__name__} has no batches to run over: give it an input with data")
    return model.input.epoch_size


def with_rewrites(session_config=None):
    """The session's configuration, or an equal one, with the rewriting of the graph that our graphs need.

    The gradients of many time steps add up in one order: to save memory TensorFlow would add them to a variable as they
    come, in another order in each run. And it optimizes once, not twice: the second time changed neither a printed
    digit nor the speed, and took a quarter of the start of two layers over 100 time steps.
    """
    config = tf.ConfigProto()
    if session_config:
        config.CopyFrom(session_config)
    options = config.graph_options.rewrite_options
    options.memory_optimization, options.meta_optimizer_iterations = options.NO_MEM_OPT, options.ONE
    return config


class Run(contextlib.AbstractContextManager):
    """A session that goes on from the newest checkpoint in --save_path, and saves, records and stops on request.

        with Run(args, identity, epoch_size, costs=0.0, state=zeros) as run:  # the graph is complete, and final now
            for epoch in range(run.position.epoch, n_epochs + 1):
                for step in run.steps():                # from run.position.step on
                    ... run.session.run(...) ...
                    run.position.step, run.position.state = step + 1, state
                run.end_epoch(loss=..., ...)            # a record, a checkpoint, and the position of a new epoch

    Where a run stopped after an epoch's last step, `steps` yields nothing, and what follows the loop is done again.

    Args:
      args: the parsed flags, of which `save_path`, `save_every` and `init_from` are used.
      identity: a dict of JSON values; a checkpoint with another one is refused, with the difference in words.
      epoch_size: the steps of an epoch.
      session_config: of the session.
      curves: names of values of the position, 0 at first, that get a point in TensorBoard a hundred times an epoch.
      position: the values that a `Position` has at the start of an epoch: JSON values, and arrays, which the checkpoint
        keeps as variables.
      cluster: the `Cluster`, if there is one, whose workers train together. An array's axis before the last is the
        batch's, and the position has this worker's rows; the chief alone saves and records.

    Attributes:
      session: its variables are initialised, or restored.
      position: the `Position`. Whoever makes a step keeps it up to date, all of it after each step.
      records: the lines of metrics.jsonl, a list of dicts: `epoch`, `step` (the global step), values, `wall_s`.
    """

    def __init__(self, args, identity, epoch_size, session_config=None, curves=(), cluster=None, **position):
        self._save_path, self._save_every, self._init_from = args.save_path, args.save_every, args.init_from
        self._cluster, self._common = cluster or Cluster(), dict(identity)
        if self._cluster.size > 1:
            self._common["rnn_mode"] = choose_rnn_mode(args.rnn_mode)
        if self._init_from:
            sources = [os.path.realpath(self._init_from)]
            with contextlib.suppress(ValueError):  # on another drive of Windows
                sources.append(os.path.relpath(sources[0], os.path.realpath(self._save_path or ".")))
            identity = {**identity, "init_from": sources}
        self._identity, self._epoch_size, self._session_config = identity, epoch_size, session_config
        position = {**dict.fromkeys(curves, 0.0), **position}
        self._curves, self._arrays = curves, {k: v for k, v in position.items() if isinstance(v, np.ndarray)}
        self._start = {**position, **self._own_rows(self._arrays)}
        self.position, self.records = Position(**self._start), []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._stop = stack.enter_context(StopRequest())
            # In a cluster it is asked during a step, before that one is counted.
            ahead = int(self._cluster.size > 1)
            self._cluster.ask = lambda: (self._stop.signum or 0, self._checkpoints.is_due(ahead))
            share = self._cluster.broadcast(tf.global_variables())
            self._checkpoints = Checkpoints(self._save_path, self._save_every, self._identity, self._arrays)
            self._global_step = tf.train.get_global_step()
            check_memory()
            initialize = tf.global_variables_initializer()
            tf.get_default_graph().finalize()
            stack.enter_context(self._checkpoints)
            config = with_rewrites(self._session_config)
            target = self._cluster.meet(self._common, config)
            self.session = stack.enter_context(tf.Session(target, config=config))
            self.session.run(initialize)
            wall_s = 0.0
            if restored := self._cluster.by_chief(self._restore):
                values, arrays = restored
                self.records, wall_s = values["records"], values["wall_s"]
                self.position = Position(**values["position"], **self._own_rows(arrays))
            self.session.run(share)
            self._start_time, self._unsaved = time.monotonic() - wall_s, False
            self._metrics = Metrics(self._save_path, self._step())
            if not restored:
                self._metrics.graph(self.session.graph)
            if not self._metrics.begins_with(self.records):  # the process was killed between a checkpoint and its lines
                self._metrics.write(self.records)
            self._exit_stack = stack.pop_all()
        return self

    def __exit__(self, exc_type, exc, traceback):
        with self._exit_stack:
            if not exc_type and self._cluster.size == 1:
                self.check_stop()  # what was asked for while pictures were drawn
            if exc_type and issubclass(exc_type, BrokenPipeError) and self._unsaved and self._cluster.size == 1:
                self.save()  # Ctrl-C also ends `| tee log`, and what was computed is to be kept all the same

    def _own_rows(self, arrays):
        return {name: self._cluster.own_rows(array) for name, array in arrays.items()}

    def _restore(self):
        """Gives the variables the values of the newest checkpoint, and returns the others; None where there is none."""
        restored = self._checkpoints.restore(self.session)
        if not restored and self._init_from:
            self._start_from(self._init_from)
        return restored

    def _start_from(self, folder):
        """The weights of another run of the script; all else begins anew."""
        found = find(folder, "--init_from")
        if not found:
            raise UserError(f"--init_from={folder} holds no checkpoint: name the folder of a trained network")
        path, saved = found
        if saved["identity"]["script"] != self._identity["script"]:
            raise UserError(
                f"--init_from={folder} holds a network of {saved['identity']['script']}.py: name another folder"
            )
        vocabulary = saved["identity"].get("vocabulary")
        if vocabulary and vocabulary != self._identity["vocabulary"]:
            raise UserError(f"--init_from={folder}: the vocabulary there is not the network's, which has {vocabulary}")
        load_weights(self.session, found, "--init_from")
        print(f"Starting from the weights in {path}")

    def _step(self):
        return int(self.session.run(self._global_step))

    def say_finished(self):
        """Says that the run was finished before; the script prints its last lines again.

        Raises:
          UserError: fewer epochs are asked for than the run has begun: its weights are those of no epoch's end.
        """
        if self.position.epoch > 1 and self.position.step:
            place = f"epoch {self.position.epoch} at step {self.position.step} of {self._epoch_size}"
            raise UserError(f"the run was stopped in {place}: give at least {self.position.epoch} epochs")
        print(f"The run in {self._save_path} is finished; its last lines again:")

    def steps(self):
        """Yields the steps that the epoch still has; between two of them the run is saved, or stopped, where asked."""
        yield from (start for start, _ in self.pieces(1))

    def recorded_steps(self, interval, *names):
        """`steps` of a run that is one long epoch, whose values are recorded along the way.

        The first of every `interval` steps becomes a record: its number as `iteration`, and the position's `names`.
        """

        def record():
            iteration = len(self.records) * interval
            if iteration < self.position.step:
                self.record(iteration=iteration, **{name: getattr(self.position, name) for name in names})

        record()  # of the last step, whose line has met a closed pipe before it was recorded
        for step in self.steps():
            yield step
            record()

    def pieces(self, length):
        """The same in pieces of at most `length` steps, each its first step and its end: for loops in the graph."""
        interval, last = max(1, self._epoch_size // 100), (self.position.step, time.monotonic())
        with progress.bar(self._epoch_size, self.position.step) as bar:
            while (start := self.position.step) < self._epoch_size:
                end = min(start + self._checkpoints.until_due(length), self._epoch_size)
                self._unsaved = True
                yield start, end
                bar.update(end - start)
                if self._save_path and end // interval > start // interval:
                    speed = {_SPEED: (end - last[0]) / (time.monotonic() - last[1])}
                    self.event(**{name: getattr(self.position, name) for name in self._curves}, **speed)
                    last = end, time.monotonic()
                self._checkpoints.count(end - start)
                self.check_stop()
                _, is_due = self._cluster.agreed
                if is_due:
                    self.save()

    def watched(self, iterable):
        """Yields from `iterable`, an evaluation or a text; between two items the run is stopped where that is asked."""
        with progress.bar(len(iterable)) if hasattr(iterable, "__len__") else contextlib.nullcontext() as bar:
            for item in iterable:
                yield item
                if bar is not None:
                    bar.update()
                self.check_stop()

    def check_stop(self):
        """Raises Interrupted where a signal has asked for the end; what is not saved yet is saved first."""
        self._cluster.check()
        signum, _ = self._cluster.agreed
        if not signum:
            return
        place = "after the last step"
        if self._unsaved:
            place = f"in epoch {self.position.epoch} at step {self.position.step} of {self._epoch_size}"
            self.save()
        kept = f"saved in {self._save_path}" if self._save_path else "without --save_path nothing is saved"
        raise Interrupted(signum, f"Stopped {place}" + (f": {kept}" if self._cluster.is_chief else ""))

    def event(self, step=None, **values):
        """Adds a point to the curves of `values`, numbers by name, in TensorBoard; at `step`, else the global step."""
        self._metrics.event(self._step() if step is None else step, **values)

    def text(self, **texts):
        """Shows texts, by their names, in TensorBoard."""
        self._metrics.text(self._step(), **texts)

    def record(self, step=None, **values):
        """Adds a line to `metrics.jsonl` with the next checkpoint, and points to the curves; `step` as for `event`.

        A value may be a list, which is no point of a curve; what is one of `curves` has its points already.
        """
        step = self._step() if step is None else step
        points = {name: value for name, value in values.items() if not isinstance(value, list)}
        self.event(step, **{name: value for name, value in points.items() if name not in self._curves})
        wall_s = time.monotonic() - self._start_time
        self.records.append({"epoch": self.position.epoch, "step": step, **values, "wall_s": wall_s})

    def end_epoch(self, kept_as=None, **values):
        """Records the `values` of an epoch, if any, and saves; the next one begins. `kept_as` as for `save`."""
        if values:
            self.record(**values)
        self.position = Position(self.position.epoch + 1, **self._start)
        self.save(kept_as)

    def end(self, **values):
        """Adds what was computed after the last epoch to the curves and to `metrics.jsonl`."""
        if not self._metrics.has(*values):
            self.event(**values)
        self._metrics.write([*self.records, values])

    def save(self, kept_as=None):
        """Saves a checkpoint, and the records; the weights under the name `kept_as` as well, for good."""
        values = dict(vars(self.position))
        own = {name: np.asarray(values.pop(name)) for name in self._arrays}
        values = {"records": self.records, "position": values, "wall_s": time.monotonic() - self._start_time}

        def write(workers):  # with the rows of each
            arrays = {name: self._cluster.all_rows([own[name] for own in workers]) for name in self._arrays}
            self._checkpoints.save(self.session, values, arrays, kept_as)
            self._metrics.write(self.records)
            return [None] * len(workers)

        self._cluster.exchange(own, write)
        self._unsaved = False
