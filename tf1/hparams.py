"""`tf.contrib.training.HParams`: the hyperparameters of a script as attributes of one object.

Source: TensorFlow 1.15,
https://github.com/tensorflow/tensorflow/blob/r1.15/tensorflow/contrib/training/python/training/hparam.py
"""

import json
import numbers
import re

# name=value, name[place]=value or name=[value,value]; a value may be empty.
_CLAUSE = re.compile(r"([a-zA-Z][\w.]*)(?:\[\s*(\d+)\s*\])?\s*=\s*(?:([^,\[]*)|\[([^\]]*)\])(?:$|,\s*)")
_BOOLS = {"true": True, "True": True, "false": False, "False": False}


class HParams:
    """`tf.contrib.training.HParams`: hyperparameters as attributes, each of the type of its first value.

    Args:
      hparam_def: a message of the form of HParamDef, instead of `values`.
      model_structure: is kept for `get_model_structure`.
      values: the hyperparameters; a list or tuple is one of several values.
    """

    def __init__(self, hparam_def=None, model_structure=None, **values):
        self._hparam_types, self._model_structure = {}, model_structure  # the types: {name: (type, is it a list)}
        if hparam_def and values:
            raise ValueError("hparam_def and initialization values are mutually exclusive")
        for name, value in (_of_message(hparam_def) if hparam_def else values).items():
            self.add_hparam(name, value)

    def __contains__(self, key):
        return key in self._hparam_types

    def __str__(self):
        return ",".join(f"{name}={value}" for name, value in self.values().items())

    def __repr__(self):
        return f"{type(self).__name__}({sorted(self.values().items())})"

    def add_hparam(self, name, value):
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name} is an attribute already")
        is_list = isinstance(value, (list, tuple))
        if is_list and not value:
            raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
        self._hparam_types[name] = type(value[0] if is_list else value), is_list
        setattr(self, name, value)

    def set_hparam(self, name, value):
        """Replaces a value by another one of its type, or a list by a list.

        Raises:
          KeyError: there is no such hyperparameter.
          ValueError: its type is another one.
        """
        kind, is_list = self._hparam_types[name]
        if is_list and not isinstance(value, list):
            raise ValueError(f"Must pass a list for multi-valued parameter: {name}.")
        if isinstance(value, list) and not is_list:
            raise ValueError(f"Must not pass a list for single-valued parameter: {name}")
        setattr(self, name, [_cast(name, kind, one) for one in value] if is_list else _cast(name, kind, value))

    def del_hparam(self, name):
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def get(self, key, default=None):
        """The value; `default` where there is none, and where there is one, `default` must be of its type."""
        if key not in self:
            return default
        kind, is_list = self._hparam_types[key]
        if default is not None:
            failure = f"Hparam '{key}' of type '{f'list<{kind}>' if is_list else kind}' is incompatible with "
            if is_list != isinstance(default, list):
                raise ValueError(f"{failure}{default=}")
            try:
                for one in default if is_list else [default]:
                    _cast(key, kind, one)
            except ValueError as error:
                raise ValueError(f"{failure}{default=}. {error}") from error
        return getattr(self, key)

    def values(self):
        return {name: getattr(self, name) for name in self._hparam_types}

    def override_from_dict(self, values_dict):
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def set_from_map(self, values_map):
        return self.override_from_dict(values_map)

    def parse(self, values):
        """Replaces values from "name=value,name=[value,value]", each read as the type that is there."""
        types = {name: kind for name, (kind, _) in self._hparam_types.items()}
        return self.override_from_dict(parse_values(values, types))

    def parse_json(self, values_json):
        return self.override_from_dict(json.loads(values_json))

    def to_json(self, indent=None, separators=None, sort_keys=False):
        return json.dumps(self.values(), indent=indent, separators=separators, sort_keys=sort_keys)

    def get_model_structure(self):
        return self._model_structure

    def set_model_structure(self, model_structure):
        self._model_structure = model_structure


def parse_values(values, type_map, ignore_unknown=False):
    """`tf.contrib.training.parse_values`: what "name=value,name=[value,value],name[1]=value" holds.

    Args:
      type_map: the type of each name's value, or of its list's values.
      ignore_unknown: passes over names that `type_map` does not have.

    Returns:
      A dict from names to values, to lists, and to dicts {place: value}, which no hyperparameter takes.
    """
    parsed, position = {}, 0
    while position < len(values):
        clause = _CLAUSE.match(values, position)
        if clause is None:
            raise ValueError(f"Malformed hyperparameter value: {values[position:]}")
        position = clause.end()
        name, place, one, several = clause.groups()
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}")
        if place is not None and several is not None:
            raise ValueError("Assignment of a list to a list index.")
        read = [_read(name, type_map[name], text) for text in ([one] if several is None else _split(several))]
        found, key = (parsed, name) if place is None else (parsed.setdefault(name, {}), int(place))
        if not isinstance(found, dict) or key in found:
            raise ValueError(f"Multiple assignments to variable '{name}' in {values}")
        found[key] = read[0] if several is None else read
    return parsed


def _split(text):
    return re.findall(r"[^ ,]+", text)


def _read(name, kind, text):
    """The value that a text stands for."""
    try:
        if kind is bool:
            return _BOOLS[text] if text in _BOOLS else bool(int(text))
        return kind(text)
    except ValueError:
        raise ValueError(f"Could not parse hparam '{name}' of type '{kind.__name__}' with value '{text}'") from None


def _cast(name, kind, value):
    """`value` as a `kind`: an int becomes a float, but no float an int, no bool a number, and no number a text."""
    if type(value) is kind or kind is type(None):
        return value
    groups = (str, bytes), numbers.Integral, numbers.Number
    is_other = any(issubclass(kind, group) and not isinstance(value, group) for group in groups)
    if is_other or issubclass(kind, bool) != isinstance(value, bool):
        raise ValueError(f"Could not cast hparam '{name}' of type '{kind}' from value {value!r}")
    return kind(value)


def _of_message(hparam_def):
    """The values of an HParamDef: of its map `hparam`, each has one field, such as `int64_value` or `bytes_list`."""
    assert hasattr(hparam_def, "hparam"), "hparam_def is not a HParamDef"
    text = lambda value: value.decode() if isinstance(value, bytes) else value
    values = {}
    for name, message in hparam_def.hparam.items():
        kind = message.WhichOneof("kind")
        found = getattr(message, kind)
        values[name] = [text(one) for one in found.value] if kind.endswith("_list") else text(found)
    return values


SHELF = {"HParams": HParams, "parse_values": parse_values}
