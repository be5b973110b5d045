"""Pictures that the sample company and its customers send: flat drawings of rooms and furniture, made without any library."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from simulator.pictures import png

WIDTH, HEIGHT = 640, 440
FLOOR = 330
Color = tuple[int, int, int]

WALL: Color = (243, 238, 230)
BOARDS: Color = (214, 190, 160)
SKIRTING: Color = (255, 252, 246)
OAK: Color = (193, 150, 105)
WALNUT: Color = (122, 84, 58)
LINEN: Color = (228, 219, 204)
MIST: Color = (162, 170, 176)
SAGE: Color = (134, 160, 136)
CLAY: Color = (200, 110, 80)
BRASS: Color = (206, 164, 92)
GLOW: Color = (255, 233, 178)
INK: Color = (74, 70, 66)
PAPER: Color = (252, 250, 246)


class Canvas:
    """Rows of RGB bytes that shapes are painted on."""

    def __init__(self, ground: Color) -> None:
        self._rows = [bytearray(bytes(ground) * WIDTH) for _ in range(HEIGHT)]

    def box(self, left: int, top: int, width: int, height: int, color: Color) -> None:
        for y in range(max(top, 0), min(top + height, HEIGHT)):
            self._span(y, left, left + width, color)

    def rounded(self, left: int, top: int, width: int, height: int, radius: int, color: Color) -> None:
        for y in range(max(top, 0), min(top + height, HEIGHT)):
            edge = max(radius - (y - top), radius - (top + height - 1 - y), 0)
            inset = radius - int((radius * radius - edge * edge) ** 0.5) if edge else 0
            self._span(y, left + inset, left + width - inset, color)

    def circle(self, x: int, y: int, radius: int, color: Color) -> None:
        self.rounded(x - radius, y - radius, 2 * radius, 2 * radius, radius, color)

    def line(self, x1: int, y1: int, x2: int, y2: int, thickness: int, color: Color) -> None:
        steps = max(abs(x2 - x1), abs(y2 - y1), 1)
        for step in range(steps + 1):
            x, y = x1 + (x2 - x1) * step // steps, y1 + (y2 - y1) * step // steps
            self.box(x - thickness // 2, y - thickness // 2, thickness, thickness, color)

    def _span(self, y: int, left: int, right: int, color: Color) -> None:
        left, right = max(left, 0), min(right, WIDTH)
        if left < right:
            self._rows[y][3 * left : 3 * right] = bytes(color) * (right - left)

    def png(self) -> bytes:
        return png(WIDTH, HEIGHT, [bytes(row) for row in self._rows])


def _room(wall: Color = WALL) -> Canvas:
    canvas = Canvas(wall)
    canvas.box(0, FLOOR, WIDTH, HEIGHT - FLOOR, BOARDS)
    for y in range(FLOOR + 26, HEIGHT, 28):
        canvas.box(0, y, WIDTH, 2, (198, 172, 140))
    canvas.box(0, FLOOR - 8, WIDTH, 8, SKIRTING)
    return canvas


def _window(canvas: Canvas, left: int) -> None:
    canvas.box(left, 50, 150, 170, SKIRTING)
    canvas.box(left + 8, 58, 64, 154, (190, 216, 228))
    canvas.box(left + 78, 58, 64, 154, (204, 226, 234))


def _plant(canvas: Canvas, x: int) -> None:
    canvas.rounded(x - 24, FLOOR + 4, 48, 50, 8, CLAY)
    for dx, dy, radius in ((-22, -44, 24), (20, -56, 28), (0, -92, 26), (-6, -20, 20)):
        canvas.circle(x + dx, FLOOR + dy, radius, SAGE)


def _sofa(canvas: Canvas, left: int, color: Color, shade: Color) -> None:
    canvas.rounded(left, 222, 330, 90, 26, color)
    canvas.rounded(left - 26, 252, 60, 116, 22, shade)
    canvas.rounded(left + 296, 252, 60, 116, 22, shade)
    canvas.rounded(left + 44, 238, 64, 64, 12, CLAY)
    canvas.rounded(left + 22, 286, 140, 56, 14, PAPER)
    canvas.rounded(left + 168, 286, 140, 56, 14, PAPER)
    canvas.box(left + 10, 340, 310, 26, shade)
    for x in (left, left + 316):
        canvas.box(x, 366, 12, 24, WALNUT)


def _sofa_scene(canvas: Canvas) -> None:
    _window(canvas, 60)
    canvas.rounded(90, 382, 470, 34, 16, (232, 224, 212))
    _sofa(canvas, 160, LINEN, (206, 196, 180))
    _plant(canvas, 580)


def _scratch(canvas: Canvas) -> None:
    canvas.box(0, 0, WIDTH, HEIGHT, MIST)
    canvas.rounded(-80, 110, 620, 420, 90, (142, 150, 157))
    canvas.rounded(-60, 140, 560, 380, 80, (152, 160, 167))
    for offset, thickness in ((0, 5), (9, 3), (16, 2)):
        canvas.line(210, 210 + offset, 400, 268 + offset, thickness, (226, 222, 214))


def _chairs(canvas: Canvas) -> None:
    for left in (90, 270, 450):
        canvas.rounded(left, 150, 100, 90, 18, OAK)
        canvas.rounded(left + 10, 160, 80, 66, 12, LINEN)
        canvas.rounded(left - 6, 270, 112, 22, 10, OAK)
        for x in (left, left + 90):
            canvas.box(x, 240, 10, 160, OAK)


def _lamp(canvas: Canvas) -> None:
    canvas.circle(320, 210, 150, (250, 240, 214))
    canvas.circle(320, 210, 104, GLOW)
    canvas.box(318, 0, 4, 150, INK)
    canvas.rounded(248, 146, 144, 84, 60, BRASS)
    canvas.box(240, 196, 160, 40, GLOW)
    canvas.rounded(130, 352, 380, 20, 8, WALNUT)
    for x in (160, 466):
        canvas.box(x, 372, 14, 68, WALNUT)


def _broken(canvas: Canvas) -> None:
    canvas.box(0, 0, WIDTH, HEIGHT, (196, 164, 126))
    canvas.rounded(60, 50, 520, 350, 12, (176, 142, 104))
    canvas.circle(320, 230, 130, (238, 244, 244))
    canvas.circle(320, 230, 112, (222, 234, 236))
    for x, y in ((430, 150), (240, 330), (390, 340), (230, 140)):
        canvas.line(320, 230, x, y, 4, (120, 112, 100))
    canvas.rounded(420, 310, 70, 30, 4, (230, 240, 240))


def _bookcase(canvas: Canvas) -> None:
    canvas.box(150, 60, 340, 300, WALNUT)
    books = (CLAY, SAGE, LINEN, BRASS, MIST, PAPER)
    for shelf in range(4):
        top = 72 + shelf * 72
        canvas.box(162, top, 316, 60, (92, 62, 42))
        for book in range(11 - shelf):
            height = 34 + (book * 7 + shelf * 5) % 20
            canvas.box(170 + book * 22, top + 60 - height, 18, height, books[(book + shelf) % len(books)])
    _plant(canvas, 560)


def _gap(canvas: Canvas) -> None:
    canvas.box(0, 0, WIDTH, HEIGHT, (92, 62, 42))
    canvas.box(0, 0, 312, HEIGHT, OAK)
    canvas.box(338, 0, 302, HEIGHT, (184, 141, 97))
    canvas.box(312, 0, 26, HEIGHT, (40, 30, 24))
    canvas.rounded(270, 190, 22, 70, 10, BRASS)
    canvas.rounded(358, 184, 22, 70, 10, BRASS)


def _swatch(canvas: Canvas) -> None:
    canvas.box(0, 0, WIDTH, HEIGHT, (226, 206, 178))
    for left, color in ((70, LINEN), (340, MIST)):
        canvas.rounded(left, 90, 230, 260, 8, color)
        shade: Color = (color[0] - 10, color[1] - 10, color[2] - 10)
        for y in range(100, 345, 8):
            canvas.box(left + 6, y, 218, 2, shade)


def _plan(canvas: Canvas) -> None:
    canvas.box(0, 0, WIDTH, HEIGHT, PAPER)
    for left, top, width, height in (
        (70, 50, 260, 200),
        (330, 50, 240, 130),
        (70, 250, 180, 140),
        (330, 180, 240, 210),
    ):
        canvas.box(left, top, width, 6, INK)
        canvas.box(left, top + height, width + 6, 6, INK)
        canvas.box(left, top, 6, height, INK)
        canvas.box(left + width, top, 6, height, INK)
    canvas.box(180, 248, 50, 10, PAPER)
    canvas.box(328, 100, 10, 50, PAPER)
    canvas.rounded(110, 90, 120, 46, 10, (222, 214, 200))
    canvas.rounded(400, 230, 110, 120, 8, (222, 214, 200))


def _empty_room(canvas: Canvas) -> None:
    _window(canvas, 400)
    canvas.rounded(70, 250, 150, 14, 4, OAK)
    canvas.box(80, 264, 10, 90, OAK)
    canvas.box(200, 264, 10, 90, OAK)
    canvas.rounded(110, 200, 60, 50, 6, INK)


def _ticket(canvas: Canvas) -> None:
    canvas.box(0, 0, WIDTH, HEIGHT, (66, 40, 52))
    canvas.rounded(110, 70, 420, 300, 20, PAPER)
    canvas.rounded(110, 70, 420, 90, 20, CLAY)
    canvas.circle(320, 160, 46, BRASS)
    for y, width in ((236, 260), (268, 200), (300, 230)):
        canvas.rounded(320 - width // 2, y, width, 12, 6, (216, 208, 198))


DRAWINGS: dict[str, Callable[[Canvas], None]] = {
    "sofa": _sofa_scene,
    "scratch": _scratch,
    "chairs": _chairs,
    "lamp": _lamp,
    "broken": _broken,
    "bookcase": _bookcase,
    "gap": _gap,
    "swatch": _swatch,
    "plan": _plan,
    "room": _empty_room,
    "ticket": _ticket,
}


@lru_cache(maxsize=32)
def picture(name: str) -> bytes:
    """A PNG. Raises ``KeyError`` for a drawing that does not exist."""
    draw = DRAWINGS[name]
    canvas = _room()
    draw(canvas)
    return canvas.png()


def pdf(title: str) -> bytes:
    """A one-page PDF that opens everywhere; its page shows nothing but its (Latin) title."""
    words = f"BT /F1 24 Tf 72 760 Td ({title.encode('ascii', 'ignore').decode() or 'Qinghe Home'}) Tj ET".encode()
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(words), words),
    ]
    body, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(body),
    )
