"""Save, restore, resume: everything that the next training step depends on, in one TensorFlow checkpoint.

Beside the model's variables a checkpoint holds, as variables of its own in the same file, a JSON text (the identity of
the run and its values in numbers) and arrays (the RNN state). `tf.train.Saver` writes the data to a temporary name,
renames them, and writes the `.index` file last, so what has one is complete. No checkpoint is written over another: a
second one of a step gets a name of its own.
"""

import contextlib
import json
import os
import re
import time

import filelock
import numpy as np

from tf1 import app, tf
from tf1.app import UserError
from tf1.progress import write

_SCOPE = "resume"
_LOCK = "run.lock"
# What a process leaves that is killed while it saves: of TensorFlow's checkpoints and their index file, of pictures.
_UNFINISHED = re.compile(r".+\.(index|data-\d+-of-\d+)\.tempstate\d+|checkpoint\.tmp\w+|\w+\.png\.\d+\.tmp")


def check_flags(args):
    """UserError where --init_from is no folder, or --save_path can neither be written nor made. Nothing is made yet."""
    if args.init_from and not os.path.isdir(args.init_from):
        raise UserError(f"--init_from={args.init_from} is not a folder: name that of a trained network")
    if not args.save_path:
        if args.save_every:
            raise UserError("--save_every goes with --save_path: name a folder for the checkpoints")
        return
    save_path = args.save_path
    _check_name(save_path)
    folder = app.nearest_that_exists(save_path)
    if not os.path.isdir(folder):
        raise UserError(f"--save_path={save_path} cannot be a folder, {folder} is a file: name another one")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"--save_path={save_path}: {folder} is not writable: name another folder")


def _check_name(save_path, flag="--save_path"):
    if re.search(r"[*?[\\]|://", save_path):  # a pattern or an address for TensorFlow, and a name for everyone else
        raise UserError(f"{flag}={save_path} has one of * ? [ \\ ://, which cannot be: name another folder")


def _differences(saved, current, prefix=""):
    for key in sorted(set(saved) | set(current)):
        old, new = saved.get(key), current.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{key} ")
        elif old != new:
            yield f"{prefix}{key} {old}, now {new}"


def _short(error):
    """The line of TensorFlow's message that says what is wrong: the last one before the node's name."""
    message = str(getattr(error, "message", error)).split("\n\t [[")[0]
    return " ".join(message.strip().split("\n")[-1].split())[:200]


def check_identity(save_path, saved, current):
    """UserError where the identity of the run in `save_path` is not the `current` one."""
    if saved["script"] != current["script"]:
        raise UserError(
            f"--save_path={save_path} holds a run of {saved['script']}.py: use that script, or name another folder"
        )
    if difference := "; ".join(_differences(*_with_one_source(saved, current))):
        raise UserError(
            f"--save_path={save_path} holds a run with {difference}: give the same command, or another --save_path"
        )


def _with_one_source(*identities):
    """The identities with one path for --init_from, the same where one of the two that a checkpoint has is the same.

    They are that folder's path, and its path from --save_path, which stays where both are moved.
    """
    paths = [identity.get("init_from") or [] for identity in identities]
    paths = [[path] if isinstance(path, str) else path for path in paths]  # version 1.0 had one
    common = [path for path in paths[0] if path in paths[1]]
    return [{**identity, "init_from": (common or own or [None])[0]} for identity, own in zip(identities, paths)]


def _checkpoints(save_path, flag="--save_path"):
    """The checkpoints in the folder, oldest first: step, number among those of the step, path.

    By the files, not by the index file `checkpoint`, which may be damaged or lost as well.
    """
    try:
        names = os.listdir(save_path)
    except OSError as error:
        raise UserError(f"{flag}={save_path} cannot be read: {error.strerror}") from error
    found = [re.fullmatch(r"(model-(\d+)(?:_(\d+))?)\.index", name) for name in names]
    return sorted((int(m[2]), int(m[3] or 0), os.path.join(save_path, m[1])) for m in found if m)


