"""The test set's perplexity: `evaluate` against the tutorial's reading, batch size 1 and one word a `session.run`.

    RNN_DATA_DIR=../shared/data python -m benchmarks.ptb_evaluation --save_path=runs/ptb_small

takes the weights of a small model that ptb_word_lm.py has trained, alternates the two three times, and prints both
perplexities and the ratio of their times, the median last.
"""

import copy
import time

import numpy as np

import configs
import ptb_word_lm
import reader
from tf1 import app, tf
from tf1.app import UserError


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m benchmarks.ptb_evaluation", __doc__)
    parser.add_argument("--data_path", type=app.path, help="folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt")
    parser.add_argument("--save_path", type=app.path, required=True, help="folder of the trained model")
    return parser.parse_args(argv)


@app.command
def main(argv=None):
    args = parse_args(argv)
    data_path, _ = reader.find_data("ptb", args.data_path)
    *_, test_data, _ = reader.ptb_raw_data(data_path)
    checkpoint = tf.train.latest_checkpoint(args.save_path)
    if not checkpoint:
        raise UserError(f"--save_path={args.save_path} has no checkpoint: train with ptb_word_lm.py --config=small")
    config = configs.SmallConfig()
    step_config = copy.copy(config)
    step_config.batch_size = step_config.num_steps = 1
    ratios = []
    with tf.Graph().as_default(), tf.Session() as session:
        with tf.variable_scope("Model"):
            model = ptb_word_lm.PTBModel(False, config, ptb_word_lm.PTBInput(config, test_data))
        with tf.variable_scope("Model", reuse=True):
            step_model = ptb_word_lm.PTBModel(False, step_config, ptb_word_lm.PTBInput(step_config, test_data))
        tf.train.Saver(tf.trainable_variables()).restore(session, checkpoint)
        for _ in range(3):
            start = time.perf_counter()
            ours = ptb_word_lm.evaluate(session, model, test_data)
            middle = time.perf_counter()
            tutorials = ptb_word_lm.run_epoch(session, step_model)
            end = time.perf_counter()
            ratios.append((end - middle) / (middle - start))
            print(f"evaluate: {ours:.6f} in {middle - start:.1f} s")
            print(f"the tutorial's: {tutorials:.6f} in {end - middle:.1f} s")
    print(f"Ratio of the times, median of {len(ratios)}: {np.median(ratios):.1f}")
    return {"ratios": ratios, "perplexity": ours, "tutorial_perplexity": tutorials}


if __name__ == "__main__":
    main()
