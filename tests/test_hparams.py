"""`tf.contrib.training.HParams`; what it gives and refuses is recorded from TensorFlow 1.15.5."""

import types

import pytest

from tf1 import hparams, tf


def made():
    values = dict(rate=0.1, layers=2, sizes=(1, 2), cell="lstm", is_new=False, names=["a", "b"])
    return tf.contrib.training.HParams(**values)


def test_values_by_name():
    values = made()
    values.later = 3  # an attribute, and no hyperparameter
    assert "rate" in values and "later" not in values and "parse" not in values
    assert list(values.values()) == ["rate", "layers", "sizes", "cell", "is_new", "names"]
    assert str(values) == "rate=0.1,layers=2,sizes=(1, 2),cell=lstm,is_new=False,names=['a', 'b']"
    in_order = "('cell', 'lstm'), ('is_new', False), ('layers', 2), ('names', ['a', 'b']), ('rate', 0.1), "
    assert repr(values) == f"HParams([{in_order}('sizes', (1, 2))])"
    in_json = '{"cell": "lstm", "is_new": false, "layers": 2, "names": ["a", "b"], "rate": 0.1, "sizes": [1, 2]}'
    assert values.to_json(sort_keys=True) == in_json
    assert values.parse_json(values_json='{"layers": 5, "sizes": [9]}').sizes == [9] and values.layers == 5
    assert values.override_from_dict(values_dict={"layers": 9}).set_from_map(values_map={"rate": 7}) is values
    assert (values.layers, values.rate, type(values.rate)) == (9, 7.0, float)


@pytest.mark.parametrize(
    "text, found",
    [
        ("", {}),
        ("sizes=[3,4]", {"sizes": [3, 4]}),
        ("sizes=[3 4]", {"sizes": [3, 4]}),
        ("sizes=[]", {"sizes": []}),
        ("names=[x, y]", {"names": ["x", "y"]}),
        ("is_new=2", {"is_new": True}),
        ("is_new=true", {"is_new": True}),
        ("is_new=0", {}),
        ("rate=3", {"rate": 3.0}),
        ("rate=1e-3", {"rate": 0.001}),
        ("layers=4,", {"layers": 4}),
        ("cell= gru ", {"cell": "gru "}),
        ("cell=", {"cell": ""}),
        ("layers = 3 , cell=x", {"layers": 3, "cell": "x"}),
    ],
)
def test_parse(text, found):
    assert made().parse(values=text).values() == {**made().values(), **found}


@pytest.mark.parametrize(
    "text, message",
    [
        ("is_new=yes", "Could not parse hparam 'is_new' of type 'bool' with value 'yes'"),
        ("layers=1.5", "Could not parse hparam 'layers' of type 'int' with value '1.5'"),
        ("sizes=[1.5]", "Could not parse hparam 'sizes' of type 'int' with value '1.5'"),
        ("rate=", "Could not parse hparam 'rate' of type 'float' with value ''"),
        ("layers=1,layers=2", "Multiple assignments to variable 'layers' in layers=1,layers=2"),
        ("sizes=[1,2],sizes[0]=1", "Multiple assignments to variable 'sizes"),
        ("sizes[0]=1,sizes[0]=2", "Multiple assignments to variable 'sizes"),
        ("sizes[0]=1,sizes=[2]", "Multiple assignments to variable 'sizes"),
        ("sizes=3", "Must pass a list for multi-valued parameter: sizes"),
        ("sizes[1]=5", "Must pass a list for multi-valued parameter: sizes"),  # read by parse_values alone
        ("layers[0]=1", "Could not cast hparam 'layers' of type '<class 'int'>' from value {0: 1}"),
        ("layers=[3]", "Must not pass a list for single-valued parameter: layers"),
        ("sizes[0]=[1]", "Assignment of a list to a list index"),
        ("nothing=1", "Unknown hyperparameter type for nothing"),
        ("bad", "Malformed hyperparameter value: bad"),
        (" layers=3", "Malformed hyperparameter value:  layers=3"),
        ("_a=3", "Malformed hyperparameter value: _a=3"),
    ],
)
def test_what_parse_refuses(text, message):
    with pytest.raises(ValueError) as caught:
        made().parse(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "name, value, found",
    [
        ("rate", 3, 3.0),
        ("cell", b"x", "b'x'"),
        ("is_new", True, True),
        ("sizes", [7], [7]),
        ("layers", 3.0, "Could not cast hparam 'layers' of type '<class 'int'>' from value 3.0"),
        ("layers", True, "Could not cast hparam 'layers' of type '<class 'int'>' from value True"),
        ("layers", "3", "Could not cast hparam 'layers' of type '<class 'int'>' from value '3'"),
        ("rate", "x", "Could not cast hparam 'rate' of type '<class 'float'>' from value 'x'"),
        ("cell", 3, "Could not cast hparam 'cell' of type '<class 'str'>' from value 3"),
        ("is_new", 1, "Could not cast hparam 'is_new' of type '<class 'bool'>' from value 1"),
        ("sizes", [1, 2.5], "Could not cast hparam 'sizes' of type '<class 'int'>' from value 2.5"),
        ("sizes", (7, 8), "Must pass a list for multi-valued parameter: sizes"),
        ("layers", [3], "Must not pass a list for single-valued parameter: layers"),
    ],
)
def test_types_of_values(name, value, found):
    values = made()
    if isinstance(found, str) and " hparam " in found or " list " in str(found):
        with pytest.raises(ValueError) as caught:
            values.set_hparam(name, value)
        assert str(caught.value).startswith(found)
    else:
        values.set_hparam(name, value)
        assert values.values()[name] == found and type(values.get(name)) is type(found)


