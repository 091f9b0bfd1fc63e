"""The shelf, and TensorFlow before 1.0, against values worked out in NumPy; the tutorials' data."""

import collections
import itertools
import pickle

import numpy as np
import pytest

from tf1 import cells, contrib, old, seq2seq, tf, tutorials
from tf1.app import UserError


def evaluated(session, *tensors):
    session.run(tf.global_variables_initializer())
    return session.run(tensors)


def names():
    return [variable.op.name for variable in tf.global_variables()]


RANDOM = np.random.RandomState(0)
LOGITS, TARGETS = RANDOM.normal(size=[3, 4, 5]), RANDOM.randint(0, 5, [3, 4])
WEIGHTS = np.array([[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 0]], np.float32)
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=2, keepdims=True)
LOSSES = -np.log(np.take_along_axis(PROBABILITIES, TARGETS[:, :, None], 2)[:, :, 0]) * WEIGHTS


@pytest.mark.parametrize(
    "steps, batch, expected",
    [
        (True, True, LOSSES.sum() / 7),
        (True, False, LOSSES.sum(axis=1) / [3, 1, 3]),
        (False, True, np.append(LOSSES.sum(axis=0)[:3] / [3, 2, 2], 0)),
        (False, False, LOSSES),
    ],
)
def test_sequence_loss(session, steps, batch, expected):
    arguments = tf.constant(LOGITS, tf.float32), tf.constant(TARGETS), tf.constant(WEIGHTS)
    (loss,) = evaluated(session, seq2seq.sequence_loss(*arguments, steps, batch))
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_legacy_sequence_losses(session):
    lists = [tf.unstack(tf.constant(array), axis=1) for array in (LOGITS.astype(np.float32), TARGETS, WEIGHTS)]
    shelf = tf.contrib.legacy_seq2seq
    losses = evaluated(
        session,
        shelf.sequence_loss_by_example(*lists),
        shelf.sequence_loss_by_example(*lists, average_across_timesteps=False),
        shelf.sequence_loss(*lists),
        shelf.sequence_loss(*lists, average_across_batch=False),
    )
    for place in range(3):
        short = [array[:-1] if place == at else array for at, array in enumerate(lists)]
        with pytest.raises(ValueError, match="there must be as many"):
            shelf.sequence_loss(*short)
    by_example = LOSSES.sum(axis=1) / [3, 1, 3]
    for loss, expected in zip(losses, (by_example, LOSSES.sum(axis=1), by_example.mean(), by_example.sum())):
        np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize(
    "function",
    [
        lambda labels, logits: (labels, logits),
        lambda logits, labels: (labels, logits),
        lambda inputs, labels: (labels, inputs),  # TF 0.12
        lambda y, x: (y, x),  # TF 1.0
    ],
)
def test_the_scripts_own_loss_gets_labels_and_logits(function):
    assert seq2seq.cross_entropies("labels", "logits", function) == ("labels", "logits")


