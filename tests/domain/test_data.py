"""Dataclasses to JSON and back: nothing is lost, and nothing is guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation
from tests.domain.strategies import dialects, observations, policies


class Fruit(StrEnum):
    APPLE = "apple"


@dataclass(frozen=True)
class Inner:
    some_text: str


@dataclass(frozen=True)
class Outer:
    whole_number: int
    share: float
    fruit: Fruit
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    names: frozenset[str] = frozenset()
    numbers: dict[str, int] | None = None
    anything: Any = None


FULL = Outer(
    1,
    0.5,
    Fruit.APPLE,
    Inner("x"),
    (Inner("y"), Inner("z")),
    frozenset({"b", "a"}),
    {"k": 2},
    [1, {"a": None}],
)


def test_the_form_is_plain_json_in_camel_case() -> None:
    assert to_json(FULL) == {
        "wholeNumber": 1,
        "share": 0.5,
        "fruit": "apple",
        "inner": {"someText": "x"},
        "many": [{"someText": "y"}, {"someText": "z"}],
        "names": ["a", "b"],
        "numbers": {"k": 2},
        "anything": [1, {"a": None}],
    }


def test_there_and_back() -> None:
    assert from_json(Outer, json.loads(json.dumps(to_json(FULL)))) == FULL


def test_what_has_a_default_may_be_left_out_and_a_whole_share_is_a_share() -> None:
    read = from_json(Outer, {"wholeNumber": 1, "share": 2, "fruit": "apple"})
    assert read == Outer(1, 2.0, Fruit.APPLE)
    assert isinstance(read.share, float)


GOOD: dict[str, Any] = {"wholeNumber": 1, "share": 0.5, "fruit": "apple"}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"wholeNumber": "1"}, "Outer.wholeNumber: expected int, not '1'"),
        ({"wholeNumber": True}, "Outer.wholeNumber: expected int, not True"),
        ({"inner": {"someText": 3}}, "Outer.inner.someText: expected str, not 3"),
        ({"fruit": "pear"}, "Outer.fruit: 'pear' is not one of apple"),
        ({"many": [{}]}, r"Outer.many\[0\]: missing someText"),
        ({"many": "x"}, "Outer.many: expected a list, not 'x'"),
        ({"inner": 3}, "Outer.inner: expected an object, not 3"),
        ({"numbers": []}, r"Outer.numbers: expected an object, not \[\]"),
        ({"numbers": {"k": "v"}}, "Outer.numbers.k: expected int, not 'v'"),
    ],
)
def test_a_bad_value_is_named_with_its_place(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(Outer, {**GOOD, **bad})


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ValueError, match="Outer: missing fruit, share"):
        from_json(Outer, {"wholeNumber": 1})


def test_keys_of_a_newer_writer_are_passed_over_at_every_depth() -> None:
    newer = {**GOOD, "later": {"any": 1}, "many": [{"someText": "x", "later": None}]}
    assert from_json(Outer, newer) == from_json(Outer, {**GOOD, "many": [{"someText": "x"}]})


@pytest.mark.parametrize("share", [True, "0.5", None, [0.5]])
def test_what_is_no_number_is_no_share(share: Any) -> None:
    with pytest.raises(ValueError, match=r"Outer\.share: expected float, not"):
        from_json(Outer, {**GOOD, "share": share})


@pytest.mark.parametrize("value", [None, [], "x", 3])
def test_what_is_no_object_is_named_by_what_it_should_be(value: Any) -> None:
    with pytest.raises(ValueError, match=r"Outer: expected an object, not"):
        from_json(Outer, value)


@dataclass(frozen=True)
class Many:
    of_all_names: frozenset[str]
    last: int
    first: int
    middle: int


def test_names_and_what_is_missing_are_told_in_order() -> None:
    letters = "qwertyuiopasdfghjklzxcvbnm"
    value = to_json(Many(frozenset(letters), 1, 2, 3))
    assert value == {"ofAllNames": sorted(letters), "last": 1, "first": 2, "middle": 3}
    with pytest.raises(ValueError, match=r"Many: missing first, last, middle, ofAllNames$"):
        from_json(Many, {})


def test_only_what_has_no_default_is_missed() -> None:
    with pytest.raises(ValueError, match=r"Outer: missing wholeNumber$"):
        from_json(Outer, {"share": 0.5, "fruit": "apple"})


@dataclass(frozen=True)
class Made:
    many: list[int]
    more: tuple[int, ...] = field(default_factory=tuple)


def test_a_list_stays_a_list_and_what_is_made_by_default_may_be_left_out() -> None:
    assert from_json(Made, {"many": [1]}) == Made([1], ())
    with pytest.raises(ValueError, match=r"Made: missing many$"):
        from_json(Made, {})
    with pytest.raises(ValueError, match=r"Made\.more\[1\]: expected int, not 'x'"):
        from_json(Made, {"many": [], "more": [1, "x"]})


@dataclass(frozen=True)
class Undecided:
    value: int | str


def test_a_type_that_leaves_it_open_is_not_supported() -> None:
    with pytest.raises(TypeError, match="only optional values are supported"):
        from_json(Undecided, {"value": 1})


class Name(str):
    __slots__ = ()


def test_a_text_of_a_kind_of_its_own_is_a_text() -> None:
    assert to_json({7: (Name("x"), True, None)}) == {"7": ["x", True, None]}
    assert from_json(Inner, {"someText": Name("x")}) == Inner("x")
    assert from_json(Inner, {"someText": Fruit.APPLE}) == Inner("apple")


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes has no JSON form"):
        to_json(b"x")


@given(observations())
def test_every_observation_survives_the_trip(observation: ClusterObservation) -> None:
    assert from_json(ClusterObservation, json.loads(json.dumps(to_json(observation)))) == (
        observation
    )


@given(policies(), dialects())
def test_every_policy_and_dialect_survives_the_trip(policy: Policy, dialect: Dialect) -> None:
    assert from_json(Policy, json.loads(json.dumps(to_json(policy)))) == policy
    assert from_json(Dialect, json.loads(json.dumps(to_json(dialect)))) == dialect
