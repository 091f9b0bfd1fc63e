"""What does a recurrent network learn when back-propagation through time is cut after few steps?

The network of binary_echo.py, whose Y depends on X 3 and 8 steps before, trained with each of several `num_steps`. Loss
at the end, by num_steps (one seed each):

    num_steps                  1       2       3       5       8      10      15
    4 units (small)       0.6698  0.6524  0.6590  0.5243  0.5201  0.5199  0.5170
    16 units (medium)     0.6287  0.6427  0.6365  0.4564  0.4557  0.4558  0.4561

Answer: more than what a gradient reaches. With 16 units and num_steps 5 both dependencies are learned, though no
gradient ever goes from Y to X 8 steps before: the state that is carried from batch to batch still holds the past, and
the network learns to read it. With num_steps 3 and less, where no gradient reaches any X that Y depends on, neither is.

    python -m studies.truncation --config=medium        a minute on 2 cores, and plots/binary_echo_truncation.png

Source of the task, whose text says what truncation is but not what it costs: R2RT 2016, "Recurrent Neural Networks in
Tensorflow I", https://r2rt.com/recurrent-neural-networks-in-tensorflow-i.html.
"""

import binary_echo
import configs
import studies
from binary_echo import LAGS
from tf1 import app, plots

TRUNCATIONS = 1, 2, 3, 5, 8, 10, 15


@plots.picture
def plot_truncation(losses, all_levels, title):
    figure, axes = plots.new_figure()
    axes.plot(losses.keys(), losses.values(), "o-", color="C0", label="loss at the end")
    binary_echo.draw_levels(axes, all_levels)
    axes.set(xlabel="num_steps, at which back-propagation is cut", ylabel="loss in nats", title=title)
    figure.legend(loc="outside lower center", ncols=2)
    return plots.save(figure, "plots", "binary_echo_truncation")


@app.command
def main(argv=None):
    """Returns `losses`, the loss at the end by num_steps."""
    args, config = studies.parse_args(__file__, __doc__, configs.ECHO_CONFIGS, argv)
    flags = [f"--config={args.config}", f"--seed={args.seed}", *(f"--set={override}" for override in args.overrides)]
    runs = {steps: binary_echo.parse_args([*flags, f"--set=num_steps={steps}"]) for steps in TRUNCATIONS}
    cut_configs = {num_steps: binary_echo.get_config(run) for num_steps, run in runs.items()}
    losses = {}
    print("num_steps  loss at the end", *(f" effect at {lag:2}" for lag in LAGS), " learned")
    for num_steps, run in runs.items():
        training_losses, found = binary_echo.train(run, cut_configs[num_steps], verbose=False)
        losses[num_steps] = binary_echo.final_loss(training_losses)
        effects = "  ".join(f"{network:+12.3f}" for network, _ in found.values())
        learned = binary_echo.name_lags(binary_echo.learned_lags(found))
        print(f"{num_steps:9}  {losses[num_steps]:15.4f}  {effects}  {learned}")
    title = f"Binary echo, {config.state_size} units: what truncated back-propagation learns"
    plots.say(plot_truncation(losses, binary_echo.levels(), title))
    return {"losses": losses}


if __name__ == "__main__":
    main()
