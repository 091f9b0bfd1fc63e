"""What every language model here is made of, apart from how it is trained: a table, layers of cells, a softmax."""

import numpy as np

from tf1 import tf


class LanguageModel:
    """Reads words or characters, one after the other, and predicts the next one.

    Args:
      embedding: [vocab_size, embedding_size].
      cells: a list of `BasicLSTMCell` or `rnn.GRUCell`, one a layer, whose variables are there.
      softmax_w, softmax_b: [units, vocab_size] and [vocab_size].

    Attributes:
      the same, and `vocab_size`.

    A state is one tensor or array here: [num_layers, 2, batch_size, units] of LSTM cells, c before h, and
    [num_layers, batch_size, units] of GRU cells.
    """

    def __init__(self, embedding, cells, softmax_w, softmax_b):
        self.embedding, self.cells, self.softmax_w, self.softmax_b = embedding, cells, softmax_w, softmax_b
        self.vocab_size = embedding.shape[0].value
        self._is_lstm = isinstance(cells[0].state_size, tf.nn.rnn_cell.LSTMStateTuple)  # also within a wrapper

    def state_shape(self, batch_size):
        """That of a state, a list."""
        return [len(self.cells), *([2] if self._is_lstm else []), batch_size, self.cells[0].output_size]

    def zero_state(self, batch_size):
        """The state before a text, an array."""
        return np.zeros(self.state_shape(batch_size), np.float32)

    def of_layers(self, state):
        """The state as the cells take it, one a layer."""
        states = tf.unstack(state)
        return [tf.nn.rnn_cell.LSTMStateTuple(*tf.unstack(s)) for s in states] if self._is_lstm else states

    def as_one(self, states):
        """The reverse."""
        return tf.stack([tf.stack(state) if self._is_lstm else state for state in states])

    def step(self, ids, state):
        """The logits [batch_size, vocab_size] of what follows the `ids` [batch_size], and the state after them."""
        output, states = tf.nn.embedding_lookup(self.embedding, ids), []
        for cell, cell_state in zip(self.cells, self.of_layers(state)):
            output, cell_state = cell(output, cell_state)
            states.append(cell_state)
        return tf.matmul(output, self.softmax_w) + self.softmax_b, self.as_one(states)

    def sequence(self, ids, state):
        """The same for `ids` [batch_size, num_steps], of any number: logits [batch_size, num_steps, vocab_size]."""
        output, states = tf.nn.embedding_lookup(self.embedding, ids), []
        for cell, cell_state in zip(self.cells, self.of_layers(state)):
            output, cell_state = tf.nn.dynamic_rnn(cell, output, initial_state=cell_state)
            states.append(cell_state)
        logits = tf.tensordot(output, self.softmax_w, 1) + self.softmax_b
        return logits, self.as_one(states)
