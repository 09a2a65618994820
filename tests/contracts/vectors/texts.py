"""Strings and bytes: lengths, patterns, allowed values."""

from tests.contracts.vectors.building import case, feature, fresh, invalid, judged, row, single, view


def text(**domain):
    return view(feature(dtype="string", **domain), on_invalid="serve")


E_ACUTE = "\u00e9"  # one code point
E_COMBINING = "e\u0301"  # the same letter as two
GRIN = "\U0001f600"  # one code point, two UTF-16 units, four UTF-8 bytes
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"  # one picture, five code points


def bad(reason, value):
    return invalid(reason, "serve", value)


CASES = [
    single("a string of exactly max length is fresh", "abcd", fresh("abcd"), of=text(max_length=4)),
    single(
        "a string one longer than max length is invalid",
        "abcde",
        bad("max_length", "abcde"),
        of=text(max_length=4),
    ),
    single("an empty string has the length zero", "", fresh(""), of=text(max_length=0)),
    single("an accented letter is one code point", E_ACUTE, fresh(E_ACUTE), of=text(max_length=1)),
    single(
        "a combining accent is a code point of its own",
        E_COMBINING,
        bad("max_length", E_COMBINING),
        of=text(max_length=1),
    ),
    single(
        "a combining accent counts as the second of two",
        E_COMBINING,
        fresh(E_COMBINING),
        of=text(max_length=2),
    ),
    single("a code point beyond the basic plane counts once", GRIN, fresh(GRIN), of=text(max_length=1)),
    single("two such code points count twice", GRIN * 2, bad("max_length", GRIN * 2), of=text(max_length=1)),
    single("joined pictures count each part and each joiner", FAMILY, fresh(FAMILY), of=text(max_length=5)),
    single(
        "joined pictures are longer than they look", FAMILY, bad("max_length", FAMILY), of=text(max_length=4)
    ),
    case(
        "bytes count bytes, not characters",
        [row(x="w6k="), row(x="w6l4")],
        [judged(fresh("w6k=")), judged(bad("max_length", "w6l4"))],
        of=view(feature(dtype="bytes", max_length=2), on_invalid="serve"),
    ),
    single("bytes need not be text", "//4A", fresh("//4A"), of=view(feature(dtype="bytes", max_length=3))),
    single(
        "a pattern that matches the whole value is kept",
        "N12345",
        fresh("N12345"),
        of=text(pattern="N[0-9]+"),
    ),
    single(
        "a pattern matches the whole value, not its start",
        "N123x",
        bad("pattern", "N123x"),
        of=text(pattern="N[0-9]+"),
    ),
    single(
        "a pattern matches the whole value, not its end",
        "xN123",
        bad("pattern", "xN123"),
        of=text(pattern="N[0-9]+"),
    ),
    single(
        "an alternative that matches a prefix first does not hide the one that matches all",
        "ab",
        fresh("ab"),
        of=text(pattern="a|ab"),
    ),
    single("alternatives are anchored together", "xb", bad("pattern", "xb"), of=text(pattern="a|b")),
    single(
        "a trailing line break is part of the value", "abc\n", bad("pattern", "abc\n"), of=text(pattern="abc")
    ),
    single(
        "a dollar in the pattern allows no trailing line break",
        "abc\n",
        bad("pattern", "abc\n"),
        of=text(pattern="^abc$"),
    ),
    single("a dot is no line break", "a\nb", bad("pattern", "a\nb"), of=text(pattern="a.b")),
    single(
        "a dot is a line break where the pattern says so", "a\nb", fresh("a\nb"), of=text(pattern="(?s)a.b")
    ),
    single("a dot is a whole code point", GRIN, fresh(GRIN), of=text(pattern=".")),
    single("a digit class is ASCII only", "\u0663", bad("pattern", "\u0663"), of=text(pattern=r"\d")),
    single(
        "a letter class by property covers all alphabets",
        "\u00e9\u0416\u6f22",
        fresh("\u00e9\u0416\u6f22"),
        of=text(pattern=r"\pL+"),
    ),
    single("patterns tell case apart", "abc", bad("pattern", "abc"), of=text(pattern="ABC")),
    single("patterns ignore case where they say so", "abc", fresh("abc"), of=text(pattern="(?i)ABC")),
    single("an empty pattern matches the empty string", "", fresh(""), of=text(pattern="")),
    single("an empty pattern matches nothing else", "a", bad("pattern", "a"), of=text(pattern="")),
    single("an empty string is held against its pattern", "", bad("pattern", ""), of=text(pattern="a+")),
    case(
        "a string is one of those allowed or invalid",
        [row(x="UA"), row(x="ua"), row(x="UA ")],
        [judged(fresh("UA")), judged(bad("allowed", "ua")), judged(bad("allowed", "UA "))],
        of=text(allowed=["AA", "UA"]),
    ),
    single(
        "strings are not normalised before they are compared",
        E_COMBINING,
        bad("allowed", E_COMBINING),
        of=text(allowed=[E_ACUTE]),
    ),
    single("nothing is allowed where the list is empty", "a", bad("allowed", "a"), of=text(allowed=[])),
    single(
        "of several broken rules the reason is allowed, then max length, then pattern",
        "abcde",
        bad("allowed", "abcde"),
        of=text(allowed=["x"], max_length=4, pattern="x"),
    ),
    single(
        "length is told before pattern",
        "abcde",
        bad("max_length", "abcde"),
        of=text(max_length=4, pattern="x"),
    ),
]
