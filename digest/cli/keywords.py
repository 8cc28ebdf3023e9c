"""`digest keywords`: what an entry would match, before anybody is mailed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import many, print_json, say, tick
from digest.cli.options import ConfigOption, JsonOption, examples, load_settings, open_settings_state
from digest.cli.preview import shown
from digest.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from digest.curate.rank import Scored
    from digest.model import StoredPaper

app = typer.Typer(name="keywords", help="Try keyword entries.", no_args_is_help=True, rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add this file's commands."""
    parent.add_typer(app)


@app.callback()
def _keywords() -> None:
    """Try keyword entries."""


@app.command(
    "test",
    epilog=examples(
        "digest keywords test 'mixture of experts'",
        "digest keywords test 'title:lora^2' --days 30 --for ada@example.org",
        "digest keywords test -- '-medical'",
    ),
)
def try_out(
    entry: Annotated[str, typer.Argument(help="A keyword entry, as in the configuration.", metavar="ENTRY")],
    *,
    days: Annotated[int, typer.Option(min=1, max=365, help="How many past days to look at.", metavar="N")] = 14,
    email: Annotated[
        str, typer.Option("--for", help="Leave out what this reader's other entries leave out.", metavar="EMAIL")
    ] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what an entry matches in the papers of the last days.

    Hits per day, examples, what it missed by little, and phrases that would narrow it.
    """
    from digest.curate.narrow import narrower
    from digest.curate.query import parse
    from digest.curate.rank import Ranking
    from digest.pipeline.readers import reader_named

    query = parse(entry)
    settings, now = load_settings(config), utc_now()
    with open_settings_state(settings) as state:
        stored = state.papers.since(now - timedelta(days=days))
        reader = reader_named(settings, state, email) if email else None
    others = [parse(one) for one in reader.keywords if one != entry] if reader else []
    conditions = [one for one in others if one.excludes or one.required]
    papers = [one.paper for one in stored]
    ranking = Ranking(papers)
    hits, near = ranking.matching(query, conditions), ranking.near_misses(query, 5)
    left_out = len(ranking.matching(query)) - len(hits)
    per_day = _per_day(stored, hits)
    narrow = narrower(entry, [hit.paper for hit in hits], papers, n=5)
    if as_json:
        found = [{"key": hit.paper.key, "title": hit.paper.title, "score": hit.score} for hit in hits]
        missed = [{"key": miss.paper.key, "title": miss.paper.title} for miss in near]
        told = {"papers": len(papers), "hits": found, "left_out": left_out, "per_day": per_day, "near_misses": missed}
        print_json(told | {"share": round(len(hits) / (len(papers) or 1), 4), "narrower": narrow})
        return
    _print(entry, len(papers), days, hits, per_day, excludes=query.excludes)
    if left_out:
        say(f"{left_out:,} more left out by {', '.join(one.entry for one in conditions)}.")
    if near:
        say("Near misses:")
        for miss in near:
            say(f"  {shown(miss.paper.title)}")
    if narrow:
        say("Phrases that would narrow it, and how many of these papers have them:")
        for one in narrow:
            say(f"  {one.papers:4}  {one.phrase}")


def _per_day(stored: Sequence[StoredPaper], hits: Sequence[Scored]) -> dict[date, int]:
    """Hits by the UTC day on which the paper became known, every day with papers, oldest first."""
    day_of = {one.paper.key: one.first_seen_at.date() for one in stored}
    found = Counter(day_of[hit.paper.key] for hit in hits)
    return {day: found[day] for day in sorted(set(day_of.values()))}


def _print(
    entry: str, papers: int, days: int, hits: Sequence[Scored], per_day: dict[date, int], *, excludes: bool
) -> None:
    from digest.pipeline.profiles import BROAD

    if not papers:
        say(f"No papers are known of the last {many(days, 'day')}. Fetch some with: digest pull")
        return
    share = len(hits) / papers
    say(f"{entry!r} {'leaves out' if excludes else 'matches'} {len(hits):,} of {many(papers, 'paper')} ({share:.1%}).")
    if share > BROAD:
        tick("!", f"That is very broad; below {BROAD:.0%} is better. A longer phrase or title:… would narrow it.")
    for day, count in per_day.items():
        say(f"  {day:%a %-d %b}  {count:4}  {'▪' * min(count, 60)}")
    if hits:
        say("Examples:")
        for hit in hits[:5]:
            places = "; ".join(f"{', '.join(match.fields)}: {', '.join(match.words[:3])}" for match in hit.matches)
            say(f"  {hit.score:.2f}  {shown(hit.paper.title)}  [{places}]")
