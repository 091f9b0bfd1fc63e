"""A text that a trained network writes: the loop that draws words or characters, inside the graph.

A `session.run` for each word would take several times as long as what it computes (`python -m benchmarks.generation`).
"""

import math

import numpy as np

from tf1 import rnn, tf

ITEMS_A_RUN = 200  # words or characters that one session.run reads and draws


class Sampler:
    """What draws a text with a network; create it before the graph is final.

    Args:
      network: a `LanguageModel`.
      temperature: the logits are divided by it; 0: the likeliest is taken.
      top_k: nothing is drawn that is less likely than the k-th likeliest; None: all can be.
      excluded: ids that are never drawn, such as that of `<unk>`.
      is_compiled: the loop is compiled by XLA, which takes a second, and writes three times as fast from then on.
    """

    def __init__(self, network, temperature=1.0, top_k=None, excluded=(), is_compiled=True):
        self._zero_state = network.zero_state(1)
        with tf.name_scope("sampler"):
            self._build(network, {"temperature": temperature, "top_k": top_k, "excluded": excluded}, is_compiled)

    def _build(self, network, choice, is_compiled):
        self._given = tf.placeholder(tf.int32, [ITEMS_A_RUN])  # to be read; -1: what was drawn before
        self._uniform = tf.placeholder(tf.float32, [ITEMS_A_RUN])  # random numbers of the places
        self._last = tf.placeholder(tf.int32, [])  # what was drawn last
        self._count = tf.placeholder(tf.int32, [])  # of the steps, at most ITEMS_A_RUN
        self._state = tf.placeholder(tf.float32, self._zero_state.shape)
        # A compiled function takes values, and no variables.
        weights = [tf.identity(weight) for weight in (network.embedding, network.softmax_w, network.softmax_b)]
        cells = [rnn.time_step(cell) for cell in network.cells]

        def loop(given, uniform, last, count, state):
            embedding, softmax_w, softmax_b = weights

            def body(index, last, states, drawn):
                last = tf.where(given[index] < 0, last, given[index])
                output, new_states = tf.gather(embedding, last[None]), []  # [1, embedding_size]
                for step, cell_state in zip(cells, states):
                    output, cell_state = step(output, cell_state)
                    new_states.append(cell_state)
                logits = tf.matmul(output, softmax_w) + softmax_b
                last = choose(logits[0], uniform[index], **choice)
                return index + 1, last, new_states, drawn.write(index, last)

            loop_vars = [0, last, network.of_layers(state), tf.TensorArray(tf.int32, ITEMS_A_RUN)]
            condition = lambda index, *_: index < count
            _, last, states, drawn = tf.while_loop(condition, body, loop_vars, back_prop=False)
            return drawn.stack(), last, network.as_one(states)

        if is_compiled:
            loop = tf.function(loop, jit_compile=True, autograph=False)
        # [ITEMS_A_RUN], [] and the state
        self._results = loop(self._given, self._uniform, self._last, self._count, self._state)

    def ids(self, session, start, count, seed):
        """Yields `count` ids that follow the ids `start`, in pieces, each from one `session.run`.

        The n-th of them depends on the n-th random number of the `seed`, so the text does not depend on the pieces.
        """
        state, last, random = self._zero_state, 0, np.random.RandomState(seed)
        before = len(start) - 1  # steps that read the start; what they draw is not used
        for begin in range(0, before + count, ITEMS_A_RUN):
            steps = min(ITEMS_A_RUN, before + count - begin)
            unused = min(steps, max(0, before - begin))
            given, uniform = np.full(ITEMS_A_RUN, -1), np.zeros(ITEMS_A_RUN)
            piece = start[begin : begin + ITEMS_A_RUN]
            given[: len(piece)], uniform[unused:steps] = piece, random.random_sample(steps - unused)
            feed_dict = {self._given: given, self._uniform: uniform, self._last: last, self._count: steps}
            drawn, last, state = session.run(self._results, {**feed_dict, self._state: state})
            yield drawn[unused:steps]


