"""Can an RNN learn which strings are in the embedded Reber grammar, and is it right about new ones?

    python -m studies.reber        1 minute

It can. After 50 epochs a GRU layer of 30 units is right about all of 2,000 strings that it never saw, on another
machine about 99.95 %; with the seeds 1, 2 and 3 about 100, 99.75 and 100 %. Half of them are good, the others have one
wrong symbol. Such a string is never good by chance: no two strings of the grammar differ in one symbol alone. What is
hard is far apart:

    B T  BTXSE  T E        a string of the Reber grammar between two T
    B P  BTXSE  P E        or between two P; the inner one may be long

The strings are those of the notebook, and so are the first four epochs, to the last digit:

       3  Train loss: 0.4908, accuracy: 82.00%  Validation accuracy: 73.22%       recorded: the same
      16  Train loss: 0.0031, accuracy: 100.00%  Validation accuracy: 98.96%       0.0116  100.00%   99.86%
      49  Train loss: 0.0000, accuracy: 100.00%  Validation accuracy: 100.00%     0.0001  100.00%  100.00%

After them a difference in rounding grows, with so much momentum. Of the notebook's two test strings, of which the first
is bad, it recorded probabilities of 13.30 % and 99.97 %; here they are 0.01 % and 99.99 %.

The recorded accuracy is that of 5,000 validation strings, 4,270 of which are training strings, too: short ones come
often. So the new strings are drawn with another seed, no two are the same, and none is in either set.

Sources: Aurélien Géron 2017, "Hands-On Machine Learning with Scikit-Learn and TensorFlow" (O'Reilly), chapter 14,
exercise 7, and its notebook 14_recurrent_neural_networks.ipynb at https://github.com/ageron/handson-ml, as of 6 August
2018; Reber 1967, "Implicit Learning of Artificial Grammars"; Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
"""

import numpy as np

import configs
import studies
from tf1 import app, rnn, tf
from tf1.app import Diverged, UserError
from tf1.op_seeds import kernel_seeds

SYMBOLS = "BEPSTVX"
END = 7
REBER = (  # for each state the symbols that may follow, each with the state that it leads to
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": END},
)
OUTER = "TP"  # the second symbol of an embedded string, which comes again as the last but one
N_SHOWN = 25  # strings of each kind, as in the notebook
TEST_STRINGS = "BPBTSSSSSSSXXTTVPXVPXTTTTTVVETE", "BPBTSSSSSSSXXTTVPXVPXTTTTTVVEPE"  # the second one is good


def draw_reber(random):
    """A string of the Reber grammar, all symbols that may follow equally likely."""
    state, string = 0, ""
    while state != END:
        symbols = list(REBER[state])
        string += symbols[random.randint(len(symbols))]
        state = REBER[state][string[-1]]
    return string


def draw_embedded(random):
    outer = OUTER[random.randint(len(OUTER))]
    return f"B{outer}{draw_reber(random)}{outer}E"


def draw_corrupted(random):
    """A string of the embedded grammar with one symbol changed, which is not in the grammar."""
    while True:
        string = draw_embedded(random)
        place = random.randint(len(string))
        others = SYMBOLS.replace(string[place], "")
        corrupted = string[:place] + others[random.randint(len(others))] + string[place + 1 :]
        if not is_embedded(corrupted):  # it never is, but the labels depend on it
            return corrupted


def is_reber(string):
    state = 0
    for symbol in string:
        if state == END or symbol not in REBER[state]:
            return False
        state = REBER[state][symbol]
    return state == END


def is_embedded(string):
    """Whether the string is in the embedded grammar."""
    outer = string[1:2]
    is_framed = len(string) >= 4 and string[0] == "B" and outer in OUTER and string[-2:] == f"{outer}E"
    return is_framed and is_reber(string[2:-2])


def draw_set(size, random):
    """Strings in a random order, half of them corrupted, and for each 1 if it is in the grammar, else 0."""
    n_good = size // 2
    strings = [draw_embedded(random) if index < n_good else draw_corrupted(random) for index in range(size)]
    order = random.permutation(size)
    return [strings[index] for index in order], (order < n_good).astype(int)


def draw_new(size, random, known):
    """The same of different strings, none of them among the `known`, good ones first."""
    n_good, found = size // 2, {}  # a dict has its keys in their order
    for draw, count in (draw_embedded, n_good), (draw_corrupted, size):
        while len(found) < count:
            string = draw(random)
            if string not in known:
                found[string] = True
    return list(found), (np.arange(size) < n_good).astype(int)


