"""digest: trending papers in your inbox once a day, chosen by your keywords.

The journey, one line per room:

    collect    the world's bytes      → Paper     politely, one broken source costs only itself
    curate     Paper                  → Digest    same paper? wanted? trending? and why
    compose    Digest                 → Mail      text, HTML and headers that every client reads
    deliver    Mail                   → Receipt   SMTP or Maildir, and what the other side said

`state` remembers, `languages` holds what mails and pages say, `publish` makes pages and lists of what came, `bounces`
reads what comes back, `pipeline` tells the story, `schedule` knows when, `cli` speaks with people.
"""

__version__ = "0.1.0"
