"""/docs: the OpenAPI document as one plain page that needs neither script nor net."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from pixtools.api import problems
from pixtools.domain.errors import every_error

router = APIRouter(include_in_schema=False)
CSP: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
METHODS: Final = ("get", "put", "post", "patch", "delete")
STYLE: Final = """
:root { color-scheme: light dark; --line: #8888; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem;
  padding: 1rem; }
h2 { border-top: 3px solid; margin-top: 3rem; padding-top: .5rem; }
h3 { margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
code, pre { background: var(--soft); font-family: ui-monospace, monospace; }
code { overflow-wrap: anywhere; padding: 0 .2em; }
.method { border: 2px solid; display: inline-block; margin-right: .5rem;
  padding: 0 .5rem; text-transform: uppercase; }
table { border-collapse: collapse; display: block; margin: 1rem 0;
  overflow-x: auto; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0;
  text-align: left; vertical-align: top; }
"""


@router.get("/docs")
def show_reference(request: Request) -> Response:
    """Show the reference of this deployment's API."""
    page = "".join(_page(request.app.openapi()))
    headers = {"Content-Security-Policy": CSP, "Cache-Control": "no-cache"}
    return Response(page, headers=headers, media_type="text/html")


@router.get("/docs/style.css")
def show_style() -> Response:
    """Give the page its looks; a file of its own, so that no inline style is needed."""
    headers = {"Cache-Control": "public, max-age=3600"}
    return Response(STYLE, headers=headers, media_type="text/css")


def _page(document: dict[str, Any]) -> Iterator[str]:
    title = f"{document['info']['title']} API"
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        '<link rel="stylesheet" href="docs/style.css"></head><body>'
        f"<header><h1>{escape(title)} {escape(document['info']['version'])}</h1>"
        f"{_text(document['info']['description'])}"
        '<p>For programs: <a href="openapi.json">openapi.json</a>.</p>'
    )
    yield from _contents(document)
    yield "</header><main>"
    for tag in document["tags"]:
        yield f'<h2 id="{escape(tag["name"])}">{escape(tag["name"])}</h2>'
        yield _text(tag["description"])
        for method, path, operation in _operations(document, tag["name"]):
            yield from _operation(method, path, operation)
    yield '<h2 id="schemas">schemas</h2>'
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _schema(name, schema)
    yield from _problems()
    yield "</main></body></html>"


def _contents(document: dict[str, Any]) -> Iterator[str]:
    yield '<nav aria-label="Contents"><ul>'
    names = [tag["name"] for tag in document["tags"]]
    for name in (*names, "schemas", "problems"):
        yield f'<li><a href="#{escape(name)}">{escape(name)}</a></li>'
    yield "</ul></nav>"


def _operations(
    document: dict[str, Any], tag: str
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and tag in item[method].get("tags", ()):
                yield method, path, item[method]


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield (
        f'<h3 id="{escape(operation["operationId"])}">'
        f'<span class="method">{method}</span><code>{escape(path)}</code></h3>'
    )
    yield _text(operation.get("description") or operation.get("summary", ""))
    rows = [
        (_named(each["name"], each["in"]), _type(each["schema"]), _described(each))
        for each in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {})
    rows += [
        (f"body: {kind}", _type(each["schema"]), "") for kind, each in body.items()
    ]
    yield from _table(("parameter", "type", "meaning"), rows)
    answers = [
        (status, ", ".join(_contained(answer)), answer["description"])
        for status, answer in operation["responses"].items()
    ]
    yield from _table(("answer", "body", "meaning"), answers)


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<h3 id="schema-{escape(name)}"><code>{escape(name)}</code></h3>'
    yield _text(schema.get("description", ""))
    required = schema.get("required", ())
    rows = [
        (f"{each} *" if each in required else each, _type(value), _described(value))
        for each, value in schema.get("properties", {}).items()
    ]
    yield from _table(("field (* required)", "type", "meaning"), rows)


def _problems() -> Iterator[str]:
    yield '<h2 id="problems">problems</h2>'
    for status, (code, text) in problems.HTTP_CODES.items():
        if code not in problems.STATUS:
            yield _problem(code, status, text)
    kinds = every_error()
    for code, status in sorted(problems.STATUS.items()):
        yield _problem(code, status, problems.title_of(kinds[code]))


def _problem(code: str, status: int, text: str) -> str:
    return (
        f'<h3 id="{escape(code)}"><code>{escape(code)}</code></h3>'
        f"<p>{escape(text)} HTTP status {status}.</p>"
    )


def _table(heads: tuple[str, ...], rows: list[tuple[str, str, str]]) -> Iterator[str]:
    if not rows:
        return
    yield "<table><thead><tr>"
    yield "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    for name, kind, text in rows:
        yield f"<tr><td><code>{escape(name)}</code></td><td>{kind}</td>"
        yield f"<td>{_lines(text)}</td></tr>"
    yield "</tbody></table>"


def _named(name: str, where: str) -> str:
    return name if where == "path" else f"{name} ({where})"


def _described(value: dict[str, Any]) -> str:
    schema = value.get("schema", value)
    bounds = [
        f"{word} {schema[key]}"
        for key, word in (
            ("minimum", "at least"),
            ("maximum", "at most"),
            ("maxLength", "characters at most"),
            ("default", "default"),
        )
        if schema.get(key) not in (None, "")
    ]
    text = value.get("description") or schema.get("description", "")
    return " ".join([text, f"({', '.join(bounds)})" if bounds else ""]).strip()


def _contained(answer: dict[str, Any]) -> list[str]:
    return [
        f"{escape(kind)} {_type(each.get('schema', {}))}"
        for kind, each in answer.get("content", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words, with links; escaped."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type(each) for each in schema[key])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(schema.get("format") or schema.get("type", "any")))


def _text(text: str) -> str:
    paragraphs = text.strip().split("\n\n")
    return "".join(
        f"<p>{_lines(paragraph)}</p>" for paragraph in paragraphs if paragraph
    )


def _lines(text: str) -> str:
    """Escaped text, its `code` marked as such and its list items on their own lines."""
    parts = escape(text).replace("\n- ", "<br>").removeprefix("- ").split("`")
    return "".join(
        f"<code>{part}</code>" if index % 2 else part
        for index, part in enumerate(parts)
    )