def test_bidirectional_layers_and_projected_inputs(session):
    cells = [[tf.nn.rnn_cell.BasicRNNCell(size) for size in (3, 2)] for _ in range(2)]
    x = tf.constant(RANDOM.normal(size=[2, 4, 5]), tf.float32)
    outputs, fw, bw = tf.contrib.rnn.stack_bidirectional_dynamic_rnn(
        *cells, x, dtype=tf.float32, sequence_length=[4, 2]
    )
    outputs, fw, bw = evaluated(session, outputs, fw, bw)
    assert outputs.shape == (2, 4, 4) and np.all(outputs[1, 2:] == 0)
    np.testing.assert_array_equal(fw[1], [outputs[0, 3, :2], outputs[1, 1, :2]])  # where each sequence ends
    np.testing.assert_array_equal(bw[1], outputs[:, 0, 2:])
    scopes = [f"stack_bidirectional_rnn/cell_{layer}/bidirectional_rnn/{d}" for layer in (0, 1) for d in ("fw", "bw")]
    assert names() == [f"{scope}/basic_rnn_cell/{name}" for scope in scopes for name in ("kernel", "bias")]

    with tf.variable_scope("of_lists"):
        lists = tf.contrib.rnn.stack_bidirectional_rnn(
            *[[tf.nn.rnn_cell.BasicRNNCell(size) for size in (3, 2)] for _ in range(2)],
            tf.unstack(x, axis=1),
            dtype=tf.float32,
            sequence_length=[4, 2],
        )
    assert names()[8:] == [f"of_lists/{name.replace('/bidirectional_rnn/', '/')}" for name in names()[:8]]
    copies = [tf.assign(copy, variable) for variable, copy in zip(tf.global_variables()[:8], tf.global_variables()[8:])]
    session.run(copies)
    for ours, theirs in zip(session.run([tf.stack(lists[0], 1), *lists[1], *lists[2]]), (outputs, *fw, *bw)):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    with pytest.raises(ValueError, match="shorter"):
        tf.contrib.rnn.stack_bidirectional_rnn(cells[0], cells[1][:1], tf.unstack(x, axis=1), dtype=tf.float32)

    wrapped = tf.contrib.rnn.InputProjectionWrapper(tf.nn.rnn_cell.BasicRNNCell(3), 2, tf.nn.relu)
    h, _ = wrapped(x[:, 0], tf.zeros([2, 3]))
    *_, projection, bias, kernel, _ = tf.trainable_variables()
    inputs, projection, kernel, h = evaluated(session, x[:, 0], projection, kernel, h)
    np.testing.assert_allclose(h, np.tanh(np.maximum(inputs @ projection, 0) @ kernel[:2]), rtol=1e-5)


@pytest.mark.parametrize("lengths", [None, [4, 2]])
def test_fused_cells_in_both_directions(session, lengths):
    x = tf.constant(RANDOM.normal(size=[4, 2, 5]), tf.float32)
    fused = [cells.LSTMBlockFusedCell(3, name=name) for name in ("fw", "bw")]
    forward = fused[0](x, dtype=tf.float32, sequence_length=lengths)
    backward = cells.TimeReversedFusedRNN(fused[1])(x, dtype=tf.float32, sequence_length=lengths)
    assert names() == [f"{cell}/{name}" for cell in ("fw", "bw") for name in ("kernel", "bias")]
    listed, _ = fused[0](tf.unstack(x), dtype=tf.float32)
    block = [cells.LSTMBlockCell(3, name=name, reuse=True) for name in ("fw", "bw")]
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        options = {
            "sequence_length": lengths,
            "dtype": tf.float32,
            "time_major": True,
            "scope": tf.get_variable_scope(),
        }
        expected = tf.nn.dynamic_rnn(block[0], x, **options)
        turned = tf.reverse(x, [0]) if lengths is None else tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)
        outputs, state = tf.nn.dynamic_rnn(block[1], turned, **options)
    turned = tf.reverse(outputs, [0]) if lengths is None else tf.reverse_sequence(outputs, lengths, 0, 1)
    found, listed, expected = evaluated(session, (forward, backward), listed, (expected, (turned, state)))
    for ours, theirs in zip(tf.nest.flatten(found), tf.nest.flatten(expected)):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    if lengths is None:
        np.testing.assert_allclose(listed, found[0][0], atol=1e-6)


