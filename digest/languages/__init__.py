"""The languages of mails and pages: English in code and templates, and one `.po` file here for each other.

A file is named by its language's tag (RFC 5646: `de`, `zh`, `pt-BR`) and is all that a language needs: dates, numbers
and plurals come with Babel, from Unicode's CLDR. `make messages` writes into every file what is to be translated.
"""
