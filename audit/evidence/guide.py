"""The one page that tells how to verify a package, with commands that work as they stand (the test runs them)."""

from __future__ import annotations

from html import escape

STEPS: tuple[tuple[str, str, str], ...] = (
    (
        "每个文件都与打包时一致",
        "Every file is as it was packed",
        "sha256sum --quiet -c SHA256SUMS",
    ),
    (
        "文件清单由公司的密钥签名",
        "The list of files is signed by the company's key",
        "openssl pkeyutl -verify -pubin -inkey keys/current.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig",
    ),
    (
        "公钥指纹，请与公司另行告知的对照",
        "The fingerprint of the key; compare it with what the company told you in another way",
        "openssl pkey -pubin -in keys/current.pem -outform DER | sha256sum",
    ),
    (
        "链头区块的签名",
        "The signature of the newest block of the chain",
        "openssl pkeyutl -verify -pubin -inkey keys/head.pem -rawin -in chain/head.txt -sigfile chain/head.sig",
    ),
    (
        "某一条记录（第 1 行）：其哈希与 leaves.txt 同一行第三列相同",
        "One record (line 1): its hash is the third word of the same line of leaves.txt",
        "sed -n 1p conversations/CHAT/statements.txt | tr -d '\\n' | sha256sum && sed -n 1p conversations/CHAT/leaves.txt | cut -d' ' -f3",
    ),
    (
        "这条记录在其区块之内：从叶子逐层向上算到根",
        "That record is in its block: from the leaf up to the root",
        "sh path.sh conversations/CHAT/leaves.txt 1",
    ),
)
PATH = """#!/bin/sh
# sh path.sh LEAVES LINE: from one leaf up to the root of its block, with printf, xxd and openssl only; compares with chain/headers.txt.
# RFC 6962: a leaf is SHA-256(00 | line), a node SHA-256(01 | left | right).
set -e
set -- $(sed -n "$2p" "$1")
block=$4 position=$5 path=$6
size=$(awk -v b="$block" '$1=="number"{n=$2} $1=="leaves"&&n==b{print $2; exit}' chain/headers.txt)
root=$(awk -v b="$block" '$1=="number"{n=$2} $1=="root"&&n==b{print $2; exit}' chain/headers.txt)
digest=$(printf '\\000%s %s %s\\n' "$1" "$2" "$3" | openssl dgst -sha256 -r | cut -d' ' -f1)
while [ "$size" -gt 1 ]; do
  odd=$((position % 2)); beside=$((position + 1 - 2 * odd))
  if [ "$beside" -lt "$size" ]; then
    other=${path%%,*}; path=${path#*,}
    if [ "$odd" = 1 ]; then both=01$other$digest; else both=01$digest$other; fi
    digest=$(printf '%s' "$both" | xxd -r -p | openssl dgst -sha256 -r | cut -d' ' -f1)
  fi
  position=$((position / 2)); size=$(((size + 1) / 2))
done
echo "$digest"
[ "$digest" = "$root" ] && echo "in block $block" || { echo "NOT in block $block"; exit 1; }
"""
STYLE = "body{max-width:820px;margin:24px auto;padding:0 20px;font:15px/1.6 sans-serif;color:#1d232b}pre{background:#f1f3f5;padding:8px 12px;border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere}h1{font-size:21px}h2{font-size:16px}@page{margin:16mm}"


def commands(chat: int) -> list[str]:
    return [command.replace("CHAT", str(chat)) for _, _, command in STEPS]


def page(chat: int, mark: str, fingerprint: str) -> bytes:
    steps = "".join(
        f"<li>{escape(zh)}<br>{escape(en)}<pre>{escape(command.replace('CHAT', str(chat)))}</pre></li>"
        for zh, en, command in STEPS
    )
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>证据包核验 · Verifying this evidence</title><style>{STYLE}</style></head><body>'
        "<h1>证据包核验 · Verifying this evidence</h1>"
        f"<p>{escape(mark)}</p><p>公钥指纹 · fingerprint of the key<br><code>{fingerprint}</code></p>"
        "<p>每条消息、存档记录、文件在入库后被写成一行（statements.txt），其 SHA-256 是证据链的一片叶子；叶子组成区块（RFC 6962 默克尔树），"
        "区块前后相连并由公司以 Ed25519 签名。改动、删除、插入或调换任何一条，核验都会指出是哪一条。</p>"
        "<p>Every message, archived record and file becomes one line (statements.txt) whose SHA-256 is a leaf of the chain; leaves form blocks "
        "(Merkle trees of RFC 6962), each block holds on to the one before and is signed with Ed25519. Whatever is changed, removed, inserted or "
        "put in another order is found and named.</p>"
        "<h2>一步核验 · In one step</h2><pre>python3 verify.py</pre>"
        f"<h2>手工核验（OpenSSL 3） · By hand (OpenSSL 3)</h2><ol>{steps}</ol>"
        "<p>conversations/编号/chat.html 便于阅读 is for reading；leaves.txt：种类 编号 哈希 区块 位置 路径 状态 · kind number hash block position path state；"
        "media/ 以 SHA-256 命名 named by SHA-256；records/ 为解密后的原始存档记录 archived records as opened。</p></body></html>\n"
    ).encode()
