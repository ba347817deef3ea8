"""Limits the CPU time and memory that a template may use.

Loops are stopped by a CPU timer. Operations that Python runs in a single C call, which no timer can
interrupt, are measured before they run.
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
# The largest string, list or number a template may create (characters, items, bits); steps per iterator.
MOST, MOST_STEPS = 10_000_000, 1_000_000
_TICK = 0.05
_WIDTH = re.compile(r"\d{6,}")
_OUTER_WIDTH = re.compile(r"%[^a-zA-Z%]*\*|\{[^{}]*\{")


class TemplateLimitError(ProjectError):
    """A template uses too much time or memory."""


class _Budget:
    """The time and memory that a template may still use."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self._end, self._memory = time.thread_time() + SECONDS, _memory() + MOST_BYTES

    def look(self, _number: int, _frame: object) -> None:
        """Raise TemplateLimitError if the budget is exhausted; called by the timer."""
        if time.thread_time() > self._end:
            raise TemplateLimitError(f"the template runs for more than {SECONDS:g} s.")
        if _memory() > self._memory:
            raise TemplateLimitError(f"the template uses more than {MOST_BYTES >> 20} MiB of memory.")


_budgets: list[_Budget] = []


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Stop the block when it exceeds its CPU time or memory.

    Where such timers are unavailable (on Windows, outside the main thread), it is not stopped.
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
    """Return the peak memory of the process in bytes."""
    import resource  # noqa: PLC0415 - Windows has none
    import sys  # noqa: PLC0415

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024


def bounded(make: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
    """Wrap a function that returns an iterator: the iterator raises an error after too many steps."""

    def call(*arguments: Any, **named: Any) -> Iterator[Any]:
        for number, item in enumerate(make(*arguments, **named)):
            _refuse_above(number, MOST_STEPS)
            yield item

    return call


class LimitedEnvironment(SandboxedEnvironment):
    """jinja's sandbox, in which no single operation can exhaust memory."""

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name in ("center", "indent"):
            self.filters[name] = _measured(FILTERS[name])
        self.filters.update(replace=_replaced, join=_joined)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute the result, unless it would exceed the limits of a template."""
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
        """Call the function, unless it would create a string that exceeds the limits of a template."""
        own = getattr(__obj, "__self__", None)
        if isinstance(own, str):
            _refuse_above(_longest_result(own, __obj.__name__, arguments))
        return super().call(__context, __obj, *arguments, **named)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return the sandbox's own ``str.format``, with a limit on widths."""
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
    _refuse_above(_longest_result(str(s), "replace", (old, new)))
    return FILTERS["replace"](context, s, old, new, count)


@pass_eval_context
def _joined(context: Any, value: Any, d: Any = "", attribute: Any = None) -> Any:
    values = list(value)
    _refuse_above(_longest_result(str(d), "join", (values,)))
    return FILTERS["join"](context, values, d, attribute)


def measured_sub(pattern: Any, repl: Any, string: str, count: int = 0, flags: int = 0) -> str:
    """Replace as ``re.sub`` does, unless the result could exceed the limits of a template."""
    if isinstance(repl, str):
        _refuse_above((len(string) + 1) * len(repl))
    return re.sub(pattern, repl, string, count=count, flags=flags)


def _longest_result(text: str, method: str, arguments: Sequence[Any]) -> int:
    """Return the maximum length of a string method's result, estimated from its arguments."""
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
    """Raise an error for a format width of six or more digits, stated or taken from the values."""
    if _WIDTH.search(form) or (_OUTER_WIDTH.search(form) and _WIDTH.search(repr(values))):
        raise TemplateLimitError("the template asks for a string that is too wide.")


def _refuse_above(size: int, most: int = MOST) -> None:
    if size > most:
        raise TemplateLimitError(f"the template creates a value with more than {most:,} parts.")


class YmlEnvironment(LimitedEnvironment, ImmutableSandboxedEnvironment):
    """The same environment for yml values, whose jinja cannot modify objects."""
