"""What a page of HTML is made of, for tests to look at."""

from __future__ import annotations

from html.parser import HTMLParser


class Reader(HTMLParser):
    """What a page is made of: tables as lists of rows, links, scripts by their id, and the policy."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.links: list[str] = []
        self.ids: list[str] = []
        self.scripts: dict[str, str] = {}
        self.policy = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._inside = tag
        self.links += [values[name] for name in ("src", "href", "data-film") if name in values]
        self.ids += [values["id"]] if "id" in values else []
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag == "table":
            self._rows = self.tables.setdefault(values["aria-labelledby"].removeprefix("caption-"), [])
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        elif tag == "script":
            self._script = values.get("id", f"script-{len(self.scripts)}")
            self.scripts[self._script] = ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in ("td", "th"):
            self._rows[-1][-1] += data
        elif self._inside == "script":
            self.scripts[self._script] += data
