"""Numbers said backwards, as translations were trained in 2018: tables, tf.data, attention, and beam search to translate."""

import numpy as np
import tensorflow as tf

WORDS = ["<s>", "</s>"] + "zero one two three four five six seven".split()
UNITS, BATCH_SIZE, BEAM_WIDTH, LENGTH = 48, 32, 3, 5
SOS, EOS = 0, 1
tf.set_random_seed(1)
generator = np.random.RandomState(1)


def sentences():
    while True:
        ids = generator.randint(2, len(WORDS), generator.randint(3, LENGTH + 1))
        yield " ".join(WORDS[i] for i in ids), " ".join(WORDS[i] for i in ids[::-1])


table = tf.contrib.lookup.index_table_from_tensor(tf.constant(WORDS))
dataset = tf.data.Dataset.from_generator(sentences, (tf.string, tf.string), ([], []))
dataset = dataset.map(lambda *pair: [tf.cast(table.lookup(tf.string_split([s]).values), tf.int32) for s in pair])
dataset = dataset.map(
    lambda source, target: (
        source,
        tf.concat([[SOS], target], 0),
        tf.concat([target, [EOS]], 0),
        tf.size(source),
        tf.size(target) + 1,
    )
)
dataset = dataset.apply(
    tf.contrib.data.padded_batch_and_drop_remainder(BATCH_SIZE, ([None], [None], [None], [], []), (EOS,) * 5)
)
iterator = dataset.make_initializable_iterator()
source, target_in, target_out, source_length, target_length = iterator.get_next()

embedding = tf.get_variable("embedding", [len(WORDS), UNITS])
projection = tf.layers.Dense(len(WORDS), use_bias=False, name="projection")
(fw, bw), states = tf.nn.bidirectional_dynamic_rnn(
    tf.contrib.rnn.GRUCell(UNITS // 2),
    tf.contrib.rnn.GRUCell(UNITS // 2),
    tf.nn.embedding_lookup(embedding, source),
    source_length,
    dtype=tf.float32,
)
memory, state = tf.concat([fw, bw], 2), tf.concat(states, 1)


def decoder_cell(memory, lengths, state):
    attention = tf.contrib.seq2seq.LuongAttention(UNITS, memory, lengths, scale=True)
    cell = tf.contrib.seq2seq.AttentionWrapper(tf.contrib.rnn.GRUCell(UNITS), attention, UNITS, name="attention")
    return cell, cell.zero_state(tf.shape(memory)[0], tf.float32).clone(cell_state=state)


with tf.variable_scope("decoder") as scope:
    cell, initial_state = decoder_cell(memory, source_length, state)
    helper = tf.contrib.seq2seq.TrainingHelper(tf.nn.embedding_lookup(embedding, target_in), target_length)
    outputs, _, _ = tf.contrib.seq2seq.dynamic_decode(
        tf.contrib.seq2seq.BasicDecoder(cell, helper, initial_state), swap_memory=True, scope=scope
    )
    logits = projection(outputs.rnn_output)
with tf.variable_scope("decoder", reuse=True) as scope:
    tiled = tf.contrib.seq2seq.tile_batch((memory, source_length, state), BEAM_WIDTH)
    cell, initial_state = decoder_cell(*tiled)
    beams, _, _ = tf.contrib.seq2seq.dynamic_decode(
        tf.contrib.seq2seq.BeamSearchDecoder(
            cell,
            embedding,
            tf.fill([BATCH_SIZE], SOS),
            EOS,
            initial_state,
            BEAM_WIDTH,
            output_layer=projection,
            length_penalty_weight=0.5,
        ),
        maximum_iterations=2 * LENGTH,
        scope=scope,
    )
translations = beams.predicted_ids[:, :, 0]

crossent = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target_out, logits=logits)
weights = tf.sequence_mask(target_length, tf.shape(target_out)[1], tf.float32)
loss = tf.reduce_sum(crossent * weights) / tf.to_float(tf.reduce_sum(target_length))
params = tf.trainable_variables()
gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, params), 5.0)
train_op = tf.train.AdamOptimizer(0.01).apply_gradients(zip(gradients, params))

with tf.Session() as sess:
    sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
    sess.run(iterator.initializer)
    for step in range(201):
        _, value = sess.run([train_op, loss])
        if step % 50 == 0:
            print("step %d loss %.3f" % (step, value))
    words, targets, lengths = sess.run([translations, target_out, target_length])
    right = sum(row[:n].tolist() == target[:n].tolist() for row, target, n in zip(words, targets, lengths))
    print("right: %d of %d" % (right, BATCH_SIZE))
