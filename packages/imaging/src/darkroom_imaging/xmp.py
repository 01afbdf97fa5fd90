"""Read and write XMP: the properties that still hold for a picture whose pixels have been changed.

A packet is taken apart and written anew (ISO 16684-1), so that nothing of it is passed on that has not been looked at:
no thumbnail, no other picture that some phones put there, and nothing that looks like one.
"""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias
from xml.parsers import expat

Name: TypeAlias = tuple[str, str]
"""A namespace, and a name in it."""

MAX_READ_BYTES = 1_000_000
MAX_BYTES = 60_000
"""Of a packet that is written: a JPEG has room for 65,502 bytes."""
_FRAME_BYTES, _DECLARATION_BYTES = 1_024, 24
"""What stands around the properties, and around the name of a namespace."""
_MAX_DEPTH = 16
_MAX_NODES = 10_000
_MAX_TEXT = 8_192
"""Letters of a value."""
_BETWEEN = "\n"

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_TERMS = "http://purl.org/dc/terms/"
_XML = "http://www.w3.org/XML/1998/namespace"
_BASIC = "http://ns.adobe.com/xap/1.0/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
_COMMONS = "http://creativecommons.org/ns#"
_PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        _RDF: "rdf",
        _DC: "dc",
        _TERMS: "dcterms",
        _BASIC: "xmp",
        _PHOTOSHOP: "photoshop",
        _PLUS: "plus",
        _TIFF: "tiff",
        _EXIF: "exif",
        _RIGHTS: "xmpRights",
        _COMMONS: "cc",
        "http://cipa.jp/exif/1.0/": "exifEX",
        "http://ns.adobe.com/exif/1.0/aux/": "aux",
        "http://ns.adobe.com/lightroom/1.0/": "lr",
        "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
        "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
        "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    }
)
_OF_RIGHTS = frozenset({_RIGHTS, _COMMONS})
"""Namespaces in which everything tells of rights."""
CREATOR, COPYRIGHT = (_DC, "creator"), (_DC, "rights")
_RIGHTS_NAMES = frozenset(
    {CREATOR, COPYRIGHT, (_PHOTOSHOP, "Credit"), (_TIFF, "Artist"), (_TIFF, "Copyright")}
    | {(_TERMS, name) for name in ("creator", "license", "rights", "rightsHolder")}
    | {(_PLUS, name) for name in ("CopyrightOwner", "DataMining", "ImageCreator", "Licensor", "LicensorURL")}
)
_DROPPED_NAMESPACES = (
    "http://ns.adobe.com/xap/1.0/g/img/",
    "http://ns.adobe.com/hdr-gain-map/",
    "http://ns.apple.com/",
    "http://ns.google.com/photos/",
    "http://www.samsung.com/",
    "http://ns.xiaomi.com/",
    _NOTE,
)
"""What their names begin with: other pictures, within the XMP or behind the image, and where to find them."""
_DROPPED = frozenset(
    {(_BASIC, "Thumbnails"), (_BASIC, "PageInfo"), (_PHOTOSHOP, "ICCProfile"), (_EXIF, "MakerNote")}
    | {(_EXIF, name) for name in ("ColorSpace", "PixelXDimension", "PixelYDimension")}
    | {
        (_TIFF, name)
        for name in (
            "BitsPerSample",
            "Compression",
            "ImageLength",
            "ImageWidth",
            "NativeDigest",
            "Orientation",
            "PhotometricInterpretation",
            "PlanarConfiguration",
            "SamplesPerPixel",
            "YCbCrPositioning",
            "YCbCrSubSampling",
        )
    }
)
_RUN = re.compile(r"[A-Za-z0-9+/=\s]+")
_BINARY = 1_000
"""Letters in a run from which on it is taken for bytes, in base64 or as hexadecimal digits. Sentences of that length
have other signs among them."""
_WRAPPED = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{}<?xpacket end="w"?>'
_UNWRITABLE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class BrokenXmpError(ValueError):
    """It is no XMP, or more than is looked at."""


@dataclass(slots=True)
class Node:
    """An element of XML."""

    name: Name
    attributes: dict[Name, str] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def letters(self) -> Iterator[str]:
        """The values within it, each by itself."""
        if not self.children and self.text.strip():
            yield self.text.strip()
        for child in self.children:
            yield from child.letters()


def parse(packet: bytes, *, everything: bool) -> list[Node]:
    """The properties that are kept; none of a packet that is broken.

    Args:
        packet: the bytes of the XMP.
        everything: not only what tells of author, copyright and licence.
    """
    try:
        root = _tree(packet)
    except (BrokenXmpError, expat.ExpatError, ValueError):
        return []
    kept: dict[Name, Node] = {}
    for node in _properties(root):
        if node.name in kept or not (everything or _tells_of_rights(node.name)):
            continue
        if _is_harmless(node):
            kept[node.name] = node
    return list(kept.values())


def value(properties: Iterable[Node], name: Name) -> tuple[str, ...]:
    """The values of a property: all items of a list, each language of a text."""
    return next((tuple(node.letters()) for node in properties if node.name == name), ())


def creators(names: Sequence[str]) -> Node:
    """The property that tells who made a picture."""
    items = [Node((_RDF, "li"), text=name) for name in names]
    return Node(CREATOR, children=[Node((_RDF, "Seq"), children=items)])


