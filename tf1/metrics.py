"""The numbers of a run: TensorBoard events and `metrics.jsonl` in the folder of its checkpoints.

`tensorboard --logdir=runs` shows the curves, the graph, the texts and the pictures of all runs there.
"""

import json
import os
import socket
import struct
import time

from tf1 import tf
from tf1.app import UserError, write_file

_PNG_SIZE = slice(16, 24)  # of a file's bytes: width and height, big-endian
_of_folders = {}  # the newest Metrics of each folder


def add_picture(path):
    """Shows a PNG file, which was written into the folder of a run, in its TensorBoard; others are nobody's."""
    metrics = _of_folders.get(os.path.realpath(os.path.dirname(path)))
    if metrics:
        metrics.picture(path)


class Metrics:
    """Writes the numbers of a run, its texts and pictures; does nothing where `save_path` is None.

    Args:
      save_path: the folder, which exists.
      global_step: where the run goes on; events of later steps, which an earlier session wrote, are overruled.
    """

    def __init__(self, save_path, global_step):
        self._save_path, self._global_step, self._writer = save_path, global_step, None
        self._path = os.path.join(save_path, "metrics.jsonl") if save_path else None
        self._last_step = global_step
        if save_path:
            _of_folders[os.path.realpath(save_path)] = self

    def event(self, global_step, **values):
        """Adds a point to the curves of `values`, numbers by name, at `global_step`; it is in the file on return.

        Raises:
          UserError: it cannot be written. (`tf.summary.FileWriter` would say so from a thread, with a traceback.)
        """
        self._summary(global_step, *(tf.Summary.Value(tag=name, simple_value=values[name]) for name in values))

    def text(self, global_step, **texts):
        """Adds texts, by name, as they are: TensorBoard takes what is indented in Markdown for that."""
        if not self._save_path:
            return
        metadata = tf.SummaryMetadata(plugin_data=tf.SummaryMetadata.PluginData(plugin_name="text"))
        for name, text in texts.items():
            tensor = tf.make_tensor_proto("".join(f"    {line}\n" for line in text.split("\n")), tf.string)
            self._summary(global_step, tf.Summary.Value(tag=name, metadata=metadata, tensor=tensor))

    def picture(self, path):
        """Adds a PNG file under its name, at the step of the last event."""
        with open(path, "rb") as file:
            content = file.read()
        width, height = struct.unpack(">II", content[_PNG_SIZE])
        image = tf.Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=content)
        name, _ = os.path.splitext(os.path.basename(path))
        self._summary(self._last_step, tf.Summary.Value(tag=name, image=image))

    def graph(self, graph):
        """Adds the graph."""
        self._write([tf.Event(graph_def=graph.as_graph_def().SerializeToString())])

    def _summary(self, global_step, *values):
        self._last_step = global_step
        self._write([tf.Event(step=global_step, summary=tf.Summary(value=values))])

    def _write(self, events):
        if not self._save_path:
            return
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
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError as error:
            raise UserError(f"{self._path} cannot be read: {error.strerror}") from error

    def begins_with(self, records):
        """Whether the first lines of `metrics.jsonl` are `records`."""
        return self._text().startswith("".join(f"{json.dumps(record)}\n" for record in records))

    def has(self, *names):
        """Whether `metrics.jsonl` has a value under each of the names."""
        text = self._text()
        return all(f'"{name}":' in text for name in names)
