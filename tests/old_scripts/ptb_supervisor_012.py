"""A word model as it was written for TensorFlow 0.12: flags, a session by Supervisor, arguments in the old order."""

from __future__ import absolute_import
from __future__ import division
from __future__ import print_function

import inspect
import time

import numpy as np
import tensorflow as tf

import reader

flags = tf.app.flags
flags.DEFINE_string("data_path", None, "folder of the three files")
flags.DEFINE_string("log_dir", None, "folder for the checkpoints")
flags.DEFINE_integer("epochs", 5, "how many")
FLAGS = flags.FLAGS


class Model(object):
    def __init__(self, is_training, vocab_size, batch_size, num_steps, size=24, num_layers=2):
        self.batch_size, self.num_steps = batch_size, num_steps
        self.x = tf.placeholder(tf.int32, [batch_size, num_steps])
        self.y = tf.placeholder(tf.int32, [batch_size, num_steps])
        if "reuse" in inspect.getargspec(tf.nn.rnn_cell.BasicLSTMCell.__init__).args:
            lstm_cell = tf.nn.rnn_cell.BasicLSTMCell(
                size, forget_bias=0.0, state_is_tuple=True, reuse=tf.get_variable_scope().reuse
            )
        else:
            lstm_cell = tf.nn.rnn_cell.BasicLSTMCell(size, forget_bias=0.0, state_is_tuple=True)
        if is_training:
            lstm_cell = tf.nn.rnn_cell.DropoutWrapper(lstm_cell, output_keep_prob=0.9)
        cell = tf.nn.rnn_cell.MultiRNNCell([lstm_cell] * num_layers, state_is_tuple=True)
        self.initial_state = cell.zero_state(batch_size, tf.float32)
        with tf.device("/cpu:0"):
            embedding = tf.get_variable("embedding", [vocab_size, size])
            inputs = tf.nn.embedding_lookup(embedding, self.x)
        inputs = [tf.squeeze(step, [1]) for step in tf.split(1, num_steps, inputs)]
        outputs, self.final_state = tf.nn.rnn(cell, inputs, initial_state=self.initial_state)
        output = tf.reshape(tf.concat(1, outputs), [-1, size])
        logits = tf.matmul(output, tf.get_variable("softmax_w", [size, vocab_size])) + tf.get_variable(
            "softmax_b", [vocab_size]
        )
        loss = tf.nn.seq2seq.sequence_loss_by_example(
            [logits], [tf.reshape(self.y, [-1])], [tf.ones([batch_size * num_steps])]
        )
        self.cost = tf.div(tf.reduce_sum(loss), batch_size)
        self.train_op = tf.no_op()
        if is_training:
            tvars = tf.trainable_variables()
            grads, _ = tf.clip_by_global_norm(tf.gradients(self.cost, tvars), 5)
            tf.scalar_summary("Training Loss", self.cost)
            optimizer = tf.train.AdamOptimizer(tf.mul(0.5, tf.select(True, 0.04, 0.1)))
            self.train_op = optimizer.apply_gradients(zip(grads, tvars))


def run_epoch(session, model, data):
    costs, iters, start, best = 0.0, 0, time.clock(), np.Inf
    state = session.run(model.initial_state)
    for x, y in reader.batches(data, model.batch_size, model.num_steps):
        feed_dict = {model.x: x, model.y: y}
        for i, (c, h) in enumerate(model.initial_state):
            feed_dict[c] = state[i].c
            feed_dict[h] = state[i].h
        cost, state, _ = session.run([model.cost, model.final_state, model.train_op], feed_dict)
        costs += cost
        iters += model.num_steps
        best = min(best, cost)
    assert best < np.Inf and time.clock() >= start
    return np.exp(costs / iters)


def main(_):
    if not FLAGS.data_path:
        raise ValueError("Must set --data_path")
    train_data, valid_data, vocab_size = reader.read(FLAGS.data_path)
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        initializer = tf.random_uniform_initializer(-0.1, 0.1)
        with tf.variable_scope("Model", reuse=None, initializer=initializer):
            m = Model(True, vocab_size, 10, 8)
        with tf.variable_scope("Model", reuse=True, initializer=initializer):
            mvalid = Model(False, vocab_size, 10, 8)
        print("Variables: %s" % ", ".join(v.op.name for v in tf.trainable_variables()))
        sv = tf.train.Supervisor(logdir=FLAGS.log_dir, init_op=tf.initialize_all_variables(), summary_op=None)
        with sv.managed_session() as session:
            for i in range(FLAGS.epochs):
                print("Epoch: %d Train Perplexity: %.3f" % (i + 1, run_epoch(session, m, train_data)))
                print("Epoch: %d Valid Perplexity: %.3f" % (i + 1, run_epoch(session, mvalid, valid_data)))


if __name__ == "__main__":
    tf.app.run()