def copyright_notice(notice: str) -> Node:
    """The property that tells whose it is."""
    item = Node((_RDF, "li"), {(_XML, "lang"): "x-default"}, text=notice)
    return Node(COPYRIGHT, children=[Node((_RDF, "Alt"), children=[item])])


def write(properties: Sequence[Node]) -> bytes:
    """A packet of these properties; without the longest of them, where it would be too long."""
    sizes = {index: _size(node) for index, node in enumerate(properties)}
    total = sum(sizes.values())
    for index in sorted(sizes, key=lambda index: (_tells_of_rights(properties[index].name), -sizes[index])):
        if total <= MAX_BYTES - _FRAME_BYTES:
            break
        total -= sizes.pop(index)
    kept = [properties[index] for index in sizes]
    prefixes = _prefixes(kept)
    spaces = "".join(f' xmlns:{prefix}="{html.escape(name)}"' for name, prefix in prefixes.items())
    inner = "".join(_element(node, prefixes) for node in kept)
    description = f'<rdf:Description rdf:about=""{spaces}>{inner}</rdf:Description>'
    body = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">{description}</rdf:RDF></x:xmpmeta>'
    return _WRAPPED.format(body).encode()


def _tells_of_rights(name: Name) -> bool:
    return name[0] in _OF_RIGHTS or name in _RIGHTS_NAMES


def _size(node: Node) -> int:
    """How many bytes a property takes at most, with the declarations of its namespaces."""
    prefixes = _prefixes([node])
    declared = sum(len(html.escape(name).encode()) + _DECLARATION_BYTES for name in prefixes)
    names = sum(_DECLARATION_BYTES for _ in _namespaces(node))  # prefixes can be longer in company
    return len(_element(node, prefixes).encode()) + declared + names


class _Tree:
    """Builds the elements while expat reads them, and stops at what no XMP has."""

    def __init__(self) -> None:
        self.root = Node(("", ""))
        self.open = [self.root]
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1 + len(attributes)
        if self.count > _MAX_NODES or len(self.open) > _MAX_DEPTH:
            raise BrokenXmpError
        node = Node(_split(name), {_split(key): told for key, told in attributes.items()})
        self.open[-1].children.append(node)
        self.open.append(node)

    def end(self, _name: str) -> None:
        self.open.pop()

    def characters(self, text: str) -> None:
        self.open[-1].text += text

    def refuse(self, *_arguments: object) -> None:
        raise BrokenXmpError


def _tree(packet: bytes) -> Node:
    if len(packet) > MAX_READ_BYTES:
        raise BrokenXmpError
    tree = _Tree()
    parser = expat.ParserCreate(namespace_separator=_BETWEEN)
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.characters
    # Entities, which can be made to grow without end, are declared nowhere else.
    parser.StartDoctypeDeclHandler = tree.refuse
    parser.Parse(packet.strip(b"\0 \t\r\n"), True)
    return tree.root


def _split(name: str) -> Name:
    space, _, local = name.rpartition(_BETWEEN)
    return space, local


def _properties(root: Node) -> Iterator[Node]:
    for description in _descriptions(root):
        for name, told in description.attributes.items():
            if name[0] not in ("", _RDF, _XML):
                yield Node(name, text=told)
        yield from (child for child in description.children if child.name[0] not in ("", _RDF))


def _descriptions(node: Node) -> Iterator[Node]:
    for child in node.children:
        if node.name == (_RDF, "RDF") and child.name == (_RDF, "Description"):
            yield child
        else:
            yield from _descriptions(child)


def _is_harmless(node: Node) -> bool:
    """Whether nothing in it can be another picture, or tells how the old one was written down."""
    names = [node.name, *node.attributes]
    if any(name in _DROPPED or name[0].startswith(_DROPPED_NAMESPACES) for name in names):
        return False
    texts = [node.text, *node.attributes.values()]
    if any(len(text) > _MAX_TEXT or _holds_bytes(text) for text in texts):
        return False
    return all(map(_is_harmless, node.children))


def _holds_bytes(text: str) -> bool:
    return any(len(run) >= _BINARY for run in _RUN.findall(text))


def _prefixes(nodes: Iterable[Node]) -> dict[str, str]:
    """The prefix of each namespace, apart from that of RDF."""
    names = sorted({space for node in nodes for space in _namespaces(node)} - {"", _RDF, _XML})
    return {name: _PREFIXES.get(name, f"ns{index}") for index, name in enumerate(names)}


def _namespaces(node: Node) -> Iterator[str]:
    yield node.name[0]
    yield from (name[0] for name in node.attributes)
    for child in node.children:
        yield from _namespaces(child)


def _element(node: Node, prefixes: Mapping[str, str]) -> str:
    name = _written(node.name, prefixes)
    attributes = "".join(f' {_written(key, prefixes)}="{_escaped(told)}"' for key, told in node.attributes.items())
    inner = "".join(_element(child, prefixes) for child in node.children) if node.children else _escaped(node.text)
    return f"<{name}{attributes}>{inner}</{name}>"


def _written(name: Name, prefixes: Mapping[str, str]) -> str:
    prefix = {_RDF: "rdf", _XML: "xml", "": ""}.get(name[0]) if name[0] not in prefixes else prefixes[name[0]]
    return f"{prefix}:{name[1]}" if prefix else name[1]


def _escaped(text: str) -> str:
    return html.escape(_UNWRITABLE.sub("", text))
