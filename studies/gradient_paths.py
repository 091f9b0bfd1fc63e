"""Which way do gradients take through the time steps, when the cost uses the last three outputs of five?

    python -m studies.gradient_paths        3 seconds

Every step gets copies of the shared weights, to tell their parts apart. Norms of gradients:

    t  d cost / d Y(t)  with the later steps'  part of d cost / d Wx  of d cost / d Wy
    0         0.000000               0.194050               0.128586         0.000000
    1         0.000000               0.232649               0.255769         0.141874
    2         0.179237               0.331061               0.268428         0.240759
    3         0.188432               0.270477               0.181357         0.197490
    4         0.189202               0.189202               0.102198         0.131920

The cost reaches Y(0) and Y(1) through the later steps only, and yet all five steps have their part in the gradients of
the weights, but for step 0 in Wy's: the state before it is zero. The parts' sums are the gradients of the shared Wx, Wy
and b, to 6e-8: back-propagation sums over the time steps.

Source: Aurélien Géron 2017, "Hands-On Machine Learning with Scikit-Learn and TensorFlow" (O'Reilly), chapter 14,
"Training RNNs", https://github.com/ageron/handson-ml, which says this in words.
"""

import numpy as np

import configs
import studies
from tf1 import app, tf


def build(config):
    """The graph; returns the inputs, a placeholder, and the tensors that `main` returns the values of."""
    n_steps, n_inputs, n_neurons = config.n_steps, config.n_inputs, config.n_neurons
    X = tf.placeholder(tf.float32, [config.batch_size, n_steps, n_inputs])
    Wx = tf.Variable(tf.random_normal([n_inputs, n_neurons], stddev=0.5, seed=5))
    Wy = tf.Variable(tf.random_normal([n_neurons, n_neurons], stddev=0.5, seed=14))
    b = tf.Variable(tf.zeros([1, n_neurons]))

    Y, Ys, outputs, copies = tf.zeros([config.batch_size, n_neurons]), [], [], []
    for t in range(n_steps):
        Wx_t, Wy_t, b_t = step_copies = [tf.identity(weights) for weights in (Wx, Wy, b)]
        Y = tf.tanh(tf.matmul(X[:, t], Wx_t) + tf.matmul(Y, Wy_t) + b_t)
        Ys.append(Y)  # goes on to the next step and to its output
        outputs.append(tf.identity(Y))  # goes to the cost alone
        copies.append(step_copies)
    cost = tf.add_n([tf.reduce_mean(tf.square(output)) for output in outputs[-config.n_used :]])

    direct = [tf.norm(gradient) for gradient in tf.gradients(cost, outputs, unconnected_gradients="zero")]
    total = [tf.norm(gradient) for gradient in tf.gradients(cost, Ys)]
    parts = [tf.stack(tf.gradients(cost, list(step_copies))) for step_copies in zip(*copies)]  # [n_steps, ...]
    sums = tf.gradients(cost, [Wx, Wy, b])
    errors = [tf.reduce_max(tf.abs(tf.reduce_sum(part, axis=0) - all_)) for part, all_ in zip(parts, sums)]
    tensors = {"direct": direct, "total": total, "difference": tf.reduce_max(errors)}
    tensors["Wx"], tensors["Wy"] = (tf.norm(part, axis=[1, 2]) for part in parts[:2])
    return X, tensors


@app.command
def main(argv=None):
    """Returns norms by time step, [n_steps], and a difference.

    `direct`, of d cost / d Y(t) as the cost itself sees it; `total`, with what comes back through the later steps; `Wx`
    and `Wy`, of the steps' parts of the gradients of the weights; and `difference`, the largest of any element between
    the parts' sums and the gradients of the shared weights.
    """
    args, config = studies.parse_args(__file__, __doc__, configs.GRADIENT_PATHS_CONFIGS, argv)
    with tf.Graph().as_default():
        tf.set_random_seed(args.seed)
        X, tensors = build(config)
        init = tf.global_variables_initializer()
        with tf.Session() as sess:
            init.run()
            X_batch = np.random.RandomState(args.seed).rand(*X.shape.as_list())
            results = sess.run(tensors, feed_dict={X: X_batch})
    used = range(max(0, config.n_steps - config.n_used), config.n_steps)
    print(f"cost = mean squares of {' + '.join(f'Y({t})' for t in used)}; norms of gradients:")
    print("t  d cost / d Y(t)  with the later steps'  part of d cost / d Wx  of d cost / d Wy")
    for t, (direct, total, Wx, Wy) in enumerate(zip(*(results[name] for name in ("direct", "total", "Wx", "Wy")))):
        print(f"{t}  {direct:15.6f}  {total:21.6f}  {Wx:21.6f}  {Wy:15.6f}")
    print(
        "The cost reaches the outputs that it does not use through the later steps only, and yet all steps have their\n"
        "part in the weights' gradients (step 0 none in Wy's: the state before it is zero)."
    )
    print(f"The parts' sums are the gradients of the shared Wx, Wy and b, to {results['difference']:.1e}.")
    return results


if __name__ == "__main__":
    main()
