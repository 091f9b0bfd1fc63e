"""Save, restore, resume: everything that the next training step depends on, in one TensorFlow checkpoint.

Beside the model's variables a checkpoint holds, as variables of its own in the same file, a JSON text (the identity of
the run and its progress in numbers) and arrays (the RNN state). `tf.train.Saver` writes to temporary names and renames,
and the file `checkpoint` names a new checkpoint only when it is complete.
"""

import json
import os

import numpy as np

from tf1 import tf
from tf1.app import UserError
from tf1.progress import write

_SCOPE = "resume"


def make_folder(save_path):
    """Makes the folder of --save_path if it is missing; UserError where nothing can be written there."""
    try:
        os.makedirs(save_path, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UserError(f"--save_path={save_path} is a file: name a folder") from error
    except OSError as error:
        raise UserError(f"--save_path={save_path} cannot be made: {error.strerror}") from error
    if not os.access(save_path, os.W_OK | os.X_OK):
        raise UserError(f"--save_path={save_path} is not writable: name a folder that is")


def _differences(saved, current, prefix=""):
    for key in sorted(set(saved) | set(current)):
        old, new = saved.get(key), current.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{key} ")
        elif old != new:
            yield f"{prefix}{key} {old}, now {new}"


class Checkpoints:
    """The checkpoints of one run; create it when the graph has all its other variables.

    Args:
      save_path: the folder, which exists; None: nothing is saved and nothing restored.
      identity: a dict of JSON values. A checkpoint with another identity is refused, with the difference in words.
      arrays: a dict of names and example arrays (shape and type), what `save` gets beside the progress.
    """

    def __init__(self, save_path, identity, arrays):
        self._save_path = save_path
        if not save_path:
            return
        self._identity = json.loads(json.dumps(identity))  # as it comes back from a file
        with tf.variable_scope(_SCOPE):
            self._variables = {"json": tf.get_variable("json", [], tf.string, tf.zeros_initializer(), trainable=False)}
            for name, array in arrays.items():
                self._variables[name] = tf.get_variable(
                    name, array.shape, array.dtype, tf.zeros_initializer(), trainable=False
                )
        self._placeholders = {
            name: tf.placeholder(variable.dtype.base_dtype, variable.shape)
            for name, variable in self._variables.items()
        }
        self._assign = [tf.assign(variable, self._placeholders[name]) for name, variable in self._variables.items()]
        self._saver = tf.train.Saver(max_to_keep=2)

    def save(self, session, progress, arrays):
        """Saves all variables, `progress` (a dict of JSON values) and `arrays`."""
        if not self._save_path:
            return
        text = json.dumps({"identity": self._identity, "progress": progress})
        session.run(self._assign, {self._placeholders[name]: value for name, value in {"json": text, **arrays}.items()})
        path = os.path.join(self._save_path, "model")
        self._saver.save(session, path, tf.train.get_global_step(), write_meta_graph=False)

    def restore(self, session):
        """Restores the newest checkpoint that is whole, and returns its progress and arrays; None where there is none.

        Raises:
          UserError: the checkpoint belongs to another run, or there are checkpoints and none is whole.
        """
        if not self._save_path:
            return None
        state = tf.train.get_checkpoint_state(self._save_path)
        names = [os.path.basename(path) for path in state.all_model_checkpoint_paths] if state else []
        paths = [os.path.join(self._save_path, name) for name in names]  # the folder may have been moved
        while paths:
            try:
                saved = json.loads(self._read_json(paths[-1]))
                break
            except (tf.errors.OpError, IndexError, ValueError) as error:  # IndexError: the file is too short
                write(f"Checkpoint {paths.pop()} is damaged and passed over: {' '.join(str(error).split())[:200]}")
        else:
            if names:
                raise UserError(f"no checkpoint in --save_path={self._save_path} can be read: name another folder")
            return None
        difference = "; ".join(_differences(saved["identity"], self._identity))
        if difference:
            raise UserError(
                f"--save_path={self._save_path} holds a run with {difference}: "
                "give the same command, or another --save_path"
            )
        self._saver.restore(session, paths[-1])
        self._saver.recover_last_checkpoints(paths)
        write(f"Going on from {paths[-1]}")
        arrays = session.run({name: variable for name, variable in self._variables.items() if name != "json"})
        return saved["progress"], arrays

    def _read_json(self, path):
        """The JSON text of the checkpoint, after every tensor in it has been read and its checksum compared."""
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
        return np.asarray(reader.get_tensor(f"{_SCOPE}/json")).item().decode()
