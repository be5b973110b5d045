"""Pushed XML as nested dicts, read with expat and without anything that can harm: no DTD, hence no entities.

An element with children becomes a dict, one without becomes its text. Elements that the platform may repeat are always lists, so
that one item and several look the same to the reader.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

XmlFields = dict[str, Any]

_REPEATED = frozenset({"List", "item"})
_CONTROL = bytes(code for code in range(32) if code not in (9, 10, 13))
_DEEPEST = 16


class BrokenXml(ValueError):
    """The bytes are not an XML document that we are willing to read."""


def read_xml(document: bytes) -> XmlFields:
    """The children of the root element. Raises :class:`BrokenXml`.

    Control characters, which XML forbids and customers type nevertheless, are dropped first.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.characters
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(document.translate(None, _CONTROL), True)
    except BrokenXml:
        raise
    except expat.ExpatError as error:
        raise BrokenXml(f"it is not well-formed in line {error.lineno}") from error
    except (ValueError, LookupError) as error:
        raise BrokenXml("it is in an encoding that cannot be read") from error
    return reader.root


class _Reader:
    """What expat calls back. A stack in place of recursion: depth is bounded and nothing can exhaust the stack."""

    def __init__(self) -> None:
        self.root: XmlFields = {}
        self._open: list[XmlFields] = []
        self._text: list[str] = []

    def doctype(self, *_: object) -> None:
        raise BrokenXml("a document type declaration is not allowed")

    def start(self, _name: str, _attributes: dict[str, str]) -> None:
        if len(self._open) >= _DEEPEST:
            raise BrokenXml("the elements are nested too deeply")
        self._open.append({})
        self._text.clear()

    def characters(self, text: str) -> None:
        self._text.append(text)

    def end(self, name: str) -> None:
        children = self._open.pop()
        value: XmlFields | str = children or "".join(self._text)
        self._text.clear()
        if self._open:
            _put(self._open[-1], name, value)
        else:
            self.root = children


def _put(parent: XmlFields, name: str, value: XmlFields | str) -> None:
    if name in _REPEATED:
        parent.setdefault(name, []).append(value)
    elif name not in parent:
        parent[name] = value