@pytest.mark.parametrize("is_dynamic", [False, True])
def test_a_cell_as_a_fused_one(session, is_dynamic):
    x, cell = tf.constant(RANDOM.normal(size=[4, 2, 5]), tf.float32), tf.nn.rnn_cell.GRUCell(3)
    fused = cells.FusedRNNCellAdaptor(cell, is_dynamic)
    with tf.variable_scope("rnn", reuse=tf.AUTO_REUSE) as scope:
        options = {"dtype": tf.float32, "sequence_length": [4, 2], "scope": scope}
        whole, (listed, _) = fused(x, **options), fused(tf.unstack(x), **options)
        expected = tf.nn.dynamic_rnn(cell, x, time_major=True, **options)
    whole, listed, expected = evaluated(session, whole, listed, expected)
    for ours, theirs in zip((*whole, listed), (*expected, expected[0])):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_cell_that_looks_at_its_last_outputs(session):
    """In its first step there is nothing to look at, and in the second one output among zeros."""
    cell = tf.contrib.rnn.AttentionCellWrapper(tf.nn.rnn_cell.GRUCell(3), 2)
    x = [tf.constant(RANDOM.normal(size=[2, 4]), tf.float32) for _ in range(2)]
    outputs, (_, seen, window) = tf.nn.static_rnn(cell, x, dtype=tf.float32)
    scope, inner = "rnn/attention_cell_wrapper", ["gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"]
    inner = ["kernel", "bias", *(f"gru_cell/{name}" for name in inner)]
    attention = [f"attention/{name}" for name in ("attn_w", "attn_v", "kernel", "bias")]
    projection = [f"attn_output_projection/{name}" for name in ("kernel", "bias")]
    assert names() == [f"{scope}/{name}" for name in (*inner, *attention, *projection)]
    outputs, seen, window = evaluated(session, outputs, seen, window)
    np.testing.assert_array_equal(window, np.hstack(outputs))  # the last two
    weights = seen / outputs[0]  # of the first output, which stood beside zeros: one for each row
    np.testing.assert_allclose(weights, weights[:, :1] * np.ones([1, 3]), rtol=1e-4)
    assert np.all((weights > 0) & (weights < 1))
    for arguments, message in (((0,), "attn_length is 0"), ((2, None, None, None, False), "give state_is_tuple=True")):
        with pytest.raises(ValueError, match=message):
            tf.contrib.rnn.AttentionCellWrapper(tf.nn.rnn_cell.BasicLSTMCell(3), *arguments)


def test_linear_and_its_object(session):
    x, y = (tf.constant(RANDOM.normal(size=[3, n]), tf.float32) for n in (2, 4))
    with tf.variable_scope("plain"):
        plain = cells.linear([x, y], 5, True, 0.25)
    with tf.variable_scope("object"):
        made = cells.Linear([x, y], 5, True)
    twice = made([x, y]), made([x, y])
    assert names() == [f"{scope}/{name}" for scope in ("plain", "object") for name in ("kernel", "bias")]
    x, y, plain, (first, second), (W, b, V, c) = evaluated(session, x, y, plain, twice, tf.global_variables())
    both = np.concatenate([x, y], axis=1)
    np.testing.assert_allclose(plain, both @ W + 0.25, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(first, both @ V + c, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(first, second)


def test_batches_without_the_rest(session):
    numbers = tf.data.Dataset.range(1, 6)
    batches = numbers.apply(tf.contrib.data.batch_and_drop_remainder(2)).make_one_shot_iterator().get_next()
    rows = numbers.map(lambda n: tf.fill([n], n))
    padded = rows.apply(tf.contrib.data.padded_batch_and_drop_remainder(2, [None])).make_one_shot_iterator().get_next()
    assert [session.run(batches).tolist() for _ in range(2)] == [[1, 2], [3, 4]]
    assert session.run(padded).tolist() == [[1, 0], [2, 2]] and session.run(padded).tolist()[0] == [3, 3, 3, 0]
    for ended in batches, padded:
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(ended)


def test_conditional_random_field(session):
    """Against all sequences of tags, one by one."""
    inputs, transitions = RANDOM.normal(size=[4, 3, 2]), RANDOM.normal(size=[2, 2])
    tags, lengths = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0]]), np.array([3, 2, 1, 0])

    def score(row, path):
        steps = sum(inputs[row, step, tag] for step, tag in enumerate(path))
        return steps + sum(transitions[pair] for pair in zip(path, path[1:]))

    arguments = tf.constant(inputs, tf.float32), tf.constant(lengths), tf.constant(transitions, tf.float32)
    likelihood, _ = contrib.crf_log_likelihood(arguments[0], tf.constant(tags), *arguments[1:])
    found, (best, scores) = session.run([likelihood, contrib.crf_decode(arguments[0], arguments[2], arguments[1])])
    for row, length in enumerate(lengths[:3]):
        paths = {path: score(row, path) for path in itertools.product(range(2), repeat=int(length))}
        expected = paths[tuple(tags[row, :length].tolist())] - np.log(np.sum(np.exp(list(paths.values()))))
        assert found[row] == pytest.approx(expected, abs=1e-5)
        likeliest = max(paths, key=paths.get)
        assert best[row].tolist() == [*likeliest, *[0] * (3 - length)]
        assert scores[row] == pytest.approx(paths[likeliest], abs=1e-5)
        decoded, value = contrib.viterbi_decode(inputs[row, :length], transitions)
        assert tuple(decoded) == likeliest and value == pytest.approx(paths[likeliest])
    assert found[3] == 0
    with tf.variable_scope("made"):
        _, made = contrib.crf_log_likelihood(arguments[0], tf.constant(tags), arguments[1])
    assert made.op.name == "made/transitions" and made.shape.as_list() == [2, 2]


