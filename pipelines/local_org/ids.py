"""Record ids: 3 characters for the object, 2 for the org, a reserved 0, a number in base 62.

Fifteen characters name a record where case counts; three more make the id safe where it does not:
of each five characters, those that are capitals set the bits of one more (api-facts, 5.7).
"""

import re

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
NUMBER_DIGITS = 9
LOW_DIGITS = 4
LOW: int = 62**LOW_DIGITS
ID_PATTERN = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


def to18(id15: str) -> str:
    """The 18-character form of a 15-character id; an 18-character id is its own."""
    if len(id15) == 18:
        return id15
    blocks = (id15[start : start + 5] for start in (0, 5, 10))
    return id15 + "".join(
        CHECKSUM[sum(1 << bit for bit, c in enumerate(block) if "A" <= c <= "Z")]
        for block in blocks
    )


def record_id(prefix: str, pod: str, number: int) -> str:
    """The 18-character id of a record's number."""
    digits = ""
    for _ in range(NUMBER_DIGITS):
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return to18(f"{prefix}{pod}0{digits}")


def record_number(any_id: str) -> int:
    """The number inside an id of ours; of a foreign id, some number."""
    number = 0
    for digit in any_id[6:15]:
        number = number * 62 + DIGITS.index(digit)
    return number


def is_id(text: str) -> bool:
    """Whether a text has the form of an id."""
    return ID_PATTERN.fullmatch(text) is not None


def record_id_sql(prefix: str, pod: str, first: int, offset: str) -> str:
    """SQL that makes the 18-character id of record number `first + offset`.

    Only the last four digits are computed per row; `first` and the numbers after it must share the
    others (see `room`).
    """
    first_id = record_id(prefix, pod, first)
    start = first_id[: 15 - LOW_DIGITS]
    low = f"({first % LOW} + {offset})"
    digits = [f"{low} // {62**power} % 62" for power in reversed(range(LOW_DIGITS))]
    characters = ", ".join(f"'{DIGITS}'[1 + {digit}]" for digit in digits)
    fixed = 1 if "A" <= start[10] <= "Z" else 0
    capitals = " + ".join(
        f"({digit} between 10 and 35)::integer * {2 << place}" for place, digit in enumerate(digits)
    )
    last = f"'{CHECKSUM}'[1 + {fixed} + {capitals}]"
    return f"concat('{start}', {characters}, '{first_id[15:17]}', {last})"


def room(number: int) -> int:
    """How many numbers from this one on share all but their last four digits."""
    return LOW - number % LOW


def to18_sql(text: str) -> str:
    """SQL for the 18-character form of a 15-character id."""
    blocks = []
    for start in (1, 6, 11):
        bits = [
            f"(substr({text}, {start + bit}, 1) between 'A' and 'Z')::integer * {1 << bit}"
            for bit in range(5)
        ]
        blocks.append(f"'{CHECKSUM}'[1 + {' + '.join(bits)}]")
    return f"concat({text}, {', '.join(blocks)})"
