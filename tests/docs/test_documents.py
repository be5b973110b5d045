"""The documents stay true: links lead somewhere, every metric is listed, what they tell to run exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scrm import metrics
from scrm.config import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def anchors(document: Path) -> set[str]:
    titles = HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(found), f"{target} is no heading there"


def test_every_metric_is_in_the_table_and_no_other() -> None:
    real = set()
    for value in vars(metrics).values():
        if isinstance(value, metrics.Counter | metrics.Gauge | metrics.Histogram):
            name = value.describe()[0].name
            real.add(f"{name}_total" if isinstance(value, metrics.Counter) else name)
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    table = set(re.findall(r"^\| `(scrm_\w+)` \|", text, re.MULTILINE))

    assert table == real


def test_both_readmes_give_the_two_commands_and_the_picture() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("README.md", "README.zh-CN.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "git clone" in text
        assert "\nmake run\n" in text
        assert "docs/images/inbox.webp" in text
    for target in ("run", "test", "bench", "chaos", "wheel", "imports"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target} does not exist"


def test_settings_that_documents_and_deployments_name_exist() -> None:
    sources = [*DOCUMENTS, *(path for path in (ROOT / "deploy").iterdir() if path.is_file())]
    named = {name for path in sources for name in re.findall(r"\bSCRM_[A-Z_]+\b", path.read_text(encoding="utf-8"))}
    for name in named - {"SCRM_SKIP_PAGE", "SCRM_CONFIG_FILE", "SCRM_ADDRESS"}:
        model: object = Settings
        for part in name.removeprefix("SCRM_").lower().split("__"):
            fields = getattr(model, "model_fields", {})
            assert part in fields, f"{name} is no setting"
            model = fields[part].annotation


def test_pictures_are_small() -> None:
    for picture in (ROOT / "docs/images").iterdir():
        assert picture.suffix == ".webp"
        assert picture.stat().st_size < 200 * 1024, f"{picture.name} is too large"
