"""`tf.contrib.training.HParams`: the hyperparameters of a script as attributes of one object.

Source: TensorFlow 1.15,
https://github.com/tensorflow/tensorflow/blob/r1.15/tensorflow/contrib/training/python/training/hparam.py
"""

import json
import re


class HParams:
    """`tf.contrib.training.HParams`: hyperparameters as attributes."""

    def __init__(self, **values):
        self.__dict__.update(values)

    def __contains__(self, name):
        return name in self.__dict__

    def add_hparam(self, name, value):
        setattr(self, name, value)

    def set_hparam(self, name, value):
        self._check(name)
        setattr(self, name, value)

    def _check(self, name):
        if name not in self:
            raise ValueError(f"there is no hyperparameter {name}: there are {', '.join(self.__dict__)}")

    def get(self, name, default=None):
        return self.__dict__.get(name, default)

    def values(self):
        return dict(self.__dict__)

    def to_json(self, indent=None, separators=None, sort_keys=False):
        return json.dumps(self.__dict__, indent=indent, separators=separators, sort_keys=sort_keys)

    def override_from_dict(self, values):
        for name, value in values.items():
            self.set_hparam(name, value)
        return self

    def parse(self, text):
        """Replaces values from "name=value,name=[value,value]", each read as the type that is there."""
        pair = r"\s*(\w+)\s*=\s*(\[[^\]]*\]|[^,\[\]]*)"
        if not re.fullmatch(f"({pair}(,|$))*", text):
            raise ValueError(f"cannot read the hyperparameters {text!a}: name=value,name=[value,value] is expected")
        for name, value in re.findall(pair, text):
            self._check(name)
            setattr(self, name, self._read(value, getattr(self, name)))
        return self

    def _read(self, text, old):
        if isinstance(old, list):
            first = old[0] if old else ""
            return [self._read(part.strip(), first) for part in text.strip("[]").split(",") if part.strip()]
        if isinstance(old, bool):
            return text.strip().lower() in ("true", "1")
        return text.strip() if old is None else type(old)(text.strip())