def test_a_state_of_one_layer_stays_a_tuple(session):
    cell = tf.contrib.rnn.MultiRNNCell([tf.nn.rnn_cell.GRUCell(3)])
    state = cell.zero_state(2, tf.float32)
    for found in session.run(state), pickle.loads(pickle.dumps(type(state)((1, 2)))), tf.nest.map_structure(abs, state):
        assert type(found) is type(state) and len(found) == 1


def test_orders_of_arguments_before_tf_1(session):
    x = np.arange(12.0).reshape(2, 6)
    by_name = old.split(split_dim=1, num_split=3, value=x), old.split(1, num_split=3, value=x), old.split(1, 3, value=x)
    for pieces in old.split(1, 3, x), old.split(x, 3, 1), *by_name:
        np.testing.assert_array_equal(session.run(pieces), np.split(x, 3, axis=1))
    assert [piece.shape.as_list() for piece in old.split(x, [2, 4], 1)] == [[2, 2], [2, 4]]
    by_name = old.concat(concat_dim=1, values=[x, x]), old.concat(1, values=[x, x]), old.concat(axis=1, values=[x, x])
    for whole in old.concat(1, [x, x]), old.concat([x, x], 1), *by_name:
        np.testing.assert_array_equal(session.run(whole), np.hstack([x, x]))
    assert old.concat(1, [x, x], "name").op.name == old.concat([x, x], axis=1, name="name_1").op.name[:-2] == "name"
    with pytest.raises(TypeError):
        old.concat([x, x])
    for reverse in old.reverse(x, [False, True]), old.reverse(x, [1]):
        np.testing.assert_array_equal(session.run(reverse), x[:, ::-1])
    logits, labels = LOGITS[0], TARGETS[0]
    function = old.NN["sparse_softmax_cross_entropy_with_logits"]
    for loss in (
        function(logits, labels),
        function(logits=logits, labels=labels),
        function(None, labels=labels, logits=logits),
        function(None, labels, logits),
        function(None, labels, logits=logits),
        function(_sentinel=None, labels=labels, logits=logits),
    ):
        np.testing.assert_allclose(session.run(loss), -np.log(PROBABILITIES[0][range(4), labels]), rtol=1e-5)
    function = old.NN["sigmoid_cross_entropy_with_logits"]
    zeros = np.zeros(3)
    for loss in function(zeros, targets=zeros), function(zeros, zeros), function(None, zeros, zeros):
        np.testing.assert_allclose(session.run(loss), [np.log(2)] * 3)
    function = old.NN["softmax_cross_entropy_with_logits"]
    by_rows = function(None, [[0.0, 0, 1], [1, 0, 0]], [[1.0, 2, 3], [0, 1, 0]], 0)  # its dim, from TensorFlow 1.15.5:
    np.testing.assert_allclose(session.run(by_rows), [1.3133, 0, 0.0486], atol=1e-4)
    for wrong in (None,), (None, zeros):
        with pytest.raises(ValueError, match="Both .*labels.* and .*logits.* must be provided"):
            function(*wrong)


