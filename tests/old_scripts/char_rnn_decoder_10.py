"""A character model as it was written for TensorFlow 1.0: rnn_decoder with a loop function, contrib's names."""

import argparse
import os
import pickle

import numpy as np
import tensorflow as tf
from tensorflow.contrib import legacy_seq2seq, rnn
from tensorflow.python.ops import rnn_cell_impl

parser = argparse.ArgumentParser()
parser.add_argument("--text", required=True)
parser.add_argument("--save_dir", default="save")
parser.add_argument("--model", default="lstm")
parser.add_argument("--steps", type=int, default=60)


class Model:
    def __init__(self, args, vocab_size, infer=False, batch_size=8, seq_length=12, size=32):
        if infer:
            batch_size = seq_length = 1
        cell_fn = {"rnn": rnn.BasicRNNCell, "gru": rnn.GRUCell, "lstm": rnn.BasicLSTMCell, "nas": rnn.NASCell}[
            args.model
        ]
        assert issubclass(cell_fn, rnn_cell_impl.RNNCell)
        self.cell = cell = rnn.MultiRNNCell([cell_fn(size) for _ in range(2)], state_is_tuple=True)
        self.input_data = tf.placeholder(tf.int32, [batch_size, seq_length])
        self.targets = tf.placeholder(tf.int32, [batch_size, seq_length])
        self.initial_state = cell.zero_state(batch_size, tf.float32)
        with tf.variable_scope("rnnlm"):
            softmax_w = tf.get_variable("softmax_w", [size, vocab_size])
            softmax_b = tf.get_variable("softmax_b", [vocab_size])
        embedding = tf.get_variable("embedding", [vocab_size, size])
        inputs = tf.split(tf.nn.embedding_lookup(embedding, self.input_data), seq_length, 1)
        inputs = [tf.squeeze(input_, [1]) for input_ in inputs]

        def loop(prev, _):
            prev = tf.matmul(prev, softmax_w) + softmax_b
            return tf.nn.embedding_lookup(embedding, tf.stop_gradient(tf.argmax(prev, 1)))

        outputs, last_state = legacy_seq2seq.rnn_decoder(
            inputs, self.initial_state, cell, loop_function=loop if infer else None, scope="rnnlm"
        )
        output = tf.reshape(tf.concat(outputs, 1), [-1, size])
        self.logits = tf.matmul(output, softmax_w) + softmax_b
        self.probs = tf.nn.softmax(self.logits)
        loss = legacy_seq2seq.sequence_loss_by_example(
            [self.logits], [tf.reshape(self.targets, [-1])], [tf.ones([batch_size * seq_length])]
        )
        self.cost = tf.reduce_sum(loss) / batch_size / seq_length
        self.final_state = last_state
        self.lr = tf.Variable(0.0, trainable=False)
        tvars = tf.trainable_variables()
        grads, _ = tf.clip_by_global_norm(tf.gradients(self.cost, tvars), 5.0)
        with tf.name_scope("optimizer"):
            self.train_op = tf.train.AdamOptimizer(self.lr).apply_gradients(zip(grads, tvars))


def main():
    args = parser.parse_args()
    text = open(args.text).read()
    chars = sorted(set(text))
    vocab = dict(zip(chars, range(len(chars))))
    data = np.array([vocab[c] for c in text])
    tf.set_random_seed(1)
    model = Model(args, len(chars))
    if not os.path.isdir(args.save_dir):
        os.makedirs(args.save_dir)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        saver = tf.train.Saver(tf.global_variables())
        sess.run(tf.assign(model.lr, 0.01))
        state = sess.run(model.initial_state)
        for b in range(args.steps):
            starts = np.arange(8) * (len(data) // 8) + b * 12 % (len(data) // 8 - 13)
            x, y = (np.stack([data[s + shift : s + shift + 12] for s in starts]) for shift in (0, 1))
            feed = {model.input_data: x, model.targets: y, model.initial_state: state}
            train_loss, state, _ = sess.run([model.cost, model.final_state, model.train_op], feed)
            if b % 20 == 0 or b == args.steps - 1:
                print("{}/{}, train_loss = {:.3f}".format(b, args.steps, train_loss))
        saver.save(sess, os.path.join(args.save_dir, "model.ckpt"), global_step=args.steps)
    with open(os.path.join(args.save_dir, "vocab.pkl"), "wb") as f:
        pickle.dump(vocab, f)
    tf.reset_default_graph()
    model = Model(args, len(chars), infer=True)
    with tf.Session() as sess:
        tf.train.Saver(tf.global_variables()).restore(
            sess, tf.train.get_checkpoint_state(args.save_dir).model_checkpoint_path
        )
        state, char, written = sess.run(model.cell.zero_state(1, tf.float32)), text[0], text[0]
        for _ in range(20):
            probs, state = sess.run(
                [model.probs, model.final_state], {model.input_data: [[vocab[char]]], model.initial_state: state}
            )
            char = chars[int(np.argmax(probs[0]))]
            written += char
        print("sample: %r" % written)


if __name__ == "__main__":
    main()
