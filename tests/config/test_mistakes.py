"""Every mistake has its own sentence, names key, value and line, and says what to write instead."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.config import load
from digest.config.file import parse
from digest.config.layers import VARIABLES
from digest.config.mistakes import validated
from digest.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

#: eight lines that are right; a mistake is put behind them, so that it begins in line 9
RIGHT = """[http]
contact = "admin@lab.example"
[mail]
from = "digest@lab.example"
[[sources]]
type = "arxiv"
categories = ["cs.CL"]
name = "language"
"""


def problems(tmp_path: Path, text: str | bytes, env: Mapping[str, str] | None = None) -> tuple[ConfigProblem, ...]:
    path = tmp_path / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(path, env or {})
    return caught.value.problems


def one(tmp_path: Path, text: str | bytes, env: Mapping[str, str] | None = None) -> tuple[object, ...]:
    """The only problem, as (line, key, value, message, hint)."""
    (problem,) = problems(tmp_path, text, env)
    assert problem.origin == str(tmp_path / "config.toml")
    return problem.line, problem.key, problem.value, problem.message, problem.hint


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        pytest.param(
            "colour = 1",
            (9, "sources.0.colour", None, "there is no such key (source language)"),
            id="unknown key in a list",
        ),
        pytest.param(
            '[state]\nurl = "mysql://digest:ge@heim/geheim@db/x"',
            (10, "state.url", "mysql://…@db/x"),
            id="database, whose password holds what should be encoded",
        ),
        pytest.param(
            "[digest]\nmax_paper = 3",
            (10, "digest.max_paper", None, "there is no such key", "did you mean max_papers?"),
            id="unknown key",
        ),
        pytest.param(
            "[digest]\nkeywords = []",
            (10, "digest.keywords", None, "there is no such key", "keywords belongs under [[subscribers]]"),
            id="key of another table",
        ),
        pytest.param("[smpt]", (9, "smpt", None, "there is no such key", "did you mean smtp?"), id="unknown table"),
        pytest.param(
            "[digest]\nmax_papers = 'ten'",
            (10, "digest.max_papers", "ten", "must be a whole number, not text", "write a number without quotes"),
            id="text for a number",
        ),
        pytest.param(
            "[digest]\nmax_papers = true",
            (10, "digest.max_papers", "true", "must be a whole number, not true or false", "write a number"),
            id="switch for a number",
        ),
        pytest.param(
            "[digest]\nfollowups = 'yes'",
            (10, "digest.followups", "yes", "must be true or false, not text", "write true or false without quotes"),
            id="text for a switch",
        ),
        pytest.param(
            "[digest]\nmax_papers = 1.5",
            (10, "digest.max_papers", "1.5", "must be a whole number, not a number with decimals", "write 2"),
            id="fraction",
        ),
        pytest.param(
            "[digest]\ntimezone = 2",
            (10, "digest.timezone", "2", "must be text in quotes, not a whole number", 'write "2" with quotes'),
            id="number for text",
        ),
        pytest.param(
            "[digest]\ntimezone = true",
            (10, "digest.timezone", "true", "must be text in quotes, not true or false", "write it in quotes"),
            id="switch for text",
        ),
        pytest.param(
            '[digest]\ndays = "mon"',
            (
                10,
                "digest.days",
                "mon",
                "must be a list in square brackets, not text",
                'write ["…"] with brackets, also around a single entry',
            ),
            id="text for a list",
        ),
        pytest.param(
            '[[digest]]\ntime = "08:00"',
            (
                9,
                "digest",
                None,
                "must be a table of keys, not a list",
                "write [digest] with one bracket, and its keys below",
            ),
            id="list for a table",
        ),
        pytest.param(
            '[subscribers]\nemail = "ada@lab.example"',
            (
                9,
                "subscribers",
                None,
                "must be a list in square brackets, not a table",
                "write [[subscribers]] with two brackets, and its keys below",
            ),
            id="table for a list",
        ),
        pytest.param(
            "[digest]\nmax_papers = 51",
            (10, "digest.max_papers", "51", "must be at most 50", "write 50 or less"),
            id="too large",
        ),
        pytest.param(
            "[digest]\nmin_score = -0.5",
            (10, "digest.min_score", "-0.5", "must be at least 0", "write 0 or more"),
            id="too small",
        ),
        pytest.param(
            '[digest]\nlanguage = "german"',
            (10, "digest.language", "german", "mails cannot be written in this language", "write one of: de, en, zh"),
            id="unknown language",
        ),
        pytest.param(
            '[digest]\nlanguage = "zh-CN"',
            (10, "digest.language", "zh-CN", "mails cannot be written in this language", "did you mean zh?"),
            id="language with a country",
        ),
        pytest.param(
            '[digest]\ntimezone = "Europe/Berln"',
            (10, "digest.timezone", "Europe/Berln", "there is no such time zone", "did you mean Europe/Berlin?"),
            id="time zone",
        ),
        pytest.param(
            '[digest]\ntimezone = "../../etc/passwd"',
            (10, "digest.timezone", "../../etc/passwd", "there is no such time zone"),
            id="time zone as a path",
        ),
        pytest.param(
            '[digest]\ntime = "24:00"',
            (
                10,
                "digest.time",
                "24:00",
                "this is not a time of day",
                'write hours and minutes from "00:00" to "23:59"',
            ),
            id="time",
        ),
        pytest.param("[digest]\ntime = 8", (10, "digest.time", "8", "this is not a time of day"), id="hour"),
        pytest.param(
            '[digest]\ndays = ["mon", "tues"]',
            (10, "digest.days.1", "tues", "there is no such day", "did you mean tue?"),
            id="day",
        ),
        pytest.param(
            "[digest]\ndays = []",
            (10, "digest.days", None, "no day is chosen, so nothing would ever be sent"),
            id="no day",
        ),
        pytest.param(
            '[delivery]\nin_doubt = "reset"',
            (10, "delivery.in_doubt", "reset", "must be one of: resend, hold", "did you mean resend?"),
            id="choice",
        ),
        pytest.param(
            '[state]\nurl = "mysql://digest:geheim@db/x"',
            (
                10,
                "state.url",
                "mysql://…@db/x",
                "this is not the address of a state database",
                "write sqlite:///path/to/state.sqlite3 or postgresql://user@host/database",
            ),
            id="database, without its password",
        ),
        pytest.param(
            'announce = ["new", "replaced"]',
            (
                9,
                "sources.0.announce.1",
                "replaced",
                "must be one of: new, cross, replace, replace-cross (source language)",
                "did you mean replace?",
            ),
            id="announce",
        ),
        pytest.param(
            'url = "https://arxiv.org"',
            (
                9,
                "sources.0.url",
                "https://arxiv.org",
                "a source of type arxiv takes no url (source language)",
                "remove it; it is a key of feed and jsonl",
            ),
            id="key of another type",
        ),
        pytest.param(
            '[[sources]]\nname = "x"',
            (
                10,
                "sources.1.type",
                None,
                "a source needs a type (source x)",
                'add type = "arxiv", or another of: arxiv, arxiv-api, huggingface, feed, jsonl',
            ),
            id="no type",
        ),
        pytest.param(
            '[[sources]]\ntype = "feed"',
            (10, "sources.1.url", None, "a source of type feed needs url", 'add url = "https://example.org/feed.xml"'),
            id="feed without url",
        ),
        pytest.param(
            '[[sources]]\ntype = "feed"\nurl = "file:///etc/passwd"',
            (
                11,
                "sources.1.url",
                "file:///etc/passwd",
                "this is not a web address (source of type feed)",
                "write it with https:// in front, like https://example.org/papers",
            ),
            id="feed from a file",
        ),
        pytest.param(
            '[[sources]]\ntype = "jsonl"',
            (
                10,
                "sources.1.path",
                None,
                "a source of type jsonl needs either path or url",
                'write path = "papers.jsonl"',
            ),
            id="jsonl without either",
        ),
        pytest.param(
            '[[sources]]\ntype = "jsonl"\nurl = "https://lab.example/p.jsonl"\npath = "p.jsonl"',
            (12, "sources.1.path", None, "a source of type jsonl takes either path or url, not both"),
            id="jsonl with both",
        ),
        pytest.param(
            '[[sources]]\ntype = "arxiv"\nname = "LANGUAGE"\ncategories = ["cs.LG"]',
            (
                11,
                "sources.1.name",
                "LANGUAGE",
                "another source has this name already (source of type arxiv)",
                "give each source a name of its own",
            ),
            id="name twice",
        ),
        pytest.param(
            '[[sources]]\ntype = "arxiv"\ncategories = ["cs.CL cs.LG"]',
            (
                11,
                "sources.1.categories.0",
                "cs.CL cs.LG",
                "this is not an arXiv category (source of type arxiv)",
                "write it like cs.CL, stat.ML or hep-ph; one string per category",
            ),
            id="category",
        ),
        pytest.param(
            "[[subscribers]]\nname = 'Ada'",
            (10, "subscribers.0.email", None, "a subscriber needs an address", 'add email = "ada@example.org"'),
            id="no address",
        ),
        pytest.param(
            '[[subscribers]]\nemail = "ada@gmail"',
            (
                10,
                "subscribers.0.email",
                "ada@gmail",
                "this is not a mail address (the part after the @-sign is not valid. It should have a period)",
                "write it like ada@example.org",
            ),
            id="address without a dot",
        ),
        pytest.param(
            '[[subscribers]]\nemail = "ada@lab.example"\nkeywords = ["ok", "(moe OR"]',
            (
                11,
                "subscribers.0.keywords.1",
                "(moe OR",
                "this parenthesis is never closed at column 1 (subscriber ada@lab.example)",
            ),
            id="query, with subscriber, entry and column",
        ),
        pytest.param(
            '[[subscribers]]\nemail = "ada@lab.example"\n[[subscribers]]\nemail = "Ada@LAB.example"',
            (
                12,
                "subscribers.1.email",
                "ada@lab.example",
                "another subscriber has this address already",
                "put all keywords into one table",
            ),
            id="address twice",
        ),
        pytest.param(
            '[[subscribers]]\nemail = "ada@lab.example"\npaused_until = 9999-12-31',
            (
                11,
                "subscribers.0.paused_until",
                "9999-12-31",
                "this pause never ends, so nothing would ever be sent (subscriber ada@lab.example)",
                "name a nearer day, or take the subscriber out of the list",
            ),
            id="endless pause",
        ),
        pytest.param(
            "[archive]\nprivate = true",
            (
                9,
                "archive.path",
                None,
                "the folder to write the archive to is missing",
                'add path = "site", or another folder that is new or empty',
            ),
            id="archive without a folder",
        ),
        pytest.param(
            '[[subscribers]]\nemail = "ada@lab.example"\npaused_until = "2027-02-30"',
            (
                11,
                "subscribers.0.paused_until",
                "2027-02-30",
                "this is not a date (subscriber ada@lab.example)",
                "write year, month and day, like 2027-01-15",
            ),
            id="date",
        ),
        pytest.param(
            '[[subscribers]]\nemail = "ada@lab.example"\nkeywords = ["-survey"]\ntrending = 0',
            (
                11,
                "subscribers.0.keywords",
                None,
                (
                    "with trending = 0 and no keyword that asks for something, nothing would ever be sent "
                    "(subscriber ada@lab.example)"
                ),
                'add keywords = ["mixture of experts"], or a trending number above 0',
            ),
            id="a digest that is always empty",
        ),
        pytest.param(
            '[[subscribers]]\nemail = "ada@lab.example"\nname = "Ada\\r\\nBcc: x@lab.example"',
            (
                11,
                "subscribers.0.name",
                r"Ada\r\nBcc: x@lab.example",
                "it holds a line break or an invisible character (subscriber ada@lab.example)",
                "type it again on one line",
            ),
            id="header in a name",
        ),
    ],
)
def test_a_mistake_is_told_with_key_value_line_and_hint(
    tmp_path: Path, added: str, expected: tuple[object, ...]
) -> None:
    assert expected == one(tmp_path, RIGHT + added)[: len(expected)]


@pytest.mark.parametrize(
    "address", [r"a@lab.example\r\nBcc: b@lab.example", "a@lab.example,b@lab.example", "a@exa mple.org", "@", "", " "]
)
def test_nothing_but_one_address_is_an_address(tmp_path: Path, address: str) -> None:
    _, key, _, message, _ = one(tmp_path, f'{RIGHT}[[subscribers]]\nemail = "{address}"')

    assert ("subscribers.0.email", "this is not a mail address") == (key, str(message).partition(" (")[0])


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        pytest.param(
            "",
            (
                3,
                "mail.from",
                None,
                "the sender's address is missing",
                'add from = "Paper Digest <digest@example.org>" under [mail]',
            ),
            id="no sender",
        ),
        pytest.param(
            'from = "Digest <digest@lab.example> <x@lab.example>"',
            (4, "mail.from", "Digest <digest@lab.example> <x@lab.example>"),
            id="two senders",
        ),
        pytest.param(
            'from = "digest@lab.example"\nbase_url = "http://digest.lab.example"',
            (
                5,
                "mail.base_url",
                "http://digest.lab.example",
                "links in mails must be https",
                "write https:// in front instead of http://",
            ),
            id="base_url without encryption",
        ),
        pytest.param(
            'from = "digest@lab.example"\narchive_url = "http://papers.lab.example"',
            (5, "mail.archive_url", "http://papers.lab.example", "links in mails must be https"),
            id="archive_url without encryption",
        ),
        pytest.param(
            'from = "digest@lab.example"\nbase_url = "digest.lab.example"',
            (
                5,
                "mail.base_url",
                "digest.lab.example",
                "this is not a web address",
                "write it with https:// in front, like https://example.org/papers",
            ),
            id="base_url without scheme",
        ),
    ],
)
def test_mistakes_about_the_sender(tmp_path: Path, mail: str, expected: tuple[object, ...]) -> None:
    text = RIGHT.replace('from = "digest@lab.example"', mail)

    assert expected == one(tmp_path, text)[: len(expected)]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("10.0.0.0/99", "this is neither a host nor a network"),
        ("https://feeds.lab.example/", "this is neither a host nor a network"),
        ("feeds.lab.example:8080", "this is not a host name"),
        ("", "this is not a host name"),
    ],
)
def test_a_private_host_that_would_never_match_is_a_mistake(tmp_path: Path, entry: str, message: str) -> None:
    text = RIGHT.replace("[mail]", f'allow_private_hosts = ["10.0.0.0/8", "[fd00::1]", "a.lab", "{entry}"]\n[mail]')

    assert (3, "http.allow_private_hosts.3", entry, message) == one(tmp_path, text)[:4]


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("proxy.lab:3128", "this is not a web address"),
        ("socks5://proxy.lab:1080", "this is not a web address"),
        ("http://ada:geheim@proxy.lab/fetch", "this is not the address of a proxy"),
    ],
)
def test_what_is_no_proxy_is_a_mistake(tmp_path: Path, proxy: str, message: str) -> None:
    found = one(tmp_path, RIGHT.replace("[mail]", f'proxy = "{proxy}"\n[mail]'))

    assert ("http.proxy", message) == (found[1], found[3])
    assert "geheim" not in repr(found)


def test_a_folder_of_templates_must_exist(tmp_path: Path) -> None:
    text = RIGHT.replace("[mail]", '[mail]\ntemplates = "mine"')

    assert (
        4,
        "mail.templates",
        str(tmp_path / "mine"),
        "there is no such folder",
        "create it, or leave the key out",
    ) == one(tmp_path, text)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param(
            "port = 25",
            (9, "smtp.host", None, "the relay's name is missing"),
            id="no host",
        ),
        pytest.param(
            'host = "smtps://mail.lab.example:465"',
            (10, "smtp.host", "smtps://mail.lab.example:465", "this is not a host name"),
            id="address for a host",
        ),
        pytest.param(
            'host = "m.example"\nusername = "u"',
            (
                9,
                "smtp.password",
                None,
                "there is a username but no password",
                "add password_file, or set DIGEST_SMTP__PASSWORD, or remove username",
            ),
            id="username alone",
        ),
        pytest.param(
            'host = "m.example"\npassword = "geheim"',
            (9, "smtp.username", None, "there is a password but no username", "add username, or remove the password"),
            id="password alone",
        ),
        pytest.param(
            'host = "m.example"\nusername = "u"\npassword = 12345',
            (12, "smtp.password", None, "must be text in quotes, not a whole number", "write it in quotes"),
            id="password that is a number, not shown",
        ),
        pytest.param(
            'host = "m.example"\nusername = "u"\npassword = "geheim"\npaswordd = "geheim"',
            (13, "smtp.paswordd", None, "there is no such key", "did you mean password?"),
            id="password under a wrong name, not shown",
        ),
        pytest.param(
            'host = "m.example"\nport = 465',
            (
                9,
                "smtp.security",
                "starttls",
                "port 465 is encrypted from the first byte, which starttls is not",
                'write security = "tls", or port = 587',
            ),
            id="starttls on 465",
        ),
        pytest.param(
            'host = "m.example"\nsecurity = "tls"\nport = 587',
            (
                11,
                "smtp.security",
                "tls",
                "port 587 begins unencrypted, which tls does not",
                'write security = "starttls", or port = 465',
            ),
            id="tls on 587",
        ),
        pytest.param(
            'host = "m.example"\nsecurity = "none"\nusername = "u"\npassword = "p"',
            (
                11,
                "smtp.security",
                "none",
                "the password would go to m.example unencrypted",
                'write security = "starttls" or "tls"; "none" with a login is for this machine only',
            ),
            id="login without encryption",
        ),
        pytest.param(
            'host = "m.example"\nsecurity = "ssl"\nport = 465',
            (11, "smtp.security", "ssl", "must be one of: starttls, tls, none"),
            id="unknown security, without an echo about the port",
        ),
        pytest.param(
            'host = "m.example"\nport = 99999', (11, "smtp.port", "99999", "must be at most 65535"), id="port"
        ),
    ],
)
def test_mistakes_about_the_relay(tmp_path: Path, keys: str, expected: tuple[object, ...]) -> None:
    assert expected == one(tmp_path, f"{RIGHT}[smtp]\n{keys}")[: len(expected)]


def test_a_login_without_encryption_is_for_this_machine(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'{RIGHT}[smtp]\nhost = "127.0.0.1"\nsecurity = "none"\nusername = "u"\npassword = "p"', encoding="utf-8"
    )

    assert load(path, {}).smtp is not None


def test_a_remote_source_needs_a_contact(tmp_path: Path) -> None:
    text = RIGHT.replace('contact = "admin@lab.example"\n', "")

    assert (
        1,
        "http.contact",
        None,
        "the source language should know whom to ask if our requests are trouble",
        'add contact = "you@example.org" under [http]',
    ) == one(tmp_path, text)


def test_a_source_on_this_machine_needs_no_contact(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[mail]\nfrom = "d@lab.example"\n[[sources]]\ntype = "jsonl"\npath = "p.jsonl"\n'
        '[[sources]]\ntype = "feed"\nurl = "http://127.0.0.1:8000/rss"'
    )

    assert "" == load(path, {}).http.contact


def test_an_empty_file_lacks_a_sender_and_something_to_read(tmp_path: Path) -> None:
    assert [
        ("mail.from", "the sender's address is missing"),
        ("sources", "there are no sources, so there is nothing to read, and no subscribers either"),
    ] == [(problem.key, problem.message) for problem in problems(tmp_path, "")]


def test_all_mistakes_are_told_at_once_in_file_order(tmp_path: Path) -> None:
    text = f"""{RIGHT}first_run_max = -1
