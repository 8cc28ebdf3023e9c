"""`digest feedback`: what a reader says of papers, authors and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from digest.cli.console import UsageError, print_json, say, table
from digest.cli.options import ConfigOption, ForOption, JsonOption, examples, load_settings, open_settings_state
from digest.cli.preview import shown
from digest.clock import utc_now
from digest.errors import DigestError, QueryError

if TYPE_CHECKING:
    from pathlib import Path

    from digest.model import FeedbackKind, FeedbackVerb
    from digest.state.feedback import StoredFeedback
    from digest.state.store import State

app = typer.Typer(
    name="feedback",
    help="Say what a reader wants more of, less of, or never again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
WhatArgument = Annotated[
    str, typer.Argument(help="A paper's key or address, author:NAME, or word:WORD.", metavar="WHAT")
]
UndoOption = Annotated[bool, typer.Option("--undo", help="Take back what was last said of it.")]

_SENTENCES = {"more": "more like {}", "less": "less like {}", "mute": "never again {}"}


class _Thing(NamedTuple):
    """What something is said of."""

    kind: FeedbackKind
    #: as it is recorded
    what: str
    #: for people
    shown: str


def register(parent: typer.Typer) -> None:
    """Add this file's commands."""
    parent.add_typer(app)


@app.command(
    epilog=examples(
        "digest feedback more arxiv:2401.01234 --for ada@example.org",
        "digest feedback more author:'Emmy Noether' --for ada@example.org",
        "digest feedback more arxiv:2401.01234 --for ada@example.org --undo",
    )
)
def more(what: WhatArgument, *, email: ForOption, undo: UndoOption = False, config: ConfigOption = None) -> None:
    """Bring papers like this one farther to the top.

    Or papers by an author, or with a word. It counts half after 90 days.
    Only papers that match the reader's keywords are moved.
    """
    _say("more", what, email, undo=undo, config=config)


@app.command(epilog=examples("digest feedback less https://arxiv.org/abs/2401.01234 --for ada@example.org"))
def less(what: WhatArgument, *, email: ForOption, undo: UndoOption = False, config: ConfigOption = None) -> None:
    """Push papers like this one down, or out of the mail.

    Or papers by an author, or with a word. It counts half after 90 days.
    """
    _say("less", what, email, undo=undo, config=config)


@app.command(
    epilog=examples(
        "digest feedback mute word:'virtual try-on' --for ada@example.org",
        "digest feedback mute author:'N. Bourbaki' --for ada@example.org --undo",
    )
)
def mute(what: WhatArgument, *, email: ForOption, undo: UndoOption = False, config: ConfigOption = None) -> None:
    """Never again bring this paper.

    Or anything by an author, or anything with a word.
    """
    _say("mute", what, email, undo=undo, config=config)


@app.command(
    epilog=examples("digest feedback log --for ada@example.org", "digest feedback log --for ada@example.org --json")
)
def log(*, email: ForOption, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show everything that was ever said, what was taken back included."""
    from digest.pipeline.readers import reader_named

    settings = load_settings(config)
    with open_settings_state(settings) as state:
        reader = reader_named(settings, state, email)
        said = state.feedback.log(reader.email)
        titles = _titles(state, said)
    if as_json:
        print_json(
            [
                {"at": one.at, **_told(one), "title": titles.get(one.what, ""), "undone_at": one.undone_at}
                for one in said
            ]
        )
    elif said:
        say(table([("WHEN (UTC)", "SAID", "OF", ""), *(_row(one, titles) for one in said)]))
    else:
        say(f"{reader.email} has said nothing yet.")


def _say(verb: FeedbackVerb, what: str, email: str, *, undo: bool, config: Path | None) -> None:
    from digest.pipeline.readers import reader_named
    from digest.state.feedback import StoredFeedback

    settings, now = load_settings(config), utc_now()
    with open_settings_state(settings) as state:
        reader = reader_named(settings, state, email)
        thing = _thing(state, what)
        if undo:
            _undo(state, reader.email, verb, thing)
            return
        if thing.kind == "paper" and verb != "mute" and state.papers.get(thing.what) is None:
            hint = "name one that was in a mail, or bring it along: digest interests import FILE --for EMAIL"
            raise DigestError(f"the paper {thing.what} is not known here", hint=hint)
        state.feedback.record([StoredFeedback(reader.email, now, verb, thing.kind, thing.what)])
    say(f"{reader.email}: {_SENTENCES[verb].format(thing.shown)}. Take it back with --undo.")


def _undo(state: State, email: str, verb: FeedbackVerb, thing: _Thing) -> None:
    last = next((one for one in reversed(state.feedback.log(email)) if _is_about(one, thing)), None)
    if last is None or last.verb != verb:
        other = f"; what counts is “{last.verb}”" if last else ""
        hint = f"see: digest feedback log --for {email}"
        raise DigestError(f"{email} has not said “{verb}” of {thing.shown}{other}", hint=hint)
    state.feedback.undo(email, now=utc_now(), kind=thing.kind, what=thing.what)
    say(f"{email}: taken back: {_SENTENCES[verb].format(thing.shown)}.")


def _is_about(said: StoredFeedback, thing: _Thing) -> bool:
    return said.undone_at is None and (said.kind, said.what) == (thing.kind, thing.what)


def _thing(state: State, typed: str) -> _Thing:
    """What was typed; a known paper goes by its own key.

    Raises:
        UsageError: it is none of the three.
    """
    from digest.curate.profile import entry
    from digest.identity import identify

    name, colon, rest = typed.partition(":")
    rest = " ".join(rest.split())
    for kind in ("author", "word"):
        if colon and name.strip().lower() == kind:
            try:
                entry(kind, rest)
            except QueryError as error:
                raise UsageError(
                    f"{typed!r} names no {kind}", hint=f"write {kind}:… with at least one letter"
                ) from error
            return _Thing(kind, rest, f"papers {'by' if kind == 'author' else 'with'} “{rest}”")
    key = found.key if (found := identify(typed)) else typed.strip()
    if stored := state.papers.get(key):
        return _Thing("paper", stored.paper.key, f"“{shown(stored.paper.title)}”")
    if found is None:
        hint = "write a key (arxiv:2401.01234), an address, author:NAME or word:WORD"
        raise UsageError(f"{typed!r} is no paper, author or word", hint=hint)
    return _Thing("paper", key, key)


def _titles(state: State, said: tuple[StoredFeedback, ...]) -> dict[str, str]:
    known = state.papers.known(one.what for one in said if one.kind == "paper")
    return {key: stored.paper.title for key, stored in known.items()}


def _told(said: StoredFeedback) -> dict[str, str]:
    return {"verb": said.verb, "kind": said.kind, "what": said.what}


def _row(said: StoredFeedback, titles: dict[str, str]) -> tuple[str, ...]:
    of = said.what if said.kind == "paper" else f"{said.kind}:{said.what}"
    title = f"  {shown(titles[said.what], 60)}" if said.kind == "paper" and said.what in titles else ""
    back = f"taken back {said.undone_at:%Y-%m-%d %H:%M}" if said.undone_at else ""
    return (f"{said.at:%Y-%m-%d %H:%M}", said.verb, of + title, back)
