"""What templates say with one word: states, icons, ages, times, small charts, built files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from controlplane.kernel import clock
from frontend import assets, charts, minimap, wording
from frontend.records.view import FeatureStrip
from frontend.states import ICONS, VERDICTS, look

register = template.Library()
HALF_HOUR = timedelta(minutes=30)

register.filter("duration", wording.duration)
register.filter("took", wording.took)
register.filter("count", wording.count)
register.filter("percent", wording.percent)


@register.filter
def quoted(text: str) -> str:
    """Percent-encode a node id or a name for use as one part of an address."""
    return quote(str(text), safe="")


@register.filter
def lookup(mapping: dict[str, object], key: str) -> object:
    """Return ``mapping[key]``, nothing when absent."""
    return mapping.get(key)


@register.simple_tag
def amount(number: int | None, singular: str, plural: str | None = None) -> str:
    """Write ``1 view``, ``3 views``."""
    return wording.amount(number or 0, singular, plural)


@register.simple_tag
def marked(text: str, query: str) -> SafeString | str:
    """Write ``text`` with the part that matches ``query`` marked."""
    at = text.lower().find(query.lower()) if query else -1
    if at < 0:
        return text
    end = at + len(query)
    return format_html("{}<mark>{}</mark>{}", text[:at], text[at:end], text[end:])


def _icon(shapes: str, css: str = "") -> SafeString:
    # Shapes come from icons.json, which is ours.
    return format_html(
        '<svg class="icon{}" viewBox="0 0 16 16" aria-hidden="true">{}</svg>',
        f" {css}" if css else "",
        mark_safe(shapes),  # noqa: S308
    )


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw an icon; it says nothing by itself, so words stand beside it or on the control around it."""
    return _icon(ICONS["ui"][name])


@register.simple_tag
def kind_icon(kind: str) -> SafeString:
    """Draw the shape of a lineage node's kind."""
    return _icon(ICONS["kinds"].get(kind, ICONS["kinds"]["dataset"]))


@register.simple_tag
def state(name: str, css: str = "") -> SafeString:
    """Tell a state by shape and word, with its colour in support. ``css="badge"`` for the large one."""
    told = look(name)
    shape = ICONS["states"].get(name, ICONS["states"]["no_data"])
    return format_html(
        '<span class="state{}" data-tone="{}" data-state="{}"{}>{}{}</span>',
        f" {css}" if css else "",
        told.tone,
        name,
        format_html(' title="{}"', told.meaning) if told.meaning else "",
        _icon(shape),
        told.word,
    )


@register.simple_tag
def verdict(name: str) -> SafeString:
    """Tell the verdict on one value: the shape and tone of its state, the word of the contract."""
    as_state = VERDICTS.get(name, "no_data")
    shape = ICONS["states"]["hollow" if name == "null" else as_state]
    return format_html(
        '<span class="state" data-tone="{}" data-verdict="{}">{}{}</span>',
        look(as_state).tone,
        name,
        _icon(shape),
        name.capitalize(),
    )


@register.filter
def milliseconds(value: timedelta) -> str:
    """Write ``3.2 ms``."""
    return f"{value / timedelta(milliseconds=1):.1f} ms"


@register.simple_tag
def state_word(name: str) -> str:
    """Write the word of a state."""
    return look(name).word


@register.simple_tag
def slow(took: timedelta | None, usual: timedelta | None) -> SafeString | str:
    """Say how many times the usual a duration is, from one and a half times on."""
    if not took or not usual or took < 1.5 * usual:
        return ""
    return format_html(' <span class="slow">{} usual</span>', wording.ratio(took, usual))


@register.simple_tag
def tone(name: str) -> str:
    """Return the tone of a state, for ``data-tone``."""
    return look(name).tone


@register.simple_tag
def when(instant: datetime | None, css: str = "") -> SafeString | str:
    """Write an instant relative to now, exact on hover and for machines; the script keeps it ticking."""
    if instant is None:
        return "never"
    return format_html(
        '<time datetime="{}" title="{}" data-when{}>{}</time>',
        instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        wording.exact(instant),
        format_html(' class="{}"', css) if css else "",
        wording.relative(instant, clock.now()),
    )


@register.simple_tag
def clock_time(instant: datetime | None) -> SafeString | str:
    """Write hours and minutes of an instant, exact on hover."""
    if instant is None:
        return "–"
    utc = instant.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        wording.exact(instant),
        f"{utc:%H:%M}",
    )


@register.simple_tag
def age_of(age: timedelta | None, limit: timedelta | None, state_name: str = "no_data") -> SafeString:
    """Write ``42 min of 15 min (2.8x)`` over a small bar."""
    times = wording.ratio(age, limit)
    over = bool(age is not None and limit and age > limit)
    return format_html(
        '<span class="agecell"><span>{}{}{}</span>{}</span>',
        wording.duration(age),
        format_html(' <span class="meta">of {}</span>', wording.duration(limit)) if limit else "",
        format_html(' <span class="ratio{}">{}</span>', " over" if over else "", times) if times else "",
        mark_safe(charts.age_bar(age, limit, state=state_name)),  # noqa: S308 - numbers and escaped words
    )


@register.simple_tag
def sparkline(values: Sequence[float | None], label: str, unit: str = "") -> SafeString:
    """Draw a line of values."""
    return mark_safe(charts.sparkline(values, label=label, unit=unit))  # noqa: S308 - numbers and escaped words


@register.simple_tag
def state_strip(columns: Sequence[charts.StripColumn], label: str) -> SafeString:
    """Draw states over time, stacked."""
    return mark_safe(charts.state_strip(columns, label=label))  # noqa: S308 - numbers and escaped words


@register.simple_tag
def state_cells(strip: FeatureStrip) -> SafeString:
    """Draw the states of a feature over time, one cell each."""
    label = f"{strip.feature}, last 24 h"
    svg = charts.state_cells(strip.cells, label=label, since=strip.since, step=HALF_HOUR)
    return mark_safe(svg)  # noqa: S308 - numbers and escaped words


@register.simple_tag
def proportion(parts: Sequence[tuple[str, int]], label: str) -> SafeString:
    """Draw parts of a whole on a scale that keeps the small ones visible."""
    return mark_safe(charts.proportion(parts, label=label))  # noqa: S308 - numbers and escaped words


@register.simple_tag
def mini_map(
    nodes: Sequence[minimap.MapNode], edges: Sequence[tuple[str, str]], cause: Sequence[str], label: str
) -> SafeString:
    """Draw the small lineage picture."""
    return mark_safe(minimap.mini_map(nodes, edges, cause=cause, label=label))  # noqa: S308 - escaped there


@register.simple_tag
def asset(name: str) -> SafeString:
    """Load a built script or style sheet, and preload what a script imports at once."""
    entry = assets.find_entry(name, dist=settings.FRONTEND_DIST)
    if name.endswith(".css"):
        return format_html('<link rel="stylesheet" href="{}">', static(entry.file))
    preloads = format_html_join(
        "", '<link rel="modulepreload" href="{}">', ((static(file),) for file in entry.imports)
    )
    return format_html('{}<script type="module" src="{}"></script>', preloads, static(entry.file))