class ReberModel:
    """The graph that reads strings of up to `n_steps` symbols, and gives the probability that they are in the grammar.

    `config` has the hyperparameters, a `ReberSmallConfig`.
    """

    def __init__(self, config, n_steps):
        self._n_steps = n_steps
        self.X = tf.placeholder(tf.float32, [None, n_steps, len(SYMBOLS)])  # batch-major, one-hot
        self.seq_length = tf.placeholder(tf.int32, [None])
        self.y = tf.placeholder(tf.float32, [None, 1])

        gru_cell = tf.nn.rnn_cell.GRUCell(num_units=config.n_neurons)
        with kernel_seeds(107, 121, 187):  # the notebook's draws: gates, candidate, logits
            _, states = rnn.dynamic_rnn(gru_cell, self.X, dtype=tf.float32, sequence_length=self.seq_length)
            logits = tf.layers.dense(states, 1)  # [batch_size, 1], of states [batch_size, n_neurons]
        self.y_proba = tf.sigmoid(logits)

        self.loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=self.y, logits=logits))
        optimizer = tf.train.MomentumOptimizer(config.learning_rate, config.momentum, use_nesterov=True)
        self.training_op = optimizer.minimize(self.loss)

    def feed(self, strings, labels):
        """The feed_dict of these strings."""
        X = np.zeros([len(strings), self._n_steps, len(SYMBOLS)], np.float32)
        for row, string in enumerate(strings):
            X[row, np.arange(len(string)), [SYMBOLS.index(symbol) for symbol in string]] = 1
        return {self.X: X, self.seq_length: [len(string) for string in strings], self.y: np.reshape(labels, [-1, 1])}


def is_right(session, model, feed_dict):
    """Whether the model is right about each string, [number of strings]."""
    return (session.run(model.y_proba, feed_dict) > 0.5)[:, 0] == feed_dict[model.y][:, 0]


def train(session, model, config, train_set, validation_set):
    """Prints a line for each epoch; returns the accuracies on the validation strings, a list by epoch."""
    n_batches = len(train_set[0]) // config.batch_size
    batches = [model.feed(*batch) for batch in zip(*(np.array_split(part, n_batches) for part in train_set))]
    validation_feed, acc_val = model.feed(*validation_set), []
    for epoch in range(config.n_epochs):
        for feed_dict in batches:
            loss_val, _ = session.run([model.loss, model.training_op], feed_dict)
        Diverged.check("loss", loss_val, f"in epoch {epoch}")
        acc_train = np.mean(is_right(session, model, feed_dict))
        acc_val.append(float(np.mean(is_right(session, model, validation_feed))))
        numbers = epoch, loss_val, 100 * acc_train, 100 * acc_val[-1]
        print("{:4d}  Train loss: {:.4f}, accuracy: {:.2f}%  Validation accuracy: {:.2f}%".format(*numbers))
    return acc_val


@app.command
def main(argv=None):
    """Returns `acc_val`, a list by epoch, `acc_new`, and `y_proba` of TEST_STRINGS."""
    args, config = studies.parse_args(__file__, __doc__, configs.REBER_CONFIGS, argv)
    if config.n_train < config.batch_size:
        raise UserError(f"{config.n_train} strings cannot fill a batch of {config.batch_size}: lower batch_size")
    random = np.random.RandomState(args.seed)
    for name, draw in ("Reber", draw_reber), ("Embedded", draw_embedded), ("Corrupted", draw_corrupted):
        print(f"{name}:", *(draw(random) for _ in range(N_SHOWN)))
    train_set = draw_set(config.n_train, random)
    validation_set = draw_set(config.n_validation, np.random.RandomState(args.seed))  # as in the notebook
    known = {*train_set[0], *validation_set[0]}
    new_set = draw_new(config.n_new, np.random.RandomState(args.seed + 1), known)
    n_steps = max(map(len, [*known, *new_set[0], *TEST_STRINGS]))
    print(f"{config.n_train} strings for training, {config.n_validation} for validation, {len(known)} different ones;")
    print(f"{config.n_new} new ones; all of up to {n_steps} symbols")

    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        model = ReberModel(config, n_steps)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            acc_val = train(session, model, config, train_set, validation_set)
            right = is_right(session, model, model.feed(*new_set))
            y_proba_val = session.run(model.y_proba, model.feed(TEST_STRINGS, [0, 1]))[:, 0]
    good, corrupted = (100 * np.mean(right[new_set[1] == label]) for label in (1, 0))
    print(f"New strings, accuracy: {100 * np.mean(right):.2f}%, good ones {good:.2f}%, corrupted {corrupted:.2f}%")
    print("Estimated probability that these are Reber strings:")
    for string, probability in zip(TEST_STRINGS, y_proba_val):
        print(f"{string}: {100 * probability:.2f}%")
    return {"acc_val": acc_val, "acc_new": float(np.mean(right)), "y_proba": y_proba_val}


if __name__ == "__main__":
    main()
