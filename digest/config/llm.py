"""The keys of `[llm]`; see `schema`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, StrictFloat, StrictInt

from digest.config.section import File, OneLine, Proxy, Section, WebAddress


class LlmSection(Section):
    """A language model that summarises papers, at any address that speaks as OpenAI's chat completions do."""

    base_url: WebAddress = ""
    """Up to and without /chat/completions, like http://localhost:11434/v1. Needed."""
    model: OneLine = ""
    """Its name at that address. Needed."""
    api_key: SecretStr | None = None
    """Better kept in api_key_file or in the environment, DIGEST_LLM__API_KEY. Default: none is sent."""
    api_key_file: File | None = None
    """File that holds the key and nothing else."""
    proxy: Proxy | None = None
    """Address of a proxy through which it is asked; may hold user and password. Default: none, http.proxy or not."""
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    """Tag of the language it writes in for everybody (BCP 47), like de or pt-BR. Default: each reader's own."""
    calls_per_day: StrictInt = Field(default=200, ge=1, le=1_000_000)
    """Most questions on one day (UTC); each paper is one in each language, once."""
    tokens_per_day: StrictInt = Field(default=200_000, ge=1, le=1_000_000_000)
    """No further question on a day on which so many tokens were used."""
    timeout: StrictFloat = Field(default=20.0, ge=1, le=600)
    """Seconds for one answer."""
    deadline: StrictFloat = Field(default=30.0, ge=1, le=600)
    """Seconds for all questions of one run, which wait before the mails."""
    connections: StrictInt = Field(default=4, ge=1, le=50)
    """Questions at a time."""