def test_names_that_are_not_there_or_are_there_already():
    values = made()
    for call in (
        lambda: values.set_hparam("other", 1),
        lambda: values.override_from_dict({"other": 1}),
        lambda: values.parse_json('{"other": 1}'),
    ):
        with pytest.raises(KeyError, match="other"):
            call()
    for name in "layers", "parse":
        with pytest.raises(ValueError, match=f"Hyperparameter name is reserved: {name}"):
            values.add_hparam(name, 1)
    with pytest.raises(ValueError, match="Multi-valued hyperparameters cannot be empty: none"):
        values.add_hparam("none", [])
    values.del_hparam("layers")
    values.del_hparam("nothing")
    assert "layers" not in values and not hasattr(values, "layers")
    values.add_hparam("layers", "now")
    assert values.parse("layers=a").layers == "a" and values._hparam_types["layers"] == (str, False)
    values.later = 1
    with pytest.raises(KeyError, match="later"):
        values.del_hparam("later")
    values.add_hparam("nothing", None)  # of no type: any value can be set, and none be parsed
    values.set_hparam("nothing", 5)
    assert values.nothing == 5
    with pytest.raises(TypeError, match="NoneType takes no arguments"):
        values.parse("nothing=3")


def test_get_has_a_default_of_the_same_type():
    values = made()
    assert [values.get("layers"), values.get(key="layers", default=5), values.get("rate", 1)] == [2, 2, 0.1]
    assert [values.get("sizes", [1]), values.get("none", 4), values.get("none")] == [(1, 2), 4, None]
    for name, default in ("layers", "5"), ("layers", [5]), ("sizes", ["a"]), ("sizes", 1):
        with pytest.raises(ValueError, match=f"Hparam '{name}' of type '.*int.*' is incompatible with default="):
            values.get(name, default)


def test_definitions_and_model_structures():
    values = tf.contrib.training.HParams(None, "structure", a=1)
    assert values.get_model_structure() == "structure" and values.values() == {"a": 1}
    values.set_model_structure(model_structure=3)
    assert values.get_model_structure() == 3

    def field(kind, value):  # as a field of the message that TensorFlow 1.15 had for it
        value = types.SimpleNamespace(value=value) if isinstance(value, list) else value
        return types.SimpleNamespace(WhichOneof=lambda name: kind if name == "kind" else None, **{kind: value})

    fields = {"cell": field("bytes_value", b"gru"), "names": field("bytes_list", [b"a"])}
    definition = types.SimpleNamespace(hparam={**fields, "n": field("int64_value", 2), "x": field("int64_list", [1])})
    values = tf.contrib.training.HParams(hparam_def=definition)
    assert values.parse("n=3").values() == {"cell": "gru", "names": ["a"], "n": 3, "x": [1]}
    with pytest.raises(ValueError, match="hparam_def and initialization values are mutually exclusive"):
        tf.contrib.training.HParams(definition, a=1)
    with pytest.raises(AssertionError):
        tf.contrib.training.HParams({"a": 1})


def test_parse_values():
    assert hparams.SHELF["parse_values"] is tf.contrib.training.parse_values
    found = tf.contrib.training.parse_values("x=5,L=[1,2],arr[1]=3", {"x": int, "L": int, "arr": int})
    assert found == {"x": 5, "L": [1, 2], "arr": {1: 3}}
    assert hparams.parse_values("x=5,y=3,a.b=1", {"x": int, "a.b": int}, ignore_unknown=True) == {"x": 5, "a.b": 1}