def summary_of(session, summary):
    """Its op's name, and the tags with what they stand for: a number, a count of values, or a height."""
    values = tf.Summary.FromString(session.run(summary)).value
    return summary.op.name, {value.tag: value.simple_value or value.histo.num or value.image.height for value in values}


def test_summaries_of_before_tf_1(session):
    """The names and tags are recorded from TensorFlow 1.15.5's tf.contrib.deprecated."""
    x, images = tf.constant(2.5), tf.ones([4, 2, 2, 1])
    names = "scalar_summary histogram_summary image_summary merge_summary merge_all_summaries"
    scalar, histogram, image, merge, merge_all = (old.TF[name] for name in names.split())
    with tf.name_scope("a"):
        made = [scalar("loss", x), scalar(["l/1", "l 2"], [x, x + 1]), scalar("of x", x, name="x")]
        several = scalar(tf.constant(["p", "q"]), tf.stack([x, x]), ["mine"])
        made += [histogram("h", [1.0, 2, 3], name="hist"), histogram(tf.constant("h2"), [1.0])]
        made += [image("im", images, 2, name="img"), image("im2", images, max_images=1)]
    assert scalar("none", x, []).op.name == "ScalarSummary" and merge_all("empty") is None
    assert tf.get_collection("summaries") == made and tf.get_collection("mine") == [several]
    assert [summary_of(session, summary) for summary in [*made, several]] == [
        ("a/ScalarSummary", {"loss": 2.5}),
        ("a/ScalarSummary_1", {"l/1": 2.5, "l 2": 3.5}),
        ("a/x", {"of x": 2.5}),
        ("a/hist", {"h": 3}),
        ("a/HistogramSummary", {"h2": 1}),
        ("a/img", {"im/image/0": 2, "im/image/1": 2}),
        ("a/ImageSummary", {"im2/image": 2}),
        ("a/ScalarSummary_2", {"p": 2.5, "q": 2.5}),
    ]
    merged = {"loss": 2.5, "of x": 2.5}
    assert summary_of(session, merge(made[:3:2])) == ("MergeSummary/MergeSummary", merged)
    both = merge(inputs=made[:3:2], collections=["both"], name="both")
    assert summary_of(session, both) == ("both/both", merged) and tf.get_collection("both") == [both]
    assert summary_of(session, merge_all("mine"))[0] == "MergeSummary_1/MergeSummary"
    assert len(summary_of(session, merge_all())[1]) == 9 and tf.get_collection("summaries") == made


def test_sampled_losses_take_labels_and_inputs_in_either_order(session):
    weights, biases = tf.constant(RANDOM.normal(size=[9, 4]), tf.float32), tf.zeros([9])
    inputs, labels = tf.constant(RANDOM.normal(size=[3, 4]), tf.float32), tf.constant([[1], [2], [3]], tf.int64)
    values = tf.constant([0, 1, 2], tf.int64), tf.ones([3, 1]), tf.ones([3])
    function = old.NN["sampled_softmax_loss"]
    losses = [
        function(weights, biases, *pair, 3, 9, sampled_values=values) for pair in ((inputs, labels), (labels, inputs))
    ]
    first, second = session.run(losses)
    np.testing.assert_array_equal(first, second)


def test_arrays_as_numpy_made_them(tmp_path):
    np.testing.assert_array_equal(old.linspace(0, 3, 4.0), [0, 1, 2, 3])
    np.save(tmp_path / "objects.npy", old.array([[1, 2], [3]]), allow_pickle=True)
    assert old.load(tmp_path / "objects.npy")[1] == [3]
    ragged = old.array([[1, 2], [3]])
    assert ragged.dtype == object and list(ragged) == [[1, 2], [3]]
    assert old.array([[1, 2], [3, 4]]).shape == (2, 2)
    with pytest.raises(ValueError, match="inhomogeneous"):
        old.array([[1, 2], [3]], dtype=float)
    np.testing.assert_array_equal(old.fromstring(b"\1\2", np.uint8), [1, 2])
    np.testing.assert_array_equal(old.fromstring("1 2", int, sep=" "), [1, 2])
    source = (
        "found = int(x) + float(x), isinstance(3, int), int('7'), float('nan'), int(x=1) if 0 else int(), y.tostring()"
    )
    values = {"x": np.array([[2.5]]), "y": np.uint8([1, 2]), "__scalar__": old.scalar, "__tostring__": old.tostring}
    exec(old.compile_script(source, "script"), values)
    assert values["found"][:3] == (4.5, True, 7) and values["found"][4:] == (0, b"\1\2")


