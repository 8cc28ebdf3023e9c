"""What the tables of the configuration are made of: kinds of values, and a table that takes no unknown key."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictFloat,
    StrictInt,
    WithJsonSchema,
)

from digest.config import values
from digest.deliver.throttle import Rate
from digest.languages.language import available
from digest.model import Weekday

Address = Annotated[str, AfterValidator(values.address)]
#: in lower case: capitals make no other mailbox anywhere, and must not make another reader
ReaderAddress = Annotated[Address, AfterValidator(str.lower)]
Mailbox = Annotated[str, AfterValidator(values.mailbox)]
WebAddress = Annotated[str, AfterValidator(values.web_address)]
Proxy = Annotated[SecretStr, AfterValidator(values.proxy)]
OneLine = Annotated[str, Field(max_length=200), AfterValidator(values.one_line)]
PrivateHost = Annotated[str, AfterValidator(values.private_host)]
File = Annotated[Path, BeforeValidator(values.path)]
Keyword = Annotated[str, AfterValidator(values.keyword)]
Category = Annotated[str, AfterValidator(values.category)]
Zone = Annotated[str, AfterValidator(values.zone)]
Language = Annotated[
    str, AfterValidator(values.language), WithJsonSchema({"type": "string", "enum": list(available())})
]
Clock = Annotated[
    dt.time,
    BeforeValidator(values.clock),
    WithJsonSchema({"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$"}),
]
Pause = Annotated[dt.date, BeforeValidator(values.pause), WithJsonSchema({"type": "string", "format": "date"})]
Day = Annotated[Weekday, BeforeValidator(lambda day: values.weekday(day) if isinstance(day, str) else day)]
Days = Annotated[tuple[Day, ...], AfterValidator(values.week)]
MaxPapers = Annotated[StrictInt, Field(ge=1, le=50)]
Trending = Annotated[StrictInt, Field(ge=0, le=50)]
Score = Annotated[StrictFloat, Field(ge=0, le=1)]
MailRate = Annotated[
    Rate,
    BeforeValidator(values.rate),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]* ?/ ?(second|minute|hour|day)$"}),
]
DomainRates = Annotated[
    dict[str, Rate],
    BeforeValidator(values.domain_rates),
    WithJsonSchema({"type": ["string", "object"], "additionalProperties": {"type": "string"}}),
]


class Section(BaseModel):
    """A table of the file. Unknown keys are mistakes; values never appear in pydantic's own messages."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True, validate_default=False
    )
