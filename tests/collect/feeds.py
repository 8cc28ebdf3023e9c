"""Invented feeds in the shapes of the real ones."""

from __future__ import annotations

from html import escape

ATOM_HEAD = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns="http://www.w3.org/2005/Atom" xml:lang="en-us">
  <id>http://rss.arxiv.org/atom/cs.CL</id>
  <title>{title}</title>
  <updated>2026-09-15T04:00:19.866337+00:00</updated>
  <subtitle>{subtitle}</subtitle>
"""

CAPTCHA = b"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Are you human?</title></head>
<body><h1>Automated access detected</h1><form action="/verify"><input type="submit"></form></body></html>"""


def arxiv_entry(
    number: str = "2609.00001",
    *,
    version: int = 1,
    title: str = "On Numbers",
    announce: str = "new",
    categories: tuple[str, ...] = ("cs.CL",),
    creator: str = "Ada Lovelace, Emmy Noether",
    abstract: str = "We count.",
    more: str = "",
) -> str:
    """One entry of rss.arxiv.org/atom."""
    tags = "".join(f'<category term="{category}"/>' for category in categories)
    return f"""  <entry>
    <id>oai:arXiv.org:{number}v{version}</id>
    <title>{escape(title)}</title>
    <updated>2026-09-15T04:00:19.899254+00:00</updated>
    <link href="https://arxiv.org/abs/{number}" rel="alternate" type="text/html"/>
    <summary>arXiv:{number}v{version} Announce Type: {announce} \nAbstract: {escape(abstract)}</summary>
    {tags}
    <published>2026-09-15T00:00:00-04:00</published>
    <arxiv:announce_type>{announce}</arxiv:announce_type>
    <dc:rights>http://creativecommons.org/licenses/by/4.0/</dc:rights>
    {more}
    <dc:creator>{escape(creator)}</dc:creator>
  </entry>
"""


def arxiv_feed(*entries: str) -> bytes:
    """A feed of rss.arxiv.org; without entries, that of a Sunday."""
    head = ATOM_HEAD.format(title="cs.CL updates on arXiv.org", subtitle="cs.CL updates on the arXiv.org archive.")
    return (head + "".join(entries) + "</feed>").encode()


def arxiv_error(reason: str = "Bad subject class 'NOPE'.") -> bytes:
    """What a category that does not exist answers, with status 400."""
    return (ATOM_HEAD.format(title="Feed error for query: cs.NOPE", subtitle=reason) + "</feed>").encode()


def api_entry(number: str = "2609.00001", *, version: int = 1, title: str = "On Numbers", more: str = "") -> str:
    """One entry of export.arxiv.org/api/query."""
    return f"""  <entry>
    <id>http://arxiv.org/abs/{number}v{version}</id>
    <title>{escape(title)}</title>
    <updated>2026-09-14T18:00:00Z</updated>
    <link href="https://arxiv.org/abs/{number}v{version}" rel="alternate" type="text/html"/>
    <link href="https://arxiv.org/pdf/{number}v{version}" rel="related" type="application/pdf" title="pdf"/>
    <summary>  We count\n  on fingers.</summary>
    <category term="cs.CL" scheme="http://arxiv.org/schemas/atom"/>
    <category term="math.CO" scheme="http://arxiv.org/schemas/atom"/>
    <category term="68T50, 05A05" scheme="http://arxiv.org/schemas/atom"/>
    <category term="I.2.7; G.2.1" scheme="http://arxiv.org/schemas/atom"/>
    <published>2026-09-13T17:59:49Z</published>
    <arxiv:primary_category term="math.CO"/>
    <author><name>Ada Lovelace</name><arxiv:affiliation>London</arxiv:affiliation></author>
    <author><name>Emmy Noether</name></author>
    {more}
  </entry>
"""


def api_feed(*entries: str, total: int | None = None, start: int = 0, size: int = 200) -> bytes:
    """A page of results."""
    counters = {"itemsPerPage": size, "totalResults": len(entries) if total is None else total, "startIndex": start}
    opensearch = "".join(f"<opensearch:{name}>{value}</opensearch:{name}>" for name, value in counters.items())
    head = ATOM_HEAD.format(title="arXiv Query: search_query=all:numbers", subtitle="")
    return (head + opensearch + "".join(entries) + "</feed>").encode()


API_ERROR = api_feed(
    """<entry><id>https://arxiv.org/api/errors#incorrect_id_format_for_abc</id><title>Error</title>
    <summary>incorrect id format for abc</summary><author><name>arXiv api core</name></author></entry>"""
)

BIORXIV = b"""<?xml version="1.0" encoding="UTF-8" ?>
<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
         xmlns:prism="http://purl.org/rss/1.0/modules/prism/" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <channel rdf:about="http://biorxiv.org"><title>bioRxiv Subject Collection: Zoology</title></channel>
  <item rdf:about="http://biorxiv.org/cgi/content/short/2023.02.03.123456v2?rss=1">
    <title><![CDATA[
How <i>Apis mellifera</i> counts.
]]></title>
    <link>
      http://biorxiv.org/cgi/content/short/2023.02.03.123456v2?rss=1
    </link>
    <description><![CDATA[
Bees count &lt; 5 flowers.
They stop there.
]]></description>
    <dc:creator><![CDATA[ Kukla, D., Crampton, A., O'Connell, R. J. ]]></dc:creator>
    <dc:date>2023-02-03</dc:date>
    <dc:identifier>doi:10.1101/2023.02.03.123456</dc:identifier>
    <prism:publicationDate>2023-02-03</prism:publicationDate>
    <prism:section>Zoology</prism:section>
  </item>
</rdf:RDF>"""
