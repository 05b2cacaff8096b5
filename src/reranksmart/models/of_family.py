"""What the model class of every family says of it."""

from typing import ClassVar

from reranksmart.values.facts import Facts


class OfFamily:
    """A model of a family, whose name is its module's."""

    facts: ClassVar[Facts]

    @classmethod
    def family(cls) -> str:
        return cls.__module__.rpartition(".")[2]
