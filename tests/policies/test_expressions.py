"""Expressions: numbers are doubles, absent keys are false and told, hostile text is only ever an ExpressionError."""

import math
import threading
from typing import Any

import cel
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policies import expressions
from policies.expression_text import FUNCTIONS, MAX_LENGTH, MAX_NESTING, MAX_OPERATORS, METHODS
from policies.expressions import AbsentValue, ExpressionError, Verdict, compile_expression, is_name


def answer(source: str, **values: Any) -> bool | float | str:
    return compile_expression(source, names=None).evaluate(values)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1", 1.0),
        ("1 + 1", 2.0),
        ("1 / 2", 0.5),
        ("7 - -2", 9.0),
        ("0x10 + 0XfF", 271.0),
        ("2u * 3U", 6.0),
        (".5 + 1.25", 1.75),
        ("1e3 + 2E-1", 1000.2),
        ("9223372036854775808", 2.0**63),
        ("[10, 20][1] + 1", 21.0),
        ("1 == 1.0", True),
        ("3 in [1, 2, 3]", True),
        ("true ? 1 : 2", 1.0),
        ("// why\n1 // because", 1.0),
    ],
)
def test_every_number_is_a_double(source: str, expected: float | bool) -> None:
    given = answer(source)
    assert given == expected
    assert type(given) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'1'", "1"),
        ('"x 1 y"', "x 1 y"),
        ("'it\\'s 1'", "it's 1"),
        ("'''a '1' \n b'''", "a '1' \n b"),
        ('"""a "1" b"""', 'a "1" b'),
        ("r'\\1'", "\\1"),
        ('R"\\"', "\\"),
        ("r'''1\\'''", "1\\"),
        ("'// 1'", "// 1"),
        ("'min(1)'", "min(1)"),
        ("'present(x)'", "present(x)"),
        ("'a' + '1'", "a1"),
        ("'\\u00e9\\x31'", "é1"),
    ],
)
def test_numbers_and_words_inside_texts_stay_text(source: str, expected: str) -> None:
    assert answer(source) == expected


def test_bytes_literals_are_read_but_are_no_answer() -> None:
    assert answer("b'1' == b'1'") is True
    with pytest.raises(ExpressionError, match="gave b'1': expected a number"):
        answer("b'1'")


def test_names_with_digits_are_names() -> None:
    assert answer("x1 + e1 + _2", x1=1, e1=10, _2=100) == 111.0


@pytest.mark.parametrize("value", [3, 3.0, True, "3"])
def test_values_keep_their_kind(value: Any) -> None:
    assert answer("x", x=value) == value
    assert type(answer("x", x=value)) is (float if type(value) is int else type(value))


def test_a_place_in_a_list_stays_whole() -> None:
    assert answer("interests[1]", interests=("art", "sea")) == "sea"
    assert answer("(interests)[0] + interests.filter(i, i != 'art')[0]", interests=["art", "sea"]) == "artsea"


def test_flags_are_not_numbers() -> None:
    with pytest.raises(ExpressionError, match=r"0.02 \* flag' for flag=True: .*bool"):
        answer("0.02 * flag", flag=True)
    with pytest.raises(ExpressionError, match=r"min\(\) takes numbers, got True"):
        answer("min(flag, 2)", flag=True)
    assert answer("flag ? 0.02 : 0", flag=True) == 0.02


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("min(3, 1, 2)", 1.0),
        ("max(3, 1, x)", 7.0),
        ("clip(5, 0, 1)", 1.0),
        ("clip(-5, 0, 1)", 0.0),
        ("clip(0.5, 0, 1)", 0.5),
        ("log1p(0)", 0.0),
        ("log1p(x - 6)", math.log(2.0)),
        ("min(max(x, 1), clip(x, 0, 5)) + 1", 6.0),
        ("size('ñandú') + 1", 6.0),
        ("size(list)", 2.0),
        ("size([])", 0.0),
    ],
)
def test_functions(source: str, expected: float) -> None:
    assert answer(source, x=7, list=("a", "b")) == pytest.approx(expected, abs=0)


@pytest.mark.parametrize(
    "source", ["clip(1, 2, 0)", "log1p(-2)", "min(1, 0 / 0)", "max(0 / 0, 1)", "clip(0 / 0, 0, 1)"]
)
def test_functions_without_an_answer_give_nan(source: str) -> None:
    given = answer(source)
    assert isinstance(given, float)
    assert math.isnan(given)


