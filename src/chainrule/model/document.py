"""Documents of nested tables, as TOML and JSON give them; what is wrong with an entry is told with its name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from chainrule.calculus.network import Network
from chainrule.checks import did_you_mean, require, sequence, shown, texts
from chainrule.errors import InputError

_NETWORK = ("sizes", "activation", "cost", "l1", "l2")


@dataclass(frozen=True)
class Section:
    """A table of a document; ``place`` is what stands before the names of its keys in messages: ``network.``"""

    place: str
    entries: Mapping[str, Any]

    @classmethod
    def of(cls, value: object, place: str, known: Collection[str] | None = None) -> "Section":
        """The value as a table whose keys are all among the known ones, where those are given; else InputError."""
        what = place.rstrip(".: ") or "it"
        require(isinstance(value, dict), what, value, "a table")
        entries = cast("dict[str, Any]", value)
        for key in entries:
            if known is not None and key not in known:
                hint = did_you_mean(key, known)
                raise InputError(f"{place}{shown(key)[1:-1]} is not known.{hint} Known: {', '.join(known)}")
        return cls(place, entries)

    def name(self, key: str) -> str:
        """What messages call an entry."""
        return f"{self.place}{key}"

    def __getitem__(self, key: str) -> Any:
        """An entry; InputError where there is none."""
        if key not in self.entries:
            raise InputError(f"{self.name(key)} is missing")
        return self.entries[key]

    def section(self, key: str, known: Collection[str] | None = None) -> "Section":
        """An entry that is a table itself."""
        return Section.of(self[key], f"{self.name(key)}.", known)

    def texts(self, key: str) -> tuple[str, ...]:
        """An entry that is a list of texts, no two the same."""
        values = texts(self.name(key), self[key])
        for value in values:
            if values.count(value) > 1:
                raise InputError(f"{self.name(key)}: {shown(value)} is there twice")
        return values

    def items(self, key: str) -> list[Any]:
        """An entry that is a list."""
        return list(sequence(self.name(key), self[key], "a list"))


def network(document: Section) -> Network:
    """The network that the section ``network`` describes."""
    section = document.section("network", _NETWORK)
    needed = {key: section[key] for key in ("sizes", "activation", "cost")}
    return Network(**needed, **{key: value for key, value in section.entries.items() if key not in needed})