def _paths(save_path, flag="--save_path"):
    return [path for *_, path in _checkpoints(save_path, flag)]


def find(save_path, flag="--save_path"):
    """The newest checkpoint that is whole, its path and a dict of its `identity` and `values`; None: there is none.

    Raises:
      UserError: there are checkpoints and none is whole, or an earlier version of these scripts has written them.
    """
    _check_name(save_path, flag)
    paths = _paths(save_path, flag)
    for path in reversed(paths):
        try:
            saved = json.loads(_read_json(path))
            if "values" not in saved:
                raise UserError(f"checkpoint {path} is of an earlier version of this program: give another {flag}")
            return path, saved
        except tf.errors.PermissionDeniedError as error:
            raise UserError(f"checkpoint {path} cannot be read: permission denied") from error
        except UserError:
            raise
        except (tf.errors.OpError, IndexError, ValueError) as error:  # IndexError: the file is too short
            if not os.path.exists(f"{path}.index"):  # the run that writes here has deleted it, and saved newer ones
                return find(save_path, flag)
            write(f"Checkpoint {path} is damaged and passed over: {_short(error)}")
    if paths:
        raise UserError(f"no checkpoint in {flag}={save_path} can be read: name another folder")
    return None


def _name_in(saved, variable_name):
    """What a checkpoint calls the weights of a variable that count: those of the best epoch, where they were kept."""
    is_best = saved["identity"]["config"].get("patience") and saved["values"].get("records")
    return f"best/{variable_name}" if is_best else variable_name


def load_weights(session, found, flag="--save_path"):
    """Gives the graph's trainable variables the values in a checkpoint: those of the best epoch, where they were kept.

    Args:
      found: what `find` returned. Where a training that goes on has deleted that since, the newest one counts.
      flag: what named the folder.
    Raises:
      UserError: it holds a network with other variables.
    """
    path, saved = found
    try:
        reader = tf.train.load_checkpoint(path)
        shapes, values = reader.get_variable_to_shape_map(), {}
        for variable in tf.trainable_variables():
            name, shape = _name_in(saved, variable.op.name), variable.shape.as_list()
            if shapes.get(name) != shape:
                there = f"{variable.op.name} of {shapes[name]}" if name in shapes else f"no {variable.op.name}"
                raise UserError(
                    f"{flag}={os.path.dirname(path)} holds another network, with {there} where this one has {shape}: "
                    "give the config that it was trained with"
                )
            values[variable] = reader.get_tensor(name).astype(np.float32)
    except (tf.errors.OpError, ValueError) as error:
        newest = None if isinstance(error, UserError) else find(os.path.dirname(path), flag)
        if not newest or newest[0] == path:
            raise
        return load_weights(session, newest, flag)
    for variable, value in values.items():
        variable.load(value, session)


def save_weights(found, folder):
    """Writes the weights of a network, and its identity, as a checkpoint with nothing else to the folder, in bf16.

    Args:
      found: what `find` returned.
    """
    path, saved = found
    if "weights" not in saved:
        raise UserError(f"checkpoint {path} is of an earlier version of this program: train on for an epoch first")
    reader = tf.train.load_checkpoint(path)
    with tf.Graph().as_default(), tf.Session() as session:
        for name in saved["weights"]:
            tf.get_variable(name, initializer=tf.cast(reader.get_tensor(_name_in(saved, name)), tf.bfloat16))
        text = json.dumps({"identity": saved["identity"], "values": {}, "weights": saved["weights"]})
        with tf.variable_scope(_SCOPE):
            tf.get_variable("json", initializer=tf.constant(text))
        session.run(tf.global_variables_initializer())
        _write(session, tf.train.Saver(), os.path.join(folder, os.path.basename(path)))


def _read_json(path):
    """The JSON text of the checkpoint, after every tensor in it has been read and its checksum compared."""
    reader = tf.train.load_checkpoint(path)
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)
    return np.asarray(reader.get_tensor(f"{_SCOPE}/json")).item().decode()


