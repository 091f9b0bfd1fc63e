"""Numbers said backwards, as translations were trained in 2016: buckets, attention, a sampled softmax, greedy decoding."""

import random

import numpy as np
import tensorflow as tf

PAD, GO, EOS, SYMBOLS = 0, 1, 2, 13
BUCKETS = [(3, 5), (5, 7)]
SIZE, BATCH_SIZE = 48, 32
random.seed(1)
tf.set_random_seed(1)


class Translator(object):
    def __init__(self, forward_only):
        w = tf.get_variable("proj_w", [SIZE, SYMBOLS])
        w_t = tf.transpose(w)
        b = tf.get_variable("proj_b", [SYMBOLS])

        def sampled_loss(inputs, labels):
            labels = tf.reshape(labels, [-1, 1])
            return tf.nn.sampled_softmax_loss(w_t, b, inputs, labels, 8, SYMBOLS)

        cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.GRUCell(SIZE)] * 2)

        def seq2seq_f(encoder_inputs, decoder_inputs):
            return tf.nn.seq2seq.embedding_attention_seq2seq(
                encoder_inputs,
                decoder_inputs,
                cell,
                num_encoder_symbols=SYMBOLS,
                num_decoder_symbols=SYMBOLS,
                embedding_size=SIZE,
                output_projection=(w, b),
                feed_previous=forward_only,
            )

        ids = lambda name, count: [tf.placeholder(tf.int32, [None], "%s%d" % (name, i)) for i in range(count)]
        self.encoder_inputs = ids("encoder", BUCKETS[-1][0])
        self.decoder_inputs = ids("decoder", BUCKETS[-1][1] + 1)
        self.target_weights = [tf.placeholder(tf.float32, [None], "weight%d" % i) for i in range(BUCKETS[-1][1] + 1)]
        self.outputs, self.losses = tf.nn.seq2seq.model_with_buckets(
            self.encoder_inputs,
            self.decoder_inputs,
            self.decoder_inputs[1:],
            self.target_weights[:-1],
            BUCKETS,
            seq2seq_f,
            softmax_loss_function=sampled_loss,
        )
        if forward_only:
            self.outputs = [[tf.matmul(output, w) + b for output in outputs] for outputs in self.outputs]
        else:
            params = tf.trainable_variables()
            optimizer = tf.train.AdamOptimizer(0.01)
            self.updates = []
            for loss in self.losses:
                gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, params), 5.0)
                self.updates.append(optimizer.apply_gradients(zip(gradients, params)))

    def feed(self, pairs, bucket):
        encoder_size, decoder_size = BUCKETS[bucket]
        encoder = [list(reversed(source + [PAD] * (encoder_size - len(source)))) for source, _ in pairs]
        decoder = [[GO] + target + [EOS] + [PAD] * (decoder_size - len(target) - 1) for _, target in pairs]
        feed = {}
        for step in range(encoder_size):
            feed[self.encoder_inputs[step].name] = np.array([row[step] for row in encoder], dtype=np.int32)
        for step in range(decoder_size):
            targets = np.array([row[step + 1] for row in decoder])
            feed[self.decoder_inputs[step].name] = np.array([row[step] for row in decoder], dtype=np.int32)
            feed[self.target_weights[step].name] = (targets != PAD).astype(np.float32)
        feed[self.decoder_inputs[decoder_size].name] = np.array([row[decoder_size] for row in decoder])
        return feed


def pairs(bucket, count):
    sources = [[random.randrange(3, SYMBOLS) for _ in range(BUCKETS[bucket][0] - i % 2)] for i in range(count)]
    return [(source, source[::-1]) for source in sources]


with tf.Session() as sess:
    with tf.variable_scope("model"):
        model = Translator(forward_only=False)
    with tf.variable_scope("model", reuse=True):
        translator = Translator(forward_only=True)
    sess.run(tf.initialize_all_variables())
    for step in xrange(301):
        bucket = step % 2
        loss, _ = sess.run([model.losses[bucket], model.updates[bucket]], model.feed(pairs(bucket, BATCH_SIZE), bucket))
        if step % 100 < 2:
            print("step %d bucket %d loss %.3f" % (step, bucket, loss))
    tests = pairs(1, BATCH_SIZE)
    logits = sess.run(translator.outputs[1], translator.feed([(source, []) for source, _ in tests], 1))
    words = np.argmax(logits, axis=2).T.tolist()
    right = sum(row[: len(target)] == target for row, (_, target) in zip(words, tests))
    print("right: %d of %d" % (right, BATCH_SIZE))