[smtp]
port = 465
timeout = "long"
[digest]
days = []
[[subscribers]]
email = "ada"
keywords = ["fine", "title:"]
[[subscribers]]
timezone = "Mars"
"""

    assert [
        (9, "sources.0.first_run_max"),
        (10, "smtp.host"),
        (10, "smtp.security"),
        (12, "smtp.timeout"),
        (14, "digest.days"),
        (16, "subscribers.0.email"),
        (17, "subscribers.0.keywords.1"),
        (19, "subscribers.1.timezone"),
        (19, "subscribers.1.email"),
    ] == [(problem.line, problem.key) for problem in problems(tmp_path, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "[mail]\nfrom = digest@lab.example\n",
            (
                2,
                "",
                None,
                "it is not TOML: invalid value at column 8",
                "texts need quotes, lists square brackets; see https://toml.io",
            ),
            id="no quotes",
        ),
        pytest.param('[mail]\nfrom = "x"\n[[sources', (3, "", None), id="cut off"),
        pytest.param(b'[mail]\nfrom = "\xff"', (2, "", None, "it is not UTF-8 text", "save it as UTF-8"), id="Latin-1"),
    ],
)
def test_a_file_that_is_not_toml_is_told_with_line_and_column(
    tmp_path: Path, text: str | bytes, expected: tuple[object, ...]
) -> None:
    assert expected == one(tmp_path, text)[: len(expected)]


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.toml", {})

    assert (
        ConfigProblem(
            key="",
            message="there is no such file",
            hint="write a commented one with: digest init",
            origin=str(tmp_path / "none.toml"),
        ),
    ) == caught.value.problems


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})

    assert ["it cannot be read (is a directory)"] == [problem.message for problem in caught.value.problems]


READER = """
import os, pathlib, sys
from digest.config import load
from digest.errors import ConfigError
if os.geteuid() == 0:
    os.setuid(65534)  # root may read everything
