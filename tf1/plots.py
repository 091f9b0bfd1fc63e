"""Pictures in PNG files; no display is needed."""

import os


def new_figure():
    """A figure with one axes, both returned. It belongs to no window, so nothing has to be closed."""
    from matplotlib.figure import Figure  # not at the top: it takes half a second, which --help does not have

    figure = Figure(figsize=(8, 5), layout="constrained")
    return figure, figure.add_subplot()


def save(figure, folder, name):
    """Writes `folder/name.png`, whole or not at all, and returns the path."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{name}.png")
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        figure.savefig(temporary, format="png", dpi=120)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return path
