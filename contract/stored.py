"""Read objects of the bucket: known fields are checked, unknown fields are ignored.

An object may have been edited by hand or half restored: reading it returns the object or raises a
DamagedError that names it. An object of a newer version has unknown fields. They are not a fault,
so a rollback to an older version needs no repair of the bucket.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, ValidationError

from contract.base import Strict, canonical_json
from contract.exceptions import ConfigError, DamagedError
from contract.explain import explain
from contract.printable import short
from contract.strict_json import check_plain, parse_json


def _of_this_age(at: datetime) -> datetime:
    if not 2000 <= at.year < 3000:
        raise ValueError("the year is out of range; allowed: years 2000 to 2999")
    return at


Moment = Annotated[AwareDatetime, AfterValidator(_of_this_age)]


class Stored(Strict):
    """A model that is stored as one JSON object."""

    def to_json(self) -> bytes:
        """Return the stored form: equal bytes for equal values."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, data: bytes, *, path: str = "the object", run_id: str | None = None) -> Self:
        """Read the stored form; `path` is its place, `run_id` the run that it must belong to.

        Raises:
            DamagedError: a field is missing or invalid, or all fields are, even if each has a
                default; or the object belongs to another run.
        """
        document = read_fields(data, path=path)
        if run_id is not None and document.get("run_id") != run_id:
            raise DamagedError(path, f"it belongs to run `{short(str(document.get('run_id')))}`")
        if not document.keys() & cls.model_fields.keys():
            raise DamagedError(path, f"it has none of its fields ({', '.join(cls.model_fields)})")
        try:
            return cls.model_validate(document, extra="ignore")
        except ValidationError as error:
            raise DamagedError(path, explain(error, cls)[0].removesuffix(".")) from None


def read_fields(data: bytes, *texts: str, path: str) -> dict[str, Any]:
    """Return the fields of a stored object; those named in `texts` must be text.

    Raises:
        DamagedError: the data is not a JSON object, or lacks one of the fields.
    """
    try:
        document = parse_json(data)
        check_plain(document, "it")
    except (ValueError, ConfigError) as error:
        raise DamagedError(path, str(error)) from None
    if not isinstance(document, dict):
        raise DamagedError(path, f"it is a {type(document).__name__}, not an object")
    for name in texts:
        if not isinstance(document.get(name), str):
            raise DamagedError(path, f"`{name}` is missing or is not text")
    return document
