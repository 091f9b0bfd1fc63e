"""The numbers of a run: TensorBoard events and `metrics.jsonl` in the folder of its checkpoints."""

import json
import os
import socket
import time

from tf1 import tf
from tf1.app import UserError, write_file


class Metrics:
    """Writes the numbers of a run; does nothing where `save_path` is None.

    Args:
      save_path: the folder, which exists.
      global_step: where the run goes on; events of later steps, which an earlier session wrote, are overruled.
    """

    def __init__(self, save_path, global_step):
        self._save_path, self._global_step, self._writer = save_path, global_step, None
        self._path = os.path.join(save_path, "metrics.jsonl") if save_path else None

    def event(self, global_step, **values):
        """Adds a point to the curves of `values`, numbers by name, at `global_step`; it is in the file on return.

        Raises:
          UserError: it cannot be written. (`tf.summary.FileWriter` would say so from a thread, with a traceback.)
        """
        if not self._save_path:
            return
        values = [tf.Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        events = [tf.Event(step=global_step, summary=tf.Summary(value=values))]
        try:
            if not self._writer:
                name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}"
                self._writer = tf.python_io.TFRecordWriter(os.path.join(self._save_path, name))
                # TensorBoard drops what was written from this step on; that of global_step itself is in the checkpoint.
                start = tf.SessionLog(status=tf.SessionLog.START)
                start = tf.Event(step=self._global_step + 1, session_log=start)
                events = [tf.Event(file_version="brain.Event:2"), start, *events]
            for event in events:
                event.wall_time = time.time()
                self._writer.write(event.SerializeToString())
            self._writer.flush()
        except tf.errors.OpError as error:
            reason = error.message.splitlines()[0]
            raise UserError(f"no event can be written in {self._save_path}: {reason}", 1) from error

    def write(self, records):
        """Makes `metrics.jsonl` hold `records`, a list of dicts, a line each: at every moment the old or the new."""
        if self._save_path:
            write_file(self._path, "".join(f"{json.dumps(record)}\n" for record in records))

    def _text(self):
        if not self._save_path or not os.path.exists(self._path):
            return ""
        with open(self._path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def begins_with(self, records):
        """Whether the first lines of `metrics.jsonl` are `records`."""
        return self._text().startswith("".join(f"{json.dumps(record)}\n" for record in records))

    def has(self, name):
        """Whether `metrics.jsonl` has a record with a value called `name`."""
        return f'"{name}":' in self._text()
