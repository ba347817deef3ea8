"""Keeps a template from taking a machine's time and memory: how long it runs, what it may grow to.

Loops end by a timer of processor time. What Python does in one step of C, where no timer reaches, is measured
before it is done.
"""

import contextlib
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from typing import Any

from jinja2 import pass_eval_context
from jinja2.filters import FILTERS
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

from genredb.errors import ProjectError

SECONDS = 10.0
MOST_BYTES = 1 << 30
# What one text, list or number of a template may grow to, in letters, items, bits; and an iterator.
MOST, MOST_STEPS = 10_000_000, 1_000_000
_TICK = 0.05
_WIDTH = re.compile(r"\d{6,}")
_OUTER_WIDTH = re.compile(r"%[^a-zA-Z%]*\*|\{[^{}]*\{")


class TemplateLimitError(ProjectError):
    """A template takes too much time or memory."""


class _Budget:
    """What a template may still use up."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self._end, self._memory = time.thread_time() + SECONDS, _memory() + MOST_BYTES

    def look(self, _number: int, _frame: object) -> None:
        """Raise TemplateLimitError when it is used up; what a timer calls."""
        if time.thread_time() > self._end:
            raise TemplateLimitError(f"the template runs for more than {SECONDS:g} s.")
        if _memory() > self._memory:
            raise TemplateLimitError(f"the template takes more than {MOST_BYTES >> 20} MiB of memory.")


_budgets: list[_Budget] = []


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """End what is inside when it has used up its processor time or memory.

    Where there are no such timers (Windows, threads beside the main one), it runs on.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if _budgets or not is_main or not hasattr(signal, "setitimer"):
        yield
        return
    _budgets.append(_Budget())
    before = signal.signal(signal.SIGVTALRM, _budgets[0].look)
    signal.setitimer(signal.ITIMER_VIRTUAL, _TICK, _TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        _budgets.clear()


@contextlib.contextmanager
def unlimited() -> Iterator[None]:
    """Stop the timer while a template waits for the database."""
    if not _budgets:
        yield
        return
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    try:
        yield
    finally:
        _budgets[0].renew()
        signal.setitimer(signal.ITIMER_VIRTUAL, _TICK, _TICK)


def _memory() -> int:
    """Return the most that the process has ever held, in bytes."""
    import resource  # noqa: PLC0415 - Windows has none
    import sys  # noqa: PLC0415

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


def bounded(make: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
    """Return an iterator's function whose iterators end with an error when they go on and on."""

    def call(*arguments: Any, **named: Any) -> Iterator[Any]:
        for number, item in enumerate(make(*arguments, **named)):
            _refuse_above(number, MOST_STEPS)
            yield item

    return call


class LimitedEnvironment(SandboxedEnvironment):
    """jinja's sandbox, in which no single step takes all memory."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in ("center", "indent"):
            self.filters[name] = _measured(FILTERS[name])
        self.filters.update(replace=_replaced, join=_joined)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute, unless the result is larger than a template may make it."""
        if operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, Sized) and isinstance(other, int):
                    _refuse_above(len(one) * other)
        elif operator == "**" and isinstance(left, int) and isinstance(right, int):
            _refuse_above(left.bit_length() * right)
        elif operator == "%" and isinstance(left, str):
            _refuse_wide(left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *arguments: Any, **named: Any) -> Any:  # noqa: N805
        """Call, unless a text is asked to be longer than a template may make it."""
        own = getattr(__obj, "__self__", None)
        if isinstance(own, str):
            _refuse_above(_grown(own, __obj.__name__, arguments))
        return super().call(__context, __obj, *arguments, **named)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return the sandbox's own ``format`` of a text, measured."""
        found = super().wrap_str_format(value)
        if found is None:
            return None

        def measured(*arguments: Any, **named: Any) -> str:
            _refuse_wide(value.__self__, (arguments, named))
            return found(*arguments, **named)

        return measured


def _measured(filter_: Callable[..., Any]) -> Callable[..., Any]:
    def call(value: Any, width: Any = None, *arguments: Any, **named: Any) -> Any:
        stated = [width, *arguments, *named.values()]
        for number in (number for number in stated if isinstance(number, int)):
            _refuse_above(number)
        return filter_(value, *([] if width is None else [width]), *arguments, **named)

    return call


@pass_eval_context
def _replaced(context: Any, s: Any, old: Any, new: Any, count: int | None = None) -> Any:
    _refuse_above(_grown(str(s), "replace", (old, new)))
    return FILTERS["replace"](context, s, old, new, count)


@pass_eval_context
def _joined(context: Any, value: Any, d: Any = "", attribute: Any = None) -> Any:
    values = list(value)
    _refuse_above(_grown(str(d), "join", (values,)))
    return FILTERS["join"](context, values, d, attribute)


def measured_sub(pattern: Any, repl: Any, string: str, count: int = 0, flags: int = 0) -> str:
    """Replace as ``re.sub`` does, unless the result could be longer than a template may make it."""
    if isinstance(repl, str):
        _refuse_above((len(string) + 1) * len(repl))
    return re.sub(pattern, repl, string, count=count, flags=flags)


def _grown(text: str, method: str, arguments: Sequence[Any]) -> int:
    """Return how many letters a method of a text makes of it at most, as far as its arguments tell."""
    given: Any = arguments[0] if arguments else None
    if method == "replace" and all(isinstance(one, str) for one in arguments[:2]):
        return len(text) + text.count(given) * len(arguments[1])
    if method == "join" and isinstance(given, list | tuple):
        return sum(len(text) + len(one) for one in given if isinstance(one, str))
    if method == "translate" and isinstance(given, Mapping):
        return len(text) * max((len(one) for one in given.values() if isinstance(one, str)), default=1)
    if method == "expandtabs" and isinstance(given, int):
        return text.count("\t") * given
    return max((one for one in arguments if isinstance(one, int)), default=0)


def _refuse_wide(form: str, values: Any) -> None:
    """Refuse a format with a width of six digits, stated or taken from the values."""
    if _WIDTH.search(form) or (_OUTER_WIDTH.search(form) and _WIDTH.search(repr(values))):
        raise TemplateLimitError("the template asks for a text that is too wide.")


def _refuse_above(size: int, most: int = MOST) -> None:
    if size > most:
        raise TemplateLimitError(f"the template makes something of more than {most:,} parts.")


class YmlEnvironment(LimitedEnvironment, ImmutableSandboxedEnvironment):
    """The same for the values of yml files, where nothing changes what it is given."""
