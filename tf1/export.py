"""A trained network as a SavedModel, for programs that have TensorFlow 2 and nothing of this project."""

import contextlib
import os
import shutil
import tempfile

import numpy as np

from tf1 import tf
from tf1.app import UserError, write_file


@contextlib.contextmanager
def new_folder(path, shown):
    """The block writes to a folder beside `path`, which becomes `path` when all of it is there.

    Args:
      shown: what errors call the path.
    Raises:
      UserError: the path exists already, or cannot be made.
    """
    if os.path.lexists(path):
        raise UserError(f"{shown} exists: name a new folder")
    parent, name = os.path.split(os.path.abspath(path))
    try:
        os.makedirs(parent, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=f".{name}.", dir=parent)
    except OSError as error:
        raise UserError(f"{shown} cannot be made: {error.strerror}") from error
    try:
        yield folder
        os.chmod(folder, 0o777 & ~_umask())  # mkdtemp's is its owner's alone
        os.rename(folder, path)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UserError(f"{shown} cannot be written: {reason}", 1) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Exporter:
    """Writes the graph as a SavedModel; create it when the graph is complete, before a session runs it.

    Args:
      signatures: by their names, of each a dict of inputs and a dict of outputs, tensors by theirs.
    """

    def __init__(self, signatures):
        define = tf.saved_model.predict_signature_def
        self._signatures = {name: define(*inputs_and_outputs) for name, inputs_and_outputs in signatures.items()}
        self._initialize = tf.tables_initializer()
        # The one operation does it all; converters look for those in the collection, also where a signature has none.
        tf.get_default_graph().clear_collection(tf.GraphKeys.TABLE_INITIALIZERS)

    def save(self, session, path):
        """Writes the session's variables, and the rest, to the new folder `path`."""
        with new_folder(path, f"--export_dir={path}") as folder:
            builder = tf.saved_model.Builder(folder)
            builder.add_meta_graph_and_variables(
                session,
                [tf.saved_model.tag_constants.SERVING],
                self._signatures,
                assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
                main_op=self._initialize,
                strip_default_attrs=True,
            )
            builder.save()
        print(f"Exported to {path}: {', '.join(sorted(self._signatures))}")


_NEWLINE = "\\n"  # in the file of a vocabulary's characters
# What reader.py reads as the end of a line, and what it leaves out, as RE2 has them.
_LINE_ENDS, _MARKS = r"\r\n|[\r\v\f\x1c-\x1e\x{85}\x{2028}\x{2029}]", r"[\x{feff}\x{200b}\x{2060}]"


def _lookups(vocabulary, folder, text, ids):
    """The ids, int32, of a text [], and the items, strings, of ids [n].

    The table from items to ids comes from a file in the folder, an item a line, which becomes an asset. That of the
    reverse is written out in the graph, in the form that LiteRT knows.
    """
    path = os.path.join(folder, f"{vocabulary.kind}.txt")
    write_file(path, "".join(f"{_NEWLINE if item == chr(10) else item}\n" for item in vocabulary.items))
    index = tf.lookup.TextFileIndex
    to_id = tf.lookup.TextFileInitializer(path, tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER)
    to_id = tf.lookup.StaticHashTable(to_id, vocabulary.ids.get("<unk>", -1))
    places = np.arange(len(vocabulary.items))
    to_item = tf.lookup.KeyValueTensorInitializer(places, vocabulary.items, tf.int64, tf.string)
    to_item = tf.lookup.StaticHashTable(to_item, "<unk>")
    for odd, replacement in (_LINE_ENDS, "\n"), (_MARKS, ""):
        text = tf.strings.regex_replace(text, odd, replacement)
    if vocabulary.kind == "words":
        text = tf.strings.regex_replace(text, "\n", " <eos> ")
        items = tf.strings.split([tf.strings.regex_replace(text, r"\pZ", " ")]).values  # also spaces beyond ASCII
    else:
        items = tf.strings.unicode_split(text, "UTF-8")
        items = tf.where(tf.equal(items, "\n"), tf.fill(tf.shape(items), _NEWLINE), items)
    return tf.cast(to_id.lookup(items), tf.int32), to_item.lookup(tf.cast(ids, tf.int64))


