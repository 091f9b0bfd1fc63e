"""An LSTM of 128 units over the rows of 28 x 28 images, 128 at once, in TensorFlow 1.x; random pixels."""

import sys
import time

import numpy as np
import tensorflow as tf
from tensorflow.contrib import rnn

X = tf.placeholder("float", [None, 28, 28])
Y = tf.placeholder("float", [None, 10])
outputs, states = rnn.static_rnn(rnn.BasicLSTMCell(128, forget_bias=1.0), tf.unstack(X, 28, 1), dtype=tf.float32)
logits = tf.matmul(outputs[-1], tf.Variable(tf.random_normal([128, 10]))) + tf.Variable(tf.random_normal([10]))
loss_op = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=Y))
train_op = tf.train.AdamOptimizer(0.001).minimize(loss_op)

random = np.random.RandomState(0)
feed = {X: random.rand(128, 28, 28), Y: np.eye(10)[random.randint(0, 10, 128)]}
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for step in range(10 + int(sys.argv[1])):
        if step == 10:
            start = time.time()
        sess.run(train_op, feed)
print("%.3f ms a step" % ((time.time() - start) / int(sys.argv[1]) * 1000))
