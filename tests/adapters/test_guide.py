"""The guide for adapter authors stays true: its example is run, and it names everything that exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import scrm.channel
from scrm.channel import Kind

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "writing-an-adapter.md").read_text(encoding="utf-8")
FILE = re.compile(r"```python\n# file: (\S+)\n(.*?)```", re.DOTALL)


def test_the_example_in_the_guide_passes_the_kit(tmp_path: Path) -> None:
    files = FILE.findall(GUIDE)
    assert [name for name, _ in files] == ["pigeon/adapter.py", "test_pigeon.py"]
    for name, code in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n", encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert re.search(r"\d\d passed", run.stdout), run.stdout


@pytest.mark.parametrize("kind", list(Kind))
def test_the_guide_has_the_content_of_each_kind(kind: Kind) -> None:
    assert re.search(rf"^\|[^|]*`{kind.value}`", GUIDE, re.MULTILINE)


def test_the_guide_names_every_optional_ability() -> None:
    abilities = [
        name
        for name, thing in vars(scrm.channel).items()
        if isinstance(thing, type) and getattr(thing, "_is_runtime_protocol", False)
    ]
    assert abilities
    assert [name for name in abilities if f"`{name}`" not in GUIDE] == []
