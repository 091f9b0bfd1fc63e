"""Sequences of several lengths, as in the tutorials of 2018: dynamic_rnn, HParams, tf.data, an embedding, a saver."""

import os
import tempfile

import numpy as np
import tensorflow as tf

hparams = tf.contrib.training.HParams(num_units=16, learning_rate=0.02, max_len=9)
hparams.parse("num_units=20")
tf.logging.set_verbosity(tf.logging.INFO)


def make_data(n=256):
    random = np.random.RandomState(0)
    lengths = random.randint(1, hparams.max_len + 1, n)
    ids = random.randint(1, 5, [n, hparams.max_len]) * (np.arange(hparams.max_len) < lengths[:, None])
    return ids.astype(np.int32), lengths.astype(np.int32), (ids == 3).any(axis=1).astype(np.int32)


tf.set_random_seed(1)
dataset = tf.data.Dataset.from_tensor_slices(make_data()).shuffle(256, seed=1).repeat().batch(64)
ids, lengths, labels = dataset.make_one_shot_iterator().get_next()
embedded = tf.nn.embedding_lookup(tf.get_variable("embedding", [5, 8]), ids)
cell = tf.nn.rnn_cell.GRUCell(hparams.num_units)
outputs, last = tf.nn.dynamic_rnn(cell, embedded, sequence_length=lengths, dtype=tf.float32)
logits = tf.layers.dense(last, 2, kernel_initializer=tf.contrib.layers.xavier_initializer())
loss = tf.losses.sparse_softmax_cross_entropy(labels, logits)
global_step = tf.train.get_or_create_global_step()
train_op = tf.train.AdamOptimizer(hparams.learning_rate).minimize(loss, global_step)
saver = tf.train.Saver(max_to_keep=1)

with tf.Session() as sess, tempfile.TemporaryDirectory() as folder:
    sess.run(tf.global_variables_initializer())
    for step in range(121):
        value, _ = sess.run([loss, train_op])
        if step % 60 == 0:
            print("step %d loss %.4f" % (step, value))
    path = saver.save(sess, os.path.join(folder, "model"), global_step)
    saver.restore(sess, path)
    print("shapes", dict(tf.train.list_variables(path))["rnn/gru_cell/gates/kernel"])