try:
    load(pathlib.Path(sys.argv[1]), {})
except ConfigError as error:
    print([problem.message for problem in error.problems])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(RIGHT, encoding="utf-8")
    path.chmod(0)

    said = subprocess.run([sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=True).stdout

    assert "['it cannot be read (permission denied)']\n" == said


def test_a_secret_is_in_no_message(tmp_path: Path) -> None:
    text = f"""smtp = "smtp://u:geheim@m.example"
{RIGHT}url = "https://u:geheim@lab.example"
"""

    found = problems(tmp_path, text, {"DIGEST_SMTP_PASSWORD": "geheim", "DIGEST_STATE__URL": "x://u:geheim@y"})

    assert 4 == len(found)
    assert "geheim" not in repr(found)


@pytest.mark.parametrize(
    "table",
    [
        "[github]\ntoken = 12345678901",
        "[llm]\napi_key = 12345678901",
        "[bounces]\npassword = 12345678901",
        '[smtp]\nhost = "m.example"\npassword = [12345678901]',
        '[llm]\nproxy = "ada:12345678901@10.0.0.1:3128"',
        "[llm]\nproxy = 12345678901",
        '[[sources]]\ntype = "jsonl"\nname = "far"\nurl = "ada:12345678901@lab.example/feed"',
        '[mail]\nfrom = "digest@lab.example"\nbase_url = "http://ada:12345678901@lab.example"',
    ],
)
def test_a_secret_is_in_no_message_wherever_it_stands(tmp_path: Path, table: str) -> None:
    rest = RIGHT if not table.startswith("[mail]") else RIGHT.replace('[mail]\nfrom = "digest@lab.example"\n', "")

    found = problems(tmp_path, f"{rest}{table}\n")

    assert "12345678901" not in repr(found)
    assert all(problem.hint for problem in found)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.times(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["email", "type", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)
KEYS = [path for path in VARIABLES.values() if len(path) > 1] + [("sources",), ("subscribers",), ("smtp",)]


@example({("smtp", "fallback"): [None, {"type": None}]})
@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=6))
def test_whatever_a_key_holds_the_rest_is_still_checked(values: dict[tuple[str, ...], object]) -> None:
    """Bad values are left out one by one; what remains always makes a configuration."""
    tables: dict[str, object] = {}
    for path, value in values.items():
        if len(path) == 1:
            tables[path[0]] = value
        elif isinstance(table := tables.setdefault(path[0], {}), dict):
            table[path[1]] = value

    config, _ = validated(tables, Path("/"))

    assert config is not None


@given(st.text())
def test_any_text_is_toml_or_a_config_error(text: str) -> None:
    with suppress(ConfigError):
        parse(Path("config.toml"), text)
