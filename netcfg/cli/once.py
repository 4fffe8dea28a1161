"""Arguments that are obeyed or refused: none is empty, and none takes the place of an earlier one unseen."""

from __future__ import annotations

import argparse
from typing import Any, ClassVar


class _Taken:
    """What an action was given by in the command line that is being read."""

    namespace: argparse.Namespace | None = None
    by: str | None = None

    def take(self, namespace: argparse.Namespace, given: str | None) -> None:
        """Raises what argparse reports where it was given before: one of the two would go unread."""
        if self.namespace is namespace:
            told = (
                f"`{given}` is given twice"
                if self.by == given
                else f"`{self.by}` and `{given}` exclude each other"
            )
            raise argparse.ArgumentError(None, told)
        self.namespace, self.by = namespace, given


class _Looking(argparse.Action):
    """An action that looks at what it is given before it takes it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._taken = _Taken()

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Take it. Raises what argparse reports where it is not to be taken."""
        self._look_at(namespace, values, option_string)
        super().__call__(parser, namespace, values, option_string)

    def _look_at(self, namespace: argparse.Namespace, values: Any, given: str | None) -> None:
        self._taken.take(namespace, given)


class Once(_Looking, argparse._StoreAction):
    """An argument with a value."""

    may_be_empty: ClassVar[bool] = False

    def _look_at(self, namespace: argparse.Namespace, values: Any, given: str | None) -> None:
        if self.option_strings:  # what has none is given by its place alone
            super()._look_at(namespace, values, given)
        if not self.may_be_empty:
            _expect_something(self, values)


class OnceOrNone(Once):
    """An argument with a value, which an empty text takes away."""

    may_be_empty: ClassVar[bool] = True


class Each(_Looking, argparse._AppendAction):
    """An argument that may be given several times."""

    def _look_at(self, namespace: argparse.Namespace, values: Any, given: str | None) -> None:
        _expect_something(self, values)
        if isinstance(values, str) and _named(values) in map(_named, getattr(namespace, self.dest) or ()):
            raise argparse.ArgumentError(None, f"`{given} {_named(values)}` is given twice")


def _named(text: str) -> str:
    """Of `NAME=VALUE` the name."""
    return text.partition("=")[0].strip()


class EitherWay(_Looking, argparse.BooleanOptionalAction):
    """`--turn` and `--no-turn`, of which one may be given."""


def _expect_something(action: argparse.Action, values: Any) -> None:
    """Refuse an empty text, which a path would take for the current folder."""
    if "" in (values if isinstance(values, list) else [values]) and values is not action.const:
        raise argparse.ArgumentError(action, "must not be empty")
