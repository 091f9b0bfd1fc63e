"""The numbers of a run: TensorBoard events and `metrics.jsonl` in the folder of its checkpoints."""

import json
import os

from tf1 import tf
from tf1.app import write_file


class Metrics:
    """Writes the numbers of a run; does nothing where `save_path` is None.

    Args:
      save_path: the folder, which exists.
      global_step: where the run goes on; events that an earlier session wrote behind it are overruled.
    """

    def __init__(self, save_path, global_step):
        self._save_path, self._global_step, self._writer = save_path, global_step, None
        self._path = os.path.join(save_path, "metrics.jsonl") if save_path else None

    def event(self, global_step, **values):
        """Adds a point to the curves of `values`, numbers by name, at `global_step`."""
        if self._save_path:
            if not self._writer:
                self._writer = tf.summary.FileWriter(self._save_path)
                # TensorBoard drops what was written from this step on; that of global_step itself is in the checkpoint.
                self._writer.add_session_log(tf.SessionLog(status=tf.SessionLog.START), self._global_step + 1)
            values = [tf.Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
            self._writer.add_summary(tf.Summary(value=values), global_step)
            self._writer.flush()  # before the checkpoint of that step: a run that goes on from it has no event lost

    def write(self, records):
        """Makes `metrics.jsonl` hold `records`, a list of dicts, a line each: at every moment the old or the new."""
        if self._save_path:
            write_file(self._path, "".join(f"{json.dumps(record)}\n" for record in records))

    def has(self, name):
        """Whether `metrics.jsonl` has a record with a value called `name`."""
        if not self._save_path or not os.path.exists(self._path):
            return False
        with open(self._path, encoding="utf-8", errors="replace") as file:
            return f'"{name}":' in file.read()