class Writer:
    """Writes a text with a network, and prints it as it comes; create it before the graph is final.

    Args:
      network: a `LanguageModel`.
      vocabulary: a `reader.Vocabulary`.
      args: the flags, of which `start_string`, `temperature`, `top_k`, `no_unk` and `seed` are used.
      is_compiled: as for a `Sampler`; the samples of a training are short.
    Raises:
      UserError: the start string has what the network cannot read.
    """

    def __init__(self, network, vocabulary, args, is_compiled=False):
        self._start, start_string = vocabulary.start(args.start_string)
        self.start_string, self._vocabulary, self._seed = start_string, vocabulary, args.seed
        excluded = vocabulary.excluded(network.vocab_size, getattr(args, "no_unk", False))
        self._sampler = Sampler(network, args.temperature, args.top_k, excluded, is_compiled)

    def write(self, session, count, watched=iter):
        """Prints the start string and `count` words or characters after it; returns the whole text.

        Args:
          watched: wraps an iterable, as `Run.watched` does: it shows progress, and may stop between two items.
        """
        text = self.start_string
        print(text, end="", flush=True)
        try:
            for ids in watched(self._sampler.ids(session, self._start, count, self._seed)):
                piece = self._vocabulary.text(ids, text)
                print(piece, end="", flush=True)
                text += piece
        finally:
            print(end="" if text.endswith("\n") else "\n", flush=True)
        return text


def exclude(logits, excluded):
    """The logits [vocab_size], with no probability for the ids that are excluded."""
    if not len(excluded):
        return logits
    is_excluded = np.isin(range(logits.shape[0].value), excluded)
    return tf.where(is_excluded, tf.fill(logits.shape, -np.inf), logits)


def choose(logits, uniform, temperature=1.0, top_k=None, excluded=()):
    """The id that a random number chooses.

    Args:
      logits: [vocab_size].
      uniform: [], at least 0 and below 1.
      temperature, top_k, excluded: as for a `Sampler`.
    Returns:
      int32 []: the first id whose cumulative probability exceeds the number.
    """
    vocab_size, logits = logits.shape[0].value, exclude(logits, excluded)
    if temperature == 0:
        return tf.argmax(logits, output_type=tf.int32)
    if top_k and top_k < vocab_size:
        logits = tf.where(_is_among_largest(logits, top_k), logits, tf.fill([vocab_size], -np.inf))
    weights = tf.exp((logits - tf.reduce_max(logits)) / temperature)
    # In a square, first its row and then the place in it: a cumulative sum of thousands is slow.
    size = math.ceil(math.sqrt(vocab_size))
    weights = tf.reshape(tf.pad(weights, [[0, size * size - vocab_size]]), [size, size])
    row, rest = _place(tf.reduce_sum(weights, axis=1), uniform)
    place, _ = _place(tf.matmul(tf.one_hot(row, size)[None], weights)[0], rest)
    return row * size + place


def _is_among_largest(values, k):
    """Which of the values are at least the k-th largest; `tf.nn.top_k` would have XLA sort all of them.

    The bits of a float, read as an integer, have its order once those of the negative ones are turned over. The k-th
    largest integer is found bit by bit from the highest on.
    """
    bits = tf.bitcast(values, tf.uint32)
    highest = tf.constant(1 << 31, tf.uint32)
    keys = tf.where(bits < highest, bits | highest, ~bits)

    def body(bit, found):
        larger = found | bit
        count = tf.reduce_sum(tf.cast(keys >= larger, tf.int32))
        return tf.bitwise.right_shift(bit, tf.ones_like(bit)), tf.where(count >= k, larger, found)

    _, found = tf.while_loop(lambda bit, _: bit > 0, body, [highest, tf.zeros_like(highest)], back_prop=False)
    return keys >= found


def _place(weights, uniform):
    """The first place where the cumulative sum exceeds this part of the whole, and the part of its weight that is over.

    The last place of a positive weight is the last one, however the sums are rounded.
    """
    ends = tf.cumsum(weights)
    is_before = (ends <= uniform * ends[-1]) & (ends < ends[-1])
    place = tf.reduce_sum(tf.cast(is_before, tf.int32))
    starts = tf.reduce_max(tf.where(is_before, ends, tf.zeros_like(ends)))
    end = tf.reduce_min(tf.where(is_before, tf.fill(tf.shape(ends), np.inf), ends))
    return place, (uniform * ends[-1] - starts) / (end - starts)
