"""Registry files of Feast's, written field by field; tests/golden holds those that Feast itself wrote."""


def varint(number):
    number &= 2**64 - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    content = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(content)) + content


def message(field, *parts):
    return text(field, b"".join(parts))


def mapping(field, values):
    return b"".join(message(field, text(1, key), text(2, value)) for key, value in values.items())


def column(field, name, kind, *more):
    return message(field, text(1, name), number(2, kind), *more)


def project(name):
    return message(17, message(1, text(1, name)))


def entity(name, *more, of="shop", join_key=None):
    return message(1, message(1, text(1, name), text(9, of), text(4, join_key or f"{name}_id"), *more))


def file_source(field, name="stats", uri="data/stats.parquet", *more):
    event_time = text(3, "event_timestamp")
    return message(field, text(20, name), number(1, 1), event_time, message(11, text(2, uri)), *more)


def push_source(field, name):
    return message(field, text(20, name), number(1, 9))


def view(name, *more, of="shop", entities=("customer",), features=(("a", 4),), ttl=3600):
    parts = [text(1, name), text(2, of), number(8, 1), message(6, number(1, ttl))]
    parts += [text(3, each) for each in entities]
    parts += [column(12, f"{each}_id", 2) for each in entities]
    parts += [column(4, *each) for each in features]
    return message(6, message(1, *parts, *more))


def service(name, *views, of="shop", features=("a",)):
    projections = [message(3, text(1, each), *(column(2, f, 4) for f in features)) for each in views]
    return message(7, message(1, text(1, name), text(2, of), *projections))


def registry(*parts, of="shop"):
    return b"".join([text(3, "1"), project(of), *parts])