def language_signatures(network, vocabulary, folder):
    """The signatures of a language model, whose ops are added to the graph.

    step        ids [batch_size] and initial_state -> logits, probabilities [batch_size, vocab_size], and final_state
    sequence    ids [batch_size, num_steps] and initial_state -> the same, [batch_size, num_steps, vocab_size]
    encode      text [] -> ids [number of words or characters]
    decode      ids [n] -> items [n], words or characters
    zero_state  batch_size [] -> initial_state

    Args:
      network: a `LanguageModel`.
      vocabulary: a `reader.Vocabulary`.
      folder: where the file that becomes an asset is written.
    """
    step_ids, ids = tf.placeholder(tf.int32, [None], "ids"), tf.placeholder(tf.int32, [None, None], "sequence_ids")
    state = tf.placeholder(tf.float32, network.state_shape(None), "initial_state")
    text, decode_ids = tf.placeholder(tf.string, [], "text"), tf.placeholder(tf.int32, [None], "decode_ids")
    batch_size = tf.placeholder(tf.int32, [], "batch_size")
    with tf.name_scope("step"):
        step_logits, step_state = network.step(step_ids, state)
        step = {"logits": step_logits, "probabilities": tf.nn.softmax(step_logits), "final_state": step_state}
    with tf.name_scope("sequence"):
        logits, final_state = network.sequence(ids, state)
        sequence = {"logits": logits, "probabilities": tf.nn.softmax(logits), "final_state": final_state}
    with tf.name_scope("vocabulary"):
        encoded, decoded = _lookups(vocabulary, folder, text, decode_ids)
    zeros = tf.zeros(network.state_shape(batch_size))
    sequence = {"ids": ids, "initial_state": state}, sequence
    return {
        "step": ({"ids": step_ids, "initial_state": state}, step),
        "sequence": sequence,
        "encode": ({"text": text}, {"ids": encoded}),
        "decode": ({"ids": decode_ids}, {"items": decoded}),
        "zero_state": ({"batch_size": batch_size}, {"initial_state": zeros}),
        tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: sequence,
    }


def image_signatures(model, first_label):
    """The signatures of an `MNISTModel` that reads images of any number of rows, whose ops are added to the graph.

    images      X [batch_size, n_steps, n_inputs], 0 to 1 -> logits, probabilities [batch_size, n_outputs], labels
    step        X [batch_size, n_inputs], one row, and initial_state -> the same after that row, and final_state
    zero_state  batch_size [] -> initial_state

    A state is one tensor, [number of the cell's states, batch_size, n_neurons].

    Args:
      first_label: what the files call the label 0.
    """
    sizes = tf.nest.flatten(model.cell.state_size)
    row = tf.placeholder(tf.float32, [None, model.X.shape[2].value], "row")
    state = tf.placeholder(tf.float32, [len(sizes), None, sizes[0]], "initial_state")
    batch_size = tf.placeholder(tf.int32, [], "batch_size")

    def outputs(logits):
        labels = tf.argmax(logits, axis=1, output_type=tf.int32) + first_label
        return {"logits": logits, "probabilities": tf.nn.softmax(logits), "labels": labels}

    with tf.name_scope("step"):
        _, states = model.cell(row, tf.nest.pack_sequence_as(model.cell.state_size, tf.unstack(state)))
        step = {**outputs(model.read_out(states, reuse=True)), "final_state": tf.stack(tf.nest.flatten(states))}
    images = {"X": model.X}, outputs(model.logits)
    return {
        "images": images,
        "step": ({"X": row, "initial_state": state}, step),
        "zero_state": ({"batch_size": batch_size}, {"initial_state": tf.zeros([len(sizes), batch_size, sizes[0]])}),
        tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: images,
    }