def test_methods_on_texts_and_lists() -> None:
    assert answer("url.startsWith('/es/') && url.contains('vuelo') && url.endsWith('1')", url="/es/vuelo-1") is True
    assert answer("url.matches('^/(es|pt)/')", url="/pt/x") is True
    assert answer("interests.exists(i, i == 'art') && 'sea' in interests", interests=("art", "sea")) is True
    assert answer("size(interests.filter(i, i != 'art'))", interests=("art", "sea")) == 1.0


def test_present_asks_without_needing_a_value() -> None:
    asks = compile_expression("present(orders) && !present(country)", names={"orders", "country"})
    assert asks.names == {"orders", "country"}
    assert asks.evaluate({"orders": 0}) is True
    assert asks.evaluate({"orders": 0, "country": "ES"}) is False
    assert asks.evaluate({"orders": None}) is False


def test_names_are_those_it_reads() -> None:
    compiled = compile_expression("a + min(b, 1) > 0 || l.exists(i, i == c) || present(d)", names=None)
    assert compiled.names == {"a", "b", "c", "d", "l"}


def test_a_loop_variable_is_known_only_inside_its_loop() -> None:
    assert compile_expression("l.exists(i, i == 'a') || i == 'a'", names=None).names == {"l", "i"}
    with pytest.raises(ExpressionError, match="character 26: no name 'i'; known: 'l'"):
        compile_expression("l.exists(i, i == 'a') || i == 'a'", names={"l"})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("clik + 1", "'clik \\+ 1', character 1: no name 'clik', did you mean 'click'\\?; known: 'click', 'revenue'"),
        ("present(clik)", "character 9: no name 'clik'"),
        ("click.size()", "no method 'size'; known: 'all', 'contains'"),
        ("click.x", "no method 'x'"),
        (
            "mim(1, 2)",
            "no function 'mim', did you mean 'min'\\?; known: 'clip', 'log1p', 'max', 'min', 'present', 'size'",
        ),
        ("double(click)", "no function 'double'"),
        ("min(1)", "min with 1 arguments; expected 2 or more"),
        ("clip(1, [2, 3], max(4, 5), 6)", "clip with 4 arguments; expected 3"),
        ("log1p()", "log1p with 0 arguments; expected 1"),
        ("present('click')", "expected a name, as in present"),
        ("present(click.x)", "expected a name, as in present"),
        ("click == null", "character 10: nothing is null; to ask whether a value was given: present\\(name\\)"),
        ("click % 2", "character 7: there is no '%'"),
        ("{'a': 1}", "there are no maps"),
        ("1x", "'1x' is not a number"),
        ("1.", "'1.' is not a number"),
        ("1.5.2", "'1.5.2' is not a number"),
        ("9" * 400, "a number beyond 1.8e308"),
        ("0x" + "f" * 300, "a number beyond 1.8e308"),
        ("'abc", "character 1: a text that does not end"),
        ("'a\nb'", "character 1: a text that does not end"),
        ("click €", "character 7: unexpected '€'"),
        ("(click", "character 1: '\\(' is never closed"),
        ("click)", "character 6: '\\)' closes nothing"),
        ("(click]", "character 7: ']' closes nothing"),
        ("1 +", "character 4: something is missing here"),
        ("1 + click click", "character 11: extraneous input 'click'"),
        ("min(1, 2) click", "character 11: extraneous input 'click'"),
        ("", "an expression is expected"),
        (" // only why", "an expression is expected"),
        ("while + 1", "'while' can't be the name of a value"),
        ("__present_click", "'__present_click' can't be the name of a value"),
        ("[1].exists(x, [2].exists(y, x == y))", "'exists' inside another loop"),
        ("[1].exists(x)", "expected a name and a test"),
        ("'\ud800'", "surrogates not allowed"),
        ("'\\q'", "character 1: token recognition error"),
    ],
)
def test_mistakes_are_found_when_compiling(source: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        compile_expression(source, names=["revenue", "click"])


@pytest.mark.parametrize(
    "source",
    [
        "1" + " " * MAX_LENGTH,
        "(" * (MAX_NESTING + 1) + "1" + ")" * (MAX_NESTING + 1),
        "[" * 2000,
        "1" + "+1" * (MAX_OPERATORS + 1),
        "!" * (MAX_OPERATORS + 1) + "true",
        "[1]" + " in [1]" * (MAX_OPERATORS + 1),
    ],
)
def test_sizes_are_limited_before_the_engine_sees_them(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cel, "compile", lambda text: pytest.fail("the engine was asked"))
    with pytest.raises(ExpressionError, match=r"expected at most|brackets inside each other"):
        compile_expression(source, names=None)


def test_what_the_limits_allow_runs_on_a_small_stack() -> None:
    sources = [
        "1" + "+1" * MAX_OPERATORS,
        "!" * MAX_OPERATORS + "true",
        "x" + " || x" * MAX_OPERATORS,
        "(" * MAX_NESTING + "1" + ")" * MAX_NESTING,
        "[" + ", ".join(map(str, range(700))) + "].exists(i, i == 699)",
    ]
    answers: list[object] = []
    previous = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=lambda: answers.extend(answer(source, x=False) for source in sources))
        thread.start()
    finally:
        threading.stack_size(previous)
    thread.join()
    assert answers == [201.0, True, False, 1.0, True]