def test_versions():
    """As distutils of Python 3.11 compares them."""
    loose, strict = old.LooseVersion, old.StrictVersion
    for greater, less in (
        (loose("1.15.0"), "1.4"),
        (loose("1.10"), loose("1.9")),
        (loose("1.3.0"), "1.3"),
        (loose("1.4.0rc1"), "1.4.0"),
        (strict("1.15.0"), "1.4"),
        (strict("1.4"), "1.4.0a1"),
        (strict("1.4b2"), strict("1.4a3")),
    ):
        assert greater > less and greater >= less and less < greater and less <= greater and greater != less
        assert not greater < less and not greater <= less and not greater == less
    assert loose("1.4") == "1.4" and strict("1.3") == "1.3.0" and strict("1.3") != loose("1.3") and loose("1") != 1
    assert loose("2.0.0-beta1").version == [2, 0, 0, "-", "beta", 1] and repr(loose("1.x")) == "LooseVersion ('1.x')"
    found = strict("1.4.0a1")
    assert (found.version, found.prerelease, str(found)) == ((1, 4, 0), ("a", 1), "1.4a1")
    for wrong in lambda: strict("1.4.0-rc1"), lambda: strict("1.2") == "x":
        with pytest.raises(ValueError, match="invalid version number"):
            wrong()
    for wrong in lambda: strict("1.2") < 3, lambda: loose("1.a") < "1.2":
        with pytest.raises(TypeError, match="not supported between instances"):
            wrong()


def test_specs_of_arguments():
    assert old.getargspec(lambda a, b=2, *c, **d: a) == (["a", "b"], "c", "d", (2,))
    assert old.getargspec(tf.nn.rnn_cell.BasicLSTMCell.__init__).args[1] == "num_units"


def test_batches_of_images_go_round(images):
    folder = images(train=tuple(range(10)) * 2, test=(3, 4))
    data = tutorials.read_data_sets(folder, one_hot=True, validation_size=5)
    assert (data.train.num_examples, data.validation.num_examples, data.test.num_examples) == (15, 5, 2)
    assert data.train.images.shape == (15, 784) and data.train.images.dtype == np.float32
    np.testing.assert_array_equal(data.test.labels, np.eye(10)[[3, 4]])
    assert data.test.images[0, 0] == np.float32(60) * np.float32(1 / 255)
    counts = collections.Counter()
    for step in range(15):
        x, y = data.train.next_batch(4)
        labels = np.argmax(y, axis=1)
        np.testing.assert_allclose(x[:, 0], 20 * labels / 255, rtol=1e-6)
        counts.update(labels.tolist())
        assert data.train.epochs_completed == max(0, 4 * (step + 1) - 1) // 15
    assert sum(counts.values()) == 60 and all(count in (4, 8) for count in counts.values())  # each of 15 four times
    data = tutorials.read_data_sets(folder, validation_size=0, seed=5)
    first, second = (data.train.next_batch(20)[0] for _ in range(2))
    images_as_they_were = tutorials.read_data_sets(folder, validation_size=0, seed=5).train.images
    np.random.seed(5)  # as in TensorFlow, an epoch's order is a permutation of the last one's
    np.testing.assert_array_equal(first, images_as_they_were[first_order := np.random.permutation(20)])
    np.testing.assert_array_equal(second, images_as_they_were[first_order[np.random.permutation(20)]])
    plain = tutorials.read_data_sets(folder, dtype=tf.uint8, reshape=False, validation_size=0)
    assert plain.train.images.shape == (20, 28, 28, 1) and plain.train.images.dtype == np.uint8
    x, y = plain.train.next_batch(3, shuffle=False)
    np.testing.assert_array_equal(y, [0, 1, 2])
    with pytest.raises(UserError, match="validation_size 21 is not in the range from 0 to 20"):
        tutorials.read_data_sets(folder, validation_size=21)


