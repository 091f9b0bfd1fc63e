"""Pictures in PNG files; no display is needed."""

import gc
import logging
import os

from tf1.progress import write


def new_figure(columns=1):
    """A figure with one axes, or an array of `columns` axes; both are returned.

    It belongs to no window, so nothing has to be closed.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns where its own cache cannot be written
    from matplotlib.figure import Figure  # not at the top: it takes half a second, which --help does not have

    figure = Figure(figsize=(8, 5) if columns == 1 else (5.5 * columns, 4), layout="constrained")
    return figure, figure.subplots(ncols=columns)


def save(figure, folder, name):
    """Writes `folder/name.png`, whole or not at all, and returns the path.

    Where it cannot be written, that is said and None returned: a picture is no reason to end hours of training.
    """
    path = os.path.join(folder, f"{name}.png")
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(folder, exist_ok=True)
        figure.savefig(temporary, format="png", dpi=120)
        os.replace(temporary, path)
        gc.collect()  # a figure refers to itself in circles, and would keep some MB until Python looks for those
    except OSError as error:
        write(f"The picture {path} cannot be written: {error.strerror}")
        return None
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return path
