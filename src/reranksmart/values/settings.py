"""What the settings of every layer are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
SplitName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*\.)?[a-z][a-z0-9_]*$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$", description="code of ISO 639 in small letters: en, quz")]
Languages = Annotated[tuple[Language, ...], Field(description="that are read of the captions")]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]
OWN, OWN_OR_NAME = "the user's own files", "the user's own files, or a name"
"""Marks of the types of paths: what lies there counts by its content."""
OwnPath = Annotated[str, OWN]
Place = Annotated[
    str,
    Field(
        min_length=1,
        description="a path; or source:FILE of datasets/sources.csv, which is fetched (source:FOLDER: all files below it; "
        "source:FILE.zip#INSIDE: a folder or file of an archive, .zip or .tar.gz, which is unpacked)",
    ),
    OWN,
]


class ConfigError(ValueError):
    """A configuration that cannot run, with the key, what is allowed and what to do."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
