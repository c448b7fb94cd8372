"""Dataclasses to JSON and back: nothing is lost, and nothing is guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass
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
