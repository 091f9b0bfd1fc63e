"""A regression of a sine, as in the books of 2017: OutputProjectionWrapper, contrib.layers, a regularizer, a saver."""

import numpy as np
import tensorflow as tf
import tensorflow.contrib.layers as layers
from tensorflow.contrib.framework import get_or_create_global_step

n_steps, n_inputs, n_neurons, n_outputs = 20, 1, 30, 1
reset_graph = tf.reset_default_graph
reset_graph()
tf.set_random_seed(42)
np.random.seed(42)

X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
y = tf.placeholder(tf.float32, [None, n_steps, n_outputs])
cell = tf.contrib.rnn.OutputProjectionWrapper(
    tf.contrib.rnn.BasicRNNCell(num_units=n_neurons, activation=tf.nn.relu), output_size=10
)
rnn_outputs, states = tf.nn.dynamic_rnn(cell, X, dtype=tf.float32)
stacked = tf.reshape(rnn_outputs, [-1, 10])
outputs = layers.fully_connected(
    stacked,
    n_outputs,
    activation_fn=None,
    weights_initializer=layers.xavier_initializer(),
    weights_regularizer=tf.contrib.layers.l2_regularizer(1e-4),
)
outputs = tf.reshape(outputs, [-1, n_steps, n_outputs])
loss = tf.reduce_mean(tf.square(outputs - y)) + tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))
training_op = tf.train.AdamOptimizer(learning_rate=0.01).minimize(loss, global_step=get_or_create_global_step())

with tf.Session() as sess:
    tf.global_variables_initializer().run()
    for iteration in range(201):
        t0 = np.random.rand(32, 1) * 20
        series = np.sin(t0 + np.arange(n_steps + 1) * 0.3)
        feed = {X: series[:, :-1, None], y: series[:, 1:, None]}
        sess.run(training_op, feed_dict=feed)
        if iteration % 100 == 0:
            print(iteration, "\tMSE:", loss.eval(feed_dict=feed))
    print("Steps:", tf.train.global_step(sess, tf.train.get_global_step()))