@pytest.mark.parametrize(
    ("source", "values", "verdict"),
    [
        ("country == 'ES'", {"country": "ES"}, Verdict(True)),
        ("country == 'ES'", {"country": "PT"}, Verdict(False)),
        ("country == 'ES'", {}, Verdict(False, ("country",))),
        ("country != 'ES'", {}, Verdict(False, ("country",))),
        ("!(country == 'ES')", {"country": None}, Verdict(False, ("country",))),
        ("country == 'ES' || orders > 10", {"orders": 11}, Verdict(True)),
        ("country == 'ES' || orders > 10", {"orders": 9}, Verdict(False, ("country",))),
        ("country == 'ES' && orders > 10", {"orders": 9}, Verdict(False)),
        ("present(country) && country == 'ES'", {}, Verdict(False)),
        ("a > 1 && b > 1", {}, Verdict(False, ("a", "b"))),
    ],
)
def test_a_test_on_an_absent_key_is_false_and_told(source: str, values: dict[str, Any], verdict: Verdict) -> None:
    assert compile_expression(source, names=None).test(values) == verdict


def test_evaluating_without_a_needed_value_says_which() -> None:
    with pytest.raises(AbsentValue, match="'a \\+ b': no value for 'b'") as caught:
        answer("a + b", a=1)
    assert caught.value.names == ("b",)


def test_a_test_must_be_a_test() -> None:
    with pytest.raises(ExpressionError, match=r"'orders \+ 1' gave 2.0 for orders=1: expected true or false"):
        compile_expression("orders + 1", names=None).test({"orders": 1})
    with pytest.raises(ExpressionError, match="'orders > 10' for orders='many': No such overload"):
        compile_expression("orders > 10", names=None).test({"orders": "many"})


@pytest.mark.parametrize(
    "source", ["1 / 0", "-1 / 0", "0 / 0", "click / 0", "log1p(-1)", "1e308 * 10", "click > 0", "'1'"]
)
def test_a_number_is_finite_or_an_error(source: str) -> None:
    with pytest.raises(ExpressionError, match="expected a finite number"):
        compile_expression(source, names=["click"]).number({"click": 1.0})


def test_a_number() -> None:
    formula = compile_expression("click + 0.02 * (revenue - cost * purchase)", names=None)
    assert formula.number({"click": 1, "revenue": 50, "cost": 20.0, "purchase": 2}) == pytest.approx(1.2)


@pytest.mark.parametrize("value", [b"x", {"a": 1}, object(), [1], ["a", None], (("a",),), 10**400, "\ud800", 1j])
def test_values_of_another_kind_are_errors(value: Any) -> None:
    with pytest.raises(ExpressionError):
        answer("x == 'a'", x=value)
    assert answer("y", x=value, y=1) == 1.0  # what is not read is not looked at


def test_is_name() -> None:
    assert all(map(is_name, ["country", "x1", "_x", "int", "Type"]))
    taken = {"true", "in", "null", "while", "__x", "1x", "a.b", "a b", "", "é", "x\n", *FUNCTIONS, *METHODS}
    assert not any(map(is_name, taken))


class FakePanic(BaseException):
    """As the Rust bindings make it."""


FakePanic.__module__, FakePanic.__name__ = "pyo3_runtime", "PanicException"


