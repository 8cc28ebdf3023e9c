"""Sample papers and subscribers for `digest demo`: data files only.

Everything in here is invented: papers, authors, institutions, votes, addresses. The identifiers (2609.9xxxx) are above
what arXiv reaches in a month. Two days, `{{day1}}` and `{{day2}}` in the files standing for their ISO dates:

    atom/<category>.day<n>.xml      what arXiv's feed of a category answers on that day
    pull1/daily.day1.json           what Hugging Face answers for the list of day 1, asked on day 1
    pull2/daily.day<n>.json         … and for the lists of both days, asked on day 2: votes have moved
    config.toml                     the sources and three subscribers

Some papers come from both sources, one is replaced by a second version on day 2, two are nearly the same work, and
one (2609.90033) is as hostile as a paper can be.
"""
