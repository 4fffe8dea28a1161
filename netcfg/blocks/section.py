"""What every section is: a schema for its options, and its page."""

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from netcfg.blocks.registry import Group, register
from netcfg.blocks.values import Reader, describe_type, reader_of, show_value
from netcfg.source import Span

MAX_NAME = 255
_PLACE = "written at"  # no name that a field could have


class Mistake(NamedTuple):
    """What is wrong about a section, at one of its keys (at its header, without one), and what to do."""

    key: str | None
    message: str
    help: str | None = None
    code: str = "NC105"
    of_value: bool = False
    """Whether the key's value is to blame rather than the key."""


class Section(BaseModel):
    """A checked section of a file. Subclasses are final: one class per section type, named in its header."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, protected_namespaces=())

    group: ClassVar[Group]
    type_name: ClassVar[str]
    family: ClassVar[str] = ""
    unavailable: ClassVar[frozenset[str]] = frozenset()
    """Options of the base class that this section does not have."""
    takes_further: ClassVar[bool] = False
    """Whether it takes keys beside its options; a field `further` then holds them with their texts, as written, and
    `further_mistakes` says what is wrong with them."""
    elsewhere: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Options that are looked for here and stand in another section, each with the help line that says where."""

    name: str | None = Field(None, max_length=MAX_NAME, description="what others call it")

    def __init_subclass__(cls, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name is not None:
            cls.type_name = name

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        # pydantic knows them as class variables by now, and would look at each again for every class below this one.
        for name in cls.__class_vars__ & cls.__annotations__.keys():
            del cls.__annotations__[name]
        if "name" in kwargs:
            register(cls)

    @property
    def written_at(self) -> Span | None:
        """Its header in the file; None for a section that was made in Python. It is no part of what a section is:
        two that say the same are equal wherever they stand.
        """
        place: Span | None = self.__dict__.get(_PLACE)
        return place

    def place(self, span: Span) -> None:
        """Take note of where it is written."""
        self.__dict__[_PLACE] = span

    @classmethod
    @cache
    def readers(cls) -> dict[str, Reader]:
        """How to read each option's text, by the option's key."""
        return {
            field.alias or key: reader_of(field.annotation)
            for key, field in cls.model_fields.items()
            if key not in cls.unavailable
        }

    @classmethod
    def common_options(cls) -> frozenset[str]:
        """The keys of fields that all sections of its kind have, which a page lists last."""
        return frozenset(Section.model_fields)

    @classmethod
    def must_name(cls, key: str) -> bool:
        """Whether an option names a signal that the section cannot do without."""
        return False

    @classmethod
    def required_options(cls) -> list[str]:
        """The keys that must be written."""
        return [field.alias or key for key, field in cls.model_fields.items() if field.is_required()]

    @classmethod
    def describe(cls) -> str:
        """The docstring: what the section is for, shapes, source, example."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def option_rows(cls) -> list[tuple[str, str, str, str]]:
        """Key, type, default (`required` where there is none) and meaning of every option, own ones first."""
        rows, common = [], cls.common_options()
        for key, field in cls.model_fields.items():
            if key in cls.unavailable:
                continue
            required = field.is_required() or cls.must_name(key)
            default = "required" if required else show_value(field.get_default())
            limits = "".join(f", {_limit(bound)}" for bound in field.metadata if _limit(bound))
            rows.append(
                (
                    field.alias or key,
                    describe_type(field.annotation) + limits,
                    default,
                    field.description or "",
                    key in common,
                )
            )
        return [row[:4] for row in sorted(rows, key=lambda row: row[4])]

    def conflict(self) -> str | None:
        """What is wrong with the options taken together, as the rest of "`[block]` …"; None where nothing is."""
        return None

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """What is wrong with an option that its type does not tell: key -> (code, sentence, help)."""
        return {}

    def further_mistakes(self) -> Iterator[Mistake]:
        """What is wrong with the keys that it takes beside its options."""
        return iter(())

    def doubts(self) -> dict[str, tuple[str, str, str]]:
        """What is hardly meant, and yet can be done: as `mistakes`, each a warning."""
        return {}

    def options(self) -> dict[str, Any]:
        """The options that differ from their defaults, by key, in schema order."""
        return {
            field.alias or key: getattr(self, key)
            for key, field in type(self).model_fields.items()
            if getattr(self, key) != field.default
        }


def _limit(bound: Any) -> str:
    for attribute, sign in (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤")):
        if hasattr(bound, attribute):
            return f"{sign} {getattr(bound, attribute)}"
    return ""