class Failing:
    """A program that raises what it is given."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def execute(self, values: object) -> object:
        raise self.error


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (FakePanic("index out of bounds"), ExpressionError),
        (RuntimeError("anything"), ExpressionError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (SystemExit(), SystemExit),
        # what the engine makes of an interrupt that arrives inside one of our functions
        (
            RuntimeError("Function '__min' error: Python function call failed: KeyboardInterrupt: . Check …"),
            KeyboardInterrupt,
        ),
        (RuntimeError("Function 'matches' error: 'call failed: KeyboardInterrupt' not a valid regex"), ExpressionError),
    ],
)
def test_panics_are_contained_and_interrupts_are_not(
    error: BaseException, raised: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cel, "compile", lambda text: Failing(error))
    compiled = compile_expression("1", names=None)
    with pytest.raises(raised):
        compiled.evaluate({})

    def fail(text: str) -> object:
        raise error

    monkeypatch.setattr(cel, "compile", fail)
    with pytest.raises(ExpressionError if isinstance(error, RuntimeError) else raised):
        compile_expression("1", names=None)


def test_an_interrupt_in_a_function_is_reported_by_the_engine_as_we_expect(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*values: float) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(expressions, "_FUNCTIONS", {"min": interrupted})
    with pytest.raises(KeyboardInterrupt):
        answer("min(1, 2)")


def test_one_expression_serves_many_threads() -> None:
    formula = compile_expression("min(x, 1000) + 1", names=None)
    wrong: list[float] = []

    def work(start: int) -> None:
        wrong.extend(x for x in range(start, start + 500) if formula.number({"x": x}) != min(x, 1000) + 1)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 400, 800, 1200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


WORDS = st.sampled_from(
    [
        *("(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "!", "-", "+", "*", "/", "%", "<", ">", "<=", "==", "!="),
        *("&&", "||", "in", "x", "y", "1", "2.5", ".5", "1e9", "0x1f", "7u", "'a'", '"b"', "b'c'", "r'\\d'"),
        *(
            "true",
            "false",
            "null",
            "min(",
            "max(",
            "clip(",
            "log1p(",
            "size(",
            "present(",
            "present(x)",
            "x[0]",
            "l[1]",
        ),
        *("l.exists(i,", "l.all(", ".filter(i, i", ".matches('(')", ".contains(", "'''", '"""', "\\", "//", "\n", "é"),
        *("has(x.y)", "__min", "T{", "optional.of(", "?.", "`x`", "'\\u12'", "'\\777'", "\x00", "'", '"'),
    ]
)
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text("()[]{}!-+?:.,'\"\\ 1ax", max_size=300),
    st.lists(WORDS, max_size=25).map(" ".join),
    st.lists(WORDS, max_size=25).map("".join),
)
VALUES = st.dictionaries(
    st.sampled_from(["x", "y", "l", "i"]),
    st.one_of(
        st.floats(),
        st.integers(),
        st.booleans(),
        st.text(),
        st.none(),
        st.lists(st.text(max_size=5), max_size=4),
        st.binary(),
    ),
)


@settings(max_examples=400, deadline=None)
@given(HOSTILE, VALUES, st.sampled_from([None, ("x", "l")]))
@example("(" * 10_000, {}, None)
@example("-" * 3_000 + "1", {}, None)
@example("x" + "?1:x" * 900, {"x": True}, None)
@example("l" + "[0]" * 1_300, {"l": ["a"]}, None)
@example("min(" * 19 + "1,2" + ",3)" * 19, {}, None)
def test_hostile_text_is_only_ever_an_expression_error(
    source: str, values: dict[str, Any], names: tuple[str, ...] | None
) -> None:
    try:
        compiled = compile_expression(source, names=names)
    except ExpressionError:
        return
    assert names is None or compiled.names <= set(names)
    for ask in (compiled.evaluate, compiled.test, compiled.number):
        try:
            given = ask(values)
        except ExpressionError:
            continue
        assert isinstance(given, (bool, float, str, Verdict))


@given(st.integers(0, 10**30), st.floats(0, 1e300), st.text(max_size=20))
def test_literals_mean_what_they_say(whole: int, decimal: float, text: str) -> None:
    assert answer(str(whole)) == float(whole)
    assert answer(hex(whole)) == float(whole)
    assert answer(repr(decimal)) == decimal
    # JSON escapes are CEL escapes
    quoted = '"' + "".join(f"\\U{ord(letter):08x}" for letter in text if not "\ud800" <= letter <= "\udfff") + '"'
    assert answer(quoted) == "".join(letter for letter in text if not "\ud800" <= letter <= "\udfff")