def _write(session, saver, path):
    """`Saver.save` in this thread: each thread of TensorFlow's that writes a checkpoint keeps a buffer of 8 MB."""
    names = saver.saver_def
    options = tf.RunOptions(inter_op_thread_pool=-1)
    session.run(names.save_tensor_name, {names.filename_tensor_name: path}, options=options)


class Checkpoints:
    """The checkpoints of one run; create it when the graph has all its other variables.

    It is a context manager: within its block the folder belongs to this process.

    Args:
      save_path: the folder, made if it is missing; None: nothing is saved and nothing restored.
      save_every: the value of the flag; None: a checkpoint is never due between those that the script makes.
      identity: a dict of JSON values. A checkpoint with another identity is refused, with the difference in words.
      arrays: a dict of names and example arrays (shape and type), what `save` gets beside the values.
    """

    def __init__(self, save_path, save_every, identity, arrays):
        self._save_path = save_path
        self._unit, self._interval = save_every or ("steps", float("inf"))
        self._steps, self._saved_at = 0, time.monotonic()
        with tf.name_scope("are_finite"):
            are_finite = [tf.reduce_all(tf.is_finite(variable)) for variable in tf.trainable_variables()]
            self._are_finite = tf.reduce_all(are_finite)
        if not save_path:
            return
        self._identity = json.loads(json.dumps(identity))  # as it comes back from a file
        with tf.variable_scope(_SCOPE):
            self._variables = {"json": tf.get_variable("json", [], tf.string, tf.zeros_initializer(), trainable=False)}
            for name, array in arrays.items():
                self._variables[name] = tf.get_variable(
                    name, array.shape, array.dtype, tf.zeros_initializer(), trainable=False
                )
        with tf.name_scope("assign"):
            self._placeholders = {
                name: tf.placeholder(variable.dtype.base_dtype, variable.shape)
                for name, variable in self._variables.items()
            }
            self._assign = [tf.assign(variable, self._placeholders[name]) for name, variable in self._variables.items()]
        self._saver = tf.train.Saver()
        self._keeper = tf.train.Saver(tf.trainable_variables())
        self._kept = []  # paths of checkpoints, oldest first

    def __enter__(self):
        if self._save_path:
            try:
                self._note_what_is_there()
                os.makedirs(self._save_path, exist_ok=True)
            except (OSError, RecursionError) as error:  # the latter for thousands of folders in each other
                reason = getattr(error, "strerror", "its path is too long")
                raise UserError(f"--save_path={self._save_path} cannot be made: {reason}") from error
            # The operating system's lock, which ends with the process, however that ends.
            self._lock = filelock.FileLock(os.path.join(self._save_path, _LOCK))
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout as error:
                raise UserError(
                    f"another run writes to --save_path={self._save_path}: wait for its end, or name another folder"
                ) from error
            except OSError as error:
                raise UserError(f"--save_path={self._save_path} cannot be locked: {error.strerror}") from error
        return self

    def __exit__(self, exc_type, *exc_info):
        if self._save_path:
            if exc_type and issubclass(exc_type, UserError):
                with contextlib.suppress(OSError):  # the folder is gone; Windows keeps an open file
                    self._leave_as_it_was()
            self._lock.release()

    def _note_what_is_there(self):
        """The names in the folder, and which folders are not there yet, the innermost first."""
        self._new_folders, folder = [], os.path.abspath(self._save_path)
        while not os.path.exists(folder):
            self._new_folders.append(folder)
            folder = os.path.dirname(folder)
        self._names = set() if self._new_folders else {*os.listdir(folder)}

    def _leave_as_it_was(self):
        """Removes lock and folders that a run has made which was refused before it wrote anything."""
        if _LOCK in self._names or {*os.listdir(self._save_path)} - self._names != {_LOCK}:
            return
        os.remove(os.path.join(self._save_path, _LOCK))
        for folder in self._new_folders:
            os.rmdir(folder)

    def until_due(self, most):
        """How many of the next `most` steps, at least one, can be made at once before a checkpoint is due."""
        return most if self._unit == "seconds" else max(1, int(min(most, self._interval - self._steps)))

    def count(self, steps):
        """So many more steps are done."""
        self._steps += steps

    def is_due(self, ahead=0):
        """Whether --save_every asks for a checkpoint, now or when so many more steps are done."""
        passed = self._steps + ahead if self._unit == "steps" else time.monotonic() - self._saved_at
        return bool(self._save_path) and passed >= self._interval

    def save(self, session, values, arrays, kept_as=None):
        """Saves all variables, `values` (a dict of JSON values) and `arrays`; the two newest of them stay.

        Where `kept_as` is given, the weights are saved under that name as well, for good.

        Raises:
          UserError: the weights are not finite (checked without a `save_path`, too), or cannot be saved.
        """
        step = session.run(tf.train.get_global_step())
        if not session.run(self._are_finite):
            raise UserError(
                f"the weights are not finite after step {step}, what was saved before is kept: "
                "lower --set learning_rate=X (a run with another config needs another --save_path)",
                1,
            )
        if not self._save_path:
            return
        weights = [variable.op.name for variable in tf.trainable_variables()]
        text = json.dumps({"identity": self._identity, "values": values, "weights": weights})
        session.run(self._assign, {self._placeholders[name]: value for name, value in {"json": text, **arrays}.items()})
        path = os.path.join(self._save_path, f"model-{step}")
        try:
            numbers = [number for of_step, number, _ in _checkpoints(self._save_path) if of_step == step]
            if numbers:
                path += f"_{max(numbers) + 1}"
            if kept_as:
                _write(session, self._keeper, os.path.join(self._save_path, kept_as))
            _write(session, self._saver, path)
            self._kept.append(path)
            # An absolute folder and bare names: so the file names them as they are, and the folder can be moved.
            newest, *others = (os.path.basename(kept) for kept in self._kept[:-3:-1])
            tf.train.update_checkpoint_state(os.path.abspath(self._save_path), newest, [*others, newest])
            for old_path in self._kept[:-2]:
                tf.train.remove_checkpoint(old_path)
            del self._kept[:-2]
        except (tf.errors.OpError, OSError, UserError) as error:
            with contextlib.suppress(UserError):  # the disk may be read-only by now
                self._remove_unfinished()
            raise UserError(f"no checkpoint can be saved in {self._save_path}: {_short(error)}", 1) from error

        self._steps, self._saved_at = 0, time.monotonic()

    def _remove_unfinished(self):
        """Deletes what a save that did not come to its end has left in the folder."""
        for name in os.listdir(self._save_path) if os.path.isdir(self._save_path) else ():
            path = os.path.join(self._save_path, name)
            data = re.fullmatch(r"(model-\d+(?:_\d+)?|ckpt-\d+)\.data-\d+-of-\d+", name)
            is_orphan = data and not os.path.exists(os.path.join(self._save_path, f"{data[1]}.index"))
            if (is_orphan or _UNFINISHED.fullmatch(name)) and os.path.isfile(path):
                try:
                    os.remove(path)
                except OSError as error:
                    raise UserError(f"{path}, which is not complete, cannot be removed: {error.strerror}") from error

    def restore(self, session):
        """Restores the newest checkpoint that is whole, and returns its values and arrays; None where there is none.

        Raises:
          UserError: the checkpoint belongs to another run, or there are checkpoints and none is whole.
        """
        if not self._save_path:
            return None
        found = find(self._save_path)
        self._remove_unfinished()
        if not found:
            return None
        path, saved = found
        if not saved["values"]:
            raise UserError(
                f"--save_path={self._save_path} holds the weights of a network and no run that could go on: give "
                "--init_from with that folder, and another --save_path"
            )
        check_identity(self._save_path, saved["identity"], self._identity)
        self._saver.restore(session, path)
        paths = _paths(self._save_path)
        self._kept = paths[: paths.index(path) + 1]
        write(f"Going on from {path}")
        arrays = session.run({name: variable for name, variable in self._variables.items() if name != "json"})
        return saved["values"], arrays