def test_a_set_of_images_of_the_scripts_own(session):
    """What it gives and refuses is recorded from TensorFlow 1.15.5, and so is the order of its batches."""
    images, labels = np.arange(7 * 4).reshape(7, 2, 2, 1).astype(np.uint8), np.arange(7)
    data = tutorials.DataSet(images, labels, dtype=np.float32)
    np.testing.assert_allclose(data.images, np.arange(28).reshape(7, 4) / 255, rtol=1e-6)
    assert data.images.dtype == np.float32 and (data.num_examples, data.epochs_completed) == (7, 0)
    plain = tutorials.DataSet(images, labels, dtype=tf.uint8, reshape=False)
    assert plain.images.shape == (7, 2, 2, 1) and plain.images.dtype == np.uint8
    for error, message, *arguments in (
        (TypeError, "Invalid image dtype tf.int32, expected uint8 or float32", images, labels, False, False, tf.int32),
        (AssertionError, r"images.shape: \(7, 2, 2, 1\) labels.shape: \(1,\)", images, labels[:1]),
        (AssertionError, "images.shape", images.reshape(7, 2, 1, 2), labels),
        (IndexError, "tuple index out of range", images[..., 0], labels),
    ):
        with pytest.raises(error, match=message):
            tutorials.DataSet(*arguments)
    with pytest.raises(AttributeError, match="one_hot"):
        data.next_batch(2, fake_data=True)

    def order(seed=None):
        data = tutorials.DataSet(images, labels, seed=seed)
        batches = [data.next_batch(3)[1].tolist() for _ in range(6)] + [data.next_batch(4, shuffle=False)[1].tolist()]
        np.testing.assert_allclose(data.images[:, 0] * 255 / 4, data.labels, rtol=1e-6)
        return batches + [data.labels.tolist(), data.epochs_completed]

    start = [[6, 2, 4], [1, 0, 5], [3, 5, 2], [0, 4, 6], [1, 3, 0], [1, 3, 4], [5, 2, 6, 0]]
    with tf.Graph().as_default():
        assert order(seed=5) == [*start, [0, 1, 3, 4, 5, 2, 6], 3]
        tf.set_random_seed(7)
        start = [[2, 5, 0], [6, 3, 1], [4, 3, 1], [6, 0, 5], [2, 4, 1], [6, 2, 0], [4, 5, 3, 1]]
        assert order() == order() == [*start, [1, 6, 2, 0, 4, 5, 3], 3]
        data = tutorials.DataSet(images, labels, seed=3)
    batches = [data.next_batch(3, shuffle=False)[1].tolist() for _ in range(4)]
    assert batches == [[0, 1, 2], [3, 4, 5], [6, 0, 1], [2, 3, 4]]
    assert data.next_batch(20)[1].tolist() == [5, 6, 4, 6, 5, 3, 1, 0, 2] and data.epochs_completed == 2


def test_fake_images():
    for one_hot, label in (True, [1] + [0] * 9), (False, 0):
        data = tutorials.read_data_sets("nowhere", fake_data=True, one_hot=one_hot)
        x, y = data.train.next_batch(3, True)
        assert (x, y) == ([[1] * 784] * 3, [label] * 3)
        assert data.test.num_examples == 10000 and data.validation.images == []


def test_batches_of_words():
    batches = list(tutorials.ptb_iterator(list(range(11)), 2, 2))
    assert [batch[0].tolist() for batch in batches] == [[[0, 1], [5, 6]], [[2, 3], [7, 8]]]
    assert all(np.array_equal(y, x + 1) for x, y in batches)
