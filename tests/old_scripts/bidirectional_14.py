"""A bidirectional classifier of sums, as in the examples of 2017 and 2018: static_bidirectional_rnn, old summaries."""

import numpy as np
import tensorflow as tf

n_input, n_steps, n_hidden = 2, 8, 16
x = tf.placeholder(tf.float32, [None, n_steps, n_input])
labels = tf.placeholder(tf.float32, [None])
with tf.variable_scope("bi"):
    fw_cell = tf.contrib.rnn.LSTMCell(n_hidden, initializer=tf.contrib.layers.variance_scaling_initializer())
    bw_cell = tf.contrib.rnn.LSTMCell(n_hidden, forget_bias=1.0)
    steps = tf.unstack(tf.transpose(x, [1, 0, 2]))
    outputs, _, _ = tf.contrib.rnn.static_bidirectional_rnn(fw_cell, bw_cell, steps, dtype=tf.float32)
middle = outputs[n_steps // 2]
assert middle.get_shape()[1].value == 2 * n_hidden
logits = tf.squeeze(tf.layers.dense(middle, 1), 1)
cost = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))
tf.summary.scalar("cost", cost)
accuracy = tf.reduce_mean(tf.to_float(tf.equal(logits > 0, labels > 0.5)))
optimizer = tf.train.RMSPropOptimizer(0.01).minimize(cost)

config = tf.ConfigProto(allow_soft_placement=True)
config.gpu_options.allow_growth = True
np.random.seed(1)
with tf.Session(config=config) as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(101):
        batch = np.random.randn(64, n_steps, n_input)
        feed = {x: batch, labels: (batch.sum(axis=(1, 2)) > 0).astype(np.float)}
        sess.run(optimizer, feed)
        if step % 50 == 0:
            print("Iter %d, Loss= %.4f, Accuracy= %.3f" % ((step,) + tuple(sess.run([cost, accuracy], feed))))
