"""A package verifies without the service, by the script in it and by hand; whatever is done to it is found and named."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.evidence import exporting, verify_alone
from audit.evidence.guide import commands
from audit.evidence.tombstones import bury
from scrm.jobs import JobRunner
from scrm.services import Services
from tests.audit.chains import sealed, talk
from tests.http.site import Browser, Site, running

TOKEN = "one-token-0001"


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with running(services) as made:
        yield made


async def packed(site: Site, browser: Browser, chat: int, token: str = TOKEN) -> bytes:
    body = {"items": [{"conversation_id": chat}], "client_token": token, "note": "争议订单"}
    await browser.post("/api/audit/evidence", body, status=201)
    await JobRunner(site.services, {exporting.RUN: exporting.run}).round()
    one = (await browser.get("/api/audit/evidence"))["exports"][0]
    assert one["state"] == "done", one
    assert one["done"] == one["total"]
    status, data = await browser.call("GET", f"/api/audit/evidence/{one['id']}/file")
    assert status == 200
    return bytes(data)


def problems(data: bytes) -> list[str]:
    return verify_alone.Verifier(verify_alone.Package(io.BytesIO(data))).run()


def rewritten(data: bytes, changes: dict[str, bytes | None]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            if info.filename not in changes:
                new.writestr(info, old.read(info))
        for name, content in changes.items():
            if content is not None:
                new.writestr(name, content)
    return out.getvalue()


async def test_a_package_verifies_by_its_script_and_by_hand(site: Site, tmp_path: Path) -> None:
    chat, said = await talk(site)
    auditor = await site.signed_in("auditor")
    data = await packed(site, auditor, chat)
    (tmp_path / "e.zip").write_bytes(data)
    folder = tmp_path / "e"
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        names = package.namelist()
        package.extractall(folder)
    assert not [one for one in names if re.search(r"[^A-Za-z0-9._/-]|\.\.|^/", one)]
    for where in ([], [str(tmp_path / "e.zip")]):
        done = subprocess.run([sys.executable, "-I", str(folder / "verify.py"), *where], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "VERIFIED" in done.stdout
    for command in commands(chat):
        done = subprocess.run(["sh", "-ec", command], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    for line in range(1, len((folder / f"conversations/{chat}/leaves.txt").read_text().splitlines()) + 1):
        done = subprocess.run(
            ["sh", "path.sh", f"conversations/{chat}/leaves.txt", str(line)], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    page = (folder / f"conversations/{chat}/chat.html").read_text()
    assert "第0句 &lt;b&gt;&amp;&lt;/b&gt;" in page
    assert "已撤回" in page
    assert "员工" in page
    leaves = (folder / f"conversations/{chat}/leaves.txt").read_text()
    assert [line.split()[0] for line in leaves.splitlines()].count("opened") == 2
    # Each place of the guide really depends on what it checks.
    statements = folder / f"conversations/{chat}/statements.txt"
    statements.write_bytes(statements.read_bytes().replace("第1句".encode(), "第9句".encode()))
    assert subprocess.run(["sh", "-ec", commands(chat)[0]], cwd=folder, capture_output=True).returncode != 0
    done = subprocess.run([sys.executable, "-I", "verify.py"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"changed: message {said[1]}" in done.stdout
    acts = [
        row["action"]
        for row in await site.services.db.fetch("select action from audit_event where action like 'evidence.%'")
    ]
    assert acts == ["evidence.asked", "evidence.exported", "evidence.fetched"]


async def test_whatever_is_done_to_a_package_is_found_and_named(site: Site) -> None:
    chat, _ = await talk(site)
    data = await packed(site, await site.signed_in("auditor"), chat)
    assert problems(data) == []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        content = {name: package.read(name) for name in package.namelist()}
    names = sorted(content)
    base = f"conversations/{chat}/"
    leaves, statements = base + "leaves.txt", base + "statements.txt"
    kinds = [" ".join(line.split(" ")[:2]) for line in content[leaves].decode().splitlines()]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def tampered(draw: st.DataObject) -> None:
        what = draw.draw(
            st.sampled_from(["flip", "drop file", "add file", "drop line", "insert line", "swap lines", "change line"])
        )
        name = draw.draw(st.sampled_from(names))
        if what == "flip":
            at = draw.draw(st.integers(0, max(len(content[name]) - 1, 0)))
            changed = bytearray(content[name])
            changed[at] ^= 1 << draw.draw(st.integers(0, 7))
            found = problems(rewritten(data, {name: bytes(changed)}))
            assert any(name in one or "SHA256SUMS" in one for one in found), (name, at, found)
            return
        if what in ("drop file", "add file"):
            name = name if what == "drop file" else "conversations/extra.txt"
            found = problems(rewritten(data, {name: None if what == "drop file" else b"x"}))
            assert any(name in one or "SHA256SUMS" in one or "cannot be read" in one for one in found), (
                what,
                name,
                found,
            )
            return
        rows, said = content[leaves].splitlines(), content[statements].splitlines()
        at = draw.draw(st.integers(0, len(rows) - 1))
        other = draw.draw(st.integers(0, len(rows) - 1).filter(lambda n: n != at))
        if what == "drop line":
            del rows[at], said[at]
        elif what == "insert line":
            rows.insert(at, rows[other])
            said.insert(at, said[other])
        elif what == "swap lines":
            rows[at], rows[other] = rows[other], rows[at]
            said[at], said[other] = said[other], said[at]
        else:
            said[at] = said[at].replace(b'"', b"'", 1)
        found = problems(rewritten(data, {leaves: b"\n".join(rows) + b"\n", statements: b"\n".join(said) + b"\n"}))
        named = {
            "drop line": [kinds[at]],
            "insert line": [kinds[other]],
            "swap lines": [kinds[at], kinds[other]],
            "change line": [kinds[at]],
        }
        for one in named[what]:
            assert any(text.endswith(one) for text in found), (what, one, found)

    tampered()


async def test_what_was_buried_and_what_is_not_open_to_the_asker_is_shown_as_that(site: Site) -> None:
    chat, said = await talk(site)
    await sealed(site.services)
    db = site.services.db
    await db.execute(
        "insert into role (key, name, permissions, reach) values ('prover', 'Prover', '{inbox.read,audit.read,audit.evidence}', 'all')"
    )
    async with site.services.work() as work:
        await bury(work, "message", said[3:4], "erasure", None)
        # Somebody writes words into its place: a package goes by what was sealed and buried.
        await work.tx.execute("update message set text = '别人写的' where id = $1", said[3])
    prover = await site.signed_in("prover")
    data = await packed(site, prover, chat)
    assert problems(data) == []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        whole = b"".join(package.read(name) for name in package.namelist())
        states = {
            line.split()[1]: line.split()[-1]
            for line in package.read(f"conversations/{chat}/leaves.txt").decode().splitlines()
            if line.startswith("message")
        }
    assert states[str(said[3])] == "removed"
    assert states[str(said[1])] == "withheld"
    assert "第1句".encode() not in whole
    assert "第3句".encode() not in whole
    assert "别人写的".encode() not in whole
    # Nobody else's, and nothing beyond one's reach.
    other = await site.signed_in("auditor")
    mine = (await prover.get("/api/audit/evidence"))["exports"][0]["id"]
    assert (await other.call("GET", f"/api/audit/evidence/{mine}/file"))[0] == 404
    await db.execute(
        "insert into role (key, name, permissions, reach) select 'near', 'Near', permissions, 'own' from role where key = 'prover'"
    )
    near = await site.signed_in("near")
    for path, body in (
        ("/api/audit/evidence", {"items": [{"conversation_id": chat}], "client_token": "another-token"}),
        ("/api/audit/evidence/picks", {"conversation_id": chat}),
    ):
        assert (await near.call("POST", path, json=body))[0] == 404


async def test_collecting_asking_twice_and_the_state_of_the_chain(site: Site) -> None:
    chat, _ = await talk(site)
    auditor = await site.signed_in("auditor")
    for _ in range(2):
        picks = await auditor.post("/api/audit/evidence/picks", {"conversation_id": chat})
    assert len(picks["picks"]) == 1
    body = {"items": [{"conversation_id": chat, "from_seq": 2, "to_seq": 3}], "client_token": TOKEN}
    for _ in range(2):
        asked = await auditor.post("/api/audit/evidence", body, status=201)
    assert [one["total"] for one in asked["exports"]] == [2]
    assert (await auditor.call("DELETE", f"/api/audit/evidence/picks/{picks['picks'][0]['id']}"))[1] == {"picks": []}
    await sealed(site.services)
    state = await auditor.post("/api/audit/evidence/check")
    assert state["checking"]
    assert state["head"] >= 1
    assert len(state["keys"][0]["fingerprint"]) == 64
    assert (await auditor.call("POST", "/api/audit/evidence/key"))[0] == 403
